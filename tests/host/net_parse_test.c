// SPDX-License-Identifier: GPL-2.0
/*
 * The network backend's parser. Slots end where the array ends, so that a read
 * behind them is seen; the packet begins at any slot.
 */
#include "netback/parse.h"

#include <linux/array_size.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

#define MORE	XEN_NETTXF_more_data
#define EXTRA	XEN_NETTXF_extra_info
#define BLANK	XEN_NETTXF_csum_blank
#define VALID	XEN_NETTXF_data_validated
#define NEXT	XEN_NETIF_EXTRA_FLAG_MORE

#define REQ(off, len, how)	{ .req = { .gref = 100, .offset = (off), \
				  .size = (len), .flags = (how), .id = 7 } }
#define GSO(kind, len, how)	{ .extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO, \
				  .flags = (how), .u.gso = { .size = (len), \
				  .type = (kind) } } }
#define MCAST(what, how)	{ .extra = { .type = (what), .flags = (how), \
				  .u.mcast.addr = { 1, 2, 3, 4, 5, 6 } } }
#define HASH(kind, alg, how)	{ .extra = { .type = XEN_NETIF_EXTRA_TYPE_HASH, \
				  .flags = (how), .u.hash = { .type = (kind), \
				  .algorithm = (alg), \
				  .value = { 0x78, 0x56, 0x34, 0x12 } } } }
#define OTHER(kind, how)	{ .extra = { .type = (kind), .flags = (how) } }

#define ADD		XEN_NETIF_EXTRA_TYPE_MCAST_ADD
#define DEL		XEN_NETIF_EXTRA_TYPE_MCAST_DEL
#define XDP		XEN_NETIF_EXTRA_TYPE_XDP
#define TCPV4		XEN_NETIF_GSO_TYPE_TCPV4
#define TCPV6		XEN_NETIF_GSO_TYPE_TCPV6
#define TOEPLITZ	XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ
#define IPV6_TCP	_XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP

struct row {
	const char *name;
	union net_tx_slot slots[12];
	u32 nr;
	enum net_tx_reject want;
	/* If it is accepted; the number of slots in any case. */
	struct net_tx_packet packet;
};

static const struct row rows[] = {
	{ "single", { REQ(0, 60, 0) }, 1,
	  .packet = { .nr_slots = 1, .head = 60, .len = 60 } },
	{ "others_follow", { REQ(0, 60, 0), REQ(0, 1, 0), REQ(9, 9, EXTRA) }, 3,
	  .packet = { .nr_slots = 1, .head = 60, .len = 60 } },
	{ "csum_blank", { REQ(0, 60, BLANK | VALID) }, 1,
	  .packet = { .nr_slots = 1, .head = 60, .len = 60, .csum_blank = true,
		      .validated = true } },
	{ "validated", { REQ(0, 60, VALID) }, 1,
	  .packet = { .nr_slots = 1, .head = 60, .len = 60,
		      .validated = true } },
	{ "unknown_flags", { REQ(0, 60, 0xfff0) }, 1,
	  .packet = { .nr_slots = 1, .head = 60, .len = 60 } },
	{ "chained_2", { REQ(96, 2000, MORE), REQ(0, 1000, 0) }, 2,
	  .packet = { .nr_slots = 2, .head = 1000, .len = 2000 } },
	{ "flags_of_fragments", { REQ(96, 2000, MORE),
	  REQ(0, 1000, EXTRA | BLANK | VALID) }, 2,
	  .packet = { .nr_slots = 2, .head = 1000, .len = 2000 } },

	{ "size_0", { REQ(0, 0, 0) }, 1, NET_TX_TOO_SHORT,
	  { .nr_slots = 1 } },
	{ "size_lt_14", { REQ(0, 13, 0) }, 1, NET_TX_TOO_SHORT,
	  { .nr_slots = 1 } },
	{ "size_14", { REQ(0, 14, 0) }, 1,
	  .packet = { .nr_slots = 1, .head = 14, .len = 14 } },
	{ "size_lt_14_chained", { REQ(0, 13, MORE), REQ(0, 5, 0) }, 2,
	  NET_TX_TOO_SHORT, { .nr_slots = 2 } },
	{ "size_largest", { REQ(0, 65535, MORE), REQ(0, 4096, MORE),
	  REQ(0, 4096, MORE), REQ(0, 4096, 0) }, 4, NET_TX_CROSSES_FRAME,
	  { .nr_slots = 4 } },

	{ "frame_filled", { REQ(0, 4096, 0) }, 1,
	  .packet = { .nr_slots = 1, .head = 4096, .len = 4096 } },
	{ "offset_plus_size_gt_page", { REQ(1, 4096, 0) }, 1,
	  NET_TX_CROSSES_FRAME, { .nr_slots = 1 } },
	{ "end_of_frame", { REQ(4000, 96, 0) }, 1,
	  .packet = { .nr_slots = 1, .head = 96, .len = 96 } },
	{ "end_of_frame_plus_1", { REQ(4000, 97, 0) }, 1, NET_TX_CROSSES_FRAME,
	  { .nr_slots = 1 } },
	{ "offset_4096", { REQ(4096, 60, 0) }, 1, NET_TX_CROSSES_FRAME,
	  { .nr_slots = 1 } },
	{ "offset_65535", { REQ(65535, 60, 0) }, 1, NET_TX_CROSSES_FRAME,
	  { .nr_slots = 1 } },
	{ "fragment_crosses", { REQ(0, 200, MORE), REQ(4000, 97, 0) }, 2,
	  NET_TX_CROSSES_FRAME, { .nr_slots = 2 } },
	{ "fragment_crosses_16_bit", { REQ(0, 65535, MORE),
	  REQ(65535, 65535, 0) }, 2, NET_TX_CROSSES_FRAME, { .nr_slots = 2 } },
	{ "head_from_the_rest_crosses", { REQ(4000, 1000, MORE),
	  REQ(0, 903, 0) }, 2, NET_TX_CROSSES_FRAME, { .nr_slots = 2 } },
	{ "head_from_the_rest_fits", { REQ(4000, 1000, MORE),
	  REQ(0, 904, 0) }, 2,
	  .packet = { .nr_slots = 2, .head = 96, .len = 1000 } },

	/*
	 * XSA-448: a fragment of no bytes made its way into an skb, and a BUG. Rule:
	 * it is a slot to be answered, and nothing to be copied. Failure: refused,
	 * or counted wrong.
	 */
	{ "size_0_fragment", { REQ(0, 100, MORE), REQ(0, 0, MORE),
	  REQ(0, 40, 0) }, 3,
	  .packet = { .nr_slots = 3, .head = 60, .len = 100 } },
	{ "size_0_fragments_only", { REQ(0, 100, MORE), REQ(0, 0, MORE),
	  REQ(0, 0, 0) }, 3,
	  .packet = { .nr_slots = 3, .head = 100, .len = 100 } },
	{ "size_0_head", { REQ(0, 100, MORE), REQ(0, 100, 0) }, 2,
	  .packet = { .nr_slots = 2, .head = 0, .len = 100 } },
	{ "size_0_at_4096", { REQ(0, 100, MORE), REQ(4096, 0, 0) }, 2,
	  .packet = { .nr_slots = 2, .head = 100, .len = 100 } },
	{ "size_sum_mismatch", { REQ(0, 100, MORE), REQ(0, 101, 0) }, 2,
	  NET_TX_BAD_SIZE, { .nr_slots = 2 } },
	{ "size_sum_mismatch_16_bit", { REQ(0, 100, MORE), REQ(0, 4096, MORE),
	  REQ(0, 4096, 0) }, 3, NET_TX_BAD_SIZE, { .nr_slots = 3 } },

	{ "chain_unfinished", { REQ(0, 100, MORE) }, 1, .want = NET_TX_UNFINISHED },
	{ "chain_unfinished_2", { REQ(0, 100, MORE), REQ(0, 1, MORE) }, 2,
	  .want = NET_TX_UNFINISHED },
	{ "extra_without_slot", { REQ(0, 100, EXTRA) }, 1, .want = NET_TX_UNFINISHED },
	{ "extra_chain_unfinished", { REQ(0, 100, EXTRA), GSO(TCPV4, 9, NEXT) },
	  2, .want = NET_TX_UNFINISHED },
	{ "extra_then_unfinished", { REQ(0, 100, EXTRA | MORE),
	  GSO(TCPV4, 9, 0) }, 2, .want = NET_TX_UNFINISHED },
	{ "bad_but_unfinished", { REQ(9999, 1, EXTRA | MORE), OTHER(99, 0) }, 2,
	  .want = NET_TX_UNFINISHED },

	{ "gso_tcpv4", { REQ(0, 4000, BLANK | VALID | EXTRA),
	  GSO(TCPV4, 1448, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .head = 4000, .len = 4000,
		      .csum_blank = true, .validated = true,
		      .gso_type = TCPV4, .gso_size = 1448 } },
	{ "gso_tcpv6_chained", { REQ(0, 4000, EXTRA | MORE),
	  GSO(TCPV6, 1428, 0), REQ(0, 3000, 0) }, 3,
	  .packet = { .nr_slots = 3, .nr_extras = 1, .head = 1000, .len = 4000,
		      .gso_type = TCPV6, .gso_size = 1428 } },
	{ "gso_larger_than_packet", { REQ(0, 100, EXTRA), GSO(TCPV4, 65535, 0) },
	  2, .packet = { .nr_slots = 2, .nr_extras = 1, .head = 100, .len = 100,
			 .gso_type = TCPV4, .gso_size = 65535 } },
	{ "gso_size_0", { REQ(0, 4000, EXTRA), GSO(TCPV4, 0, 0) }, 2,
	  NET_TX_BAD_GSO, { .nr_slots = 2 } },
	{ "gso_type_0", { REQ(0, 4000, EXTRA), GSO(0, 1448, 0) }, 2,
	  NET_TX_BAD_GSO, { .nr_slots = 2 } },
	{ "gso_type_unknown", { REQ(0, 4000, EXTRA), GSO(3, 1448, 0) }, 2,
	  NET_TX_BAD_GSO, { .nr_slots = 2 } },
	{ "gso_type_255", { REQ(0, 4000, EXTRA | MORE), GSO(255, 1448, 0),
	  REQ(0, 100, 0) }, 3, NET_TX_BAD_GSO, { .nr_slots = 3 } },

	{ "extra_type_0", { REQ(0, 100, EXTRA), OTHER(0, 0) }, 2,
	  NET_TX_BAD_EXTRA, { .nr_slots = 2 } },
	{ "extra_unknown_type", { REQ(0, 100, EXTRA), OTHER(6, 0) }, 2,
	  NET_TX_BAD_EXTRA, { .nr_slots = 2 } },
	{ "extra_unknown_type_in_chain", { REQ(0, 100, EXTRA | MORE),
	  GSO(TCPV4, 9, NEXT), OTHER(255, NEXT), GSO(TCPV4, 9, 0),
	  REQ(0, 1, 0) }, 5, NET_TX_BAD_EXTRA, { .nr_slots = 5 } },
	/* Taken for a fragment, of no bytes. */
	{ "extra_without_flag", { REQ(0, 100, MORE), GSO(TCPV4, 1448, 0) }, 2,
	  .packet = { .nr_slots = 2, .head = 100, .len = 100 } },
	{ "extra_xdp", { REQ(0, 100, EXTRA), OTHER(XDP, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .head = 100,
		      .len = 100 } },
	{ "extras_of_all_kinds", { REQ(0, 100, EXTRA | MORE),
	  HASH(IPV6_TCP, TOEPLITZ, NEXT), OTHER(XDP, NEXT), GSO(TCPV6, 9, 0),
	  REQ(0, 50, 0) }, 5,
	  .packet = { .nr_slots = 5, .nr_extras = 3, .head = 50, .len = 100,
		      .gso_type = TCPV6, .gso_size = 9, .hashed = true,
		      .hash_type = IPV6_TCP, .hash = 0x12345678 } },
	{ "unknown_extra_flags", { REQ(0, 100, EXTRA), GSO(TCPV4, 9, 0xfe) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .head = 100, .len = 100,
		      .gso_type = TCPV4, .gso_size = 9 } },

	{ "mcast_add", { REQ(0, 0, EXTRA), MCAST(ADD, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .mcast = ADD,
		      .mcast_addr = { 1, 2, 3, 4, 5, 6 } } },
	{ "mcast_del", { REQ(0, 0, EXTRA), MCAST(DEL, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .mcast = DEL,
		      .mcast_addr = { 1, 2, 3, 4, 5, 6 } } },
	{ "mcast_with_a_hash", { REQ(0, 0, EXTRA), MCAST(ADD, NEXT),
	  HASH(0, TOEPLITZ, 0) }, 3,
	  .packet = { .nr_slots = 3, .nr_extras = 2, .mcast = ADD,
		      .mcast_addr = { 1, 2, 3, 4, 5, 6 }, .hashed = true,
		      .hash = 0x12345678 } },
	{ "mcast_then_unknown", { REQ(0, 0, EXTRA), MCAST(ADD, NEXT),
	  OTHER(77, 0) }, 3, NET_TX_BAD_EXTRA, { .nr_slots = 3 } },
	{ "mcast_with_data", { REQ(0, 100, EXTRA | MORE), MCAST(ADD, 0),
	  REQ(0, 50, 0) }, 3,
	  .packet = { .nr_slots = 3, .nr_extras = 1, .mcast = ADD,
		      .mcast_addr = { 1, 2, 3, 4, 5, 6 } } },

	{ "hash_algorithm_unknown", { REQ(0, 100, EXTRA), HASH(0, 2, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .head = 100,
		      .len = 100 } },
	{ "hash_algorithm_none", { REQ(0, 100, EXTRA), HASH(0, 0, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .head = 100,
		      .len = 100 } },
	{ "hash_type_unknown", { REQ(0, 100, EXTRA),
	  HASH(IPV6_TCP + 1, TOEPLITZ, 0) }, 2,
	  .packet = { .nr_slots = 2, .nr_extras = 1, .head = 100,
		      .len = 100 } },
};

/* The slots begin at @first of an array that ends with them. */
static enum net_tx_reject parse_at(const union net_tx_slot *slots, u32 nr,
				   u32 first, struct net_tx_packet *packet)
{
	union net_tx_slot *copy = malloc((first + nr) * sizeof(*copy));
	enum net_tx_reject verdict;

	memset(copy, 0xff, first * sizeof(*copy));
	memcpy(copy + first, slots, nr * sizeof(*copy));
	memset(packet, 0xa5, sizeof(*packet));
	verdict = net_tx_parse(copy, first + nr, first, packet);
	free(copy);
	return verdict;
}

static void check_packet(const struct net_tx_packet *have,
			 const struct net_tx_packet *want)
{
	CHECK_EQ(have->nr_extras, want->nr_extras);
	CHECK_EQ(have->csum_blank, want->csum_blank);
	CHECK_EQ(have->validated, want->validated);
	CHECK_EQ(have->gso_type, want->gso_type);
	CHECK_EQ(have->gso_size, want->gso_size);
	CHECK_EQ(have->hashed, want->hashed);
	CHECK_EQ(have->mcast, want->mcast);
	if (want->hashed) {
		CHECK_EQ(have->hash_type, want->hash_type);
		CHECK_EQ(have->hash, want->hash);
	}
	if (want->mcast) {
		CHECK(!memcmp(have->mcast_addr, want->mcast_addr, 6));
		return;
	}
	CHECK_EQ(have->head, want->head);
	CHECK_EQ(have->len, want->len);
}

static void run_row(const void *arg)
{
	const struct row *row = arg;
	enum net_tx_reject have;
	struct net_tx_packet packet;
	u32 first;

	for (first = 0; first < 3; first++) {
		have = parse_at(row->slots, row->nr, first, &packet);
		if (have != row->want)
			FAIL("%s, not %s", net_tx_reject_text(have),
			     net_tx_reject_text(row->want));
		if (have != NET_TX_UNFINISHED)
			CHECK_EQ(packet.nr_slots, row->packet.nr_slots);
		CHECK_EQ(packet.first, first);
		if (!have)
			check_packet(&packet, &row->packet);
	}
}

static u32 fill_chain(union net_tx_slot *slots, u32 segs, u32 extras, u16 size)
{
	u32 i, n = 0;

	for (i = 0; i < segs; i++) {
		slots[n++] = (union net_tx_slot)
			REQ(i, i ? 10 : size, i < segs - 1 ? MORE : 0);
		if (i || !extras)
			continue;
		slots[0].req.flags |= EXTRA;
		for (; n <= extras; n++)
			slots[n] = (union net_tx_slot)
				GSO(TCPV4, 100, n < extras ? NEXT : 0);
	}
	return n;
}

/*
 * XSA-432: a packet of more slots than there were copies for wrote beyond their
 * array. Rule: a limit on its slots. Failure: one more is accepted.
 */
static void every_chain(const void *arg)
{
	union net_tx_slot slots[NET_RING_SLOTS];
	struct net_tx_packet packet;
	enum net_tx_reject have;
	u32 segs, extras, n;

	(void)arg;
	for (segs = 1; segs <= 240; segs++) {
		for (extras = 0; extras <= 10; extras += 5) {
			n = fill_chain(slots, segs, extras, 2500);
			have = parse_at(slots, n, segs % 16, &packet);
			CHECK_EQ(have, segs > NETBACK_MAX_SEGS ?
				       NET_TX_TOO_MANY_SEGMENTS :
				       NET_TX_ACCEPT);
			CHECK_EQ(packet.nr_slots, n);
			if (have)
				continue;
			CHECK_EQ(packet.nr_extras, extras);
			CHECK_EQ(packet.len, 2500);
			CHECK_EQ(packet.head, 2500 - 10 * (segs - 1));
		}
	}
}

/*
 * A chain that fills the ring and does not end there. XSA-39: backends followed it
 * round the ring for ever, or lost slots of it. Failure: no end, or one that it does
 * not have.
 */
static void endless_chains(const void *arg)
{
	union net_tx_slot slots[NET_RING_SLOTS];
	struct net_tx_packet packet;
	u32 i, n;

	(void)arg;
	for (n = 1; n <= NET_RING_SLOTS; n++) {
		for (i = 0; i < n; i++)
			slots[i] = (union net_tx_slot)REQ(0, 100, MORE);
		CHECK_EQ(parse_at(slots, n, 0, &packet), NET_TX_UNFINISHED);

		slots[0].req.flags = EXTRA;
		for (i = 1; i < n; i++)
			slots[i] = (union net_tx_slot)GSO(TCPV4, 100, NEXT);
		CHECK_EQ(parse_at(slots, n, 0, &packet), NET_TX_UNFINISHED);
	}
}

static void every_extra_type(const void *arg)
{
	union net_tx_slot slots[2] = { REQ(0, 100, EXTRA) };
	struct net_tx_packet packet;
	enum net_tx_reject have;
	u32 type;

	(void)arg;
	for (type = 0; type < 256; type++) {
		slots[1] = (union net_tx_slot)GSO(TCPV4, 100, 0);
		slots[1].extra.type = type;
		have = parse_at(slots, 2, 0, &packet);
		CHECK_EQ(have, type && type < XEN_NETIF_EXTRA_TYPE_MAX ?
			       NET_TX_ACCEPT : NET_TX_BAD_EXTRA);
		CHECK_EQ(packet.nr_slots, 2);
	}
}

static void random_slots(union net_tx_slot *slots, u32 nr, unsigned int *seed)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		struct xen_netif_tx_request *req = &slots[i].req;
		unsigned int r = rand_r(seed);

		*req = (struct xen_netif_tx_request) {
			.gref = rand_r(seed),
			.offset = r % 5 ? 0 : rand_r(seed),
			.size = r % 7 ? rand_r(seed) % 64 : rand_r(seed),
			.flags = rand_r(seed),
			.id = rand_r(seed),
		};
		if (!i && r % 3)
			req->size = 14 + rand_r(seed) % 4000;
		if (r % 11 == 0)
			slots[i].extra.type = 1 + r % 5;
	}
}

/* What the rest of the backend relies on. */
static void check_accepted(const union net_tx_slot *slots, u32 nr, u32 first,
			   const struct net_tx_packet *packet)
{
	u32 i = first + packet->nr_extras + 1, end = first + packet->nr_slots;
	u32 sum = packet->head;

	CHECK(packet->nr_extras < packet->nr_slots);
	CHECK(end <= nr);
	CHECK(!packet->gso_type == !packet->gso_size);
	if (packet->mcast)
		return;
	CHECK(packet->len >= 14 && packet->head <= packet->len);
	CHECK(end - i + 1 <= NETBACK_MAX_SEGS);
	CHECK(slots[first].req.offset + packet->head <= NET_FRAME_SIZE);
	for (; i < end; i++) {
		CHECK(slots[i].req.offset + slots[i].req.size <=
		      NET_FRAME_SIZE);
		sum += slots[i].req.size;
	}
	CHECK_EQ(sum, packet->len);
}

static void random_packets(const void *arg)
{
	union net_tx_slot *slots;
	unsigned int seed = 1, n, accepted = 0;
	struct net_tx_packet packet;
	enum net_tx_reject have;
	u32 nr, first;

	(void)arg;
	for (n = 0; n < 200000; n++) {
		nr = 1 + rand_r(&seed) % 12;
		first = rand_r(&seed) % nr;
		slots = malloc(nr * sizeof(*slots));
		random_slots(slots, nr, &seed);
		have = net_tx_parse(slots, nr, first, &packet);
		if (have != NET_TX_UNFINISHED)
			CHECK(packet.nr_slots && packet.nr_slots <= nr - first);
		if (!have) {
			check_accepted(slots, nr, first, &packet);
			accepted++;
		}
		free(slots);
	}
	/* Or it would have shown little. */
	CHECK(accepted > 1000 && accepted < n - 1000);
}

static void every_text(const void *arg)
{
	enum net_tx_reject why;

	(void)arg;
	for (why = NET_TX_ACCEPT; why <= NET_TX_BAD_GSO; why++)
		CHECK(net_tx_reject_text(why) && net_tx_reject_text(why)[0]);
}

#define RUN(name)	case_run("net parse", #name, name, NULL)

void net_parse_tests(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		case_run("net parse", rows[i].name, run_row, &rows[i]);
	RUN(every_chain);
	RUN(endless_chains);
	RUN(every_extra_type);
	RUN(random_packets);
	RUN(every_text);
}

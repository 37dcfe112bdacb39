// SPDX-License-Identifier: GPL-2.0
/* What the network frontend makes of responses of the receive ring. */
#include "netfront/response.h"

#include <linux/array_size.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

#define MORE	XEN_NETRXF_more_data
#define EXTRA	XEN_NETRXF_extra_info
#define NEXT	XEN_NETIF_EXTRA_FLAG_MORE

/* One response: data, or an extra if it has a type. */
struct slot {
	u16 offset;
	int status;
	u16 flags;
	/* The id is that of the request, and this. */
	u16 wrong_id;
	u8 type;
	u8 more;
	u16 gso_size;
	u8 gso_type;
	u16 headroom;
	u8 hash_type;
	u8 hash[4];
};

struct row {
	const char *name;
	struct slot slots[8];
	enum netfront_flaw want;
	unsigned int nr_slots;
	unsigned int nr;
	unsigned int len;
	u16 offset;
	u16 gso_size;
};

#define DATA(at, len, flag)	{ .offset = (at), .status = (len), \
				  .flags = (flag) }
#define GSO(size, kind)	{ .type = XEN_NETIF_EXTRA_TYPE_GSO, \
			  .gso_size = (size), .gso_type = (kind) }
#define TCP4		XEN_NETIF_GSO_TYPE_TCPV4
#define TCP6		XEN_NETIF_GSO_TYPE_TCPV6
#define XDP(room)	{ .type = XEN_NETIF_EXTRA_TYPE_XDP, .headroom = (room) }
#define HASH(kind)	{ .type = XEN_NETIF_EXTRA_TYPE_HASH, \
			  .hash_type = (kind), .hash = { 1, 2, 3, 0x84 } }

static const struct row rows[] = {
	{ "single", { DATA(0, 60, 0) }, .nr_slots = 1, .nr = 1, .len = 60 },
	{ "shortest", { DATA(0, 14, 0) }, .nr_slots = 1, .nr = 1, .len = 14 },
	{ "short", { DATA(0, 13, 0) }, .want = NETFRONT_BAD_LENGTH, .nr_slots = 1 },
	{ "empty", { DATA(0, 0, 0) }, .want = NETFRONT_BAD_LENGTH, .nr_slots = 1 },
	{ "whole_page", { DATA(0, 4096, 0) }, .nr_slots = 1, .nr = 1, .len = 4096 },
	{ "offset", { DATA(256, 1514, 0) }, .nr_slots = 1, .nr = 1, .len = 1514,
	  .offset = 256 },
	{ "offset_to_end", { DATA(4036, 60, 0) }, .nr_slots = 1, .nr = 1,
	  .len = 60, .offset = 4036 },
	{ "offset_plus_len", { DATA(4037, 60, 0) }, .want = NETFRONT_BAD_RANGE, .nr_slots = 1 },
	{ "offset_beyond", { DATA(4097, 0, 0) }, .want = NETFRONT_BAD_RANGE, .nr_slots = 1 },
	{ "offset_huge", { DATA(65535, 60, 0) }, .want = NETFRONT_BAD_RANGE, .nr_slots = 1 },
	{ "len_gt_page", { DATA(0, 4097, 0) }, .want = NETFRONT_BAD_RANGE, .nr_slots = 1 },
	{ "len_huge", { DATA(0, 32767, 0) }, .want = NETFRONT_BAD_RANGE, .nr_slots = 1 },
	{ "failed", { DATA(0, -1, 0) }, .want = NETFRONT_BAD_STATUS, .nr_slots = 1 },
	{ "dropped", { DATA(0, -2, 0) }, .want = NETFRONT_BAD_STATUS, .nr_slots = 1 },
	{ "status_least", { DATA(0, -32768, 0) }, .want = NETFRONT_BAD_STATUS, .nr_slots = 1 },
	/* XSA-376: a response is for the buffer of its slot. Failure: no flaw. */
	{ "wrong_id", { { .status = 60, .wrong_id = 1 } },
	  .want = NETFRONT_BAD_ID, .nr_slots = 1 },
	{ "wrong_id_later", { DATA(0, 60, MORE), { .status = 60, .wrong_id = 256 } },
	  .want = NETFRONT_BAD_ID, .nr_slots = 2 },

	{ "chain", { DATA(0, 4096, MORE), DATA(0, 4096, MORE), DATA(0, 8, 0) },
	  .nr_slots = 3, .nr = 3, .len = 8200 },
	/* XSA-448, from the other side: nothing in a slot is no fragment. */
	{ "chain_with_hole", { DATA(0, 4096, MORE), DATA(0, 0, MORE), DATA(0, 8, 0) },
	  .nr_slots = 3, .nr = 2, .len = 4104 },
	{ "chain_flaw_followed", { DATA(0, -1, MORE), DATA(0, 60, MORE), DATA(0, 8, 0) },
	  .want = NETFRONT_BAD_STATUS, .nr_slots = 3 },
	{ "chain_flaw_later", { DATA(0, 60, MORE), DATA(0, 5000, MORE), DATA(0, 8, 0) },
	  .want = NETFRONT_BAD_RANGE, .nr_slots = 3 },
	{ "extra_later", { DATA(0, 60, MORE), DATA(0, 60, EXTRA) },
	  .want = NETFRONT_BAD_EXTRA, .nr_slots = 2 },

	{ "gso", { DATA(0, 4000, EXTRA), GSO(1448, TCP4) }, .nr_slots = 2,
	  .nr = 1, .len = 4000, .gso_size = 1448 },
	{ "gso_v6_chain", { DATA(0, 4096, MORE | EXTRA), GSO(1428, TCP6),
	  DATA(0, 4096, 0) }, .nr_slots = 3, .nr = 2, .len = 8192,
	  .gso_size = 1428 },
	{ "gso_size_0", { DATA(0, 4000, EXTRA), GSO(0, TCP4) },
	  .want = NETFRONT_BAD_GSO, .nr_slots = 2 },
	{ "gso_size_ffff", { DATA(0, 4000, EXTRA), GSO(65535, TCP4) },
	  .want = NETFRONT_BAD_GSO, .nr_slots = 2 },
	{ "gso_size_of_packet", { DATA(0, 1448, EXTRA), GSO(1448, TCP4) },
	  .want = NETFRONT_BAD_GSO, .nr_slots = 2 },
	{ "gso_type_0", { DATA(0, 4000, EXTRA), GSO(1448, 0) },
	  .want = NETFRONT_BAD_GSO, .nr_slots = 2 },
	{ "gso_type_unknown", { DATA(0, 4000, EXTRA), GSO(1448, 3) },
	  .want = NETFRONT_BAD_GSO, .nr_slots = 2 },
	{ "gso_twice", { DATA(0, 4000, EXTRA),
	  { .type = XEN_NETIF_EXTRA_TYPE_GSO, .more = NEXT, .gso_size = 1448,
	    .gso_type = TCP4 }, GSO(1448, TCP4) }, .want = NETFRONT_BAD_EXTRA, .nr_slots = 3 },

	{ "extra_type_none", { DATA(0, 60, EXTRA), { .type = 0, .more = 0 } },
	  .want = NETFRONT_BAD_EXTRA, .nr_slots = 2 },
	{ "extra_type_unknown", { DATA(0, 60, EXTRA), { .type = 6 } },
	  .want = NETFRONT_BAD_EXTRA, .nr_slots = 2 },
	{ "extra_type_255", { DATA(0, 60, EXTRA), { .type = 255 } },
	  .want = NETFRONT_BAD_EXTRA, .nr_slots = 2 },
	{ "extra_of_tx", { DATA(0, 60, EXTRA),
	  { .type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD } }, .want = NETFRONT_BAD_EXTRA, .nr_slots = 2 },
	{ "extra_unknown_followed", { DATA(0, 60, EXTRA | MORE),
	  { .type = 77, .more = NEXT }, HASH(1), DATA(0, 60, 0) },
	  .want = NETFRONT_BAD_EXTRA, .nr_slots = 4 },
	{ "hash", { DATA(0, 60, EXTRA), HASH(2) }, .nr_slots = 2, .nr = 1,
	  .len = 60 },

	{ "xdp_offset", { DATA(256, 60, EXTRA), XDP(256) }, .nr_slots = 2,
	  .nr = 1, .len = 60, .offset = 256 },
	{ "xdp_linux_counts_headroom", { DATA(0, 316, EXTRA), XDP(256) },
	  .nr_slots = 2, .nr = 1, .len = 60, .offset = 256 },
	{ "xdp_linux_longest", { DATA(0, 4096, EXTRA), XDP(256) },
	  .nr_slots = 2, .nr = 1, .len = 3840, .offset = 256 },
	{ "xdp_all_headroom", { DATA(0, 256, EXTRA), XDP(256) },
	  .want = NETFRONT_BAD_LENGTH, .nr_slots = 2 },
	{ "xdp_too_much", { DATA(0, 60, EXTRA), XDP(65535) },
	  .want = NETFRONT_BAD_LENGTH, .nr_slots = 2 },
	{ "xdp_none", { DATA(0, 60, EXTRA), XDP(0) }, .nr_slots = 2, .nr = 1,
	  .len = 60 },
	{ "xdp_first_empty", { DATA(0, 0, EXTRA | MORE), XDP(256), DATA(0, 60, 0) },
	  .nr_slots = 3, .nr = 1, .len = 60 },
};

static union net_rx_slot encode(const struct slot *s, bool extra, u16 id)
{
	union net_rx_slot wire;

	memset(&wire, 0xa5, sizeof(wire));
	if (!extra) {
		wire.rsp = (struct xen_netif_rx_response) {
			.id = id + s->wrong_id,
			.offset = s->offset,
			.flags = s->flags,
			.status = s->status,
		};
		return wire;
	}
	wire.extra.type = s->type;
	wire.extra.flags = s->more;
	if (s->type == XEN_NETIF_EXTRA_TYPE_GSO) {
		wire.extra.u.gso.size = s->gso_size;
		wire.extra.u.gso.type = s->gso_type;
	} else if (s->type == XEN_NETIF_EXTRA_TYPE_XDP) {
		wire.extra.u.xdp.headroom = s->headroom;
	} else if (s->type == XEN_NETIF_EXTRA_TYPE_HASH) {
		wire.extra.u.hash.type = s->hash_type;
		memcpy(wire.extra.u.hash.value, s->hash, sizeof(s->hash));
	}
	return wire;
}

static void feed(struct netfront_packet *pkt, const struct slot *slots,
		 unsigned int nr)
{
	union net_rx_slot wire;
	unsigned int i;

	netfront_packet_init(pkt);
	for (i = 0; i < nr; i++) {
		CHECK(!netfront_packet_ended(pkt));
		wire = encode(&slots[i], pkt->more_extra, 200 + i);
		netfront_packet_add(pkt, &wire, 200 + i);
		CHECK_EQ(pkt->slots, i + 1);
	}
}

static void run_row(const void *arg)
{
	const struct row *row = arg;
	struct netfront_packet pkt;

	feed(&pkt, row->slots, row->nr_slots);
	CHECK(netfront_packet_ended(&pkt));
	CHECK_EQ(pkt.flaw, row->want);
	if (row->want)
		return;
	CHECK_EQ(pkt.nr, row->nr);
	CHECK_EQ(pkt.len, row->len);
	CHECK_EQ(pkt.part[0].offset, row->offset);
	CHECK_EQ(pkt.gso_size, row->gso_size);
	CHECK_EQ(pkt.flags, row->slots[0].flags);
}

static void hash_value(const void *arg)
{
	const struct slot slots[] = {
		{ .status = 60, .flags = EXTRA },
		HASH(XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP),
	};
	struct netfront_packet pkt;

	(void)arg;
	feed(&pkt, slots, 2);
	CHECK_EQ(pkt.flaw, NETFRONT_OK);
	CHECK_EQ(pkt.hash, 0x84030201);
	CHECK_EQ(pkt.hash_type, XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP);
}

static void parts_are_where_they_came(const void *arg)
{
	const struct slot slots[] = {
		{ .status = 100, .flags = EXTRA | MORE }, GSO(60, TCP4),
		{ .status = 0, .flags = MORE }, { .offset = 7, .status = 50 },
	};
	struct netfront_packet pkt;

	(void)arg;
	feed(&pkt, slots, 4);
	CHECK_EQ(pkt.flaw, NETFRONT_OK);
	CHECK_EQ(pkt.nr, 2);
	CHECK_EQ(pkt.part[0].at, 0);
	CHECK_EQ(pkt.part[1].at, 3);
	CHECK_EQ(pkt.part[1].offset, 7);
	CHECK_EQ(pkt.part[1].len, 50);
}

/* Slots with data: as many as any backend may use, and one more. */
static void chain(const void *arg)
{
	unsigned int nr = *(const unsigned int *)arg, i;
	struct slot slots[NETFRONT_MAX_PARTS + 1] = {};
	struct netfront_packet pkt;

	for (i = 0; i < nr; i++) {
		slots[i].status = 3600;
		slots[i].flags = i + 1 < nr ? MORE : 0;
	}
	feed(&pkt, slots, nr);
	CHECK(netfront_packet_ended(&pkt));
	CHECK_EQ(pkt.flaw, nr > NETFRONT_MAX_PARTS ? NETFRONT_TOO_MANY :
			   NETFRONT_OK);
}

static void chain_too_long_in_bytes(const void *arg)
{
	struct slot slots[NETFRONT_MAX_PARTS] = {};
	struct netfront_packet pkt;
	unsigned int i;

	(void)arg;
	for (i = 0; i < NETFRONT_MAX_PARTS; i++) {
		slots[i].status = 4096;
		slots[i].flags = i + 1 < NETFRONT_MAX_PARTS ? MORE : 0;
	}
	feed(&pkt, slots, NETFRONT_MAX_PARTS);
	CHECK_EQ(pkt.flaw, NETFRONT_BAD_LENGTH);
	/* The longest that there is. */
	slots[NETFRONT_MAX_PARTS - 2].status = 21;
	slots[NETFRONT_MAX_PARTS - 1].status = 0;
	feed(&pkt, slots, NETFRONT_MAX_PARTS);
	CHECK_EQ(pkt.len, NETFRONT_MAX_LEN);
	CHECK_EQ(pkt.flaw, NETFRONT_OK);
	slots[NETFRONT_MAX_PARTS - 1].status = 1;
	feed(&pkt, slots, NETFRONT_MAX_PARTS);
	CHECK_EQ(pkt.flaw, NETFRONT_BAD_LENGTH);
}

static void endless(const void *arg)
{
	const struct slot *slot = arg;
	struct netfront_packet pkt;
	union net_rx_slot wire;
	unsigned int i;

	netfront_packet_init(&pkt);
	for (i = 0; !netfront_packet_ended(&pkt); i++) {
		CHECK(i < NETFRONT_MAX_CHAIN);
		wire = encode(slot, pkt.more_extra, i);
		netfront_packet_add(&pkt, &wire, i);
	}
	CHECK_EQ(pkt.slots, NETFRONT_MAX_CHAIN);
	CHECK(pkt.flaw != NETFRONT_OK);
}

/*
 * Whatever the bytes are, the end comes in time and what is accepted is within
 * its bounds.
 */
static void check_bounds(const struct netfront_packet *pkt)
{
	u32 len = 0;
	unsigned int i;

	CHECK(pkt->slots <= NETFRONT_MAX_CHAIN);
	if (pkt->flaw)
		return;
	CHECK(pkt->nr && pkt->nr <= NETFRONT_MAX_PARTS);
	for (i = 0; i < pkt->nr; i++) {
		CHECK(pkt->part[i].len);
		CHECK(pkt->part[i].at < pkt->slots);
		CHECK(pkt->part[i].offset + pkt->part[i].len <= NET_FRAME_SIZE);
		len += pkt->part[i].len;
	}
	CHECK_EQ(pkt->len, len);
	CHECK(len >= NETFRONT_MIN_LEN && len <= NETFRONT_MAX_LEN);
	CHECK(!pkt->gso_type || (pkt->gso_size && pkt->gso_size < len));
}

static void random_slots(const void *arg)
{
	struct netfront_packet pkt;
	union net_rx_slot wire;
	unsigned int round, i;
	u8 *bytes = (u8 *)&wire;

	(void)arg;
	srandom(1);
	for (round = 0; round < 200000; round++) {
		netfront_packet_init(&pkt);
		while (!netfront_packet_ended(&pkt)) {
			for (i = 0; i < sizeof(wire); i++)
				bytes[i] = random();
			/* Most bits are mostly such that something is left. */
			if (random() % 8)
				wire.rsp.id = pkt.slots;
			if (random() % 8) {
				wire.rsp.offset &= 0x1ff;
				wire.rsp.status &= 0xfff;
			}
			netfront_packet_add(&pkt, &wire, pkt.slots);
		}
		check_bounds(&pkt);
	}
}

#define RUN(name)	case_run("net_response", #name, name, NULL)

void net_response_tests(void)
{
	static const unsigned int most = NETFRONT_MAX_PARTS;
	static const unsigned int more = NETFRONT_MAX_PARTS + 1;
	static const struct slot data = { .status = 100, .flags = MORE };
	static const struct slot none = { .status = 0, .flags = MORE };
	static const struct slot extra = { .status = 60, .flags = EXTRA,
					   .type = 9, .more = NEXT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		case_run("net_response", rows[i].name, run_row, &rows[i]);
	RUN(hash_value);
	RUN(parts_are_where_they_came);
	case_run("net_response", "chained_18", chain, &most);
	case_run("net_response", "chained_19", chain, &more);
	RUN(chain_too_long_in_bytes);
	case_run("net_response", "endless_data", endless, &data);
	case_run("net_response", "endless_holes", endless, &none);
	case_run("net_response", "endless_extras", endless, &extra);
	RUN(random_slots);
}

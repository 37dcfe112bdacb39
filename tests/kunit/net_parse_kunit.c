// SPDX-License-Identifier: GPL-2.0
/* What a network backend takes for a packet. */
#include <kunit/test.h>

#include "netback/parse.h"

#define MAX_SLOTS	32
#define MORE		XEN_NETTXF_more_data
#define EXTRA		XEN_NETTXF_extra_info

/* A slot: a piece of data, or an extra where size is 0 and type is not. */
struct piece {
	u16 offset;
	u16 size;
	u16 flags;
	u8 type;
	u8 kind;	/* of segmentation */
	u16 mss;
};

#define DATA(off, len, fl)	{ .offset = (off), .size = (len), .flags = (fl) }
#define INFO(ty, more, k, m) \
	{ .type = (ty), .flags = (more), .kind = (k), .mss = (m) }
#define GSO(k, m)	INFO(XEN_NETIF_EXTRA_TYPE_GSO, 0, k, m)

static const struct row {
	const char *name;
	enum net_tx_reject want;
	u16 slots;	/* of the packet */
	u16 head;
	unsigned int nr;
	struct piece piece[8];
} rows[] = {
	{ "single", NET_TX_ACCEPT, 1, 60, 1, { DATA(0, 60, 0) } },
	{ "minimum", NET_TX_ACCEPT, 1, 14, 1, { DATA(4082, 14, 0) } },
	{ "size_lt_14", NET_TX_TOO_SHORT, 1, 0, 1, { DATA(0, 13, 0) } },
	{ "size_0", NET_TX_TOO_SHORT, 1, 0, 1, { DATA(0, 0, 0) } },
	{ "whole_frame", NET_TX_ACCEPT, 1, 4096, 1, { DATA(0, 4096, 0) } },
	{ "offset_plus_size_gt_page", NET_TX_CROSSES_FRAME, 1, 0, 1, { DATA(4083, 14, 0) } },
	{ "offset_65535", NET_TX_CROSSES_FRAME, 1, 0, 1, { DATA(65535, 60, 0) } },
	{ "size_65535", NET_TX_CROSSES_FRAME, 1, 0, 1, { DATA(0, 65535, 0) } },
	{ "chained_2", NET_TX_ACCEPT, 2, 1000, 2, { DATA(0, 1500, MORE), DATA(0, 500, 0) } },
	{ "chained_3", NET_TX_ACCEPT, 3, 100, 3, {
		DATA(16, 1500, MORE), DATA(0, 400, MORE), DATA(96, 1000, 0) } },
	{ "unfinished", NET_TX_UNFINISHED, 0, 0, 1, { DATA(0, 1500, MORE) } },
	{ "unfinished_extra", NET_TX_UNFINISHED, 0, 0, 1, { DATA(0, 1500, EXTRA) } },
	{ "fragment_crosses", NET_TX_CROSSES_FRAME, 2, 0, 2, {
		DATA(0, 1500, MORE), DATA(4000, 500, 0) } },
	{ "size_sum_mismatch", NET_TX_BAD_SIZE, 2, 0, 2, {
		DATA(0, 100, MORE), DATA(0, 500, 0) } },
	{ "nothing_in_head", NET_TX_ACCEPT, 2, 0, 2, { DATA(0, 500, MORE), DATA(0, 500, 0) } },
	/* XSA-448: a fragment of nothing is a slot like any other. */
	{ "size_0_fragment", NET_TX_ACCEPT, 3, 60, 3, {
		DATA(0, 100, MORE), DATA(0, 0, MORE), DATA(0, 40, 0) } },
	{ "gso_v4", NET_TX_ACCEPT, 2, 3000, 2, { DATA(0, 3000, EXTRA), GSO(1, 1448) } },
	{ "gso_v6", NET_TX_ACCEPT, 3, 2000, 3, {
		DATA(0, 3000, EXTRA | MORE), GSO(2, 1428), DATA(0, 1000, 0) } },
	{ "gso_size_0", NET_TX_BAD_GSO, 2, 0, 2, { DATA(0, 3000, EXTRA), GSO(1, 0) } },
	{ "gso_type_none", NET_TX_BAD_GSO, 2, 0, 2, { DATA(0, 3000, EXTRA), GSO(0, 1448) } },
	{ "gso_type_unknown", NET_TX_BAD_GSO, 2, 0, 2, { DATA(0, 3000, EXTRA), GSO(3, 1448) } },
	{ "gso_size_65535", NET_TX_ACCEPT, 2, 3000, 2, { DATA(0, 3000, EXTRA), GSO(1, 65535) } },
	{ "extra_without_flag", NET_TX_ACCEPT, 1, 60, 2, { DATA(0, 60, 0), GSO(1, 1448) } },
	{ "extra_unknown_type", NET_TX_BAD_EXTRA, 2, 0, 2, {
		DATA(0, 60, EXTRA), INFO(6, 0, 0, 0) } },
	{ "extra_type_255", NET_TX_BAD_EXTRA, 2, 0, 2, { DATA(0, 60, EXTRA), INFO(255, 0, 0, 0) } },
	{ "two_extras", NET_TX_ACCEPT, 3, 3000, 3, {
		DATA(0, 3000, EXTRA), INFO(1, 1, 1, 1448), INFO(4, 0, 0, 0) } },
	{ "extra_chain_unfinished", NET_TX_UNFINISHED, 0, 0, 3, {
		DATA(0, 60, EXTRA), INFO(4, 1, 0, 0), INFO(4, 1, 0, 0) } },
	{ "second_extra_bad", NET_TX_BAD_EXTRA, 3, 0, 3, {
		DATA(0, 60, EXTRA), INFO(4, 1, 0, 0), INFO(9, 0, 0, 0) } },
	{ "mcast_add", NET_TX_ACCEPT, 2, 0, 2, { DATA(0, 0, EXTRA), INFO(2, 0, 0, 0) } },
	{ "mcast_del", NET_TX_ACCEPT, 2, 0, 2, { DATA(0, 0, EXTRA), INFO(3, 0, 0, 0) } },
	{ "xdp_ignored", NET_TX_ACCEPT, 2, 60, 2, { DATA(0, 60, EXTRA), INFO(5, 0, 0, 0) } },
	/* A hash of a kind that nobody knows costs the packet nothing. */
	{ "hash_unknown", NET_TX_ACCEPT, 2, 60, 2, { DATA(0, 60, EXTRA), INFO(4, 0, 99, 0xffff) } },
	/* What follows a packet is another's. */
	{ "next_packet", NET_TX_ACCEPT, 1, 60, 2, { DATA(0, 60, 0), DATA(5000, 5000, MORE) } },
};
KUNIT_ARRAY_PARAM_DESC(row, rows, name);

static void fill(union net_tx_slot *slot, const struct piece *p)
{
	if (p->type) {
		slot->extra = (struct xen_netif_extra_info) {
			.type = p->type,
			.flags = p->flags,
		};
		slot->extra.u.gso.size = p->mss;
		slot->extra.u.gso.type = p->kind;
		return;
	}
	slot->req = (struct xen_netif_tx_request) {
		.gref = 77,
		.offset = p->offset,
		.flags = p->flags,
		.size = p->size,
	};
}

static void packet(struct kunit *test)
{
	const struct row *row = test->param_value;
	union net_tx_slot slots[MAX_SLOTS];
	struct net_tx_packet pkt;
	unsigned int first, i;

	/* At the beginning of what was taken from the ring, and behind. */
	for (first = 0; first < 3; first++) {
		memset(slots, 0xff, sizeof(slots));
		for (i = 0; i < row->nr; i++)
			fill(&slots[first + i], &row->piece[i]);
		KUNIT_ASSERT_EQ(test, net_tx_parse(slots, first + row->nr, first,
						   &pkt), row->want);
		KUNIT_EXPECT_EQ(test, pkt.first, first);
		if (row->want != NET_TX_UNFINISHED)
			KUNIT_EXPECT_EQ(test, pkt.nr_slots, row->slots);
		if (row->want)
			continue;
		KUNIT_EXPECT_EQ(test, pkt.head, row->head);
		KUNIT_EXPECT_TRUE(test, !pkt.gso_type || pkt.gso_size);
	}
	KUNIT_EXPECT_NOT_NULL(test, net_tx_reject_text(row->want));
}

/* --- chains -------------------------------------------------------------- */

static const unsigned int chains[] = { 1, 2, 17, 18, 19, 20, 21, 22, 31 };

static void chain_desc(const unsigned int *nr, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "chained_%u", *nr);
}
KUNIT_ARRAY_PARAM(chain, chains, chain_desc);

static void chain(struct kunit *test)
{
	unsigned int nr = *(const unsigned int *)test->param_value, i;
	union net_tx_slot slots[MAX_SLOTS] = {};
	struct net_tx_packet pkt;
	enum net_tx_reject want;

	for (i = 0; i < nr; i++) {
		slots[i].req.size = i ? 100 : nr * 100;
		slots[i].req.flags = i < nr - 1 ? MORE : 0;
	}
	want = nr > NETBACK_MAX_SEGS ? NET_TX_TOO_MANY_SEGMENTS : NET_TX_ACCEPT;
	KUNIT_EXPECT_EQ(test, net_tx_parse(slots, nr, 0, &pkt), want);
	/* Also a bad packet is known to its end, to be answered. */
	KUNIT_EXPECT_EQ(test, pkt.nr_slots, nr);
	if (!want)
		KUNIT_EXPECT_EQ(test, pkt.head, 100);
	/* One slot short, it does not end. */
	if (nr > 1)
		KUNIT_EXPECT_EQ(test, net_tx_parse(slots, nr - 1, 0, &pkt),
				NET_TX_UNFINISHED);
}

/* Nothing but extras, for as long as there are slots. */
static void extra_chain_endless(struct kunit *test)
{
	union net_tx_slot slots[MAX_SLOTS] = {};
	struct net_tx_packet pkt;
	unsigned int i;

	slots[0].req.size = 60;
	slots[0].req.flags = EXTRA;
	for (i = 1; i < MAX_SLOTS; i++) {
		slots[i].extra.type = XEN_NETIF_EXTRA_TYPE_HASH;
		slots[i].extra.flags = XEN_NETIF_EXTRA_FLAG_MORE;
	}
	KUNIT_EXPECT_EQ(test, net_tx_parse(slots, MAX_SLOTS, 0, &pkt),
			NET_TX_UNFINISHED);
	slots[MAX_SLOTS - 1].extra.flags = 0;
	KUNIT_EXPECT_EQ(test, net_tx_parse(slots, MAX_SLOTS, 0, &pkt),
			NET_TX_ACCEPT);
	KUNIT_EXPECT_EQ(test, pkt.nr_slots, MAX_SLOTS);
	KUNIT_EXPECT_EQ(test, pkt.nr_extras, MAX_SLOTS - 1);
}

static void flags(struct kunit *test)
{
	union net_tx_slot slot = { .req = { .size = 60 } };
	struct net_tx_packet pkt;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		slot.req.flags = i;
		KUNIT_EXPECT_EQ(test, net_tx_parse(&slot, 1, 0, &pkt), 0);
		KUNIT_EXPECT_EQ(test, pkt.csum_blank, !!(i & XEN_NETTXF_csum_blank));
		KUNIT_EXPECT_EQ(test, pkt.validated,
				!!(i & XEN_NETTXF_data_validated));
	}
}

static struct kunit_case net_parse_cases[] = {
	KUNIT_CASE_PARAM(packet, row_gen_params),
	KUNIT_CASE_PARAM(chain, chain_gen_params),
	KUNIT_CASE(extra_chain_endless),
	KUNIT_CASE(flags),
	{}
};

static struct kunit_suite net_parse_suite = {
	.name = "net_parse",
	.test_cases = net_parse_cases,
};
kunit_test_suite(net_parse_suite);

// SPDX-License-Identifier: GPL-2.0
/* What a network frontend takes for a received packet. */
#include <kunit/test.h>

#include "netfront/response.h"

#define MORE	XEN_NETRXF_more_data
#define EXTRA	XEN_NETRXF_extra_info

struct piece {
	u16 offset;
	s16 status;
	u16 flags;
	u8 type;	/* of an extra */
	u8 kind;
	u16 size;	/* of segments, or headroom */
	s16 id_off;	/* what is wrong with the id */
};

#define DATA(off, st, fl)	{ .offset = (off), .status = (st), .flags = (fl) }
#define INFO(ty, more, k, s) \
	{ .type = (ty), .flags = (more), .kind = (k), .size = (s) }

static const struct row {
	const char *name;
	enum netfront_flaw want;
	u16 parts;
	u32 len;
	unsigned int nr;
	struct piece piece[6];
} rows[] = {
	{ "single", NETFRONT_OK, 1, 60, 1, { DATA(0, 60, 0) } },
	{ "minimum", NETFRONT_OK, 1, 14, 1, { DATA(4082, 14, 0) } },
	{ "too_short", NETFRONT_BAD_LENGTH, 0, 0, 1, { DATA(0, 13, 0) } },
	{ "nothing", NETFRONT_BAD_LENGTH, 0, 0, 1, { DATA(0, 0, 0) } },
	{ "whole_page", NETFRONT_OK, 1, 4096, 1, { DATA(0, 4096, 0) } },
	{ "rx_len_gt_page", NETFRONT_BAD_RANGE, 0, 0, 1, { DATA(0, 4097, 0) } },
	{ "rx_offset_plus_len", NETFRONT_BAD_RANGE, 0, 0, 1, { DATA(4083, 14, 0) } },
	{ "rx_offset_4097", NETFRONT_BAD_RANGE, 0, 0, 1, { DATA(4097, 0, 0) } },
	{ "rx_offset_65535", NETFRONT_BAD_RANGE, 0, 0, 1, { DATA(65535, 60, 0) } },
	{ "status_error", NETFRONT_BAD_STATUS, 0, 0, 1, { DATA(0, -1, 0) } },
	{ "status_dropped", NETFRONT_BAD_STATUS, 0, 0, 1, { DATA(0, -2, 0) } },
	{ "status_minimum", NETFRONT_BAD_STATUS, 0, 0, 1, { DATA(0, -32768, 0) } },
	{ "status_maximum", NETFRONT_BAD_RANGE, 0, 0, 1, { DATA(0, 32767, 0) } },
	{ "rsp_id_wrong", NETFRONT_BAD_ID, 0, 0, 1, { { .status = 60, .id_off = 1 } } },
	{ "rsp_id_wrong_later", NETFRONT_BAD_ID, 0, 0, 2, {
		DATA(0, 60, MORE), { .status = 60, .id_off = -1 } } },
	{ "two", NETFRONT_OK, 2, 5000, 2, { DATA(0, 4000, MORE), DATA(96, 1000, 0) } },
	{ "empty_second", NETFRONT_OK, 1, 60, 2, { DATA(0, 60, MORE), DATA(0, 0, 0) } },
	{ "error_in_second", NETFRONT_BAD_STATUS, 0, 0, 3, {
		DATA(0, 60, MORE), DATA(0, -1, MORE), DATA(0, 60, 0) } },
	{ "gso_v4", NETFRONT_OK, 1, 3000, 2, { DATA(0, 3000, EXTRA), INFO(1, 0, 1, 1448) } },
	{ "gso_v6", NETFRONT_OK, 1, 3000, 2, { DATA(0, 3000, EXTRA), INFO(1, 0, 2, 1428) } },
	{ "gso_size_0", NETFRONT_BAD_GSO, 0, 0, 2, { DATA(0, 3000, EXTRA), INFO(1, 0, 1, 0) } },
	{ "gso_size_65535", NETFRONT_BAD_GSO, 0, 0, 2, {
		DATA(0, 3000, EXTRA), INFO(1, 0, 1, 65535) } },
	{ "gso_size_gt_packet", NETFRONT_BAD_GSO, 0, 0, 2, {
		DATA(0, 1000, EXTRA), INFO(1, 0, 1, 1448) } },
	{ "gso_type_unknown", NETFRONT_BAD_GSO, 0, 0, 2, {
		DATA(0, 3000, EXTRA), INFO(1, 0, 3, 1448) } },
	{ "gso_type_none", NETFRONT_BAD_GSO, 0, 0, 2, { DATA(0, 3000, EXTRA), INFO(1, 0, 0, 1448) } },
	{ "gso_twice", NETFRONT_BAD_EXTRA, 0, 0, 3, {
		DATA(0, 3000, EXTRA), INFO(1, 1, 1, 1448), INFO(1, 0, 1, 1448) } },
	{ "hash", NETFRONT_OK, 1, 60, 2, { DATA(0, 60, EXTRA), INFO(4, 0, 0, 0) } },
	{ "extra_type_0", NETFRONT_BAD_EXTRA, 0, 0, 2, {
		DATA(0, 60, EXTRA), { .type = 0, .flags = 0, .id_off = 99 } } },
	{ "extra_unknown_type", NETFRONT_BAD_EXTRA, 0, 0, 2, { DATA(0, 60, EXTRA), INFO(6, 0, 0, 0) } },
	{ "extra_type_255", NETFRONT_BAD_EXTRA, 0, 0, 2, { DATA(0, 60, EXTRA), INFO(255, 0, 0, 0) } },
	{ "extra_mcast", NETFRONT_BAD_EXTRA, 0, 0, 2, { DATA(0, 60, EXTRA), INFO(2, 0, 0, 0) } },
	{ "extra_in_second", NETFRONT_BAD_EXTRA, 0, 0, 2, { DATA(0, 60, MORE), DATA(0, 60, EXTRA) } },
	{ "headroom", NETFRONT_OK, 1, 60, 2, { DATA(0, 316, EXTRA), INFO(5, 0, 0, 256) } },
	{ "headroom_in_offset", NETFRONT_OK, 1, 60, 2, { DATA(256, 60, EXTRA), INFO(5, 0, 0, 256) } },
	{ "headroom_is_all", NETFRONT_BAD_LENGTH, 0, 0, 2, {
		DATA(0, 256, EXTRA), INFO(5, 0, 0, 256) } },
	{ "headroom_65535", NETFRONT_BAD_LENGTH, 0, 0, 2, {
		DATA(0, 256, EXTRA), INFO(5, 0, 0, 65535) } },
	{ "headroom_twice", NETFRONT_BAD_EXTRA, 0, 0, 3, {
		DATA(0, 316, EXTRA), INFO(5, 1, 0, 256), INFO(5, 0, 0, 256) } },
};
KUNIT_ARRAY_PARAM_DESC(row, rows, name);

static void fill(union net_rx_slot *slot, const struct piece *p, u16 id,
		 bool extra)
{
	memset(slot, 0, sizeof(*slot));
	if (extra) {
		slot->extra.type = p->type;
		slot->extra.flags = p->flags;
		slot->extra.u.gso.size = p->size;
		slot->extra.u.gso.type = p->kind;
		return;
	}
	slot->rsp = (struct xen_netif_rx_response) {
		.id = id + p->id_off,
		.offset = p->offset,
		.flags = p->flags,
		.status = p->status,
	};
}

static void packet(struct kunit *test)
{
	const struct row *row = test->param_value;
	struct netfront_packet pkt;
	union net_rx_slot slot;
	unsigned int i;

	netfront_packet_init(&pkt);
	for (i = 0; i < row->nr; i++) {
		KUNIT_ASSERT_FALSE(test, netfront_packet_ended(&pkt));
		fill(&slot, &row->piece[i], 100 + i, pkt.more_extra);
		netfront_packet_add(&pkt, &slot, 100 + i);
	}
	/* Followed to its end, whatever is wrong with it. */
	KUNIT_EXPECT_TRUE(test, netfront_packet_ended(&pkt));
	KUNIT_EXPECT_EQ(test, pkt.slots, row->nr);
	KUNIT_EXPECT_EQ(test, pkt.flaw, row->want);
	if (row->want)
		return;
	KUNIT_EXPECT_EQ(test, pkt.nr, row->parts);
	KUNIT_EXPECT_EQ(test, pkt.len, row->len);
	for (i = 0; i < pkt.nr; i++)
		KUNIT_EXPECT_LE(test, pkt.part[i].offset + pkt.part[i].len,
				NET_FRAME_SIZE);
}

static const struct chain_row {
	const char *name;
	unsigned int nr;	/* 0: never ends */
	enum netfront_flaw want;
	bool extras;
	u16 size;
} chain_rows[] = {
	{ "chained_2", 2, NETFRONT_OK, false, 100 },
	{ "chained_17", 17, NETFRONT_OK, false, 3855 },
	{ "chained_18", 18, NETFRONT_OK, false, 100 },
	{ "chained_19", 19, NETFRONT_TOO_MANY, false, 100 },
	{ "chained_26", 26, NETFRONT_TOO_MANY, false, 100 },
	{ "chain_exceeds_ring", 0, NETFRONT_TOO_MANY, false, 100 },
	{ "empty_endless", 0, NETFRONT_TOO_MANY, false, 0 },
	{ "too_long", 18, NETFRONT_BAD_LENGTH, false, 4096 },
	{ "extra_chain_endless", 0, NETFRONT_BAD_EXTRA, true, 100 },
};
KUNIT_ARRAY_PARAM_DESC(chain, chain_rows, name);

static void chain(struct kunit *test)
{
	const struct chain_row *row = test->param_value;
	struct piece piece = {};
	struct netfront_packet pkt;
	union net_rx_slot slot;
	unsigned int i;

	netfront_packet_init(&pkt);
	for (i = 0; i < 300 && !netfront_packet_ended(&pkt); i++) {
		piece.status = row->size;
		piece.flags = i + 1 == row->nr ? 0 : MORE;
		if (row->extras && !i)
			piece.flags = EXTRA;
		else if (row->extras)
			piece.flags = XEN_NETIF_EXTRA_FLAG_MORE;
		piece.type = XEN_NETIF_EXTRA_TYPE_HASH;
		fill(&slot, &piece, i, pkt.more_extra);
		netfront_packet_add(&pkt, &slot, i);
	}
	KUNIT_EXPECT_EQ(test, pkt.flaw, row->want);
	KUNIT_EXPECT_EQ(test, i, row->nr ?: NETFRONT_MAX_CHAIN);
	KUNIT_EXPECT_LE(test, pkt.nr, NETFRONT_MAX_PARTS);
}

static void hash_value(struct kunit *test)
{
	union net_rx_slot slot = {
		.rsp = { .id = 1, .status = 60, .flags = EXTRA },
	};
	struct netfront_packet pkt;

	netfront_packet_init(&pkt);
	netfront_packet_add(&pkt, &slot, 1);
	memset(&slot, 0, sizeof(slot));
	slot.extra.type = XEN_NETIF_EXTRA_TYPE_HASH;
	slot.extra.u.hash.type = 3;
	memcpy(slot.extra.u.hash.value, "\x78\x56\x34\x92", 4);
	netfront_packet_add(&pkt, &slot, 2);
	KUNIT_EXPECT_EQ(test, pkt.flaw, NETFRONT_OK);
	KUNIT_EXPECT_TRUE(test, pkt.hashed);
	KUNIT_EXPECT_EQ(test, pkt.hash_type, 3);
	KUNIT_EXPECT_EQ(test, pkt.hash, 0x92345678);
}

static struct kunit_case net_response_cases[] = {
	KUNIT_CASE_PARAM(packet, row_gen_params),
	KUNIT_CASE_PARAM(chain, chain_gen_params),
	KUNIT_CASE(hash_value),
	{}
};

static struct kunit_suite net_response_suite = {
	.name = "net_response",
	.test_cases = net_response_cases,
};
kunit_test_suite(net_response_suite);

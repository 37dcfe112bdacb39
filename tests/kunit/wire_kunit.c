// SPDX-License-Identifier: GPL-2.0
/*
 * Wire formats, against bytes written down from the protocol, not against the
 * structures that describe them.
 */
#include <kunit/test.h>

#include "blkback/parse.h"
#include "ring/net_wire.h"

/* Capacity enough for the sector below. */
static const struct blk_limits limits = {
	.capacity = 1ULL << 60,
	.block_sectors = 1,
	.discard = true,
	.secure = true,
};

#define ID	0x1122334455667788ULL
#define SECTOR	0x0102030405060708ULL

/* Byte offsets of a request's fields in the two layouts. */
static const struct layout_row {
	const char *name;
	enum blk_abi abi;
	u8 id, sector, seg, seg_size;
	u8 nr_sectors;
	u8 ind_nr, ind_id, ind_sector, ind_ref;
} layout_rows[] = {
	{ "abi_64", BLK_ABI_64, 8, 16, 24, 8, 24, 2, 8, 16, 26 },
	{ "abi_x86_32", BLK_ABI_X86_32, 4, 12, 20, 8, 20, 2, 4, 12, 24 },
};
KUNIT_ARRAY_PARAM_DESC(layout, layout_rows, name);

static void put(u8 *slot, unsigned int at, u64 val, unsigned int len)
{
	while (len--) {
		slot[at++] = val;
		val >>= 8;
	}
}

static void parse(struct kunit *test, const u8 *bytes, struct blk_request *req)
{
	const struct layout_row *row = test->param_value;
	union blk_slot slot;

	memcpy(slot.raw, bytes, sizeof(slot.raw));
	KUNIT_EXPECT_EQ(test, blk_parse_slot(row->abi, &slot, &limits, req),
			BLK_ACCEPT);
	KUNIT_EXPECT_EQ(test, req->id, ID);
	KUNIT_EXPECT_EQ(test, req->sector, SECTOR);
}

static void read_request(struct kunit *test)
{
	const struct layout_row *row = test->param_value;
	u8 slot[BLK_SLOT_SIZE_64];
	struct blk_request req;
	int i;

	memset(slot, 0xee, sizeof(slot));
	slot[0] = 0;
	slot[1] = 11;
	put(slot, row->id, ID, 8);
	put(slot, row->sector, SECTOR, 8);
	for (i = 0; i < 11; i++) {
		put(slot, row->seg + i * row->seg_size, 0xa0000000 + i, 4);
		slot[row->seg + i * row->seg_size + 4] = i % 4;
		slot[row->seg + i * row->seg_size + 5] = 4 + i % 4;
	}
	parse(test, slot, &req);
	KUNIT_EXPECT_EQ(test, req.op, BLKIF_OP_READ);
	KUNIT_EXPECT_EQ(test, req.nr_segs, 11);
	for (i = 0; i < 11; i++) {
		KUNIT_EXPECT_EQ(test, req.seg[i].gref, 0xa0000000 + i);
		KUNIT_EXPECT_EQ(test, req.seg[i].first_sect, i % 4);
		KUNIT_EXPECT_EQ(test, req.seg[i].last_sect, 4 + i % 4);
	}
}

static void discard_request(struct kunit *test)
{
	const struct layout_row *row = test->param_value;
	u8 slot[BLK_SLOT_SIZE_64];
	struct blk_request req;

	memset(slot, 0xee, sizeof(slot));
	slot[0] = 5;
	slot[1] = 1;
	put(slot, row->id, ID, 8);
	put(slot, row->sector, SECTOR, 8);
	put(slot, row->nr_sectors, 0x1234567, 8);
	parse(test, slot, &req);
	KUNIT_EXPECT_EQ(test, req.op, BLKIF_OP_DISCARD);
	KUNIT_EXPECT_TRUE(test, req.secure);
	KUNIT_EXPECT_EQ(test, req.nr_sectors, 0x1234567);
}

static void indirect_request(struct kunit *test)
{
	const struct layout_row *row = test->param_value;
	u8 slot[BLK_SLOT_SIZE_64];
	struct blk_request req;

	memset(slot, 0xee, sizeof(slot));
	slot[0] = 6;
	slot[1] = 1;
	put(slot, row->ind_nr, 200, 2);
	put(slot, row->ind_id, ID, 8);
	put(slot, row->ind_sector, SECTOR, 8);
	/* The handle comes before the first reference in the 64-bit layout. */
	put(slot, row->abi == BLK_ABI_64 ? 28 : row->ind_ref, 0xcafe0001, 4);
	parse(test, slot, &req);
	KUNIT_EXPECT_EQ(test, req.op, BLKIF_OP_WRITE);
	KUNIT_EXPECT_TRUE(test, req.indirect);
	KUNIT_EXPECT_EQ(test, req.nr_segs, 200);
	KUNIT_EXPECT_EQ(test, req.indirect_ref, 0xcafe0001);
}

/* Every byte of a response is written, so that none of ours gets out. */
static void response_pad_zeroed(struct kunit *test)
{
	static const u8 want[16] = {
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 5, 0, 0xfe, 0xff,
	};
	struct blk_64_response big;
	struct blk_x86_32_response small;

	memset(&big, 0xff, sizeof(big));
	big = (struct blk_64_response) {
		.id = ID, .operation = 5, .status = BLKIF_RSP_EOPNOTSUPP,
	};
	KUNIT_EXPECT_EQ(test, sizeof(big), 16);
	KUNIT_EXPECT_MEMEQ(test, (u8 *)&big, want, 16);

	memset(&small, 0xff, sizeof(small));
	small = (struct blk_x86_32_response) {
		.id = ID, .operation = 5, .status = BLKIF_RSP_EOPNOTSUPP,
	};
	KUNIT_EXPECT_EQ(test, sizeof(small), 12);
	KUNIT_EXPECT_MEMEQ(test, (u8 *)&small, want, 12);
}

static void net_tx_request(struct kunit *test)
{
	static const u8 bytes[NET_TX_SLOT_SIZE] = {
		0x04, 0x03, 0x02, 0x01, 0x34, 0x12, 0x07, 0x00, 0x78, 0x56, 0xea, 0x05,
	};
	union net_tx_slot slot;

	memcpy(&slot, bytes, sizeof(slot));
	KUNIT_EXPECT_EQ(test, slot.req.gref, 0x01020304);
	KUNIT_EXPECT_EQ(test, slot.req.offset, 0x1234);
	KUNIT_EXPECT_EQ(test, slot.req.flags, XEN_NETTXF_csum_blank |
			XEN_NETTXF_data_validated | XEN_NETTXF_more_data);
	KUNIT_EXPECT_EQ(test, slot.req.id, 0x5678);
	KUNIT_EXPECT_EQ(test, slot.req.size, 1514);
}

static void net_rx_response(struct kunit *test)
{
	static const u8 bytes[NET_RX_SLOT_SIZE] = {
		0x78, 0x56, 0x40, 0x00, 0x0c, 0x00, 0xff, 0xff,
	};
	union net_rx_slot slot;

	memcpy(&slot, bytes, sizeof(slot));
	KUNIT_EXPECT_EQ(test, slot.rsp.id, 0x5678);
	KUNIT_EXPECT_EQ(test, slot.rsp.offset, 64);
	KUNIT_EXPECT_EQ(test, slot.rsp.flags, XEN_NETRXF_more_data |
			XEN_NETRXF_extra_info);
	KUNIT_EXPECT_EQ(test, slot.rsp.status, -1);
}

static void net_extra(struct kunit *test)
{
	/* type, flags, size, kind, pad, features */
	static const u8 bytes[NET_RX_SLOT_SIZE] = { 1, 1, 0xa8, 0x05, 2, 0, 0, 0 };
	union net_rx_slot slot;

	memcpy(&slot, bytes, sizeof(slot));
	KUNIT_EXPECT_EQ(test, slot.extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
	KUNIT_EXPECT_EQ(test, slot.extra.flags, XEN_NETIF_EXTRA_FLAG_MORE);
	KUNIT_EXPECT_EQ(test, slot.extra.u.gso.size, 1448);
	KUNIT_EXPECT_EQ(test, slot.extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV6);
}

static void net_response_covers_slot(struct kunit *test)
{
	static const u8 want[NET_TX_SLOT_SIZE] = { 0x34, 0x12, 0xff, 0xff };
	struct net_tx_response rsp;

	memset(&rsp, 0xee, sizeof(rsp));
	rsp = (struct net_tx_response) { .id = 0x1234, .status = -1 };
	KUNIT_EXPECT_MEMEQ(test, (u8 *)&rsp, want, NET_TX_SLOT_SIZE);
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE_PARAM(read_request, layout_gen_params),
	KUNIT_CASE_PARAM(discard_request, layout_gen_params),
	KUNIT_CASE_PARAM(indirect_request, layout_gen_params),
	KUNIT_CASE(response_pad_zeroed),
	KUNIT_CASE(net_tx_request),
	KUNIT_CASE(net_rx_response),
	KUNIT_CASE(net_extra),
	KUNIT_CASE(net_response_covers_slot),
	{}
};

static struct kunit_suite wire_suite = {
	.name = "wire",
	.test_cases = wire_cases,
};
kunit_test_suite(wire_suite);

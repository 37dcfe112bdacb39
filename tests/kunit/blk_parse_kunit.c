// SPDX-License-Identifier: GPL-2.0
/* What a block backend takes for a request, in every layout. */
#include <kunit/test.h>

#include "blkback/parse.h"

#define CAPACITY	1000
#define ID		0xabcdef0123456789ULL

enum disk {
	PLAIN,
	READONLY,
	DISCARD,
	SECURE,
	BLOCKS_4K,
	DISCARD_RO,
};

static const struct blk_limits devices[] = {
	[PLAIN] = { .capacity = CAPACITY, .block_sectors = 1 },
	[READONLY] = { .capacity = CAPACITY, .block_sectors = 1, .readonly = true },
	[DISCARD] = { .capacity = CAPACITY, .block_sectors = 1, .discard = true },
	[SECURE] = { .capacity = CAPACITY, .block_sectors = 1, .discard = true,
		     .secure = true },
	[BLOCKS_4K] = { .capacity = CAPACITY, .block_sectors = 8,
			.discard = true },
	[DISCARD_RO] = { .capacity = CAPACITY, .block_sectors = 1,
			 .discard = true, .readonly = true },
};

/* A request; of its segments all are like the one here. */
static const struct row {
	const char *name;
	enum blk_reject want;
	enum disk dev;
	u8 op;
	u8 inner;		/* of indirect requests, or a discard's flag */
	u16 nr_segs;
	u8 first, last;
	u64 sector;
	u64 nr_sectors;		/* of discards */
} rows[] = {
	{ "read", BLK_ACCEPT, PLAIN, BLKIF_OP_READ, 0, 1, 0, 7, 0 },
	{ "write", BLK_ACCEPT, PLAIN, BLKIF_OP_WRITE, 0, 1, 0, 7, 0 },
	{ "one_sector", BLK_ACCEPT, PLAIN, BLKIF_OP_READ, 0, 1, 3, 3, 999 },
	{ "last_sectors", BLK_ACCEPT, PLAIN, BLKIF_OP_READ, 0, 1, 0, 7, 992 },
	{ "beyond_capacity", BLK_OUT_OF_RANGE, PLAIN, BLKIF_OP_READ, 0, 1, 0, 7, 993 },
	{ "begins_at_end", BLK_OUT_OF_RANGE, PLAIN, BLKIF_OP_READ, 0, 1, 0, 0, 1000 },
	{ "far_beyond", BLK_OUT_OF_RANGE, PLAIN, BLKIF_OP_READ, 0, 1, 0, 0, 1ULL << 40 },
	{ "sector_overflow", BLK_OUT_OF_RANGE, PLAIN, BLKIF_OP_READ, 0, 1, 0, 7, -4ULL },
	{ "sector_max", BLK_OUT_OF_RANGE, PLAIN, BLKIF_OP_WRITE, 0, 11, 0, 7, -1ULL },
	{ "nseg_0_read", BLK_NO_SEGMENTS, PLAIN, BLKIF_OP_READ, 0, 0, 0, 0, 0 },
	{ "nseg_0_write", BLK_NO_SEGMENTS, PLAIN, BLKIF_OP_WRITE, 0, 0, 0, 0, 0 },
	{ "nseg_max", BLK_ACCEPT, PLAIN, BLKIF_OP_READ, 0, 11, 0, 7, 0 },
	{ "nseg_max+1", BLK_TOO_MANY_SEGMENTS, PLAIN, BLKIF_OP_READ, 0, 12, 0, 7, 0 },
	{ "nseg_255", BLK_TOO_MANY_SEGMENTS, PLAIN, BLKIF_OP_WRITE, 0, 255, 0, 7, 0 },
	{ "first_gt_last", BLK_BAD_SEGMENT, PLAIN, BLKIF_OP_READ, 0, 1, 4, 3, 0 },
	{ "last_gt_7", BLK_BAD_SEGMENT, PLAIN, BLKIF_OP_READ, 0, 1, 0, 8, 0 },
	{ "last_255", BLK_BAD_SEGMENT, PLAIN, BLKIF_OP_READ, 0, 1, 0, 255, 0 },
	{ "first_255", BLK_BAD_SEGMENT, PLAIN, BLKIF_OP_READ, 0, 1, 255, 255, 0 },
	{ "ro_read", BLK_ACCEPT, READONLY, BLKIF_OP_READ, 0, 1, 0, 7, 0 },
	{ "ro_write", BLK_READONLY, READONLY, BLKIF_OP_WRITE, 0, 1, 0, 7, 0 },
	{ "ro_barrier", BLK_READONLY, READONLY, BLKIF_OP_WRITE_BARRIER, 0, 1, 0, 7, 0 },
	{ "ro_flush", BLK_ACCEPT, READONLY, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0, 0, 0 },
	{ "flush", BLK_ACCEPT, PLAIN, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0, 0, 0 },
	{ "flush_with_segments", BLK_ACCEPT, PLAIN, BLKIF_OP_FLUSH_DISKCACHE, 0, 2, 0, 7, 0 },
	{ "flush_too_many", BLK_TOO_MANY_SEGMENTS, PLAIN, BLKIF_OP_FLUSH_DISKCACHE, 0, 12, 0, 7, 0 },
	{ "barrier", BLK_ACCEPT, PLAIN, BLKIF_OP_WRITE_BARRIER, 0, 0, 0, 0, 0 },
	{ "barrier_with_data", BLK_ACCEPT, PLAIN, BLKIF_OP_WRITE_BARRIER, 0, 1, 0, 7, 0 },
	{ "op_reserved", BLK_UNKNOWN_OP, PLAIN, 4, 0, 1, 0, 7, 0 },
	{ "op_7", BLK_UNKNOWN_OP, PLAIN, 7, 0, 1, 0, 7, 0 },
	{ "op_255", BLK_UNKNOWN_OP, PLAIN, 255, 0, 1, 0, 7, 0 },
	{ "4k", BLK_ACCEPT, BLOCKS_4K, BLKIF_OP_READ, 0, 1, 0, 7, 8 },
	{ "4k_first", BLK_MISALIGNED, BLOCKS_4K, BLKIF_OP_READ, 0, 1, 1, 7, 8 },
	{ "4k_last", BLK_MISALIGNED, BLOCKS_4K, BLKIF_OP_READ, 0, 1, 0, 6, 8 },
	{ "4k_sector", BLK_MISALIGNED, BLOCKS_4K, BLKIF_OP_READ, 0, 1, 0, 7, 9 },
	{ "discard", BLK_ACCEPT, DISCARD, BLKIF_OP_DISCARD, 0, 0, 0, 0, 8, 64 },
	{ "discard_all", BLK_ACCEPT, DISCARD, BLKIF_OP_DISCARD, 0, 0, 0, 0, 0, CAPACITY },
	{ "discard_unsupported", BLK_UNSUPPORTED, PLAIN, BLKIF_OP_DISCARD, 0, 0, 0, 0, 0, 8 },
	{ "discard_beyond", BLK_OUT_OF_RANGE, DISCARD, BLKIF_OP_DISCARD, 0, 0, 0, 0, 1, CAPACITY },
	{ "discard_overflow", BLK_OUT_OF_RANGE, DISCARD, BLKIF_OP_DISCARD, 0, 0, 0, 0, 8, -8ULL },
	{ "discard_ro", BLK_READONLY, DISCARD_RO, BLKIF_OP_DISCARD, 0, 0, 0, 0, 0, 8 },
	{ "discard_misaligned", BLK_MISALIGNED, BLOCKS_4K, BLKIF_OP_DISCARD, 0, 0, 0, 0, 8, 7 },
	{ "discard_secure", BLK_ACCEPT, SECURE, BLKIF_OP_DISCARD, 1, 0, 0, 0, 0, 8 },
	{ "discard_secure_unsupported", BLK_UNSUPPORTED, DISCARD, BLKIF_OP_DISCARD, 1, 0, 0, 0, 0, 8 },
	{ "discard_flags_unknown", BLK_ACCEPT, DISCARD, BLKIF_OP_DISCARD, 0xfe, 0, 0, 0, 0, 8 },
	{ "indirect_read", BLK_ACCEPT, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_READ, 12, 0, 7, 0 },
	{ "indirect_one", BLK_ACCEPT, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_WRITE, 1, 0, 0, 0 },
	{ "indirect_nseg_0", BLK_NO_SEGMENTS, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_READ, 0, 0, 7, 0 },
	{ "indirect_nseg_max", BLK_ACCEPT, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_READ, 256, 0, 0, 0 },
	{ "indirect_nseg_over_max", BLK_TOO_MANY_SEGMENTS, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_READ, 257, 0, 0, 0 },
	{ "indirect_nseg_65535", BLK_TOO_MANY_SEGMENTS, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_WRITE, 65535, 0, 0, 0 },
	{ "indirect_op_nested", BLK_BAD_INDIRECT_OP, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_INDIRECT, 12, 0, 7, 0 },
	{ "indirect_discard", BLK_BAD_INDIRECT_OP, DISCARD, BLKIF_OP_INDIRECT, BLKIF_OP_DISCARD, 12, 0, 7, 0 },
	{ "indirect_flush", BLK_BAD_INDIRECT_OP, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_FLUSH_DISKCACHE, 12, 0, 7, 0 },
	{ "indirect_ro", BLK_READONLY, READONLY, BLKIF_OP_INDIRECT, BLKIF_OP_WRITE, 12, 0, 7, 0 },
	{ "indirect_beyond", BLK_OUT_OF_RANGE, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_READ, 256, 0, 7, 0 },
	{ "indirect_bad_segment", BLK_BAD_SEGMENT, PLAIN, BLKIF_OP_INDIRECT, BLKIF_OP_READ, 20, 5, 4, 0 },
};
KUNIT_ARRAY_PARAM_DESC(row, rows, name);

static void fill_64(struct blkif_request *wire, const struct row *row,
		    const struct blkif_request_segment *seg)
{
	wire->operation = row->op;
	switch (row->op) {
	case BLKIF_OP_DISCARD:
		wire->u.discard.flag = row->inner;
		wire->u.discard.id = ID;
		wire->u.discard.sector_number = row->sector;
		wire->u.discard.nr_sectors = row->nr_sectors;
		break;
	case BLKIF_OP_INDIRECT:
		wire->u.indirect.indirect_op = row->inner;
		wire->u.indirect.nr_segments = row->nr_segs;
		wire->u.indirect.id = ID;
		wire->u.indirect.sector_number = row->sector;
		wire->u.indirect.indirect_grefs[0] = 4242;
		break;
	default:
		wire->u.rw.nr_segments = row->nr_segs;
		wire->u.rw.id = ID;
		wire->u.rw.sector_number = row->sector;
		memcpy(wire->u.rw.seg, seg, sizeof(wire->u.rw.seg));
	}
}

static void fill_x86_32(union blk_x86_32_request *wire, const struct row *row,
			const struct blkif_request_segment *seg)
{
	switch (row->op) {
	case BLKIF_OP_DISCARD:
		wire->discard = (struct blk_x86_32_discard) {
			.operation = row->op,
			.flag = row->inner,
			.id = ID,
			.sector_number = row->sector,
			.nr_sectors = row->nr_sectors,
		};
		break;
	case BLKIF_OP_INDIRECT:
		wire->indirect = (struct blk_x86_32_indirect) {
			.operation = row->op,
			.indirect_op = row->inner,
			.nr_segments = row->nr_segs,
			.id = ID,
			.sector_number = row->sector,
			.indirect_grefs = { 4242 },
		};
		break;
	default:
		wire->rw.operation = row->op;
		wire->rw.nr_segments = row->nr_segs;
		wire->rw.id = ID;
		wire->rw.sector_number = row->sector;
		memcpy(wire->rw.seg, seg, sizeof(wire->rw.seg));
	}
}

static void parse(struct kunit *test, enum blk_abi abi)
{
	const struct row *row = test->param_value;
	struct blkif_request_segment *seg;
	struct blk_request req;
	union blk_slot slot;
	enum blk_reject got;
	unsigned int i;

	seg = kunit_kcalloc(test, BLKBACK_MAX_SEGMENTS, sizeof(*seg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seg);
	for (i = 0; i < BLKBACK_MAX_SEGMENTS; i++)
		seg[i] = (struct blkif_request_segment) {
			.gref = 500 + i,
			.first_sect = row->first,
			.last_sect = row->last,
		};
	memset(&slot, 0xff, sizeof(slot));
	memset(&req, 0xff, sizeof(req));
	if (abi == BLK_ABI_64)
		fill_64(&slot.abi_64, row, seg);
	else
		fill_x86_32(&slot.abi_x86_32, row, seg);

	got = blk_parse_slot(abi, &slot, &devices[row->dev], &req);
	/* What the answer needs is there in any case. */
	KUNIT_EXPECT_EQ(test, req.id, ID);
	KUNIT_EXPECT_EQ(test, req.op,
			row->op == BLKIF_OP_INDIRECT ? row->inner : row->op);
	if (!got && row->nr_segs) {
		KUNIT_EXPECT_EQ(test, req.nr_segs, row->nr_segs);
		got = blk_parse_segments(req.indirect ? seg : req.seg,
					 &devices[row->dev], &req);
	}
	KUNIT_EXPECT_EQ(test, got, row->want);
	KUNIT_EXPECT_NOT_NULL(test, blk_reject_text(got));
	KUNIT_EXPECT_EQ(test, blk_reject_status(got) == BLKIF_RSP_OKAY, !got);
	if (!got && row->op == BLKIF_OP_INDIRECT)
		KUNIT_EXPECT_EQ(test, req.indirect_ref, 4242);
	if (!got && row->nr_segs)
		KUNIT_EXPECT_EQ(test, req.nr_sectors, row->nr_segs *
				(row->last - row->first + 1));
}

static void abi_64(struct kunit *test)
{
	parse(test, BLK_ABI_64);
}

static void abi_x86_32(struct kunit *test)
{
	parse(test, BLK_ABI_X86_32);
}

static void where_in_frame(struct kunit *test)
{
	struct blkif_request_segment seg = { .first_sect = 3, .last_sect = 3 };

	KUNIT_EXPECT_EQ(test, blk_seg_offset(&seg), 1536);
	KUNIT_EXPECT_EQ(test, blk_seg_len(&seg), 512);
	seg = (struct blkif_request_segment) { .last_sect = 7 };
	KUNIT_EXPECT_EQ(test, blk_seg_offset(&seg), 0);
	KUNIT_EXPECT_EQ(test, blk_seg_len(&seg), 4096);
}

static struct kunit_case parse_cases[] = {
	KUNIT_CASE_PARAM(abi_64, row_gen_params),
	KUNIT_CASE_PARAM(abi_x86_32, row_gen_params),
	KUNIT_CASE(where_in_frame),
	{}
};

static struct kunit_suite parse_suite = {
	.name = "blk_parse",
	.test_cases = parse_cases,
};
kunit_test_suite(parse_suite);

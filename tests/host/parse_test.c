// SPDX-License-Identifier: GPL-2.0
/*
 * The block backend's parser. Requests are laid out by Xen's public headers, in
 * both ABIs, go through a ring that only the accessors can read, and must mean
 * the same whatever is in the bytes that mean nothing.
 */
#include "blkback/parse.h"

#include <linux/array_size.h>
#include <stdlib.h>

#include "case.h"
#include "ring/ring.h"
#include "wire.h"

#define CAPACITY	1000
#define LAST_SECTOR	((u64)-1)
#define TEST_ID		0x0123456789abcdef

/* Devices. */
static const struct blk_limits disk = {
	.capacity = CAPACITY, .block_sectors = 1, .discard = true,
	.secure = true,
};

static const struct blk_limits readonly = {
	.capacity = CAPACITY, .block_sectors = 1, .discard = true,
	.secure = true, .readonly = true,
};

static const struct blk_limits disk_4k = {
	.capacity = CAPACITY, .block_sectors = 8, .discard = true,
};

static const struct blk_limits no_discard = {
	.capacity = CAPACITY, .block_sectors = 1,
};

static const struct blk_limits no_secure = {
	.capacity = CAPACITY, .block_sectors = 1, .discard = true,
};

static const struct blk_limits endless = {
	.capacity = LAST_SECTOR, .block_sectors = 1, .discard = true,
};

static const struct blk_limits no_medium = {
	.capacity = 0, .block_sectors = 1, .discard = true,
};

/* A request and what becomes of it; without a device it is for "disk". */
struct row {
	const char *name;
	struct wire_request wire;
	const struct blk_limits *limits;
	enum blk_reject want;
	/* Length in the end, if accepted. */
	u64 nr_sectors;
};

#define ONE_FRAME	{ { 100, 0, 7 } }
#define TWO_FRAMES	{ { 100, 0, 7 }, { 101, 0, 7 } }

static const struct row rows[] = {
	{ "read", { .op = BLKIF_OP_READ, .nr_segs = 1, .sector = 8,
	  .seg = ONE_FRAME }, .nr_sectors = 8 },
	{ "write", { .op = BLKIF_OP_WRITE, .nr_segs = 2, .sector = 8,
	  .seg = TWO_FRAMES }, .nr_sectors = 16 },
	{ "one_sector", { .op = BLKIF_OP_READ, .nr_segs = 1, .sector = 3,
	  .seg = { { 100, 5, 5 } } }, .nr_sectors = 1 },
	{ "same_frame_twice", { .op = BLKIF_OP_WRITE, .nr_segs = 2,
	  .seg = { { 100, 0, 7 }, { 100, 0, 3 } } }, .nr_sectors = 12 },

	{ "op_unknown_4", { .op = 4, .nr_segs = 1, .seg = ONE_FRAME },
	  .want = BLK_UNKNOWN_OP },
	{ "op_unknown_7", { .op = 7, .nr_segs = 1, .seg = ONE_FRAME },
	  .want = BLK_UNKNOWN_OP },
	{ "op_unknown_255", { .op = 255, .nr_segs = 1, .seg = ONE_FRAME },
	  .want = BLK_UNKNOWN_OP },
	{ "op_unknown_readonly", { .op = 7, .nr_segs = 1, .seg = ONE_FRAME },
	  .limits = &readonly, .want = BLK_UNKNOWN_OP },
	{ "op_unknown_nseg_0", { .op = 4 }, .want = BLK_UNKNOWN_OP },

	/* XSA-448 was of slots of nothing on the network; here that is no request. */
	{ "nseg_0_read", { .op = BLKIF_OP_READ }, .want = BLK_NO_SEGMENTS },
	{ "nseg_0_write", { .op = BLKIF_OP_WRITE }, .want = BLK_NO_SEGMENTS },
	{ "nseg_0_indirect", { .op = BLKIF_OP_INDIRECT,
	  .indirect_op = BLKIF_OP_READ }, .want = BLK_NO_SEGMENTS },
	{ "nseg_max", { .op = BLKIF_OP_READ,
	  .nr_segs = BLKIF_MAX_SEGMENTS_PER_REQUEST,
	  .seg = { [3] = { 1, 2, 4 }, [10] = { 1, 0, 7 } } },
	  .nr_sectors = 9 + 3 + 8 },
	{ "nseg_max_plus_1", { .op = BLKIF_OP_READ,
	  .nr_segs = BLKIF_MAX_SEGMENTS_PER_REQUEST + 1 },
	  .want = BLK_TOO_MANY_SEGMENTS },
	{ "nseg_255", { .op = BLKIF_OP_WRITE, .nr_segs = 255 },
	  .want = BLK_TOO_MANY_SEGMENTS },
	{ "nseg_255_flush", { .op = BLKIF_OP_FLUSH_DISKCACHE, .nr_segs = 255 },
	  .want = BLK_TOO_MANY_SEGMENTS },

	{ "first_gt_last", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .seg = { { 1, 4, 3 } } }, .want = BLK_BAD_SEGMENT },
	{ "first_gt_last_in_last_segment", { .op = BLKIF_OP_READ,
	  .nr_segs = BLKIF_MAX_SEGMENTS_PER_REQUEST,
	  .seg = { [10] = { 1, 7, 0 } } }, .want = BLK_BAD_SEGMENT },
	{ "first_gt_7", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .seg = { { 1, 8, 7 } } }, .want = BLK_BAD_SEGMENT },
	{ "last_gt_7", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .seg = { { 1, 0, 8 } } }, .want = BLK_BAD_SEGMENT },
	{ "last_255", { .op = BLKIF_OP_WRITE, .nr_segs = 2,
	  .seg = { { 1, 0, 7 }, { 1, 0, 255 } } }, .want = BLK_BAD_SEGMENT },
	{ "first_and_last_gt_7", { .op = BLKIF_OP_WRITE, .nr_segs = 1,
	  .seg = { { 1, 8, 15 } } }, .want = BLK_BAD_SEGMENT },
	{ "bad_segment_unused", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .seg = { { 1, 0, 7 }, { 1, 9, 8 } } }, .nr_sectors = 8 },

	{ "sector_overflow", { .op = BLKIF_OP_WRITE, .nr_segs = 1,
	  .sector = LAST_SECTOR - 3, .seg = ONE_FRAME },
	  .want = BLK_OUT_OF_RANGE },
	{ "sector_overflow_to_capacity", { .op = BLKIF_OP_WRITE, .nr_segs = 1,
	  .sector = LAST_SECTOR - 7, .seg = ONE_FRAME },
	  .want = BLK_OUT_OF_RANGE },
	{ "sector_overflow_endless", { .op = BLKIF_OP_WRITE, .nr_segs = 1,
	  .sector = LAST_SECTOR - 7, .seg = ONE_FRAME }, .limits = &endless,
	  .want = BLK_OUT_OF_RANGE },
	{ "last_sectors_endless", { .op = BLKIF_OP_WRITE, .nr_segs = 1,
	  .sector = LAST_SECTOR - 8, .seg = ONE_FRAME }, .limits = &endless,
	  .nr_sectors = 8 },
	{ "sector_above_32_bits", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .sector = 0x100000000, .seg = ONE_FRAME }, .want = BLK_OUT_OF_RANGE },
	{ "last_sectors", { .op = BLKIF_OP_READ, .nr_segs = 2,
	  .sector = CAPACITY - 16, .seg = TWO_FRAMES }, .nr_sectors = 16 },
	{ "beyond_capacity", { .op = BLKIF_OP_READ, .nr_segs = 2,
	  .sector = CAPACITY - 15, .seg = TWO_FRAMES },
	  .want = BLK_OUT_OF_RANGE },
	{ "at_capacity", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .sector = CAPACITY, .seg = { { 1, 0, 0 } } },
	  .want = BLK_OUT_OF_RANGE },
	{ "no_medium", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .seg = { { 1, 0, 0 } } }, .limits = &no_medium,
	  .want = BLK_OUT_OF_RANGE },

	{ "ro_read", { .op = BLKIF_OP_READ, .nr_segs = 1, .seg = ONE_FRAME },
	  .limits = &readonly, .nr_sectors = 8 },
	{ "ro_write", { .op = BLKIF_OP_WRITE, .nr_segs = 1, .seg = ONE_FRAME },
	  .limits = &readonly, .want = BLK_READONLY },
	{ "ro_barrier", { .op = BLKIF_OP_WRITE_BARRIER, .nr_segs = 1,
	  .seg = ONE_FRAME }, .limits = &readonly, .want = BLK_READONLY },
	{ "ro_flush_with_segments", { .op = BLKIF_OP_FLUSH_DISKCACHE,
	  .nr_segs = 1, .seg = ONE_FRAME }, .limits = &readonly,
	  .want = BLK_READONLY },
	{ "ro_flush", { .op = BLKIF_OP_FLUSH_DISKCACHE }, .limits = &readonly },
	/*
	 * CVE-2013-2140: discards and the like were let through to a disk that is
	 * read-only. Failure: accepted.
	 */
	{ "ro_discard", { .op = BLKIF_OP_DISCARD, .nr_sectors = 8 },
	  .limits = &readonly, .want = BLK_READONLY },
	{ "ro_indirect_read", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_READ, .frame = { 7 } },
	  .limits = &readonly, .nr_sectors = 8 },
	{ "ro_indirect_write", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_WRITE }, .limits = &readonly,
	  .want = BLK_READONLY },

	{ "flush", { .op = BLKIF_OP_FLUSH_DISKCACHE }, .nr_sectors = 0 },
	{ "flush_sector_ignored", { .op = BLKIF_OP_FLUSH_DISKCACHE,
	  .sector = LAST_SECTOR }, .nr_sectors = 0 },
	{ "flush_with_segments", { .op = BLKIF_OP_FLUSH_DISKCACHE,
	  .nr_segs = 1, .seg = ONE_FRAME }, .nr_sectors = 8 },
	{ "flush_with_segments_beyond", { .op = BLKIF_OP_FLUSH_DISKCACHE,
	  .nr_segs = 1, .sector = CAPACITY, .seg = ONE_FRAME },
	  .want = BLK_OUT_OF_RANGE },
	{ "barrier", { .op = BLKIF_OP_WRITE_BARRIER, .nr_segs = 1,
	  .seg = ONE_FRAME }, .nr_sectors = 8 },
	{ "barrier_empty", { .op = BLKIF_OP_WRITE_BARRIER }, .nr_sectors = 0 },

	{ "indirect_read", { .op = BLKIF_OP_INDIRECT, .nr_segs = 12,
	  .indirect_op = BLKIF_OP_READ, .frame = { 7, 8 } },
	  .nr_sectors = 12 * 8 },
	{ "indirect_few", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_WRITE, .frame = { 9 } }, .nr_sectors = 8 },
	{ "indirect_nseg_max", { .op = BLKIF_OP_INDIRECT,
	  .nr_segs = BLKBACK_MAX_SEGMENTS, .indirect_op = BLKIF_OP_WRITE,
	  .frame = { 1 } }, .limits = &endless,
	  .nr_sectors = BLKBACK_MAX_SEGMENTS * 8 },
	{ "indirect_nseg_over_max", { .op = BLKIF_OP_INDIRECT,
	  .nr_segs = BLKBACK_MAX_SEGMENTS + 1, .indirect_op = BLKIF_OP_WRITE },
	  .want = BLK_TOO_MANY_SEGMENTS },
	{ "indirect_nseg_65535", { .op = BLKIF_OP_INDIRECT, .nr_segs = 65535,
	  .indirect_op = BLKIF_OP_READ }, .want = BLK_TOO_MANY_SEGMENTS },
	{ "indirect_beyond_capacity", { .op = BLKIF_OP_INDIRECT, .nr_segs = 2,
	  .indirect_op = BLKIF_OP_READ, .sector = CAPACITY - 15 },
	  .want = BLK_OUT_OF_RANGE },
	{ "indirect_op_nested", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_INDIRECT }, .want = BLK_BAD_INDIRECT_OP },
	{ "indirect_op_flush", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_FLUSH_DISKCACHE },
	  .want = BLK_BAD_INDIRECT_OP },
	{ "indirect_op_barrier", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_WRITE_BARRIER },
	  .want = BLK_BAD_INDIRECT_OP },
	{ "indirect_op_discard", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = BLKIF_OP_DISCARD }, .want = BLK_BAD_INDIRECT_OP },
	{ "indirect_op_unknown", { .op = BLKIF_OP_INDIRECT, .nr_segs = 1,
	  .indirect_op = 0x80 }, .want = BLK_BAD_INDIRECT_OP },

	{ "discard", { .op = BLKIF_OP_DISCARD, .sector = 8, .nr_sectors = 80 },
	  .nr_sectors = 80 },
	{ "discard_all", { .op = BLKIF_OP_DISCARD, .nr_sectors = CAPACITY },
	  .nr_sectors = CAPACITY },
	{ "discard_secure", { .op = BLKIF_OP_DISCARD, .nr_sectors = 8,
	  .flag = BLKIF_DISCARD_SECURE }, .nr_sectors = 8 },
	{ "discard_flags_unknown", { .op = BLKIF_OP_DISCARD, .nr_sectors = 8,
	  .flag = 0xfe }, .limits = &no_secure, .nr_sectors = 8 },
	{ "discard_unsupported", { .op = BLKIF_OP_DISCARD, .nr_sectors = 8 },
	  .limits = &no_discard, .want = BLK_UNSUPPORTED },
	{ "discard_secure_unsupported", { .op = BLKIF_OP_DISCARD,
	  .nr_sectors = 8, .flag = BLKIF_DISCARD_SECURE },
	  .limits = &no_secure, .want = BLK_UNSUPPORTED },
	{ "discard_beyond_capacity", { .op = BLKIF_OP_DISCARD,
	  .sector = CAPACITY - 8, .nr_sectors = 9 },
	  .want = BLK_OUT_OF_RANGE },
	{ "discard_sector_overflow", { .op = BLKIF_OP_DISCARD, .sector = 16,
	  .nr_sectors = LAST_SECTOR - 7 }, .want = BLK_OUT_OF_RANGE },
	{ "discard_sector_beyond", { .op = BLKIF_OP_DISCARD,
	  .sector = CAPACITY + 1 }, .want = BLK_OUT_OF_RANGE },

	{ "4k_aligned", { .op = BLKIF_OP_WRITE, .nr_segs = 2, .sector = 16,
	  .seg = TWO_FRAMES }, .limits = &disk_4k, .nr_sectors = 16 },
	{ "4k_misaligned_sector", { .op = BLKIF_OP_WRITE, .nr_segs = 1,
	  .sector = 4, .seg = ONE_FRAME }, .limits = &disk_4k,
	  .want = BLK_MISALIGNED },
	{ "4k_misaligned_length", { .op = BLKIF_OP_READ, .nr_segs = 1,
	  .seg = { { 1, 0, 3 } } }, .limits = &disk_4k,
	  .want = BLK_MISALIGNED },
	{ "4k_block_in_two_segments", { .op = BLKIF_OP_READ, .nr_segs = 2,
	  .seg = { { 1, 0, 3 }, { 2, 4, 7 } } }, .limits = &disk_4k,
	  .want = BLK_MISALIGNED },
	{ "4k_blocks_begin_inside_segments", { .op = BLKIF_OP_READ,
	  .nr_segs = 2, .seg = { { 1, 4, 7 }, { 2, 4, 7 } } },
	  .limits = &disk_4k, .want = BLK_MISALIGNED },
	{ "4k_misaligned_discard", { .op = BLKIF_OP_DISCARD, .sector = 1,
	  .nr_sectors = 8 }, .limits = &disk_4k, .want = BLK_MISALIGNED },
	{ "4k_misaligned_discard_length", { .op = BLKIF_OP_DISCARD,
	  .nr_sectors = 7 }, .limits = &disk_4k, .want = BLK_MISALIGNED },
};

struct abi {
	enum blk_abi abi;
	const struct wire_layout *layout;
};

static const struct abi abis[] = {
	{ BLK_ABI_64, &wire_64 },
	{ BLK_ABI_X86_32, &wire_32 },
};

/*
 * What the backend does with a slot: one copy, and then it is the copy that is
 * looked at. The peer changes each byte as soon as it was read.
 */
static enum blk_reject take_slot(const struct abi *abi,
				 const struct wire_request *wire, u8 noise,
				 const struct blk_limits *limits,
				 struct blk_request *req)
{
	size_t slot_size = abi->layout->slot_size;
	struct ring_shared *shared;
	enum blk_reject verdict;
	struct ring_back back;
	union blk_slot slot;

	shared = memory_share(sizeof(*shared) + slot_size);
	CHECK_EQ(ring_back_attach(&back, shared, sizeof(*shared) + slot_size,
				  slot_size), 0);
	memset(memory_behind(shared->slots), noise, slot_size);
	abi->layout->put_request(memory_behind(shared->slots), wire);

	memset(&slot, noise, sizeof(slot));
	memset(req, noise, sizeof(*req));
	memory_count(true);
	ring_back_get(&back, &slot, slot_size);
	verdict = blk_parse_slot(abi->abi, &slot, limits, req);
	CHECK_EQ(memory_reads(shared->slots, slot_size), 1);
	CHECK_EQ(memory_accesses(), 1);
	return verdict;
}

/* The segments in a block of just their size: nothing after them is read. */
static enum blk_reject take_segments(const struct wire_request *wire,
				     const struct blk_limits *limits,
				     struct blk_request *req)
{
	struct blkif_request_segment *seg;
	enum blk_reject verdict;
	unsigned int i;

	seg = calloc(req->nr_segs, sizeof(*seg));
	CHECK(seg);
	for (i = 0; i < req->nr_segs; i++)
		if (req->indirect)
			seg[i] = (struct blkif_request_segment) {
				.gref = i, .last_sect = 7,
			};
		else
			seg[i] = req->seg[i];
	for (i = 0; i < req->nr_segs && !req->indirect; i++) {
		CHECK_EQ(seg[i].gref, wire->seg[i].ref);
		CHECK_EQ(seg[i].first_sect, wire->seg[i].first);
		CHECK_EQ(seg[i].last_sect, wire->seg[i].last);
	}
	verdict = blk_parse_segments(seg, limits, req);
	free(seg);
	return verdict;
}

static void check_accepted(const struct row *row, const struct blk_request *req)
{
	const struct wire_request *wire = &row->wire;
	bool discard = wire->op == BLKIF_OP_DISCARD;

	CHECK_EQ(req->sector, wire->sector);
	CHECK_EQ(req->nr_sectors, row->nr_sectors);
	CHECK_EQ(req->nr_segs, wire->nr_segs);
	CHECK_EQ(req->secure, discard && (wire->flag & BLKIF_DISCARD_SECURE));
	if (req->indirect)
		CHECK_EQ(req->indirect_ref, wire->frame[0]);
}

static void parse_row(const struct row *row, const struct abi *abi, u8 noise)
{
	const struct blk_limits *limits = row->limits ? row->limits : &disk;
	bool indirect = row->wire.op == BLKIF_OP_INDIRECT;
	struct wire_request wire = row->wire;
	struct blk_request req;
	enum blk_reject have;

	wire.id = TEST_ID;
	have = take_slot(abi, &wire, noise, limits, &req);
	/* The frontend gets an answer also if there is nothing to be done. */
	CHECK_EQ(req.id, TEST_ID);
	CHECK_EQ(req.op, indirect ? wire.indirect_op : wire.op);
	CHECK_EQ(req.indirect, indirect);
	if (!have && req.nr_segs)
		have = take_segments(&wire, limits, &req);

	if (have != row->want)
		FAIL("abi %d: %s, not %s", abi->abi, blk_reject_text(have),
		     blk_reject_text(row->want));
	if (!have)
		check_accepted(row, &req);
}

static void run_row(const void *arg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(abis); i++) {
		parse_row(arg, &abis[i], 0);
		parse_row(arg, &abis[i], 0xff);
		parse_row(arg, &abis[i], 0x5a);
	}
}

static u64 random_u64(unsigned int *seed)
{
	return (u64)rand_r(seed) << 42 ^ (u64)rand_r(seed) << 21 ^
	       rand_r(seed);
}

static void random_request(struct wire_request *wire, unsigned int *seed)
{
	unsigned int i;

	wire->op = rand_r(seed) % 8;
	wire->indirect_op = rand_r(seed) % 8;
	wire->flag = rand_r(seed);
	wire->nr_segs = rand_r(seed) % 12;
	wire->id = random_u64(seed);
	wire->sector = random_u64(seed) >> (rand_r(seed) % 64);
	wire->nr_sectors = random_u64(seed) >> (rand_r(seed) % 64);
	for (i = 0; i < WIRE_SEGS; i++)
		wire->seg[i] = (struct wire_segment) {
			.ref = rand_r(seed),
			.first = rand_r(seed) % 9,
			.last = rand_r(seed) % 9,
		};
	for (i = 0; i < WIRE_INDIRECT_FRAMES; i++)
		wire->frame[i] = rand_r(seed);
}

/* The same request in both layouts is the same request. */
static void abi_32_vs_64(const void *arg)
{
	struct blk_request req[2];
	struct wire_request wire;
	enum blk_reject have[2];
	unsigned int seed = 1, n, i;

	(void)arg;
	for (n = 0; n < 2000; n++) {
		random_request(&wire, &seed);
		for (i = 0; i < 2; i++)
			have[i] = take_slot(&abis[i], &wire, 0xa5, &endless,
					    &req[i]);
		CHECK_EQ(have[0], have[1]);
		CHECK(req[0].id == wire.id && req[1].id == wire.id);
		CHECK_EQ(req[0].op, req[1].op);
		CHECK(req[0].sector == wire.sector &&
		      req[1].sector == wire.sector);
		CHECK_EQ(req[0].nr_segs, req[1].nr_segs);
		CHECK(req[0].nr_sectors == req[1].nr_sectors);
		CHECK_EQ(req[0].secure, req[1].secure);
		CHECK_EQ(req[0].indirect, req[1].indirect);
		CHECK(!memcmp(req[0].seg, req[1].seg, sizeof(req[0].seg)));
		if (wire.op == BLKIF_OP_INDIRECT)
			CHECK_EQ(req[0].indirect_ref, wire.frame[0]);
	}
}

static enum blk_reject model_direct(u8 op, u8 nr_segs,
				    const struct blk_limits *limits)
{
	bool data = op == BLKIF_OP_READ || op == BLKIF_OP_WRITE;

	if (nr_segs > 11)
		return BLK_TOO_MANY_SEGMENTS;
	if (op > BLKIF_OP_FLUSH_DISKCACHE)
		return BLK_UNKNOWN_OP;
	if (!nr_segs)
		return data ? BLK_NO_SEGMENTS : BLK_ACCEPT;
	return limits->readonly && op != BLKIF_OP_READ ? BLK_READONLY :
							 BLK_ACCEPT;
}

static void every_op_and_nseg(const void *arg)
{
	const struct blk_limits *limits = arg;
	struct blk_request req;
	union blk_slot slot;
	unsigned int op, nr, i;

	for (op = 0; op < 256; op++) {
		if (op == BLKIF_OP_DISCARD || op == BLKIF_OP_INDIRECT)
			continue;
		for (nr = 0; nr < 256; nr++)
			for (i = 0; i < 2; i++) {
				struct wire_request wire = {
					.op = op, .nr_segs = nr,
				};

				abis[i].layout->put_request(&slot, &wire);
				CHECK_EQ(blk_parse_slot(abis[i].abi, &slot,
							limits, &req),
					 model_direct(op, nr, limits));
			}
	}
}

static void every_indirect_op_and_nseg(const void *arg)
{
	struct blk_request req;
	union blk_slot slot;
	unsigned int op, nr, i;
	enum blk_reject want;

	(void)arg;
	for (op = 0; op < 256; op++)
		for (nr = 0; nr < 65536; nr = nr < 520 ? nr + 1 : nr * 2 + 1) {
			struct wire_request wire = {
				.op = BLKIF_OP_INDIRECT, .indirect_op = op,
				.nr_segs = nr,
			};

			if (op > BLKIF_OP_WRITE)
				want = BLK_BAD_INDIRECT_OP;
			else if (!nr)
				want = BLK_NO_SEGMENTS;
			else
				want = nr > 256 ? BLK_TOO_MANY_SEGMENTS :
						  BLK_ACCEPT;
			for (i = 0; i < 2; i++) {
				abis[i].layout->put_request(&slot, &wire);
				CHECK_EQ(blk_parse_slot(abis[i].abi, &slot,
							&disk, &req), want);
			}
		}
}

/* All values of first and last sector, for all sizes of a block. */
static void every_segment(const void *arg)
{
	struct blk_limits limits = disk;
	unsigned int first, last;
	enum blk_reject want;

	(void)arg;
	for (limits.block_sectors = 1; limits.block_sectors <= 8;
	     limits.block_sectors *= 2)
		for (first = 0; first < 256; first++)
			for (last = 0; last < 256; last++) {
				struct blkif_request_segment seg = {
					.first_sect = first, .last_sect = last,
				};
				struct blk_request req = { .nr_segs = 1 };

				want = BLK_ACCEPT;
				if (first > last || last > 7)
					want = BLK_BAD_SEGMENT;
				else if (first % limits.block_sectors ||
					 (last + 1) % limits.block_sectors)
					want = BLK_MISALIGNED;
				CHECK_EQ(blk_parse_segments(&seg, &limits, &req),
					 want);
				if (want)
					continue;
				CHECK_EQ(req.nr_sectors, last - first + 1);
				CHECK_EQ(blk_seg_offset(&seg), first * 512);
				CHECK_EQ(blk_seg_len(&seg),
					 (last - first + 1) * 512);
			}
}

/* All starts and lengths of a discard around the ends of small devices. */
static void every_range(const void *arg)
{
	struct blk_limits limits = disk;
	struct blk_request req;
	unsigned int from, nr;
	union blk_slot slot;
	enum blk_reject want;

	(void)arg;
	for (limits.capacity = 0; limits.capacity < 6; limits.capacity++)
		for (from = 0; from < 24; from++)
			for (nr = 0; nr < 24; nr++) {
				struct wire_request wire = {
					.op = BLKIF_OP_DISCARD,
					.sector = (u64)from - 12,
					.nr_sectors = (u64)nr - 12,
				};
				unsigned __int128 end = wire.sector;

				end += wire.nr_sectors;
				want = end > limits.capacity ? BLK_OUT_OF_RANGE :
							       BLK_ACCEPT;
				wire_64.put_request(&slot, &wire);
				CHECK_EQ(blk_parse_slot(BLK_ABI_64, &slot,
							&limits, &req), want);
			}
}

/* What is accepted keeps to the limits, computed with wider numbers. */
static void check_promises(const struct blk_request *req,
			   const struct blkif_request_segment *seg,
			   const struct blk_limits *limits)
{
	unsigned __int128 end = req->sector;
	u64 sum = 0;
	unsigned int i;

	CHECK(req->op <= BLKIF_OP_DISCARD && req->op != 4);
	CHECK(!limits->readonly || req->op == BLKIF_OP_READ || !req->nr_segs);
	if (req->op == BLKIF_OP_DISCARD) {
		CHECK_EQ(req->nr_segs, 0);
		CHECK(limits->discard && (limits->secure || !req->secure));
		sum = req->nr_sectors;
	}
	CHECK(req->nr_segs <= (req->indirect ? 256 : 11));
	for (i = 0; i < req->nr_segs; i++) {
		CHECK(blk_seg_offset(&seg[i]) + blk_seg_len(&seg[i]) <= 4096);
		CHECK(blk_seg_len(&seg[i]) % (limits->block_sectors * 512) == 0);
		sum += blk_seg_len(&seg[i]) / 512;
	}
	CHECK_EQ(req->nr_sectors, sum);
	if (!sum)
		return;
	end += sum;
	CHECK(end <= limits->capacity);
	CHECK(req->sector % limits->block_sectors == 0);
}

static bool parse_random(unsigned int *seed)
{
	static struct blkif_request_segment frame[256];
	const struct blk_limits *all[] = { &disk, &readonly, &disk_4k,
					   &no_discard, &no_secure, &endless };
	const struct blk_limits *limits = all[rand_r(seed) % ARRAY_SIZE(all)];
	const struct blkif_request_segment *seg;
	struct blk_request req;
	union blk_slot slot;
	unsigned int i;

	/* Mostly zeroes, or little would be accepted. */
	for (i = 0; i < sizeof(slot); i++)
		slot.raw[i] = rand_r(seed) % 4 ? 0 : rand_r(seed) % 16;
	if (rand_r(seed) % 2)
		slot.raw[rand_r(seed) % sizeof(slot)] = rand_r(seed);
	for (i = 0; i < ARRAY_SIZE(frame); i++)
		frame[i] = (struct blkif_request_segment) { .last_sect = 7 };
	frame[rand_r(seed) % ARRAY_SIZE(frame)].first_sect = rand_r(seed) % 9;

	memset(&req, 0xff, sizeof(req));
	if (blk_parse_slot(rand_r(seed) % 2, &slot, limits, &req))
		return false;
	seg = req.indirect ? frame : req.seg;
	if (req.nr_segs && blk_parse_segments(seg, limits, &req))
		return false;
	check_promises(&req, seg, limits);
	return true;
}

static void random_slots(const void *arg)
{
	unsigned int seed = 1, accepted = 0, n;

	(void)arg;
	for (n = 0; n < 100000; n++)
		accepted += parse_random(&seed);
	CHECK(accepted > 1000 && accepted < 99000);
}

static void status_and_text(const void *arg)
{
	enum blk_reject why;

	(void)arg;
	CHECK_EQ(blk_reject_status(BLK_ACCEPT), BLKIF_RSP_OKAY);
	for (why = BLK_ACCEPT; why <= BLK_OUT_OF_RANGE; why++) {
		CHECK(blk_reject_text(why) && blk_reject_text(why)[0]);
		if (why == BLK_UNKNOWN_OP || why == BLK_UNSUPPORTED)
			CHECK_EQ(blk_reject_status(why), BLKIF_RSP_EOPNOTSUPP);
		else if (why)
			CHECK_EQ(blk_reject_status(why), BLKIF_RSP_ERROR);
	}
}

static void sizes_are_xens(const void *arg)
{
	(void)arg;
	CHECK_EQ(BLK_SLOT_SIZE_64, wire_64.slot_size);
	CHECK_EQ(BLK_SLOT_SIZE_X86_32, wire_32.slot_size);
	CHECK_EQ(sizeof(struct blk_64_response), wire_64.response_size);
	CHECK_EQ(sizeof(struct blk_x86_32_response), wire_32.response_size);
}

#define RUN(name)	case_run("blk parse", #name, name, NULL)

void parse_tests(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		case_run("blk parse", rows[i].name, run_row, &rows[i]);
	RUN(sizes_are_xens);
	RUN(abi_32_vs_64);
	case_run("blk parse", "every_op_and_nseg", every_op_and_nseg, &disk);
	case_run("blk parse", "every_op_and_nseg_ro", every_op_and_nseg,
		 &readonly);
	RUN(every_indirect_op_and_nseg);
	RUN(every_segment);
	RUN(every_range);
	RUN(random_slots);
	RUN(status_and_text);
}

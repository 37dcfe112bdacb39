// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <linux/array_size.h>
#include <linux/string.h>

static const char * const reject_text[] = {
	[BLK_ACCEPT]		= "accepted",
	[BLK_UNKNOWN_OP]	= "unknown operation",
	[BLK_UNSUPPORTED]	= "operation not supported by the device",
	[BLK_READONLY]		= "write to a read-only device",
	[BLK_NO_SEGMENTS]	= "no segments",
	[BLK_TOO_MANY_SEGMENTS]	= "too many segments",
	[BLK_BAD_INDIRECT_OP]	= "bad operation in an indirect request",
	[BLK_BAD_SEGMENT]	= "bad first or last sector of a segment",
	[BLK_MISALIGNED]	= "not aligned to the logical block size",
	[BLK_OUT_OF_RANGE]	= "beyond the end of the device",
};

const char *blk_reject_text(enum blk_reject reject)
{
	return reject_text[reject];
}

s16 blk_reject_status(enum blk_reject reject)
{
	switch (reject) {
	case BLK_ACCEPT:
		return BLKIF_RSP_OKAY;
	case BLK_UNKNOWN_OP:
	case BLK_UNSUPPORTED:
		return BLKIF_RSP_EOPNOTSUPP;
	default:
		return BLKIF_RSP_ERROR;
	}
}

/* The operation is the first byte in every layout. */
static u8 slot_op(const union blk_slot *slot)
{
	return slot->raw[0];
}

static void decode_64(const struct blkif_request *wire,
		      struct blk_request *req)
{
	/* All requests have their id at the same offset. */
	req->id = wire->u.rw.id;

	switch (wire->operation) {
	case BLKIF_OP_DISCARD:
		req->sector = wire->u.discard.sector_number;
		req->nr_sectors = wire->u.discard.nr_sectors;
		req->secure = wire->u.discard.flag & BLKIF_DISCARD_SECURE;
		break;
	case BLKIF_OP_INDIRECT:
		req->op = wire->u.indirect.indirect_op;
		req->sector = wire->u.indirect.sector_number;
		req->nr_segs = wire->u.indirect.nr_segments;
		req->indirect_ref = wire->u.indirect.indirect_grefs[0];
		break;
	default:
		req->sector = wire->u.rw.sector_number;
		req->nr_segs = wire->u.rw.nr_segments;
		memcpy(req->seg, wire->u.rw.seg, sizeof(req->seg));
	}
}

static void decode_x86_32(const union blk_x86_32_request *wire,
			  struct blk_request *req)
{
	req->id = wire->rw.id;

	switch (wire->rw.operation) {
	case BLKIF_OP_DISCARD:
		req->sector = wire->discard.sector_number;
		req->nr_sectors = wire->discard.nr_sectors;
		req->secure = wire->discard.flag & BLKIF_DISCARD_SECURE;
		break;
	case BLKIF_OP_INDIRECT:
		req->op = wire->indirect.indirect_op;
		req->sector = wire->indirect.sector_number;
		req->nr_segs = wire->indirect.nr_segments;
		req->indirect_ref = wire->indirect.indirect_grefs[0];
		break;
	default:
		req->sector = wire->rw.sector_number;
		req->nr_segs = wire->rw.nr_segments;
		memcpy(req->seg, wire->rw.seg, sizeof(req->seg));
	}
}

static bool misaligned(const struct blk_request *req,
		       const struct blk_limits *limits)
{
	return (req->sector | req->nr_sectors) & (limits->block_sectors - 1);
}

static enum blk_reject check_range(const struct blk_request *req,
				   const struct blk_limits *limits)
{
	if (misaligned(req, limits))
		return BLK_MISALIGNED;
	if (req->sector > limits->capacity ||
	    req->nr_sectors > limits->capacity - req->sector)
		return BLK_OUT_OF_RANGE;
	return BLK_ACCEPT;
}

static enum blk_reject check_discard(const struct blk_request *req,
				     const struct blk_limits *limits)
{
	if (limits->readonly)
		return BLK_READONLY;
	if (!limits->discard || (req->secure && !limits->secure))
		return BLK_UNSUPPORTED;
	return check_range(req, limits);
}

static enum blk_reject check_direct(const struct blk_request *req,
				    const struct blk_limits *limits)
{
	if (req->nr_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return BLK_TOO_MANY_SEGMENTS;

	switch (req->op) {
	case BLKIF_OP_READ:
		return req->nr_segs ? BLK_ACCEPT : BLK_NO_SEGMENTS;
	case BLKIF_OP_WRITE:
		if (!req->nr_segs)
			return BLK_NO_SEGMENTS;
		break;
	case BLKIF_OP_WRITE_BARRIER:
	case BLKIF_OP_FLUSH_DISKCACHE:
		/* Without data they change nothing. */
		if (!req->nr_segs)
			return BLK_ACCEPT;
		break;
	default:
		return BLK_UNKNOWN_OP;
	}
	return limits->readonly ? BLK_READONLY : BLK_ACCEPT;
}

static enum blk_reject check_indirect(const struct blk_request *req,
				      const struct blk_limits *limits)
{
	if (req->op != BLKIF_OP_READ && req->op != BLKIF_OP_WRITE)
		return BLK_BAD_INDIRECT_OP;
	if (!req->nr_segs)
		return BLK_NO_SEGMENTS;
	if (req->nr_segs > BLKBACK_MAX_SEGMENTS)
		return BLK_TOO_MANY_SEGMENTS;
	if (req->op == BLKIF_OP_WRITE && limits->readonly)
		return BLK_READONLY;
	return BLK_ACCEPT;
}

enum blk_reject blk_parse_slot(enum blk_abi abi, const union blk_slot *slot,
			       const struct blk_limits *limits,
			       struct blk_request *req)
{
	req->op = slot_op(slot);
	req->indirect = req->op == BLKIF_OP_INDIRECT;
	req->secure = false;
	req->nr_segs = 0;
	req->nr_sectors = 0;

	if (abi == BLK_ABI_64)
		decode_64(&slot->abi_64, req);
	else
		decode_x86_32(&slot->abi_x86_32, req);

	if (req->op == BLKIF_OP_DISCARD && !req->indirect)
		return check_discard(req, limits);
	if (req->indirect)
		return check_indirect(req, limits);
	return check_direct(req, limits);
}

/* As most are. */
static bool is_whole(const struct blkif_request_segment *seg)
{
	return !seg->first_sect && seg->last_sect == BLK_SECTORS_PER_FRAME - 1;
}

enum blk_reject blk_parse_segments(const struct blkif_request_segment *seg,
				   const struct blk_limits *limits,
				   struct blk_request *req)
{
	const struct blkif_request_segment *end = seg + req->nr_segs;
	u32 edges = 0, nr_sectors = 0;

	for (; seg < end; seg++) {
		if (is_whole(seg)) {
			edges |= BLK_SECTORS_PER_FRAME;
			nr_sectors += BLK_SECTORS_PER_FRAME;
			continue;
		}
		if (seg->last_sect >= BLK_SECTORS_PER_FRAME ||
		    seg->first_sect > seg->last_sect)
			return BLK_BAD_SEGMENT;
		edges |= seg->first_sect | (seg->last_sect + 1);
		nr_sectors += seg->last_sect - seg->first_sect + 1;
	}
	req->nr_sectors = nr_sectors;
	/* A block must not straddle segments: the device reads whole blocks. */
	if (edges & (limits->block_sectors - 1))
		return BLK_MISALIGNED;
	return check_range(req, limits);
}

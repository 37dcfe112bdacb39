/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From ring slots to validated requests. Pure: no kernel services, works on
 * private copies only, also built in user space. All that a frontend can say
 * wrongly is rejected here; what comes after trusts struct blk_request alone.
 */
#ifndef BLKBACK_PARSE_H
#define BLKBACK_PARSE_H

#include <linux/types.h>

#include "ring/blk_wire.h"

/* Largest request: 1 MiB, the segments of which fit one indirect frame. */
#define BLKBACK_MAX_SEGMENTS	256

static_assert(BLKBACK_MAX_SEGMENTS <= BLK_SEGS_PER_INDIRECT_FRAME);

/* One slot of any ABI, copied. */
union blk_slot {
	u8 raw[BLK_SLOT_SIZE_64];
	struct blkif_request abi_64;
	union blk_x86_32_request abi_x86_32;
};

/**
 * struct blk_limits - what a frontend may ask of a device
 * @capacity: device size, 512-byte sectors
 * @block_sectors: logical block size, 512-byte sectors, a power of two
 * @readonly: whether requests that change data are refused
 * @discard: whether discards are supported
 * @secure: whether secure discards are supported
 */
struct blk_limits {
	u64 capacity;
	u32 block_sectors;
	bool readonly;
	bool discard;
	bool secure;
};

/**
 * struct blk_request - a request, in host terms
 * @id: to be echoed
 * @sector: first sector of the device, 512-byte sectors
 * @nr_sectors: length, 512-byte sectors
 * @nr_segs: data segments
 * @op: BLKIF_OP_*, never BLKIF_OP_INDIRECT: the inner operation is also what
 *	the response says
 * @indirect: whether the segments are in indirect frames
 * @secure: for discards
 * @seg: the segments, if not @indirect
 * @indirect_ref: the frame that holds the segments, if @indirect
 */
struct blk_request {
	u64 id;
	u64 sector;
	u64 nr_sectors;
	u16 nr_segs;
	u8 op;
	bool indirect;
	bool secure;
	union {
		struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
		u32 indirect_ref;
	};
};

enum blk_reject {
	BLK_ACCEPT,
	BLK_UNKNOWN_OP,
	BLK_UNSUPPORTED,
	BLK_READONLY,
	BLK_NO_SEGMENTS,
	BLK_TOO_MANY_SEGMENTS,
	BLK_BAD_INDIRECT_OP,
	BLK_BAD_SEGMENT,
	BLK_MISALIGNED,
	BLK_OUT_OF_RANGE,
};

/**
 * blk_parse_slot() - decode a slot and check all but its segments
 * @abi: the frontend's layout
 * @slot: private copy of the slot
 * @limits: of the device
 * @req: the result; id and op are valid also when the slot is rejected
 *
 * Requests without data are checked completely.
 *
 * Return: BLK_ACCEPT or why not.
 */
enum blk_reject blk_parse_slot(enum blk_abi abi, const union blk_slot *slot,
			       const struct blk_limits *limits,
			       struct blk_request *req);

/**
 * blk_parse_segments() - check the segments of a request and add them up
 * @seg: private copies of req->nr_segs segments
 * @limits: of the device
 * @req: an accepted request; its length is set
 *
 * Return: BLK_ACCEPT or why not.
 */
enum blk_reject blk_parse_segments(const struct blkif_request_segment *seg,
				   const struct blk_limits *limits,
				   struct blk_request *req);

/**
 * blk_reject_text() - what to tell the administrator
 * @reject: a reason
 *
 * Return: a constant string.
 */
const char *blk_reject_text(enum blk_reject reject);

/**
 * blk_reject_status() - what to tell the frontend
 * @reject: a reason
 *
 * Return: BLKIF_RSP_*.
 */
s16 blk_reject_status(enum blk_reject reject);

/* Offset and length of a valid segment in its frame, bytes. */
static inline u32 blk_seg_offset(const struct blkif_request_segment *seg)
{
	return (u32)seg->first_sect << BLK_SECTOR_SHIFT;
}

static inline u32 blk_seg_len(const struct blkif_request_segment *seg)
{
	return (seg->last_sect - seg->first_sect + 1U) << BLK_SECTOR_SHIFT;
}

#endif /* BLKBACK_PARSE_H */

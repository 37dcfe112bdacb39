/* SPDX-License-Identifier: GPL-2.0 */
/* Slots of a block ring, in the layout of either ABI. */
#ifndef ROGUE_BLK_H
#define ROGUE_BLK_H

#include "rogue.h"

#define MAX_SEGS	11
#define SEGS_PER_FRAME	512
#define MAX_LISTS	8

enum { OP_READ, OP_WRITE, OP_BARRIER, OP_FLUSH, OP_PACKET, OP_DISCARD, OP_INDIRECT };
enum { BLK_OKAY = 0, BLK_ERROR = -1, BLK_NOT_SUPPORTED = -2 };

struct seg {
	uint32_t gref;
	uint8_t first, last;
	uint16_t pad;
};

/* Where things are: all but the first bytes move with the alignment of 64-bit numbers. */
struct layout {
	const char *name;
	unsigned int slot, id;
};

static const struct layout layout_64 = { "x86_64-abi", 112, 8 };
static const struct layout layout_32 = { "x86_32-abi", 108, 4 };

struct blk_req {
	uint8_t op, indirect_op, flag;
	uint16_t handle, nr;
	uint64_t id, sector, sectors;
	struct seg segs[MAX_SEGS];
	uint32_t lists[MAX_LISTS];
};

static inline uint32_t ring_entries(const struct layout *lay, unsigned int pages)
{
	uint32_t room = (pages * FRAME - 64) / lay->slot, n = 1;

	while (n * 2 <= room)
		n *= 2;
	return n;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wire formats of block rings. Only layout, no behaviour.
 *
 * A request is laid out by the frontend's ABI. The 64-bit layout is what
 * xen/interface/io/blkif.h declares on every 64-bit architecture; the 32-bit
 * x86 layout aligns 64-bit members to four bytes.
 *
 * Protocol: xen/interface/io/blkif.h.
 */
#ifndef XSPLIT_BLK_WIRE_H
#define XSPLIT_BLK_WIRE_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/io/blkif.h>

/* A sector of the protocol, whatever the sector size of the device. */
#define BLK_SECTOR_SHIFT		9
#define BLK_SECTORS_PER_FRAME		8
#define BLK_FRAME_SIZE			4096
#define BLK_SEGS_PER_INDIRECT_FRAME \
	(BLK_FRAME_SIZE / sizeof(struct blkif_request_segment))

enum blk_abi {
	BLK_ABI_64,
	BLK_ABI_X86_32,
};

struct blk_x86_32_rw {
	u8 operation;
	u8 nr_segments;
	u16 handle;
	u64 id;
	u64 sector_number;
	struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
} __packed;

struct blk_x86_32_discard {
	u8 operation;
	u8 flag;
	u16 pad;
	u64 id;
	u64 sector_number;
	u64 nr_sectors;
} __packed;

struct blk_x86_32_indirect {
	u8 operation;
	u8 indirect_op;
	u16 nr_segments;
	u64 id;
	u64 sector_number;
	u16 handle;
	u16 pad;
	u32 indirect_grefs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
	u64 pad2;
} __packed;

union blk_x86_32_request {
	struct blk_x86_32_rw rw;
	struct blk_x86_32_discard discard;
	struct blk_x86_32_indirect indirect;
} __packed __aligned(4);

struct blk_x86_32_response {
	u64 id;
	u8 operation;
	u8 pad;
	s16 status;
} __packed __aligned(4);

/* blkif_response with its padding named, so that it can be initialised. */
struct blk_64_response {
	u64 id;
	u8 operation;
	u8 pad;
	s16 status;
	u8 pad2[4];
};

/* Slot sizes: the larger of request and response. */
#define BLK_SLOT_SIZE_64	112
#define BLK_SLOT_SIZE_X86_32	108

static_assert(sizeof(struct blkif_request_segment) == 8);
static_assert(sizeof(struct blkif_request) == BLK_SLOT_SIZE_64);
static_assert(offsetof(struct blkif_request, u.rw.id) == 8);
static_assert(offsetof(struct blkif_request, u.discard.id) == 8);
static_assert(offsetof(struct blkif_request, u.indirect.id) == 8);
static_assert(sizeof(struct blkif_response) == sizeof(struct blk_64_response));
static_assert(sizeof(union blk_x86_32_request) == BLK_SLOT_SIZE_X86_32);
static_assert(offsetof(struct blk_x86_32_rw, id) == 4);
static_assert(offsetof(struct blk_x86_32_indirect, indirect_grefs) == 24);
static_assert(sizeof(struct blk_x86_32_response) == 12);

#endif /* XSPLIT_BLK_WIRE_H */

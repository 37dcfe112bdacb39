// SPDX-License-Identifier: GPL-2.0
#include "wire.h"

#include <string.h>

/* WIRE_LAYOUT is wire_64 or wire_32. On 32-bit x86 nothing aligns to more. */
#ifdef WIRE_ALIGN_4
#pragma pack(push, 4)
#endif
#include <xen/xen.h>
#include <xen/io/blkif.h>
#ifdef WIRE_ALIGN_4
#pragma pack(pop)
#endif

static uint32_t entries(size_t bytes)
{
	static blkif_sring_t sring;

	return __RING_SIZE(&sring, bytes);
}

static void put_segments(blkif_request_t *slot, const struct wire_request *req)
{
	unsigned int i;

	for (i = 0; i < WIRE_SEGS; i++) {
		slot->seg[i].gref = req->seg[i].ref;
		slot->seg[i].first_sect = req->seg[i].first;
		slot->seg[i].last_sect = req->seg[i].last;
	}
}

static void put_discard(void *slot, const struct wire_request *req)
{
	blkif_request_discard_t *discard = slot;

	discard->operation = req->op;
	discard->flag = req->flag;
	discard->id = req->id;
	discard->sector_number = req->sector;
	discard->nr_sectors = req->nr_sectors;
}

static void put_indirect(void *slot, const struct wire_request *req)
{
	blkif_request_indirect_t *indirect = slot;
	unsigned int i;

	indirect->operation = req->op;
	indirect->indirect_op = req->indirect_op;
	indirect->nr_segments = req->nr_segs;
	indirect->id = req->id;
	indirect->sector_number = req->sector;
	for (i = 0; i < WIRE_INDIRECT_FRAMES; i++)
		indirect->indirect_grefs[i] = req->frame[i];
}

static void put_direct(void *slot, const struct wire_request *req)
{
	blkif_request_t *direct = slot;

	direct->operation = req->op;
	direct->nr_segments = req->nr_segs;
	direct->id = req->id;
	direct->sector_number = req->sector;
	put_segments(direct, req);
}

static void put_request(void *slot, const struct wire_request *req)
{
	if (req->op == BLKIF_OP_DISCARD)
		put_discard(slot, req);
	else if (req->op == BLKIF_OP_INDIRECT)
		put_indirect(slot, req);
	else
		put_direct(slot, req);
}

static struct wire_response get_response(const void *slot)
{
	blkif_response_t rsp;

	memcpy(&rsp, slot, sizeof(rsp));
	return (struct wire_response) {
		.id = rsp.id,
		.op = rsp.operation,
		.status = rsp.status,
	};
}

const struct wire_layout WIRE_LAYOUT = {
	.slot_size = sizeof(union blkif_sring_entry),
	.response_size = sizeof(blkif_response_t),
	.offset_req_prod = offsetof(blkif_sring_t, req_prod),
	.offset_req_event = offsetof(blkif_sring_t, req_event),
	.offset_rsp_prod = offsetof(blkif_sring_t, rsp_prod),
	.offset_rsp_event = offsetof(blkif_sring_t, rsp_event),
	.offset_slots = offsetof(blkif_sring_t, ring),
	.entries = entries,
	.put_request = put_request,
	.get_response = get_response,
};

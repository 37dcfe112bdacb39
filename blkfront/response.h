/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Validation of responses. PURE: takes copies, touches nothing but the slot
 * table; also builds in user space.
 */
#ifndef XSPLIT_BLKFRONT_RESPONSE_H
#define XSPLIT_BLKFRONT_RESPONSE_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/io/blkif.h>

struct request;

/**
 * struct blkfront_slot - what a request id stands for
 * @rq: the request that waits for a response with this id, else NULL
 * @next: next id in the list that this one is in
 * @op: operation that the response must name
 */
struct blkfront_slot {
	struct request *rq;
	u16 next;
	u8 op;
};

/* What is wrong with a response. */
enum blkfront_offence {
	BLKFRONT_OK,
	BLKFRONT_BAD_ID,
	BLKFRONT_BAD_SLOT,
	BLKFRONT_BAD_OP,
	BLKFRONT_BAD_INDEX,
	BLKFRONT_STILL_MAPPED,
};

/**
 * blkfront_check_response() - whether a response answers a request of ours
 * @slots: all slots
 * @entries: how many
 * @id: the response's id
 * @op: the response's operation
 *
 * A response to an indirect request names the operation inside. Some backends
 * echo the outer one, which is as clear.
 *
 * Return: BLKFRONT_OK, or what is wrong.
 */
static inline enum blkfront_offence
blkfront_check_response(const struct blkfront_slot *slots, u32 entries, u64 id,
			u8 op)
{
	const struct blkfront_slot *slot;

	if (id >= entries)
		return BLKFRONT_BAD_ID;
	slot = &slots[id];
	if (!slot->rq)
		return BLKFRONT_BAD_SLOT;
	if (op == slot->op)
		return BLKFRONT_OK;
	if (op == BLKIF_OP_INDIRECT &&
	    (slot->op == BLKIF_OP_READ || slot->op == BLKIF_OP_WRITE))
		return BLKFRONT_OK;
	return BLKFRONT_BAD_OP;
}

#endif /* XSPLIT_BLKFRONT_RESPONSE_H */

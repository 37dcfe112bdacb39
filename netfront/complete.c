// SPDX-License-Identifier: GPL-2.0
/*
 * Completion of transmission, under the lock of the stack's queue, in batches;
 * packets are freed without it.
 */
#include "netfront.h"

#include <net/xdp.h>

/* Packets freed at once, without the lock; batches per poll. */
#define BATCH	64
#define BATCHES	(NET_RING_SLOTS / BATCH)

/* Packets to be freed. */
struct batch {
	struct sk_buff *skbs[BATCH];
	unsigned int nr;
	unsigned int packets;
	unsigned int bytes;
};

/* Return: whether the backend has let go of what the slot grants. */
static bool revoke(struct netfront_queue *queue, struct netfront_tx_slot *slot)
{
	struct page *page = slot->page;

	switch (slot->kind) {
	case NETFRONT_TX_SLICE:
	case NETFRONT_TX_STATIC:
	case NETFRONT_TX_REQUEST:
		return true;
	}
	if (likely(gnttab_end_foreign_access_ref(slot->ref))) {
		if (slot->kind == NETFRONT_TX_BOUNCE)
			__free_page(page);
		return true;
	}

	/* The page lives on until nobody maps it (XSA-396). */
	if (slot->kind != NETFRONT_TX_BOUNCE)
		get_page(page);
	grant_ref_end(&queue->info->budget, slot->ref, page);
	slot->ref = 0;
	return false;
}

static void end_slot(struct netfront_queue *queue, u16 id, struct batch *batch)
{
	struct netfront_tx_slot *slot = &queue->tx_slots[id];

	batch->bytes += slot->charged;
	batch->packets += slot->charged && slot->first;
	switch (slot->kind) {
	case NETFRONT_TX_STATIC:
		netfront_tx_push_static(queue, slot->entry);
		fallthrough;
	case NETFRONT_TX_SLICE:
		if (!slot->skb)
			break;
		fallthrough;
	case NETFRONT_TX_GRANTED:
		queue->held--;
		if (!--*netfront_slots_left(slot->skb))
			batch->skbs[batch->nr++] = slot->skb;
		break;
	case NETFRONT_TX_FRAME:
		queue->held--;
		xdp_return_frame(slot->frame);
		break;
	case NETFRONT_TX_REQUEST:
		queue->held--;
		break;
	}
	netfront_tx_push_id(queue, id);
}

static void refused(struct netfront_queue *queue,
		    const struct netfront_tx_slot *slot)
{
	if (slot->kind == NETFRONT_TX_REQUEST)
		netfront_multicast_refused(queue->info);
	else if (slot->first)
		netfront_count(queue, NETFRONT_TX_REFUSED);
}

static bool take_response(struct netfront_queue *queue, struct batch *batch)
{
	struct xen_netif_tx_response rsp;
	struct netfront_tx_slot *slot;

	ring_front_get(&queue->tx, &rsp, sizeof(rsp));
	if (rsp.status == XEN_NETIF_RSP_NULL)
		return true;
	slot = &queue->tx_slots[rsp.id % NET_RING_SLOTS];
	if (unlikely(rsp.id >= NET_RING_SLOTS ||
		     slot->kind == NETFRONT_TX_FREE)) {
		netfront_offend(queue, "answered no request to transmit",
				rsp.id);
		return false;
	}
	if (unlikely(rsp.status < 0))
		refused(queue, slot);
	if (unlikely(!revoke(queue, slot))) {
		netfront_offend(queue, "still maps an answered packet", rsp.id);
		end_slot(queue, rsp.id, batch);
		return false;
	}
	end_slot(queue, rsp.id, batch);
	return true;
}

/* Return: whether there was anything. */
static bool take_batch(struct netfront_queue *queue, struct batch *batch)
{
	int pending, n;

	lockdep_assert_held(&queue->txq->_xmit_lock);

	batch->nr = 0;
	batch->packets = 0;
	batch->bytes = 0;
	if (!queue->live)
		return false;
	pending = ring_front_pending(&queue->tx);
	if (unlikely(pending < 0)) {
		netfront_offend(queue, "sent more responses than requests",
				queue->tx.rsp_cons);
		return false;
	}

	for (n = min(pending, BATCH); n; n--)
		if (!take_response(queue, batch))
			break;
	if (batch->bytes)
		netdev_tx_completed_queue(queue->txq, batch->packets,
					  batch->bytes);
	return pending;
}

static void free_batch(const struct batch *batch, int budget)
{
	unsigned int i;

	for (i = 0; i < batch->nr; i++)
		napi_consume_skb(batch->skbs[i], budget);
}

/**
 * netfront_tx_reap() - end what the backend has answered, until there is room
 * @queue: the queue
 *
 * Context: lock of the stack's queue held.
 * Return: whether the largest packet fits into the ring.
 */
bool netfront_tx_reap(struct netfront_queue *queue)
{
	struct batch batch;

	while (!netfront_tx_has_room(queue)) {
		if (!take_batch(queue, &batch))
			return false;
		free_batch(&batch, 0);
	}
	return true;
}

/**
 * netfront_tx_complete() - end what the backend has answered
 * @queue: the queue
 *
 * Context: NAPI.
 * Return: whether there was anything.
 */
bool netfront_tx_complete(struct netfront_queue *queue)
{
	bool worked = false, more = true;
	struct batch batch;
	unsigned int i;

	/* A look at the index alone: mostly there is nothing. */
	if (!ring_front_pending(&queue->tx))
		return false;
	for (i = 0; i < BATCHES && more; i++) {
		__netif_tx_lock(queue->txq, smp_processor_id());
		more = take_batch(queue, &batch);
		if (netif_tx_queue_stopped(queue->txq) && queue->live &&
		    netfront_tx_has_room(queue))
			netif_tx_wake_queue(queue->txq);
		__netif_tx_unlock(queue->txq);
		free_batch(&batch, 1);
		worked |= more;
	}
	return worked;
}

/**
 * netfront_tx_ask() - ask for the next event that transmission needs
 * @queue: the queue
 *
 * That is when half of what is in the ring is done: often enough to keep the
 * ring busy, and rarer the more there is. Nobody waits for copies.
 *
 * Context: lock of the stack's queue held.
 * Return: whether what the event would tell has happened already.
 */
bool netfront_tx_ask(struct netfront_queue *queue)
{
	u32 busy = queue->tx.req_published - queue->tx.rsp_cons;
	u32 after = clamp(busy / 2, 1U, READ_ONCE(queue->info->coalesce.tx_frames));

	if (!queue->held && !netif_xmit_stopped(queue->txq))
		return false;
	return ring_front_arm(&queue->tx, after) >= (int)after;
}

/**
 * netfront_tx_arm() - netfront_tx_ask() for NAPI
 * @queue: the queue
 *
 * Context: NAPI.
 * Return: whether what the event would tell has happened already.
 */
bool netfront_tx_arm(struct netfront_queue *queue)
{
	bool missed = false;

	/* Who changes this asks for an event. */
	if (!READ_ONCE(queue->held) && !netif_xmit_stopped(queue->txq))
		return false;
	__netif_tx_lock(queue->txq, smp_processor_id());
	if (queue->live)
		missed = netfront_tx_ask(queue);
	__netif_tx_unlock(queue->txq);
	return missed;
}

static void free_slices(struct netfront_queue *queue)
{
	struct netfront_slices *slices;
	unsigned int i;

	for (i = 0; i < NETFRONT_SLICE_PAGES; i++) {
		slices = &queue->slices[i];
		if (slices->page)
			grant_ref_end(&queue->info->budget, slices->ref,
				      slices->page);
		slices->page = NULL;
	}
}

static void free_static(struct netfront_queue *queue)
{
	struct netfront_static *entry;

	while ((entry = netfront_tx_pop_static(queue)))
		netfront_static_free(queue->info, entry);
}

/**
 * netfront_tx_drop_all() - free packets without answer, and all memory
 * @queue: a queue that nobody uses
 */
void netfront_tx_drop_all(struct netfront_queue *queue)
{
	struct netfront_tx_slot *slot;
	struct batch batch;
	u16 id;

	for (id = 0; id < NET_RING_SLOTS; id++) {
		slot = &queue->tx_slots[id];
		if (slot->kind != NETFRONT_TX_FREE) {
			batch.nr = 0;
			revoke(queue, slot);
			end_slot(queue, id, &batch);
			free_batch(&batch, 0);
		}
		grant_ref_free(&queue->info->budget, slot->ref);
		slot->ref = 0;
	}
	free_slices(queue);
	free_static(queue);
	netdev_tx_reset_queue(queue->txq);
}

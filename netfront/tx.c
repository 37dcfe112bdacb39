// SPDX-License-Identifier: GPL-2.0
/*
 * Transmission: plan how the data travels, reserve ids with all that they
 * need, fill slots, then tell the backend once when the stack has no more.
 *
 * Small packets are copied into slices of pages that stay granted, one slice
 * for each id, and are done with at once. The pages of others are granted until
 * they are answered. What the backend must not see beside the data, or what has
 * too many pieces, is packed into pages of its own.
 *
 * All of it runs under the lock of the stack's queue, completion too: no other
 * lock is needed, and a queue cannot be stopped while it is being woken.
 */
#include "netfront.h"

#include <linux/ip.h>
#include <net/tcp.h>
#include <xen/page.h>

/* Packets freed at once, without the lock; batches per poll. */
#define BATCH	64
#define BATCHES	(NET_RING_SLOTS / BATCH)

/* How a packet travels. */
struct plan {
	enum netfront_tx_kind kind;
	unsigned int slots;
	u16 flags;
	u16 ids[XEN_NETIF_NR_SLOTS_MIN];
};

/* Packets to be freed. */
struct batch {
	struct sk_buff *skbs[BATCH];
	unsigned int nr;
	unsigned int packets;
	unsigned int bytes;
};

/* Slots that a packet waits for; kept in the packet while it is ours. */
static unsigned int *left(struct sk_buff *skb)
{
	return (unsigned int *)skb->cb;
}

void netfront_tx_init(struct netfront_queue *queue)
{
	u16 id;

	for (id = 0; id < NET_RING_SLOTS; id++)
		queue->tx_slots[id].next = id + 1;
	queue->tx_slots[NET_RING_SLOTS - 1].next = NETFRONT_NO_ID;
	queue->free_id = 0;
}

/* --- plan ---------------------------------------------------------------- */

static unsigned int count_frames(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int frames, i;

	frames = XEN_PFN_UP(xen_offset_in_page(skb->data) + skb_headlen(skb));
	for (i = 0; i < info->nr_frags; i++)
		frames += XEN_PFN_UP(xen_offset_in_page(
				skb_frag_off(&info->frags[i])) +
				skb_frag_size(&info->frags[i]));
	return frames;
}

/* Backends look for the Ethernet header in the first slot. */
static bool has_whole_header(const struct sk_buff *skb)
{
	return skb_headlen(skb) >= ETH_HLEN &&
	       xen_offset_in_page(skb->data) <= XEN_PAGE_SIZE - ETH_HLEN;
}

static void plan_packet(const struct netfront *info, const struct sk_buff *skb,
			struct plan *plan)
{
	if (skb->len <= netfront_params.tx_copybreak) {
		plan->kind = NETFRONT_TX_SLICE;
		plan->slots = 1;
		return;
	}
	/* Nothing about this transmission can be kept in a shared packet. */
	if (info->trusted && has_whole_header(skb) && !skb_shared(skb)) {
		plan->kind = NETFRONT_TX_GRANTED;
		plan->slots = count_frames(skb);
		if (likely(plan->slots <= XEN_NETIF_NR_SLOTS_MIN))
			return;
	}
	plan->kind = NETFRONT_TX_BOUNCE;
	plan->slots = XEN_PFN_UP(skb->len);
}

/* Backends know where two protocols have their checksums, and no others. */
static bool offloads_checksum(const struct sk_buff *skb)
{
	return skb->csum_offset == offsetof(struct tcphdr, check) ||
	       skb->csum_offset == offsetof(struct udphdr, check);
}

static bool plan_flags(struct sk_buff *skb, struct plan *plan)
{
	plan->flags = 0;
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		if (unlikely(!offloads_checksum(skb)))
			return !skb_checksum_help(skb);
		plan->flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	} else if (skb->ip_summed == CHECKSUM_UNNECESSARY) {
		plan->flags = XEN_NETTXF_data_validated;
	}
	if (skb_is_gso(skb))
		plan->flags |= XEN_NETTXF_extra_info;
	return true;
}

/* --- reserve ------------------------------------------------------------- */

static u16 pop_id(struct netfront_queue *queue)
{
	u16 id = queue->free_id;

	queue->free_id = queue->tx_slots[id].next;
	return id;
}

static void push_id(struct netfront_queue *queue, u16 id)
{
	struct netfront_tx_slot *slot = &queue->tx_slots[id];

	slot->kind = NETFRONT_TX_FREE;
	slot->skb = NULL;
	slot->next = queue->free_id;
	queue->free_id = id;
}

static bool need_slice(struct netfront_queue *queue, u16 id)
{
	struct netfront_slices *slices = &queue->slices[id / NETFRONT_SLICES];
	struct netfront *info = queue->info;

	if (likely(slices->page))
		return true;
	slices->ref = grant_ref_alloc(&info->budget);
	if (!slices->ref)
		return false;
	slices->page = alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
	if (!slices->page) {
		grant_ref_free(&info->budget, slices->ref);
		return false;
	}
	gnttab_page_grant_foreign_access_ref_one(slices->ref,
						 info->xbdev->otherend_id,
						 slices->page, 1);
	return true;
}

static bool need_ref(struct netfront_queue *queue, struct netfront_tx_slot *slot)
{
	if (unlikely(!slot->ref))
		slot->ref = grant_ref_alloc(&queue->info->budget);
	return slot->ref;
}

/* The peer sees all of the page. */
static bool need_page(struct netfront_tx_slot *slot)
{
	slot->page = alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
	return slot->page;
}

static bool equip(struct netfront_queue *queue, u16 id,
		  enum netfront_tx_kind kind)
{
	struct netfront_tx_slot *slot = &queue->tx_slots[id];

	switch (kind) {
	case NETFRONT_TX_SLICE:
		return need_slice(queue, id);
	case NETFRONT_TX_GRANTED:
		return need_ref(queue, slot);
	default:
		return need_ref(queue, slot) && need_page(slot);
	}
}

static void unreserve(struct netfront_queue *queue, struct plan *plan,
		      unsigned int nr)
{
	while (nr--) {
		if (plan->kind == NETFRONT_TX_BOUNCE)
			__free_page(queue->tx_slots[plan->ids[nr]].page);
		push_id(queue, plan->ids[nr]);
	}
}

/* A free ring slot has a free id, because only some slots need one. */
static bool reserve(struct netfront_queue *queue, struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->slots; i++) {
		plan->ids[i] = pop_id(queue);
		if (unlikely(!equip(queue, plan->ids[i], plan->kind))) {
			push_id(queue, plan->ids[i]);
			unreserve(queue, plan, i);
			return false;
		}
	}
	return true;
}

/* --- fill ---------------------------------------------------------------- */

/* Walks the reserved ids while slots are filled. */
struct cursor {
	struct netfront_queue *queue;
	const struct plan *plan;
	struct sk_buff *skb;
	unsigned int next;
};

static void put_gso(struct netfront_queue *queue, const struct sk_buff *skb)
{
	bool v6 = skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6;
	union net_tx_slot slot = {};

	slot.extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
	slot.extra.u.gso.size = skb_shinfo(skb)->gso_size;
	slot.extra.u.gso.type = v6 ? XEN_NETIF_GSO_TYPE_TCPV6 :
				     XEN_NETIF_GSO_TYPE_TCPV4;
	ring_front_put(&queue->tx, &slot, sizeof(slot));
}

static void put_slot(struct cursor *cur, grant_ref_t ref, unsigned int offset,
		     unsigned int len)
{
	const struct plan *plan = cur->plan;
	u16 id = plan->ids[cur->next];
	struct netfront_tx_slot *slot = &cur->queue->tx_slots[id];
	struct xen_netif_tx_request req = {
		.gref = ref,
		.offset = offset,
		.id = id,
		.size = len,
	};

	slot->kind = plan->kind;
	slot->len = len;
	slot->first = !cur->next;
	if (!cur->next++) {
		req.size = cur->skb->len;
		req.flags = plan->flags;
	}
	if (cur->next < plan->slots)
		req.flags |= XEN_NETTXF_more_data;
	ring_front_put(&cur->queue->tx, &req, sizeof(req));
	if (req.flags & XEN_NETTXF_extra_info)
		put_gso(cur->queue, cur->skb);
}

static void put_copy(struct cursor *cur)
{
	u16 id = cur->plan->ids[0];
	struct netfront_slices *slices;
	unsigned int offset;

	slices = &cur->queue->slices[id / NETFRONT_SLICES];
	offset = id % NETFRONT_SLICES * NETFRONT_SLICE_SIZE;
	skb_copy_bits(cur->skb, 0, page_address(slices->page) + offset,
		      cur->skb->len);
	put_slot(cur, slices->ref, offset, cur->skb->len);
}

static void put_bounce(struct cursor *cur)
{
	domid_t domid = cur->queue->info->xbdev->otherend_id;
	unsigned int pos = 0, len;
	struct netfront_tx_slot *slot;

	for (; pos < cur->skb->len; pos += len) {
		slot = &cur->queue->tx_slots[cur->plan->ids[cur->next]];
		len = min_t(unsigned int, cur->skb->len - pos, XEN_PAGE_SIZE);
		skb_copy_bits(cur->skb, pos, page_address(slot->page), len);
		gnttab_page_grant_foreign_access_ref_one(slot->ref, domid,
							 slot->page, 1);
		put_slot(cur, slot->ref, 0, len);
	}
}

static void put_range(struct cursor *cur, struct page *page,
		      unsigned int offset, unsigned int len)
{
	domid_t domid = cur->queue->info->xbdev->otherend_id;
	struct netfront_tx_slot *slot;
	unsigned int n;

	page += offset / PAGE_SIZE;
	offset %= PAGE_SIZE;
	for (; len; len -= n, offset = 0, page++) {
		slot = &cur->queue->tx_slots[cur->plan->ids[cur->next]];
		n = min_t(unsigned int, len, PAGE_SIZE - offset);
		slot->skb = cur->skb;
		slot->page = page;
		gnttab_page_grant_foreign_access_ref_one(slot->ref, domid,
							 page, 1);
		put_slot(cur, slot->ref, offset, n);
	}
}

static void put_granted(struct cursor *cur)
{
	const struct skb_shared_info *info = skb_shinfo(cur->skb);
	const skb_frag_t *frag;
	unsigned int i;

	*left(cur->skb) = cur->plan->slots;
	cur->queue->held += cur->plan->slots;
	put_range(cur, virt_to_page(cur->skb->data),
		  offset_in_page(cur->skb->data), skb_headlen(cur->skb));
	for (i = 0; i < info->nr_frags; i++) {
		frag = &info->frags[i];
		put_range(cur, skb_frag_page(frag), skb_frag_off(frag),
			  skb_frag_size(frag));
	}
}

static void put_packet(struct netfront_queue *queue, struct sk_buff *skb,
		       const struct plan *plan)
{
	struct cursor cur = { .queue = queue, .plan = plan, .skb = skb };

	switch (plan->kind) {
	case NETFRONT_TX_SLICE:
		netfront_count(queue, NETFRONT_TX_COPIED);
		put_copy(&cur);
		break;
	case NETFRONT_TX_BOUNCE:
		netfront_count(queue, NETFRONT_TX_BOUNCED);
		put_bounce(&cur);
		break;
	default:
		put_granted(&cur);
	}
	netfront_count(queue, NETFRONT_TX_PACKETS);
	netfront_add(queue, NETFRONT_TX_BYTES, skb->len);
	if (skb_is_gso(skb))
		netfront_count(queue, NETFRONT_TX_GSO);
}

/* --- complete ------------------------------------------------------------ */

/* Return: whether the backend has let go of what the slot grants. */
static bool revoke(struct netfront_queue *queue, struct netfront_tx_slot *slot)
{
	struct page *page = slot->page;

	if (slot->kind == NETFRONT_TX_SLICE)
		return true;
	if (likely(gnttab_end_foreign_access_ref(slot->ref))) {
		if (slot->kind == NETFRONT_TX_BOUNCE)
			__free_page(page);
		return true;
	}

	/* The page lives on until nobody maps it (XSA-396). */
	if (slot->kind == NETFRONT_TX_GRANTED)
		get_page(page);
	grant_ref_end(&queue->info->budget, slot->ref, page);
	slot->ref = 0;
	return false;
}

static void end_slot(struct netfront_queue *queue, u16 id, struct batch *batch)
{
	struct netfront_tx_slot *slot = &queue->tx_slots[id];
	struct sk_buff *skb = slot->skb;

	if (slot->kind != NETFRONT_TX_SLICE) {
		batch->bytes += slot->len;
		batch->packets += slot->first;
	}
	if (skb) {
		queue->held--;
		if (!--*left(skb))
			batch->skbs[batch->nr++] = skb;
	}
	push_id(queue, id);
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
	if (unlikely(rsp.status < 0) && slot->first)
		netfront_count(queue, NETFRONT_TX_REFUSED);
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

static bool has_room(const struct netfront_queue *queue)
{
	return ring_front_free(&queue->tx) >= NETFRONT_TX_MAX_SLOTS;
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
		    has_room(queue))
			netif_tx_wake_queue(queue->txq);
		__netif_tx_unlock(queue->txq);
		free_batch(&batch, 1);
		worked |= more;
	}
	return worked;
}

/*
 * Ask for an event when half of what is in the ring is done: often enough to
 * keep the ring busy, and rarer the more there is. Nobody waits for copies.
 */
static bool arm(struct netfront_queue *queue)
{
	u32 busy = queue->tx.req_published - queue->tx.rsp_cons;
	u32 after = max(busy / 2, 1U);

	if (!queue->held && !netif_xmit_stopped(queue->txq))
		return false;
	return ring_front_arm(&queue->tx, after) >= (int)after;
}

/**
 * netfront_tx_arm() - ask for the next event that transmission needs
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
		missed = arm(queue);
	__netif_tx_unlock(queue->txq);
	return missed;
}

/* --- transmit ------------------------------------------------------------ */

static void push(struct netfront_queue *queue)
{
	if (!ring_front_push(&queue->tx))
		return;
	event_channel_notify(&queue->tx_channel.ec);
	netfront_count(queue, NETFRONT_TX_NOTIFIED);
}

/*
 * The backend may have answered without an event, since none was asked for:
 * look before stopping.
 */
static void make_room(struct netfront_queue *queue)
{
	struct batch batch;

	push(queue);
	do {
		if (!take_batch(queue, &batch))
			break;
		free_batch(&batch, 0);
	} while (!has_room(queue));
	if (!has_room(queue))
		netif_tx_stop_queue(queue->txq);
}

static enum netfront_counter send(struct netfront_queue *queue,
				  struct sk_buff *skb)
{
	struct plan plan;

	if (unlikely(!queue->live || !has_room(queue)))
		return NETFRONT_TX_NOT_READY;
	if (unlikely(skb->len < ETH_HLEN || skb->len > XEN_NETIF_MAX_TX_SIZE ||
		     !plan_flags(skb, &plan)))
		return NETFRONT_TX_BAD_PACKET;
	plan_packet(queue->info, skb, &plan);
	if (unlikely(!reserve(queue, &plan)))
		return NETFRONT_TX_NO_MEMORY;

	skb_tx_timestamp(skb);
	/* What is copied is bounded by the ring, and gone from the stack. */
	if (plan.kind != NETFRONT_TX_SLICE)
		netdev_tx_sent_queue(queue->txq, skb->len);
	put_packet(queue, skb, &plan);
	if (plan.kind != NETFRONT_TX_GRANTED)
		dev_consume_skb_any(skb);
	return NETFRONT_TX_PACKETS;
}

/* Make sure of an event if there was no need for one until now. */
static void need_event(struct netfront_queue *queue, bool idle)
{
	bool stopped = netif_xmit_stopped(queue->txq);

	if (!stopped && (!queue->held || !idle))
		return;
	if (arm(queue))
		napi_schedule(&queue->napi);
}

/**
 * netfront_xmit() - send a packet
 * @skb: the packet
 * @netdev: the interface
 *
 * Context: softirq or BH disabled, lock of the packet's queue held.
 * Return: NETDEV_TX_OK: what cannot be sent is dropped and counted.
 */
netdev_tx_t netfront_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct netfront *info = netdev_priv(netdev);
	struct netfront_queue *queue;
	enum netfront_counter result;
	bool idle;

	/* The number of queues may have changed since one was chosen. */
	if (unlikely(skb_get_queue_mapping(skb) >= info->nr_queues)) {
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	queue = &info->queues[skb_get_queue_mapping(skb)];
	idle = !queue->held;
	result = send(queue, skb);
	if (unlikely(result != NETFRONT_TX_PACKETS)) {
		netfront_count(queue, result);
		dev_kfree_skb_any(skb);
	}
	if (unlikely(!has_room(queue)))
		make_room(queue);
	if (!netdev_xmit_more() || netif_xmit_stopped(queue->txq))
		push(queue);
	need_event(queue, idle);
	return NETDEV_TX_OK;
}

/* --- end ----------------------------------------------------------------- */

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
			batch = (struct batch) {};
			revoke(queue, slot);
			end_slot(queue, id, &batch);
			free_batch(&batch, 0);
		}
		grant_ref_free(&queue->info->budget, slot->ref);
		slot->ref = 0;
	}
	free_slices(queue);
	netdev_tx_reset_queue(queue->txq);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Transmission: plan how the data travels, reserve ids with all that they
 * need, fill slots, then tell the backend once when the stack has no more.
 *
 * Small packets are copied into slices of pages that stay granted, one slice
 * for each id, others into pages that the backend keeps mapped; both are mostly
 * done with at once. Where there are no such pages, the packet's own are granted
 * until they are answered. What the backend must not see beside the data, or
 * what has too many pieces, is packed into pages of its own then.
 *
 * All of it runs under the lock of the stack's queue, completion too: no other
 * lock is needed, and a queue cannot be stopped while it is being woken.
 */
#include "netfront.h"

#include <net/tcp.h>
#include <net/xdp.h>
#include <xen/page.h>

/* Slots in use above which a sender waits for its packets. */
#define FEW_SLOTS	8

/* How a packet, which is an skb or a frame, travels. */
struct plan {
	struct sk_buff *skb;
	struct xdp_frame *frame;
	unsigned int len;
	u16 flags;
	enum netfront_tx_kind kind;
	bool hold;
	unsigned int slots;
	u16 ids[XEN_NETIF_NR_SLOTS_MIN];

	/* Number of slots that were filled. */
	unsigned int filled;
};

/* --- plan ---------------------------------------------------------------- */

static unsigned int count_frames(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int frames, offset, i;

	frames = XEN_PFN_UP(xen_offset_in_page(skb->data) + skb_headlen(skb));
	for (i = 0; i < info->nr_frags; i++) {
		offset = xen_offset_in_page(skb_frag_off(&info->frags[i]));
		frames += XEN_PFN_UP(offset + skb_frag_size(&info->frags[i]));
	}
	return frames;
}

/* Backends look for the Ethernet header in the first slot. */
static bool has_whole_header(const struct sk_buff *skb)
{
	return skb_headlen(skb) >= ETH_HLEN &&
	       xen_offset_in_page(skb->data) <= XEN_PAGE_SIZE - ETH_HLEN;
}

static void plan_bounce(struct plan *plan)
{
	plan->kind = NETFRONT_TX_BOUNCE;
	plan->slots = XEN_PFN_UP(plan->len);
}

/* Return: false if there are too few static pages. */
static bool plan_static(struct netfront_queue *queue, struct plan *plan)
{
	unsigned int slots = XEN_PFN_UP(plan->len);

	if (queue->nr_tx_free < slots) {
		netfront_note_load(queue, &queue->tx_load, slots,
				   NETFRONT_WANT_TX);
		return false;
	}
	plan->kind = NETFRONT_TX_STATIC;
	plan->slots = slots;
	queue->tx_static_used = true;
	return true;
}

/*
 * What was copied need not be kept, unless the size of the sender's buffer is
 * all that keeps it from sending more than anybody can receive.
 */
static bool must_wait(const struct netfront_queue *queue,
		      const struct sk_buff *skb)
{
	return skb->destructor == sock_wfree && !skb_shared(skb) &&
	       queue->tx.req_prod - queue->tx.rsp_cons >= FEW_SLOTS;
}

static void plan_packet(struct netfront_queue *queue, struct plan *plan)
{
	const struct netfront *info = queue->info;
	const struct sk_buff *skb = plan->skb;

	if (plan->len <= netfront_params.tx_copybreak) {
		plan->kind = NETFRONT_TX_SLICE;
		plan->hold = must_wait(queue, skb);
		plan->slots = 1;
		return;
	}
	if (plan_static(queue, plan)) {
		plan->hold = must_wait(queue, skb);
		return;
	}
	/* Nothing about this transmission can be kept in a shared packet. */
	if (info->trusted && has_whole_header(skb) && !skb_shared(skb)) {
		plan->kind = NETFRONT_TX_GRANTED;
		plan->hold = true;
		plan->slots = count_frames(skb);
		if (likely(plan->slots <= XEN_NETIF_NR_SLOTS_MIN))
			return;
	}
	plan->hold = false;
	plan_bounce(plan);
}

/* A frame is granted only where one slot is enough for it. */
static void plan_frame(struct netfront_queue *queue, struct plan *plan)
{
	plan->slots = 1;
	if (plan->len <= netfront_params.tx_copybreak)
		plan->kind = NETFRONT_TX_SLICE;
	else if (plan_static(queue, plan))
		return;
	else if (queue->info->trusted && xen_offset_in_page(plan->frame->data) +
				  plan->len <= XEN_PAGE_SIZE)
		plan->kind = NETFRONT_TX_FRAME;
	else
		plan_bounce(plan);
}

/* Backends know where two protocols have their checksums, and no others. */
static bool offloads_checksum(const struct sk_buff *skb)
{
	return skb->csum_offset == offsetof(struct tcphdr, check) ||
	       skb->csum_offset == offsetof(struct udphdr, check);
}

static bool plan_flags(struct plan *plan)
{
	struct sk_buff *skb = plan->skb;

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

	/* Ring slots were freed, but not the ids of the requests in them. */
	if (unlikely(id == NETFRONT_NO_ID))
		netfront_offend(queue, "left requests to transmit unanswered",
				queue->tx.rsp_cons);
	else
		queue->free_id = queue->tx_slots[id].next;
	return id;
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

/* There are as many as the plan needs. */
static bool need_static(struct netfront_queue *queue,
			struct netfront_tx_slot *slot)
{
	slot->entry = netfront_tx_pop_static(queue);
	return slot->entry;
}

static bool equip(struct netfront_queue *queue, u16 id,
		  enum netfront_tx_kind kind)
{
	struct netfront_tx_slot *slot = &queue->tx_slots[id];

	switch (kind) {
	case NETFRONT_TX_SLICE:
		return need_slice(queue, id);
	case NETFRONT_TX_STATIC:
		return need_static(queue, slot);
	case NETFRONT_TX_BOUNCE:
		return need_ref(queue, slot) && need_page(slot);
	case NETFRONT_TX_REQUEST:
		return true;
	default:
		return need_ref(queue, slot);
	}
}

static void unreserve(struct netfront_queue *queue, struct plan *plan,
		      unsigned int nr)
{
	struct netfront_tx_slot *slot;

	while (nr--) {
		slot = &queue->tx_slots[plan->ids[nr]];
		if (plan->kind == NETFRONT_TX_BOUNCE)
			__free_page(slot->page);
		if (plan->kind == NETFRONT_TX_STATIC)
			netfront_tx_push_static(queue, slot->entry);
		netfront_tx_push_id(queue, plan->ids[nr]);
	}
}

/* A free ring slot has a free id, because only some slots need one. */
static bool reserve(struct netfront_queue *queue, struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->slots; i++) {
		plan->ids[i] = pop_id(queue);
		if (unlikely(plan->ids[i] == NETFRONT_NO_ID))
			break;
		if (unlikely(!equip(queue, plan->ids[i], plan->kind))) {
			netfront_tx_push_id(queue, plan->ids[i]);
			break;
		}
	}
	if (likely(i == plan->slots))
		return true;
	unreserve(queue, plan, i);
	return false;
}

/* --- fill ---------------------------------------------------------------- */

static struct netfront_tx_slot *next_slot(struct netfront_queue *queue,
					  const struct plan *plan)
{
	return &queue->tx_slots[plan->ids[plan->filled]];
}

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

static void put_multicast(struct netfront_queue *queue, u8 type,
			  const u8 *addr)
{
	union net_tx_slot slot = {};

	slot.extra.type = type;
	ether_addr_copy(slot.extra.u.mcast.addr, addr);
	ring_front_put(&queue->tx, &slot, sizeof(slot));
}

static void put_slot(struct netfront_queue *queue, struct plan *plan,
		     grant_ref_t ref, unsigned int offset, unsigned int len)
{
	struct netfront_tx_slot *slot = next_slot(queue, plan);
	struct xen_netif_tx_request req = {
		.gref = ref,
		.offset = offset,
		.id = plan->ids[plan->filled],
		.size = len,
	};

	slot->kind = plan->kind;
	slot->first = !plan->filled;
	/* What is copied is bounded by the ring, and gone from the stack. */
	slot->charged = plan->skb && plan->kind != NETFRONT_TX_SLICE ? len : 0;
	if (!plan->filled++) {
		req.size = plan->len;
		req.flags = plan->flags;
	}
	if (plan->filled < plan->slots)
		req.flags |= XEN_NETTXF_more_data;
	ring_front_put(&queue->tx, &req, sizeof(req));
	if (req.flags & XEN_NETTXF_extra_info && plan->skb)
		put_gso(queue, plan->skb);
}

static void grant(struct netfront_queue *queue, struct netfront_tx_slot *slot)
{
	domid_t domid = queue->info->xbdev->otherend_id;

	gnttab_page_grant_foreign_access_ref_one(slot->ref, domid, slot->page,
						 1);
}

/* Mostly all of it lies in one fragment. */
static void copy_frame(struct sk_buff *skb, unsigned int pos, void *dst)
{
	unsigned int done, n;
	struct skb_seq_state seq;
	const u8 *src;

	skb_prepare_seq_read(skb, pos, pos + XEN_PAGE_SIZE, &seq);
	for (done = 0; done < XEN_PAGE_SIZE; done += n) {
		n = skb_seq_read(done, &src, &seq);
		if (unlikely(!n))
			break;
		n = min_t(unsigned int, n, XEN_PAGE_SIZE - done);
		copy_data(dst + done, src, n);
	}
	skb_abort_seq_read(&seq);
}

static void copy_bits(const struct plan *plan, unsigned int pos, void *dst,
		      unsigned int len)
{
	if (!plan->skb)
		copy_data(dst, plan->frame->data + pos, len);
	else if (len == XEN_PAGE_SIZE)
		copy_frame(plan->skb, pos, dst);
	else
		skb_copy_bits(plan->skb, pos, dst, len);
}

static void put_copy(struct netfront_queue *queue, struct plan *plan)
{
	u16 id = plan->ids[0];
	struct netfront_slices *slices = &queue->slices[id / NETFRONT_SLICES];
	unsigned int offset = id % NETFRONT_SLICES * NETFRONT_SLICE_SIZE;

	copy_bits(plan, 0, page_address(slices->page) + offset, plan->len);
	next_slot(queue, plan)->skb = plan->hold ? plan->skb : NULL;
	put_slot(queue, plan, slices->ref, offset, plan->len);
	if (likely(slices->mapped))
		queue->tx_static_used = true;
	else
		netfront_note_load(queue, &queue->tx_load, 1,
				   NETFRONT_WANT_SLICES);
}

static void put_static(struct netfront_queue *queue, struct plan *plan)
{
	unsigned int pos = 0, len;
	struct netfront_tx_slot *slot;

	for (; pos < plan->len; pos += len) {
		slot = next_slot(queue, plan);
		len = min_t(unsigned int, plan->len - pos, XEN_PAGE_SIZE);
		copy_bits(plan, pos, page_address(slot->entry->page), len);
		slot->skb = plan->hold ? plan->skb : NULL;
		put_slot(queue, plan, slot->entry->ref, 0, len);
	}
	netfront_add(queue, NETFRONT_TX_STATIC_PAGES, plan->slots);
}

static void put_bounce(struct netfront_queue *queue, struct plan *plan)
{
	unsigned int pos = 0, len;
	struct netfront_tx_slot *slot;

	for (; pos < plan->len; pos += len) {
		slot = next_slot(queue, plan);
		len = min_t(unsigned int, plan->len - pos, XEN_PAGE_SIZE);
		copy_bits(plan, pos, page_address(slot->page), len);
		grant(queue, slot);
		put_slot(queue, plan, slot->ref, 0, len);
	}
}

static void put_range(struct netfront_queue *queue, struct plan *plan,
		      struct page *page, unsigned int offset, unsigned int len)
{
	struct netfront_tx_slot *slot;
	unsigned int n;

	page += offset / PAGE_SIZE;
	offset %= PAGE_SIZE;
	for (; len; len -= n, offset = 0, page++) {
		slot = next_slot(queue, plan);
		n = min_t(unsigned int, len, PAGE_SIZE - offset);
		slot->skb = plan->skb;
		slot->page = page;
		grant(queue, slot);
		put_slot(queue, plan, slot->ref, offset, n);
	}
}

static void put_granted(struct netfront_queue *queue, struct plan *plan)
{
	struct sk_buff *skb = plan->skb;
	const skb_frag_t *frag;
	unsigned int i;

	put_range(queue, plan, virt_to_page(skb->data),
		  offset_in_page(skb->data), skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		put_range(queue, plan, skb_frag_page(frag), skb_frag_off(frag),
			  skb_frag_size(frag));
	}
}

static void put_frame(struct netfront_queue *queue, struct plan *plan)
{
	struct netfront_tx_slot *slot = next_slot(queue, plan);
	void *data = plan->frame->data;

	queue->held++;
	slot->frame = plan->frame;
	slot->page = virt_to_page(data);
	grant(queue, slot);
	put_slot(queue, plan, slot->ref, offset_in_page(data), plan->len);
}

static void put_packet(struct netfront_queue *queue, struct plan *plan)
{
	if (plan->hold) {
		*netfront_slots_left(plan->skb) = plan->slots;
		queue->held += plan->slots;
	}
	switch (plan->kind) {
	case NETFRONT_TX_SLICE:
		netfront_count(queue, NETFRONT_TX_COPIED);
		put_copy(queue, plan);
		break;
	case NETFRONT_TX_STATIC:
		put_static(queue, plan);
		break;
	case NETFRONT_TX_BOUNCE:
		netfront_count(queue, NETFRONT_TX_BOUNCED);
		put_bounce(queue, plan);
		break;
	case NETFRONT_TX_FRAME:
		put_frame(queue, plan);
		break;
	default:
		put_granted(queue, plan);
	}
	netfront_count(queue, NETFRONT_TX_PACKETS);
	netfront_add(queue, NETFRONT_TX_BYTES, plan->len);
}

/* --- transmit ------------------------------------------------------------ */

/**
 * netfront_tx_push() - show the backend all requests
 * @queue: the queue
 *
 * Context: lock of the stack's queue held.
 */
void netfront_tx_push(struct netfront_queue *queue)
{
	if (!ring_front_push(&queue->tx))
		return;
	event_channel_notify(&queue->tx_channel.ec);
	netfront_count(queue, NETFRONT_TX_NOTIFIED);
}

static enum netfront_counter send(struct netfront_queue *queue,
				  struct sk_buff *skb)
{
	struct plan plan = { .skb = skb, .len = skb->len };

	if (unlikely(!queue->live || !netfront_tx_has_room(queue)))
		return NETFRONT_TX_NOT_READY;
	if (unlikely(skb->len < ETH_HLEN || skb->len > XEN_NETIF_MAX_TX_SIZE ||
		     !plan_flags(&plan)))
		return NETFRONT_TX_BAD_PACKET;
	plan_packet(queue, &plan);
	if (unlikely(!reserve(queue, &plan)))
		return NETFRONT_TX_NO_MEMORY;

	skb_tx_timestamp(skb);
	if (skb_is_gso(skb))
		netfront_count(queue, NETFRONT_TX_GSO);
	if (plan.kind != NETFRONT_TX_SLICE)
		netdev_tx_sent_queue(queue->txq, skb->len);
	put_packet(queue, &plan);
	if (!plan.hold)
		dev_consume_skb_any(skb);
	return NETFRONT_TX_PACKETS;
}

/*
 * The backend may have answered without an event, since none was asked for, or
 * do so now if it waits for this CPU: look before stopping.
 */
static void make_room(struct netfront_queue *queue)
{
	netfront_tx_push(queue);
	if (netfront_tx_reap(queue))
		return;
	event_channel_yield();
	if (!netfront_tx_reap(queue))
		netif_tx_stop_queue(queue->txq);
}

/* Make sure of an event if there was no need for one until now. */
static void need_event(struct netfront_queue *queue, bool idle)
{
	bool stopped = netif_xmit_stopped(queue->txq);

	if (!stopped && (!queue->held || !idle))
		return;
	if (netfront_tx_ask(queue))
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
	bool idle, hand_over;

	queue = netfront_get_queue(info, skb_get_queue_mapping(skb));
	if (unlikely(!queue)) {
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	idle = !queue->held;
	result = send(queue, skb);
	if (unlikely(result != NETFRONT_TX_PACKETS)) {
		netfront_count(queue, result);
		dev_kfree_skb_any(skb);
	}
	if (unlikely(!netfront_tx_has_room(queue)))
		make_room(queue);
	hand_over = netfront_handover_due(queue, !netdev_xmit_more());
	if (!netdev_xmit_more() || netif_xmit_stopped(queue->txq))
		netfront_tx_push(queue);
	need_event(queue, idle);
	if (hand_over)
		netfront_hand_over(queue);
	return NETDEV_TX_OK;
}

/**
 * netfront_tx_frame() - put an XDP frame into the ring; the backend is not told
 * @queue: the queue
 * @frame: the frame; on success it is returned when it was sent
 *
 * Context: softirq, lock of the stack's queue held.
 * Return: 0 or -errno.
 */
int netfront_tx_frame(struct netfront_queue *queue, struct xdp_frame *frame)
{
	struct plan plan = { .frame = frame, .len = frame->len };
	bool idle = !queue->held;

	if (unlikely(!queue->live || !netfront_tx_reap(queue)))
		return -ENOBUFS;
	if (unlikely(frame->len < ETH_HLEN || xdp_frame_has_frags(frame) ||
		     frame->len > XEN_NETIF_MAX_TX_SIZE))
		return -EINVAL;
	plan_frame(queue, &plan);
	if (unlikely(!reserve(queue, &plan)))
		return -ENOMEM;

	put_packet(queue, &plan);
	if (plan.kind != NETFRONT_TX_FRAME)
		xdp_return_frame(frame);
	need_event(queue, idle);
	return 0;
}

/**
 * netfront_tx_request() - put a request about a multicast address into the ring
 * @queue: the queue
 * @type: XEN_NETIF_EXTRA_TYPE_MCAST_ADD or _DEL
 * @addr: the address
 *
 * The backend is not told yet.
 *
 * Context: lock of the stack's queue held.
 * Return: 0, or -EBUSY if there is no room.
 */
int netfront_tx_request(struct netfront_queue *queue, u8 type, const u8 *addr)
{
	struct plan plan = {
		.kind = NETFRONT_TX_REQUEST,
		.flags = XEN_NETTXF_extra_info,
		.slots = 1,
	};

	if (!queue->live || !netfront_tx_reap(queue) || !reserve(queue, &plan))
		return -EBUSY;
	queue->held++;
	put_slot(queue, &plan, 0, 0, 0);
	put_multicast(queue, type, addr);
	return 0;
}

/**
 * netfront_tx_init() - set up what transmission needs
 * @queue: a new queue
 */
void netfront_tx_init(struct netfront_queue *queue)
{
	u16 id;

	for (id = 0; id < NET_RING_SLOTS; id++)
		queue->tx_slots[id].next = id + 1;
	queue->tx_slots[NET_RING_SLOTS - 1].next = NETFRONT_NO_ID;
	queue->free_id = 0;
	queue->tx_load.until = jiffies;
}

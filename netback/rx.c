// SPDX-License-Identifier: GPL-2.0
/*
 * Guest receive: from the network device's queue to the ring. Packets that come
 * together are copied by one hypercall and published by one push.
 */
#include "netback.h"

#include <linux/if_vlan.h>

/* First look at a guest that does not say when it has buffers, and the last. */
#define LOOK_MIN	1
#define LOOK_MAX	HZ

/**
 * struct rx_cursor - where the next bytes of a packet go
 * @queue: the queue
 * @pass: the pass
 * @packet: the packet
 * @rsp: the response of the frame
 * @ref: grant reference of the frame
 * @mapping: the frame if it stays mapped and may be written, or NULL
 * @room: bytes left in the frame
 */
struct rx_cursor {
	struct netback_queue *queue;
	struct netback_rx_pass *pass;
	struct netback_rx_packet *packet;
	struct xen_netif_rx_response *rsp;
	grant_ref_t ref;
	const struct netback_mapping *mapping;
	unsigned int room;
};

static struct netdev_queue *txq_of(const struct netback_queue *queue)
{
	return netdev_get_tx_queue(queue->vif->net, queue->index);
}

static unsigned int extras_of(const struct netback_vif *vif, bool gso)
{
	/* A hash may be asked for until the packet is put into the ring. */
	return gso + !!vif->xdp_headroom + vif->may_hash;
}

/* Only the first frame has headroom. */
static unsigned int slots_of(const struct netback_vif *vif, unsigned int len,
			     bool gso)
{
	return DIV_ROUND_UP(len + vif->xdp_headroom, NET_FRAME_SIZE) +
	       extras_of(vif, gso);
}

/* Slots that any packet fits that the network device lets through. */
static unsigned int slots_max(const struct netback_vif *vif)
{
	if (vif->gso_mask)
		return slots_of(vif, GSO_LEGACY_MAX_SIZE, true);
	return slots_of(vif, vif->net->mtu + VLAN_ETH_HLEN, false);
}

static int slots_free(const struct netback_queue *queue)
{
	int pending = ring_back_pending(&queue->rx);

	return pending < 0 ? pending : pending - (int)queue->backlog_slots;
}

static void find_mapping(struct rx_cursor *cur)
{
	cur->mapping = netback_mapped(cur->queue, cur->ref);
	if (!cur->mapping)
		return;
	if (cur->mapping->readonly)
		cur->mapping = NULL;
	else
		cur->pass->nr_mapped++;
}

static void next_frame(struct rx_cursor *cur)
{
	struct netback_rx_pass *pass = cur->pass;
	struct xen_netif_rx_request req;

	ring_back_get(&cur->queue->rx, &req, sizeof(req));
	if (cur->rsp)
		cur->rsp->flags |= XEN_NETRXF_more_data;
	cur->rsp = &pass->slots[pass->nr_slots++].rsp;
	*cur->rsp = (struct xen_netif_rx_response) { .id = req.id };
	cur->ref = req.gref;
	find_mapping(cur);
	cur->room = NET_FRAME_SIZE;
	cur->packet->nr_slots++;
}

/* Takes the place of a response, so the buffer of its slot is not used. */
static void put_extra(struct rx_cursor *cur,
		      const struct xen_netif_extra_info *extra)
{
	struct netback_rx_pass *pass = cur->pass;
	struct xen_netif_rx_request req;

	ring_back_get(&cur->queue->rx, &req, sizeof(req));
	if (cur->packet->nr_extras)
		pass->slots[pass->nr_slots - 1].extra.flags |=
			XEN_NETIF_EXTRA_FLAG_MORE;
	else
		cur->rsp->flags |= XEN_NETRXF_extra_info;
	pass->slots[pass->nr_slots++].extra = *extra;
	cur->packet->nr_extras++;
	cur->packet->nr_slots++;
}

static void put_extras(struct rx_cursor *cur, struct sk_buff *skb)
{
	struct netback_vif *vif = cur->queue->vif;
	struct xen_netif_extra_info extra;

	if (vif->xdp_headroom) {
		extra = (struct xen_netif_extra_info) {
			.type = XEN_NETIF_EXTRA_TYPE_XDP,
			.u.xdp.headroom = vif->xdp_headroom,
		};
		put_extra(cur, &extra);
	}
	if (skb_is_gso(skb)) {
		extra = (struct xen_netif_extra_info) {
			.type = XEN_NETIF_EXTRA_TYPE_GSO,
			.u.gso.type = skb_is_gso_v6(skb) ?
				      XEN_NETIF_GSO_TYPE_TCPV6 :
				      XEN_NETIF_GSO_TYPE_TCPV4,
			.u.gso.size = skb_shinfo(skb)->gso_size,
		};
		put_extra(cur, &extra);
	}
	if (netback_hash_extra(vif, skb, &extra))
		put_extra(cur, &extra);
}

/* Return: bytes that lie in one page of the packet, and are copied. */
static unsigned int add_copy(struct rx_cursor *cur, const u8 *data,
			     unsigned int len)
{
	struct grant_copy_span span = {
		.domid = cur->queue->vif->xdev->otherend_id,
		.to_peer = true,
		.page = virt_to_page(data),
		.page_offset = offset_in_page(data),
		.ref = cur->ref,
		.ref_offset = NET_FRAME_SIZE - cur->room,
	};

	span.len = min_t(unsigned int, len, PAGE_SIZE - span.page_offset);
	grant_copy_add(&cur->pass->copies, &span, &cur->packet->err);
	return span.len;
}

/* What stays mapped is copied here, all else by the hypervisor. */
static void put_bytes(struct rx_cursor *cur, const u8 *data, unsigned int len)
{
	unsigned int n;

	for (; len; data += n, len -= n) {
		if (!cur->room)
			next_frame(cur);
		n = min(len, cur->room);
		if (cur->mapping)
			copy_data(cur->mapping->data + NET_FRAME_SIZE -
				  cur->room, data, n);
		else
			n = add_copy(cur, data, n);
		cur->rsp->status += n;
		cur->room -= n;
	}
}

static void put_data(struct rx_cursor *cur, struct sk_buff *skb)
{
	struct skb_seq_state seq;
	unsigned int done = 0, len;
	const u8 *data;

	skb_prepare_seq_read(skb, 0, skb->len, &seq);
	while ((len = skb_seq_read(done, &data, &seq)) != 0) {
		put_bytes(cur, data, len);
		done += len;
	}
}

static u16 checksum_flags(const struct sk_buff *skb)
{
	switch (skb->ip_summed) {
	case CHECKSUM_PARTIAL:
		return XEN_NETRXF_csum_blank | XEN_NETRXF_data_validated;
	case CHECKSUM_UNNECESSARY:
		return XEN_NETRXF_data_validated;
	default:
		return 0;
	}
}

static void put_packet(struct netback_queue *queue,
		       struct netback_rx_pass *pass, struct sk_buff *skb)
{
	struct netback_rx_packet *packet = &pass->packets[pass->nr_packets++];
	struct rx_cursor cur = {
		.queue = queue,
		.pass = pass,
		.packet = packet,
	};

	*packet = (struct netback_rx_packet) { .first = pass->nr_slots };
	next_frame(&cur);
	cur.rsp->offset = queue->vif->xdp_headroom;
	cur.room -= queue->vif->xdp_headroom;
	cur.rsp->flags = checksum_flags(skb);
	put_extras(&cur, skb);
	put_data(&cur, skb);
}

static void fail_packet(struct netback_queue *queue,
			struct netback_rx_pass *pass,
			const struct netback_rx_packet *packet)
{
	unsigned int i;

	net_warn_ratelimited("%s: queue %u: no access to buffers for a packet of %u slots: error %d\n",
			     queue->vif->net->name, queue->index,
			     packet->nr_slots, packet->err);
	u64_stats_inc(&queue->stats->rx.copy_failed);
	for (i = 0; i < packet->nr_slots; i++)
		if (!i || i > packet->nr_extras)
			pass->slots[packet->first + i].rsp.status =
				XEN_NETIF_RSP_ERROR;
}

static void respond(struct netback_queue *queue, struct netback_rx_pass *pass)
{
	unsigned int i;

	for (i = 0; i < pass->nr_packets; i++)
		if (unlikely(pass->packets[i].err))
			fail_packet(queue, pass, &pass->packets[i]);
	for (i = 0; i < pass->nr_slots; i++)
		ring_back_put(&queue->rx, &pass->slots[i],
			      sizeof(pass->slots[i]));
	netback_rx_push(queue, pass->nr_packets);
}

static void free_backlog(struct netback_queue *queue)
{
	struct netback_rx_stats *stats = &queue->stats->rx;
	unsigned int packets = 0, bytes = 0;
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&queue->backlog))) {
		packets++;
		bytes += skb->len;
		dev_consume_skb_any(skb);
	}
	queue->backlog_slots = 0;

	u64_stats_add(&stats->packets, packets);
	u64_stats_add(&stats->bytes, bytes);
}

static void flush(struct netback_queue *queue)
{
	struct netback_rx_pass *pass = netback_rx_pass();
	struct sk_buff *skb;

	if (skb_queue_empty(&queue->backlog))
		return;

	pass->nr_slots = 0;
	pass->nr_packets = 0;
	pass->nr_mapped = 0;
	skb_queue_walk(&queue->backlog, skb)
		put_packet(queue, pass, skb);
	grant_copy_run(&pass->copies);
	respond(queue, pass);
	u64_stats_add(&queue->stats->rx.mapped, pass->nr_mapped);
	free_backlog(queue);
}

/* The event of these buffers has a cause, even if it comes after them. */
static void found_buffers(struct netback_queue *queue)
{
	if (queue->rx_ec.irq)
		WRITE_ONCE(queue->rx_worked, true);
	else
		WRITE_ONCE(queue->worked, true);
}

/*
 * A guest that waits for this CPU has had no time to post more: let it run, but
 * not for less than half a ring, or it would have a say in who gets the CPU.
 */
static bool get_buffers(struct netback_queue *queue, int need)
{
	if (queue->rx.rsp_prod - queue->rx_yielded < queue->rx.entries / 2)
		return false;
	queue->rx_yielded = queue->rx.rsp_prod;
	u64_stats_inc(&queue->stats->rx.yields);
	event_channel_yield();
	if (ring_back_pending(&queue->rx) < need)
		return false;
	found_buffers(queue);
	return true;
}

/* The queue has no room: wait until the guest has posted buffers. */
static void wait_for_buffers(struct netback_queue *queue, unsigned int need)
{
	struct netdev_queue *txq = txq_of(queue);
	int pending;

	WRITE_ONCE(queue->rx_need, need);
	netif_tx_stop_queue(txq);
	pending = ring_back_arm(&queue->rx, need);
	if (pending >= (int)need) {
		found_buffers(queue);
		netif_tx_start_queue(txq);
		return;
	}
	if (unlikely(pending < 0)) {
		netback_break(queue, "impossible index of buffers");
		return;
	}
	u64_stats_inc(&queue->stats->rx.stopped);
	queue->rx_look = queue->vif->rx_notify ? netback_stall_seconds * HZ :
						 LOOK_MIN;
	queue->stalled_at = jiffies + netback_stall_seconds * HZ;
	if (queue->rx_look)
		mod_timer(&queue->rx_timer, jiffies + queue->rx_look);
}

/* A guest that is to post buffers has to know of what is in them. */
static void find_buffers(struct netback_queue *queue, int need)
{
	netback_hold_end(queue);
	if (!get_buffers(queue, need))
		wait_for_buffers(queue, need);
}

static void enqueue(struct netback_queue *queue, struct sk_buff *skb,
		    unsigned int slots)
{
	skb_tx_timestamp(skb);
	__skb_queue_tail(&queue->backlog, skb);
	queue->backlog_slots += slots;
}

/* Whether the guest is to have the packet, which has ended here if not. */
static bool wanted(struct netback_queue *queue, struct sk_buff *skb,
		   unsigned int slots, unsigned int max)
{
	const struct ethhdr *eth = (const struct ethhdr *)skb->data;

	if (!netback_mcast_wanted(queue->vif, eth->h_dest))
		u64_stats_inc(&queue->stats->rx.filtered);
	else if (unlikely(slots > max))
		u64_stats_inc(&queue->stats->rx.too_big);
	else
		return true;
	dev_kfree_skb_any(skb);
	return false;
}

netdev_tx_t netback_xmit(struct netback_queue *queue, struct sk_buff *skb,
			 bool more)
{
	unsigned int slots = slots_of(queue->vif, skb->len, skb_is_gso(skb));
	int need = slots_max(queue->vif);
	int room = slots_free(queue);
	netdev_tx_t ret = NETDEV_TX_OK;

	/* What is needed may have grown since the queue was seen to have it. */
	if (unlikely(room < (int)slots && slots <= need)) {
		ret = NETDEV_TX_BUSY;
	} else if (wanted(queue, skb, slots, need)) {
		enqueue(queue, skb, slots);
		room -= slots;
	}

	if (!more || room < need ||
	    skb_queue_len(&queue->backlog) == NETBACK_BACKLOG_MAX)
		flush(queue);
	if (unlikely(room < need))
		find_buffers(queue, need);
	return ret;
}

void netback_rx_start(struct netback_queue *queue)
{
	struct netdev_queue *txq = txq_of(queue);
	int need = slots_max(queue->vif);

	__netif_tx_lock_bh(txq);
	netif_tx_start_queue(txq);
	if (ring_back_pending(&queue->rx) < need)
		wait_for_buffers(queue, need);
	__netif_tx_unlock_bh(txq);
}

void netback_rx_resume(struct netback_queue *queue)
{
	int pending;

	if (!netif_tx_queue_stopped(txq_of(queue)))
		return;
	pending = ring_back_pending(&queue->rx);
	if (unlikely(pending < 0))
		netback_break(queue, "impossible index of buffers");
	if (pending < (int)READ_ONCE(queue->rx_need))
		return;
	found_buffers(queue);
	netif_tx_wake_queue(txq_of(queue));
	/* Awake before it is looked at; pairs with smp_mb() of the timer. */
	smp_mb();
	if (READ_ONCE(queue->stalled))
		netback_rx_revive(queue);
}

void netback_rx_revive(struct netback_queue *queue)
{
	struct netback_vif *vif = queue->vif;

	/* NAPI and the timer may both find out. */
	if (!xchg(&queue->stalled, false))
		return;
	atomic_dec(&vif->stalled);
	netback_kick(vif);
}

static void declare_stalled(struct netback_queue *queue)
{
	struct netback_vif *vif = queue->vif;

	if (!netback_stall_seconds || queue->stalled ||
	    time_before(jiffies, queue->stalled_at))
		return;
	atomic_inc(&vif->stalled);
	/* After the count: whoever takes it back sees it. */
	smp_store_release(&queue->stalled, true);
	/* Said before it is looked at; pairs with smp_mb() of NAPI. */
	smp_mb();
	if (!netif_tx_queue_stopped(txq_of(queue)))
		netback_rx_revive(queue);
	netback_kick(vif);
}

void netback_rx_timeout(struct timer_list *timer)
{
	struct netback_queue *queue = from_timer(queue, timer, rx_timer);

	if (!netif_tx_queue_stopped(txq_of(queue)) || READ_ONCE(queue->broken))
		return;
	declare_stalled(queue);
	if (queue->vif->rx_notify)
		return;
	/* NAPI is what wakes the queue. */
	napi_schedule(&queue->napi);
	queue->rx_look = min_t(unsigned long, queue->rx_look * 2, LOOK_MAX);
	mod_timer(&queue->rx_timer, jiffies + queue->rx_look);
}

void netback_rx_purge(struct netback_queue *queue)
{
	__skb_queue_purge(&queue->backlog);
	queue->backlog_slots = 0;
}

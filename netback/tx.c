// SPDX-License-Identifier: GPL-2.0
/*
 * Guest transmit: from the ring to the network, a pass at a time.
 */
#include "netback.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>

void netback_break(struct netback_queue *queue, const char *why)
{
	WRITE_ONCE(queue->broken, why);
	WRITE_ONCE(queue->vif->failed, true);
	/* What waits for the guest is dropped. */
	netif_tx_wake_queue(netdev_get_tx_queue(queue->vif->net, queue->index));
	netback_kick(queue->vif);
}

/* Copy the requests that there are. */
static void copy_slots(struct netback_queue *queue, struct netback_tx_pass *pass)
{
	int pending = ring_back_pending(&queue->tx);
	unsigned int i;

	pass->nr_slots = 0;
	if (unlikely(pending < 0)) {
		netback_break(queue, "impossible index of requests");
		return;
	}
	for (i = 0; i < pending; i++)
		ring_back_get(&queue->tx, &pass->slots[i],
			      sizeof(pass->slots[i]));
	pass->nr_slots = pending;
}

/* Whether the rate limit lets the packet pass now. */
static bool admit(struct netback_queue *queue, const struct net_tx_packet *wire)
{
	struct netback_credit *credit = &queue->vif->credit;
	u64 wait;

	if (!READ_ONCE(credit->bucket.bytes) || wire->mcast)
		return true;
	spin_lock(&credit->lock);
	wait = credit_take(&credit->bucket, wire->len, ktime_get_ns());
	spin_unlock(&credit->lock);
	if (!wait)
		return true;

	queue->throttled = true;
	u64_stats_inc(&queue->stats->tx.throttled);
	hrtimer_start(&queue->credit_timer, ns_to_ktime(wait),
		      HRTIMER_MODE_REL);
	return false;
}

static void refuse(struct netback_queue *queue, struct netback_packet *packet,
		   const union net_tx_slot *slots, enum net_tx_reject why)
{
	const struct xen_netif_tx_request *req =
		&slots[packet->wire.first].req;

	net_warn_ratelimited("%s: queue %u: packet of %u slots refused: %s (id %u, size %u, offset %u, flags %#x)\n",
			     queue->vif->net->name, queue->index,
			     packet->wire.nr_slots, net_tx_reject_text(why),
			     req->id, req->size, req->offset, req->flags);
	u64_stats_inc(&queue->stats->tx.malformed);
	packet->status = XEN_NETIF_RSP_ERROR;
}

static s16 change_filter(struct netback_vif *vif,
			 const struct net_tx_packet *wire)
{
	if (wire->mcast == XEN_NETIF_EXTRA_TYPE_MCAST_DEL) {
		netback_mcast_del(vif, wire->mcast_addr);
		return XEN_NETIF_RSP_OKAY;
	}
	return netback_mcast_add(vif, wire->mcast_addr) ? XEN_NETIF_RSP_ERROR :
							  XEN_NETIF_RSP_OKAY;
}

static void begin_packet(struct netback_queue *queue, struct netback_tx_pass *pass,
			 struct netback_packet *packet, enum net_tx_reject why)
{
	packet->skb = NULL;
	packet->status = XEN_NETIF_RSP_OKAY;
	if (unlikely(why)) {
		refuse(queue, packet, pass->slots, why);
		return;
	}
	if (packet->wire.mcast) {
		packet->status = change_filter(queue->vif, &packet->wire);
		return;
	}
	if (unlikely(netback_packet_build(queue, packet, pass->slots,
					  &pass->copies)))
		packet->err = -ENOMEM;
}

/* Make packets of slots, and of the rest what it was. */
static void gather(struct netback_queue *queue, struct netback_tx_pass *pass,
		   unsigned int budget)
{
	struct netback_packet *packet = pass->packets;
	enum net_tx_reject why;
	unsigned int done = 0;

	copy_slots(queue, pass);
	pass->nr_packets = 0;
	while (done < pass->nr_slots && pass->nr_packets < budget) {
		why = net_tx_parse(pass->slots, pass->nr_slots, done,
				   &packet->wire);
		if (unlikely(why == NET_TX_UNFINISHED)) {
			netback_break(queue, net_tx_reject_text(why));
			break;
		}
		if (!admit(queue, &packet->wire))
			break;
		begin_packet(queue, pass, packet, why);
		done += packet->wire.nr_slots;
		pass->nr_packets++;
		packet++;
	}
	ring_back_unget(&queue->tx, pass->nr_slots - done);
}

/* Answers are in the slots of the requests, extra info has one of its own. */
static void respond(struct netback_queue *queue, struct netback_tx_pass *pass,
		    const struct netback_packet *packet)
{
	const struct net_tx_packet *wire = &packet->wire;
	unsigned int i;

	for (i = 0; i < wire->nr_slots; i++) {
		struct net_tx_response rsp = {
			.status = XEN_NETIF_RSP_NULL,
		};

		if (!i || i > wire->nr_extras) {
			rsp.id = pass->slots[wire->first + i].req.id;
			rsp.status = packet->status;
		}
		ring_back_put(&queue->tx, &rsp, sizeof(rsp));
	}
}

static void copy_failed(struct netback_queue *queue,
			struct netback_packet *packet)
{
	if (packet->err == -ENOMEM) {
		u64_stats_inc(&queue->stats->tx.no_memory);
	} else {
		net_warn_ratelimited("%s: queue %u: no access to the data of a packet of %u bytes: error %d\n",
				     queue->vif->net->name, queue->index,
				     packet->wire.len, packet->err);
		u64_stats_inc(&queue->stats->tx.copy_failed);
	}
	packet->status = XEN_NETIF_RSP_ERROR;
	kfree_skb(packet->skb);
	packet->skb = NULL;
}

static void answer(struct netback_queue *queue, struct netback_tx_pass *pass)
{
	struct netback_packet *packet = pass->packets;
	unsigned int i;

	for (i = 0; i < pass->nr_packets; i++, packet++) {
		if (packet->status == XEN_NETIF_RSP_OKAY &&
		    !packet->wire.mcast && unlikely(packet->err))
			copy_failed(queue, packet);
		respond(queue, pass, packet);
	}
	WRITE_ONCE(queue->worked, true);
}

static bool is_udp(const struct sk_buff *skb)
{
	const void *header = skb->data;

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return skb->csum_offset == offsetof(struct udphdr, check);
	if (skb_headlen(skb) < sizeof(struct ipv6hdr))
		return false;
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return ((const struct iphdr *)header)->protocol == IPPROTO_UDP;
	case htons(ETH_P_IPV6):
		return ((const struct ipv6hdr *)header)->nexthdr == IPPROTO_UDP;
	default:
		return false;
	}
}

/*
 * UDP is merged only where the administrator wants it; otherwise GRO would look
 * at each packet for nothing. What it carries for a tunnel that ends here is
 * merged by the tunnel's device.
 */
static bool is_single(const struct net_device *net, const struct sk_buff *skb)
{
	return !(net->features & (NETIF_F_GRO_FRAGLIST | NETIF_F_GRO_UDP_FWD)) &&
	       is_udp(skb);
}

static void deliver(struct netback_queue *queue, struct netback_packet *packet)
{
	if (packet->wire.gso_type && !packet->wire.csum_blank)
		u64_stats_inc(&queue->stats->tx.csum_fixup);
	if (unlikely(netback_packet_finish(queue, packet))) {
		u64_stats_inc(&queue->stats->tx.bad_offload);
		kfree_skb(packet->skb);
		return;
	}
	if (is_single(queue->vif->net, packet->skb))
		netif_receive_skb(packet->skb);
	else
		napi_gro_receive(&queue->napi, packet->skb);
}

static void deliver_all(struct netback_queue *queue, struct netback_tx_pass *pass)
{
	struct netback_tx_stats *stats = &queue->stats->tx;
	unsigned int i, packets = 0, bytes = 0, mapped = 0;

	for (i = 0; i < pass->nr_packets; i++) {
		struct netback_packet *packet = &pass->packets[i];

		if (!packet->skb)
			continue;
		packets++;
		bytes += packet->wire.len;
		mapped += packet->nr_mapped;
		deliver(queue, packet);
	}
	u64_stats_add(&stats->packets, packets);
	u64_stats_add(&stats->bytes, bytes);
	u64_stats_add(&stats->mapped, mapped);
}

static void push(struct netback_queue *queue)
{
	if (!ring_back_push(&queue->tx))
		return;
	event_channel_notify(&queue->tx_ec);
	u64_stats_inc(&queue->stats->tx.notifies);
}

static unsigned int serve(struct netback_queue *queue, unsigned int budget)
{
	struct netback_tx_pass *pass = netback_tx_pass();
	unsigned int done = 0;

	while (done < budget && !queue->broken && !queue->throttled) {
		gather(queue, pass, min_t(unsigned int, budget - done,
					  NAPI_POLL_WEIGHT));
		if (!pass->nr_packets)
			break;
		grant_copy_run(&pass->copies);
		answer(queue, pass);
		push(queue);
		deliver_all(queue, pass);
		done += pass->nr_packets;
	}
	return done;
}

static void end_event(struct netback_queue *queue, bool *event,
		      const struct event_channel *ec, bool *worked)
{
	if (!xchg(event, false))
		return;
	u64_stats_inc(&queue->stats->tx.events);
	event_channel_eoi(ec, xchg(worked, false));
}

static void end_events(struct netback_queue *queue)
{
	end_event(queue, &queue->tx_event, &queue->tx_ec, &queue->worked);
	end_event(queue, &queue->rx_event, &queue->rx_ec, &queue->rx_worked);
}

/* A broken queue gets no more events; one that is throttled has its timer. */
static void wait_for_event(struct netback_queue *queue)
{
	if (queue->broken)
		return;
	if (!queue->throttled && ring_back_arm(&queue->tx, 1))
		napi_schedule(&queue->napi);
	else
		end_events(queue);
}

int netback_poll(struct napi_struct *napi, int budget)
{
	struct netback_queue *queue =
		container_of(napi, struct netback_queue, napi);
	int done = serve(queue, budget);

	if (done)
		netback_pool_used(&queue->pool);
	else if (unlikely(READ_ONCE(queue->pool.idle)))
		netback_pool_drain(&queue->pool);
	netback_rx_resume(queue);
	if (done < budget && napi_complete_done(napi, done))
		wait_for_event(queue);
	return done;
}

static enum hrtimer_restart credit_expired(struct hrtimer *timer)
{
	struct netback_queue *queue =
		container_of(timer, struct netback_queue, credit_timer);

	WRITE_ONCE(queue->throttled, false);
	napi_schedule(&queue->napi);
	return HRTIMER_NORESTART;
}

irqreturn_t netback_tx_interrupt(int irq, void *data)
{
	struct netback_queue *queue = data;

	WRITE_ONCE(queue->tx_event, true);
	napi_schedule(&queue->napi);
	return IRQ_HANDLED;
}

irqreturn_t netback_rx_interrupt(int irq, void *data)
{
	struct netback_queue *queue = data;

	WRITE_ONCE(queue->rx_event, true);
	napi_schedule(&queue->napi);
	return IRQ_HANDLED;
}

int netback_queue_init(struct netback_queue *queue, struct netback_vif *vif,
		       unsigned int index)
{
	int ret;

	queue->vif = vif;
	queue->index = index;
	queue->stats = &vif->stats[index];
	ret = netback_pool_init(&queue->pool);
	if (ret)
		return ret;
	hrtimer_init(&queue->credit_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	queue->credit_timer.function = credit_expired;
	timer_setup(&queue->rx_timer, netback_rx_timeout, 0);
	netback_hold_init(queue);
	__skb_queue_head_init(&queue->backlog);
	/* Others look at the network device's list of NAPI under RTNL. */
	rtnl_lock();
	netif_napi_add(vif->net, &queue->napi, netback_poll);
	rtnl_unlock();
	return 0;
}

void netback_queue_destroy(struct netback_queue *queue)
{
	rtnl_lock();
	netif_napi_del(&queue->napi);
	rtnl_unlock();
	netback_pool_destroy(&queue->pool);
}

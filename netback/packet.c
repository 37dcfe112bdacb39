// SPDX-License-Identifier: GPL-2.0
/*
 * From a parsed packet to an skb: memory, copies, and what the guest says of
 * checksum, segmentation and hash.
 */
#include "netback.h"

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/page_pool/helpers.h>

/*
 * Headers that the network stack is about to look at, and which many drivers
 * expect in one piece, however the guest has cut its packet (XSA-423).
 */
#define LINEAR_HEADERS	128

/**
 * struct fill - where the next bytes of a packet go
 * @queue: the queue
 * @packet: the packet
 * @copies: where copies are collected
 * @left: bytes of the packet that have no place yet
 * @linear: room in the linear part of the skb, bytes
 * @room: room in the last page of the skb, bytes
 */
struct fill {
	struct netback_queue *queue;
	struct netback_packet *packet;
	struct grant_copy_batch *copies;
	unsigned int left;
	unsigned int linear;
	unsigned int room;
};

static unsigned int linear_size(const struct net_tx_packet *wire)
{
	/* No less than LINEAR_HEADERS are copied whole; see main.c. */
	if (wire->len <= netback_copybreak)
		return wire->len;
	return LINEAR_HEADERS;
}

static int add_page(struct fill *fill)
{
	struct sk_buff *skb = fill->packet->skb;
	struct page *page = page_pool_dev_alloc_pages(fill->queue->pool.pages);

	if (unlikely(!page))
		return -ENOMEM;
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, 0, PAGE_SIZE);
	fill->room = PAGE_SIZE;
	return 0;
}

/*
 * A segment that lies in one page is one copy, so it begins a new page rather
 * than be split; as long as the rest fits the fragments that are left.
 */
static bool wants_page(const struct fill *fill, unsigned int size)
{
	unsigned int used = skb_shinfo(fill->packet->skb)->nr_frags;

	if (!fill->room)
		return true;
	return fill->room < size &&
	       used + DIV_ROUND_UP(fill->left, PAGE_SIZE) <= MAX_SKB_FRAGS;
}

static unsigned int place_linear(struct fill *fill, unsigned int size,
				 struct grant_copy_span *span)
{
	struct sk_buff *skb = fill->packet->skb;
	u8 *data = skb_tail_pointer(skb) - fill->linear;
	unsigned int room = PAGE_SIZE - offset_in_page(data);

	size = min3(size, fill->linear, room);
	span->page = virt_to_page(data);
	span->page_offset = offset_in_page(data);
	fill->linear -= size;
	return size;
}

static unsigned int place_paged(struct fill *fill, unsigned int size,
				struct grant_copy_span *span)
{
	struct sk_buff *skb = fill->packet->skb;
	int last;

	if (wants_page(fill, size) && add_page(fill))
		return 0;
	last = skb_shinfo(skb)->nr_frags - 1;
	size = min(size, fill->room);
	span->page = skb_frag_page(&skb_shinfo(skb)->frags[last]);
	span->page_offset = PAGE_SIZE - fill->room;
	skb_coalesce_rx_frag(skb, last, size, 0);
	fill->room -= size;
	return size;
}

/* What stays mapped is copied here, all else by the hypervisor. */
static void move_in(struct fill *fill, const struct netback_mapping *mapping,
		    const struct grant_copy_span *span)
{
	if (mapping)
		copy_data(page_address(span->page) + span->page_offset,
			  mapping->data + span->ref_offset, span->len);
	else
		grant_copy_add(fill->copies, span, &fill->packet->err);
}

static int fill_segment(struct fill *fill, const struct xen_netif_tx_request *req,
			unsigned int size)
{
	struct grant_copy_span span = {
		.domid = fill->queue->vif->xdev->otherend_id,
		.ref = req->gref,
		.ref_offset = req->offset,
	};
	const struct netback_mapping *mapping;

	mapping = netback_mapped(fill->queue, req->gref);
	fill->packet->nr_mapped += !!mapping;
	while (size) {
		span.len = fill->linear ? place_linear(fill, size, &span) :
					  place_paged(fill, size, &span);
		if (!span.len)
			return -ENOMEM;
		move_in(fill, mapping, &span);
		span.ref_offset += span.len;
		fill->left -= span.len;
		size -= span.len;
	}
	return 0;
}

static int fill_packet(struct fill *fill, const union net_tx_slot *slots)
{
	const struct net_tx_packet *wire = &fill->packet->wire;
	unsigned int end = wire->first + wire->nr_slots;
	unsigned int i = wire->first + wire->nr_extras + 1;
	int ret;

	ret = fill_segment(fill, &slots[wire->first].req, wire->head);
	for (; i < end && !ret; i++)
		ret = fill_segment(fill, &slots[i].req, slots[i].req.size);
	return ret;
}

int netback_packet_build(struct netback_queue *queue,
			 struct netback_packet *packet,
			 const union net_tx_slot *slots,
			 struct grant_copy_batch *copies)
{
	struct fill fill = {
		.queue = queue,
		.packet = packet,
		.copies = copies,
		.left = packet->wire.len,
		.linear = linear_size(&packet->wire),
	};

	packet->err = 0;
	packet->nr_mapped = 0;
	packet->skb = netdev_alloc_skb(queue->vif->net, fill.linear);
	if (unlikely(!packet->skb))
		return -ENOMEM;
	skb_mark_for_recycle(packet->skb);
	skb_put(packet->skb, fill.linear);
	return fill_packet(&fill, slots);
}

/* A tag hides the header whose checksum is blank; the stack keeps it aside. */
static int blank_checksum(struct netback_packet *packet, bool recalculate)
{
	if (eth_type_vlan(packet->skb->protocol)) {
		packet->skb = skb_vlan_untag(packet->skb);
		if (!packet->skb)
			return -ENOMEM;
	}
	return skb_checksum_setup(packet->skb, recalculate);
}

/* skb_checksum_setup() has checked the headers and set the transport header. */
static bool is_tcp(const struct sk_buff *skb, u8 gso_type)
{
	if (gso_type == XEN_NETIF_GSO_TYPE_TCPV4)
		return skb->protocol == htons(ETH_P_IP) &&
		       ip_hdr(skb)->protocol == IPPROTO_TCP;
	return skb->protocol == htons(ETH_P_IPV6) &&
	       skb->csum_offset == offsetof(struct tcphdr, check);
}

static int set_gso(struct sk_buff *skb, const struct net_tx_packet *wire)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int headers;

	if (!is_tcp(skb, wire->gso_type) ||
	    !pskb_may_pull(skb, skb_transport_offset(skb) +
			   sizeof(struct tcphdr)))
		return -EPROTO;
	headers = skb_transport_offset(skb) + tcp_hdrlen(skb);
	if (headers + wire->gso_size >= skb->len)
		return 0;

	info->gso_type = SKB_GSO_DODGY |
			 (wire->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ?
			  SKB_GSO_TCPV4 : SKB_GSO_TCPV6);
	info->gso_size = wire->gso_size;
	info->gso_segs = DIV_ROUND_UP(skb->len - headers, wire->gso_size);
	return 0;
}

static void set_hash(struct sk_buff *skb, const struct net_tx_packet *wire)
{
	skb_set_hash(skb, wire->hash, net_hash_is_l4(wire->hash_type) ?
		     PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
}

int netback_packet_finish(struct netback_queue *queue,
			  struct netback_packet *packet)
{
	const struct net_tx_packet *wire = &packet->wire;
	struct sk_buff *skb = packet->skb;
	int ret;

	skb->protocol = eth_type_trans(skb, queue->vif->net);
	skb_record_rx_queue(skb, queue->index);
	if (wire->hashed)
		set_hash(skb, wire);

	if (wire->csum_blank || wire->gso_type) {
		skb_reset_network_header(skb);
		ret = blank_checksum(packet, !wire->csum_blank);
		if (ret)
			return ret;
		return wire->gso_type ? set_gso(packet->skb, wire) : 0;
	}
	if (wire->validated)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	return 0;
}

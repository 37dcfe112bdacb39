// SPDX-License-Identifier: GPL-2.0
/*
 * From a checked chain of responses to an skb: its data, and what the backend
 * says of checksum, segmentation and hash.
 *
 * The backend can write to a page as long as it is granted. So small packets
 * are copied before anybody looks at them; the pages of others are taken from the
 * backend first, or copied where it keeps them, and then become part of the
 * packet.
 */
#include "netfront.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/page_pool/helpers.h>

/* Room for headers in a packet whose data is in pages. */
#define HEAD_SIZE	128

static struct sk_buff *copy_packet(struct netfront_queue *queue,
				   const struct netfront_packet *pkt)
{
	const struct netfront_part *part = pkt->part;
	const struct netfront_part *end = part + pkt->nr;
	struct sk_buff *skb;
	struct page *page;

	skb = netdev_alloc_skb(queue->info->netdev, pkt->len);
	if (unlikely(!skb)) {
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		return NULL;
	}
	for (; part < end; part++) {
		page = netfront_buf_at(queue, part->at)->page;
		skb_put_data(skb, page_address(page) + part->offset, part->len);
	}
	netfront_count(queue, NETFRONT_RX_COPIED);
	return skb;
}

/* How much of the first part must be in the packet's head. */
static unsigned int head_len(const struct netfront_queue *queue,
			     const struct netfront_packet *pkt, void *data)
{
	unsigned int len = pkt->part[0].len;

	/* One page more than a packet can have: only a short one can be. */
	if (pkt->nr > MAX_SKB_FRAGS)
		return len;
	/* Headers that are written to; others are found where they are. */
	if (pkt->flags & XEN_NETRXF_csum_blank || pkt->gso_type)
		len = eth_get_headlen(queue->info->netdev, data,
				      min_t(unsigned int, len, HEAD_SIZE));
	else
		len = min_t(unsigned int, len, ETH_HLEN);
	return len;
}

static bool add_parts(struct netfront_queue *queue, struct sk_buff *skb,
		      const struct netfront_packet *pkt)
{
	const struct netfront_part *part;
	unsigned int i, pull = 0;
	struct page *page;
	void *data;

	for (i = 0; i < pkt->nr; i++) {
		part = &pkt->part[i];
		page = netfront_buf_take(queue, part);
		if (unlikely(!page))
			return false;
		data = page_address(page) + part->offset;
		if (!i) {
			pull = head_len(queue, pkt, data);
			skb_put_data(skb, data, pull);
			if (pull == part->len) {
				page_pool_recycle_direct(queue->pool, page);
				continue;
			}
		}
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page,
				part->offset + (i ? 0 : pull),
				part->len - (i ? 0 : pull), PAGE_SIZE);
	}
	return true;
}

static struct sk_buff *page_packet(struct netfront_queue *queue,
				   const struct netfront_packet *pkt)
{
	struct sk_buff *skb;

	if (unlikely(pkt->nr > MAX_SKB_FRAGS &&
		     (pkt->nr > MAX_SKB_FRAGS + 1 ||
		      pkt->part[0].len > HEAD_SIZE))) {
		netfront_count(queue, NETFRONT_RX_BAD_SLOT);
		return NULL;
	}
	skb = netdev_alloc_skb(queue->info->netdev, HEAD_SIZE);
	if (unlikely(!skb)) {
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	if (likely(add_parts(queue, skb, pkt)))
		return skb;
	kfree_skb(skb);
	return NULL;
}

static struct sk_buff *xdp_packet(struct netfront_queue *queue,
				  const struct netfront_packet *pkt,
				  struct bpf_prog *prog)
{
	const struct netfront_part *part = &pkt->part[0];
	struct page *page;

	/* Some may still come of a connection from before the program. */
	if (pkt->nr != 1 || pkt->gso_type || !queue->info->xdp ||
	    !netfront_xdp_fits(part)) {
		netfront_count(queue, NETFRONT_RX_XDP_TOO_LONG);
		return NULL;
	}
	page = netfront_buf_take(queue, part);
	if (unlikely(!page))
		return NULL;
	return netfront_xdp_run(queue, prog, page, part);
}

/**
 * netfront_packet_build() - make an skb of responses, or show them to a program
 * @queue: the queue
 * @pkt: a packet without flaw, whose buffers are still in place
 *
 * Context: NAPI.
 * Return: the packet's data, or NULL if there is nothing to receive.
 */
struct sk_buff *netfront_packet_build(struct netfront_queue *queue,
				      const struct netfront_packet *pkt)
{
	struct bpf_prog *prog = rcu_dereference_bh(queue->info->xdp_prog);

	if (prog)
		return xdp_packet(queue, pkt, prog);
	if (pkt->len <= netfront_params.rx_copybreak)
		return copy_packet(queue, pkt);
	return page_packet(queue, pkt);
}

/* A backend segments nothing but TCP, over the protocol that it names. */
static bool is_tcp(const struct sk_buff *skb, u8 gso_type)
{
	if (gso_type == XEN_NETIF_GSO_TYPE_TCPV4)
		return skb->protocol == htons(ETH_P_IP) &&
		       ip_hdr(skb)->protocol == IPPROTO_TCP;
	return skb->protocol == htons(ETH_P_IPV6);
}

static bool set_checksum(struct netfront_queue *queue, struct sk_buff *skb,
			 const struct netfront_packet *pkt)
{
	bool blank = pkt->flags & XEN_NETRXF_csum_blank;

	if (!blank && !pkt->gso_type) {
		if (pkt->flags & XEN_NETRXF_data_validated)
			skb->ip_summed = CHECKSUM_UNNECESSARY;
		return true;
	}

	/* Some backends forget to say so for what is yet to be segmented. */
	if (!blank)
		netfront_count(queue, NETFRONT_RX_GSO_FIXED);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return !skb_checksum_setup(skb, !blank);
}

static bool set_gso(struct sk_buff *skb, const struct netfront_packet *pkt)
{
	struct skb_shared_info *info = skb_shinfo(skb);

	if (!pkt->gso_type)
		return true;
	if (!is_tcp(skb, pkt->gso_type) ||
	    skb->csum_offset != offsetof(struct tcphdr, check))
		return false;
	info->gso_size = pkt->gso_size;
	info->gso_type = pkt->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ?
			 SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	/* The headers are checked, and segments counted, where it matters. */
	info->gso_type |= SKB_GSO_DODGY;
	info->gso_segs = 0;
	return true;
}

static void set_hash(struct sk_buff *skb, const struct netfront_packet *pkt)
{
	if (pkt->hashed)
		skb_set_hash(skb, pkt->hash, net_hash_is_l4(pkt->hash_type) ?
			     PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
}

/**
 * netfront_packet_finish() - tell the stack what the backend says of a packet
 * @queue: the queue
 * @skb: from netfront_packet_build()
 * @pkt: the packet
 *
 * Context: NAPI.
 * Return: false if it is not true of the packet, which then must be dropped.
 */
bool netfront_packet_finish(struct netfront_queue *queue, struct sk_buff *skb,
			    const struct netfront_packet *pkt)
{
	/* The header may be in more than one part; the stack does not look. */
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN))) {
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		return false;
	}
	skb->protocol = eth_type_trans(skb, queue->info->netdev);
	skb_reset_network_header(skb);
	if (unlikely(!set_checksum(queue, skb, pkt))) {
		netfront_count(queue, NETFRONT_RX_BAD_CHECKSUM);
		return false;
	}
	if (unlikely(!set_gso(skb, pkt))) {
		netfront_count(queue, NETFRONT_RX_BAD_GSO);
		return false;
	}
	set_hash(skb, pkt);
	skb_record_rx_queue(skb, queue->index);
	return true;
}

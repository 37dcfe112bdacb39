// SPDX-License-Identifier: GPL-2.0
/*
 * Reception: NAPI takes packets off the ring, one chain of responses at a
 * time, and posts buffers again once at its end.
 *
 * The backend can write to a page as long as it is granted. So small packets
 * are copied before anybody looks at them, and their pages are posted again as
 * they are; pages of others are taken from the backend first, and then become
 * part of the packet.
 */
#include "netfront.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/page_pool/helpers.h>
#include <xen/page.h>

/* Buffers of an idle queue; a burst doubles them, up to the ring's size. */
#define FIRST_BUFS	64
/* Room for headers in a packet whose data is in pages. */
#define HEAD_SIZE	128
/* When there was no memory for a single buffer. */
#define REFILL_DELAY	(HZ / 10)

/* --- buffers ------------------------------------------------------------- */

static unsigned int posted(const struct netfront_queue *queue)
{
	return queue->rx.req_prod - queue->rx.rsp_cons;
}

static void put_spare(struct netfront_queue *queue, struct netfront_buf buf)
{
	queue->spare[queue->nr_spare++] = buf;
}

static bool equip(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct netfront *info = queue->info;

	if (buf->page)
		return true;
	/* The peer sees all of the page (XSA-403). */
	buf->page = page_pool_alloc_pages(queue->pool, GFP_ATOMIC |
					  __GFP_NOWARN | __GFP_ZERO);
	if (!buf->page)
		return false;
	/* It may have held a packet that was decrypted in place since. */
	if (!info->trusted)
		clear_page(page_address(buf->page));
	gnttab_page_grant_foreign_access_ref_one(buf->ref,
						 info->xbdev->otherend_id,
						 buf->page, 0);
	return true;
}

static bool take_spare(struct netfront_queue *queue, struct netfront_buf *buf)
{
	if (queue->nr_spare) {
		*buf = queue->spare[--queue->nr_spare];
	} else {
		buf->page = NULL;
		buf->ref = grant_ref_alloc(&queue->info->budget);
		if (!buf->ref)
			return false;
	}
	if (equip(queue, buf))
		return true;
	put_spare(queue, *buf);
	return false;
}

static void post(struct netfront_queue *queue, struct netfront_buf buf)
{
	struct xen_netif_rx_request req = {
		.id = queue->rx.req_prod % NET_RING_SLOTS,
		.gref = buf.ref,
	};

	queue->rx_bufs[req.id] = buf;
	ring_front_put(&queue->rx, &req, sizeof(req));
}

/**
 * netfront_rx_refill() - post buffers
 * @queue: the queue
 *
 * Context: NAPI, or nothing else runs.
 * Return: whether any buffer is in the ring.
 */
bool netfront_rx_refill(struct netfront_queue *queue)
{
	struct netfront_buf buf;

	while (posted(queue) < queue->rx_target && take_spare(queue, &buf))
		post(queue, buf);
	if (ring_front_push(&queue->rx))
		event_channel_notify(&netfront_rx_channel(queue)->ec);
	return posted(queue);
}

/* Return: the buffer of a response that was not freed yet. */
static struct netfront_buf *buf_at(struct netfront_queue *queue, u32 ahead)
{
	return &queue->rx_bufs[(queue->rx.rsp_cons + ahead) % NET_RING_SLOTS];
}

/* Keep all buffers of a packet that still have pages. */
static void release(struct netfront_queue *queue,
		    const struct netfront_packet *pkt)
{
	u32 i;

	for (i = 0; i < pkt->slots; i++) {
		struct netfront_buf *buf = buf_at(queue, i);

		if (buf->ref)
			put_spare(queue, *buf);
		*buf = (struct netfront_buf) {};
	}
	ring_front_skip(&queue->rx, pkt->slots);
}

/* Take a buffer's page from the backend. */
static struct page *revoke(struct netfront_queue *queue,
			   struct netfront_buf *buf)
{
	struct page *page = buf->page;

	buf->page = NULL;
	if (likely(gnttab_end_foreign_access_ref(buf->ref)))
		return page;

	/* It lives on until nobody maps it (XSA-396), but not in the pool. */
	get_page(page);
	page_pool_put_full_page(queue->pool, page, false);
	grant_ref_end(&queue->info->budget, buf->ref, page);
	buf->ref = 0;
	netfront_offend(queue, "still maps a received packet", 0);
	return NULL;
}

/* --- packets ------------------------------------------------------------- */

static struct sk_buff *copy_packet(struct netfront_queue *queue,
				   const struct netfront_packet *pkt)
{
	const struct netfront_part *part = pkt->part;
	const struct netfront_part *end = part + pkt->nr;
	struct sk_buff *skb;

	skb = napi_alloc_skb(&queue->napi, pkt->len);
	if (unlikely(!skb)) {
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		return NULL;
	}
	for (; part < end; part++)
		skb_put_data(skb, page_address(buf_at(queue, part->at)->page) +
			     part->offset, part->len);
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
		page = revoke(queue, buf_at(queue, part->at));
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
	skb = napi_alloc_skb(&queue->napi, HEAD_SIZE);
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
	page = revoke(queue, buf_at(queue, part->at));
	if (unlikely(!page))
		return NULL;
	return netfront_xdp_run(queue, prog, page, part);
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
	bool l4 = pkt->hash_type == _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP ||
		  pkt->hash_type == _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;

	if (pkt->hashed)
		skb_set_hash(skb, pkt->hash,
			     l4 ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
}

static void deliver(struct netfront_queue *queue, struct sk_buff *skb,
		    const struct netfront_packet *pkt)
{
	/* The header may be in more than one part; the stack does not look. */
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN))) {
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		kfree_skb(skb);
		return;
	}
	netfront_count(queue, NETFRONT_RX_PACKETS);
	netfront_add(queue, NETFRONT_RX_BYTES, skb->len);

	skb->protocol = eth_type_trans(skb, queue->info->netdev);
	skb_reset_network_header(skb);
	if (unlikely(!set_checksum(queue, skb, pkt))) {
		netfront_count(queue, NETFRONT_RX_BAD_CHECKSUM);
		kfree_skb(skb);
		return;
	}
	if (unlikely(!set_gso(skb, pkt))) {
		netfront_count(queue, NETFRONT_RX_BAD_GSO);
		kfree_skb(skb);
		return;
	}
	set_hash(skb, pkt);
	skb_record_rx_queue(skb, queue->index);
	napi_gro_receive(&queue->napi, skb);
}

/* --- responses ----------------------------------------------------------- */

static void report_flaw(struct netfront_queue *queue,
			const struct netfront_packet *pkt)
{
	static const struct {
		enum netfront_counter counter;
		const char *text;
	} flaws[] = {
		[NETFRONT_BAD_STATUS] = { NETFRONT_RX_REFUSED, "failed" },
		[NETFRONT_BAD_RANGE] = { NETFRONT_RX_BAD_SLOT, "data beyond the page" },
		[NETFRONT_BAD_LENGTH] = { NETFRONT_RX_BAD_LENGTH, "bad length" },
		[NETFRONT_BAD_EXTRA] = { NETFRONT_RX_BAD_EXTRA, "bad extra" },
		[NETFRONT_BAD_GSO] = { NETFRONT_RX_BAD_GSO, "bad segmentation" },
		[NETFRONT_TOO_MANY] = { NETFRONT_RX_BAD_SLOT, "too many slots" },
	};

	if (pkt->flaw == NETFRONT_BAD_ID) {
		netfront_offend(queue, "answered another slot's request",
				queue->rx.rsp_cons);
		return;
	}
	netfront_count(queue, flaws[pkt->flaw].counter);
	if (net_ratelimit())
		netdev_warn(queue->info->netdev,
			    "queue %u: packet dropped: %s (response %u, %u slots, %u bytes)\n",
			    queue->index, flaws[pkt->flaw].text,
			    queue->rx.rsp_cons, pkt->slots, pkt->len);
}

/* Return: whether the next packet is complete, or beyond repair. */
static bool peek_packet(struct netfront_queue *queue, unsigned int pending,
			struct netfront_packet *pkt)
{
	union net_rx_slot slot;
	u32 at = queue->rx.rsp_cons;

	netfront_packet_init(pkt);
	while (!netfront_packet_ended(pkt)) {
		if (pkt->slots == pending)
			return false;
		ring_front_peek(&queue->rx, pkt->slots, &slot, sizeof(slot));
		netfront_packet_add(pkt, &slot,
				    (at + pkt->slots) % NET_RING_SLOTS);
	}
	return true;
}

static void receive_packet(struct netfront_queue *queue,
			   const struct netfront_packet *pkt)
{
	struct bpf_prog *prog = rcu_dereference_bh(queue->info->xdp_prog);
	struct sk_buff *skb = NULL;

	if (unlikely(pkt->flaw))
		report_flaw(queue, pkt);
	else if (prog)
		skb = xdp_packet(queue, pkt, prog);
	else if (pkt->len <= netfront_params.rx_copybreak)
		skb = copy_packet(queue, pkt);
	else
		skb = page_packet(queue, pkt);
	release(queue, pkt);
	if (likely(skb))
		deliver(queue, skb, pkt);
}

/* Return: number of packets. @left: responses of a packet that has not ended */
static int receive(struct netfront_queue *queue, int budget, unsigned int *left)
{
	struct netfront_packet pkt;
	unsigned int slots = 0;
	int pending, done = 0;

	*left = 0;
	while (done < budget && READ_ONCE(queue->live)) {
		pending = ring_front_pending(&queue->rx);
		if (unlikely(pending < 0)) {
			netfront_offend(queue,
					"sent more packets than it had buffers",
					queue->rx.rsp_cons);
			break;
		}
		if (!peek_packet(queue, pending, &pkt)) {
			*left = pending;
			break;
		}
		receive_packet(queue, &pkt);
		slots += pkt.slots;
		done++;
	}
	/* Half of the buffers in one go: there should have been more. */
	if (slots >= queue->rx_target / 2 && queue->rx_target < NET_RING_SLOTS)
		queue->rx_target *= 2;
	return done;
}

/* --- NAPI ---------------------------------------------------------------- */

static void end_event(struct netfront_channel *channel, bool cause)
{
	if (!channel->pending)
		return;
	channel->pending = false;
	event_channel_eoi(&channel->ec, cause);
}

/*
 * Let the next events in; the device is quiet after an offence. An event that
 * finds nothing to do may be that of responses which the poll before has taken.
 */
static void end_events(struct netfront_queue *queue)
{
	bool cause = queue->worked || queue->worked_before;

	if (unlikely(!READ_ONCE(queue->live)))
		return;
	if (!queue->tx_channel.pending && !queue->rx_channel.pending)
		return;
	netfront_count(queue, NETFRONT_EVENTS);
	queue->worked_before = queue->worked;
	queue->worked = false;
	end_event(&queue->tx_channel, cause);
	end_event(&queue->rx_channel, cause);
}

/*
 * How many packets may come before the next event. A timer looks for those
 * that stay below that, as long as packets come at all.
 */
static unsigned int event_threshold(struct netfront_queue *queue, bool busy)
{
	const struct netfront_coalesce *c = &queue->info->coalesce;
	unsigned int usecs = READ_ONCE(c->rx_usecs);
	unsigned int frames = READ_ONCE(c->rx_frames);

	if (likely(frames <= 1 || !usecs || !busy))
		return 1;
	hrtimer_start(&queue->rx_timer, ns_to_ktime(usecs * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_PINNED);
	return min(frames, posted(queue));
}

/* Return: whether what the next events would tell has happened already. */
static bool arm_all(struct netfront_queue *queue, unsigned int left, bool busy)
{
	u32 after = left + event_threshold(queue, busy);

	return ring_front_arm(&queue->rx, after) >= (int)after ||
	       netfront_tx_arm(queue);
}

/**
 * netfront_poll() - complete what was sent, receive, post buffers
 * @napi: netfront_queue.napi
 * @budget: how many packets to receive at most
 *
 * Return: number of packets, or @budget if there is more to do.
 */
int netfront_poll(struct napi_struct *napi, int budget)
{
	struct netfront_queue *queue = container_of(napi, struct netfront_queue,
						    napi);
	unsigned int left;
	int done;

	queue->worked |= netfront_tx_complete(queue);
	if (!budget)
		return 0;
	done = receive(queue, budget, &left);
	queue->worked |= done;
	netfront_xdp_flush(queue);
	if (READ_ONCE(queue->live) && !netfront_rx_refill(queue))
		mod_timer(&queue->refill_timer, jiffies + REFILL_DELAY);

	if (done == budget)
		return budget;
	if (READ_ONCE(queue->live) && arm_all(queue, left, done))
		return budget;
	/* The next event schedules NAPI again, also before this has ended. */
	end_events(queue);
	napi_complete_done(napi, done);
	return done;
}

static enum hrtimer_restart look_again(struct hrtimer *timer)
{
	struct netfront_queue *queue = container_of(timer,
						    struct netfront_queue,
						    rx_timer);

	napi_schedule(&queue->napi);
	return HRTIMER_NORESTART;
}

static void refill_later(struct timer_list *timer)
{
	struct netfront_queue *queue = from_timer(queue, timer, refill_timer);

	napi_schedule(&queue->napi);
}

/* --- life ---------------------------------------------------------------- */

int netfront_rx_init(struct netfront_queue *queue)
{
	struct page_pool_params params = {
		.pool_size = NET_RING_SLOTS,
		.nid = NUMA_NO_NODE,
		.napi = &queue->napi,
	};
	int ret;

	queue->rx_target = FIRST_BUFS;
	timer_setup(&queue->refill_timer, refill_later, 0);
	hrtimer_init(&queue->rx_timer, CLOCK_MONOTONIC,
		     HRTIMER_MODE_REL_PINNED);
	queue->rx_timer.function = look_again;
	queue->pool = page_pool_create(&params);
	if (IS_ERR(queue->pool))
		return PTR_ERR(queue->pool);
	ret = netfront_xdp_init(queue);
	if (ret)
		page_pool_destroy(queue->pool);
	return ret;
}

static void free_buf(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct page *page = buf->page;

	if (!buf->ref)
		return;
	if (!page || gnttab_end_foreign_access_ref(buf->ref)) {
		if (page)
			page_pool_put_full_page(queue->pool, page, false);
		grant_ref_free(&queue->info->budget, buf->ref);
	} else {
		get_page(page);
		page_pool_put_full_page(queue->pool, page, false);
		grant_ref_end(&queue->info->budget, buf->ref, page);
	}
	*buf = (struct netfront_buf) {};
}

/**
 * netfront_rx_drop_all() - free all buffers
 * @queue: a queue that nobody uses
 */
void netfront_rx_drop_all(struct netfront_queue *queue)
{
	unsigned int i;

	for (i = 0; i < NET_RING_SLOTS; i++)
		free_buf(queue, &queue->rx_bufs[i]);
	while (queue->nr_spare)
		free_buf(queue, &queue->spare[--queue->nr_spare]);
	xdp_rxq_info_unreg(&queue->xdp_rxq);
	page_pool_destroy(queue->pool);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Reception: NAPI takes packets off the ring, one chain of responses at a
 * time, and posts buffers again once at its end.
 */
#include "netfront.h"

#include <net/page_pool/helpers.h>

/* Buffers of an idle queue; a burst doubles them, up to the ring's size. */
#define FIRST_BUFS	32
/* When there was no memory for a single buffer. */
#define REFILL_DELAY	(HZ / 10)

/* --- responses ----------------------------------------------------------- */

static void deliver(struct netfront_queue *queue, struct sk_buff *skb,
		    const struct netfront_packet *pkt)
{
	netfront_count(queue, NETFRONT_RX_PACKETS);
	netfront_add(queue, NETFRONT_RX_BYTES, skb->len);

	if (unlikely(!netfront_packet_finish(queue, skb, pkt))) {
		kfree_skb(skb);
		return;
	}
	napi_gro_receive(&queue->napi, skb);
}

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
	struct sk_buff *skb = NULL;

	if (unlikely(pkt->flaw))
		report_flaw(queue, pkt);
	else
		skb = netfront_packet_build(queue, pkt);
	netfront_bufs_release(queue, pkt);
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

static void note_poll(struct netfront_queue *queue, unsigned int packets)
{
	if (moderation_note(&queue->moderation, packets))
		moderation_end_window(&queue->moderation, ktime_get_ns());
}

static bool holds_events(const struct netfront_queue *queue)
{
	return !READ_ONCE(queue->info->coalesce.adaptive_rx) ||
	       moderation_holds(&queue->moderation);
}

/*
 * How many packets may come before the next event. A timer looks for those
 * that stay below that, as long as packets come at all. The backend may stop
 * when the largest packet has no room any more: half of the buffers are there.
 */
static unsigned int event_threshold(struct netfront_queue *queue, bool busy)
{
	const struct netfront_coalesce *c = &queue->info->coalesce;
	unsigned int usecs = READ_ONCE(c->rx_usecs);
	unsigned int frames = min(READ_ONCE(c->rx_frames),
				  netfront_posted(queue) / 2);

	if (!busy || !holds_events(queue) || frames <= 1 || !usecs)
		return 1;
	netfront_count(queue, NETFRONT_RX_HELD);
	hrtimer_start(&queue->rx_timer, ns_to_ktime(usecs * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_PINNED);
	return frames;
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
	if (done) {
		WRITE_ONCE(queue->rx_polls, queue->rx_polls + 1);
		note_poll(queue, done);
	}
	netfront_xdp_flush(queue);
	if (READ_ONCE(queue->live) && !netfront_bufs_post(queue))
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
	queue->rx_load.until = jiffies;
	moderation_begin(&queue->moderation);
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

/**
 * netfront_rx_free() - undo netfront_rx_init(), free all buffers
 * @queue: a queue that nobody uses
 */
void netfront_rx_free(struct netfront_queue *queue)
{
	netfront_bufs_free(queue);
	xdp_rxq_info_unreg(&queue->xdp_rxq);
	page_pool_destroy(queue->pool);
}

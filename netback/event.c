// SPDX-License-Identifier: GPL-2.0
/*
 * Events for what a guest receives. A frontend that asks for one after each
 * packet may get all of them faster if it is left alone for a while.
 */
#include "netback.h"

/* More than this is not waited for. */
#define HELD_SLOTS	(NET_RING_SLOTS / 4)
/* About what it takes to wake a guest twice. */
#define HELD_USECS	64

void netback_coalesce_init(struct netback_coalesce *coalesce)
{
	coalesce->adaptive = true;
	coalesce->usecs = HELD_USECS;
}

static const struct event_channel *
channel_of(const struct netback_queue *queue)
{
	return queue->rx_ec.irq ? &queue->rx_ec : &queue->tx_ec;
}

static enum hrtimer_restart hold_expired(struct hrtimer *timer)
{
	struct netback_queue *queue =
		container_of(timer, struct netback_queue, hold.timer);

	/* The guest may have looked by itself, and be asleep again. */
	if (!xchg(&queue->hold.owed, false) || !ring_back_waited(&queue->rx))
		return HRTIMER_NORESTART;
	event_channel_notify(channel_of(queue));
	u64_stats_inc(&queue->stats->held);
	return HRTIMER_NORESTART;
}

void netback_hold_init(struct netback_queue *queue)
{
	moderation_begin(&queue->hold.moderation);
	hrtimer_init(&queue->hold.timer, CLOCK_MONOTONIC,
		     HRTIMER_MODE_REL_PINNED);
	queue->hold.timer.function = hold_expired;
}

static void send_event(struct netback_queue *queue)
{
	WRITE_ONCE(queue->hold.owed, false);
	event_channel_notify(channel_of(queue));
	u64_stats_inc(&queue->stats->rx.notifies);
}

void netback_hold_end(struct netback_queue *queue)
{
	if (READ_ONCE(queue->hold.owed))
		send_event(queue);
}

void netback_hold_stop(struct netback_queue *queue)
{
	hrtimer_cancel(&queue->hold.timer);
	netback_hold_end(queue);
}

static bool is_held(const struct netback_queue *queue)
{
	const struct netback_coalesce *c = &queue->vif->coalesce;

	if (!READ_ONCE(c->usecs))
		return false;
	return !READ_ONCE(c->adaptive) ||
	       moderation_holds(&queue->hold.moderation);
}

static void note_event(struct netback_hold *hold)
{
	if (moderation_note(&hold->moderation, hold->packets))
		moderation_end_window(&hold->moderation, ktime_get_ns());
	hold->packets = 0;
}

/* What is owed already has its timer, which looks after this. */
static void hold_event(struct netback_queue *queue)
{
	u64 ns = READ_ONCE(queue->vif->coalesce.usecs) * (u64)NSEC_PER_USEC;

	if (xchg(&queue->hold.owed, true))
		return;
	queue->hold.from = queue->rx.rsp_published;
	hrtimer_start(&queue->hold.timer, ns_to_ktime(ns),
		      HRTIMER_MODE_REL_PINNED);
}

void netback_rx_push(struct netback_queue *queue, unsigned int packets)
{
	struct netback_hold *hold = &queue->hold;
	bool due = ring_back_push(&queue->rx);

	hold->packets += packets;
	if (due) {
		note_event(hold);
		if (is_held(queue))
			hold_event(queue);
		else
			send_event(queue);
	} else if (queue->rx.rsp_published - hold->from >= HELD_SLOTS) {
		netback_hold_end(queue);
	}
}

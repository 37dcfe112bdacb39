// SPDX-License-Identifier: GPL-2.0
/*
 * Handing the CPU over: a thread that sends and then waits for an answer offers
 * its CPU to the other end, and looks for the answer when it has it back.
 *
 * The depth is the number of packets that are sent between two polls that receive
 * some. What sends all the time, or receives more than it asks for, has none.
 */
#include "netfront.h"

#include <linux/sched/stat.h>

/* What NAPI has received since the last packet was sent. */
static void note_polls(struct netfront_queue *queue)
{
	u32 polls = READ_ONCE(queue->rx_polls);
	u32 n = polls - queue->polls_seen;

	if (!n)
		return;
	/* What was handed over has had no event of its own. */
	if (n > 1)
		handover_note_event(&queue->handover, HANDOVER_NO_DEPTH);
	else if (!queue->handed_over)
		handover_note_event(&queue->handover, queue->sent);
	queue->handed_over = false;
	queue->sent = 0;
	queue->polls_seen = polls;
}

/**
 * netfront_handover_due() - count a packet; whether to hand the CPU over for it
 * @queue: the queue, with the packet in its ring
 * @last: the stack has no more packets now
 *
 * If so, no event is asked for any more: netfront_hand_over() must follow.
 *
 * Context: lock of the stack's queue held.
 */
bool netfront_handover_due(struct netfront_queue *queue, bool last)
{
	note_polls(queue);
	if (queue->sent < HANDOVER_NO_DEPTH)
		queue->sent++;
	if (!last || !queue->live || !READ_ONCE(netfront_params.hand_over) ||
	    !handover_due(&queue->handover, queue->sent))
		return false;
	/* Only a thread can wait, and only where nothing else is to be done. */
	if (!in_task() || irqs_disabled() || !single_task_running())
		return false;
	ring_front_disarm(&queue->rx);
	return true;
}

/**
 * netfront_hand_over() - let the backend run, and have NAPI receive what it sends
 * @queue: the queue, of which the backend knows all packets
 *
 * NAPI also asks for events again, whether or not there is anything.
 *
 * Context: lock of the stack's queue held, BH disabled.
 */
void netfront_hand_over(struct netfront_queue *queue)
{
	netfront_count(queue, NETFRONT_TX_HANDED_OVER);
	/* Its event may have given the backend the CPU. */
	if (ring_front_pending(&queue->rx) <= 0)
		event_channel_yield();
	queue->handed_over = ring_front_pending(&queue->rx) > 0;
	handover_end(&queue->handover, queue->handed_over);
	napi_schedule(&queue->napi);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a frontend hands its CPU over instead of waiting for an event. Pure: no
 * kernel services, works on numbers, also built in user space.
 *
 * A sender that has put all its requests into the ring sleeps until the first is
 * answered; its domain halts, an event is sent, an interrupt taken, the sender
 * woken. Where the backend shares the CPU and answers within one turn, offering
 * the CPU once (event_channel_yield()) and looking at the ring saves all of that.
 * Where it does not, that is a hypercall for nothing.
 *
 * So the events are watched: with how many requests in flight they come says when
 * the sender has sent all. If that is the same for some events in a row, the
 * following requests that bring the ring to this depth are handed over, a series
 * of them; then an event is waited for again, in case the sender would have sent
 * more. When a backend has not answered everything, no other attempt is made for
 * a number of events, which doubles each time until a whole series has succeeded.
 */
#ifndef XSPLIT_HANDOVER_H
#define XSPLIT_HANDOVER_H

#include <linux/types.h>

/* Events in a row at the same depth from which a series begins. */
#define HANDOVER_AGREED		4
/* Handovers between events that are waited for. */
#define HANDOVER_SERIES		64
/* Events without an attempt after the first that failed, and the most. */
#define HANDOVER_PAUSE		8
#define HANDOVER_MAX_PAUSE	4096
/* A depth that is none: what happens follows no pattern. */
#define HANDOVER_NO_DEPTH	0xffff

/**
 * struct handover - what is known of a ring
 * @depth: requests in flight when the last event came
 * @agreed: events in a row at that depth, at most HANDOVER_AGREED
 * @left: handovers until an event is to be waited for
 * @skip: events until the next attempt
 * @pause: the last @skip was begun with this, 0 after a series of successes
 *
 * All zero: nothing is known.
 */
struct handover {
	u16 depth;
	u16 agreed;
	u16 left;
	u16 skip;
	u16 pause;
};

/**
 * handover_note_event() - an event has come
 * @h: what is known
 * @depth: requests in flight, answered ones among them; 0 if it had no cause;
 *	HANDOVER_NO_DEPTH also without an event, for none until others agree
 */
void handover_note_event(struct handover *h, unsigned int depth);

/**
 * handover_due() - whether to hand the CPU over
 * @h: what is known
 * @depth: requests in flight, those about to be published among them
 *
 * Return: true if so; if it is done, handover_end() says what has come of it.
 */
static inline bool handover_due(struct handover *h, unsigned int depth)
{
	if (!h->left || depth < h->depth)
		return false;
	h->left--;
	return true;
}

/**
 * handover_end() - what has come of it
 * @h: what is known
 * @answered: whether nothing is in flight any more
 */
void handover_end(struct handover *h, bool answered);

#endif /* XSPLIT_HANDOVER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether packets come faster if who receives them sleeps for a while first. PURE:
 * also built in user space.
 *
 * Who is done with each packet before the next one comes is woken for each, and
 * where that costs the sender time, too, the wakeups are the limit. Nothing that
 * one side sees tells this from a peer that sends a packet when it has got an
 * answer. So it is tried: a few events are held back, and more only where packets
 * then came markedly faster. What waits for answers comes more slowly, and is
 * left alone for ever longer.
 */
#ifndef XSPLIT_MODERATION_H
#define XSPLIT_MODERATION_H

#include <linux/types.h>

/* Wakeups that are judged together, and those of a trial. */
#define MODERATION_WINDOW	64
#define MODERATION_TRIAL	16
/* As many packets for each need no help: those come by themselves. */
#define MODERATION_BATCH	4
/* Wakeups that are farther apart than this cost little, nanoseconds. */
#define MODERATION_APART	100000
/* A trial has succeeded if a packet took no more than this part of the time. */
#define MODERATION_GAIN_NUM	3
#define MODERATION_GAIN_DEN	4
/* Time between trials that fail, and until a success is doubted, ns. */
#define MODERATION_PAUSE	(64 * 1000000ULL)
#define MODERATION_MAX_PAUSE	(4096 * 1000000ULL)
#define MODERATION_TRUST	(1024 * 1000000ULL)

/* What is done about events. */
enum moderation_state {
	MODERATION_OFF,		/* each packet has one */
	MODERATION_TRYING,	/* held back, to see what that does */
	MODERATION_ON,		/* held back, because it helps */
};

/**
 * struct moderation - what is known of a queue
 * @state: what is done about events
 * @wakeups: in the window that is watched
 * @packets: in those
 * @since: begin of the window, nanoseconds; 0 before the first
 * @cost: time for a packet before the trial, nanoseconds
 * @pause: time without a trial after the next failure, nanoseconds
 * @until: no trial before, or no doubt in its success before, nanoseconds
 */
struct moderation {
	enum moderation_state state;
	unsigned int wakeups;
	unsigned int packets;
	u64 since;
	u64 cost;
	u64 pause;
	u64 until;
};

/**
 * moderation_begin() - know nothing
 * @m: filled
 */
void moderation_begin(struct moderation *m);

/**
 * moderation_end_window() - judge a window
 * @m: what is known; moderation_note() has said that a window is full
 * @now: any clock, nanoseconds
 */
void moderation_end_window(struct moderation *m, u64 now);

/**
 * moderation_note() - count a wakeup
 * @m: what is known
 * @packets: that were received by it, at least 1
 *
 * Return: whether moderation_end_window() is to be called.
 */
static inline bool moderation_note(struct moderation *m, unsigned int packets)
{
	m->packets += packets;
	return ++m->wakeups >= (m->state == MODERATION_TRYING ?
			      MODERATION_TRIAL : MODERATION_WINDOW);
}

/**
 * moderation_holds() - whether events are to be held back
 * @m: what is known
 */
static inline bool moderation_holds(const struct moderation *m)
{
	return m->state != MODERATION_OFF;
}

#endif /* XSPLIT_MODERATION_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Handovers, with senders and backends made of arithmetic: who gets them, how many
 * are for nothing, and how soon a sender that changes is known.
 */
#include "evtchn/handover.h"

#include <linux/array_size.h>

#include "case.h"

/* Each sends until @depth requests are in flight and then waits for all. */
struct sender {
	const char *name;
	unsigned int depth;
	/* How many of them the backend answers in the turn it is offered. */
	unsigned int answers;
	/* Handovers of 10,000 waits, at least and at most, and those for nothing. */
	unsigned int least;
	unsigned int most;
	unsigned int failed;
};

static const struct sender senders[] = {
	{ "one_at_once", 1, 1, 9800, 9900, 0 },
	{ "many_at_once", 32, 32, 9800, 9900, 0 },
	{ "one_later", 1, 0, 1, 12, 12 },
	{ "many_later", 32, 0, 1, 12, 12 },
	{ "many_in_part", 32, 31, 1, 12, 12 },
};

struct run {
	struct handover h;
	unsigned int handovers;
	unsigned int failed;
	unsigned int events;
};

/* One series of requests, with what is left of it when all have been published. */
static void send_all(struct run *run, unsigned int depth, unsigned int answers)
{
	unsigned int n, inflight = 0;

	for (n = 0; n < depth; n++) {
		inflight++;
		if (!handover_due(&run->h, inflight))
			continue;
		run->handovers++;
		inflight -= answers < inflight ? answers : inflight;
		run->failed += inflight != 0;
		handover_end(&run->h, !inflight);
	}
	if (!inflight)
		return;
	run->events++;
	handover_note_event(&run->h, inflight);
}

static void run_sender(const void *arg)
{
	const struct sender *sender = arg;
	struct run run = {};
	unsigned int i;

	for (i = 0; i < 10000; i++)
		send_all(&run, sender->depth, sender->answers);
	CHECK(run.handovers >= sender->least && run.handovers <= sender->most);
	CHECK(run.failed <= sender->failed);
}

/* At no depth twice in a row: there is nothing to go by. */
static void unsteady(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 10000; i++)
		send_all(&run, 1 + i % 7, 1 + i % 7);
	CHECK_EQ(run.handovers, 0);
	CHECK_EQ(run.events, 10000);
}

/* Who sends more than before is not held to what was known for longer than a series. */
static void deeper(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		send_all(&run, 1, 1);
	CHECK(run.handovers > 80);
	run.handovers = 0;
	for (i = 0; i < HANDOVER_SERIES; i++)
		send_all(&run, 32, 32);
	CHECK(run.handovers <= 2 * HANDOVER_SERIES);
	CHECK_EQ(run.h.depth, 32);
	run.handovers = 0;
	for (i = 0; i < 100; i++)
		send_all(&run, 32, 32);
	CHECK(run.handovers > 90 && run.handovers <= 100);
}

/* And who sends less waits for events, but only for some. */
static void shallower(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		send_all(&run, 32, 32);
	run.events = 0;
	for (i = 0; i < 50; i++)
		send_all(&run, 4, 4);
	CHECK_EQ(run.events, HANDOVER_AGREED + 1);
}

/* A backend that becomes quick is found to be so. */
static void quicker(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 100000; i++)
		send_all(&run, 1, 0);
	CHECK_EQ(run.h.pause, HANDOVER_MAX_PAUSE);
	run.handovers = 0;
	for (i = 0; i < 2 * HANDOVER_MAX_PAUSE; i++)
		send_all(&run, 1, 1);
	CHECK(run.handovers > HANDOVER_MAX_PAUSE / 2);
	CHECK_EQ(run.h.pause, 0);
}

/* Every other wait is for something slow. */
static void now_and_then(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 10000; i++)
		send_all(&run, 1, i % 2);
	CHECK(run.failed <= 12);
	CHECK(run.handovers <= 24);
}

/* What follows no pattern ends a series, however often it happens. */
static void no_depth(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 10; i++)
		send_all(&run, 1, 1);
	CHECK(handover_due(&run.h, 1));
	for (i = 0; i < 3 * HANDOVER_AGREED; i++)
		handover_note_event(&run.h, HANDOVER_NO_DEPTH);
	CHECK(!handover_due(&run.h, 1));
	CHECK(!handover_due(&run.h, 1000));
	run.events = 0;
	for (i = 0; i < 10; i++)
		send_all(&run, 1, 1);
	CHECK_EQ(run.events, HANDOVER_AGREED + 1);
}

static void no_cause(const void *arg)
{
	struct run run = {};
	unsigned int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		handover_note_event(&run.h, 0);
	CHECK(!handover_due(&run.h, 0));
	CHECK(!handover_due(&run.h, 1));
}

void handover_tests(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(senders); i++)
		case_run("handover", senders[i].name, run_sender, &senders[i]);
	case_run("handover", "unsteady", unsteady, NULL);
	case_run("handover", "deeper", deeper, NULL);
	case_run("handover", "shallower", shallower, NULL);
	case_run("handover", "quicker", quicker, NULL);
	case_run("handover", "now_and_then", now_and_then, NULL);
	case_run("handover", "no_depth", no_depth, NULL);
	case_run("handover", "no_cause", no_cause, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Moderation of events, with senders made of arithmetic: what it finds out about
 * each, how soon, and what that costs those that must not be kept waiting.
 */
#include "evtchn/moderation.h"

#include <linux/array_size.h>

#include "case.h"

#define US	1000ULL
#define MS	(1000 * US)
#define SECOND	(1000 * MS)

/* Time from one poll to the next, and the packets of those that come. */
struct pace {
	u64 ns;
	unsigned int packets;
};

struct sender {
	const char *name;
	struct pace each;	/* with an event for each packet */
	struct pace held;	/* with events held back */
	bool gains;
	bool tried;
};

static const struct sender senders[] = {
	{ "woken_by_each", { 52 * US, 1 }, { 110 * US, 12 }, true, true },
	{ "woken_by_each_fast", { 5 * US, 1 }, { 68 * US, 100 }, true, true },
	{ "in_pairs", { 60 * US, 2 }, { 110 * US, 8 }, true, true },
	{ "a_third_more", { 60 * US, 3 }, { 60 * US, 4 }, true, true },
	{ "answers", { 70 * US, 1 }, { 134 * US, 1 }, false, true },
	{ "answers_fast", { 15 * US, 1 }, { 79 * US, 1 }, false, true },
	{ "two_that_wait", { 80 * US, 2 }, { 140 * US, 2 }, false, true },
	{ "at_a_fixed_rate", { 50 * US, 1 }, { 100 * US, 2 }, false, true },
	{ "a_fifth_more", { 60 * US, 1 }, { 100 * US, 2 }, false, true },
	{ "in_batches", { 200 * US, 10 }, { 264 * US, 20 }, false, false },
	{ "in_fours", { 60 * US, 4 }, { 100 * US, 40 }, false, false },
	{ "slow", { 101 * US, 1 }, { 165 * US, 20 }, false, false },
	{ "now_and_then", { SECOND, 1 }, { SECOND, 1 }, false, false },
};

struct run {
	struct moderation m;
	u64 now;
	u64 held;	/* time that it held events back */
	unsigned int trials;
};

static void begin(struct run *run)
{
	*run = (struct run){ .now = 12345 };
	moderation_begin(&run->m);
}

static void poll(struct run *run, const struct pace *pace)
{
	bool held = moderation_holds(&run->m);

	run->now += pace->ns;
	if (held)
		run->held += pace->ns;
	if (moderation_note(&run->m, pace->packets))
		moderation_end_window(&run->m, run->now);
	if (!held && moderation_holds(&run->m))
		run->trials++;
}

static void send_for(struct run *run, const struct sender *sender, u64 ns)
{
	u64 end = run->now + ns;

	while (run->now < end)
		poll(run, moderation_holds(&run->m) ? &sender->held :
						      &sender->each);
}

static void run_sender(const void *arg)
{
	const struct sender *sender = arg;
	struct run run;

	begin(&run);
	send_for(&run, sender, 60 * SECOND);
	CHECK_EQ(!!run.trials, sender->tried);
	if (sender->gains) {
		/* Which is doubted once a second, and found to be so again. */
		CHECK(run.held > 59 * SECOND);
		CHECK(run.trials >= 50 && run.trials <= 60);
	} else {
		/* Less than one part in a thousand. */
		CHECK(run.held < 60 * MS);
		CHECK(run.trials <= 20);
	}
}

static void soon(const void *arg)
{
	struct run run;

	(void)arg;
	begin(&run);
	send_for(&run, &senders[0], 9 * MS);
	CHECK_EQ(run.m.state, MODERATION_ON);
}

/* Who waits for answers after others had gained. */
static void changed(const void *arg)
{
	const struct sender *gains = &senders[0], *waits = &senders[4];
	struct run run;

	(void)arg;
	begin(&run);
	send_for(&run, gains, 2500 * MS);
	CHECK_EQ(run.m.state, MODERATION_ON);
	send_for(&run, waits, 20 * MS);
	CHECK_EQ(run.m.state, MODERATION_OFF);
	run.held = 0;
	send_for(&run, waits, 10 * SECOND);
	CHECK(run.held < 30 * MS);
	send_for(&run, gains, 5 * SECOND);
	CHECK_EQ(run.m.state, MODERATION_ON);
}

/* The sender stops in the middle of each window. */
static void stopped(const void *arg)
{
	const struct sender *gains = &senders[0];
	const struct pace rest = { 3600 * SECOND, 1 };
	struct run run;

	(void)arg;
	begin(&run);
	send_for(&run, gains, 64 * 52 * US + 64 * 52 * US);
	CHECK_EQ(run.m.state, MODERATION_TRYING);
	poll(&run, &rest);
	send_for(&run, gains, 64 * 110 * US);
	CHECK_EQ(run.trials, 1);
	CHECK_EQ(run.m.state, MODERATION_OFF);

	send_for(&run, gains, SECOND);
	CHECK_EQ(run.m.state, MODERATION_ON);
	poll(&run, &rest);
	send_for(&run, gains, 10 * SECOND);
	CHECK_EQ(run.m.state, MODERATION_ON);
}

static void rest_before(const void *arg)
{
	const struct pace rest = { 3600 * SECOND, 1 };
	struct run run;

	(void)arg;
	begin(&run);
	poll(&run, &rest);
	send_for(&run, &senders[0], 20 * MS);
	CHECK_EQ(run.m.state, MODERATION_ON);
}

void moderation_tests(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(senders); i++)
		case_run("moderation", senders[i].name, run_sender, &senders[i]);
	case_run("moderation", "soon", soon, NULL);
	case_run("moderation", "changed", changed, NULL);
	case_run("moderation", "stopped", stopped, NULL);
	case_run("moderation", "rest_before", rest_before, NULL);
}

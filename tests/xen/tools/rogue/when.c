// SPDX-License-Identifier: GPL-2.0
/* When something was done: what happens to a neighbour while the rogue waits says nothing. */
#include "rogue.h"

#include <stdio.h>
#include <time.h>

/* Shorter ones are part of what is done. */
#define WAIT_US		100000

static long active_since;

/* All domains have one clock. */
long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void say(long until)
{
	if (until > active_since)
		printf("at %ld %ld\n", active_since, until);
}

void active(bool yes)
{
	if (yes)
		active_since = now_us();
	else
		say(now_us());
}

void waited_since(long since)
{
	long now = now_us();

	if (now - since < WAIT_US || since < active_since)
		return;
	say(since);
	active_since = now;
}

// SPDX-License-Identifier: GPL-2.0
/*
 *	rogue ROLE DIR [--seed A[..B]] [--steps M] [--from K] [--pace MS] [--honest] [-v]
 *	rogue net-way WAY [SEED], see netways.c
 *	rogue load DEVICE ADDRESS, see load.c
 *
 * ROLE is blk-front, net-front, blk-back or net-back, DIR its own xenstore directory, made by a
 * toolstack and in state 1. An honest one does the first of its acts only, for HONEST_MS, as fast
 * as it can. "at FROM TO" is when something was done, in us. Exit code: 0 done, 1 the victim did what it must not, 3 the victim
 * does not want any more (the last line says from where to go on), 2 trouble of our own.
 */
#include "rogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HONEST_MS	300

const struct role *role;

static unsigned int steps = 60, from, pace;
static bool honest;

static void one_step(uint64_t seed, unsigned int step)
{
	const struct act *act;

	script_at(seed, step, 0);
	act = choose(role->acts, honest ? 1 : role->nr_acts);
	tell(" %s", act->name);
	act->run();
	tell_end();
	tally.steps++;
}

/* Return: false if there is nobody to play with. */
static bool reopen(uint64_t seed, unsigned int step)
{
	unsigned int tries = role->tries;
	bool ok;

	if (connected())
		return true;
	if (nr_ports && !spoiled)
		tally.broken++;
	script_at(seed, step, 1);
	tell(" connect");
	do {
		ok = role->open();
		tell_end();
	} while (!ok && --tries);
	tally.connections += ok;
	return ok;
}

static bool run_seed(uint64_t seed)
{
	unsigned int step;

	for (step = from; step < steps; step++) {
		if (!reopen(seed, step)) {
			printf("no connection at --seed %llu, step %u: peer's state %u\n",
			       (unsigned long long)seed, step, peer_state());
			return false;
		}
		one_step(seed, step);
		usleep(pace * 1000);
	}
	return true;
}

static bool run_honestly(uint64_t seed)
{
	unsigned int step;
	long until;

	if (!reopen(seed, 0))
		return false;
	until = now_us() + HONEST_MS * 1000;
	for (step = 0; connected() && now_us() < until; step++)
		one_step(seed, step);
	return now_us() >= until;
}

static void report(void)
{
	printf("%u steps, %u connections, %u of them broken, %u answers, %u of them errors, %u complaints\n",
	       tally.steps, tally.connections, tally.broken, tally.answers, tally.errors, tally.complaints);
}

static void leave(void)
{
	set_state(CLOSED);
	/* A frontend may be ready for the next one at once. */
	await_state(1 << CLOSED | 1 << UNKNOWN | 1 << INITIALISING, 3000);
	let_go();
}

static int run(uint64_t first, uint64_t last)
{
	uint64_t seed;
	bool done;

	for (seed = first; seed <= last; seed++) {
		active(true);
		done = (honest ? run_honestly : run_seed)(seed);
		active(false);
		if (!done) {
			leave();
			report();
			printf("next %llu\n", (unsigned long long)seed + 1);
			return tally.complaints ? 1 : 3;
		}
		leave();
	}
	report();
	return !!tally.complaints;
}

static const struct role *find_role(const char *name)
{
	static const struct role *const roles[] = { &blk_front, &net_front, &blk_back, &net_back };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(name, roles[i]->name))
			return roles[i];
	return NULL;
}

int load(const char *device, const char *address);
int net_way(const char *way, uint64_t seed);

int main(int argc, char **argv)
{
	uint64_t first = 1, last = 1;
	char *end;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 3 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3]);
	if (argc > 2 && !strcmp(argv[1], "net-way"))
		return net_way(argv[2], argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
	role = argc > 2 ? find_role(argv[1]) : NULL;
	if (!role)
		return 2;
	for (i = 3; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "-v") || !strcmp(argv[i], "--honest")) {
			verbose |= argv[i][1] == 'v';
			honest |= argv[i][1] == '-';
			continue;
		}
		if (!strcmp(argv[i], "--seed")) {
			first = last = strtoull(value, &end, 10);
			if (*end)
				last = strtoull(end + 2, NULL, 10);
		} else if (!strcmp(argv[i], "--steps")) {
			steps = atoi(value);
		} else if (!strcmp(argv[i], "--from")) {
			from = atoi(value);
		} else if (!strcmp(argv[i], "--pace")) {
			pace = atoi(value);
		} else {
			return 2;
		}
		i++;
	}
	store_open(argv[2]);
	return run(first, last);
}

// SPDX-License-Identifier: GPL-2.0
/* Memory that changes while it is read. */
#include "rogue.h"

#include <pthread.h>

static volatile uint8_t *target;
static size_t target_len;
static uint64_t target_seed;
static volatile bool stop;
static pthread_t thread;

static void *flip(void *unused)
{
	uint64_t x = target_seed | 1;

	(void)unused;
	while (!stop) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		target[(x >> 33) % target_len] ^= 1 << (x >> 29 & 7);
	}
	return NULL;
}

void flip_start(volatile uint8_t *at, size_t len, uint64_t seed)
{
	target = at;
	target_len = len;
	target_seed = seed;
	stop = false;
	if (pthread_create(&thread, NULL, flip, NULL))
		die("thread");
}

void flip_stop(void)
{
	stop = true;
	pthread_join(thread, NULL);
}

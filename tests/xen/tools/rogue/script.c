// SPDX-License-Identifier: GPL-2.0
/* What is done: random numbers that depend on seed and step only, and words about them. */
#include "rogue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state, at_seed;
static unsigned int at_step;
static char line[400];

struct tally tally;
bool verbose;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void script_at(uint64_t seed, unsigned int step, unsigned int salt)
{
	at_seed = seed;
	at_step = step;
	state = seed;
	state = next() ^ (((uint64_t)salt << 32) + step);
}

uint32_t any(void)
{
	return next() >> 32;
}

uint32_t below(uint32_t n)
{
	return (uint64_t)any() * n >> 32;
}

bool one_in(uint32_t n)
{
	return !below(n);
}

uint32_t odd_number(void)
{
	static const uint32_t edges[] = {
		0, 1, 2, 3, 7, 8, 9, 11, 12, 31, 32, 33, 63, 64, 127, 128, 255, 256, 257, 511, 512, 4095,
		4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	return one_in(3) ? any() >> below(32) : edges[below(ARRAY_SIZE(edges))];
}

const char *odd_text(void)
{
	static const char *const texts[] = {
		"", "0", "1", "2", "3", "4", "8", "64", "65", "255", "4096", "65535", "65536", "-1", "2147483648",
		"4294967295", "4294967296", "18446744073709551616", "99999999999999999999999", "one", "0x10",
		" 1", "1 ", "1,1", "00:16:3e:00:00:01", "%s%n%p", "1.5", "\x01\xff", "/", "..",
	};
	static char buf[2048];

	if (one_in(16)) {
		memset(buf, '9', sizeof(buf) - 1);
		return buf;
	}
	if (one_in(4)) {
		snprintf(buf, sizeof(buf), "%u", odd_number());
		return buf;
	}
	return texts[below(ARRAY_SIZE(texts))];
}

const struct act *choose(const struct act *acts, unsigned int nr)
{
	unsigned int i, sum = 0, n;

	for (i = 0; i < nr; i++)
		sum += acts[i].weight;
	n = below(sum);
	for (i = 0; n >= acts[i].weight; i++)
		n -= acts[i].weight;
	return &acts[i];
}

void tell(const char *fmt, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + used, sizeof(line) - used, fmt, args);
	va_end(args);
}

void tell_end(void)
{
	if (verbose && line[0])
		printf("%llu/%u:%s\n", (unsigned long long)at_seed, at_step, line);
	line[0] = 0;
}

void complain(const char *fmt, ...)
{
	va_list args;

	printf("complaint at --seed %llu, step %u:", (unsigned long long)at_seed, at_step);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" (%s )\n", line);
	tally.complaints++;
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(": %m\n");
	exit(2);
}

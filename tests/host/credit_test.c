// SPDX-License-Identifier: GPL-2.0
/*
 * The rate limit: how much passes in the long run, at once, and with any numbers
 * that an administrator can write and any clock.
 */
#include "netback/credit.h"

#include <linux/array_size.h>
#include <stdlib.h>

#include "case.h"

#define NS_PER_US	1000ULL
#define NS_PER_S	1000000000ULL
#define LARGEST		65535

static s64 burst(const struct credit_bucket *bucket)
{
	return bucket->bytes > 65536 ? bucket->bytes : 65536;
}

struct rate {
	const char *name;
	u32 bytes;
	u32 usec;
	u32 len;
	/* How long to look at it. */
	u64 seconds;
};

static const struct rate rates[] = {
	{ "10_mbit_as_libxl_writes_it", 62500, 50000, 1514, 60 },
	{ "10_mbit_64k", 62500, 50000, LARGEST, 600 },
	{ "100_mbit", 625000, 50000, 1514, 10 },
	{ "1_gbit_64k", 6250000, 50000, LARGEST, 10 },
	{ "10_gbit_64k", 62500000, 50000, LARGEST, 4 },
	{ "1_gbit_60", 6250000, 50000, 60, 1 },
	{ "100_kbyte_in_ms", 100, 1000, 1514, 600 },
	{ "100_kbyte_in_us", 1, 10, 60, 60 },
	{ "3_bytes_in_7_us", 3, 7, 1514, 60 },
	{ "one_byte_a_second", 1, 1000000, 60, 1000000 },
	{ "largest_period", 4294967295U, 4294967295U, 1514, 100 },
	{ "smallest_period", 1000, 1, 1514, 1 },
};

/* Ask again as soon as told, from queues in turn whose clocks differ a bit. */
static u64 pass(struct credit_bucket *bucket, const struct rate *rate,
		unsigned int queues)
{
	u64 now = NS_PER_S, end = now + rate->seconds * NS_PER_S;
	u64 wait, bytes = 0;
	unsigned int n = 0;

	while (now < end) {
		wait = credit_take(bucket, rate->len, now - n++ % queues * 50);
		CHECK(wait <= NS_PER_S);
		if (wait)
			now += wait;
		else
			bytes += rate->len;
	}
	return bytes;
}

static void check_rate(const struct rate *rate, unsigned int queues)
{
	struct credit_bucket bucket = {};
	u64 want, have, slack;

	credit_set(&bucket, rate->bytes, rate->usec, NS_PER_S);
	slack = burst(&bucket) + rate->len;
	have = pass(&bucket, rate, queues);
	want = (unsigned __int128)rate->bytes * rate->seconds * 1000000 /
	       rate->usec;

	/* What was there to begin with, and one part in thousand. */
	if (have > want + slack + want / 1000)
		FAIL("%llu bytes passed, %llu are allowed",
		     (unsigned long long)have, (unsigned long long)want);
	if (have + rate->len < want - want / 1000)
		FAIL("%llu bytes passed of %llu", (unsigned long long)have,
		     (unsigned long long)want);
}

static void run_rate(const void *arg)
{
	check_rate(arg, 1);
	check_rate(arg, 2);
	check_rate(arg, 7);
}

static void no_limit(const void *arg)
{
	struct credit_bucket bucket = {};
	u64 i;

	(void)arg;
	for (i = 0; i < 1000; i++)
		CHECK_EQ(credit_take(&bucket, LARGEST, i), 0);
	credit_set(&bucket, 0, 0, 0);
	for (i = 0; i < 1000; i++)
		CHECK_EQ(credit_take(&bucket, LARGEST, i), 0);
	credit_set(&bucket, 0, 50000, 0);
	for (i = 0; i < 1000; i++)
		CHECK_EQ(credit_take(&bucket, LARGEST, i), 0);
	credit_set(&bucket, 1000, 0, 0);
	for (i = 0; i < 1000; i++)
		CHECK_EQ(credit_take(&bucket, LARGEST, i), 0);
}

static void burst_at_once(const void *arg)
{
	static const u32 bytes[] = { 1, 1000, 65535, 65536, 65537, 1000000,
				     4294967295U };
	struct credit_bucket bucket;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(bytes); i++) {
		bucket = (struct credit_bucket) {};
		credit_set(&bucket, bytes[i], 50000, NS_PER_S);
		CHECK_EQ(credit_take(&bucket, LARGEST, NS_PER_S), 0);

		bucket = (struct credit_bucket) {};
		credit_set(&bucket, bytes[i], 50000, NS_PER_S);
		CHECK_EQ(credit_take(&bucket, bytes[i], NS_PER_S), 0);
	}
}

/* What was not used in an hour is not kept. */
static void idle(const void *arg)
{
	struct credit_bucket bucket = {};
	u64 now = NS_PER_S, bytes = 0;

	(void)arg;
	credit_set(&bucket, 1000000, 50000, now);
	now += 3600 * NS_PER_S;
	while (!credit_take(&bucket, 1000, now))
		bytes += 1000;
	CHECK_EQ(bytes, 1000000);
}

/* The time to wait is enough, and not a microsecond too long. */
static void wait_is_exact(const void *arg)
{
	struct credit_bucket bucket, earlier;
	unsigned int seed = 1, i;
	u64 now, wait;

	(void)arg;
	for (i = 0; i < 100000; i++) {
		bucket = (struct credit_bucket) {};
		now = NS_PER_S + rand_r(&seed);
		credit_set(&bucket, 1 + rand_r(&seed) % 10000000,
			   1 + rand_r(&seed) % 100000, now);
		while (!credit_take(&bucket, 1 + rand_r(&seed) % 10000000, now))
			now += rand_r(&seed) % 10000;
		wait = credit_take(&bucket, 1, now);
		CHECK(wait);
		if (wait == NS_PER_S)
			continue;
		earlier = bucket;
		CHECK_EQ(credit_take(&bucket, 1, now + wait), 0);
		CHECK(credit_take(&earlier, 1, now + wait - 2 * NS_PER_US));
	}
}

static void clock_goes_back(const void *arg)
{
	struct credit_bucket bucket = {};
	u64 now = NS_PER_S;

	(void)arg;
	credit_set(&bucket, 1000, 1000000, now);
	while (!credit_take(&bucket, 1000, now))
		;
	CHECK(credit_take(&bucket, 1, now - 1));
	CHECK(credit_take(&bucket, 1, now - NS_PER_S));
	CHECK(credit_take(&bucket, 1, 0));
	CHECK(credit_take(&bucket, 1, now));
}

static void change_of_limit(const void *arg)
{
	struct credit_bucket bucket = {};
	u64 now = NS_PER_S;

	(void)arg;
	credit_set(&bucket, 10000000, 1000000, now);
	credit_set(&bucket, 100000, 1000000, now);
	CHECK_EQ(bucket.tokens, 100000);
	CHECK_EQ(credit_take(&bucket, 100000, now), 0);
	/* A change gives nothing away, whichever way it goes. */
	credit_set(&bucket, 10000000, 1000000, now);
	CHECK(credit_take(&bucket, 1, now));
	credit_set(&bucket, 0, 0, now);
	CHECK_EQ(credit_take(&bucket, 1, now), 0);
	credit_set(&bucket, 100000, 1000000, now);
	CHECK_EQ(credit_take(&bucket, 100000, now), 0);
}

static u32 any_u32(unsigned int *seed)
{
	static const u32 edges[] = { 0, 1, 2, 65535, 65536, 65537, 0x7fffffff,
				     0x80000000, 0xfffffffe, 0xffffffff };
	u32 val = (u32)rand_r(seed) << 16 ^ rand_r(seed);

	if (rand_r(seed) % 2)
		return edges[rand_r(seed) % ARRAY_SIZE(edges)];
	return val >> rand_r(seed) % 32;
}

static u64 any_jump(unsigned int *seed)
{
	u64 val = (u64)any_u32(seed) << 32 | any_u32(seed);

	return val >> rand_r(seed) % 64;
}

/* The same in numbers that cannot overflow; times are exact. */
struct model {
	__int128 units;		/* credit in 1/usec byte */
	u64 filled;
};

static bool model_take(struct model *model, const struct credit_bucket *bucket,
		       u32 len, u64 now)
{
	__int128 full = (__int128)burst(bucket) * bucket->usec;
	s64 elapsed = now - model->filled;

	if (elapsed >= (s64)NS_PER_US) {
		u64 usec = elapsed / NS_PER_US;

		model->filled += usec * NS_PER_US;
		model->units += (__int128)usec * bucket->bytes;
		if (model->units > full)
			model->units = full;
	}
	/* A part of a byte is no credit. */
	if (model->units < (__int128)bucket->usec)
		return false;
	model->units -= (__int128)len * bucket->usec;
	return true;
}

static void any_numbers(const void *arg)
{
	struct credit_bucket bucket;
	unsigned int seed = 1, i, k;
	struct model model;
	u64 now, wait;
	u32 len;

	(void)arg;
	for (i = 0; i < 50000; i++) {
		now = any_jump(&seed);
		bucket = (struct credit_bucket) {};
		credit_set(&bucket, any_u32(&seed), any_u32(&seed), now);
		model.units = (__int128)burst(&bucket) * bucket.usec;
		model.filled = now;
		for (k = 0; k < 20; k++) {
			/* Less than an hour, so that it is exact. */
			now += any_jump(&seed) % (3600 * NS_PER_S);
			len = any_u32(&seed);
			wait = credit_take(&bucket, len, now);
			CHECK(wait <= NS_PER_S);
			CHECK(bucket.tokens <= burst(&bucket));
			if (!bucket.bytes)
				CHECK_EQ(wait, 0);
			else
				CHECK_EQ(!wait, model_take(&model, &bucket, len,
							   now));
		}
	}
}

static void any_jumps(const void *arg)
{
	struct credit_bucket bucket;
	unsigned int seed = 2, i, k;
	u64 now, wait;

	(void)arg;
	for (i = 0; i < 50000; i++) {
		now = any_jump(&seed);
		bucket = (struct credit_bucket) {};
		credit_set(&bucket, any_u32(&seed), any_u32(&seed), now);
		for (k = 0; k < 20; k++) {
			now += any_jump(&seed);
			wait = credit_take(&bucket, any_u32(&seed), now);
			CHECK(wait <= NS_PER_S);
			CHECK(bucket.tokens <= burst(&bucket));
			CHECK(bucket.tokens > -4294967296LL);
			if (rand_r(&seed) % 8 == 0)
				credit_set(&bucket, any_u32(&seed),
					   any_u32(&seed), now);
		}
	}
}

#define RUN(name)	case_run("net credit", #name, name, NULL)

void credit_tests(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rates); i++)
		case_run("net credit", rates[i].name, run_rate, &rates[i]);
	RUN(no_limit);
	RUN(burst_at_once);
	RUN(idle);
	RUN(wait_is_exact);
	RUN(clock_goes_back);
	RUN(change_of_limit);
	RUN(any_numbers);
	RUN(any_jumps);
}

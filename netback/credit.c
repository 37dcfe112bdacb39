// SPDX-License-Identifier: GPL-2.0
#include "credit.h"

#define NS_PER_US	1000
#define NS_PER_S	1000000000ULL

/* More than the largest packet. */
#define BURST_MIN	65536

static s64 burst(const struct credit_bucket *bucket)
{
	return bucket->bytes > BURST_MIN ? bucket->bytes : BURST_MIN;
}

static void refill(struct credit_bucket *bucket, u64 now)
{
	s64 elapsed = now - bucket->filled;
	u64 usec, come;

	/* Another CPU's clock may have been read earlier. */
	if (elapsed < NS_PER_US)
		return;
	usec = elapsed / NS_PER_US;
	bucket->filled += usec * NS_PER_US;

	/* After more than an hour, at the least, it need not be exact. */
	if (usec > ((u64)-1 - bucket->rest) / bucket->bytes)
		come = (u64)-1;
	else
		come = bucket->rest + usec * bucket->bytes;

	bucket->rest = come % bucket->usec;
	come /= bucket->usec;
	if (come >= (u64)(burst(bucket) - bucket->tokens)) {
		bucket->tokens = burst(bucket);
		bucket->rest = 0;
	} else {
		bucket->tokens += come;
	}
}

void credit_set(struct credit_bucket *bucket, u32 bytes, u32 usec, u64 now)
{
	bool limited = bucket->bytes;

	bucket->bytes = usec ? bytes : 0;
	bucket->usec = usec;
	bucket->rest = 0;
	bucket->filled = now;
	if (!limited || bucket->tokens > burst(bucket))
		bucket->tokens = burst(bucket);
}

/* Time until the first byte of credit is there; all products fit 64 bits. */
static u64 wait_time(const struct credit_bucket *bucket)
{
	u64 units = (u64)(1 - bucket->tokens) * bucket->usec - bucket->rest;
	u64 usec = (units + bucket->bytes - 1) / bucket->bytes;

	if (usec > NS_PER_S / NS_PER_US)
		return NS_PER_S;
	return usec * NS_PER_US;
}

u64 credit_take(struct credit_bucket *bucket, u32 len, u64 now)
{
	if (!bucket->bytes)
		return 0;
	refill(bucket, now);
	if (bucket->tokens <= 0)
		return wait_time(bucket);
	bucket->tokens -= len;
	return 0;
}

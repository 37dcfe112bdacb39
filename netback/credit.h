/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rate limit: a token bucket in bytes, shared by all queues of a vif. Pure
 * arithmetic, also built in user space; the caller serialises.
 *
 * Protocol: "rate" in the backend's directory, "bytes,microseconds".
 */
#ifndef NETBACK_CREDIT_H
#define NETBACK_CREDIT_H

#include <linux/types.h>

/**
 * struct credit_bucket - a token bucket
 * @bytes: credit that comes every @usec, 0 for no limit
 * @usec: period, microseconds
 * @tokens: credit left, bytes; not positive after a packet that took more
 * @rest: part of a byte that has come, in 1/@usec
 * @filled: when @tokens was last brought up to date, ns
 */
struct credit_bucket {
	u32 bytes;
	u32 usec;
	s64 tokens;
	u64 rest;
	u64 filled;
};

/**
 * credit_set() - set or change the limit
 * @bucket: the bucket
 * @bytes: credit that comes every @usec, 0 for no limit
 * @usec: period in microseconds, 0 for no limit
 * @now: ns of a clock that never goes back
 */
void credit_set(struct credit_bucket *bucket, u32 bytes, u32 usec, u64 now);

/**
 * credit_take() - ask for a packet to pass
 * @bucket: the bucket
 * @len: bytes of the packet
 * @now: ns of a clock that never goes back; may be a little older than that of
 *	an earlier call
 *
 * A packet passes as long as there is any credit, and may take more than there
 * is. What was not used is kept up to what comes in one period, at least the
 * size of the largest packet.
 *
 * Return: 0 if it may pass now, else the time in ns after which to ask again.
 */
u64 credit_take(struct credit_bucket *bucket, u32 len, u64 now);

#endif /* NETBACK_CREDIT_H */

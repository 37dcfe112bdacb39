/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is shared with a peer, for the code under test.
 *
 * memory_share() gives a window that cannot be touched at all: any access other
 * than through the accessors below, which are what the shims make of READ_ONCE(),
 * WRITE_ONCE() and memcpy(), is a crash. The accessors work on another mapping of
 * the same pages, which memory_behind() gives to the tests. They count how often
 * each byte is read, play a hostile peer, or model a machine that reorders.
 *
 * Without a window they are plain accesses, for tests with real threads.
 */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_barrier {
	MEMORY_MB,
	MEMORY_RMB,
	MEMORY_WMB,
};

extern bool memory_watched;

uint32_t memory_watch_load(const volatile uint32_t *addr);
void memory_watch_store(volatile uint32_t *addr, uint32_t val);
void memory_watch_copy(void *dst, const void *src, size_t len);
void memory_watch_barrier(enum memory_barrier kind);

#ifdef __SANITIZE_THREAD__
#include <string.h>

/* See tsan.c. */
uint32_t tsan_load(const volatile uint32_t *addr);
void tsan_store(volatile uint32_t *addr, uint32_t val);
uint32_t tsan_load_acquire(const volatile uint32_t *addr);
void tsan_store_release(volatile uint32_t *addr, uint32_t val);
void tsan_barrier(enum memory_barrier kind);

#define memory_load(addr)	tsan_load(addr)
#define memory_store(addr, val)	tsan_store(addr, val)
#define memory_load_acquire(addr) tsan_load_acquire(addr)
#define memory_store_release(addr, val) tsan_store_release(addr, val)
/* A call, which the sanitizer sees; what a compiler makes of it is not seen. */
#define memory_copy(dst, src, len) (memcpy)(dst, src, len)
#define memory_barrier(kind)	tsan_barrier(kind)
#else
static inline uint32_t memory_load(const volatile uint32_t *addr)
{
	if (memory_watched)
		return memory_watch_load(addr);
	return __atomic_load_n(addr, __ATOMIC_RELAXED);
}

static inline void memory_store(volatile uint32_t *addr, uint32_t val)
{
	if (memory_watched)
		memory_watch_store(addr, val);
	else
		__atomic_store_n(addr, val, __ATOMIC_RELAXED);
}

static inline void memory_copy(void *dst, const void *src, size_t len)
{
	if (memory_watched)
		memory_watch_copy(dst, src, len);
	else
		__builtin_memcpy(dst, src, len);
}

static inline void memory_barrier(enum memory_barrier kind)
{
	if (memory_watched)
		memory_watch_barrier(kind);
	else if (kind == MEMORY_MB)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	else if (kind == MEMORY_RMB)
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	else
		__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* These are for what the two contexts of one side share, never the peer. */
static inline uint32_t memory_load_acquire(const volatile uint32_t *addr)
{
	return __atomic_load_n(addr, __ATOMIC_ACQUIRE);
}

static inline void memory_store_release(volatile uint32_t *addr, uint32_t val)
{
	__atomic_store_n(addr, val, __ATOMIC_RELEASE);
}
#endif

/* A window of zeroes; replaces an earlier one. */
void *memory_share(size_t bytes);

/* Where the test may access what is at @addr of the window. */
void *memory_behind(const void *addr);

/* Begin to count again. With @hostile, a byte changes as soon as it was read. */
void memory_count(bool hostile);

/* How often the bytes were read: the number if it is that of all, or -1. */
int memory_reads(const void *addr, size_t len);

/* Reads and writes of the whole window. */
unsigned int memory_accesses(void);

/*
 * Run @outer, and, before its access number @step or at its end, all of @inner,
 * on a machine that reorders as much as barriers allow: what a side stores is
 * seen by the other only after a barrier or when both have ended, the newest
 * first, and its copies are of what was there at its last read barrier.
 *
 * Return: whether @outer has that many accesses.
 */
bool memory_interleave(void (*outer)(void *arg), void (*inner)(void *arg),
		       void *arg, unsigned int step);

#endif /* HOST_MEMORY_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The accessors of memory.h for ThreadSanitizer, which does not know fences. What
 * C11 says of them is told to it exactly: a fence that releases, a store after it,
 * a load of what was stored, and a fence that acquires after that make an edge;
 * nothing less does, and nothing more. So where a barrier of the ring is missing or
 * on the wrong side, the accesses to slots are a race, on every machine.
 *
 * Built without instrumentation: an index that is shared with the peer is not what
 * is examined, but what order it makes. Private members are, as relaxed atomics.
 */
#include "tsan.h"

#include <stdlib.h>

#define THREADS		8
#define FENCES		65536
#define WORDS		16
#define LOADED		64

/* The interface of the runtime. */
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
int __tsan_atomic32_load(const volatile int *addr, int order);
void __tsan_atomic32_store(volatile int *addr, int val, int order);

/* A fence is a byte that stands for what its thread had done by then. */
static char fences[THREADS][FENCES];
static uint32_t nr_threads;
static _Thread_local uint32_t self, last_fence;
static _Thread_local char *loaded[LOADED];
static _Thread_local unsigned int nr_loaded;

/* A shared index: its value, and the number of the fence before the store. */
static uint64_t words[WORDS];
static uintptr_t shared, shared_end;

void tsan_share(const void *addr, size_t len)
{
	shared = (uintptr_t)addr;
	shared_end = shared + len;
	memset(words, 0, sizeof(words));
}

static uint64_t *word_of(const volatile uint32_t *addr)
{
	uintptr_t at = (uintptr_t)addr;

	if (at < shared || at >= shared_end)
		return NULL;
	return &words[(at - shared) / sizeof(*addr)];
}

/* Number 0 is no fence at all. */
static char *fence(uint32_t nr)
{
	return &fences[nr / FENCES][nr % FENCES];
}

static void release_fence(void)
{
	if (!self)
		self = __atomic_add_fetch(&nr_threads, 1, __ATOMIC_RELAXED);
	if (self >= THREADS)
		abort();
	last_fence = self * FENCES + (last_fence + 1) % FENCES;
	__tsan_release(fence(last_fence));
}

static void acquire_fence(void)
{
	while (nr_loaded)
		__tsan_acquire(loaded[--nr_loaded]);
}

void tsan_barrier(enum memory_barrier kind)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (kind != MEMORY_WMB)
		acquire_fence();
	if (kind != MEMORY_RMB)
		release_fence();
}

uint32_t tsan_load(const volatile uint32_t *addr)
{
	uint64_t *word = word_of(addr), val;
	unsigned int i;
	char *from;

	if (!word)
		return __tsan_atomic32_load((const volatile int *)addr,
					    __ATOMIC_RELAXED);
	val = __atomic_load_n(word, __ATOMIC_RELAXED);
	from = fence(val);
	for (i = 0; i < nr_loaded; i++)
		if (loaded[i] == from)
			break;
	if ((uint32_t)val && i == nr_loaded) {
		if (i == LOADED)
			abort();
		loaded[nr_loaded++] = from;
	}
	return val >> 32;
}

void tsan_store(volatile uint32_t *addr, uint32_t val)
{
	uint64_t *word = word_of(addr);

	if (!word) {
		__tsan_atomic32_store((volatile int *)addr, val,
				      __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(word, (uint64_t)val << 32 | last_fence,
			 __ATOMIC_RELAXED);
}

uint32_t tsan_load_acquire(const volatile uint32_t *addr)
{
	return __tsan_atomic32_load((const volatile int *)addr,
				    __ATOMIC_ACQUIRE);
}

void tsan_store_release(volatile uint32_t *addr, uint32_t val)
{
	__tsan_atomic32_store((volatile int *)addr, val, __ATOMIC_RELEASE);
}

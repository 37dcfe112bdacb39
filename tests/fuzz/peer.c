// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "target.h"

/* Indices come first in a ring; what follows is read as slots. */
#define HEAD	64

bool memory_watched = true;
struct peer_acts peer_acts;
bool peer_flips;

static struct peer_ring rings[PEER_RINGS];
static const uint8_t *input;
static size_t input_len;

void peer_caught(const char *file, int line, const char *what, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;

	fprintf(stderr, "CAUGHT %s:%d: ", base ? base + 1 : file, line);
	va_start(args, what);
	vfprintf(stderr, what, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

void peer_input(const uint8_t *data, size_t len)
{
	input = data;
	input_len = len;
}

bool peer_input_left(void)
{
	return input_len;
}

uint8_t peer_u8(void)
{
	if (!input_len)
		return 0;
	input_len--;
	return *input++;
}

uint16_t peer_u16(void)
{
	uint16_t low = peer_u8();

	return low | peer_u8() << 8;
}

uint32_t peer_u32(void)
{
	uint32_t low = peer_u16();

	return low | (uint32_t)peer_u16() << 16;
}

uint64_t peer_u64(void)
{
	uint64_t low = peer_u32();

	return low | (uint64_t)peer_u32() << 32;
}

uint32_t peer_below(uint32_t n)
{
	return n > 256 ? peer_u16() % n : peer_u8() % n;
}

bool peer_rarely(void)
{
	return peer_u8() >= 0xf0;
}

uint64_t peer_mostly(uint64_t valid, unsigned int bits)
{
	uint64_t all = bits == 64 ? ~0ULL : (1ULL << bits) - 1;

	if (!peer_rarely())
		return valid;
	switch (peer_u8() % 6) {
	case 0:
		return 0;
	case 1:
		return all;
	case 2:
		return 1ULL << (peer_u8() % bits);
	case 3:
		return (valid + (int8_t)peer_u8()) & all;
	case 4:
		return all ^ valid;
	default:
		return peer_u64() & all;
	}
}

static void map_ring(struct peer_ring *ring, size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t map = (bytes + page - 1) & ~(page - 1);
	int fd = memfd_create("ring", 0);

	if (fd < 0 || ftruncate(fd, map))
		abort();
	ring->bytes = bytes;
	ring->window = mmap(NULL, map, PROT_NONE, MAP_SHARED, fd, 0);
	ring->behind = mmap(NULL, map, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    0);
	ring->read_in = calloc(bytes, sizeof(*ring->read_in));
	close(fd);
	if (ring->window == MAP_FAILED || ring->behind == MAP_FAILED ||
	    !ring->read_in)
		abort();
}

struct peer_ring *peer_share(unsigned int n, size_t bytes)
{
	struct peer_ring *ring = &rings[n];

	if (!ring->window)
		map_ring(ring, bytes);
	memset(ring->behind, 0, ring->bytes);
	memset(ring->read_in, 0, ring->bytes * sizeof(*ring->read_in));
	ring->look = 1;
	return ring;
}

static struct peer_ring *ring_of(const volatile void *addr, size_t len)
{
	struct peer_ring *ring = rings;
	size_t offset;

	for (; ring < rings + PEER_RINGS && ring->window; ring++) {
		offset = (uintptr_t)addr - (uintptr_t)ring->window;
		if (offset >= ring->bytes)
			continue;
		if (len > ring->bytes - offset)
			CAUGHT("access to %zu bytes at %zu of %zu", len, offset,
			       ring->bytes);
		return ring;
	}
	return NULL;
}

static void read_slot(struct peer_ring *ring, void *dst, size_t offset,
		      size_t len)
{
	size_t i;

	if (peer_acts.slot_read)
		peer_acts.slot_read(ring, offset, len);
	/* XSA-155: a second look at a byte may see something else. */
	for (i = offset; i < offset + len; i++) {
		if (ring->read_in[i] == ring->look)
			CAUGHT("byte %zu of shared memory is read twice", i);
		ring->read_in[i] = ring->look;
	}
	__builtin_memcpy(dst, ring->behind + offset, len);
	if (!peer_flips)
		return;
	for (i = offset; i < offset + len; i++)
		ring->behind[i] = ~ring->behind[i];
}

static void read_shared(struct peer_ring *ring, void *dst, size_t offset,
			size_t len)
{
	if (offset >= HEAD) {
		read_slot(ring, dst, offset, len);
		return;
	}
	__builtin_memcpy(dst, ring->behind + offset, len);
	ring->look++;
	if (peer_acts.index_read)
		peer_acts.index_read(ring, offset);
}

static void write_shared(struct peer_ring *ring, size_t offset, const void *src,
			 size_t len)
{
	/* XSA-216: padding, too, under MSan. */
	peer_must_be_set(src, len);
	__builtin_memcpy(ring->behind + offset, src, len);
	if (offset >= HEAD && peer_acts.slot_written)
		peer_acts.slot_written(ring, offset, len);
}

void peer_read_once(void *dst, const volatile void *src, size_t len)
{
	struct peer_ring *ring = ring_of(src, len);

	if (ring)
		read_shared(ring, dst, (uint8_t *)src - ring->window, len);
	else
		__builtin_memcpy(dst, (const void *)src, len);
}

void peer_write_once(volatile void *dst, const void *src, size_t len)
{
	struct peer_ring *ring = ring_of(dst, len);

	if (ring)
		write_shared(ring, (uint8_t *)dst - ring->window, src, len);
	else
		__builtin_memcpy((void *)dst, src, len);
}

void memory_watch_copy(void *dst, const void *src, size_t len)
{
	struct peer_ring *from = ring_of(src, len), *to = ring_of(dst, len);

	if (from && to)
		CAUGHT("copy from shared memory to shared memory");
	if (from)
		read_shared(from, dst, (uint8_t *)src - from->window, len);
	else if (to)
		write_shared(to, (uint8_t *)dst - to->window, src, len);
	else if (kernel_is_granted(src))
		kernel_copy_granted(dst, src, len);
	else
		__builtin_memcpy(dst, src, len);
}

/* READ_ONCE() and WRITE_ONCE() are ours here; these complete memory.h. */
uint32_t memory_watch_load(const volatile uint32_t *addr)
{
	uint32_t val;

	peer_read_once(&val, addr, sizeof(val));
	return val;
}

void memory_watch_store(volatile uint32_t *addr, uint32_t val)
{
	peer_write_once(addr, &val, sizeof(val));
}

void memory_watch_barrier(enum memory_barrier kind)
{
	(void)kind;
}

/* A line for who waits, in steps of some seconds. */
static void tell_progress(void)
{
	static unsigned long runs;
	static time_t start, last;
	time_t now;

	if (runs++ % 1024)
		return;
	now = time(NULL);
	if (!start)
		start = now;
	if (now < last + 5)
		return;
	last = now;
	fprintf(stderr, "progress %lu %lu\n", runs, (unsigned long)(now - start));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	tell_progress();
	peer_input(data, len);
	memset(&peer_acts, 0, sizeof(peer_acts));
	peer_flips = !(peer_u8() & 1);
	target_run();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"

#define MAX_STORES	64
#define MAX_STORE	128

/* A store that the other side does not see yet. */
struct store {
	size_t offset;
	size_t len;
	uint8_t bytes[MAX_STORE];
};

struct side {
	struct store stores[MAX_STORES];
	unsigned int nr_stores;
	uint8_t *view;
};

bool memory_watched;

static uint8_t *window, *behind;
static size_t window_bytes, window_map;

static unsigned int *reads;
static unsigned int accesses;
static bool hostile;

/* NULL: nothing is reordered. */
static struct side *current;
static struct side sides[2];
static void (*inner_run)(void *arg);
static void *inner_arg;
static unsigned int steps_left;

void *memory_share(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t map = (bytes + page - 1) & ~(page - 1);
	int fd = memfd_create("window", 0);
	unsigned int i;

	if (window) {
		munmap(window, window_map);
		munmap(behind, window_map);
	}
	if (fd < 0 || ftruncate(fd, map))
		FAIL("no memory to share");
	window = mmap(NULL, map, PROT_NONE, MAP_SHARED, fd, 0);
	behind = mmap(NULL, map, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (window == MAP_FAILED || behind == MAP_FAILED)
		FAIL("cannot map what is shared");

	window_bytes = bytes;
	window_map = map;
	free(reads);
	reads = calloc(bytes, sizeof(*reads));
	for (i = 0; i < 2; i++) {
		free(sides[i].view);
		sides[i].view = calloc(1, bytes);
		sides[i].nr_stores = 0;
	}
	accesses = 0;
	hostile = false;
	memory_watched = true;
	return window;
}

static bool in_window(const volatile void *addr, size_t len)
{
	uintptr_t offset = (uintptr_t)addr - (uintptr_t)window;

	if (offset >= window_bytes && offset + len - 1 >= window_bytes)
		return false;
	if (offset >= window_bytes || offset + len > window_bytes)
		FAIL("access of %zu bytes at %td of a window of %zu", len,
		     (ptrdiff_t)offset, window_bytes);
	return true;
}

static size_t offset_of(const volatile void *addr)
{
	return (uintptr_t)addr - (uintptr_t)window;
}

void *memory_behind(const void *addr)
{
	return behind + offset_of(addr);
}

void memory_count(bool make_hostile)
{
	memset(reads, 0, window_bytes * sizeof(*reads));
	accesses = 0;
	hostile = make_hostile;
}

int memory_reads(const void *addr, size_t len)
{
	const unsigned int *n = &reads[offset_of(addr)];
	size_t i;

	for (i = 1; i < len; i++)
		if (n[i] != n[0])
			return -1;
	return n[0];
}

unsigned int memory_accesses(void)
{
	return accesses;
}

static void step(void)
{
	void (*run)(void *arg) = inner_run;
	struct side *self = current;

	if (self != &sides[0] || !run || steps_left--)
		return;

	inner_run = NULL;
	current = &sides[1];
	run(inner_arg);
	current = self;
}

static void commit(struct side *side)
{
	struct store *store;

	while (side->nr_stores) {
		store = &side->stores[--side->nr_stores];
		memcpy(behind + store->offset, store->bytes, store->len);
		memcpy(side->view + store->offset, store->bytes, store->len);
		if (side->nr_stores)
			step();
	}
}

static void read_behind(void *dst, size_t offset, size_t len)
{
	size_t i;

	memcpy(dst, behind + offset, len);
	for (i = offset; i < offset + len; i++) {
		reads[i]++;
		if (hostile)
			behind[i] = ~behind[i];
	}
}

/* Side's own stores are in effect for itself. */
static void read_stores(const struct side *side, uint8_t *dst, size_t offset,
			size_t len)
{
	const struct store *store;
	unsigned int i;
	size_t at;

	for (i = 0; i < side->nr_stores; i++) {
		store = &side->stores[i];
		for (at = 0; at < store->len; at++)
			if (store->offset + at - offset < len)
				dst[store->offset + at - offset] = store->bytes[at];
	}
}

static void read_window(void *dst, size_t offset, size_t len, bool from_view)
{
	step();
	accesses++;
	if (current && from_view)
		memcpy(dst, current->view + offset, len);
	else
		read_behind(dst, offset, len);
	if (current)
		read_stores(current, dst, offset, len);
}

static void write_window(size_t offset, const void *src, size_t len)
{
	struct store *store;
	unsigned int i;

	step();
	accesses++;
	if (!current) {
		memcpy(behind + offset, src, len);
		return;
	}

	/* Stores to the same place never overtake each other. */
	for (i = 0; i < current->nr_stores; i++)
		if (current->stores[i].offset == offset)
			break;
	if (i == MAX_STORES || len > MAX_STORE)
		FAIL("too many stores for the model");
	store = &current->stores[i];
	store->offset = offset;
	store->len = len;
	memcpy(store->bytes, src, len);
	if (i == current->nr_stores)
		current->nr_stores++;
}

uint32_t memory_watch_load(const volatile uint32_t *addr)
{
	uint32_t val;

	if (!in_window(addr, sizeof(*addr)))
		return *addr;
	read_window(&val, offset_of(addr), sizeof(val), false);
	return val;
}

void memory_watch_store(volatile uint32_t *addr, uint32_t val)
{
	if (in_window(addr, sizeof(*addr)))
		write_window(offset_of(addr), &val, sizeof(val));
	else
		*addr = val;
}

void memory_watch_copy(void *dst, const void *src, size_t len)
{
	bool to_window = in_window(dst, len);

	if (in_window(src, len)) {
		if (to_window)
			FAIL("copy from the window to the window");
		read_window(dst, offset_of(src), len, true);
	} else if (to_window) {
		write_window(offset_of(dst), src, len);
	} else {
		memcpy(dst, src, len);
	}
}

void memory_watch_barrier(enum memory_barrier kind)
{
	if (!current)
		return;
	step();
	if (kind != MEMORY_RMB)
		commit(current);
	if (kind != MEMORY_WMB)
		memcpy(current->view, behind, window_bytes);
}

bool memory_interleave(void (*outer)(void *arg), void (*inner)(void *arg),
		       void *arg, unsigned int at)
{
	bool reached;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		sides[i].nr_stores = 0;
		memcpy(sides[i].view, behind, window_bytes);
	}
	inner_run = inner;
	inner_arg = arg;
	steps_left = at;

	current = &sides[0];
	outer(arg);
	reached = !inner_run;
	if (!reached) {
		steps_left = 0;
		step();
	}

	commit(&sides[0]);
	commit(&sides[1]);
	current = NULL;
	return reached;
}

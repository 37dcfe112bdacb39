// SPDX-License-Identifier: GPL-2.0
/* Grants: given, taken back, and those of the peer. */
#include "rogue.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The sizes in the numbers are those of one reference. */
#define ALLOC		_IOC(_IOC_NONE, 'G', 5, 24)
#define DEALLOC		_IOC(_IOC_NONE, 'G', 6, 16)
#define MAP		_IOC(_IOC_NONE, 'G', 0, 24)
#define COPY		_IOC(_IOC_NONE, 'G', 8, 16)
#define MAX_MAPS	16

struct dealloc {
	uint64_t index;
	uint32_t count;
};

static int alloc_fd = -1, dev_fd = -1;
static struct { void *at; size_t len; } granted[64], mapped[MAX_MAPS];
static uint64_t indices[ARRAY_SIZE(granted)];
static unsigned int nr_granted, nr_mapped;

void grant(struct frames *f, unsigned int nr, unsigned int domain, bool writable)
{
	struct {
		uint16_t domid, flags;
		uint32_t count;
		uint64_t index;
		uint32_t refs[32];
	} arg = { .domid = domain, .flags = writable, .count = nr };
	unsigned int i = 0;

	while (i < nr_granted && granted[i].at)
		i++;
	if (alloc_fd < 0)
		alloc_fd = open("/dev/xen/gntalloc", O_RDWR);
	if (alloc_fd < 0 || nr > 32 || i == ARRAY_SIZE(granted) || ioctl(alloc_fd, ALLOC, &arg))
		die("gntalloc of %u", nr);
	f->at = mmap(NULL, nr * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, alloc_fd, arg.index);
	if (f->at == MAP_FAILED)
		die("gntalloc");
	f->nr = nr;
	memcpy(f->refs, arg.refs, sizeof(f->refs));
	memset(f->at, 0, nr * FRAME);
	granted[i].at = f->at;
	granted[i].len = nr * FRAME;
	indices[i] = arg.index;
	nr_granted += i == nr_granted;
}

void grant_end(struct frames *f)
{
	struct dealloc arg = { .count = f->nr };
	unsigned int i;

	for (i = 0; granted[i].at != f->at; i++)
		;
	arg.index = indices[i];
	munmap(f->at, f->nr * FRAME);
	granted[i].at = NULL;
	ioctl(alloc_fd, DEALLOC, &arg);
}

void grants_drop(void)
{
	while (nr_granted--)
		if (granted[nr_granted].at)
			munmap(granted[nr_granted].at, granted[nr_granted].len);
	nr_granted = 0;
	if (alloc_fd >= 0)
		close(alloc_fd);
	alloc_fd = -1;
}

static void dev_open(void)
{
	if (dev_fd < 0)
		dev_fd = open("/dev/xen/gntdev", O_RDWR);
	if (dev_fd < 0)
		die("gntdev");
}

void *map_peer(const uint32_t *refs, unsigned int nr)
{
	struct {
		uint32_t count, pad;
		uint64_t index;
		struct { uint32_t domid, ref; } refs[16];
	} arg = { .count = nr };
	unsigned int i;
	void *at;

	dev_open();
	if (nr > 16 || nr_mapped == MAX_MAPS)
		return NULL;
	for (i = 0; i < nr; i++) {
		arg.refs[i].domid = peer_id;
		arg.refs[i].ref = refs[i];
	}
	if (ioctl(dev_fd, MAP, &arg))
		return NULL;
	at = mmap(NULL, nr * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, dev_fd, arg.index);
	if (at == MAP_FAILED)
		return NULL;
	mapped[nr_mapped].at = at;
	mapped[nr_mapped++].len = nr * FRAME;
	return at;
}

void maps_drop(void)
{
	while (nr_mapped--)
		munmap(mapped[nr_mapped].at, mapped[nr_mapped].len);
	nr_mapped = 0;
	if (dev_fd >= 0)
		close(dev_fd);
	dev_fd = -1;
}

bool copy_peer(uint32_t ref, unsigned int offset, void *mine, unsigned int len, bool to_peer)
{
	union place {
		void *virt;
		struct { uint32_t ref; uint16_t offset, domid; } foreign;
	};
	struct {
		union place from, to;
		uint16_t len, flags;
		int16_t status;
	} segment = { .len = len, .flags = to_peer ? 2 : 1 };
	struct {
		uint32_t count;
		void *segments;
	} arg = { 1, &segment };
	union place *theirs = to_peer ? &segment.to : &segment.from;

	dev_open();
	(to_peer ? &segment.from : &segment.to)->virt = mine;
	theirs->foreign.ref = ref;
	theirs->foreign.offset = offset;
	theirs->foreign.domid = peer_id;
	return !ioctl(dev_fd, COPY, &arg) && !segment.status;
}

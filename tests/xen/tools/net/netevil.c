/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frontend without manners, in a guest's user space: its rings and its event channel are those of
 * /dev/xen/gntalloc and /dev/xen/evtchn, its xenstore keys are written by whoever started it.
 *
 *	netevil slots [SEED]	requests that must be refused one by one, then random ones
 *	netevil WAY		break the rings: ahead back endless extras rx-ahead rx-refs
 *
 * Prints its keys, waits for /run/evil.go, acts, says "done" or what went wrong, and keeps all it
 * has until /run/evil.end is there.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME		4096
#define SLOTS		256
#define DATA		4

/* Of the protocol. */
enum { CSUM_BLANK = 1, VALIDATED = 2, MORE = 4, EXTRA = 8 };
enum { X_GSO = 1, X_ADD, X_DEL, X_HASH, X_XDP };
enum { OKAY = 0, ERROR = -1, NONE = 1 };

struct ring {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
	uint8_t pad[48];
	uint8_t slots[];
};

union tx {
	struct { uint32_t gref; uint16_t offset, flags, id, size; } req;
	struct { uint8_t type, flags, a[6]; } extra;
	struct { uint16_t id; int16_t status; } rsp;
	uint8_t bytes[12];
};

union rx {
	struct { uint16_t id, pad; uint32_t gref; } req;
	struct { uint16_t id, offset, flags; int16_t status; } rsp;
};

static volatile struct ring *tx, *rx;
static uint8_t *data;
static uint32_t grefs[2 + DATA];
static int channel;
static unsigned int port;

static union tx slots[SLOTS];
static unsigned int nr;
static uint32_t cons;
static uint64_t seed = 1;
static int failed;

static uint32_t any(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void get_pages(void)
{
	struct {
		uint16_t domid, flags;
		uint32_t count;
		uint64_t index;
		uint32_t refs[2 + DATA];
	} arg = { .flags = 1, .count = 2 + DATA };
	int fd = open("/dev/xen/gntalloc", O_RDWR);
	uint8_t *pages;

	/* The size in the number is that of one reference. */
	if (fd < 0 || ioctl(fd, _IOC(_IOC_NONE, 'G', 5, 24), &arg))
		die("gntalloc");
	pages = mmap(NULL, (2 + DATA) * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, fd, arg.index);
	if (pages == MAP_FAILED)
		die("mmap");
	memcpy(grefs, arg.refs, sizeof(grefs));
	memset(pages, 0, (2 + DATA) * FRAME);
	tx = (void *)pages;
	rx = (void *)(pages + FRAME);
	data = pages + 2 * FRAME;
	tx->req_event = tx->rsp_event = rx->req_event = rx->rsp_event = 1;
}

static void get_channel(void)
{
	unsigned int remote = 0;
	int ret;

	channel = open("/dev/xen/evtchn", O_RDWR);
	if (channel < 0)
		die("evtchn");
	ret = ioctl(channel, _IOC(_IOC_NONE, 'E', 2, sizeof(remote)), &remote);
	if (ret < 0)
		die("evtchn");
	port = ret;
}

static void notify(void)
{
	ioctl(channel, _IOC(_IOC_NONE, 'E', 4, sizeof(port)), &port);
}

static void wait_for(const char *path)
{
	while (access(path, F_OK))
		usleep(20000);
}

static union tx *slot(uint32_t i)
{
	return (union tx *)(tx->slots + (i % SLOTS) * sizeof(union tx));
}

static void req(uint32_t gref, uint16_t offset, uint16_t flags, uint16_t size)
{
	slots[nr] = (union tx) { .req = { gref, offset, flags, 0xff00 + nr, size } };
	nr++;
}

static void extra(uint8_t type, uint8_t flags, uint16_t val, uint8_t kind)
{
	slots[nr] = (union tx) { .extra = { type, flags, { val & 255, val >> 8, kind, 4, 5, 6 } } };
	nr++;
}

static void push(void)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		memcpy(slot(tx->req_prod + i), &slots[i], sizeof(union tx));
	__sync_synchronize();
	tx->req_prod += nr;
	notify();
}

static int answered(void)
{
	int n;

	for (n = 0; tx->rsp_prod != tx->req_prod; n++) {
		if (n == 10000)
			return 0;
		usleep(200);
	}
	__sync_synchronize();
	return 1;
}

/* What was put together; extras follow the first slot. */
static void expect(const char *name, int status)
{
	unsigned int i, extras = 0;
	int bad = 0;

	if (slots[0].req.flags & EXTRA)
		for (extras = 1; slots[extras].extra.flags & 1; extras++)
			;
	push();
	if (!answered()) {
		printf("%s: not answered\n", name);
		exit(1);
	}
	for (i = 0; i < nr; i++) {
		union tx *rsp = slot(cons + i);
		int want = i && i <= extras ? NONE : status;

		bad |= rsp->rsp.status != want || (want != NONE && rsp->rsp.id != slots[i].req.id);
	}
	if (bad)
		printf("%s: slot 0 has status %d\n", name, slot(cons)->rsp.status);
	failed |= bad;
	cons += nr;
	nr = 0;
}

static void good(void)
{
	req(grefs[2], 0, 0, 60);
	expect("a good packet", OKAY);
}

static void one(const char *name, uint32_t gref, uint16_t offset, uint16_t flags, uint16_t size)
{
	req(gref, offset, flags, size);
	expect(name, ERROR);
	good();
}

static void with_extra(const char *name, int status, uint8_t type, uint16_t val, uint8_t kind)
{
	req(grefs[2], 0, EXTRA, 60);
	extra(type, 0, val, kind);
	expect(name, status);
	good();
}

static void refused(void)
{
	int i;

	good();
	one("13 bytes", grefs[2], 0, 0, 13);
	one("no bytes", grefs[2], 0, 0, 0);
	one("offset", grefs[2], 4090, 0, 60);
	one("far offset", grefs[2], 65535, 0, 60);
	one("64 KiB of one frame", grefs[2], 0, 0, 65535);
	one("no reference", 0xfffffff0, 0, 0, 60);
	one("ring of theirs", 8000, 0, 0, 60);
	with_extra("type 0", ERROR, 0, 1, 1);
	with_extra("type 99", ERROR, 99, 1, 1);
	with_extra("segments of 0", ERROR, X_GSO, 0, 1);
	with_extra("segmentation 0", ERROR, X_GSO, 1448, 0);
	with_extra("segmentation 3", ERROR, X_GSO, 1448, 3);
	with_extra("no TCP", OKAY, X_GSO, 1, 1);
	with_extra("headroom", OKAY, X_XDP, 65535, 1);
	with_extra("hash", OKAY, X_HASH, 0xffff, 255);
	for (i = 0; i < 70; i++)
		with_extra("filter", i < 64 ? OKAY : ERROR, X_ADD, 0x100 * i + 1, i);
	with_extra("filter, unknown", OKAY, X_DEL, 77, 77);
	for (i = 0; i < 64; i++)
		with_extra("filter, undone", OKAY, X_DEL, 0x100 * i + 1, i);

	req(grefs[2], 0, MORE, 100);
	req(grefs[3], 0, 0, 200);
	expect("more than all", ERROR);
	req(grefs[2], 0, MORE, 65535);
	req(grefs[3], 1, 0, 65535);
	expect("more than a frame", ERROR);
	for (i = 0; i < 30; i++)
		req(grefs[2 + i % DATA], 0, i < 29 ? MORE : 0, i ? 1 : 2000);
	expect("30 slots", ERROR);
	for (i = 0; i < 18; i++)
		req(grefs[2 + i % DATA], 0, i < 17 ? MORE : 0, i ? 0 : 2000);
	expect("empty slots", OKAY);
	req(grefs[2], 0, EXTRA, 60);
	for (i = 0; i < 255; i++)
		extra(X_XDP, i < 254, 1, 1);
	expect("255 extras", OKAY);
	req(grefs[2], 0, CSUM_BLANK, 60);
	expect("nothing to sum", OKAY);
	good();
}

static void build_any(void)
{
	unsigned int want = 1 + any() % 30, i;
	uint16_t total = any() % 8 ? any() % 9000 : any();

	req(any() % 50 ? grefs[2 + any() % DATA] : any(), any() % 10 ? any() % 64 : any(),
	    any() & (CSUM_BLANK | VALIDATED | EXTRA), total);
	if (slots[0].req.flags & EXTRA) {
		do
			extra(any() % 7, any() % 3 == 0, any() % 3 ? any() % 2000 : any(), any() % 4);
		while (slots[nr - 1].extra.flags & 1);
	}
	for (i = 1; i < want && any() % 4; i++)
		req(any() % 50 ? grefs[2 + any() % DATA] : any(), any() % 10 ? any() % 64 : any(), MORE,
		    any() % 20 ? any() % 1500 : any());
	if (i > 1) {
		slots[0].req.flags |= MORE;
		slots[nr - 1].req.flags = 0;
	}
}

/* Headers that make sense up to a point, so that what comes after them is looked at. */
static void random_frames(void)
{
	static const uint8_t start[] = {
		2, 0, 0, 0, 0x77, 1, 0, 0x16, 0x3e, 0, 1, 1, 8, 0,
		0x45, 0, 5, 0xdc, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 168, 77, 11, 192, 168, 77, 1,
		1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
	};
	int i;

	for (i = 0; i < DATA * FRAME; i++)
		data[i] = any();
	for (i = 0; i < DATA * FRAME; i += 64 + any() % 64)
		if (i % FRAME < FRAME - 128)
			memcpy(data + i, start, sizeof(start));
	for (i = 0; i < DATA; i++) {
		memcpy(data + i * FRAME, start, sizeof(start));
		if (any() % 2)
			data[i * FRAME + any() % sizeof(start)] = any();
		if (any() % 4 == 0)
			memcpy(data + i * FRAME + 12, "\x86\xdd\x60\0\0\0\5\0\6\x40", 10);
		if (any() % 4 == 0)
			memcpy(data + i * FRAME + 12, "\x81\0\0\x4d\x08\0", 6);
	}
}

static void random_slots(void)
{
	int i;

	for (i = 0; i < 1500; i++) {
		if (i % 50 == 0)
			random_frames();
		build_any();
		push();
		if (!answered()) {
			printf("random %d: not answered\n", i);
			exit(1);
		}
		cons += nr;
		nr = 0;
	}
	memset(data, 0, DATA * FRAME);
	good();
}

static void rx_refs(void)
{
	unsigned int i, errors = 0;

	for (i = 0; i < SLOTS; i++)
		((union rx *)rx->slots)[i] = (union rx) { .req = { i, 0, 0xff000000 + i } };
	__sync_synchronize();
	rx->req_prod = SLOTS;
	notify();
	for (i = 0; i < 300 && rx->rsp_prod < 20; i++)
		usleep(10000);
	for (i = 0; i < rx->rsp_prod && i < SLOTS; i++)
		errors += ((union rx *)rx->slots)[i].rsp.status < 0;
	if (!errors || errors != rx->rsp_prod)
		printf("%u of %u buffers were refused\n", errors, rx->rsp_prod);
	failed = !errors || errors != rx->rsp_prod;
}

static void act(const char *way)
{
	unsigned int i;

	if (!strcmp(way, "slots")) {
		refused();
		random_slots();
	} else if (!strcmp(way, "ahead")) {
		good();
		tx->req_prod += SLOTS + 1;
	} else if (!strcmp(way, "back")) {
		good();
		tx->req_prod -= 1;
	} else if (!strcmp(way, "endless")) {
		good();
		for (i = 0; i < SLOTS; i++)
			req(grefs[2], 0, MORE, 60);
		push();
	} else if (!strcmp(way, "extras")) {
		good();
		req(grefs[2], 0, EXTRA, 60);
		for (i = 1; i < SLOTS; i++)
			extra(X_GSO, 1, 1, 1);
		push();
	} else if (!strcmp(way, "rx-ahead")) {
		rx->req_prod = SLOTS + 44;
	} else if (!strcmp(way, "rx-refs")) {
		rx_refs();
	} else {
		printf("%s: unknown\n", way);
		failed = 1;
	}
	notify();
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	get_pages();
	get_channel();
	printf("tx-ring-ref=%u rx-ring-ref=%u event-channel=%u\n", grefs[0], grefs[1], port);
	wait_for("/run/evil.go");
	act(argv[1]);
	puts(failed ? "failed" : "done");
	wait_for("/run/evil.end");
	return failed;
}

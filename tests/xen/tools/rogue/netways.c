// SPDX-License-Identifier: GPL-2.0
/*
 * A network frontend that does one thing, and knows what must come of it.
 *
 *	rogue net-way slots [SEED]	requests that must be refused one by one, then random ones
 *	rogue net-way WAY		break the rings: ahead back endless extras rx-ahead rx-refs
 *
 * Its xenstore keys are written by whoever started it. Prints them, waits for /run/evil.go, acts,
 * says "done" or what went wrong, and keeps all it has until /run/evil.end is there.
 */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA		4

static volatile struct shared *tx, *rx;
static uint8_t *data;
static uint32_t *data_refs;
static unsigned int port;

static union tx_slot slots[NET_SLOTS];
static unsigned int nr;
static uint32_t cons;
static int failed;

static void wait_for(const char *path)
{
	while (access(path, F_OK))
		usleep(20000);
}

static union tx_slot *slot(uint32_t i)
{
	return (union tx_slot *)tx->slots + i % NET_SLOTS;
}

static void req(uint32_t gref, uint16_t offset, uint16_t flags, uint16_t size)
{
	slots[nr] = (union tx_slot) { .req = { gref, offset, flags, 0xff00 + nr, size } };
	nr++;
}

static void extra(uint8_t type, uint8_t flags, uint16_t val, uint8_t kind)
{
	slots[nr] = (union tx_slot) { .extra = { type, flags, { val & 255, val >> 8 }, kind, 4, { 5, 6 } } };
	nr++;
}

static void push(void)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		memcpy(slot(tx->req_prod + i), &slots[i], sizeof(union tx_slot));
	__sync_synchronize();
	tx->req_prod += nr;
	notify(port);
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

	if (slots[0].req.flags & TX_EXTRA)
		for (extras = 1; slots[extras].extra.flags & 1; extras++)
			;
	push();
	if (!answered()) {
		printf("%s: not answered\n", name);
		exit(1);
	}
	for (i = 0; i < nr; i++) {
		union tx_slot *rsp = slot(cons + i);
		int want = i && i <= extras ? NET_NULL : status;

		bad |= rsp->rsp.status != want || (want != NET_NULL && rsp->rsp.id != slots[i].req.id);
	}
	if (bad)
		printf("%s: slot 0 has status %d\n", name, slot(cons)->rsp.status);
	failed |= bad;
	cons += nr;
	nr = 0;
}

static void good(void)
{
	req(data_refs[0], 0, 0, 60);
	expect("a good packet", NET_OKAY);
}

static void one(const char *name, uint32_t gref, uint16_t offset, uint16_t flags, uint16_t size)
{
	req(gref, offset, flags, size);
	expect(name, NET_ERROR);
	good();
}

static void with_extra(const char *name, int status, uint8_t type, uint16_t val, uint8_t kind)
{
	req(data_refs[0], 0, TX_EXTRA, 60);
	extra(type, 0, val, kind);
	expect(name, status);
	good();
}

static void refused(void)
{
	int i;

	good();
	one("13 bytes", data_refs[0], 0, 0, 13);
	one("no bytes", data_refs[0], 0, 0, 0);
	one("offset", data_refs[0], 4090, 0, 60);
	one("far offset", data_refs[0], 65535, 0, 60);
	one("64 KiB of one frame", data_refs[0], 0, 0, 65535);
	one("no reference", 0xfffffff0, 0, 0, 60);
	one("ring of theirs", 8000, 0, 0, 60);
	with_extra("type 0", NET_ERROR, 0, 1, 1);
	with_extra("type 99", NET_ERROR, 99, 1, 1);
	with_extra("segments of 0", NET_ERROR, EXTRA_GSO, 0, 1);
	with_extra("segmentation 0", NET_ERROR, EXTRA_GSO, 1448, 0);
	with_extra("segmentation 3", NET_ERROR, EXTRA_GSO, 1448, 3);
	with_extra("no TCP", NET_OKAY, EXTRA_GSO, 1, 1);
	with_extra("headroom", NET_OKAY, EXTRA_XDP, 65535, 1);
	with_extra("hash", NET_OKAY, EXTRA_HASH, 0xffff, 255);
	for (i = 0; i < 70; i++)
		with_extra("filter", i < 64 ? NET_OKAY : NET_ERROR, EXTRA_ADD, 0x100 * i + 1, i);
	with_extra("filter, unknown", NET_OKAY, EXTRA_DEL, 77, 77);
	for (i = 0; i < 64; i++)
		with_extra("filter, undone", NET_OKAY, EXTRA_DEL, 0x100 * i + 1, i);

	req(data_refs[0], 0, TX_MORE, 100);
	req(data_refs[1], 0, 0, 200);
	expect("more than all", NET_ERROR);
	req(data_refs[0], 0, TX_MORE, 65535);
	req(data_refs[1], 1, 0, 65535);
	expect("more than a frame", NET_ERROR);
	for (i = 0; i < 30; i++)
		req(data_refs[i % DATA], 0, i < 29 ? TX_MORE : 0, i ? 1 : 2000);
	expect("30 slots", NET_ERROR);
	for (i = 0; i < 18; i++)
		req(data_refs[i % DATA], 0, i < 17 ? TX_MORE : 0, i ? 0 : 2000);
	expect("empty slots", NET_OKAY);
	req(data_refs[0], 0, TX_EXTRA, 60);
	for (i = 0; i < 255; i++)
		extra(EXTRA_XDP, i < 254, 1, 1);
	expect("255 extras", NET_OKAY);
	req(data_refs[0], 0, TX_CSUM, 60);
	expect("nothing to sum", NET_OKAY);
	good();
}

static void build_any(void)
{
	unsigned int want = 1 + any() % 30, i;
	uint16_t total = any() % 8 ? any() % 9000 : any();

	req(any() % 50 ? data_refs[any() % DATA] : any(), any() % 10 ? any() % 64 : any(),
	    any() & (TX_CSUM | TX_VALID | TX_EXTRA), total);
	if (slots[0].req.flags & TX_EXTRA) {
		do
			extra(any() % 7, any() % 3 == 0, any() % 3 ? any() % 2000 : any(), any() % 4);
		while (slots[nr - 1].extra.flags & 1);
	}
	for (i = 1; i < want && any() % 4; i++)
		req(any() % 50 ? data_refs[any() % DATA] : any(), any() % 10 ? any() % 64 : any(), TX_MORE,
		    any() % 20 ? any() % 1500 : any());
	if (i > 1) {
		slots[0].req.flags |= TX_MORE;
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

	for (i = 0; i < NET_SLOTS; i++)
		((union rx_slot *)rx->slots)[i] = (union rx_slot) { .req = { i, 0, 0xff000000 + i } };
	__sync_synchronize();
	rx->req_prod = NET_SLOTS;
	notify(port);
	for (i = 0; i < 300 && rx->rsp_prod < 20; i++)
		usleep(10000);
	for (i = 0; i < rx->rsp_prod && i < NET_SLOTS; i++)
		errors += ((union rx_slot *)rx->slots)[i].rsp.status < 0;
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
		tx->req_prod += NET_SLOTS + 1;
	} else if (!strcmp(way, "back")) {
		good();
		tx->req_prod -= 1;
	} else if (!strcmp(way, "endless")) {
		good();
		for (i = 0; i < NET_SLOTS; i++)
			req(data_refs[0], 0, TX_MORE, 60);
		push();
	} else if (!strcmp(way, "extras")) {
		good();
		req(data_refs[0], 0, TX_EXTRA, 60);
		for (i = 1; i < NET_SLOTS; i++)
			extra(EXTRA_GSO, 1, 1, 1);
		push();
	} else if (!strcmp(way, "rx-ahead")) {
		rx->req_prod = NET_SLOTS + 44;
	} else if (!strcmp(way, "rx-refs")) {
		rx_refs();
	} else {
		printf("%s: unknown\n", way);
		failed = 1;
	}
	notify(port);
}

int net_way(const char *way, uint64_t seed)
{
	struct frames f;

	script_at(seed, 0, 0);
	grant(&f, 2 + DATA, peer_id, true);
	tx = (void *)f.at;
	rx = (void *)(f.at + FRAME);
	data = f.at + 2 * FRAME;
	data_refs = f.refs + 2;
	tx->req_event = tx->rsp_event = rx->req_event = rx->rsp_event = 1;
	port = channel_alloc();
	printf("tx-ring-ref=%u rx-ring-ref=%u event-channel=%u\n", f.refs[0], f.refs[1], port);
	wait_for("/run/evil.go");
	act(way);
	puts(failed ? "failed" : "done");
	wait_for("/run/evil.end");
	return failed;
}

// SPDX-License-Identifier: GPL-2.0
/* A block backend with a disk in its memory. The victim is a frontend. */
#include "blk.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_QUEUES	2
#define SECTORS		8192
#define MAX_PENDING	512

static uint8_t disk[SECTORS * 512];

static struct queue {
	volatile struct shared *ring;
	uint32_t entries, cons, prod;
	unsigned int port;
	uint64_t last_id;
} queues[MAX_QUEUES];
static unsigned int nr_queues;

/* Taken and done, but not answered. */
static struct pending {
	struct queue *q;
	uint64_t id;
	uint8_t op;
} pending[MAX_PENDING];
static unsigned int nr_pending;

static const char *const keys[] = {
	"sectors", "info", "sector-size", "physical-sector-size", "feature-flush-cache", "feature-barrier",
	"feature-discard", "discard-granularity", "discard-alignment", "discard-secure",
	"feature-persistent", "feature-max-indirect-segments", "multi-queue-max-queues",
	"max-ring-page-order", "online", "mode", "frontend", "frontend-id", "state", NULL
};

/* --- connecting -------------------------------------------------------------------------- */

static void write_limits(void)
{
	store_write("feature-max-indirect-segments", "%u", one_in(4) ? 0 : 8 + below(248));
	store_write("multi-queue-max-queues", "%u", 1 + below(2));
	store_write("max-ring-page-order", "%u", below(3));
	store_write("feature-persistent", "%u", below(2));
}

static void write_disk(void)
{
	bool flush = one_in(2);

	store_write("sectors", "%u", SECTORS);
	store_write("info", "0");
	store_write("sector-size", "512");
	store_write("physical-sector-size", "%u", one_in(2) ? 512 : 4096);
	store_write("feature-flush-cache", "%u", flush);
	store_write("feature-barrier", "%u", !flush);
	store_write("feature-discard", "%u", below(2));
	store_write("discard-granularity", "4096");
	store_write("discard-alignment", "0");
	store_write("discard-secure", "%u", below(2));
}

static bool map_queue(unsigned int i, const char *dir)
{
	struct queue *q = &queues[i];
	const char *order = store_read(dir, "ring-page-order");
	uint32_t refs[16];
	unsigned int pages = 1, n;
	char key[32];

	memset(q, 0, sizeof(*q));
	if (!order && nr_queues > 1)
		order = store_read(peer, "ring-page-order");
	if (order) {
		pages = 1 << (order[0] - '0');
		if (pages > ARRAY_SIZE(refs))
			return false;
	}
	for (n = 0; n < pages; n++) {
		snprintf(key, sizeof(key), order ? "ring-ref%u" : "ring-ref", n);
		refs[n] = store_number(dir, key, 0);
	}
	q->ring = map_peer(refs, pages);
	if (!q->ring || !channel_bind(store_number(dir, "event-channel", 0)))
		return false;
	q->port = ports[nr_ports - 1];
	q->entries = ring_entries(&layout_64, pages);
	return true;
}

static bool ask(void)
{
	nr_pending = 0;
	if (peer_state() != INITIALISING) {
		set_state(CLOSED);
		if (!await_state(1 << CLOSED | 1 << INITIALISING, 5000))
			return false;
	}
	let_go();
	write_limits();
	return true;
}

static bool offer(void)
{
	set_state(INIT_WAIT);
	/* One that has been offended often takes nearly as much time. */
	if (!await_state(1 << INITIALISED, 3000) || !map_queues(MAX_QUEUES, &nr_queues, map_queue))
		return false;
	write_disk();
	return true;
}

/* --- service ----------------------------------------------------------------------------- */

static void transfer(const struct seg *s, uint64_t *sector, bool write)
{
	unsigned int len = (s->last - s->first + 1) * 512;

	if (s->last > 7 || s->first > s->last || *sector + len / 512 > SECTORS)
		return;
	copy_peer(s->gref, s->first * 512, disk + *sector * 512, len, !write);
	*sector += len / 512;
}

static void do_segments(const struct seg *s, unsigned int nr, uint64_t sector, bool write)
{
	while (nr--)
		transfer(s++, &sector, write);
}

static void do_indirect(const uint8_t *b, uint64_t sector)
{
	static struct seg segs[SEGS_PER_FRAME];
	uint16_t nr;
	uint32_t list;

	memcpy(&nr, b + 2, 2);
	memcpy(&list, b + 28, 4);
	if (nr <= SEGS_PER_FRAME && copy_peer(list, 0, segs, nr * sizeof(segs[0]), false))
		do_segments(segs, nr, sector, b[1] == OP_WRITE);
}

static void take_one(struct queue *q)
{
	volatile uint8_t *slot = q->ring->slots + (q->cons & (q->entries - 1)) * layout_64.slot;
	struct pending *p = &pending[nr_pending++];
	struct seg segs[MAX_SEGS];
	uint8_t b[112];
	uint64_t sector;

	memcpy(b, (void *)slot, sizeof(b));
	q->cons++;
	*p = (struct pending) { .q = q, .op = b[0] };
	memcpy(&p->id, b + 8, 8);
	memcpy(&sector, b + 16, 8);
	memcpy(segs, b + 24, sizeof(segs));
	if (p->op == OP_INDIRECT) {
		p->op = b[1];
		do_indirect(b, sector);
	} else if (p->op != OP_DISCARD && b[1] <= MAX_SEGS) {
		do_segments(segs, b[1], sector, p->op != OP_READ);
	}
}

/* What has come within some time; or until something has. */
static void gather(unsigned int ms)
{
	unsigned int us, i, had = nr_pending;

	for (us = 0; us <= ms * 1000 && nr_pending == had; us += 200) {
		for (i = 0; i < nr_queues; i++) {
			struct queue *q = &queues[i];
			uint32_t prod = q->ring->req_prod;

			if (prod - q->cons > q->entries) {
				complain(" %u requests in a ring of %u", prod - q->cons, q->entries);
				spoiled = true;
				return;
			}
			__sync_synchronize();
			while (q->cons != prod && nr_pending < MAX_PENDING)
				take_one(q);
			q->ring->req_event = q->cons + 1;
		}
		if (nr_pending == had)
			usleep(200);
	}
}

static void answer(struct queue *q, uint64_t id, uint8_t op, int16_t status)
{
	volatile uint8_t *slot = q->ring->slots + (q->prod & (q->entries - 1)) * layout_64.slot;

	*(volatile uint64_t *)slot = id;
	slot[8] = op;
	*(volatile int16_t *)(slot + 10) = status;
	__sync_synchronize();
	q->ring->rsp_prod = ++q->prod;
	q->last_id = id;
	tally.answers++;
}

static void spoil_answer(struct pending *p)
{
	int16_t status = BLK_OKAY;

	switch (below(6)) {
	case 0:
		p->id = (uint64_t)(one_in(2) ? odd_number() : 0) << 32 | odd_number();
		break;
	case 1:
		p->id = p->q->last_id;
		break;
	case 2:
		p->op = odd_number();
		break;
	case 3:
		/* Twice. */
		answer(p->q, p->id, p->op, status);
		break;
	default:
		status = -odd_number();
	}
	tell(" id=%llx op=%u status=%d", (unsigned long long)p->id, p->op, status);
	answer(p->q, p->id, p->op, status);
	tally.errors++;
}

/* In the order of their arrival, or in none. */
static void answer_all(bool ordered, unsigned int bad)
{
	unsigned int i, left;

	while (nr_pending) {
		struct pending p;

		i = ordered ? 0 : below(nr_pending);
		p = pending[i];
		left = --nr_pending;
		if (ordered)
			memmove(pending, pending + 1, left * sizeof(p));
		else
			pending[i] = pending[left];
		if (bad && one_in(bad))
			spoil_answer(&p);
		else
			answer(p.q, p.id, p.op, BLK_OKAY);
	}
	for (i = 0; i < nr_ports; i++)
		notify(ports[i]);
}

static void act_good(void)
{
	unsigned int n = 2 + below(6);

	while (n--) {
		gather(5);
		answer_all(true, 0);
	}
}

static void act_order(void)
{
	unsigned int n = 1 + below(4);

	while (n--) {
		gather(5);
		answer_all(false, 0);
	}
}

static void act_bad(void)
{
	gather(20);
	answer_all(false, 6);
}

/* For some time, no answers. */
static void act_hold(void)
{
	gather(5);
	usleep(1000 * below(300));
}

static struct queue *any_queue(void)
{
	return &queues[below(nr_queues)];
}

static void act_index(void)
{
	struct queue *q = any_queue();

	gather(20);
	spoil_index(&q->ring->rsp_prod, q->entries);
	notify(q->port);
	usleep(20000);
}

static void act_scribble(void)
{
	struct queue *q = any_queue();

	gather(20);
	switch (below(4)) {
	case 0:
		q->ring->req_event = odd_number();
		break;
	case 1:
		q->ring->rsp_event = odd_number();
		break;
	case 2:
		q->ring->req_prod = odd_number();
		spoiled = true;
		break;
	default:
		q->ring->pad[below(48)] = any();
	}
	answer_all(true, 0);
}

/* Answers that change while they are looked at. */
static void act_flip(void)
{
	struct queue *q = any_queue();

	gather(20);
	flip_start(q->ring->slots + (q->prod & (q->entries - 1) & ~7) * layout_64.slot,
		   8 * layout_64.slot, any());
	answer_all(true, 0);
	usleep(2000);
	flip_stop();
}

static void act_resize(void)
{
	uint32_t sectors = one_in(2) ? SECTORS / (1 + below(8)) : odd_number();

	tell(" %u", sectors);
	store_write("sectors", "%u", sectors);
	set_state(CONNECTED);
	act_good();
}

/* Gone with requests that will never be answered. */
static void act_gone(void)
{
	gather(20);
	depart();
}

static const struct act acts[] = {
	{ 30, act_good, "good" },
	{ 15, act_order, "order" },
	{ 6, act_bad, "bad" },
	{ 8, act_hold, "hold" },
	{ 2, act_index, "index" },
	{ 6, act_scribble, "scribble" },
	{ 2, act_flip, "flip" },
	{ 5, act_resize, "resize" },
	{ 5, act_busy_storm, "storm" },
	{ 6, act_busy_keys, "keys" },
	{ 2, act_states, "states" },
	{ 4, act_busy_flood, "flood" },
	{ 2, act_gone, "gone" },
	{ 2, act_vanish, "vanish" },
	{ 2, act_leave, "leave" },
	{ 3, act_odd_offer_back, "odd offer" },
};

const struct role blk_back = {
	.name = "blk-back",
	.keys = keys,
	.open = open_back,
	.tries = 1,
	.ask = ask,
	.offer = offer,
	.acts = acts,
	.nr_acts = ARRAY_SIZE(acts),
};

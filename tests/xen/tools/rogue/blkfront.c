// SPDX-License-Identifier: GPL-2.0
/* A block frontend. The victim is a backend. */
#include "blk.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_QUEUES	2
#define DATA		24
#define MAX_RING	128
#define ROOM		4096		/* sectors behind the start of a request */

static struct queue {
	volatile struct shared *ring;
	uint32_t entries, cons, port;
	uint8_t asked[MAX_RING];	/* operation of each id in flight, plus one if it is good */
	bool twice;			/* ids of this batch are not unique */
} queues[MAX_QUEUES];
static unsigned int nr_queues;

static const struct layout *lay;
static struct frames lists, rings[MAX_QUEUES];
static uint64_t capacity;
/* What the backend offers. */
static bool has_flush, has_barrier, has_discard;
static unsigned int max_segs;

static const char *const keys[] = {
	"ring-ref", "ring-ref0", "ring-ref1", "ring-ref3", "event-channel", "ring-page-order", "protocol",
	"multi-queue-num-queues", "feature-persistent", "queue-0/ring-ref", "queue-1/ring-ref",
	"queue-0/ring-ref0", "queue-1/event-channel", "device-type", "virtual-device", "backend",
	"backend-id", "state", NULL
};

/* --- connecting -------------------------------------------------------------------------- */

static void write_ring(const char *prefix, unsigned int i, unsigned int order, bool by_order)
{
	char key[48];
	unsigned int n;

	if (!by_order) {
		snprintf(key, sizeof(key), "%sring-ref", prefix);
		store_write(key, "%u", rings[i].refs[0]);
	}
	for (n = 0; by_order && n < 1U << order; n++) {
		snprintf(key, sizeof(key), "%sring-ref%u", prefix, n);
		store_write(key, "%u", rings[i].refs[n]);
	}
	snprintf(key, sizeof(key), "%sevent-channel", prefix);
	store_write(key, "%u", queues[i].port);
}

static void make_queue(unsigned int i, unsigned int order)
{
	struct queue *q = &queues[i];

	grant(&rings[i], 1 << order, peer_id, true);
	memset(q, 0, sizeof(*q));
	q->ring = (void *)rings[i].at;
	q->ring->req_event = 1;
	q->ring->rsp_event = 1;
	q->entries = ring_entries(lay, 1 << order);
	q->port = channel_alloc();
}

static bool offer(void)
{
	unsigned int order = below(3), i;
	bool by_order = order || one_in(4);
	char prefix[16] = "";

	lay = one_in(3) ? &layout_32 : &layout_64;
	nr_queues = store_number(peer, "multi-queue-max-queues", 1) < 2 ? 1 : 1 + below(2);
	if (order > store_number(peer, "max-ring-page-order", 0))
		order = 0;
	remove_keys();
	tell(" %u queues order %u %s", nr_queues, order, lay->name);
	if (nr_queues > 1)
		store_write("multi-queue-num-queues", "%u", nr_queues);
	if (by_order)
		store_write("ring-page-order", "%u", order);
	for (i = 0; i < nr_queues; i++) {
		make_queue(i, order);
		if (nr_queues > 1)
			snprintf(prefix, sizeof(prefix), "queue-%u/", i);
		write_ring(prefix, i, order, by_order);
	}
	make_pages(DATA);
	grant(&lists, 4, peer_id, one_in(2));
	store_write("protocol", "%s", lay->name);
	if (one_in(2))
		store_write("feature-persistent", "1");
	return true;
}

static bool open_blk(void)
{
	if (!ask_back() || !offer())
		return false;
	set_state(one_in(2) ? INITIALISED : CONNECTED);
	if (!await_connection(5000))
		return false;
	set_state(CONNECTED);
	capacity = store_number(peer, "sectors", 0);
	has_flush = store_number(peer, "feature-flush-cache", 0);
	has_barrier = store_number(peer, "feature-barrier", 0);
	has_discard = store_number(peer, "feature-discard", 0);
	max_segs = store_number(peer, "feature-max-indirect-segments", 0);
	return capacity > 2 * ROOM;
}

/* --- requests ---------------------------------------------------------------------------- */

static void put(volatile uint8_t *slot, const struct blk_req *r)
{
	uint8_t b[112] = { r->op };
	uint8_t *rest = b + lay->id + 16;

	memcpy(b + lay->id, &r->id, 8);
	memcpy(b + lay->id + 8, &r->sector, 8);
	if (r->op == OP_INDIRECT) {
		b[1] = r->indirect_op;
		memcpy(b + 2, &r->nr, 2);
		memcpy(rest, &r->handle, 2);
		memcpy(rest + 4, r->lists, sizeof(r->lists));
	} else if (r->op == OP_DISCARD) {
		b[1] = r->flag;
		memcpy(b + 2, &r->handle, 2);
		memcpy(rest, &r->sectors, 8);
	} else {
		b[1] = r->nr;
		memcpy(b + 2, &r->handle, 2);
		memcpy(rest, r->segs, sizeof(r->segs));
	}
	memcpy((void *)slot, b, lay->slot);
}

static struct seg good_seg(void)
{
	struct seg s = { .gref = pages.refs[below(DATA)], .last = 7 };

	if (one_in(3)) {
		s.first = below(8);
		s.last = s.first + below(8 - s.first);
	}
	return s;
}

static void good_indirect(struct blk_req *r)
{
	unsigned int i, max = one_in(8) ? max_segs : 32;
	struct seg *s = (void *)lists.at;

	r->indirect_op = one_in(2) ? OP_READ : OP_WRITE;
	r->nr = 1 + below(max < max_segs ? max : max_segs);
	for (i = 0; i < r->nr; i++)
		s[i] = good_seg();
	for (i = 0; i < MAX_LISTS; i++)
		r->lists[i] = lists.refs[i % 4];
}

static struct blk_req good_req(uint64_t id)
{
	static const uint8_t ops[] = {
		OP_READ, OP_READ, OP_READ, OP_WRITE, OP_WRITE, OP_WRITE, OP_FLUSH, OP_BARRIER, OP_DISCARD, OP_INDIRECT,
	};
	struct blk_req r = { .op = ops[below(ARRAY_SIZE(ops))], .id = id };
	unsigned int i;

	if ((r.op == OP_FLUSH && !has_flush) || (r.op == OP_BARRIER && !has_barrier) ||
	    (r.op == OP_DISCARD && !has_discard) || (r.op == OP_INDIRECT && !max_segs))
		r.op = OP_WRITE;
	r.sector = below(capacity - ROOM) & ~7;
	if (r.op == OP_INDIRECT)
		good_indirect(&r);
	else if (r.op == OP_DISCARD)
		r.sectors = 8 + below(100) * 8;
	else if (r.op != OP_FLUSH)
		r.nr = 1 + below(MAX_SEGS);
	for (i = 0; i < MAX_SEGS; i++)
		r.segs[i] = good_seg();
	return r;
}

static void spoil_seg(struct seg *s)
{
	switch (below(4)) {
	case 0:
		s->gref = bad_ref(rings[0].refs[0]);
		break;
	case 1:
		s->last = odd_number();
		break;
	case 2:
		s->first = odd_number();
		break;
	default:
		s->first = 5;
		s->last = 4;
	}
	tell(" gref=%u %u-%u", s->gref, s->first, s->last);
}

static void spoil_req(struct blk_req *r)
{
	struct seg *s = r->op == OP_INDIRECT ? (void *)lists.at : r->segs;

	switch (below(11)) {
	case 0:
		r->op = odd_number();
		tell(" op=%u", r->op);
		break;
	case 1:
		r->nr = odd_number();
		tell(" nr=%u", r->nr);
		break;
	case 2:
	case 3:
	case 4:
		spoil_seg(&s[r->nr && r->nr <= MAX_SEGS ? below(r->nr) : 0]);
		break;
	case 5:
		r->sector = capacity - 8 + below(16);
		tell(" sector=%llu", (unsigned long long)r->sector);
		break;
	case 6:
		r->sector = (uint64_t)odd_number() << 32 | odd_number();
		tell(" sector=%llx", (unsigned long long)r->sector);
		break;
	case 7:
		r->sectors = (uint64_t)odd_number() << 32 | odd_number();
		r->flag = odd_number();
		tell(" sectors=%llx", (unsigned long long)r->sectors);
		break;
	case 8:
		r->lists[below(MAX_LISTS)] = bad_ref(rings[0].refs[0]);
		tell(" list");
		break;
	case 9:
		r->indirect_op = odd_number();
		tell(" indirect op=%u", r->indirect_op);
		break;
	default:
		r->handle = odd_number();
		r->id ^= 1;
		tell(" handle=%u, id of another", r->handle);
	}
}

static volatile uint8_t *slot(struct queue *q, uint32_t i)
{
	return q->ring->slots + (i & (q->entries - 1)) * lay->slot;
}

static void fill(struct queue *q, unsigned int n, unsigned int bad)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint32_t id = (q->ring->req_prod + i) & (q->entries - 1);
		struct blk_req r = good_req(id);

		q->asked[id] = r.op + 1;
		if (bad && one_in(bad)) {
			tell(", %u:", r.op);
			spoil_req(&r);
			q->asked[id] = 0;
			q->twice |= r.id != id;
		}
		put(slot(q, q->ring->req_prod + i), &r);
	}
	__sync_synchronize();
	q->ring->req_prod += n;
}

/* @exact: what was asked has not been changed since. */
static void reap(struct queue *q, bool exact)
{
	for (; q->cons != q->ring->rsp_prod; q->cons++) {
		volatile uint8_t *s = slot(q, q->cons);
		uint64_t id = *(volatile uint64_t *)s;
		int16_t status = *(volatile int16_t *)(s + 10);
		uint8_t op = s[8];

		tally.answers++;
		tally.errors += status != BLK_OKAY;
		if (!exact || q->twice)
			continue;
		if (id >= q->entries || status > BLK_OKAY || status < BLK_NOT_SUPPORTED)
			complain(" answer of id %llx, status %d", (unsigned long long)id, status);
		else if (q->asked[id] && q->asked[id] != OP_INDIRECT + 1 && op + 1 != q->asked[id])
			complain(" answer for operation %u to %u", op, q->asked[id] - 1);
		else if (q->asked[id] && q->asked[id] - 1 <= OP_WRITE && status)
			complain(" a good request failed: operation %u, status %d", op, status);
	}
}

static void finish(struct queue *q, bool exact)
{
	notify(q->port);
	if (!wait_equal(&q->ring->rsp_prod, &q->ring->req_prod, 2000)) {
		spoiled = true;
		/* Leaving is an answer too. */
		if (exact && peer_state() == CONNECTED)
			complain(" %u requests without an answer", q->ring->req_prod - q->ring->rsp_prod);
		return;
	}
	reap(q, exact);
	q->twice = false;
}

static struct queue *any_queue(void)
{
	return &queues[below(nr_queues)];
}

static unsigned int some(struct queue *q)
{
	return 1 + below(one_in(8) ? q->entries : 6);
}

static void act_good(void)
{
	struct queue *q = any_queue();

	fill(q, some(q), 0);
	finish(q, true);
}

static void act_bad(void)
{
	struct queue *q = any_queue();

	fill(q, some(q), 4);
	finish(q, true);
}

/* Requests, or lists of segments, that change while they are looked at. */
static void act_flip(void)
{
	struct queue *q = any_queue();
	bool requests = one_in(2);
	uint64_t seed = any();

	fill(q, some(q), 8);
	tell(requests ? " requests" : " lists");
	if (requests)
		flip_start(slot(q, q->cons & ~7), 8 * lay->slot, seed);
	else
		flip_start(lists.at, 4 * FRAME, seed);
	finish(q, false);
	flip_stop();
}

static void act_index(void)
{
	struct queue *q = any_queue();

	fill(q, below(4), 0);
	spoil_index(&q->ring->req_prod, q->entries);
	notify(q->port);
	usleep(20000);
}

/* What is not ours to write, and what nobody reads. */
static void act_scribble(void)
{
	struct queue *q = any_queue();

	fill(q, below(8), 6);
	switch (below(3)) {
	case 0:
		q->ring->rsp_event = q->cons + odd_number();
		break;
	case 1:
		q->ring->req_event = odd_number();
		break;
	default:
		q->ring->pad[below(48)] = any();
	}
	finish(q, true);
}

/* Several batches without a word, then one. */
static void act_late(void)
{
	struct queue *q = any_queue();

	fill(q, 1 + below(8), 5);
	usleep(1000 * below(50));
	fill(q, 1 + below(8), 5);
	finish(q, true);
}

/* Gone while requests are served. */
static void act_gone(void)
{
	struct queue *q = any_queue();

	fill(q, 32, 6);
	notify(q->port);
	if (one_in(2))
		usleep(below(3000));
	depart();
}

static const struct act acts[] = {
	{ 20, act_good, "good" },
	{ 40, act_bad, "bad" },
	{ 8, act_flip, "flip" },
	{ 3, act_index, "index" },
	{ 6, act_scribble, "scribble" },
	{ 6, act_late, "late" },
	{ 5, act_storm, "storm" },
	{ 5, act_keys, "keys" },
	{ 3, act_states, "states" },
	{ 3, act_flood, "flood" },
	{ 3, act_gone, "gone" },
	{ 2, act_vanish, "vanish" },
	{ 2, act_leave, "leave" },
	{ 3, act_odd_offer_front, "odd offer" },
};

const struct role blk_front = {
	.name = "blk-front",
	.keys = keys,
	.open = open_blk,
	.tries = 3,
	.ask = ask_back,
	.offer = offer,
	.acts = acts,
	.nr_acts = ARRAY_SIZE(acts),
};

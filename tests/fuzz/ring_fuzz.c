// SPDX-License-Identifier: GPL-2.0
/*
 * The ring core alone. Both ends work in an order that the input chooses, beside a
 * model with 64-bit indices; and one end is at times a peer that writes what it
 * likes into indices and slots. Then nothing that the honest end is told may
 * exceed the ring, and of what it has been told nothing changes.
 */
#include "ring/ring.h"

#include "kernel.h"
#include "target.h"

#define SLOT		16
#define MAX_ENTRIES	8

/* The model: how many of each, ever. */
struct model {
	u64 req_put, req_pushed, req_got;
	u64 rsp_put, rsp_pushed, rsp_got;
	/* Event indices, as distance from where the ring began. */
	u64 req_event, rsp_event;
};

static struct peer_ring *memory;
static struct ring_front front;
static struct ring_back back;
static struct model m;
static u32 base, entries;

static struct ring_shared *seen(void)
{
	return (struct ring_shared *)memory->behind;
}

static void fill(u8 *slot, u64 seq, u8 kind)
{
	unsigned int i;

	for (i = 0; i < SLOT; i++)
		slot[i] = seq * 7 + i * 31 + kind;
}

static void check(const u8 *slot, u64 seq, u8 kind)
{
	u8 want[SLOT];

	fill(want, seq, kind);
	MUST(!__builtin_memcmp(slot, want, SLOT));
}

static bool crossed(u64 old, u64 new, u64 event)
{
	return event > old && event <= new;
}

static void begin(void)
{
	size_t bytes;

	entries = 1 << peer_below(4);
	base = peer_below(2) ? peer_u32() : 0 - peer_below(40);
	/* All sizes end up in a ring of that many slots. */
	bytes = sizeof(struct ring_shared) + entries * SLOT +
		peer_below(entries * SLOT);
	memory = peer_share(0, sizeof(struct ring_shared) +
			       2 * MAX_ENTRIES * SLOT);
	m = (struct model) { .req_event = 1, .rsp_event = 1 };

	ring_front_init(&front, (struct ring_shared *)memory->window, bytes,
			SLOT);
	MUST(front.entries == entries);
	front.req_prod = base;
	front.req_published = base;
	front.rsp_cons = base;
	seen()->req_prod = base;
	seen()->rsp_prod = base;
	seen()->req_event = base + 1;
	seen()->rsp_event = base + 1;
	MUST(!ring_back_attach(&back, (struct ring_shared *)memory->window,
			       bytes, SLOT));
	MUST(back.entries == entries);
}

/* To look at a slot again needs another look at the index. */
static void peek_at_last(u32 pending)
{
	u8 slot[SLOT];

	ring_front_peek(&front, pending - 1, slot, SLOT);
	check(slot, m.rsp_pushed - 1, 2);
	ring_front_pending(&front);
}

static void take_response(void)
{
	u8 slot[SLOT];

	if (!peer_flips)
		peek_at_last(m.rsp_pushed - m.rsp_got);
	if (peer_below(4) == 3) {
		ring_front_peek(&front, 0, slot, SLOT);
		ring_front_skip(&front, 1);
	} else {
		ring_front_get(&front, slot, SLOT);
	}
	check(slot, m.rsp_got++, 2);
}

static void do_front(u8 what)
{
	u8 slot[SLOT];
	u32 after;

	switch (what) {
	case 0:
		MUST(ring_front_free(&front) == entries - (m.req_put - m.rsp_got));
		if (!ring_front_free(&front))
			break;
		fill(slot, m.req_put++, 1);
		ring_front_put(&front, slot, SLOT);
		break;
	case 1:
		MUST(ring_front_push(&front) ==
		     crossed(m.req_pushed, m.req_put, m.req_event));
		m.req_pushed = m.req_put;
		break;
	case 2:
		MUST(ring_front_pending(&front) == (int)(m.rsp_pushed - m.rsp_got));
		if (m.rsp_pushed == m.rsp_got)
			break;
		take_response();
		break;
	default:
		after = 1 + peer_below(entries);
		m.rsp_event = m.rsp_got + after;
		MUST(ring_front_arm(&front, after) ==
		     (int)(m.rsp_pushed - m.rsp_got));
	}
}

static void do_back(u8 what)
{
	u8 slot[SLOT];
	u32 after;

	switch (what) {
	case 0:
		MUST(ring_back_pending(&back) == (int)(m.req_pushed - m.req_got));
		if (m.req_pushed == m.req_got)
			break;
		ring_back_get(&back, slot, SLOT);
		check(slot, m.req_got++, 1);
		if (!peer_flips && peer_below(4) == 3) {
			ring_back_unget(&back, 1);
			m.req_got--;
		}
		break;
	case 1:
		if (m.rsp_put == m.req_got)
			break;
		fill(slot, m.rsp_put++, 2);
		ring_back_put(&back, slot, SLOT);
		break;
	case 2:
		MUST(ring_back_push(&back) ==
		     crossed(m.rsp_pushed, m.rsp_put, m.rsp_event));
		m.rsp_pushed = m.rsp_put;
		break;
	default:
		after = 1 + peer_below(entries);
		m.req_event = m.req_got + after;
		MUST(ring_back_arm(&back, after) ==
		     (int)(m.req_pushed - m.req_got));
	}
}

/* Another backend takes over; all that was taken has been answered. */
static void replace_back(void)
{
	size_t bytes = sizeof(struct ring_shared) + entries * SLOT;

	if (m.req_got != m.rsp_put || m.rsp_put != m.rsp_pushed)
		return;
	MUST(!ring_back_attach(&back, (struct ring_shared *)memory->window,
			       bytes, SLOT));
}

/* From here on the other end is hostile: only bounds hold. */
static void hostile_front(void)
{
	u32 held = m.req_got - m.rsp_put, i;
	u8 slot[SLOT] = {};
	int pending;

	seen()->req_prod = peer_mostly(back.req_cons + peer_below(9), 32);
	seen()->rsp_event = peer_u32();
	pending = peer_below(2) ? ring_back_arm(&back, 1 + peer_below(8)) :
				  ring_back_pending(&back);
	MUST(pending == -EPROTO || pending >= 0);
	if (pending < 0)
		return;
	MUST(held + pending <= entries);
	for (i = 0; i < (u32)pending; i++) {
		ring_back_get(&back, slot, SLOT);
		m.req_got++;
	}
	for (; m.rsp_put < m.req_got; m.rsp_put++)
		ring_back_put(&back, slot, SLOT);
	ring_back_push(&back);
}

static void hostile_back(void)
{
	u32 due = m.req_pushed - m.rsp_got;
	u8 slot[SLOT] = {};
	int pending;

	seen()->rsp_prod = peer_mostly(front.rsp_cons + peer_below(9), 32);
	seen()->req_event = peer_u32();
	pending = peer_below(2) ? ring_front_arm(&front, 1 + peer_below(8)) :
				  ring_front_pending(&front);
	MUST(pending == -EPROTO || pending >= 0);
	if (pending < 0)
		return;
	MUST((u32)pending <= due);
	for (; pending; pending--, m.rsp_got++)
		ring_front_get(&front, slot, SLOT);
	MUST(ring_front_free(&front) <= entries);
}

/* A hostile end changes an index as soon as it was read. */
static void index_read(struct peer_ring *ring, size_t offset)
{
	u32 *index = (u32 *)(ring->behind + offset);

	*index = peer_mostly(~*index, 32);
}

/* Whatever is in a page, taking it over touches nothing and ends in bounds. */
static void attach_anything(void)
{
	size_t bytes = peer_below(2) ? memory->bytes : peer_u8();
	struct ring_back any;
	int pending;

	seen()->req_prod = peer_mostly(base, 32);
	seen()->rsp_prod = peer_mostly(base, 32);
	if (ring_back_attach(&any, (struct ring_shared *)memory->window, bytes,
			     SLOT))
		return;
	pending = ring_back_pending(&any);
	MUST(pending == -EPROTO || (u32)pending <= any.entries);
}

void target_run(void)
{
	unsigned int steps = 0;
	bool evil_front = false, evil_back = false;
	u8 what;

	begin();
	while (peer_input_left() && steps++ < 400) {
		what = peer_u8();
		if (what >= 0xfe) {
			evil_front = !evil_back;
			evil_back = !evil_front;
			peer_acts.index_read = index_read;
		}
		if (evil_front)
			hostile_front();
		else if (evil_back)
			hostile_back();
		else if (what >= 0xfc)
			replace_back();
		else if (what & 1)
			do_front(what / 2 % 4);
		else
			do_back(what / 2 % 4);
	}
	attach_anything();
}

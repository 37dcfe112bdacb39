// SPDX-License-Identifier: GPL-2.0
/*
 * The ring core on small rings, without a sample: every operation in every state
 * that a ring can be in, at every position around the wrap of 32 bits; and every
 * order of the steps of two ends that work, ask for events and sleep.
 */
#include "ring/ring.h"

#include <stdlib.h>

#include "case.h"

#define SLOT_SIZE	4

static struct ring_shared *shared, *seen;
static struct ring_front front;
static struct ring_back back;

static void share(u32 entries)
{
	size_t bytes = sizeof(*shared) + (size_t)entries * SLOT_SIZE;

	shared = memory_share(bytes);
	seen = memory_behind(shared);
	ring_front_init(&front, shared, bytes, SLOT_SIZE);
	CHECK_EQ(ring_back_attach(&back, shared, bytes, SLOT_SIZE), 0);
	CHECK_EQ(front.entries, entries);
	CHECK_EQ(back.entries, entries);
}

/* --- every operation in every state -------------------------------------- */

/* How far each count is ahead of where the ring's oldest slot is. */
struct state {
	u32 base;
	u32 rsp_got, rsp_pushed, rsp_put, req_got, req_pushed, req_put;
};

static void enter(const struct state *s)
{
	u32 i;

	front.rsp_cons = s->base + s->rsp_got;
	front.req_published = s->base + s->req_pushed;
	front.req_prod = s->base + s->req_put;
	back.rsp_published = s->base + s->rsp_pushed;
	back.rsp_prod = s->base + s->rsp_put;
	back.req_cons = s->base + s->req_got;
	seen->req_prod = front.req_published;
	seen->rsp_prod = back.rsp_published;
	seen->req_event = s->base - 5;
	seen->rsp_event = s->base - 5;
	/* A slot holds its own number. */
	for (i = 0; i < front.entries; i++)
		memcpy(seen->slots + i * SLOT_SIZE, &i, SLOT_SIZE);
}

static u32 slot_at(u32 index)
{
	return index & (front.entries - 1);
}

static void check_counts(const struct state *s)
{
	CHECK_EQ(ring_front_free(&front),
		 front.entries - (s->req_put - s->rsp_got));
	CHECK_EQ(ring_front_pending(&front), s->rsp_pushed - s->rsp_got);
	CHECK_EQ(ring_back_pending(&back), s->req_pushed - s->req_got);
}

static void check_pushes(const struct state *s)
{
	u32 event;

	for (event = 0; event <= 2 * front.entries + 2; event++) {
		enter(s);
		seen->req_event = s->base + event - 1;
		seen->rsp_event = s->base + event - 1;
		CHECK_EQ(ring_front_push(&front), event > s->req_pushed + 1 &&
			 event <= s->req_put + 1);
		CHECK_EQ(seen->req_prod, s->base + s->req_put);
		CHECK_EQ(front.req_published, s->base + s->req_put);
		CHECK_EQ(ring_back_push(&back), event > s->rsp_pushed + 1 &&
			 event <= s->rsp_put + 1);
		CHECK_EQ(seen->rsp_prod, s->base + s->rsp_put);
	}
}

/* An event comes for the one that was asked for and no other, or it is there. */
static void check_arms(const struct state *s)
{
	u32 after;

	for (after = 1; after <= front.entries; after++) {
		enter(s);
		CHECK_EQ(ring_front_arm(&front, after),
			 s->rsp_pushed - s->rsp_got);
		CHECK_EQ(seen->rsp_event, s->base + s->rsp_got + after);
		CHECK_EQ(ring_back_push(&back),
			 s->rsp_pushed < s->rsp_got + after &&
			 s->rsp_put >= s->rsp_got + after);

		CHECK_EQ(ring_back_arm(&back, after),
			 s->req_pushed - s->req_got);
		CHECK_EQ(seen->req_event, s->base + s->req_got + after);
		CHECK_EQ(ring_front_push(&front),
			 s->req_pushed < s->req_got + after &&
			 s->req_put >= s->req_got + after);
	}
}

static void check_front_slots(const struct state *s)
{
	u32 ahead, slot, pending = s->rsp_pushed - s->rsp_got;

	for (ahead = 0; ahead < pending; ahead++) {
		enter(s);
		ring_front_peek(&front, ahead, &slot, sizeof(slot));
		CHECK_EQ(slot, slot_at(front.rsp_cons + ahead));
		CHECK_EQ(front.rsp_cons, s->base + s->rsp_got);
		ring_front_skip(&front, ahead);
		CHECK_EQ(ring_front_pending(&front), pending - ahead);
		ring_front_get(&front, &slot, sizeof(slot));
		CHECK_EQ(slot, slot_at(s->base + s->rsp_got + ahead));
		CHECK_EQ(ring_front_free(&front), front.entries -
			 (s->req_put - s->rsp_got) + ahead + 1);
	}
	if (s->req_put - s->rsp_got == front.entries)
		return;
	enter(s);
	slot = 100;
	ring_front_put(&front, &slot, sizeof(slot));
	memcpy(&slot, seen->slots + slot_at(s->base + s->req_put) * SLOT_SIZE,
	       sizeof(slot));
	CHECK_EQ(slot, 100);
	/* Nobody is told before the push. */
	CHECK_EQ(seen->req_prod, s->base + s->req_pushed);
}

static void check_back_slots(const struct state *s)
{
	u32 n, slot, pending = s->req_pushed - s->req_got;

	enter(s);
	for (n = 0; n < pending; n++) {
		ring_back_get(&back, &slot, sizeof(slot));
		CHECK_EQ(slot, slot_at(s->base + s->req_got + n));
	}
	ring_back_unget(&back, pending);
	CHECK_EQ(ring_back_pending(&back), pending);
	if (s->rsp_put == s->req_got)
		return;
	slot = 100;
	ring_back_put(&back, &slot, sizeof(slot));
	memcpy(&slot, seen->slots + slot_at(s->base + s->rsp_put) * SLOT_SIZE,
	       sizeof(slot));
	CHECK_EQ(slot, 100);
	CHECK_EQ(seen->rsp_prod, s->base + s->rsp_pushed);
}

/* What the other end could have written instead, near the ring. */
static void check_lies(const struct state *s)
{
	u32 i, due = s->req_pushed - s->rsp_got;
	u32 room = front.entries - (s->req_got - s->rsp_put);

	enter(s);
	for (i = 0; i <= 4 * front.entries; i++) {
		u32 near = i - 2 * front.entries;

		seen->rsp_prod = front.rsp_cons + near;
		CHECK_EQ(ring_front_pending(&front),
			 near <= due ? (int)near : -EPROTO);
		seen->req_prod = back.req_cons + near;
		CHECK_EQ(ring_back_pending(&back),
			 near <= room ? (int)near : -EPROTO);
	}
}

static void check_state(const struct state *s)
{
	enter(s);
	check_counts(s);
	check_pushes(s);
	check_arms(s);
	check_front_slots(s);
	check_back_slots(s);
	check_lies(s);
}

/* All ways to put the six counts in their order, within the ring's size. */
static unsigned int check_states(u32 base, u32 entries)
{
	struct state s = { .base = base };
	unsigned int n = 0;

	for (s.req_put = 0; s.req_put <= entries; s.req_put++)
	for (s.req_pushed = 0; s.req_pushed <= s.req_put; s.req_pushed++)
	for (s.req_got = 0; s.req_got <= s.req_pushed; s.req_got++)
	for (s.rsp_put = 0; s.rsp_put <= s.req_got; s.rsp_put++)
	for (s.rsp_pushed = 0; s.rsp_pushed <= s.rsp_put; s.rsp_pushed++, n++)
		check_state(&s);
	return n;
}

static void every_state(const void *arg)
{
	u32 entries = *(const u32 *)arg, base;
	unsigned int n = 0;

	share(entries);
	for (base = -entries - 2; base != 3; base++)
		n += check_states(base, entries);
	for (base = 0x7fffffff - entries; base != 0x80000002; base++)
		n += check_states(base, entries);
	CHECK(n > 10);
}

/* --- every order of steps ------------------------------------------------ */

enum { WORKS, SLEEPS, DONE };

/* All there is of two ends and what is between them. */
struct world {
	u32 req_prod, req_event, rsp_prod, rsp_event;
	u32 front_put, front_published, front_got;
	u32 back_got, back_put, back_published;
	u8 front, back;
	bool to_front, to_back;
};

#define WORLDS		(1 << 20)

static struct world *worlds;
static u32 *by_hash;
static u32 nr_worlds, start, wanted;

static void enter_world(const struct world *w)
{
	seen->req_prod = w->req_prod;
	seen->req_event = w->req_event;
	seen->rsp_prod = w->rsp_prod;
	seen->rsp_event = w->rsp_event;
	front.req_prod = w->front_put;
	front.req_published = w->front_published;
	front.rsp_cons = w->front_got;
	back.req_cons = w->back_got;
	back.rsp_prod = w->back_put;
	back.rsp_published = w->back_published;
}

/* The world after a step, if it is a new one. */
static void leave_world(struct world w)
{
	const u8 *bytes = (const u8 *)&w;
	u32 hash = 2166136261U;
	unsigned int i;

	w.req_prod = seen->req_prod;
	w.req_event = seen->req_event;
	w.rsp_prod = seen->rsp_prod;
	w.rsp_event = seen->rsp_event;
	w.front_put = front.req_prod;
	w.front_published = front.req_published;
	w.front_got = front.rsp_cons;
	w.back_got = back.req_cons;
	w.back_put = back.rsp_prod;
	w.back_published = back.rsp_published;
	/* Worlds are copied whole, so what is between members is 0. */
	for (i = 0; i < sizeof(w); i++)
		hash = (hash ^ bytes[i]) * 16777619U;
	for (hash %= 2 * WORLDS; by_hash[hash]; hash = (hash + 1) % (2 * WORLDS))
		if (!memcmp(&worlds[by_hash[hash] - 1], &w, sizeof(w)))
			return;
	CHECK(nr_worlds < WORLDS);
	worlds[nr_worlds++] = w;
	by_hash[hash] = nr_worlds;
}

static void front_waits(const struct world *w)
{
	u32 due = front.req_published - front.rsp_cons, after;
	struct world next;
	int pending;

	/* All numbers of responses that it can wait for. */
	for (after = 1; after <= due; after++) {
		enter_world(w);
		next = *w;
		pending = ring_front_arm(&front, after);
		CHECK(pending >= 0);
		next.front = pending >= (int)after ? WORKS : SLEEPS;
		leave_world(next);
	}
}

static void front_works(const struct world *w)
{
	struct world next = *w;
	u32 slot = 0;
	int pending;

	enter_world(w);
	pending = ring_front_pending(&front);
	CHECK(pending >= 0);
	if (pending) {
		ring_front_get(&front, &slot, sizeof(slot));
		next.front = front.rsp_cons - start == wanted ? DONE : WORKS;
		leave_world(next);
		next.front = WORKS;
	}
	enter_world(w);
	if (front.req_prod - start < wanted && ring_front_free(&front)) {
		ring_front_put(&front, &slot, sizeof(slot));
		leave_world(next);
	}
	enter_world(w);
	if (front.req_prod != front.req_published) {
		next.to_back |= ring_front_push(&front);
		leave_world(next);
	} else {
		front_waits(w);
	}
}

static void back_works(const struct world *w)
{
	struct world next = *w;
	u32 slot = 0;
	int pending;

	enter_world(w);
	pending = ring_back_pending(&back);
	CHECK(pending >= 0);
	if (pending) {
		ring_back_get(&back, &slot, sizeof(slot));
		leave_world(next);
	}
	enter_world(w);
	if (back.rsp_prod != back.req_cons) {
		ring_back_put(&back, &slot, sizeof(slot));
		leave_world(next);
	}
	enter_world(w);
	if (back.rsp_prod != back.rsp_published) {
		next.to_front |= ring_back_push(&back);
		leave_world(next);
	} else if (!pending && back.rsp_prod == back.req_cons) {
		next.back = ring_back_arm(&back, 1) ? WORKS : SLEEPS;
		leave_world(next);
	}
}

static void step_all(const struct world *w)
{
	struct world next = *w;

	if (w->front == WORKS)
		front_works(w);
	if (w->back == WORKS)
		back_works(w);
	enter_world(w);
	if (w->front == SLEEPS && w->to_front) {
		next.front = WORKS;
		next.to_front = false;
		leave_world(next);
	}
	next = *w;
	if (w->back == SLEEPS && w->to_back) {
		next.back = WORKS;
		next.to_back = false;
		leave_world(next);
	}
}

/* Where no step is left, all that was wanted has been answered. */
static void nobody_sleeps_for_ever(const void *arg)
{
	u32 entries = *(const u32 *)arg, at, ends = 0;
	struct world w;

	worlds = calloc(WORLDS, sizeof(*worlds));
	by_hash = calloc(2 * WORLDS, sizeof(*by_hash));
	CHECK(worlds && by_hash);
	share(entries);
	start = -2U;
	wanted = entries == 1 ? 4 : entries + 2;
	memset(&w, 0, sizeof(w));
	w.req_prod = start;
	w.rsp_prod = start;
	w.req_event = start + 1;
	w.rsp_event = start + 1;
	w.front_put = start;
	w.front_published = start;
	w.front_got = start;
	w.back_got = start;
	w.back_put = start;
	w.back_published = start;
	enter_world(&w);
	leave_world(w);
	for (at = 0; at < nr_worlds; at++) {
		w = worlds[at];
		step_all(&w);
		if (w.front == DONE) {
			ends++;
			continue;
		}
		if (w.front == SLEEPS && !w.to_front && w.back == SLEEPS &&
		    !w.to_back)
			FAIL("both sleep after %u answers of %u",
			     w.front_got - start, wanted);
	}
	CHECK(ends && nr_worlds > 100);
}

void exhaustive_tests(void)
{
	static const u32 sizes[] = { 1, 2, 4, 8 };

	case_run("ring", "every_state_of_1", every_state, &sizes[0]);
	case_run("ring", "every_state_of_2", every_state, &sizes[1]);
	case_run("ring", "every_state_of_4", every_state, &sizes[2]);
	case_run("ring", "every_state_of_8", every_state, &sizes[3]);
	case_run("ring", "nobody_sleeps_for_ever_1", nobody_sleeps_for_ever,
		 &sizes[0]);
	case_run("ring", "nobody_sleeps_for_ever_2", nobody_sleeps_for_ever,
		 &sizes[1]);
	case_run("ring", "nobody_sleeps_for_ever_4", nobody_sleeps_for_ever,
		 &sizes[2]);
}

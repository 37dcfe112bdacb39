// SPDX-License-Identifier: GPL-2.0
/*
 * The ring core, both sides at once: no event is lost and no slot is read before
 * it was written. First every interleaving of two operations on a model of a
 * machine that reorders, then real threads.
 */
#include "ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "case.h"

#define SLOT_SIZE	64

struct pair {
	struct ring_front front;
	struct ring_back back;
};

/* Two operations that run into each other. */
struct race {
	const char *name;
	void (*outer)(void *arg);
	void (*inner)(void *arg);
	void (*check)(const struct pair *pair);
	/* Requests that the backend holds before. */
	u32 held;
};

/* The race that runs: how many the producer adds, how many the consumer awaits. */
static u32 added, awaited;
static bool notified;
static int found;

static void connect(struct pair *pair, struct ring_shared *shared, u32 entries,
		    u32 start)
{
	size_t bytes = sizeof(*shared) + (size_t)entries * SLOT_SIZE;

	ring_front_init(&pair->front, shared, bytes, SLOT_SIZE);
	pair->front.req_prod = start;
	pair->front.req_published = start;
	pair->front.rsp_cons = start;
	ring_store(&shared->req_prod, start);
	ring_store(&shared->rsp_prod, start);
	/* Nobody wants an event. */
	ring_store(&shared->req_event, start);
	ring_store(&shared->rsp_event, start);
	CHECK_EQ(ring_back_attach(&pair->back, shared, bytes, SLOT_SIZE), 0);
}

/* A slot that is full of its number. */
static void fill(u32 *slot, u32 seq)
{
	unsigned int i;

	for (i = 0; i < SLOT_SIZE / sizeof(*slot); i++)
		slot[i] = (seq + 1) * 2654435761U + i;
}

static void check_slot(const u32 *slot, u32 seq)
{
	u32 want[SLOT_SIZE / sizeof(*slot)];

	fill(want, seq);
	if (memcmp(slot, want, sizeof(want)))
		FAIL("slot %u was read before it was written", seq);
}

static void send_requests(void *arg)
{
	struct pair *pair = arg;
	u32 slot[SLOT_SIZE / sizeof(u32)];
	u32 i;

	for (i = 0; i < added; i++) {
		fill(slot, i);
		ring_front_put(&pair->front, slot, SLOT_SIZE);
	}
	notified = ring_front_push(&pair->front);
}

static void send_responses(void *arg)
{
	struct pair *pair = arg;
	u32 slot[SLOT_SIZE / sizeof(u32)];
	u32 i;

	for (i = 0; i < added; i++) {
		fill(slot, i);
		ring_back_put(&pair->back, slot, SLOT_SIZE);
	}
	notified = ring_back_push(&pair->back);
}

static void await_requests(void *arg)
{
	struct pair *pair = arg;

	found = ring_back_arm(&pair->back, awaited);
}

static void await_responses(void *arg)
{
	struct pair *pair = arg;

	found = ring_front_arm(&pair->front, awaited);
}

static void receive_requests(void *arg)
{
	struct pair *pair = arg;
	u32 slot[SLOT_SIZE / sizeof(u32)];
	int i;

	found = ring_back_pending(&pair->back);
	for (i = 0; i < found; i++) {
		ring_back_get(&pair->back, slot, SLOT_SIZE);
		check_slot(slot, i);
	}
}

static void receive_responses(void *arg)
{
	struct pair *pair = arg;
	u32 slot[SLOT_SIZE / sizeof(u32)];
	int i;

	found = ring_front_pending(&pair->front);
	for (i = 0; i < found; i++) {
		ring_front_get(&pair->front, slot, SLOT_SIZE);
		check_slot(slot, i);
	}
}

/* The event comes, or the consumer knows that it will not. */
static void check_event(const struct pair *pair)
{
	(void)pair;
	CHECK(found >= 0);
	if (added >= awaited && !notified && (u32)found < awaited)
		FAIL("event lost: %u added, %u awaited", added, awaited);
	if (added < awaited && notified)
		FAIL("early event: %u added, %u awaited", added, awaited);
}

/* What was not received before is there afterwards. */
static void check_requests(const struct pair *pair)
{
	CHECK(found == 0 || found == (int)added);
	CHECK_EQ(ring_back_pending(&pair->back), added - found);
}

static void check_responses(const struct pair *pair)
{
	CHECK(found == 0 || found == (int)added);
	CHECK_EQ(ring_front_pending(&pair->front), added - found);
}

static bool race_once(const struct race *race, u32 start, unsigned int step)
{
	struct ring_shared *shared;
	struct pair pair;
	bool reached;

	shared = memory_share(sizeof(*shared) + 8 * SLOT_SIZE);
	connect(&pair, shared, 8, start);
	if (race->held) {
		pair.front.req_prod += race->held;
		ring_front_push(&pair.front);
		pair.back.req_cons += race->held;
	}
	notified = false;
	found = -1;
	reached = memory_interleave(race->outer, race->inner, &pair, step);
	race->check(&pair);
	return reached;
}

static void race(const void *arg)
{
	const struct race *race = arg;
	unsigned int step;
	u32 start;

	for (start = -2U; start != 1; start++)
		for (added = 1; added <= 3; added++)
			for (awaited = 1; awaited <= 4; awaited++) {
				step = 0;
				while (race_once(race, start, step))
					step++;
				CHECK(step >= 2);
			}
}

static const struct race races[] = {
	{ "final_check_race_request_into_arm", await_requests, send_requests,
	  check_event, 0 },
	{ "final_check_race_arm_into_request", send_requests, await_requests,
	  check_event, 0 },
	{ "final_check_race_response_into_arm", await_responses,
	  send_responses, check_event, 4 },
	{ "final_check_race_arm_into_response", send_responses,
	  await_responses, check_event, 4 },
	{ "slot_before_index_request_into_read", receive_requests,
	  send_requests, check_requests, 0 },
	{ "slot_before_index_read_into_request", send_requests,
	  receive_requests, check_requests, 0 },
	{ "slot_before_index_response_into_read", receive_responses,
	  send_responses, check_responses, 4 },
	{ "slot_before_index_read_into_response", send_responses,
	  receive_responses, check_responses, 4 },
};

/*
 * Real threads. An event is a counter, for which its owner spins: sleeping would
 * make for fewer races.
 */
#define THREAD_REQUESTS	300000U
#define THREAD_ENTRIES	4
#define EVENT_SECONDS	10

struct event {
	u32 count;
	u32 taken;
};

static struct event to_back, to_front;
static bool done;

static void event_send(struct event *event)
{
	__atomic_add_fetch(&event->count, 1, __ATOMIC_SEQ_CST);
}

static bool event_sent(struct event *event)
{
	u32 count = __atomic_load_n(&event->count, __ATOMIC_SEQ_CST);
	bool sent = count != event->taken;

	event->taken = count;
	return sent;
}

static void event_wait(struct event *event, const char *who)
{
	struct timespec now, end;
	unsigned int spins = 0;

	/* Of this thread, which spins: a loaded machine is no lost event. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	end.tv_sec += EVENT_SECONDS;
	while (!event_sent(event) && !__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		if (++spins % 256)
			continue;
		sched_yield();
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		if (now.tv_sec > end.tv_sec)
			FAIL("the %s waits for an event that was lost", who);
	}
}

static void *back_thread(void *arg)
{
	struct ring_back *back = arg;
	u32 slot[SLOT_SIZE / sizeof(u32)];
	u32 seq = 0;
	int i, n;

	while (seq < THREAD_REQUESTS) {
		n = ring_back_pending(back);
		if (!n)
			n = ring_back_arm(back, 1);
		if (n < 0)
			FAIL("bad request producer index");
		if (!n) {
			event_wait(&to_back, "backend");
			continue;
		}
		for (i = 0; i < n; i++, seq++) {
			ring_back_get(back, slot, SLOT_SIZE);
			check_slot(slot, seq);
			fill(slot, ~seq);
			ring_back_put(back, slot, SLOT_SIZE);
			/* Sometimes one by one, sometimes all at once. */
			if ((seq & 4) && ring_back_push(back))
				event_send(&to_front);
		}
		if (ring_back_push(back))
			event_send(&to_front);
	}
	return NULL;
}

static u32 take_responses(struct ring_front *front, u32 seq)
{
	u32 slot[SLOT_SIZE / sizeof(u32)];
	int n = ring_front_pending(front);

	if (n < 0)
		FAIL("bad response producer index");
	for (; n; n--, seq++) {
		ring_front_get(front, slot, SLOT_SIZE);
		check_slot(slot, ~seq);
	}
	return seq;
}

/* Wait for some of the responses that are due. */
static void await_some(struct ring_front *front, u32 due, u32 seq)
{
	u32 after = 1 + seq % due;

	if (ring_front_arm(front, after) < (int)after)
		event_wait(&to_front, "frontend");
}

static void front_thread(struct ring_front *front)
{
	u32 slot[SLOT_SIZE / sizeof(u32)];
	u32 sent = 0, answered = 0, room;

	while (answered < THREAD_REQUESTS) {
		/* Leave some unused at times, so that both sides run dry. */
		room = ring_front_free(front);
		if (sent & 8 && room)
			room = 1;
		for (; room && sent < THREAD_REQUESTS; room--, sent++) {
			fill(slot, sent);
			ring_front_put(front, slot, SLOT_SIZE);
		}
		if (ring_front_push(front))
			event_send(&to_back);
		await_some(front, sent - answered, sent);
		answered = take_responses(front, answered);
	}
}

static void threads(const void *arg)
{
	const u32 *start = arg;
	struct ring_shared *shared;
	struct pair pair;
	pthread_t thread;

	shared = aligned_alloc(64, sizeof(*shared) + THREAD_ENTRIES * SLOT_SIZE);
	CHECK(shared);
	memory_watched = false;
	connect(&pair, shared, THREAD_ENTRIES, *start);
	CHECK(!pthread_create(&thread, NULL, back_thread, &pair.back));
	front_thread(&pair.front);
	__atomic_store_n(&done, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	CHECK_EQ(shared->req_prod, *start + THREAD_REQUESTS);
	CHECK_EQ(shared->rsp_prod, *start + THREAD_REQUESTS);
	free(shared);
}

void order_tests(void)
{
	static const u32 zero, wrap = -(THREAD_REQUESTS / 2);
	unsigned int i;

	for (i = 0; i < sizeof(races) / sizeof(*races); i++)
		case_run("ring", races[i].name, race, &races[i]);
	case_run("ring", "threads", threads, &zero);
	case_run("ring", "threads_wrap_32bit", threads, &wrap);
}

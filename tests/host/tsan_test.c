// SPDX-License-Identifier: GPL-2.0
/*
 * The ring protocol with real threads under ThreadSanitizer, in the contexts that
 * ring.h allows: of the frontend one that writes requests and one that takes
 * responses, of the backend one that takes requests and one that writes responses.
 * Or one for each side. Every slot is read and written as plain memory.
 */
#include "ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tsan.h"

#define SLOT_SIZE	32
#define ENTRIES		4
#define REQUESTS	60000U
#define SECONDS		60

struct event {
	u32 count;
	u32 taken;
};

static struct ring_front front;
static struct ring_back back;
static struct event to_back, to_front;
static bool two_threads;
/* Requests that the backend has taken, for those that answer. */
static u32 taken;

static void fail(const char *why)
{
	printf("%s\n", why);
	fflush(stdout);
	_exit(1);
}

/* Events order nothing by themselves: that is the ring's task. */
static void send(struct event *event)
{
	__atomic_add_fetch(&event->count, 1, __ATOMIC_RELAXED);
}

static void await(struct event *event, const char *lost)
{
	time_t end = time(NULL) + SECONDS;
	u32 count;

	while ((count = __atomic_load_n(&event->count, __ATOMIC_RELAXED)) ==
	       event->taken) {
		sched_yield();
		if (time(NULL) > end)
			fail(lost);
	}
	event->taken = count;
}

static void fill(u32 *slot, u32 seq)
{
	unsigned int i;

	for (i = 0; i < SLOT_SIZE / sizeof(*slot); i++)
		slot[i] = seq * 2654435761U + i;
}

static void check(const u32 *slot, u32 seq)
{
	u32 want[SLOT_SIZE / sizeof(*slot)];

	fill(want, seq);
	if (memcmp(slot, want, sizeof(want)))
		fail("a slot was read before it was written");
}

static u32 write_requests(u32 sent)
{
	u32 slot[SLOT_SIZE / sizeof(u32)], room = ring_front_free(&front);

	/* Not always all, so that both sides run dry. */
	if (sent & 8 && room)
		room = 1;
	for (; room && sent < REQUESTS; room--, sent++) {
		fill(slot, sent);
		ring_front_put(&front, slot, SLOT_SIZE);
	}
	if (ring_front_push(&front))
		send(&to_back);
	return sent;
}

static u32 take_responses(u32 answered)
{
	u32 slot[SLOT_SIZE / sizeof(u32)];
	int n = ring_front_pending(&front);

	if (!n)
		n = ring_front_arm(&front, 1);
	if (n < 0)
		fail("an honest backend is taken for one that is not");
	if (!n)
		await(&to_front, "the frontend's event is lost");
	for (; n; n--, answered++) {
		ring_front_get(&front, slot, SLOT_SIZE);
		check(slot, ~answered);
	}
	return answered;
}

static void *request_thread(void *arg)
{
	u32 sent = 0;

	(void)arg;
	while (sent < REQUESTS) {
		sent = write_requests(sent);
		sched_yield();
	}
	return NULL;
}

static void *response_thread(void *arg)
{
	u32 answered = 0;

	(void)arg;
	while (answered < REQUESTS)
		answered = take_responses(answered);
	return NULL;
}

static void *front_thread(void *arg)
{
	u32 sent = 0, answered = 0;

	(void)arg;
	while (answered < REQUESTS) {
		sent = write_requests(sent);
		answered = take_responses(answered);
	}
	return NULL;
}

static u32 take_requests(u32 seq)
{
	u32 slot[SLOT_SIZE / sizeof(u32)];
	int n = ring_back_pending(&back);

	if (!n)
		n = ring_back_arm(&back, 1);
	if (n < 0)
		fail("an honest frontend is taken for one that is not");
	if (!n)
		await(&to_back, "the backend's event is lost");
	for (; n; n--, seq++) {
		ring_back_get(&back, slot, SLOT_SIZE);
		check(slot, seq);
		/* Who answers has the request from who took it. */
		__atomic_store_n(&taken, seq + 1, __ATOMIC_RELEASE);
	}
	return seq;
}

static u32 write_responses(u32 seq)
{
	u32 slot[SLOT_SIZE / sizeof(u32)];
	u32 end = __atomic_load_n(&taken, __ATOMIC_ACQUIRE);

	for (; seq != end; seq++) {
		fill(slot, ~seq);
		ring_back_put(&back, slot, SLOT_SIZE);
		if (seq & 4 && ring_back_push(&back))
			send(&to_front);
	}
	if (ring_back_push(&back))
		send(&to_front);
	return seq;
}

static void *take_thread(void *arg)
{
	u32 seq = 0;

	(void)arg;
	while (seq < REQUESTS)
		seq = take_requests(seq);
	return NULL;
}

static void *answer_thread(void *arg)
{
	u32 seq = 0;

	(void)arg;
	while (seq < REQUESTS) {
		seq = write_responses(seq);
		sched_yield();
	}
	return NULL;
}

static void *back_thread(void *arg)
{
	u32 seq = 0, answered = 0;

	(void)arg;
	while (seq < REQUESTS) {
		seq = take_requests(seq);
		answered = write_responses(answered);
	}
	return NULL;
}

/* Indices that begin before the wrap of 32 bits. */
static void connect(struct ring_shared *shared)
{
	size_t bytes = sizeof(*shared) + ENTRIES * SLOT_SIZE;
	u32 start = -(REQUESTS / 2);

	tsan_share(shared, sizeof(*shared));
	ring_front_init(&front, shared, bytes, SLOT_SIZE);
	front.req_prod = start;
	front.req_published = start;
	front.rsp_cons = start;
	ring_store(&shared->req_prod, start);
	ring_store(&shared->rsp_prod, start);
	ring_store(&shared->req_event, start + 1);
	ring_store(&shared->rsp_event, start + 1);
	if (ring_back_attach(&back, shared, bytes, SLOT_SIZE))
		fail("no ring");
}

int main(int argc, char **argv)
{
	void *(*run[4])(void *) = { request_thread, response_thread,
				    take_thread, answer_thread };
	pthread_t thread[4];
	int nr = 4, i;

	two_threads = argc > 1 && argv[1][0] == '2';
	if (two_threads) {
		run[0] = front_thread;
		run[1] = back_thread;
		nr = 2;
	}
	connect(aligned_alloc(64, sizeof(struct ring_shared) +
				  ENTRIES * SLOT_SIZE));
	for (i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, run[i], NULL))
			fail("no thread");
	for (i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	printf("ok tsan: %u requests, %d threads\n", REQUESTS, nr);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* The ring core, one side at a time and both sides in turn. */
#include "ring/ring.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "wire.h"

#define SLOT_SIZE	16

/* Indices around which everything must look the same. */
static const u32 starts[] = { 0, 1, 0x7fffffff, -8U, -3U, -1U };

#define FOR_EACH_START(s) \
	for (s = starts; s < starts + sizeof(starts) / sizeof(*starts); s++)

struct pair {
	struct ring_front front;
	struct ring_back back;
	struct ring_shared *shared;
};

/* What is in the shared page, for the test. */
static struct ring_shared *seen(const struct pair *pair)
{
	return memory_behind(pair->shared);
}

static size_t ring_bytes(u32 entries)
{
	return sizeof(struct ring_shared) + (size_t)entries * SLOT_SIZE;
}

/* A connected ring that has already carried @start requests, no event wanted. */
static void connect(struct pair *pair, u32 entries, u32 start)
{
	struct ring_shared *shared = memory_share(ring_bytes(entries));

	pair->shared = shared;
	ring_front_init(&pair->front, shared, ring_bytes(entries), SLOT_SIZE);
	pair->front.req_prod = start;
	pair->front.req_published = start;
	pair->front.rsp_cons = start;
	seen(pair)->req_prod = start;
	seen(pair)->rsp_prod = start;
	seen(pair)->req_event = start;
	seen(pair)->rsp_event = start;
	CHECK_EQ(ring_back_attach(&pair->back, shared, ring_bytes(entries),
				  SLOT_SIZE), 0);
}

static void put_req(struct pair *pair, u64 val)
{
	u64 req[2] = { val, ~val };

	ring_front_put(&pair->front, req, sizeof(req));
}

static u64 get_req(struct pair *pair)
{
	u64 req[2];

	ring_back_get(&pair->back, req, sizeof(req));
	CHECK(req[1] == ~req[0]);
	return req[0];
}

static void put_rsp(struct pair *pair, u64 val)
{
	ring_back_put(&pair->back, &val, sizeof(val));
}

static u64 get_rsp(struct pair *pair)
{
	u64 rsp;

	ring_front_get(&pair->front, &rsp, sizeof(rsp));
	return rsp;
}

static void entries_that_fit(const void *arg)
{
	const struct wire_layout *layout = arg;
	size_t head = sizeof(struct ring_shared);
	size_t slot = layout->slot_size;
	size_t bytes;

	for (bytes = 0; bytes < head + slot; bytes++)
		CHECK_EQ(ring_entries(bytes, slot), 0);
	CHECK_EQ(ring_entries(head + slot, slot), 1);
	CHECK_EQ(ring_entries(head + 2 * slot - 1, slot), 1);
	CHECK_EQ(ring_entries(head + 2 * slot, slot), 2);
	for (bytes = 4096; bytes <= 64 * 4096; bytes += 512)
		CHECK_EQ(ring_entries(bytes, slot), layout->entries(bytes));
	CHECK_EQ(ring_entries(4096, slot), 32);
}

static void layout_is_xens(const void *arg)
{
	const struct wire_layout *layout = arg;

	CHECK_EQ(offsetof(struct ring_shared, req_prod), layout->offset_req_prod);
	CHECK_EQ(offsetof(struct ring_shared, req_event),
		 layout->offset_req_event);
	CHECK_EQ(offsetof(struct ring_shared, rsp_prod), layout->offset_rsp_prod);
	CHECK_EQ(offsetof(struct ring_shared, rsp_event),
		 layout->offset_rsp_event);
	CHECK_EQ(offsetof(struct ring_shared, slots), layout->offset_slots);
}

/* The harness itself: what is not an accessor cannot touch the window. */
static void window_is_closed(const void *arg)
{
	volatile u32 *window = memory_share(4096);
	int status;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(*window);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void init_formats(const void *arg)
{
	struct ring_shared *shared = memory_share(ring_bytes(8));
	struct ring_shared *behind = memory_behind(shared);
	struct ring_front front;

	(void)arg;
	memset(&front, 0xff, sizeof(front));
	ring_front_init(&front, shared, ring_bytes(8), SLOT_SIZE);
	CHECK_EQ(behind->req_prod, 0);
	CHECK_EQ(behind->rsp_prod, 0);
	CHECK_EQ(behind->req_event, 1);
	CHECK_EQ(behind->rsp_event, 1);
	CHECK_EQ(front.entries, 8);
	CHECK_EQ(ring_front_free(&front), 8);
	CHECK_EQ(ring_front_pending(&front), 0);
}

static void empty(const void *arg)
{
	struct pair pair;
	const u32 *start;

	(void)arg;
	FOR_EACH_START(start) {
		connect(&pair, 4, *start);
		CHECK_EQ(ring_back_pending(&pair.back), 0);
		CHECK_EQ(ring_front_pending(&pair.front), 0);
		CHECK_EQ(ring_front_free(&pair.front), 4);
	}
}

static void push_nothing(const void *arg)
{
	struct pair pair;

	(void)arg;
	connect(&pair, 4, 5);
	seen(&pair)->req_event = 6;
	seen(&pair)->rsp_event = 6;
	memory_count(false);
	CHECK(!ring_front_push(&pair.front));
	CHECK(!ring_back_push(&pair.back));
	CHECK_EQ(memory_accesses(), 0);
}

static void one(const void *arg)
{
	struct pair pair;
	const u32 *start;

	(void)arg;
	FOR_EACH_START(start) {
		connect(&pair, 4, *start);
		put_req(&pair, 42);
		CHECK_EQ(ring_back_pending(&pair.back), 0);
		CHECK_EQ(ring_front_free(&pair.front), 3);

		ring_front_push(&pair.front);
		CHECK_EQ(ring_back_pending(&pair.back), 1);
		CHECK_EQ(get_req(&pair), 42);
		CHECK_EQ(ring_back_pending(&pair.back), 0);

		put_rsp(&pair, 43);
		CHECK_EQ(ring_front_pending(&pair.front), 0);
		ring_back_push(&pair.back);
		CHECK_EQ(ring_front_pending(&pair.front), 1);
		CHECK_EQ(ring_front_free(&pair.front), 3);
		CHECK_EQ(get_rsp(&pair), 43);
		CHECK_EQ(ring_front_pending(&pair.front), 0);
		CHECK_EQ(ring_front_free(&pair.front), 4);
	}
}

static void full_round(struct pair *pair, u32 entries, u64 seed)
{
	u32 i;

	for (i = 0; i < entries; i++) {
		CHECK_EQ(ring_front_free(&pair->front), entries - i);
		put_req(pair, seed + i);
	}
	CHECK_EQ(ring_front_free(&pair->front), 0);
	ring_front_push(&pair->front);

	CHECK_EQ(ring_back_pending(&pair->back), entries);
	for (i = 0; i < entries; i++)
		CHECK_EQ(get_req(pair), seed + i);
	CHECK_EQ(ring_back_pending(&pair->back), 0);

	/* Out of order, as disks answer. */
	for (i = entries; i; i--)
		put_rsp(pair, seed + i - 1);
	ring_back_push(&pair->back);
	CHECK_EQ(ring_front_free(&pair->front), 0);
	CHECK_EQ(ring_front_pending(&pair->front), entries);
	for (i = entries; i; i--)
		CHECK_EQ(get_rsp(pair), seed + i - 1);
}

static void full(const void *arg)
{
	struct pair pair;
	const u32 *start;
	u32 entries;

	(void)arg;
	FOR_EACH_START(start)
		for (entries = 1; entries <= 32; entries *= 2) {
			connect(&pair, entries, *start);
			full_round(&pair, entries, 1000);
		}
}

static void wrap_32bit(const void *arg)
{
	struct pair pair;
	u32 i;

	(void)arg;
	connect(&pair, 4, -11U);
	for (i = 0; i < 6; i++)
		full_round(&pair, 4, i * 100);
	CHECK_EQ(seen(&pair)->req_prod, 13);
	CHECK_EQ(seen(&pair)->rsp_prod, 13);
}

/*
 * Random work of both sides against a model that has 64-bit indices, on rings of
 * all small sizes, starting just before the wrap.
 */
static void both_sides_at_random(const void *arg)
{
	u64 req_put, req_pushed, req_got;
	u64 rsp_put, rsp_pushed, rsp_got;
	unsigned int seed = 1, step;
	struct pair pair;
	u32 entries;

	(void)arg;
	for (entries = 1; entries <= 8; entries *= 2) {
		connect(&pair, entries, -200U);
		req_put = 0;
		req_pushed = 0;
		req_got = 0;
		rsp_put = 0;
		rsp_pushed = 0;
		rsp_got = 0;
		for (step = 0; step < 20000; step++) {
			CHECK_EQ(ring_front_free(&pair.front),
				 entries - (req_put - rsp_got));
			CHECK_EQ(ring_back_pending(&pair.back),
				 req_pushed - req_got);
			CHECK_EQ(ring_front_pending(&pair.front),
				 rsp_pushed - rsp_got);
			switch (rand_r(&seed) % 6) {
			case 0:
				if (req_put - rsp_got < entries)
					put_req(&pair, req_put++);
				break;
			case 1:
				ring_front_push(&pair.front);
				req_pushed = req_put;
				break;
			case 2:
				if (req_got < req_pushed)
					CHECK_EQ(get_req(&pair), req_got++);
				break;
			case 3:
				if (rsp_put < req_got)
					put_rsp(&pair, rsp_put++);
				break;
			case 4:
				ring_back_push(&pair.back);
				rsp_pushed = rsp_put;
				break;
			default:
				if (rsp_got < rsp_pushed)
					CHECK_EQ(get_rsp(&pair), rsp_got++);
			}
		}
		CHECK(rsp_got > 400);
	}
}

static void slots_stay_apart(const void *arg)
{
	u8 want[8 * SLOT_SIZE], req[SLOT_SIZE];
	struct pair pair;
	u32 i;

	(void)arg;
	connect(&pair, 8, -3U);
	memset(want, 0x11, sizeof(want));
	memcpy(seen(&pair)->slots, want, sizeof(want));
	for (i = 0; i < 8; i++) {
		memset(req, 0x80 + i, sizeof(req));
		memcpy(want + ((i - 3U) & 7) * SLOT_SIZE, req, SLOT_SIZE - i);
		ring_front_put(&pair.front, req, SLOT_SIZE - i);
		CHECK(!memcmp(seen(&pair)->slots, want, sizeof(want)));
	}
	for (i = 0; i < 8; i++) {
		memset(req, 0x40 + i, sizeof(req));
		memcpy(want + ((i - 3U) & 7) * SLOT_SIZE, req, 1 + i);
		ring_back_put(&pair.back, req, 1 + i);
		CHECK(!memcmp(seen(&pair)->slots, want, sizeof(want)));
	}
}

/*
 * CVE-2010-4247, XSA-39: an index that claims more than the ring has room for made
 * a backend go round and round. Rule: it is an error. Failure: a number of
 * requests that the slots cannot hold; every_prod has all values near the edges.
 */
static void prod_ahead_of_size(const void *arg)
{
	struct pair pair;
	const u32 *start;

	(void)arg;
	FOR_EACH_START(start) {
		connect(&pair, 4, *start);
		seen(&pair)->req_prod = *start + 4;
		CHECK_EQ(ring_back_pending(&pair.back), 4);
		seen(&pair)->req_prod = *start + 5;
		CHECK_EQ(ring_back_pending(&pair.back), -EPROTO);
		CHECK_EQ(ring_back_arm(&pair.back, 1), -EPROTO);
		/* A response that was never asked for. */
		seen(&pair)->rsp_prod = *start + 1;
		CHECK_EQ(ring_front_pending(&pair.front), -EPROTO);
		CHECK_EQ(ring_front_arm(&pair.front, 1), -EPROTO);
	}
}

static void prod_backwards(const void *arg)
{
	struct pair pair;
	const u32 *start;

	(void)arg;
	FOR_EACH_START(start) {
		connect(&pair, 4, *start);
		put_req(&pair, 1);
		put_req(&pair, 2);
		ring_front_push(&pair.front);
		get_req(&pair);
		get_req(&pair);
		/* Still within the ring, but taken back. */
		seen(&pair)->req_prod = *start + 1;
		CHECK_EQ(ring_back_pending(&pair.back), -EPROTO);
		seen(&pair)->req_prod = *start - 1;
		CHECK_EQ(ring_back_pending(&pair.back), -EPROTO);

		put_rsp(&pair, 1);
		put_rsp(&pair, 2);
		ring_back_push(&pair.back);
		get_rsp(&pair);
		get_rsp(&pair);
		seen(&pair)->rsp_prod = *start + 1;
		CHECK_EQ(ring_front_pending(&pair.front), -EPROTO);
	}
}

/* Nothing is counted on that was not there when the batch began. */
static void prod_moves_during_batch(const void *arg)
{
	struct pair pair;
	int avail;

	(void)arg;
	connect(&pair, 8, 0);
	put_req(&pair, 1);
	put_req(&pair, 2);
	put_req(&pair, 3);
	ring_front_push(&pair.front);
	avail = ring_back_pending(&pair.back);
	CHECK_EQ(avail, 3);
	CHECK_EQ(get_req(&pair), 1);

	seen(&pair)->req_prod = 1000;
	CHECK_EQ(get_req(&pair), 2);
	CHECK_EQ(ring_back_pending(&pair.back), -EPROTO);
	seen(&pair)->req_prod = 1;
	CHECK_EQ(get_req(&pair), 3);
	CHECK_EQ(ring_back_pending(&pair.back), -EPROTO);
	seen(&pair)->req_prod = 4;
	CHECK_EQ(ring_back_pending(&pair.back), 1);
}

/* Producer indices near what is valid, and on the other side of the circle. */
static void check_back_prod(struct pair *pair, u32 entries, u32 answered,
			    u32 taken)
{
	u32 base = answered - 20, room = entries - (taken - answered);
	u32 prod, i;

	pair->back.rsp_prod = answered;
	pair->back.req_cons = taken;
	for (i = 0; i < 80; i++) {
		prod = base + (i & ~1U) / 2 + (i & 1) * 0x80000000;
		seen(pair)->req_prod = prod;
		CHECK_EQ(ring_back_pending(&pair->back),
			 prod - taken <= room ? (int)(prod - taken) : -EPROTO);
	}
}

static void check_front_prod(struct pair *pair, u32 taken, u32 published)
{
	u32 prod, i;

	pair->front.rsp_cons = taken;
	pair->front.req_published = published;
	pair->front.req_prod = published;
	for (i = 0; i < 80; i++) {
		prod = taken - 20 + (i & ~1U) / 2 + (i & 1) * 0x80000000;
		seen(pair)->rsp_prod = prod;
		CHECK_EQ(ring_front_pending(&pair->front),
			 prod - taken <= published - taken ?
			 (int)(prod - taken) : -EPROTO);
	}
}

static void every_prod(const void *arg)
{
	struct pair pair;
	const u32 *start;
	u32 entries, n;

	(void)arg;
	FOR_EACH_START(start)
		for (entries = 1; entries <= 8; entries *= 2) {
			connect(&pair, entries, *start);
			for (n = 0; n <= entries; n++) {
				check_back_prod(&pair, entries, *start,
						*start + n);
				check_front_prod(&pair, *start, *start + n);
			}
		}
}

/*
 * Requests that were not pushed cannot have been answered. XSA-376: frontends
 * took the backend's index for what it said. Failure: a response is pending.
 */
static void rsp_for_unpublished(const void *arg)
{
	struct pair pair;

	(void)arg;
	connect(&pair, 4, 7);
	put_req(&pair, 1);
	seen(&pair)->rsp_prod = 8;
	CHECK_EQ(ring_front_pending(&pair.front), -EPROTO);
	ring_front_push(&pair.front);
	CHECK_EQ(ring_front_pending(&pair.front), 1);
}

/* Whether the event index is one of those that a push publishes last. */
static bool crossed(u32 old, u32 n, u32 event)
{
	u32 i;

	for (i = 1; i <= n; i++)
		if (event == old + i)
			return true;
	return false;
}

/* Pure arithmetic: all batches that fit rings of 1 to 8, all events near them. */
static void notify_iff_crossed(const void *arg)
{
	const u32 *start;
	u32 old, n, event, i;

	(void)arg;
	FOR_EACH_START(start)
		for (old = *start - 10; old != *start + 10; old++)
			for (n = 1; n <= 8; n++)
				for (i = 0; i < 80; i++) {
					event = old - 20 + (i & ~1U) / 2 +
						(i & 1) * 0x80000000;
					CHECK_EQ(ring_event_crossed(old, old + n,
								    event),
						 crossed(old, n, event));
				}
}

static void push_one_batch(u32 entries, u32 start, u32 n, u32 event)
{
	struct pair pair;
	u32 i;

	connect(&pair, entries, start);
	for (i = 0; i < n; i++)
		put_req(&pair, i);
	seen(&pair)->req_event = event;
	CHECK_EQ(ring_front_push(&pair.front), crossed(start, n, event));

	for (i = 0; i < n; i++) {
		get_req(&pair);
		put_rsp(&pair, i);
	}
	seen(&pair)->rsp_event = event;
	CHECK_EQ(ring_back_push(&pair.back), crossed(start, n, event));
	CHECK(!ring_front_push(&pair.front));
	CHECK(!ring_back_push(&pair.back));
}

static void push_notifies_iff_crossed(const void *arg)
{
	u32 entries, start, n, event;

	(void)arg;
	for (entries = 1; entries <= 8; entries *= 2)
		for (start = -2U; start != 2; start++)
			for (n = 0; n <= entries; n++)
				for (event = start - 2;
				     event != start + entries + 3; event++)
					push_one_batch(entries, start, n, event);
}

static void event_equals_prod(const void *arg)
{
	(void)arg;
	/* What is there already needs no event; the last of a batch does. */
	CHECK(!ring_event_crossed(5, 8, 5));
	CHECK(ring_event_crossed(5, 8, 6));
	CHECK(ring_event_crossed(5, 8, 8));
	CHECK(!ring_event_crossed(5, 8, 9));
	CHECK(ring_event_crossed(-2U, 1, 1));
	CHECK(ring_event_crossed(-2U, 1, -1U));
	CHECK(!ring_event_crossed(-2U, 1, -2U));
}

/* An event index far away wakes nobody, and is no error. */
static void event_far(const void *arg)
{
	static const u32 far[] = { 1000, 0x7fffffff, 0x80000000, 0x80000001,
				   -1000U };
	struct pair pair;
	unsigned int i;

	(void)arg;
	for (i = 0; i < sizeof(far) / sizeof(*far); i++) {
		connect(&pair, 4, 3);
		seen(&pair)->req_event = 3 + far[i];
		seen(&pair)->rsp_event = 3 + far[i];
		put_req(&pair, 1);
		CHECK(!ring_front_push(&pair.front));
		get_req(&pair);
		put_rsp(&pair, 1);
		CHECK(!ring_back_push(&pair.back));
		CHECK_EQ(ring_front_pending(&pair.front), 1);
	}
}

static void arm_asks_for_the_nth(const void *arg)
{
	struct pair pair;
	const u32 *start;
	u32 after, n;

	(void)arg;
	FOR_EACH_START(start)
		for (after = 1; after <= 4; after++) {
			connect(&pair, 4, *start);
			CHECK_EQ(ring_back_arm(&pair.back, after), 0);
			CHECK_EQ(seen(&pair)->req_event, *start + after);
			CHECK_EQ(ring_front_arm(&pair.front, after), 0);
			CHECK_EQ(seen(&pair)->rsp_event, *start + after);
			for (n = 1; n <= 4; n++) {
				put_req(&pair, n);
				CHECK_EQ(ring_front_push(&pair.front),
					 n == after);
				get_req(&pair);
				put_rsp(&pair, n);
				CHECK_EQ(ring_back_push(&pair.back), n == after);
			}
			CHECK_EQ(ring_front_arm(&pair.front, 1), 4);
		}
}

/* What an event was asked for, until the frontend asks for the next. */
/* Whatever is answered then, also when an event had been asked for. */
static void disarm_asks_for_none(const void *arg)
{
	struct pair pair;
	const u32 *start;
	u32 n;

	(void)arg;
	FOR_EACH_START(start) {
		connect(&pair, 16, *start);
		for (n = 0; n < 5; n++)
			put_req(&pair, n);
		ring_front_push(&pair.front);
		for (n = 0; n < 5; n++)
			get_req(&pair);
		CHECK_EQ(ring_front_arm(&pair.front, 1), 0);
		ring_front_disarm(&pair.front);
		put_rsp(&pair, 1);
		CHECK(!ring_back_push(&pair.back));
		put_rsp(&pair, 2);
		put_rsp(&pair, 3);
		CHECK(!ring_back_push(&pair.back));

		/* And after it was armed again there is one. */
		CHECK_EQ(ring_front_arm(&pair.front, 4), 3);
		put_rsp(&pair, 4);
		CHECK(ring_back_push(&pair.back));
	}
}

static void waited_until_armed_beyond(const void *arg)
{
	struct pair pair;
	const u32 *start;

	(void)arg;
	FOR_EACH_START(start) {
		connect(&pair, 64, *start);
		put_req(&pair, 1);
		put_req(&pair, 2);
		ring_front_push(&pair.front);
		ring_front_arm(&pair.front, 1);
		CHECK(!ring_back_waited(&pair.back));
		put_rsp(&pair, 1);
		CHECK(ring_back_push(&pair.back));
		CHECK(ring_back_waited(&pair.back));
		put_rsp(&pair, 2);
		CHECK(!ring_back_push(&pair.back));
		CHECK(ring_back_waited(&pair.back));
		CHECK_EQ(ring_front_pending(&pair.front), 2);
		ring_front_skip(&pair.front, 2);
		ring_front_arm(&pair.front, 1);
		CHECK(!ring_back_waited(&pair.back));
	}
}

static void attach_to_nonzero_indices(const void *arg)
{
	struct pair pair;
	const u32 *start;
	u32 waiting, i;

	(void)arg;
	FOR_EACH_START(start)
		for (waiting = 0; waiting <= 4; waiting++) {
			connect(&pair, 4, *start);
			for (i = 0; i < waiting; i++)
				put_req(&pair, i);
			ring_front_push(&pair.front);

			/* Another backend takes over. */
			memset(&pair.back, 0xff, sizeof(pair.back));
			CHECK_EQ(ring_back_attach(&pair.back, pair.shared,
						  ring_bytes(4), SLOT_SIZE), 0);
			CHECK_EQ(ring_back_pending(&pair.back), waiting);
			for (i = 0; i < waiting; i++) {
				CHECK_EQ(get_req(&pair), i);
				put_rsp(&pair, i);
			}
			ring_back_push(&pair.back);
			CHECK_EQ(ring_front_pending(&pair.front), waiting);
		}
}

static void attach_writes_nothing(const void *arg)
{
	struct ring_shared *shared = memory_share(ring_bytes(4));
	struct ring_shared *behind = memory_behind(shared);
	struct ring_shared want;
	struct ring_back back;

	(void)arg;
	memset(behind, 0x5a, sizeof(*behind));
	behind->req_prod = behind->rsp_prod + 2;
	want = *behind;
	CHECK_EQ(ring_back_attach(&back, shared, ring_bytes(4), SLOT_SIZE), 0);
	CHECK(!memcmp(behind, &want, sizeof(want)));
}

static void attach_to_impossible(const void *arg)
{
	struct ring_shared *shared = memory_share(ring_bytes(4));
	struct ring_shared *behind = memory_behind(shared);
	struct ring_back back;
	const u32 *start;
	u32 i;

	(void)arg;
	FOR_EACH_START(start)
		for (i = 0; i < 40; i++) {
			behind->rsp_prod = *start;
			behind->req_prod = *start + i - 20;
			CHECK_EQ(ring_back_attach(&back, shared, ring_bytes(4),
						  SLOT_SIZE),
				 i - 20 <= 4 ? 0 : -EPROTO);
		}
}

static void attach_without_slots(const void *arg)
{
	struct ring_shared *shared = memory_share(ring_bytes(1));
	struct ring_back back;

	(void)arg;
	ring_store(&shared->req_prod, 1);
	CHECK_EQ(ring_back_attach(&back, shared, ring_bytes(1) - 1, SLOT_SIZE),
		 -EPROTO);
}

/*
 * Each byte of the peer is read once: a second look could see something else.
 * XSA-155: what had been checked in shared memory was fetched from there again, by
 * the driver or by what the compiler made of it. Failure: a byte is read twice.
 */
static void indices_are_read_once(const void *arg)
{
	struct ring_shared *shared;
	struct pair pair;

	(void)arg;
	connect(&pair, 4, 9);
	shared = pair.shared;
	memory_count(false);
	CHECK_EQ(ring_back_pending(&pair.back), 0);
	CHECK_EQ(memory_reads(&shared->req_prod, 4), 1);
	CHECK_EQ(ring_front_pending(&pair.front), 0);
	CHECK_EQ(memory_reads(&shared->rsp_prod, 4), 1);
	CHECK_EQ(memory_accesses(), 2);

	memory_count(false);
	ring_back_arm(&pair.back, 1);
	ring_front_arm(&pair.front, 1);
	CHECK_EQ(memory_reads(&shared->req_prod, 4), 1);
	CHECK_EQ(memory_reads(&shared->rsp_prod, 4), 1);
	CHECK_EQ(memory_accesses(), 4);

	put_req(&pair, 1);
	memory_count(false);
	ring_front_push(&pair.front);
	CHECK_EQ(memory_reads(&shared->req_event, 4), 1);
	CHECK_EQ(memory_accesses(), 2);

	get_req(&pair);
	put_rsp(&pair, 1);
	memory_count(false);
	ring_back_push(&pair.back);
	CHECK_EQ(memory_reads(&shared->rsp_event, 4), 1);
	CHECK_EQ(memory_accesses(), 2);

	memory_count(false);
	CHECK_EQ(ring_back_attach(&pair.back, shared, ring_bytes(4), SLOT_SIZE),
		 0);
	CHECK_EQ(memory_reads(&shared->req_prod, 4), 1);
	CHECK_EQ(memory_reads(&shared->rsp_prod, 4), 1);
	CHECK_EQ(memory_accesses(), 2);
}

/* With an index that changes as soon as it was read, what is returned is valid. */
static void hostile_prod(const void *arg)
{
	struct pair pair;
	const u32 *start;
	u32 n;

	(void)arg;
	FOR_EACH_START(start)
		for (n = 0; n <= 4; n++) {
			connect(&pair, 4, *start);
			seen(&pair)->req_prod = *start + n;
			memory_count(true);
			CHECK_EQ(ring_back_pending(&pair.back), n);

			pair.front.req_published = *start + 4;
			seen(&pair)->rsp_prod = *start + n;
			CHECK_EQ(ring_front_pending(&pair.front), n);
		}
}

/* XSA-155 again: with slots that change as soon as they were read. */
static void slots_are_read_once(const void *arg)
{
	u8 want[SLOT_SIZE], have[SLOT_SIZE];
	struct pair pair;
	u8 *slots;
	u32 i;

	(void)arg;
	connect(&pair, 4, 2);
	slots = pair.shared->slots;
	for (i = 0; i < SLOT_SIZE; i++)
		want[i] = 3 * i + 1;
	ring_front_put(&pair.front, want, SLOT_SIZE);
	ring_front_push(&pair.front);
	memory_count(true);
	ring_back_get(&pair.back, have, SLOT_SIZE);
	CHECK(!memcmp(have, want, SLOT_SIZE));
	CHECK_EQ(memory_reads(slots + 2 * SLOT_SIZE, SLOT_SIZE), 1);
	CHECK_EQ(memory_reads(slots, 2 * SLOT_SIZE), 0);
	CHECK_EQ(memory_reads(slots + 3 * SLOT_SIZE, SLOT_SIZE), 0);

	ring_back_put(&pair.back, want, SLOT_SIZE);
	memory_count(true);
	ring_front_get(&pair.front, have, 8);
	CHECK(!memcmp(have, want, 8));
	CHECK_EQ(memory_reads(slots + 2 * SLOT_SIZE, 8), 1);
	CHECK_EQ(memory_reads(slots + 2 * SLOT_SIZE + 8, SLOT_SIZE - 8), 0);
}

/* What was given back comes again, as the frontend has it by then. */
static void unget_leaves_the_last(const void *arg)
{
	const u32 *start;

	(void)arg;
	FOR_EACH_START(start) {
		struct pair pair;

		connect(&pair, 8, *start);
		put_req(&pair, 1);
		put_req(&pair, 2);
		put_req(&pair, 3);
		ring_front_push(&pair.front);
		CHECK_EQ(get_req(&pair), 1);
		CHECK_EQ(get_req(&pair), 2);
		CHECK_EQ(get_req(&pair), 3);
		ring_back_unget(&pair.back, 2);
		CHECK_EQ(ring_back_pending(&pair.back), 2);
		CHECK_EQ(ring_back_arm(&pair.back, 3), 2);
		CHECK_EQ(get_req(&pair), 2);
		CHECK_EQ(get_req(&pair), 3);
		CHECK_EQ(ring_back_pending(&pair.back), 0);
	}
}

#define RUN(name)	case_run("ring", #name, name, NULL)

void ring_tests(void)
{
	case_run("ring", "entries_64", entries_that_fit, &wire_64);
	case_run("ring", "entries_x86_32", entries_that_fit, &wire_32);
	case_run("ring", "layout_64", layout_is_xens, &wire_64);
	case_run("ring", "layout_x86_32", layout_is_xens, &wire_32);
	RUN(window_is_closed);
	RUN(init_formats);
	RUN(empty);
	RUN(push_nothing);
	RUN(one);
	RUN(full);
	RUN(wrap_32bit);
	RUN(both_sides_at_random);
	RUN(slots_stay_apart);
	RUN(prod_ahead_of_size);
	RUN(prod_backwards);
	RUN(prod_moves_during_batch);
	RUN(every_prod);
	RUN(rsp_for_unpublished);
	RUN(notify_iff_crossed);
	RUN(push_notifies_iff_crossed);
	RUN(event_equals_prod);
	RUN(event_far);
	RUN(arm_asks_for_the_nth);
	RUN(disarm_asks_for_none);
	RUN(waited_until_armed_beyond);
	RUN(unget_leaves_the_last);
	RUN(attach_to_nonzero_indices);
	RUN(attach_writes_nothing);
	RUN(attach_to_impossible);
	RUN(attach_without_slots);
	RUN(indices_are_read_once);
	RUN(hostile_prod);
	RUN(slots_are_read_once);
}

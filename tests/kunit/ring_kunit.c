// SPDX-License-Identifier: GPL-2.0
/* The ring core, with both ends in one place. */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/random.h>

#include "ring/ring.h"

#define SLOT	8
#define BYTES	4096

struct pair {
	struct ring_shared *shared;
	struct ring_front front;
	struct ring_back back;
};

static struct ring_shared *new_ring(struct kunit *test, u32 entries)
{
	size_t bytes = sizeof(struct ring_shared) + entries * SLOT;

	return kunit_kzalloc(test, bytes, GFP_KERNEL);
}

/* A ring whose indices stand at @start, on both sides. */
static void start_at(struct kunit *test, struct pair *p, u32 entries, u32 start)
{
	size_t bytes = sizeof(struct ring_shared) + entries * SLOT;

	p->shared = new_ring(test, entries);
	KUNIT_ASSERT_NOT_NULL(test, p->shared);
	ring_front_init(&p->front, p->shared, bytes, SLOT);
	p->shared->req_prod = start;
	p->shared->rsp_prod = start;
	p->shared->req_event = start + 1;
	p->shared->rsp_event = start + 1;
	p->front.req_prod = start;
	p->front.req_published = start;
	p->front.rsp_cons = start;
	KUNIT_ASSERT_EQ(test, ring_back_attach(&p->back, p->shared, bytes, SLOT), 0);
	KUNIT_ASSERT_EQ(test, p->back.entries, entries);
}

/* --- how many slots ------------------------------------------------------ */

static const struct size_row {
	const char *name;
	size_t bytes;
	size_t slot;
	u32 entries;
} size_rows[] = {
	{ "blk_1_page", 4096, 112, 32 },
	{ "blk_2_pages", 2 * 4096, 112, 64 },
	{ "blk_16_pages", 16 * 4096, 112, 512 },
	{ "blk_32bit_1_page", 4096, 108, 32 },
	{ "net_tx", 4096, 12, 256 },
	{ "net_rx", 4096, 8, 256 },
	{ "net_ctrl", 4096, 16, 128 },
	{ "nothing", 0, 112, 0 },
	{ "header_only", 64, 112, 0 },
	{ "one_short", 64 + 111, 112, 0 },
	{ "one", 64 + 112, 112, 1 },
	{ "three_are_two", 64 + 3 * 112, 112, 2 },
};
KUNIT_ARRAY_PARAM_DESC(size, size_rows, name);

static void entries(struct kunit *test)
{
	const struct size_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, ring_entries(row->bytes, row->slot), row->entries);
}

/* --- one slot, all slots, around the end --------------------------------- */

static const struct walk_row {
	const char *name;
	u32 entries;
	u32 start;
	u32 batch;
} walk_rows[] = {
	{ "one_of_one", 1, 0, 1 },
	{ "one_of_eight", 8, 0, 1 },
	{ "full", 8, 0, 8 },
	{ "uneven", 8, 0, 3 },
	{ "full_256", 256, 0, 256 },
	{ "wrap_slots", 8, 6, 5 },
	{ "wrap_32bit", 8, -3U, 8 },
	{ "wrap_32bit_one", 1, -2U, 1 },
	{ "wrap_sign", 8, 0x7ffffffd, 7 },
};
KUNIT_ARRAY_PARAM_DESC(walk, walk_rows, name);

static void send(struct kunit *test, struct pair *p, u32 nr, u64 *next)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		u64 req = (*next)++;

		KUNIT_ASSERT_GT(test, ring_front_free(&p->front), 0);
		ring_front_put(&p->front, &req, sizeof(req));
	}
	/* Nothing is seen before it is published. */
	KUNIT_ASSERT_EQ(test, ring_back_pending(&p->back), 0);
	ring_front_push(&p->front);
	KUNIT_ASSERT_EQ(test, ring_back_pending(&p->back), nr);
}

static void echo(struct kunit *test, struct pair *p, u32 nr, u64 first)
{
	u64 req, rsp;
	u32 i;

	for (i = 0; i < nr; i++) {
		ring_back_get(&p->back, &req, sizeof(req));
		KUNIT_ASSERT_EQ(test, req, first + i);
		rsp = ~req;
		ring_back_put(&p->back, &rsp, sizeof(rsp));
	}
	KUNIT_ASSERT_EQ(test, ring_front_pending(&p->front), 0);
	ring_back_push(&p->back);
	KUNIT_ASSERT_EQ(test, ring_front_pending(&p->front), nr);
}

static void walk(struct kunit *test)
{
	const struct walk_row *row = test->param_value;
	u64 next = 1000, first, rsp;
	struct pair p;
	u32 i, round;

	start_at(test, &p, row->entries, row->start);
	for (round = 0; round < 20; round++) {
		first = next;
		send(test, &p, row->batch, &next);
		KUNIT_ASSERT_EQ(test, ring_front_free(&p.front),
				row->entries - row->batch);
		echo(test, &p, row->batch, first);
		for (i = 0; i < row->batch; i++) {
			ring_front_peek(&p.front, row->batch - 1 - i, &rsp,
					sizeof(rsp));
			KUNIT_ASSERT_EQ(test, rsp, ~(first + row->batch - 1));
			ring_front_get(&p.front, &rsp, sizeof(rsp));
			KUNIT_ASSERT_EQ(test, rsp, ~(first + i));
		}
		KUNIT_ASSERT_EQ(test, ring_front_free(&p.front), row->entries);
	}
}

static void empty(struct kunit *test)
{
	struct pair p;

	start_at(test, &p, 8, 0);
	KUNIT_EXPECT_EQ(test, ring_back_pending(&p.back), 0);
	KUNIT_EXPECT_EQ(test, ring_front_pending(&p.front), 0);
	KUNIT_EXPECT_FALSE(test, ring_front_push(&p.front));
	KUNIT_EXPECT_FALSE(test, ring_back_push(&p.back));
	KUNIT_EXPECT_EQ(test, p.shared->req_prod, 0);
}

/* --- indices that a peer cannot have reached ----------------------------- */

static const struct index_row {
	const char *name;
	u32 start;
	u32 sent;	/* requests published by us or the peer */
	u32 consumed;	/* and taken */
	u32 answered;
	u32 prod;	/* what the peer writes, relative to start */
	int result;	/* -EPROTO, or how many are pending */
} back_rows[] = {
	{ "none", 0, 0, 0, 0, 0, 0 },
	{ "all", 0, 0, 0, 0, 8, 8 },
	{ "one_too_many", 0, 0, 0, 0, 9, -EPROTO },
	{ "huge", 0, 0, 0, 0, 0x80000000, -EPROTO },
	{ "backwards", 0, 0, 0, 0, -1U, -EPROTO },
	{ "backwards_later", 5, 4, 4, 4, 3, -EPROTO },
	{ "below_consumed", 5, 4, 4, 0, 3, -EPROTO },
	{ "over_unanswered", 0, 8, 8, 0, 9, -EPROTO },
	{ "over_partly_answered", 0, 8, 8, 3, 12, -EPROTO },
	{ "up_to_answered", 0, 8, 8, 3, 11, 3 },
	{ "wrap_32bit", -4U, 4, 4, 4, 12, 8 },
	{ "wrap_32bit_too_many", -4U, 4, 4, 4, 13, -EPROTO },
};
KUNIT_ARRAY_PARAM_DESC(back, back_rows, name);

static void back_index(struct kunit *test)
{
	const struct index_row *row = test->param_value;
	struct pair p;
	u64 slot;
	u32 i;

	start_at(test, &p, 8, row->start);
	p.shared->req_prod = row->start + row->sent;
	for (i = 0; i < row->consumed; i++)
		ring_back_get(&p.back, &slot, sizeof(slot));
	for (i = 0; i < row->answered; i++)
		ring_back_put(&p.back, &slot, sizeof(slot));
	p.shared->req_prod = row->start + row->prod;
	KUNIT_EXPECT_EQ(test, ring_back_pending(&p.back), row->result);
	KUNIT_EXPECT_EQ(test, ring_back_arm(&p.back, 1), row->result);
}

static const struct index_row front_rows[] = {
	{ "none", 0, 5, 0, 0, 0, 0 },
	{ "all", 0, 5, 0, 0, 5, 5 },
	{ "one_too_many", 0, 5, 0, 0, 6, -EPROTO },
	{ "none_sent", 0, 0, 0, 0, 1, -EPROTO },
	{ "backwards", 0, 5, 3, 0, 2, -EPROTO },
	{ "huge", 0, 5, 0, 0, 0x80000000, -EPROTO },
	{ "some_consumed", 0, 5, 3, 0, 5, 2 },
	{ "wrap_32bit", -2U, 8, 1, 0, 8, 7 },
	{ "wrap_32bit_too_many", -2U, 5, 1, 0, 6, -EPROTO },
};
KUNIT_ARRAY_PARAM_DESC(front, front_rows, name);

static void front_index(struct kunit *test)
{
	const struct index_row *row = test->param_value;
	struct pair p;
	u64 slot = 0;
	u32 i;

	start_at(test, &p, 8, row->start);
	for (i = 0; i < row->sent; i++)
		ring_front_put(&p.front, &slot, sizeof(slot));
	ring_front_push(&p.front);
	ring_front_skip(&p.front, row->consumed);
	p.shared->rsp_prod = row->start + row->prod;
	KUNIT_EXPECT_EQ(test, ring_front_pending(&p.front), row->result);
	KUNIT_EXPECT_EQ(test, ring_front_arm(&p.front, 1), row->result);
}

/* What was filled but not published is not there to be answered. */
static void answer_to_unpublished(struct kunit *test)
{
	struct pair p;
	u64 slot = 0;

	start_at(test, &p, 8, 0);
	ring_front_put(&p.front, &slot, sizeof(slot));
	p.shared->rsp_prod = 1;
	KUNIT_EXPECT_EQ(test, ring_front_pending(&p.front), -EPROTO);
}

/* --- attaching ----------------------------------------------------------- */

static const struct attach_row {
	const char *name;
	u32 req_prod;
	u32 rsp_prod;
	int result;
	int pending;
} attach_rows[] = {
	{ "new", 0, 0, 0, 0 },
	{ "waiting", 8, 0, 0, 8 },
	{ "nonzero_indices", 12345, 12345, 0, 0 },
	{ "nonzero_waiting", 12350, 12345, 0, 5 },
	{ "wrap_32bit", 3, -3U, 0, 6 },
	{ "too_many", 9, 0, -EPROTO, 0 },
	{ "backwards", 4, 5, -EPROTO, 0 },
};
KUNIT_ARRAY_PARAM_DESC(attach, attach_rows, name);

static void attach(struct kunit *test)
{
	const struct attach_row *row = test->param_value;
	struct ring_shared *shared = new_ring(test, 8);
	struct ring_shared before;
	struct ring_back back;

	shared->req_prod = row->req_prod;
	shared->rsp_prod = row->rsp_prod;
	shared->req_event = 77;
	memcpy(&before, shared, sizeof(before));
	KUNIT_EXPECT_EQ(test, ring_back_attach(&back, shared, sizeof(*shared) +
					       8 * SLOT, SLOT), row->result);
	/* The ring is another's: it is taken over as it is. */
	KUNIT_EXPECT_MEMEQ(test, &before, shared, sizeof(before));
	if (!row->result)
		KUNIT_EXPECT_EQ(test, ring_back_pending(&back), row->pending);
}

/* --- events -------------------------------------------------------------- */

static const u32 event_starts[] = { 0, 5, -4U, 0x7ffffffc };

static void event_desc(const u32 *start, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "from_%#x", *start);
}
KUNIT_ARRAY_PARAM(event, event_starts, event_desc);

/* For all small rings: an event iff the index asked for was passed. */
static void notify_iff_crossed(struct kunit *test)
{
	u32 start = *(const u32 *)test->param_value;
	u32 old, n, want, i;
	bool crossed;

	for (old = start; old != start + 8; old++) {
		for (n = 1; n <= 8; n++) {
			for (want = old - 8; want != old + 17; want++) {
				crossed = false;
				for (i = 1; i <= n; i++)
					crossed |= old + i == want;
				KUNIT_ASSERT_EQ(test, crossed,
						ring_event_crossed(old, old + n, want));
			}
		}
	}
}

/* The same through the rings, both ways. */
static void notify_both_ways(struct kunit *test)
{
	u32 start = *(const u32 *)test->param_value;
	u64 slot = 0;
	struct pair p;
	u32 n, after, i;

	for (n = 1; n <= 8; n++) {
		for (after = 1; after <= 9; after++) {
			start_at(test, &p, 8, start);
			KUNIT_ASSERT_EQ(test, ring_back_arm(&p.back, after), 0);
			for (i = 0; i < n; i++)
				ring_front_put(&p.front, &slot, sizeof(slot));
			KUNIT_ASSERT_EQ(test, ring_front_push(&p.front),
					after <= n);
			KUNIT_ASSERT_EQ(test, ring_front_arm(&p.front, after), 0);
			for (i = 0; i < n; i++) {
				ring_back_get(&p.back, &slot, sizeof(slot));
				ring_back_put(&p.back, &slot, sizeof(slot));
			}
			KUNIT_ASSERT_EQ(test, ring_back_push(&p.back),
					after <= n);
		}
	}
}

/* What comes between the last look and the arming is seen by the arming. */
static void final_check_race(struct kunit *test)
{
	struct pair p;
	u64 slot = 0;

	start_at(test, &p, 8, 0);
	KUNIT_EXPECT_EQ(test, ring_back_pending(&p.back), 0);
	p.shared->req_event = 0;
	ring_front_put(&p.front, &slot, sizeof(slot));
	KUNIT_EXPECT_FALSE(test, ring_front_push(&p.front));
	KUNIT_EXPECT_EQ(test, ring_back_arm(&p.back, 1), 1);

	ring_back_get(&p.back, &slot, sizeof(slot));
	KUNIT_EXPECT_EQ(test, ring_front_pending(&p.front), 0);
	p.shared->rsp_event = 0;
	ring_back_put(&p.back, &slot, sizeof(slot));
	KUNIT_EXPECT_FALSE(test, ring_back_push(&p.back));
	KUNIT_EXPECT_EQ(test, ring_front_arm(&p.front, 1), 1);
}

/* What the peer asks for, however odd, only decides about the event. */
static void event_far(struct kunit *test)
{
	static const u32 wants[] = { 0x80000000, -1U, 9, 1000 };
	struct pair p;
	u64 slot = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(wants); i++) {
		start_at(test, &p, 8, 0);
		p.shared->req_event = wants[i];
		ring_front_put(&p.front, &slot, sizeof(slot));
		KUNIT_EXPECT_FALSE(test, ring_front_push(&p.front));
		KUNIT_EXPECT_EQ(test, ring_back_pending(&p.back), 1);
	}
}

static void prod_moves_during_batch(struct kunit *test)
{
	struct pair p;
	u64 slot = 7;
	int n;

	start_at(test, &p, 8, 0);
	ring_front_put(&p.front, &slot, sizeof(slot));
	ring_front_push(&p.front);
	n = ring_back_pending(&p.back);
	slot = 8;
	ring_front_put(&p.front, &slot, sizeof(slot));
	ring_front_push(&p.front);
	KUNIT_ASSERT_EQ(test, n, 1);
	ring_back_get(&p.back, &slot, sizeof(slot));
	KUNIT_EXPECT_EQ(test, slot, 7);
	KUNIT_EXPECT_EQ(test, ring_back_pending(&p.back), 1);
	ring_back_get(&p.back, &slot, sizeof(slot));
	KUNIT_EXPECT_EQ(test, slot, 8);
	ring_back_unget(&p.back, 2);
	KUNIT_EXPECT_EQ(test, ring_back_pending(&p.back), 2);
}

/* No slot but the one meant is touched. */
static void neighbours(struct kunit *test)
{
	u64 ones = -1ULL, *slots;
	struct pair p;
	int i;

	start_at(test, &p, 8, 5);
	slots = (u64 *)p.shared->slots;
	ring_front_put(&p.front, &ones, 3);
	KUNIT_EXPECT_EQ(test, slots[5], 0xffffff);
	ring_back_put(&p.back, &ones, 8);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, slots[i], i == 5 ? ones : 0);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE_PARAM(entries, size_gen_params),
	KUNIT_CASE(empty),
	KUNIT_CASE_PARAM(walk, walk_gen_params),
	KUNIT_CASE_PARAM(back_index, back_gen_params),
	KUNIT_CASE_PARAM(front_index, front_gen_params),
	KUNIT_CASE(answer_to_unpublished),
	KUNIT_CASE_PARAM(attach, attach_gen_params),
	KUNIT_CASE_PARAM(notify_iff_crossed, event_gen_params),
	KUNIT_CASE_PARAM(notify_both_ways, event_gen_params),
	KUNIT_CASE(final_check_race),
	KUNIT_CASE(event_far),
	KUNIT_CASE(prod_moves_during_batch),
	KUNIT_CASE(neighbours),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "ring",
	.test_cases = ring_cases,
};
kunit_test_suite(ring_suite);

MODULE_DESCRIPTION("Tests of the ring core and the parsers");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* A backend's persistent mappings. */
#include "fake.h"

#include <linux/mm.h>
#include <linux/slab.h>

#include "grant/batch.h"
#include "grant/foreign.h"

#define FIRST	100

static struct foreign_table table;
static struct gnttab_page_cache cache;
static struct page *peer;

static int foreign_init(struct kunit *test)
{
	unsigned int i;

	fake_init(test);
	table = (struct foreign_table) { .max = 64 };
	gnttab_page_cache_init(&cache);
	peer = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, peer);
	for (i = 0; i < 600; i++)
		fake_peer_grant(FIRST + i, peer, false);
	return 0;
}

static void foreign_exit(struct kunit *test)
{
	foreign_purge(&table, &cache, 0);
	KUNIT_EXPECT_NULL(test, table.heads);
	KUNIT_EXPECT_EQ(test, table.nr, 0);
	__free_page(peer);
	fake_exit(test);
}

/* Add frames and map them in one go, as a backend does. */
static void map(struct kunit *test, grant_ref_t first, unsigned int nr)
{
	struct grant_map_batch *batch = kzalloc(sizeof(*batch), GFP_KERNEL);
	struct foreign_frame *frame;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, batch);
	for (i = 0; i < nr; i++) {
		frame = foreign_add(&table, &cache, first + i);
		KUNIT_EXPECT_NOT_NULL(test, frame);
		if (!frame)
			break;
		grant_map_add(batch, &(struct grant_map_frame) {
				.domid = FAKE_PEER,
				.ref = first + i,
				.page = frame->page,
			      }, &frame->handle, &frame->err);
	}
	grant_map_run(batch);
	kfree(batch);
}

static void lookup(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_NULL(test, foreign_lookup(&table, FIRST));
	map(test, FIRST, 64);
	for (i = 0; i < 64; i++) {
		KUNIT_ASSERT_NOT_NULL(test, foreign_lookup(&table, FIRST + i));
		KUNIT_EXPECT_EQ(test, foreign_lookup(&table, FIRST + i)->ref,
				FIRST + i);
	}
	KUNIT_EXPECT_NULL(test, foreign_lookup(&table, FIRST + 64));
	KUNIT_EXPECT_EQ(test, fake.hypercalls, 1);
}

static void full(struct kunit *test)
{
	map(test, FIRST, 64);
	KUNIT_EXPECT_NULL(test, foreign_add(&table, &cache, FIRST + 64));
	KUNIT_EXPECT_EQ(test, table.nr, 64);
}

static void add_sweep(struct kunit *test)
{
	struct foreign_frame *frame;
	unsigned int n, failed = 0;
	bool came = true;

	for (n = 1; came; n++) {
		fake_arm(FAKE_MEMORY, n);
		frame = foreign_add(&table, &cache, FIRST);
		came = fake_disarm(FAKE_MEMORY);
		if (!frame) {
			failed++;
			KUNIT_EXPECT_TRUE(test, came);
			KUNIT_EXPECT_EQ(test, table.nr, 0);
		} else {
			foreign_drop_failed(&table, &cache);
		}
		foreign_purge(&table, &cache, 0);
		KUNIT_EXPECT_NULL(test, table.heads);
		KUNIT_EXPECT_EQ(test, fake.cached_pages, 0);
	}
	/* There are three, of which some may be passed over, as in the pool's. */
	KUNIT_EXPECT_GE(test, failed, 1);
}

static void drops_what_failed(struct kunit *test)
{
	fake_peer_status(FIRST + 3, GNTST_bad_gntref, 0);
	fake_peer_status(FIRST + 5, GNTST_eagain, 0);
	map(test, FIRST, 8);
	KUNIT_EXPECT_EQ(test, foreign_lookup(&table, FIRST + 3)->err, -EFAULT);
	foreign_drop_failed(&table, &cache);
	KUNIT_EXPECT_EQ(test, table.nr, 6);
	KUNIT_EXPECT_NULL(test, foreign_lookup(&table, FIRST + 3));
	KUNIT_EXPECT_NULL(test, foreign_lookup(&table, FIRST + 5));
	KUNIT_EXPECT_EQ(test, fake.cached_pages, 6 + table.nr_run);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 6);
}

static const struct age_row {
	const char *name;
	u32 start;
	u32 limit;
	unsigned int left;
} age_rows[] = {
	{ "all", 0, 0, 0 },
	{ "unused_for_one", 0, 1, 2 },
	{ "unused_for_two", 0, 2, 4 },
	{ "unused_for_three", 0, 3, 8 },
	{ "wrap", -1U, 2, 4 },
};
KUNIT_ARRAY_PARAM_DESC(age, age_rows, name);

/* Eight frames; four are used a time later, two of those once more. */
static void purge(struct kunit *test)
{
	const struct age_row *row = test->param_value;
	unsigned int i;

	table.age = row->start;
	map(test, FIRST, 8);
	table.age++;
	for (i = 0; i < 4; i++)
		foreign_lookup(&table, FIRST + i);
	table.age++;
	for (i = 0; i < 2; i++)
		foreign_lookup(&table, FIRST + i);
	fake.hypercalls = 0;
	foreign_purge(&table, &cache, row->limit);
	KUNIT_EXPECT_EQ(test, table.nr, row->left);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), row->left);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, row->left < 8);
	for (i = 0; i < row->left; i++)
		KUNIT_EXPECT_NOT_NULL(test, foreign_lookup(&table, FIRST + i));
}

static void purge_large(struct kunit *test)
{
	table.max = 600;
	map(test, FIRST, 600);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 600);
	fake.hypercalls = 0;
	foreign_purge(&table, &cache, 0);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, 3);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
}

/* --- pieces -------------------------------------------------------------- */

/* Look frames up as a request does; returns how many follow the one before. */
static unsigned int follow(struct kunit *test, grant_ref_t first,
			   unsigned int nr, int step)
{
	struct foreign_frame *prev = NULL, *frame;
	unsigned int i, followed = 0;

	for (i = 0; i < nr; i++, prev = frame) {
		frame = foreign_after(&table, prev, first + i * step);
		KUNIT_ASSERT_NOT_NULL(test, frame);
		KUNIT_EXPECT_EQ(test, frame->ref, first + i * step);
		if (!prev || prev->next != frame)
			continue;
		KUNIT_EXPECT_PTR_EQ(test, frame->page, prev->page + 1);
		KUNIT_EXPECT_PTR_EQ(test, frame->prev, prev);
		followed++;
	}
	return followed;
}

/* Runs of 16 pages, each in one piece. */
static void follows(struct kunit *test)
{
	map(test, FIRST, 64);
	KUNIT_EXPECT_GE(test, follow(test, FIRST, 64, 1), 60);
	/* Found by way of the one before, a frame counts as used, too. */
	table.age++;
	follow(test, FIRST, 32, 1);
	foreign_purge(&table, &cache, 1);
	KUNIT_EXPECT_EQ(test, table.nr, 32);
	KUNIT_EXPECT_GE(test, follow(test, FIRST, 32, 1), 30);
}

static void follows_in_order_only(struct kunit *test)
{
	map(test, FIRST, 16);
	KUNIT_EXPECT_EQ(test, follow(test, FIRST + 15, 16, -1), 0);
	KUNIT_EXPECT_EQ(test, follow(test, FIRST, 8, 2), 0);
}

static void follows_not_if_scattered(struct kunit *test)
{
	fake.scattered = true;
	map(test, FIRST, 32);
	KUNIT_EXPECT_EQ(test, follow(test, FIRST, 32, 1), 0);
}

/* A frame that goes leaves no trace with those beside it. */
static void purge_in_between(struct kunit *test)
{
	unsigned int i;

	map(test, FIRST, 16);
	follow(test, FIRST, 16, 1);
	table.age++;
	for (i = 0; i < 16; i++)
		if (i != 5)
			foreign_lookup(&table, FIRST + i);
	foreign_purge(&table, &cache, 1);
	KUNIT_EXPECT_EQ(test, table.nr, 15);
	KUNIT_EXPECT_NULL(test, foreign_lookup(&table, FIRST + 4)->next);
	KUNIT_EXPECT_NULL(test, foreign_lookup(&table, FIRST + 6)->prev);
	map(test, FIRST + 5, 1);
	follow(test, FIRST, 16, 1);
}

/* Who sends a piece over a network may hold only its first page. */
static void purge_held(struct kunit *test)
{
	struct page *page;

	map(test, FIRST, 16);
	KUNIT_EXPECT_EQ(test, follow(test, FIRST, 16, 1), 15);
	page = foreign_lookup(&table, FIRST + 4)->page;
	get_page(page);
	foreign_purge(&table, &cache, 0);
	KUNIT_EXPECT_EQ(test, table.nr, 12);
	KUNIT_EXPECT_EQ(test, follow(test, FIRST + 4, 12, 1), 11);
	put_page(page);
	foreign_purge(&table, &cache, 0);
	KUNIT_EXPECT_EQ(test, table.nr, 0);
}

static struct kunit_case foreign_cases[] = {
	KUNIT_CASE(lookup),
	KUNIT_CASE(full),
	KUNIT_CASE(add_sweep),
	KUNIT_CASE(drops_what_failed),
	KUNIT_CASE_PARAM(purge, age_gen_params),
	KUNIT_CASE(purge_large),
	KUNIT_CASE(follows),
	KUNIT_CASE(follows_in_order_only),
	KUNIT_CASE(follows_not_if_scattered),
	KUNIT_CASE(purge_in_between),
	KUNIT_CASE(purge_held),
	{}
};

static struct kunit_suite foreign_suite = {
	.name = "foreign",
	.init = foreign_init,
	.exit = foreign_exit,
	.test_cases = foreign_cases,
};
kunit_test_suite(foreign_suite);

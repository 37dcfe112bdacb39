// SPDX-License-Identifier: GPL-2.0
/* Grant pools of frontends. */
#include "fake.h"

#include <linux/mm.h>

#include "grant/pool.h"

struct pool_test {
	spinlock_t lock;
	struct grant_budget budget;
	struct grant_pool pool;
};

static struct pool_test t;

static void make_pool(unsigned int floor, unsigned int ceiling)
{
	spin_lock_init(&t.lock);
	grant_budget_init(&t.budget);
	t.pool = (struct grant_pool) {
		.lock = &t.lock,
		.budget = &t.budget,
		.domid = FAKE_PEER,
		.floor = floor,
		.ceiling = ceiling,
	};
}

static bool take(bool pages, unsigned int nr, struct grant_list *list)
{
	bool ret;

	spin_lock_bh(&t.lock);
	ret = pages ? grant_pool_take_pages(&t.pool, nr, list) :
		      grant_pool_take_refs(&t.pool, nr, list);
	spin_unlock_bh(&t.lock);
	return ret;
}

static void put(bool pages, const struct grant_list *list)
{
	spin_lock_bh(&t.lock);
	if (pages)
		grant_pool_put_pages(&t.pool, list);
	else
		grant_pool_put_refs(&t.pool, list);
	spin_unlock_bh(&t.lock);
}

static void check_empty(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fake_grants_used(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.budget.used), 0);
}

static const struct size_row {
	const char *name;
	unsigned int floor;
	unsigned int pages;
} size_rows[] = {
	{ "nothing", 0, 0 },
	{ "one_ref", 1, 0 },
	{ "one_page", 1, 1 },
	{ "some_pages", 40, 32 },
	{ "all_pages", 300, 300 },
};
KUNIT_ARRAY_PARAM_DESC(size, size_rows, name);

static void init_destroy(struct kunit *test)
{
	const struct size_row *row = test->param_value;
	struct grant *g;

	make_pool(row->floor, 1000);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, row->pages), 0);
	KUNIT_EXPECT_EQ(test, t.pool.nr, row->floor);
	KUNIT_EXPECT_EQ(test, t.pool.pages.nr, row->pages);
	KUNIT_EXPECT_EQ(test, t.pool.refs.nr, row->floor - row->pages);
	KUNIT_EXPECT_EQ(test, fake_grants_used(), row->floor);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.budget.used), row->floor);
	for (g = t.pool.pages.top; g; g = g->next)
		KUNIT_EXPECT_PTR_EQ(test, fake_grant_page(g->ref), g->page);
	for (g = t.pool.refs.top; g; g = g->next)
		KUNIT_EXPECT_FALSE(test, fake_grant_active(g->ref));
	KUNIT_EXPECT_FALSE(test, grant_pool_excess(&t.pool));
	grant_pool_destroy(&t.pool);
	check_empty(test);
}

/* The Nth step of any kind fails: nothing is left, and the next try works. */
static const enum fake_kind kinds[] = { FAKE_MEMORY, FAKE_GRANT };

static void kind_desc(const enum fake_kind *kind, char *desc)
{
	strscpy(desc, fake_kind_names[*kind], KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

/*
 * A failed allocation may be one that the kernel's debugging makes, which does
 * without: then all goes well.
 */
static void init_sweep(struct kunit *test)
{
	enum fake_kind kind = *(const enum fake_kind *)test->param_value;
	unsigned int n, failed = 0;
	bool came = true;
	int ret;

	for (n = 1; came; n++) {
		make_pool(12, 100);
		fake_arm(kind, n);
		ret = grant_pool_init(&t.pool, 5);
		came = fake_disarm(kind);
		if (ret) {
			KUNIT_ASSERT_TRUE(test, came);
			KUNIT_ASSERT_TRUE(test, ret == -ENOMEM || ret == -ENOSPC);
			KUNIT_ASSERT_EQ(test, t.pool.nr, 0);
			failed++;
		} else {
			grant_pool_destroy(&t.pool);
		}
		check_empty(test);
	}
	/* Twelve references, each with a struct, and five pages. A kernel that
	 * looks for mistakes allocates, too, not always as often: some of ours
	 * may be passed over.
	 */
	KUNIT_EXPECT_GE(test, failed, 12);
}

static void grow_sweep(struct kunit *test)
{
	enum fake_kind kind = *(const enum fake_kind *)test->param_value;
	unsigned int n, failed = 0;
	struct grant_list list;
	bool came = true, got;

	for (n = 1; came; n++) {
		make_pool(2, 100);
		KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 1), 0);
		fake_arm(kind, n);
		got = take(true, 8, &list);
		came = fake_disarm(kind);
		/* What was added stays: another try needs less and succeeds. */
		if (!got) {
			KUNIT_ASSERT_TRUE(test, came);
			KUNIT_ASSERT_LT(test, t.pool.pages.nr, 8);
			KUNIT_ASSERT_EQ(test, fake_grants_used(), t.pool.nr);
			KUNIT_ASSERT_TRUE(test, take(true, 8, &list));
			failed++;
		}
		put(true, &list);
		grant_pool_destroy(&t.pool);
		check_empty(test);
	}
	/* One page and one more reference are there at first. */
	KUNIT_EXPECT_GE(test, failed, 6);
}

/* Large requests get pages that follow each other, in that order, again and again. */
static void runs(struct kunit *test)
{
	struct grant_list list;
	unsigned int i, round;
	struct grant *g;

	make_pool(2, 100);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 0), 0);
	for (round = 0; round < 2; round++) {
		KUNIT_ASSERT_TRUE(test, take(true, 16, &list));
		for (g = list.head, i = 1; i < 16; i++, g = g->next)
			KUNIT_EXPECT_PTR_EQ(test, g->next->page, g->page + 1);
		put(true, &list);
	}
	KUNIT_EXPECT_EQ(test, t.pool.nr, 16);
	grant_pool_destroy(&t.pool);
	check_empty(test);
}

/* Where there is no room for a run, single pages do. */
static void runs_no_room(struct kunit *test)
{
	struct grant_list list;

	make_pool(2, 12);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 0), 0);
	KUNIT_ASSERT_TRUE(test, take(true, 12, &list));
	put(true, &list);
	KUNIT_EXPECT_EQ(test, t.pool.nr, 12);
	grant_pool_destroy(&t.pool);
	check_empty(test);
}

/* The same few grants are used again: persistent backends have them mapped. */
static void lifo(struct kunit *test)
{
	struct grant_list a, b;
	grant_ref_t ref;

	make_pool(8, 100);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 8), 0);
	KUNIT_ASSERT_TRUE(test, take(true, 1, &a));
	ref = a.head->ref;
	put(true, &a);
	KUNIT_ASSERT_TRUE(test, take(true, 3, &b));
	KUNIT_EXPECT_EQ(test, b.head->ref, ref);
	KUNIT_EXPECT_EQ(test, b.nr, 3);
	KUNIT_EXPECT_PTR_EQ(test, b.head->next->next, b.tail);
	put(true, &b);
	grant_pool_destroy(&t.pool);
}

static void ceiling(struct kunit *test)
{
	struct grant_list list, more;

	make_pool(4, 10);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 0), 0);
	KUNIT_EXPECT_FALSE(test, take(false, 11, &list));
	KUNIT_EXPECT_EQ(test, t.pool.nr, 10);
	KUNIT_ASSERT_TRUE(test, take(false, 10, &list));
	KUNIT_EXPECT_FALSE(test, take(false, 1, &more));
	KUNIT_EXPECT_FALSE(test, take(true, 1, &more));
	put(false, &list);
	KUNIT_EXPECT_TRUE(test, take(false, 1, &more));
	put(false, &more);
	grant_pool_destroy(&t.pool);
}

/* Bare references are made of idle pages when there is no other way. */
static void strips_pages(struct kunit *test)
{
	struct grant_list list;

	make_pool(6, 6);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 6), 0);
	KUNIT_ASSERT_TRUE(test, take(false, 4, &list));
	KUNIT_EXPECT_EQ(test, t.pool.pages.nr, 2);
	KUNIT_EXPECT_FALSE(test, fake_grant_active(list.head->ref));
	KUNIT_EXPECT_NULL(test, list.head->page);
	put(false, &list);
	grant_pool_destroy(&t.pool);
}

static void strips_no_mapped_page(struct kunit *test)
{
	struct grant_list list;
	struct grant *g;

	make_pool(2, 2);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 2), 0);
	for (g = t.pool.pages.top; g; g = g->next)
		fake_grant_map(g->ref, true);
	KUNIT_EXPECT_FALSE(test, take(false, 1, &list));
	KUNIT_EXPECT_EQ(test, t.pool.pages.nr, 2);
	for (g = t.pool.pages.top; g; g = g->next) {
		KUNIT_EXPECT_TRUE(test, fake_grant_active(g->ref));
		fake_grant_map(g->ref, false);
	}
	grant_pool_destroy(&t.pool);
}

/* XSA-396: a page that the peer still maps is not freed under it. */
static void destroy_while_mapped(struct kunit *test)
{
	grant_ref_t ref;
	struct page *page;

	make_pool(3, 3);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 3), 0);
	ref = t.pool.pages.top->ref;
	page = t.pool.pages.top->page;
	get_page(page);
	fake_grant_map(ref, true);
	grant_pool_destroy(&t.pool);
	KUNIT_EXPECT_EQ(test, fake_grants_deferred(), 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	fake_grant_map(ref, false);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
	check_empty(test);
}

/* --- shrinking ----------------------------------------------------------- */

static void shrinks_what_was_idle(struct kunit *test)
{
	struct grant_list list;

	make_pool(4, 100);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 2), 0);
	KUNIT_ASSERT_TRUE(test, take(true, 20, &list));
	put(true, &list);
	KUNIT_EXPECT_TRUE(test, grant_pool_excess(&t.pool));
	/* All were used since the last time. */
	KUNIT_EXPECT_TRUE(test, grant_pool_shrink(&t.pool));
	KUNIT_EXPECT_GE(test, t.pool.nr, 20);
	/* Five still are. */
	KUNIT_ASSERT_TRUE(test, take(true, 5, &list));
	put(true, &list);
	KUNIT_EXPECT_TRUE(test, grant_pool_shrink(&t.pool));
	KUNIT_EXPECT_EQ(test, t.pool.pages.nr, 5);
	KUNIT_EXPECT_EQ(test, fake_grants_used(), t.pool.nr);
	KUNIT_EXPECT_FALSE(test, grant_pool_shrink(&t.pool));
	KUNIT_EXPECT_EQ(test, t.pool.nr, 4);
	KUNIT_EXPECT_EQ(test, fake_grants_used(), 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.budget.used), 4);
	grant_pool_destroy(&t.pool);
}

static void shrinks_nothing_mapped(struct kunit *test)
{
	struct grant_list list;
	struct grant *g;
	unsigned int i, nr;

	make_pool(1, 100);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 0), 0);
	KUNIT_ASSERT_TRUE(test, take(true, 16, &list));
	for (g = list.head, i = 0; i < 16; i++, g = g->next)
		fake_grant_map(g->ref, true);
	put(true, &list);
	nr = t.pool.nr;
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, grant_pool_shrink(&t.pool));
	KUNIT_EXPECT_EQ(test, t.pool.nr, nr);
	KUNIT_EXPECT_EQ(test, t.pool.pages.nr, 16);
	for (g = t.pool.pages.top; g; g = g->next)
		fake_grant_map(g->ref, false);
	grant_pool_shrink(&t.pool);
	KUNIT_EXPECT_FALSE(test, grant_pool_shrink(&t.pool));
	grant_pool_destroy(&t.pool);
}

static void never_below_floor(struct kunit *test)
{
	int i;

	make_pool(16, 100);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 8), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_FALSE(test, grant_pool_shrink(&t.pool));
	KUNIT_EXPECT_EQ(test, t.pool.nr, 16);
	grant_pool_destroy(&t.pool);
}

/* A holder that gives a reference away says so. */
static void lost(struct kunit *test)
{
	struct grant_list list;
	grant_ref_t ref;

	make_pool(2, 10);
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 0), 0);
	KUNIT_ASSERT_TRUE(test, take(false, 1, &list));
	ref = list.head->ref;
	spin_lock_bh(&t.lock);
	grant_pool_lost(&t.pool, list.head);
	spin_unlock_bh(&t.lock);
	KUNIT_EXPECT_EQ(test, t.pool.nr, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.budget.used), 1);
	gnttab_free_grant_reference(ref);
	grant_pool_destroy(&t.pool);
	check_empty(test);
}

/* --- budgets ------------------------------------------------------------- */

static void device_budget(struct kunit *test)
{
	struct grant_list list;
	unsigned int i;

	make_pool(1, 1000);
	t.budget.max = 5;
	KUNIT_ASSERT_EQ(test, grant_pool_init(&t.pool, 0), 0);
	KUNIT_EXPECT_FALSE(test, take(false, 6, &list));
	KUNIT_EXPECT_EQ(test, t.pool.nr, 5);
	KUNIT_EXPECT_EQ(test, grant_ref_alloc(&t.budget), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_FALSE(test, take(false, 6, &list));
	KUNIT_EXPECT_EQ(test, atomic_read(&t.budget.used), 5);
	grant_pool_destroy(&t.pool);
	check_empty(test);
}

/* All devices together leave some references for other drivers. */
static void domain_budget(struct kunit *test)
{
	struct grant_budget one, two;
	unsigned int nr = 0, i;
	grant_ref_t *refs;

	refs = kunit_kcalloc(test, 512, sizeof(*refs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, refs);
	fake.grant_frames = 1;
	grant_budget_init(&one);
	grant_budget_init(&two);
	one.max = 400;
	two.max = 400;
	for (; nr < 512; nr++) {
		refs[nr] = grant_ref_alloc(nr % 2 ? &one : &two);
		if (!refs[nr])
			break;
	}
	KUNIT_EXPECT_EQ(test, nr, 512 - 512 / 8);
	KUNIT_EXPECT_EQ(test, atomic_read(&one.used) + atomic_read(&two.used),
			nr);
	for (i = 0; i < nr; i++)
		grant_ref_free(i % 2 ? &one : &two, refs[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&one.used), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&two.used), 0);
	grant_ref_free(&one, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&one.used), 0);
}

static void bare_reference(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	grant_ref_t ref;

	KUNIT_ASSERT_NOT_NULL(test, page);
	grant_budget_init(&t.budget);
	fake_arm(FAKE_GRANT, 1);
	KUNIT_EXPECT_EQ(test, grant_ref_alloc(&t.budget), 0);
	KUNIT_EXPECT_TRUE(test, fake_disarm(FAKE_GRANT));
	KUNIT_EXPECT_EQ(test, atomic_read(&t.budget.used), 0);

	ref = grant_ref_alloc(&t.budget);
	KUNIT_ASSERT_NE(test, ref, 0);
	gnttab_page_grant_foreign_access_ref_one(ref, FAKE_PEER, page, 1);
	KUNIT_EXPECT_TRUE(test, fake_grant_readonly(ref));
	get_page(page);
	grant_ref_end(&t.budget, ref, page);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
	check_empty(test);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_PARAM(init_destroy, size_gen_params),
	KUNIT_CASE_PARAM(init_sweep, kind_gen_params),
	KUNIT_CASE_PARAM(grow_sweep, kind_gen_params),
	KUNIT_CASE(runs),
	KUNIT_CASE(runs_no_room),
	KUNIT_CASE(lifo),
	KUNIT_CASE(ceiling),
	KUNIT_CASE(strips_pages),
	KUNIT_CASE(strips_no_mapped_page),
	KUNIT_CASE(destroy_while_mapped),
	KUNIT_CASE(shrinks_what_was_idle),
	KUNIT_CASE(shrinks_nothing_mapped),
	KUNIT_CASE(never_below_floor),
	KUNIT_CASE(lost),
	KUNIT_CASE(device_budget),
	KUNIT_CASE(domain_budget),
	KUNIT_CASE(bare_reference),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "pool",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = pool_cases,
};
kunit_test_suite(pool_suite);

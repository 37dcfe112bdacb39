// SPDX-License-Identifier: GPL-2.0
/* Grant operations in batches, and what becomes of each one's result. */
#include "fake.h"

#include <linux/mm.h>

#include "grant/batch.h"

#define FRAMES		(2 * GRANT_BATCH_MAX + 8)
#define FIRST		100

struct batch_test {
	struct grant_copy_batch copy;
	struct grant_map_batch map;
	struct grant_unmap_batch unmap;
	struct gnttab_page_cache cache;
	struct page *peer;
	struct page *own;
	struct page *pages[FRAMES];
	grant_handle_t handle[FRAMES];
	int err[FRAMES];
};

static struct batch_test *t;

static int batch_init(struct kunit *test)
{
	unsigned int i;

	fake_init(test);
	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->peer = alloc_page(GFP_KERNEL | __GFP_ZERO);
	t->own = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_TRUE(test, t->peer && t->own);
	gnttab_page_cache_init(&t->cache);
	t->unmap.cache = &t->cache;
	for (i = 0; i < FRAMES; i++)
		fake_peer_grant(FIRST + i, t->peer, false);
	return 0;
}

static void batch_exit(struct kunit *test)
{
	__free_page(t->peer);
	__free_page(t->own);
	fake_exit(test);
}

static void add(unsigned int i, bool to_peer)
{
	const struct grant_copy_span span = {
		.domid = FAKE_PEER,
		.ref = FIRST + i,
		.page = t->own,
		.page_offset = 16,
		.ref_offset = 32,
		.len = 5,
		.to_peer = to_peer,
	};

	grant_copy_add(&t->copy, &span, &t->err[i]);
}

static void copies(struct kunit *test)
{
	char *own = page_address(t->own), *peer = page_address(t->peer);

	strcpy(own + 16, "hello");
	add(0, true);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, 0);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, 1);
	KUNIT_EXPECT_EQ(test, t->err[0], 0);
	KUNIT_EXPECT_STREQ(test, peer + 32, "hello");
	KUNIT_EXPECT_EQ(test, peer[31], 0);

	strcpy(peer + 32, "world");
	add(1, false);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_STREQ(test, own + 16, "world");
	/* Nothing to do is no hypercall. */
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, 2);
}

/* One hypercall for each batch, and each frame's result to its owner. */
static const struct count_row {
	const char *name;
	unsigned int nr;
	unsigned int hypercalls;
} count_rows[] = {
	{ "one", 1, 1 },
	{ "almost_full", GRANT_BATCH_MAX - 1, 1 },
	{ "full", GRANT_BATCH_MAX, 1 },
	{ "one_more", GRANT_BATCH_MAX + 1, 2 },
	{ "two_full", 2 * GRANT_BATCH_MAX, 2 },
	{ "three", 2 * GRANT_BATCH_MAX + 8, 3 },
};
KUNIT_ARRAY_PARAM_DESC(count, count_rows, name);

static void copy_count(struct kunit *test)
{
	const struct count_row *row = test->param_value;
	unsigned int i, bad = row->nr / 2;

	fake_peer_status(FIRST + bad, GNTST_bad_page, 0);
	for (i = 0; i < row->nr; i++)
		add(i, false);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, row->hypercalls);
	KUNIT_EXPECT_EQ(test, fake.ops, row->nr);
	for (i = 0; i < row->nr; i++)
		KUNIT_ASSERT_EQ(test, t->err[i], i == bad ? -EFAULT : 0);
}

static const struct status_row {
	const char *name;
	s16 status;
	unsigned int times;
	bool atomic;
	int copied;
	int mapped;
} status_rows[] = {
	{ "okay", GNTST_okay, 0, false, 0, 0 },
	{ "general_error", GNTST_general_error, 0, false, -EFAULT, -EFAULT },
	{ "bad_domain", GNTST_bad_domain, 0, false, -EFAULT, -EFAULT },
	{ "bad_gntref", GNTST_bad_gntref, 0, false, -EFAULT, -EFAULT },
	{ "bad_page", GNTST_bad_page, 0, false, -EFAULT, -EFAULT },
	{ "permission", GNTST_permission_denied, 0, false, -EFAULT, -EFAULT },
	{ "bad_copy_arg", GNTST_bad_copy_arg, 0, false, -EFAULT, -EFAULT },
	{ "address_too_big", GNTST_address_too_big, 0, false, -EFAULT, -EFAULT },
	{ "no_space", GNTST_no_space, 0, false, -ENOSPC, -ENOSPC },
	{ "no_device_space", GNTST_no_device_space, 0, false, -ENOSPC, -ENOSPC },
	{ "unknown_negative", -77, 0, false, -EFAULT, -EFAULT },
	{ "unknown_positive", 77, 0, false, -EFAULT, -EFAULT },
	/* Copies of frames that were paged out are tried again. */
	{ "eagain_once", GNTST_eagain, 1, false, 0, -EAGAIN },
	{ "eagain_thrice", GNTST_eagain, 3, false, 0, -EAGAIN },
	{ "eagain_then_bad", GNTST_eagain, 0, true, -EAGAIN, -EAGAIN },
	{ "eagain_atomic", GNTST_eagain, 1, true, -EAGAIN, -EAGAIN },
};
KUNIT_ARRAY_PARAM_DESC(status, status_rows, name);

static void copy_status(struct kunit *test)
{
	const struct status_row *row = test->param_value;

	t->copy.atomic = row->atomic;
	fake_peer_status(FIRST + 1, row->status, row->times);
	add(0, false);
	add(1, false);
	add(2, true);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, t->err[0], 0);
	KUNIT_EXPECT_EQ(test, t->err[1], row->copied);
	KUNIT_EXPECT_EQ(test, t->err[2], 0);
	KUNIT_EXPECT_EQ(test, t->copy.nr, 0);
	if (row->atomic)
		KUNIT_EXPECT_EQ(test, fake.hypercalls, 1);
}

/* A frame that never comes back does not keep anybody for ever. */
static void copy_eagain_for_ever(struct kunit *test)
{
	fake_peer_status(FIRST, GNTST_eagain, 0);
	add(0, false);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, t->err[0], -EAGAIN);
	KUNIT_EXPECT_LE(test, fake.hypercalls, 101);
}

static void copy_revoked(struct kunit *test)
{
	const struct grant_copy_span span = {
		.domid = FAKE_PEER, .ref = 5, .page = t->own, .len = 8,
	};

	grant_copy_add(&t->copy, &span, &t->err[0]);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, t->err[0], -EFAULT);
}

static void copy_to_readonly(struct kunit *test)
{
	fake_peer_grant(5, t->peer, true);
	struct grant_copy_span span = {
		.domid = FAKE_PEER, .ref = 5, .page = t->own, .len = 8,
		.to_peer = true,
	};

	grant_copy_add(&t->copy, &span, &t->err[0]);
	span.to_peer = false;
	grant_copy_add(&t->copy, &span, &t->err[1]);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, t->err[0], -EFAULT);
	KUNIT_EXPECT_EQ(test, t->err[1], 0);
}

/* The hypervisor refuses the call as a whole: no copy may seem done. */
static void copy_refused(struct kunit *test)
{
	fake.hypercall_ret = -EFAULT;
	add(0, true);
	add(1, false);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, t->err[0], -EFAULT);
	KUNIT_EXPECT_EQ(test, t->err[1], -EFAULT);
}

/* An error of before is not taken back by a success. */
static void copy_keeps_error(struct kunit *test)
{
	t->err[0] = -EIO;
	add(0, false);
	grant_copy_run(&t->copy);
	KUNIT_EXPECT_EQ(test, t->err[0], -EIO);
}

/* --- mappings ------------------------------------------------------------ */

static void map(struct kunit *test, unsigned int i)
{
	struct grant_map_frame frame = {
		.domid = FAKE_PEER,
		.ref = FIRST + i,
	};

	KUNIT_ASSERT_EQ(test, gnttab_page_cache_get(&t->cache, &t->pages[i]), 0);
	frame.page = t->pages[i];
	t->handle[i] = 12345;
	grant_map_add(&t->map, &frame, &t->handle[i], &t->err[i]);
}

static void unmap_all(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (t->handle[i] == INVALID_GRANT_HANDLE)
			gnttab_page_cache_put(&t->cache, &t->pages[i], 1);
		else
			grant_unmap_add(&t->unmap, t->pages[i], t->handle[i]);
	}
	grant_unmap_run(&t->unmap);
}

static void map_count(struct kunit *test)
{
	const struct count_row *row = test->param_value;
	unsigned int i, bad = row->nr / 2;

	fake_peer_status(FIRST + bad, GNTST_bad_gntref, 0);
	for (i = 0; i < row->nr; i++)
		map(test, i);
	grant_map_run(&t->map);
	KUNIT_EXPECT_EQ(test, fake.hypercalls, row->hypercalls);
	for (i = 0; i < row->nr; i++) {
		KUNIT_ASSERT_EQ(test, t->err[i], i == bad ? -EFAULT : 0);
		KUNIT_ASSERT_EQ(test, t->handle[i] == INVALID_GRANT_HANDLE,
				i == bad);
	}
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), row->nr - 1);

	fake.hypercalls = 0;
	unmap_all(row->nr);
	KUNIT_EXPECT_EQ(test, fake.hypercalls,
			DIV_ROUND_UP(row->nr - 1, GRANT_BATCH_MAX));
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	KUNIT_EXPECT_EQ(test, fake.cached_pages, 0);
}

static void map_status(struct kunit *test)
{
	const struct status_row *row = test->param_value;
	unsigned int i;

	fake_peer_status(FIRST + 1, row->status, row->times);
	for (i = 0; i < 3; i++)
		map(test, i);
	grant_map_run(&t->map);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, t->err[i], i == 1 ? row->mapped : 0);
		KUNIT_EXPECT_EQ(test, t->handle[i] == INVALID_GRANT_HANDLE,
				!!t->err[i]);
	}
	unmap_all(3);
}

/* The mapping of every frame in turn fails. */
static void map_fails_at_k(struct kunit *test)
{
	unsigned int i, k;

	for (k = 0; k <= 8; k++) {
		fake_arm(FAKE_GRANT, k + 1);
		memset(t->err, 0, sizeof(t->err));
		for (i = 0; i < 8; i++)
			map(test, i);
		grant_map_run(&t->map);
		KUNIT_EXPECT_EQ(test, fake_disarm(FAKE_GRANT), k < 8);
		for (i = 0; i < 8; i++)
			KUNIT_EXPECT_EQ(test, t->err[i], i == k ? -ENOSPC : 0);
		unmap_all(8);
		KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	}
}

static void map_refused(struct kunit *test)
{
	unsigned int i;

	fake.hypercall_ret = -EFAULT;
	for (i = 0; i < 2; i++)
		map(test, i);
	grant_map_run(&t->map);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, t->err[i], -EFAULT);
		KUNIT_EXPECT_EQ(test, t->handle[i], INVALID_GRANT_HANDLE);
	}
	fake.hypercall_ret = 0;
	unmap_all(2);
}

/* XSA-362: a page that is still mapped must not be used for anything else. */
static void unmap_refused(struct kunit *test)
{
	map(test, 0);
	grant_map_run(&t->map);
	fake.hypercall_ret = -EFAULT;
	unmap_all(1);
	KUNIT_EXPECT_EQ(test, fake.cached_pages, 1);
	KUNIT_EXPECT_EQ(test, t->unmap.nr, 0);
	fake.hypercall_ret = 0;
	unmap_all(1);
}

static struct kunit_case batch_cases[] = {
	KUNIT_CASE(copies),
	KUNIT_CASE_PARAM(copy_count, count_gen_params),
	KUNIT_CASE_PARAM(copy_status, status_gen_params),
	KUNIT_CASE(copy_eagain_for_ever),
	KUNIT_CASE(copy_revoked),
	KUNIT_CASE(copy_to_readonly),
	KUNIT_CASE(copy_refused),
	KUNIT_CASE(copy_keeps_error),
	KUNIT_CASE_PARAM(map_count, count_gen_params),
	KUNIT_CASE_PARAM(map_status, status_gen_params),
	KUNIT_CASE(map_fails_at_k),
	KUNIT_CASE(map_refused),
	KUNIT_CASE(unmap_refused),
	{}
};

static struct kunit_suite batch_suite = {
	.name = "batch",
	.init = batch_init,
	.exit = batch_exit,
	.test_cases = batch_cases,
};
kunit_test_suite(batch_suite);

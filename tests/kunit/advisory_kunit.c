// SPDX-License-Identifier: GPL-2.0
/*
 * What advisories are about and only a kernel shows: see tests/ADVISORIES.md.
 * Here, how block requests get their pages, whatever frames can be had of, and
 * how they end.
 */
#include "fake.h"

#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "blkback/blkback.h"
#include "netback/hash.h"

#define FIRST	100
#define FRAMES	24
#define BAD	(FIRST + FRAMES)	/* a reference to nothing */
#define SEGS	8

unsigned int blkback_copy_segments;
unsigned int blkback_persistent_unused_seconds;
unsigned int blkback_poll_us;
struct workqueue_struct *blkback_wq;
struct kmem_cache *blkback_req_cache;

static struct blkback_vbd *vbd;
static struct blkback_ring *ring;
static struct page *peer[FRAMES];
static bool scheduled, under_rcu;

/* Taken for the kernel's own. */
void __tasklet_schedule(struct tasklet_struct *tasklet)
{
	scheduled = true;
	under_rcu = rcu_read_lock_held();
	clear_bit(TASKLET_STATE_SCHED, &tasklet->state);
}

void blkback_submit(struct blkback_ring *r, struct list_head *batch)
{
}

static int transfer_init(struct kunit *test)
{
	unsigned int i;

	fake_init(test);
	blkback_copy_segments = 0;
	vbd = kunit_kzalloc(test, sizeof(*vbd), GFP_KERNEL);
	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vbd);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	vbd->dev = fake_device(test, "vbd", false, XenbusStateConnected);
	vbd->persistent = true;
	ring->vbd = vbd;
	ring->foreign.max = 1000;
	INIT_LIST_HEAD(&ring->pages);
	init_llist_head(&ring->late);
	gnttab_page_cache_init(&ring->cache);
	for (i = 0; i < FRAMES; i++) {
		peer[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, peer[i]);
		fake_peer_grant(FIRST + i, peer[i], false);
	}
	return 0;
}

static void transfer_exit(struct kunit *test)
{
	unsigned int i;

	blkback_purge(ring, 0);
	KUNIT_EXPECT_EQ(test, ring->foreign.nr, 0);
	for (i = 0; i < FRAMES; i++)
		__free_page(peer[i]);
	fake_device_free(vbd->dev);
	fake_exit(test);
}

static struct blkback_req *make_req(struct kunit *test, struct list_head *batch,
				    const grant_ref_t *refs, unsigned int nr)
{
	struct blkback_req *req = kunit_kzalloc(test, sizeof(*req), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, req);
	req->ring = ring;
	req->wire.op = BLKIF_OP_READ;
	req->wire.nr_segs = nr;
	req->vecs = req->inline_vecs;
	req->segs = req->inline_segs;
	for (i = 0; i < nr; i++)
		req->wire.seg[i].gref = refs[i];
	list_add_tail(&req->batch, batch);
	return req;
}

static void carry_out(struct list_head *batch)
{
	struct llist_node *done = NULL;
	struct blkback_req *req;

	blkback_transfer_in(ring, batch);
	list_for_each_entry(req, batch, batch) {
		req->done.next = done;
		done = &req->done;
	}
	blkback_transfer_out(ring, done);
}

/* Those of frames that stay mapped, and those for the next ones. */
static unsigned int pages_in_use(void)
{
	return ring->foreign.nr + ring->foreign.nr_run;
}

/*
 * XSA-361, XSA-365, XSA-371: a request whose frames can be mapped in part.
 * Bug: errors of a batch ignored; what had been mapped left mapped, or unmapped
 * and given back twice. Rule: each status is looked at, and exactly what was
 * had is given back. Failure: an error that the request does not have, a page
 * missing from the cache or too many in it, a frame still mapped.
 *
 * The table of persistent frames is full at any point of the request, and then
 * frames are mapped for it alone: the two ways must not give back the same page.
 */
static const struct room_row {
	const char *name;
	unsigned int room;
	bool persistent;
} room_rows[] = {
	{ "not_persistent", 0, false },
	{ "table_full", 0, true },
	{ "table_full_after_1", 1, true },
	{ "table_full_after_3", 3, true },
	{ "table_with_room", 100, true },
};
KUNIT_ARRAY_PARAM_DESC(room, room_rows, name);

static void xsa_371_nth_map_fails(struct kunit *test)
{
	static const grant_ref_t one[] = { 100, 101, 102, 103, 104, 105 };
	/* Some in common, one twice. */
	static const grant_ref_t two[] = { 104, 106, 100, 107, 107 };
	const struct room_row *row = test->param_value;
	struct blkback_req *first, *second;
	bool came = true;
	unsigned int n;

	vbd->persistent = row->persistent;
	ring->foreign.max = row->room;
	for (n = 1; came; n++) {
		LIST_HEAD(batch);

		first = make_req(test, &batch, one, ARRAY_SIZE(one));
		second = make_req(test, &batch, two, ARRAY_SIZE(two));
		fake_arm(FAKE_GRANT, n);
		carry_out(&batch);
		came = fake_disarm(FAKE_GRANT);
		KUNIT_ASSERT_EQ_MSG(test, came, first->err || second->err,
				    "mapping %u", n);
		KUNIT_ASSERT_EQ_MSG(test, fake.cached_pages, pages_in_use(),
				    "mapping %u", n);
		KUNIT_ASSERT_EQ_MSG(test, fake_peer_mapped(), ring->foreign.nr,
				    "mapping %u", n);
		blkback_purge(ring, 0);
		KUNIT_ASSERT_EQ(test, fake.cached_pages, 0);
		KUNIT_ASSERT_EQ(test, fake_peer_mapped(), 0);
	}
	KUNIT_EXPECT_GE(test, n, 8);
}

/* A bad reference at each place of a request. */
static void xsa_365_bad_reference(struct kunit *test)
{
	const struct room_row *row = test->param_value;
	grant_ref_t refs[SEGS];
	struct blkback_req *req;
	unsigned int at, i;

	vbd->persistent = row->persistent;
	ring->foreign.max = row->room;
	for (at = 0; at < SEGS; at++) {
		LIST_HEAD(batch);

		for (i = 0; i < SEGS; i++)
			refs[i] = i == at ? BAD : FIRST + i;
		req = make_req(test, &batch, refs, SEGS);
		carry_out(&batch);
		KUNIT_ASSERT_EQ_MSG(test, req->err, -EFAULT, "segment %u", at);
		KUNIT_ASSERT_EQ_MSG(test, fake.cached_pages, pages_in_use(),
				    "segment %u", at);
		blkback_purge(ring, 0);
		KUNIT_ASSERT_EQ(test, fake.cached_pages, 0);
	}
}

/*
 * XSA-155: the segments of an indirect request are in a frame that the guest
 * can write to. Bug: they were checked there, and then read again. Rule: one
 * private copy, which is all that is looked at. Failure: the copy follows what
 * the guest writes later.
 */
static void xsa_155_indirect(struct kunit *test)
{
	const struct room_row *row = test->param_value;
	struct blkif_request_segment *seg, *have;
	struct foreign_frame *frame;
	struct blkback_req *req;
	LIST_HEAD(batch);
	unsigned int i;

	vbd->persistent = row->persistent;
	ring->foreign.max = row->room;
	seg = page_address(peer[0]);
	for (i = 0; i < 200; i++)
		seg[i].gref = i;
	req = make_req(test, &batch, NULL, 0);
	req->wire.indirect = true;
	req->wire.indirect_ref = FIRST;
	req->wire.nr_segs = 200;

	blkback_fetch_segments(ring, &batch);
	KUNIT_ASSERT_EQ(test, req->err, 0);
	memset(seg, 0xff, PAGE_SIZE);
	/* The mapping is a copy here; the guest sees the frame itself. */
	frame = foreign_lookup(&ring->foreign, FIRST);
	if (frame)
		memset(page_address(frame->page), 0xff, PAGE_SIZE);
	have = page_address(req->desc);
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ(test, have[i].gref, i);
	req->wire.nr_segs = 0;
	carry_out(&batch);
	KUNIT_EXPECT_NULL(test, req->desc);
}

/*
 * A device below may still hold a page when the I/O has ended: a network that the
 * storage is reached by. Rule: such a page stays mapped, also when the guest leaves.
 * Failure: unmapped while somebody holds it.
 */
static void held_page_stays_mapped(struct kunit *test)
{
	static const grant_ref_t refs[] = { 100, 101 };
	struct blkback_req *req;
	LIST_HEAD(batch);
	struct page *page;

	req = make_req(test, &batch, refs, 2);
	carry_out(&batch);
	page = req->vecs[0].bv_page;
	get_page(page);
	blkback_purge(ring, 0);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 1);
	KUNIT_EXPECT_NOT_NULL(test, foreign_lookup(&ring->foreign, 100));
	put_page(page);
	blkback_purge(ring, 0);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
}

/*
 * XSA-229: frames that appear under pages which follow each other were one piece
 * for the block layer, and a device went on behind the first one's machine frame.
 * Rule: they are one piece only where the machine frames follow, too, and nothing
 * is left out between them. Failure: fewer pieces than frames.
 */
static const struct join_row {
	const char *name;
	bool scattered;
	unsigned int skip;	/* bytes left out of each frame but the last */
	bool first;		/* the first time, when nothing is known yet */
	bool joined;
} join_rows[] = {
	{ "in_the_machine", false, 0, false, true },
	{ "first_time", false, 0, true, false },
	{ "scattered", true, 0, false, false },
	{ "with_gaps", false, 512, false, false },
};
KUNIT_ARRAY_PARAM_DESC(join, join_rows, name);

static struct blkback_req *read_frames(struct kunit *test, unsigned int skip)
{
	static const grant_ref_t refs[] = {
		FIRST, FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4, FIRST + 5,
	};
	struct blkback_req *req;
	LIST_HEAD(batch);
	unsigned int i;

	req = make_req(test, &batch, refs, ARRAY_SIZE(refs));
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		req->wire.seg[i].last_sect = 7 - skip / 512;
	carry_out(&batch);
	return req;
}

static void xsa_229_frames_not_merged(struct kunit *test)
{
	const struct join_row *row = test->param_value;
	struct blkback_req *req;
	unsigned int i, len = 0;

	vbd->persistent = true;
	ring->foreign.max = 100;
	fake.scattered = row->scattered;
	req = read_frames(test, row->skip);
	if (!row->first)
		req = read_frames(test, row->skip);
	KUNIT_EXPECT_EQ(test, req->nr_vecs, row->joined ? 1 : 6);
	for (i = 0; i < req->nr_vecs; i++)
		len += req->vecs[i].bv_len;
	KUNIT_EXPECT_EQ(test, len, 6 * (PAGE_SIZE - row->skip));
}

/*
 * XSA-300: a guest that makes a backend map more and more. Rule: mappings that
 * stay have a limit; others are undone when the request has ended. Failure: more
 * pages are out of the cache than the limit.
 */
static void xsa_300_frames_are_limited(struct kunit *test)
{
	grant_ref_t ref;

	ring->foreign.max = 4;
	for (ref = FIRST; ref < FIRST + FRAMES; ref++) {
		LIST_HEAD(batch);

		make_req(test, &batch, &ref, 1);
		carry_out(&batch);
		KUNIT_EXPECT_LE(test, fake.cached_pages, 4);
		KUNIT_EXPECT_LE(test, fake_peer_mapped(), 4);
	}
	KUNIT_EXPECT_EQ(test, ring->foreign.nr, 4);
}

/*
 * XSA-350: a ring that goes away while it is used. Bug: whoever ended the last
 * request looked at the ring after that, when a frontend that had disconnected
 * meanwhile had it freed. Rule: what happens after a request was given to those
 * who answer it happens under RCU, which disconnecting waits for. Failure: the
 * tasklet of the ring is scheduled outside of RCU; on real rings, rarely, a use
 * after free.
 */
static void xsa_350_end_of_io(struct kunit *test)
{
	LIST_HEAD(batch);
	struct blkback_req *req = make_req(test, &batch, NULL, 0);

	init_llist_head(&ring->done);
	atomic_set(&ring->inflight, 1);
	tasklet_setup(&ring->flush, blkback_flush);
	scheduled = false;
	blkback_done(req);
	KUNIT_EXPECT_TRUE(test, scheduled);
	KUNIT_EXPECT_TRUE(test, under_rcu);
	KUNIT_EXPECT_EQ(test, atomic_read(&ring->inflight), 0);
}

static struct kunit_case transfer_cases[] = {
	KUNIT_CASE_PARAM(xsa_371_nth_map_fails, room_gen_params),
	KUNIT_CASE_PARAM(xsa_365_bad_reference, room_gen_params),
	KUNIT_CASE_PARAM(xsa_155_indirect, room_gen_params),
	KUNIT_CASE(held_page_stays_mapped),
	KUNIT_CASE_PARAM(xsa_229_frames_not_merged, join_gen_params),
	KUNIT_CASE(xsa_300_frames_are_limited),
	KUNIT_CASE(xsa_350_end_of_io),
	{}
};

static struct kunit_suite transfer_suite = {
	.name = "advisory_blkback",
	.init = transfer_init,
	.exit = transfer_exit,
	.test_cases = transfer_cases,
};

/*
 * XSA-270: a table of queues that a guest writes. Bug: offset plus length
 * overflowed, and queues were not checked. Rule: bounds in a form that cannot
 * overflow, each entry below the number of queues, before anything changes.
 * Failure: success for what is out of bounds; KASAN sees the rest.
 */
static void xsa_270_map_bounds(struct kunit *test)
{
	static const u32 values[] = {
		0, 1, 2, 63, 64, 65, 127, 128, 129, 0x7fffffff, 0x80000000,
		0xffffff80, 0xffffffc0, 0xffffffff,
	};
	struct netback_hash hash = {};
	u32 map[NETBACK_HASH_MAP_MAX] = {};
	unsigned int size, i, k;
	u32 status;

	for (size = 0; size <= NETBACK_HASH_MAP_MAX; size += 64) {
		KUNIT_ASSERT_EQ(test, netback_hash_set_map_size(&hash, size), 0);
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			for (k = 0; k < ARRAY_SIZE(values); k++) {
				status = netback_hash_check_map(&hash, values[i],
								values[k]);
				KUNIT_ASSERT_EQ_MSG(test, !status,
						    (u64)values[i] + values[k] <= size,
						    "%u entries at %u of %u",
						    values[i], values[k], size);
				if (!status)
					KUNIT_EXPECT_EQ(test, netback_hash_set_map(&hash, map, values[i], values[k], 1), 0);
			}
		}
	}
	KUNIT_EXPECT_NE(test, netback_hash_set_map_size(&hash, NETBACK_HASH_MAP_MAX + 1), 0);
	KUNIT_EXPECT_NE(test, netback_hash_set_map_size(&hash, ~0U), 0);

	map[NETBACK_HASH_MAP_MAX - 1] = 2;
	KUNIT_EXPECT_EQ(test, netback_hash_set_map(&hash, map, NETBACK_HASH_MAP_MAX, 0, 3), 0);
	KUNIT_EXPECT_NE(test, netback_hash_set_map(&hash, map, NETBACK_HASH_MAP_MAX, 0, 2), 0);
	KUNIT_EXPECT_NE(test, netback_hash_set_map(&hash, map, NETBACK_HASH_MAP_MAX, 0, 0), 0);
	netback_hash_clear(&hash);
}

/*
 * No advisory, but what one would be about: a frontend that connects again and
 * again fills the log of dom0. Rule: what frontends are blamed for has a limit, and
 * whether it is said or not the device closes; the limit of one guest is not that of
 * another. Failure: a line for each, or none for the other.
 */
static void frontends_cannot_fill_the_log(struct kunit *test)
{
	struct xenbus_device *xdev, *other;
	unsigned int i, said;

	fake_init(test);
	xdev = fake_device(test, "vif", false, XenbusStateConnected);
	for (i = 0; i < 1000; i++) {
		frontend_error(xdev, -EINVAL, "key=%u", i);
		xdev->state = XenbusStateConnected;
		frontend_fatal(xdev, -EINVAL, "key=%u", i);
		KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateClosing);
	}
	said = fake.errors + fake.fatals;
	KUNIT_EXPECT_GT(test, said, 0);
	KUNIT_EXPECT_LE(test, said, 200);

	other = fake_device(test, "vif", false, XenbusStateConnected);
	other->otherend_id = xdev->otherend_id + 1;
	frontend_error(other, -EINVAL, "key=%u", i);
	KUNIT_EXPECT_EQ(test, fake.errors + fake.fatals, said + 1);
	fake_device_free(other);
	fake_device_free(xdev);
	fake_exit(test);
}

static struct kunit_case hash_cases[] = {
	KUNIT_CASE(frontends_cannot_fill_the_log),
	KUNIT_CASE(xsa_270_map_bounds),
	{}
};

static struct kunit_suite hash_suite = {
	.name = "advisory_netback",
	.test_cases = hash_cases,
};

kunit_test_suites(&transfer_suite, &hash_suite);

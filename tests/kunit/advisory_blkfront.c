// SPDX-License-Identifier: GPL-2.0
/* Advisories about the block frontend: see tests/ADVISORIES.md. */
#include "fake.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <xen/page.h>

#include "blkfront/blkfront.h"

#define SECRET	0xa5
#define DATA	0x11

static struct xenbus_device *xdev;
static struct blkfront *info;
static bool ended;

static void backend_state(enum xenbus_state state)
{
	fake_xs_set(xdev->otherend, "state", "%u", state);
	fake_driver->otherend_changed(xdev, state);
	fake_work_run();
}

static void connect(struct kunit *test, bool trusted, bool persistent,
		    const char *sectors)
{
	xdev = fake_device(test, "vbd", true, XenbusStateInitWait);
	fake_xs_set(xdev->nodename, "virtual-device", "51712");
	fake_xs_set(xdev->nodename, "device-type", "disk");
	fake_xs_set(xdev->nodename, "trusted", "%u", trusted);
	fake_xs_set(xdev->otherend, "online", "1");
	fake_xs_set(xdev->otherend, "sectors", "0");
	fake_xs_set(xdev->otherend, "info", "0");
	fake_xs_set(xdev->otherend, "sector-size", "512");
	fake_xs_set(xdev->otherend, "feature-persistent", "%u", persistent);
	KUNIT_ASSERT_EQ(test, fake_driver->probe(xdev, &fake_driver->ids[0]), 0);
	info = dev_get_drvdata(&xdev->dev);
	backend_state(XenbusStateInitWait);
	backend_state(XenbusStateConnected);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateConnected);
	fake_xs_set(xdev->otherend, "sectors", "%s", sectors);
	backend_state(XenbusStateConnected);
}

static void disconnect(void)
{
	fake_driver->remove(xdev);
	fake_device_free(xdev);
}

static void end_io(struct bio *bio)
{
	ended = true;
	bio_put(bio);
}

/* What the backend finds in the ring, and how it answers. */
static void take(struct kunit *test, struct ring_back *back,
		 struct blkif_request *req)
{
	struct blkfront_ring *ring = &info->rings[0];

	KUNIT_ASSERT_EQ(test, ring_back_attach(back, ring->shared,
					       ring->nr_pages * PAGE_SIZE,
					       BLK_SLOT_SIZE_64), 0);
	KUNIT_ASSERT_EQ(test, ring_back_pending(back), 1);
	ring_back_get(back, req, sizeof(*req));
}

static void answer(struct ring_back *back, const struct blkif_request *req)
{
	struct blk_64_response rsp = {
		.id = req->u.rw.id,
		.operation = req->operation,
	};

	ring_back_put(back, &rsp, sizeof(rsp));
	ring_back_push(back);
	fake_event_raise(fake_event(info->rings[0].ec.irq));
}

static const struct sight_row {
	const char *name;
	bool trusted;
	bool persistent;
	enum req_op op;
	unsigned int offset;
	unsigned int len;
	bool own_page;		/* the backend sees the page of the I/O */
} sight_rows[] = {
	{ "trusted", true, false, REQ_OP_WRITE, 1024, 512, true },
	{ "untrusted_write", false, false, REQ_OP_WRITE, 1024, 512, false },
	{ "untrusted_read", false, false, REQ_OP_READ, 1024, 512, false },
	{ "untrusted_end", false, false, REQ_OP_WRITE, 512, 3584, false },
	{ "untrusted_whole", false, false, REQ_OP_WRITE, 0, 4096, true },
	{ "untrusted_persistent", false, true, REQ_OP_WRITE, 1024, 512, false },
};
KUNIT_ARRAY_PARAM_DESC(sight, sight_rows, name);

/*
 * XSA-403: a grant is of a whole page, also of what lies beside the data. Bug:
 * pages of I/O were granted whatever else was in them, and own pages without
 * being cleared. Rule: with trusted=0 a page that is not all data is not granted;
 * what is, holds the data and zeroes. Failure: the backend sees SECRET.
 */
static void xsa_403_neighbours(struct kunit *test)
{
	const struct sight_row *row = test->param_value;
	struct page *page = alloc_page(GFP_KERNEL);
	struct blkif_request req;
	struct ring_back back;
	struct page *seen;
	struct bio *bio;
	u8 *bytes;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	memset(page_address(page), SECRET, PAGE_SIZE);
	memset(page_address(page) + row->offset, DATA, row->len);
	connect(test, row->trusted, row->persistent, "2048");
	bio = bio_alloc(info->disk->part0, 1, row->op, GFP_KERNEL);
	__bio_add_page(bio, page, row->len, row->offset);
	bio->bi_end_io = end_io;
	ended = false;
	submit_bio(bio);

	take(test, &back, &req);
	seen = fake_grant_page(req.u.rw.seg[0].gref);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_EQ(test, seen == page, row->own_page);
	bytes = page_address(seen);
	for (i = 0; i < PAGE_SIZE && !row->trusted; i++)
		if (bytes[i] == SECRET)
			break;
	if (!row->trusted)
		KUNIT_EXPECT_EQ_MSG(test, i, PAGE_SIZE, "byte %d of the page", i);
	answer(&back, &req);
	KUNIT_EXPECT_TRUE(test, ended);
	disconnect();
	__free_page(page);
}

static struct kunit_case advisory_cases[] = {
	KUNIT_CASE_PARAM(xsa_403_neighbours, sight_gen_params),
	{}
};

static struct kunit_suite advisory_suite = {
	.name = "advisory_blkfront",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = advisory_cases,
};
kunit_test_suite(advisory_suite);

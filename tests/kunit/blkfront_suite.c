// SPDX-License-Identifier: GPL-2.0
/* The block frontend from probe to remove, with a backend made of the test. */
#include "fake.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <xen/page.h>

#include "blkfront/blkfront.h"

#define SECTORS		2048

static struct xenbus_device *xdev;
static struct blkfront *info;

static void make_device(struct kunit *test)
{
	xdev = fake_device(test, "vbd", true, XenbusStateInitWait);
	fake_xs_set(xdev->nodename, "virtual-device", "51712");
	fake_xs_set(xdev->nodename, "device-type", "disk");
	fake_xs_set(xdev->otherend, "online", "1");
	/* Of an earlier owner. */
	fake_xs_set(xdev->nodename, "ring-ref7", "1");
	fake_xs_set(xdev->nodename, "queue-5/ring-ref", "1");
	/* With nothing on it, nobody looks for partitions. */
	fake_xs_set(xdev->otherend, "sectors", "0");
	fake_xs_set(xdev->otherend, "info", "0");
	fake_xs_set(xdev->otherend, "sector-size", "512");
	fake_xs_set(xdev->otherend, "max-ring-page-order", "1");
	fake_xs_set(xdev->otherend, "feature-max-indirect-segments", "32");
}

static int probe(void)
{
	int ret = fake_driver->probe(xdev, &fake_driver->ids[0]);

	info = ret ? NULL : dev_get_drvdata(&xdev->dev);
	return ret;
}

static void remove(void)
{
	if (info)
		fake_driver->remove(xdev);
	info = NULL;
	fake_device_free(xdev);
}

static void connect(struct kunit *test)
{
	make_device(test);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_peer_state(xdev, XenbusStateInitWait);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateInitialised);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateConnected);
}

/* --- connecting ---------------------------------------------------------- */

static void keys(struct kunit *test)
{
	connect(test);
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "ring-page-order"), "1");
	KUNIT_EXPECT_NOT_NULL(test, fake_xs_get(xdev->nodename, "ring-ref0"));
	KUNIT_EXPECT_NOT_NULL(test, fake_xs_get(xdev->nodename, "ring-ref1"));
	KUNIT_EXPECT_NOT_NULL(test, fake_xs_get(xdev->nodename, "event-channel"));
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "protocol"),
			   "x86_64-abi");
	/* What an earlier owner has left would mislead. */
	KUNIT_EXPECT_NULL(test, fake_xs_get(xdev->nodename, "ring-ref7"));
	KUNIT_EXPECT_NULL(test, fake_xs_get(xdev->nodename, "queue-5/ring-ref"));
	KUNIT_EXPECT_EQ(test, info->nr_rings, 1);
	KUNIT_EXPECT_EQ(test, info->segs, 32);
	KUNIT_EXPECT_STREQ(test, info->disk->disk_name, "xvda");
	remove();
	fake_nothing_left(test);
}

/*
 * The toolstack has taken the disk away, and has made another of the same name
 * before the bus has looked. Once is enough, however many changes tell of it.
 */
static void made_anew(struct kunit *test)
{
	connect(test);
	fake_frontend_anew(test, xdev);
	fake_xs_set(xdev->nodename, "virtual-device", "51728");
	fake_driver->otherend_changed(xdev, XenbusStateInitialising);
	fake_peer_state(xdev, XenbusStateInitWait);

	info = dev_get_drvdata(&xdev->dev);
	fake_peer_state(xdev, XenbusStateInitWait);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitialised);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	KUNIT_ASSERT_NOT_NULL(test, info->disk);
	KUNIT_EXPECT_STREQ(test, info->disk->disk_name, "xvdb");
	remove();
	fake_nothing_left(test);
}

static void transaction_conflicts(struct kunit *test)
{
	fake.conflicts = 3;
	connect(test);
	KUNIT_EXPECT_EQ(test, fake.conflicts, 0);
	remove();
}

/* Values that a backend may write; and what becomes of them. */
static const struct key_row {
	const char *name;
	const char *key;
	const char *value;
	bool connects;
	unsigned int segs;
	unsigned int rings;
	unsigned int order;
	unsigned int granularity;
} key_rows[] = {
	{ "segs_missing", "feature-max-indirect-segments", NULL, true, 11, 1, 1, 512 },
	{ "segs_0", "feature-max-indirect-segments", "0", true, 11, 1, 1, 512 },
	{ "segs_huge", "feature-max-indirect-segments", "4294967295", true, 256, 1, 1, 512 },
	{ "segs_negative", "feature-max-indirect-segments", "-1", true, 11, 1, 1, 512 },
	{ "segs_text", "feature-max-indirect-segments", "many", true, 11, 1, 1, 512 },
	{ "order_huge", "max-ring-page-order", "4294967295", true, 32, 1, 4, 512 },
	{ "order_text", "max-ring-page-order", "x", true, 32, 1, 0, 512 },
	{ "queues_0", "multi-queue-max-queues", "0", true, 32, 1, 1, 512 },
	{ "sectors_missing", "sectors", NULL, false },
	{ "sectors_text", "sectors", "large", false },
	{ "info_missing", "info", NULL, false },
	{ "sector_size_missing", "sector-size", NULL, false },
	{ "sector_size_0", "sector-size", "0", false },
	{ "sector_size_513", "sector-size", "513", false },
	{ "sector_size_256", "sector-size", "256", false },
	{ "sector_size_64k", "sector-size", "65536", false },
	{ "sector_size_huge", "sector-size", "2147483648", false },
	{ "physical_odd", "physical-sector-size", "777", true, 32, 1, 1, 512 },
	{ "granularity_odd", "discard-granularity", "777", true, 32, 1, 1, 512 },
	{ "granularity_0", "discard-granularity", "0", true, 32, 1, 1, 512 },
	{ "granularity_4k", "discard-granularity", "4096", true, 32, 1, 1, 4096 },
	{ "granularity_huge", "discard-granularity", "4294967295", true, 32, 1, 1, 512 },
};
KUNIT_ARRAY_PARAM_DESC(key, key_rows, name);

static void feature_key(struct kunit *test)
{
	const struct key_row *row = test->param_value;

	make_device(test);
	fake_xs_put(xdev->otherend, row->key, row->value);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_peer_state(xdev, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state == XenbusStateConnected,
			row->connects);
	if (row->connects) {
		KUNIT_EXPECT_EQ(test, info->segs, row->segs);
		KUNIT_EXPECT_EQ(test, info->nr_rings, row->rings);
		KUNIT_EXPECT_EQ(test, info->ring_order, row->order);
		KUNIT_EXPECT_EQ(test, info->discard_granularity,
				row->granularity);
		KUNIT_EXPECT_GE(test, info->physical_sector_size, 512);
	} else {
		KUNIT_EXPECT_EQ(test, fake.fatals, 1);
		KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);
	}
	remove();
	fake_nothing_left(test);
}

/* --- failures ------------------------------------------------------------ */

static int probed;

static void try_probe(struct kunit *test)
{
	probed = probe();
}

static void after_probe(struct kunit *test, bool failed)
{
	if (!failed)
		KUNIT_EXPECT_EQ(test, probed, 0);
	remove();
}

static void probe_sweep(struct kunit *test)
{
	static const struct fake_sweep sweep = {
		make_device, try_probe, after_probe
	};

	fake_sweep(test, &sweep);
}

static void make_probed(struct kunit *test)
{
	make_device(test);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_xs_set(xdev->otherend, "state", "%u", XenbusStateInitWait);
}

static void try_connect(struct kunit *test)
{
	blkfront_state_work(&info->work.work);
	if (xdev->state != XenbusStateInitialised)
		return;
	fake_xs_set(xdev->otherend, "state", "%u", XenbusStateConnected);
	blkfront_state_work(&info->work.work);
}

static void after_connect(struct kunit *test, bool failed)
{
	if (!failed)
		KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	remove();
}

/* Whatever fails on the way to a disk, remove finds its way back. */
static void connect_sweep(struct kunit *test)
{
	static const struct fake_sweep sweep = {
		make_probed, try_connect, after_connect
	};

	/* Every kind is needed to connect. */
	KUNIT_EXPECT_GT(test, fake_sweep(test, &sweep), 0);
}

/* --- states -------------------------------------------------------------- */

FAKE_STATE_PARAMS(XenbusStateInitialising, XenbusStateInitialised,
		  XenbusStateConnected)

/* Where a backend's state takes us, by the protocol. */
static enum xenbus_state expected(const struct fake_states *row)
{
	switch (row->peer) {
	case XenbusStateUnknown:
	case XenbusStateClosed:
		/* Nobody is there: wait for the next, or give up. */
		return row->online ? XenbusStateInitialising :
				     XenbusStateClosed;
	case XenbusStateClosing:
		return XenbusStateClosed;
	case XenbusStateConnected:
		return row->ours == XenbusStateInitialising ?
		       XenbusStateClosed : XenbusStateConnected;
	case XenbusStateInitialising:
		if (row->ours != XenbusStateConnected)
			return row->ours;
		return row->online ? XenbusStateInitialising :
				     XenbusStateClosed;
	case XenbusStateInitWait:
		if (row->ours == XenbusStateConnected && !row->online)
			return XenbusStateClosed;
		return XenbusStateInitialised;
	default:
		return row->ours;
	}
}

static void state(struct kunit *test)
{
	const struct fake_states *row = test->param_value;

	make_device(test);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	if (row->ours >= XenbusStateInitialised)
		fake_peer_state(xdev, XenbusStateInitWait);
	if (row->ours == XenbusStateConnected)
		fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_ASSERT_EQ(test, xdev->state, row->ours);

	fake_xs_set(xdev->otherend, "online", "%u", row->online);
	fake_peer_state(xdev, row->peer);
	KUNIT_EXPECT_EQ(test, xdev->state, expected(row));
	KUNIT_EXPECT_EQ(test, fake.fatals, 0);
	/* Told the same again, nothing else happens. */
	fake_peer_state(xdev, row->peer);
	KUNIT_EXPECT_EQ(test, xdev->state, expected(row));
	remove();
	fake_nothing_left(test);
}

/* --- responses ----------------------------------------------------------- */

static blk_status_t io_status;
static bool io_done;

static void io_end(struct bio *bio)
{
	io_status = bio->bi_status;
	io_done = true;
	bio_put(bio);
}

/* Read the first page of the disk. */
static void send_read(struct page *page, sector_t sector, bio_end_io_t *end)
{
	struct bio *bio = bio_alloc(info->disk->part0, 1, REQ_OP_READ,
				    GFP_KERNEL);

	__bio_add_page(bio, page, PAGE_SIZE, 0);
	bio->bi_iter.bi_sector = sector;
	bio->bi_end_io = end;
	submit_bio(bio);
}

static void submit_read(struct kunit *test, struct page *page)
{
	io_done = false;
	send_read(page, 0, io_end);
	KUNIT_ASSERT_FALSE(test, io_done);
}

static const struct response_row {
	const char *name;
	bool persistent;
	bool mapped;		/* answered with the page still mapped */
	s16 status;
	u64 id_off;
	u8 op;
	u32 prod;		/* responses claimed */
	enum blkfront_offence offence;
	blk_status_t result;
} response_rows[] = {
	{ "okay", false, false, 0, 0, 0, 1, BLKFRONT_OK, BLK_STS_OK },
	{ "okay_persistent", true, false, 0, 0, 0, 1, BLKFRONT_OK, BLK_STS_OK },
	{ "indirect_echoed", false, false, 0, 0, BLKIF_OP_INDIRECT, 1, BLKFRONT_OK, BLK_STS_OK },
	{ "error", false, false, BLKIF_RSP_ERROR, 0, 0, 1, BLKFRONT_OK, BLK_STS_IOERR },
	{ "not_supported", false, false, BLKIF_RSP_EOPNOTSUPP, 0, 0, 1, BLKFRONT_OK, BLK_STS_IOERR },
	{ "status_unknown", false, false, 77, 0, 0, 1, BLKFRONT_OK, BLK_STS_IOERR },
	{ "status_minimum", true, false, S16_MIN, 0, 0, 1, BLKFRONT_OK, BLK_STS_IOERR },
	{ "rsp_id_not_inflight", false, false, 0, 1, 0, 1, BLKFRONT_BAD_SLOT, BLK_STS_IOERR },
	{ "rsp_id_out_of_range", false, false, 0, 64, 0, 1, BLKFRONT_BAD_ID, BLK_STS_IOERR },
	{ "rsp_id_huge", true, false, 0, 1ULL << 32, 0, 1, BLKFRONT_BAD_ID, BLK_STS_IOERR },
	{ "rsp_wrong_op", false, false, 0, 0, BLKIF_OP_WRITE, 1, BLKFRONT_BAD_OP, BLK_STS_IOERR },
	{ "rsp_prod_overflow", false, false, 0, 0, 0, 2, BLKFRONT_BAD_INDEX, BLK_STS_IOERR },
	{ "rsp_prod_huge", true, false, 0, 0, 0, 0x80000000, BLKFRONT_BAD_INDEX, BLK_STS_IOERR },
	{ "still_mapped", false, true, 0, 0, 0, 1, BLKFRONT_STILL_MAPPED, BLK_STS_IOERR },
	{ "still_mapped_persistent", true, true, 0, 0, 0, 1, BLKFRONT_OK, BLK_STS_OK },
};
KUNIT_ARRAY_PARAM_DESC(response, response_rows, name);

static void answer(struct kunit *test, struct blkfront_ring *ring,
		   const struct response_row *row, grant_ref_t *gref)
{
	struct ring_shared *shared = ring->shared;
	struct blk_64_response rsp = {};
	struct blkif_request req;
	struct ring_back back;

	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, shared, 2 * PAGE_SIZE,
					       BLK_SLOT_SIZE_64), 0);
	KUNIT_ASSERT_EQ(test, ring_back_pending(&back), 1);
	ring_back_get(&back, &req, sizeof(req));
	KUNIT_EXPECT_EQ(test, req.operation, BLKIF_OP_READ);
	*gref = req.u.rw.seg[0].gref;
	KUNIT_EXPECT_TRUE(test, fake_grant_active(*gref));
	fake_grant_map(*gref, row->mapped);
	memset(page_address(fake_grant_page(*gref)), 0x5a, PAGE_SIZE);
	rsp.id = req.u.rw.id + row->id_off;
	rsp.operation = row->op;
	rsp.status = row->status;
	ring_back_put(&back, &rsp, sizeof(rsp));
	ring_back_push(&back);
	shared->rsp_prod = row->prod;
	fake_event_raise(fake_event(ring->ec.irq));
}

static void response(struct kunit *test)
{
	const struct response_row *row = test->param_value;
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct blkfront_ring *ring;
	grant_ref_t gref;

	KUNIT_ASSERT_NOT_NULL(test, page);
	make_device(test);
	fake_xs_set(xdev->otherend, "feature-persistent", "%u", row->persistent);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_peer_state(xdev, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	fake_xs_set(xdev->otherend, "sectors", "%u", SECTORS);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_ASSERT_EQ(test, get_capacity(info->disk), SECTORS);

	ring = &info->rings[0];
	submit_read(test, page);
	answer(test, ring, row, &gref);
	KUNIT_EXPECT_EQ(test, info->offence, row->offence);
	KUNIT_EXPECT_EQ(test, READ_ONCE(ring->live), !row->offence);
	if (row->offence)
		fake_work_run();
	KUNIT_EXPECT_TRUE(test, io_done);
	KUNIT_EXPECT_EQ(test, io_status, row->result);
	if (!row->result)
		KUNIT_EXPECT_EQ(test, *(u8 *)page_address(page), 0x5a);
	if (!row->offence)
		KUNIT_EXPECT_EQ(test, ring->nr_free, ring->front.entries);
	else
		KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);

	/* A page that was revoked under a mapping lives until that ends. */
	if (row->mapped && !row->persistent)
		KUNIT_EXPECT_EQ(test, fake_grants_deferred(), 1);
	fake_grant_map(gref, false);
	remove();
	fake_nothing_left(test);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	__free_page(page);
}

/* Two requests, and two responses to the first. */
static void rsp_twice(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct blk_64_response rsp = {};
	struct blkfront_ring *ring;
	struct blkif_request req;
	struct ring_back back;
	int i;

	connect(test);
	fake_xs_set(xdev->otherend, "sectors", "%u", SECTORS);
	fake_peer_state(xdev, XenbusStateConnected);
	ring = &info->rings[0];
	submit_read(test, page);
	submit_read(test, page);
	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, ring->shared, 2 * PAGE_SIZE,
					       BLK_SLOT_SIZE_64), 0);
	ring_back_get(&back, &req, sizeof(req));
	rsp.id = req.u.rw.id;
	for (i = 0; i < 2; i++)
		ring_back_put(&back, &rsp, sizeof(rsp));
	ring_back_push(&back);
	fake_event_raise(fake_event(ring->ec.irq));
	KUNIT_EXPECT_TRUE(test, io_done);
	KUNIT_EXPECT_EQ(test, io_status, BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, info->offence, BLKFRONT_BAD_SLOT);
	fake_work_run();
	KUNIT_EXPECT_EQ(test, io_status, BLK_STS_IOERR);
	remove();
	fake_nothing_left(test);
	__free_page(page);
}

/* --- handing over -------------------------------------------------------- */

static struct {
	struct blkfront_ring *ring;
	struct ring_back back;
	unsigned int answers;	/* requests answered in a turn, at most */
	unsigned int events;	/* that the answers had asked for */
	unsigned int done;
} quick;

static void quick_end(struct bio *bio)
{
	quick.done += bio->bi_status == BLK_STS_OK;
	bio_put(bio);
}

static void quick_answer(void)
{
	unsigned int n = quick.answers;
	struct blk_64_response rsp = {};
	struct blkif_request req;

	while (n-- && ring_back_pending(&quick.back) > 0) {
		ring_back_get(&quick.back, &req, sizeof(req));
		rsp.id = req.u.rw.id;
		ring_back_put(&quick.back, &rsp, sizeof(rsp));
	}
	if (!ring_back_push(&quick.back))
		return;
	quick.events++;
	fake_event_raise(fake_event(quick.ring->ec.irq));
}

/* Return: how many of @nr reads ended before the last was submitted. */
static unsigned int quick_reads(struct page *page, unsigned int nr)
{
	unsigned int i;

	quick.done = 0;
	for (i = 0; i < nr; i++)
		send_read(page, 8 * i, quick_end);
	return quick.done;
}

/* Reads that must wait, all of them, until the backend has a turn of its own. */
static void waiting_reads(struct kunit *test, struct page *page, unsigned int nr)
{
	unsigned int events = quick.events;

	KUNIT_ASSERT_EQ(test, quick_reads(page, nr), 0);
	quick_answer();
	KUNIT_ASSERT_EQ(test, quick.events, events + 1);
	KUNIT_ASSERT_EQ(test, quick.done, nr);
}

static struct page *quick_begin(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	connect(test);
	fake_xs_set(xdev->otherend, "sectors", "%u", SECTORS);
	fake_peer_state(xdev, XenbusStateConnected);
	memset(&quick, 0, sizeof(quick));
	quick.ring = &info->rings[0];
	quick.answers = UINT_MAX;
	KUNIT_ASSERT_EQ(test, ring_back_attach(&quick.back, quick.ring->shared,
					       2 * PAGE_SIZE, BLK_SLOT_SIZE_64), 0);
	return page;
}

/* Events show the depth at which it is worth it. */
static void learn_depth(struct kunit *test, struct page *page, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i <= HANDOVER_AGREED; i++)
		waiting_reads(test, page, nr);
	KUNIT_EXPECT_EQ(test, fake.yields, 0);
}

static void quick_end_of_test(struct kunit *test, struct page *page)
{
	KUNIT_EXPECT_EQ(test, quick.ring->nr_free, quick.ring->front.entries);
	KUNIT_EXPECT_EQ(test, info->offence, BLKFRONT_OK);
	remove();
	fake_nothing_left(test);
	__free_page(page);
}

/* Once the depth is known, requests end where they are submitted, without any. */
static void handed_over(struct kunit *test)
{
	struct page *page = quick_begin(test);
	unsigned int i, events;

	fake.yielded = quick_answer;
	learn_depth(test, page, 3);
	events = quick.events;
	for (i = 0; i < HANDOVER_SERIES; i++)
		KUNIT_ASSERT_EQ(test, quick_reads(page, 3), 3);
	KUNIT_EXPECT_EQ(test, fake.yields, HANDOVER_SERIES);
	KUNIT_EXPECT_EQ(test, quick.events, events);

	/* From time to time an event is waited for. */
	waiting_reads(test, page, 3);
	KUNIT_EXPECT_EQ(test, quick_reads(page, 3), 3);
	quick_end_of_test(test, page);
}

/* A backend that does not answer at once has its answers noticed all the same. */
static void handed_over_in_vain(struct kunit *test)
{
	struct page *page = quick_begin(test);
	unsigned int i;

	learn_depth(test, page, 1);
	waiting_reads(test, page, 1);
	KUNIT_EXPECT_EQ(test, fake.yields, 1);
	for (i = 0; i < HANDOVER_PAUSE; i++)
		waiting_reads(test, page, 1);
	KUNIT_EXPECT_LE(test, fake.yields, 2);
	quick_end_of_test(test, page);
}

static void handed_over_in_part(struct kunit *test)
{
	struct page *page = quick_begin(test);
	unsigned int i;

	learn_depth(test, page, 3);
	fake.yielded = quick_answer;
	quick.answers = 2;
	KUNIT_EXPECT_EQ(test, quick_reads(page, 3), 2);
	i = quick.events;
	quick_answer();
	KUNIT_EXPECT_EQ(test, quick.events, i + 1);
	KUNIT_EXPECT_EQ(test, quick.done, 3);
	quick_end_of_test(test, page);
}

static void handed_over_never(struct kunit *test)
{
	struct page *page = quick_begin(test);
	unsigned int i;

	fake.yielded = quick_answer;
	blkfront_params.hand_over = false;
	for (i = 0; i < 2 * HANDOVER_SERIES; i++)
		waiting_reads(test, page, 1);
	blkfront_params.hand_over = true;
	/* Another thread wants this CPU. */
	fake.others_run = true;
	for (i = 0; i < 2 * HANDOVER_SERIES; i++)
		waiting_reads(test, page, 1);
	KUNIT_EXPECT_EQ(test, fake.yields, 0);
	quick_end_of_test(test, page);
}

/* An event before the ring is used keeps none of the later ones away. */
static void early_event(struct kunit *test)
{
	struct fake_event *event;

	make_device(test);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_peer_state(xdev, XenbusStateInitWait);
	event = fake_event(info->rings[0].ec.irq);
	fake_event_raise(event);
	fake_peer_state(xdev, XenbusStateConnected);
	/* Tasklets of this CPU run. */
	local_bh_disable();
	local_bh_enable();
	KUNIT_EXPECT_FALSE(test, event->running);
	KUNIT_EXPECT_EQ(test, event->eois, 1);
	remove();
	fake_nothing_left(test);
}

/* Events without cause are said to be that, so that Xen slows their sender. */
static void event_storm(struct kunit *test)
{
	struct fake_event *event;
	unsigned int i;

	connect(test);
	event = fake_event(info->rings[0].ec.irq);
	for (i = 0; i < 50; i++)
		fake_event_raise(event);
	KUNIT_EXPECT_FALSE(test, event->running);
	KUNIT_EXPECT_GE(test, event->spurious, 49);
	remove();
	fake_nothing_left(test);
}

static struct kunit_case blkfront_cases[] = {
	KUNIT_CASE(keys),
	KUNIT_CASE(made_anew),
	KUNIT_CASE(transaction_conflicts),
	KUNIT_CASE_PARAM(feature_key, key_gen_params),
	KUNIT_CASE_PARAM(probe_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(connect_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(state, state_gen_params),
	KUNIT_CASE_PARAM(response, response_gen_params),
	KUNIT_CASE(rsp_twice),
	KUNIT_CASE(handed_over),
	KUNIT_CASE(handed_over_in_vain),
	KUNIT_CASE(handed_over_in_part),
	KUNIT_CASE(handed_over_never),
	KUNIT_CASE(early_event),
	KUNIT_CASE(event_storm),
	{}
};

static struct kunit_suite blkfront_suite = {
	.name = "blkfront",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = blkfront_cases,
};
kunit_test_suite(blkfront_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * The block backend from probe to remove, with a frontend made of the test. The
 * backing device is the kernel's RAM disk, threads of rings are real.
 */
#include "fake.h"

#include <linux/blkdev.h>

#include "blkback/blkback.h"

#define RAM_DISK	"1:0"
#define QUEUES		2
#define MAX_PAGES	16
#define FIRST_REF	100	/* of the first ring's pages */
#define SECOND_REF	200
#define FIRST_PORT	300
#define DATA_REF	400

static struct xenbus_device *xdev;
static struct blkback_vbd *vbd;
static void *rings[QUEUES];
static struct page *data;

static int suite_init(struct kunit *test)
{
	unsigned int i;

	fake_init(test);
	blkback_max_queues = QUEUES;
	data = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, data);
	fake_peer_grant(DATA_REF, data, false);
	for (i = 0; i < QUEUES; i++) {
		rings[i] = alloc_pages_exact(MAX_PAGES * PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, rings[i]);
		fake_peer_ring(i ? SECOND_REF : FIRST_REF, rings[i], MAX_PAGES);
	}
	return 0;
}

static void suite_exit(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < QUEUES; i++)
		free_pages_exact(rings[i], MAX_PAGES * PAGE_SIZE);
	__free_page(data);
	/* The look at all devices ends when there are none. */
	fake_work_later();
	fake_exit(test);
}

/* What the toolstack and its script write. */
static void name_device(void)
{
	fake_xs_set(xdev->nodename, "physical-device", RAM_DISK);
	fake_xs_set(xdev->nodename, "mode", "w");
	fake_xs_set(xdev->nodename, "dev", "xvda");
	fake_xs_set(xdev->nodename, "online", "1");
}

static void make_device(struct kunit *test)
{
	xdev = fake_device(test, "vbd", false, XenbusStateInitialising);
	name_device();
}

/* 2^@order pages with numbered keys; @order -1: one page, its key without. */
static void offer_ring(const char *dir, unsigned int index, int order)
{
	grant_ref_t ref = index ? SECOND_REF : FIRST_REF;
	char key[16];
	unsigned int i;

	memset(rings[index], 0, MAX_PAGES * PAGE_SIZE);
	fake_xs_set(dir, "event-channel", "%u", FIRST_PORT + index);
	if (order < 0)
		fake_xs_set(dir, "ring-ref", "%u", ref);
	for (i = 0; order >= 0 && i < 1U << order; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		fake_xs_set(dir, key, "%u", ref + i);
	}
}

static void offer(unsigned int queues, int order)
{
	char dir[32];
	unsigned int i;

	fake_xs_set(xdev->otherend, "protocol", "x86_64-abi");
	fake_xs_set(xdev->otherend, "feature-persistent", "1");
	if (order >= 0)
		fake_xs_set(xdev->otherend, "ring-page-order", "%d", order);
	if (queues == 1) {
		offer_ring(xdev->otherend, 0, order);
		return;
	}
	fake_xs_set(xdev->otherend, "multi-queue-num-queues", "%u", queues);
	for (i = 0; i < queues; i++) {
		snprintf(dir, sizeof(dir), "%s/queue-%u", xdev->otherend, i);
		offer_ring(dir, i, order);
	}
}

static int probe(void)
{
	int ret = fake_driver->probe(xdev, &fake_driver->ids[0]);

	vbd = ret ? NULL : dev_get_drvdata(&xdev->dev);
	return ret;
}

static void make_probed(struct kunit *test)
{
	make_device(test);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_work_run();
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateInitWait);
}

static void remove(void)
{
	if (vbd)
		fake_driver->remove(xdev);
	vbd = NULL;
	fake_device_free(xdev);
}

static void connect(struct kunit *test, unsigned int queues, int order)
{
	make_probed(test);
	offer(queues, order);
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateConnected);
}

/* --- connecting ---------------------------------------------------------- */

static const struct ring_row {
	const char *name;
	unsigned int queues;
	int order;		/* -1: one page, and no key for the order */
} ring_rows[] = {
	{ "one_page", 1, -1 },
	{ "order_0", 1, 0 },
	{ "order_1", 1, 1 },
	{ "order_2", 1, 2 },
	{ "order_3", 1, 3 },
	{ "order_4", 1, 4 },
	{ "two_queues", 2, -1 },
	{ "two_queues_order_4", 2, 4 },
};
KUNIT_ARRAY_PARAM_DESC(ring, ring_rows, name);

static void connects(struct kunit *test)
{
	const struct ring_row *row = test->param_value;
	unsigned int pages = row->order < 0 ? 1 : 1 << row->order;

	connect(test, row->queues, row->order);
	KUNIT_EXPECT_EQ(test, vbd->nr_rings, row->queues);
	KUNIT_EXPECT_EQ(test, fake.rings, row->queues);
	KUNIT_EXPECT_EQ(test, fake_events_bound(), row->queues);
	KUNIT_EXPECT_EQ(test, vbd->rings[0].back.entries,
			ring_entries(pages * PAGE_SIZE, BLK_SLOT_SIZE_64));
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "sectors"), "16384");
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "info"), "0");
	/* Another frontend, which offers the same, finds all as it was. */
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, fake.rings, 0);
	fake_peer_state(xdev, XenbusStateInitialising);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitWait);
	offer(row->queues, row->order);
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, vbd->nr_rings, row->queues);
	remove();
	fake_nothing_left(test);
}

/* The toolstack's script names the device later. */
static void device_late(struct kunit *test)
{
	make_device(test);
	fake_xs_remove(xdev->nodename, "physical-device");
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_work_run();
	offer(1, -1);
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitWait);
	fake_xs_set(xdev->nodename, "physical-device", RAM_DISK);
	blkback_kick(vbd);
	fake_work_run();
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	remove();
	fake_nothing_left(test);
}

/*
 * The toolstack has taken the device away, and has made another of the same name
 * before the bus has looked. Work that runs meanwhile must leave it alone: if the
 * bus has looked, it probes it. If not, it tells of the frontend.
 */
static void made_anew(struct kunit *test)
{
	connect(test, 1, -1);
	fake_device_anew(test, xdev);
	name_device();
	blkback_kick(vbd);
	fake_work_run();
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);
	KUNIT_EXPECT_NULL(test, fake_xs_get(xdev->nodename, "state"));

	fake_peer_state(xdev, XenbusStateInitialising);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitWait);
	KUNIT_EXPECT_NOT_NULL(test, fake_xs_get(xdev->nodename,
						"max-ring-page-order"));
	offer(1, -1);
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	remove();
	fake_nothing_left(test);
}

/* The toolstack has removed the directory, so that nobody waits. */
static void taken_away(struct kunit *test)
{
	connect(test, 1, -1);
	fake_xs_remove(xdev->nodename, "");
	fake_driver->remove(xdev);
	KUNIT_EXPECT_EQ(test, fake.rings, 1);
	fake_work_run();
	vbd = NULL;
	remove();
	fake_nothing_left(test);
}

static const struct key_row {
	const char *name;
	bool ours;		/* written by the toolstack */
	unsigned int queues;
	int order;
	const char *key;
	const char *value;
	bool connects;
} key_rows[] = {
	{ "ref_missing", false, 1, -1, "ring-ref", NULL },
	{ "ref_text", false, 1, -1, "ring-ref", "ring" },
	{ "ref_negative", false, 1, -1, "ring-ref", "-1" },
	{ "ref_of_nothing", false, 1, -1, "ring-ref", "99" },
	{ "ref_huge", false, 1, -1, "ring-ref", "4294967295" },
	{ "order_too_large", false, 1, 4, "ring-page-order", "5" },
	{ "order_huge", false, 1, 4, "ring-page-order", "4294967295" },
	{ "order_without_keys", false, 1, -1, "ring-page-order", "1" },
	{ "order_more_than_keys", false, 1, 1, "ring-page-order", "2" },
	{ "order_less_than_keys", false, 1, 2, "ring-page-order", "1", true },
	{ "ref1_missing", false, 1, 1, "ring-ref1", NULL },
	{ "ref15_missing", false, 1, 4, "ring-ref15", NULL },
	{ "ref1_of_nothing", false, 1, 1, "ring-ref1", "99" },
	{ "ref1_is_ref0", false, 1, 1, "ring-ref1", "100" },
	{ "channel_missing", false, 1, -1, "event-channel", NULL },
	{ "channel_text", false, 1, -1, "event-channel", "x" },
	{ "protocol_missing", false, 1, -1, "protocol", NULL, true },
	{ "protocol_32", false, 1, -1, "protocol", "x86_32-abi", true },
	{ "protocol_unknown", false, 1, -1, "protocol", "arm-abi" },
	{ "protocol_long", false, 1, -1, "protocol",
	  "x86_64-abi-and-so-on-and-so-on-and-so-on-and-so-on" },
	{ "queues_0", false, 1, -1, "multi-queue-num-queues", "0" },
	{ "queues_too_many", false, 2, -1, "multi-queue-num-queues", "3" },
	{ "queues_huge", false, 2, -1, "multi-queue-num-queues", "4294967295" },
	{ "queues_without_keys", false, 1, -1, "multi-queue-num-queues", "2" },
	{ "second_ref_missing", false, 2, -1, "queue-1/ring-ref", NULL },
	{ "second_ref_of_nothing", false, 2, -1, "queue-1/ring-ref", "99" },
	{ "second_channel_missing", false, 2, -1, "queue-1/event-channel", NULL },
	{ "persistent_text", false, 1, -1, "feature-persistent", "yes", true },
	{ "mode_missing", true, 1, -1, "mode", NULL },
	{ "mode_read", true, 1, -1, "mode", "r", true },
	{ "device_text", true, 1, -1, "physical-device", "disk" },
	{ "device_half", true, 1, -1, "physical-device", "1:" },
	{ "device_of_nothing", true, 1, -1, "physical-device", "3ff:0" },
};
KUNIT_ARRAY_PARAM_DESC(key, key_rows, name);

static void bad_key(struct kunit *test)
{
	const struct key_row *row = test->param_value;

	make_device(test);
	offer(row->queues, row->order);
	fake_xs_put(row->ours ? xdev->nodename : xdev->otherend, row->key,
		    row->value);
	KUNIT_ASSERT_EQ(test, probe(), 0);
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, xdev->state, row->connects ? XenbusStateConnected :
							    XenbusStateClosing);
	KUNIT_EXPECT_EQ(test, fake.fatals, !row->connects);
	KUNIT_EXPECT_EQ(test, !!vbd->rings, row->connects);
	/* Said once is enough: it has to close first. */
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, fake.fatals, !row->connects);
	remove();
	fake_nothing_left(test);
}

/* A ring whose indices cannot be. */
static void bad_indices(struct kunit *test)
{
	struct ring_shared *shared = rings[0];

	make_probed(test);
	offer(1, -1);
	shared->req_prod = 1000;
	fake_peer_state(xdev, XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosing);
	KUNIT_EXPECT_EQ(test, fake.fatals, 1);
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

/* The backing device is opened in the attempt, too. */
static void prepare_connect(struct kunit *test)
{
	make_device(test);
	offer(QUEUES, 1);
	KUNIT_ASSERT_EQ(test, probe(), 0);
}

static void try_connect(struct kunit *test)
{
	fake_peer_state(xdev, XenbusStateInitialised);
}

/* What failed is said; and a frontend that comes again is connected. */
static void after_connect(struct kunit *test, bool failed)
{
	if (xdev->state != XenbusStateConnected) {
		KUNIT_EXPECT_TRUE(test, failed);
		fake_peer_state(xdev, XenbusStateClosed);
		fake_peer_state(xdev, XenbusStateInitialising);
		offer(QUEUES, 1);
		fake_peer_state(xdev, XenbusStateInitialised);
	}
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	fake.fatals = 0;
	remove();
}

static void connect_sweep(struct kunit *test)
{
	static const struct fake_sweep sweep = {
		prepare_connect, try_connect, after_connect
	};

	/* Every kind is needed to connect. */
	KUNIT_EXPECT_GT(test, fake_sweep(test, &sweep), 0);
}

/* --- states -------------------------------------------------------------- */

FAKE_STATE_PARAMS(XenbusStateInitWait, XenbusStateConnected,
		  XenbusStateClosing, XenbusStateClosed)

/* Where a frontend's state takes us, by the protocol. */
static enum xenbus_state expected(const struct fake_states *row)
{
	switch (row->peer) {
	case XenbusStateInitialising:
		if (!row->online)
			return XenbusStateClosed;
		return row->ours == XenbusStateClosing ? row->ours :
							 XenbusStateInitWait;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		return row->ours == XenbusStateInitWait ? XenbusStateConnected :
							  row->ours;
	case XenbusStateClosing:
		return XenbusStateClosing;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		return XenbusStateClosed;
	default:
		return row->ours;
	}
}

static void state(struct kunit *test)
{
	const struct fake_states *row = test->param_value;

	make_probed(test);
	offer(1, -1);
	if (row->ours == XenbusStateConnected)
		fake_peer_state(xdev, XenbusStateInitialised);
	if (row->ours == XenbusStateClosing || row->ours == XenbusStateClosed)
		fake_peer_state(xdev, row->ours);
	KUNIT_ASSERT_EQ(test, xdev->state, row->ours);

	fake_xs_set(xdev->nodename, "online", "%u", row->online);
	fake_peer_state(xdev, row->peer);
	KUNIT_EXPECT_EQ(test, xdev->state, expected(row));
	/* Told the same again, nothing else happens. */
	fake_peer_state(xdev, row->peer);
	KUNIT_EXPECT_EQ(test, xdev->state, expected(row));
	KUNIT_EXPECT_EQ(test, fake.fatals, 0);
	/* Rings stay until their frontend has closed. */
	KUNIT_EXPECT_EQ(test, !!vbd->rings,
			xdev->state == XenbusStateConnected ||
			(xdev->state == XenbusStateClosing &&
			 row->ours == XenbusStateConnected));
	remove();
	fake_nothing_left(test);
}

/* --- requests ------------------------------------------------------------ */

static const struct request_row {
	const char *name;
	u8 op;
	u8 segs;
	grant_ref_t ref;
	u64 sector;
	u8 first;
	u8 last;
	u32 prod;		/* requests claimed */
	bool broken;
	s16 status;
} request_rows[] = {
	{ "read", BLKIF_OP_READ, 1, DATA_REF, 0, 0, 7, 1, false, BLKIF_RSP_OKAY },
	{ "write", BLKIF_OP_WRITE, 1, DATA_REF, 0, 0, 7, 1, false, BLKIF_RSP_OKAY },
	{ "read_last_sector", BLKIF_OP_READ, 1, DATA_REF, 16383, 3, 3, 1, false,
	  BLKIF_RSP_OKAY },
	{ "read_beyond_end", BLKIF_OP_READ, 1, DATA_REF, 16383, 0, 1, 1, false,
	  BLKIF_RSP_ERROR },
	{ "sector_overflow", BLKIF_OP_READ, 1, DATA_REF, U64_MAX, 0, 7, 1, false,
	  BLKIF_RSP_ERROR },
	{ "backwards", BLKIF_OP_READ, 1, DATA_REF, 0, 5, 4, 1, false,
	  BLKIF_RSP_ERROR },
	{ "last_beyond_page", BLKIF_OP_READ, 1, DATA_REF, 0, 0, 8, 1, false,
	  BLKIF_RSP_ERROR },
	{ "no_segments", BLKIF_OP_READ, 0, DATA_REF, 0, 0, 7, 1, false,
	  BLKIF_RSP_ERROR },
	{ "too_many_segments", BLKIF_OP_READ, 12, DATA_REF, 0, 0, 7, 1, false,
	  BLKIF_RSP_ERROR },
	{ "ref_of_nothing", BLKIF_OP_READ, 1, 99, 0, 0, 7, 1, false,
	  BLKIF_RSP_ERROR },
	{ "write_ref_of_nothing", BLKIF_OP_WRITE, 1, 99, 0, 0, 7, 1, false,
	  BLKIF_RSP_ERROR },
	{ "operation_unknown", 77, 1, DATA_REF, 0, 0, 7, 1, false,
	  BLKIF_RSP_EOPNOTSUPP },
	{ "prod_overflow", BLKIF_OP_READ, 1, DATA_REF, 0, 0, 7, 33, true },
	{ "prod_huge", BLKIF_OP_READ, 1, DATA_REF, 0, 0, 7, 0x80000000, true },
};
KUNIT_ARRAY_PARAM_DESC(request, request_rows, name);

static void request(struct kunit *test)
{
	const struct request_row *row = test->param_value;
	struct blkif_request req = {
		.operation = row->op,
		.u.rw.nr_segments = row->segs,
		.u.rw.id = 1234,
		.u.rw.sector_number = row->sector,
		.u.rw.seg[0] = {
			.gref = row->ref,
			.first_sect = row->first,
			.last_sect = row->last,
		},
	};
	struct ring_shared *shared = rings[0];
	struct blk_64_response rsp;
	struct ring_front front;

	connect(test, 1, -1);
	ring_front_init(&front, shared, PAGE_SIZE, BLK_SLOT_SIZE_64);
	ring_front_put(&front, &req, sizeof(req));
	ring_front_push(&front);
	WRITE_ONCE(shared->req_prod, row->prod);
	fake_event_raise(fake_event(vbd->rings[0].ec.irq));
	if (row->broken) {
		FAKE_WAIT(test, READ_ONCE(vbd->failed));
		FAKE_WAIT(test, fake_work_pending(&vbd->work));
		fake_work_run();
		KUNIT_EXPECT_EQ(test, fake.fatals, 1);
		KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosing);
	} else {
		FAKE_WAIT(test, ring_front_pending(&front) == 1);
		ring_front_get(&front, &rsp, sizeof(rsp));
		KUNIT_EXPECT_EQ(test, rsp.id, req.u.rw.id);
		KUNIT_EXPECT_EQ(test, rsp.operation, row->op);
		KUNIT_EXPECT_EQ(test, rsp.status, row->status);
	}
	remove();
	fake_nothing_left(test);
}

static struct kunit_case blkback_cases[] = {
	KUNIT_CASE_PARAM(connects, ring_gen_params),
	KUNIT_CASE(device_late),
	KUNIT_CASE(made_anew),
	KUNIT_CASE(taken_away),
	KUNIT_CASE_PARAM(bad_key, key_gen_params),
	KUNIT_CASE(bad_indices),
	KUNIT_CASE_PARAM(state, state_gen_params),
	KUNIT_CASE_PARAM(request, request_gen_params),
	KUNIT_CASE_PARAM(probe_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(connect_sweep, fake_kind_gen_params),
	{}
};

static struct kunit_suite blkback_suite = {
	.name = "blkback",
	.init = suite_init,
	.exit = suite_exit,
	.test_cases = blkback_cases,
};
kunit_test_suite(blkback_suite);

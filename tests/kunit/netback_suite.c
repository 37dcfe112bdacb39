// SPDX-License-Identifier: GPL-2.0
/* The network backend from probe to remove, with a frontend made of the test. */
#include "fake.h"

#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/page_pool/types.h>

#include "netback/netback.h"

#define QUEUES		2
#define RINGS		(2 * QUEUES + 1)
#define CTRL_RING	(RINGS - 1)
#define FIRST_REF	100	/* of the rings, one page each */
#define FIRST_PORT	200
#define DATA_REF	300
#define LIST_REF	301	/* of static grants */
#define READONLY_LIST_REF 302
#define READONLY_REF	303
#define STATIC_REF	1000	/* and those that follow: frames to be mapped */
#define STATIC_REFS	540

static struct xenbus_device *xdev;
static struct netback_vif *vif;
static struct page *pages[RINGS];
static struct page *data;
static struct net_gref *list;
static struct ring_front ctrl;

static int suite_init(struct kunit *test)
{
	unsigned int i;

	fake_init(test);
	netback_max_queues = QUEUES;
	netback_max_static_grants = 528;
	data = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, data);
	fake_peer_grant(DATA_REF, data, false);
	fake_peer_grant(READONLY_REF, data, true);
	for (i = 0; i < STATIC_REFS; i++)
		fake_peer_grant(STATIC_REF + i, data, false);
	list = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	fake_peer_grant(LIST_REF, virt_to_page(list), false);
	for (i = 0; i < RINGS; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		fake_peer_ring(FIRST_REF + i, page_address(pages[i]), 1);
	}
	return 0;
}

static void suite_exit(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < RINGS; i++)
		__free_page(pages[i]);
	free_page((unsigned long)list);
	__free_page(data);
	fake_exit(test);
}

static void make_device(struct kunit *test)
{
	xdev = fake_device(test, "vif", false, XenbusStateInitialising);
	fake_xs_set(xdev->nodename, "handle", "3");
	fake_xs_set(xdev->nodename, "script", "vif-bridge");
	fake_xs_set(xdev->nodename, "online", "1");
	fake_xs_set(xdev->nodename, "hotplug-status", "connected");
}

static void offer_queue(const char *dir, unsigned int index, bool split)
{
	unsigned int port = FIRST_PORT + 2 * index;

	fake_xs_set(dir, "tx-ring-ref", "%u", FIRST_REF + 2 * index);
	fake_xs_set(dir, "rx-ring-ref", "%u", FIRST_REF + 2 * index + 1);
	fake_xs_remove(dir, "event-channel");
	if (!split) {
		fake_xs_set(dir, "event-channel", "%u", port);
		return;
	}
	fake_xs_set(dir, "event-channel-tx", "%u", port);
	fake_xs_set(dir, "event-channel-rx", "%u", port + 1);
}

/* How a frontend connects. */
enum shape {
	FLAT,		/* one queue, its keys beside all others, one channel */
	SPLIT,		/* the same, two channels */
	MULTI,		/* two queues, two channels each, a control ring */
	SHAPES
};

static const char *const shape_names[SHAPES] = { "flat", "split", "multi" };

static void offer(enum shape shape)
{
	char dir[32];
	unsigned int i;

	for (i = 0; i < RINGS; i++)
		clear_page(page_address(pages[i]));
	fake_xs_set(xdev->otherend, "request-rx-copy", "1");
	fake_xs_set(xdev->otherend, "feature-rx-notify", "1");
	fake_xs_set(xdev->otherend, "feature-sg", "1");
	if (shape != MULTI) {
		offer_queue(xdev->otherend, 0, shape == SPLIT);
		return;
	}
	fake_xs_set(xdev->otherend, "multi-queue-num-queues", "%u", QUEUES);
	for (i = 0; i < QUEUES; i++) {
		snprintf(dir, sizeof(dir), "%s/queue-%u", xdev->otherend, i);
		offer_queue(dir, i, true);
	}
	fake_xs_set(xdev->otherend, "ctrl-ring-ref", "%u", FIRST_REF + CTRL_RING);
	fake_xs_set(xdev->otherend, "event-channel-ctrl", "%u",
		    FIRST_PORT + CTRL_RING);
}

static int probe(void)
{
	int ret = fake_driver->probe(xdev, &fake_driver->ids[0]);

	vif = ret ? NULL : dev_get_drvdata(&xdev->dev);
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
	if (vif)
		fake_driver->remove(xdev);
	vif = NULL;
	fake_device_free(xdev);
}

static void connect(struct kunit *test, enum shape shape)
{
	make_probed(test);
	offer(shape);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateConnected);
	KUNIT_ASSERT_TRUE(test, netif_carrier_ok(vif->net));
}

/* --- connecting ---------------------------------------------------------- */

static const enum shape shapes[] = { FLAT, SPLIT, MULTI };

static void shape_desc(const enum shape *shape, char *desc)
{
	strscpy(desc, shape_names[*shape], KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(shape, shapes, shape_desc);

static void connects(struct kunit *test)
{
	static const struct {
		unsigned int queues, events, rings;
	} want[SHAPES] = { { 1, 1, 2 }, { 1, 2, 2 }, { 2, 5, 5 } };
	enum shape shape = *(const enum shape *)test->param_value;

	connect(test, shape);
	KUNIT_EXPECT_STREQ(test, vif->net->name, "vif7.3");
	KUNIT_EXPECT_EQ(test, vif->nr_queues, want[shape].queues);
	KUNIT_EXPECT_EQ(test, vif->net->real_num_tx_queues, want[shape].queues);
	KUNIT_EXPECT_EQ(test, fake_events_bound(), want[shape].events);
	KUNIT_EXPECT_EQ(test, fake.rings, want[shape].rings);
	/* Another frontend, which offers the same, finds all as it was. */
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, fake_events_bound(), 0);
	KUNIT_EXPECT_EQ(test, fake.rings, 0);
	fake_peer_state(xdev, XenbusStateInitialising);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, vif->nr_queues, want[shape].queues);
	remove();
	fake_nothing_left(test);
}

/* The toolstack's script has not run yet: the guest must wait. */
static void hotplug_late(struct kunit *test)
{
	make_device(test);
	fake_xs_remove(xdev->nodename, "hotplug-status");
	KUNIT_ASSERT_EQ(test, probe(), 0);
	offer(FLAT);
	fake_work_run();
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitWait);
	fake_xs_set(xdev->nodename, "hotplug-status", "connected");
	netback_kick(vif);
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
	connect(test, FLAT);
	fake_device_anew(test, xdev);
	netback_kick(vif);
	fake_work_run();
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);
	KUNIT_EXPECT_NULL(test, fake_xs_get(xdev->nodename, "state"));

	fake_peer_state(xdev, XenbusStateInitialising);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateInitWait);
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "feature-sg"), "1");
	offer(FLAT);
	fake_xs_set(xdev->nodename, "hotplug-status", "connected");
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	remove();
	fake_nothing_left(test);
}

/* What a toolstack may have written for a device. */
static const struct probe_row {
	const char *name;
	const char *key;
	const char *value;
	bool ok;
} probe_rows[] = {
	{ "handle_0", "handle", "0", true },
	{ "handle_largest", "handle", "65535", true },
	{ "handle_too_large", "handle", "65536" },
	{ "handle_negative", "handle", "-1" },
	{ "handle_text", "handle", "eth0" },
	{ "handle_missing", "handle", NULL },
	{ "script_missing", "script", NULL },
	{ "script_empty", "script", "", true },
};
KUNIT_ARRAY_PARAM_DESC(probe, probe_rows, name);

static void probe_key(struct kunit *test)
{
	const struct probe_row *row = test->param_value;

	make_device(test);
	fake_xs_put(xdev->nodename, row->key, row->value);
	KUNIT_EXPECT_EQ(test, probe() == 0, row->ok);
	KUNIT_EXPECT_EQ(test, fake.fatals, !row->ok);
	remove();
	fake_nothing_left(test);
}

/* What a frontend may write. */
static const struct key_row {
	const char *name;
	enum shape shape;
	const char *key;
	const char *value;
	bool connects;
	unsigned int errors;	/* not fatal */
} key_rows[] = {
	{ "tx_ref_missing", FLAT, "tx-ring-ref", NULL },
	{ "tx_ref_0", FLAT, "tx-ring-ref", "0" },
	{ "tx_ref_text", FLAT, "tx-ring-ref", "ring" },
	{ "tx_ref_negative", FLAT, "tx-ring-ref", "-1" },
	{ "tx_ref_of_nothing", FLAT, "tx-ring-ref", "99" },
	{ "tx_ref_huge", FLAT, "tx-ring-ref", "4294967295" },
	{ "rx_ref_missing", FLAT, "rx-ring-ref", NULL },
	{ "rx_ref_0", FLAT, "rx-ring-ref", "0" },
	{ "rx_ref_of_nothing", FLAT, "rx-ring-ref", "99" },
	{ "rx_ref_is_tx_ref", FLAT, "rx-ring-ref", "100" },
	{ "channel_missing", FLAT, "event-channel", NULL },
	{ "channel_0", FLAT, "event-channel", "0" },
	{ "channel_text", FLAT, "event-channel", "x" },
	{ "channel_rx_missing", SPLIT, "event-channel-rx", NULL },
	{ "channel_rx_0", SPLIT, "event-channel-rx", "0" },
	{ "channel_tx_0", SPLIT, "event-channel-tx", "0" },
	{ "copy_missing", FLAT, "request-rx-copy", NULL },
	{ "copy_0", FLAT, "request-rx-copy", "0" },
	{ "copy_text", FLAT, "request-rx-copy", "yes" },
	{ "queues_0", FLAT, "multi-queue-num-queues", "0" },
	{ "queues_1", FLAT, "multi-queue-num-queues", "1", true },
	{ "queues_text", FLAT, "multi-queue-num-queues", "many" },
	{ "queues_without_keys", FLAT, "multi-queue-num-queues", "2" },
	{ "queues_too_many", MULTI, "multi-queue-num-queues", "3" },
	{ "queues_huge", MULTI, "multi-queue-num-queues", "4294967295" },
	{ "second_tx_ref_missing", MULTI, "queue-1/tx-ring-ref", NULL },
	{ "second_rx_ref_0", MULTI, "queue-1/rx-ring-ref", "0" },
	{ "second_tx_ref_is_first", MULTI, "queue-1/tx-ring-ref", "100" },
	{ "second_rx_ref_is_first_tx", MULTI, "queue-1/rx-ring-ref", "100" },
	{ "second_rx_ref_of_nothing", MULTI, "queue-1/rx-ring-ref", "99" },
	{ "second_channel_missing", MULTI, "queue-1/event-channel-tx", NULL },
	{ "ctrl_ref_0", MULTI, "ctrl-ring-ref", "0" },
	{ "ctrl_ref_of_nothing", MULTI, "ctrl-ring-ref", "99" },
	{ "ctrl_ref_missing", MULTI, "ctrl-ring-ref", NULL, true },
	{ "ctrl_channel_missing", MULTI, "event-channel-ctrl", NULL },
	{ "ctrl_channel_0", MULTI, "event-channel-ctrl", "0" },
	{ "headroom_256", FLAT, "xdp-headroom", "256", true },
	{ "headroom_too_large", FLAT, "xdp-headroom", "2049", true, 1 },
	{ "headroom_huge", FLAT, "xdp-headroom", "4294967295", true, 1 },
	{ "headroom_text", FLAT, "xdp-headroom", "some", true },
	{ "sg_missing", FLAT, "feature-sg", NULL, true },
	{ "notify_missing", FLAT, "feature-rx-notify", NULL, true },
	{ "multicast_huge", FLAT, "request-multicast-control", "4294967295", true },
};
KUNIT_ARRAY_PARAM_DESC(key, key_rows, name);

static void frontend_key(struct kunit *test)
{
	const struct key_row *row = test->param_value;

	make_probed(test);
	offer(row->shape);
	fake_xs_put(xdev->otherend, row->key, row->value);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state, row->connects ? XenbusStateConnected :
							    XenbusStateClosing);
	KUNIT_EXPECT_EQ(test, fake.fatals, !row->connects);
	KUNIT_EXPECT_EQ(test, fake.errors, row->errors);
	KUNIT_EXPECT_EQ(test, !!vif->queues, row->connects);
	/* Said once is enough: it has to close first. */
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, fake.fatals, !row->connects);
	remove();
	fake_nothing_left(test);
}

/* A ring whose indices cannot be. */
static void bad_indices(struct kunit *test)
{
	struct ring_shared *shared;

	make_probed(test);
	offer(FLAT);
	shared = page_address(pages[0]);
	shared->req_prod = 1000;
	fake_peer_state(xdev, XenbusStateConnected);
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

static void prepare_connect(struct kunit *test)
{
	make_probed(test);
	offer(MULTI);
}

static void try_connect(struct kunit *test)
{
	fake_peer_state(xdev, XenbusStateConnected);
}

/*
 * What failed is said, but for the frontend's state, without which it is taken
 * for closed; and a frontend that comes again is connected.
 */
static void after_connect(struct kunit *test, bool failed)
{
	if (xdev->state != XenbusStateConnected) {
		KUNIT_EXPECT_TRUE(test, failed);
		KUNIT_EXPECT_EQ(test, fake.fatals > 0,
				xdev->state == XenbusStateClosing);
		fake_peer_state(xdev, XenbusStateClosed);
		fake_peer_state(xdev, XenbusStateInitialising);
		fake_peer_state(xdev, XenbusStateConnected);
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
	bool serves = row->ours == XenbusStateInitWait ||
		      row->ours == XenbusStateConnected;

	switch (row->peer) {
	case XenbusStateInitialising:
		return row->online ? XenbusStateInitWait : XenbusStateClosed;
	case XenbusStateConnected:
		return serves ? XenbusStateConnected : row->ours;
	case XenbusStateReconfiguring:
		return serves ? XenbusStateReconfigured : row->ours;
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
	bool connected;

	make_probed(test);
	offer(FLAT);
	if (row->ours == XenbusStateConnected)
		fake_peer_state(xdev, XenbusStateConnected);
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

	connected = xdev->state == XenbusStateConnected ||
		    xdev->state == XenbusStateReconfigured;
	KUNIT_EXPECT_EQ(test, !!vif->queues, connected);
	KUNIT_EXPECT_EQ(test, !!fake.rings, connected);
	/* Who closes one that is to go has its scripts undo what they did. */
	if (row->peer == XenbusStateClosed)
		KUNIT_EXPECT_EQ(test, vif->announced, row->online);
	remove();
	fake_nothing_left(test);
}

/* --- requests ------------------------------------------------------------ */

/* A connected vif that is up. */
static void start(struct kunit *test, enum shape shape)
{
	connect(test, shape);
	/* Nobody shall send but the test. */
	vif->net->priv_flags |= IFF_NO_ADDRCONF;
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_open(vif->net, NULL), 0);
	rtnl_unlock();
	fake_work_run();
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "carrier"), "1");
}

static void raise(struct kunit *test)
{
	fake_event_raise(fake_event(vif->queues[0].tx_ec.irq));
	napi_synchronize(&vif->queues[0].napi);
}

static const struct tx_row {
	const char *name;
	grant_ref_t ref;
	u16 offset;
	u16 size;
	u16 flags;
	u32 prod;		/* requests claimed */
	bool broken;
	s16 status;
	u64 delivered;
} tx_rows[] = {
	{ "small", DATA_REF, 0, 60, 0, 1, false, XEN_NETIF_RSP_OKAY, 1 },
	{ "large", DATA_REF, 0, 1514, 0, 1, false, XEN_NETIF_RSP_OKAY, 1 },
	{ "page", DATA_REF, 0, 4096, 0, 1, false, XEN_NETIF_RSP_OKAY, 1 },
	{ "page_end", DATA_REF, 4036, 60, 0, 1, false, XEN_NETIF_RSP_OKAY, 1 },
	{ "empty", DATA_REF, 0, 0, 0, 1, false, XEN_NETIF_RSP_ERROR },
	{ "runt", DATA_REF, 0, 13, 0, 1, false, XEN_NETIF_RSP_ERROR },
	{ "beyond_page", DATA_REF, 4037, 60, 0, 1, false, XEN_NETIF_RSP_ERROR },
	{ "offset_huge", DATA_REF, 65535, 60, 0, 1, false, XEN_NETIF_RSP_ERROR },
	{ "ref_of_nothing", 99, 0, 60, 0, 1, false, XEN_NETIF_RSP_ERROR },
	{ "ref_huge", 0xffffffff, 0, 1514, 0, 1, false, XEN_NETIF_RSP_ERROR },
	{ "prod_overflow", DATA_REF, 0, 60, 0, 257, true },
	{ "prod_huge", DATA_REF, 0, 60, 0, 0x80000000, true },
};
KUNIT_ARRAY_PARAM_DESC(tx, tx_rows, name);

static void tx_request(struct kunit *test)
{
	const struct tx_row *row = test->param_value;
	struct xen_netif_tx_request req = {
		.gref = row->ref,
		.offset = row->offset,
		.size = row->size,
		.flags = row->flags,
		.id = 5,
	};
	struct xen_netif_tx_response rsp;
	struct rtnl_link_stats64 stats;
	struct ring_front front;
	struct ring_shared *shared = page_address(pages[0]);

	start(test, FLAT);
	ring_front_init(&front, shared, PAGE_SIZE, NET_TX_SLOT_SIZE);
	ring_front_put(&front, &req, sizeof(req));
	ring_front_push(&front);
	shared->req_prod = row->prod;
	raise(test);

	KUNIT_EXPECT_EQ(test, !!vif->queues[0].broken, row->broken);
	fake_work_run();
	KUNIT_EXPECT_EQ(test, fake.errors, row->broken);
	dev_get_stats(vif->net, &stats);
	KUNIT_EXPECT_EQ(test, stats.rx_packets, row->delivered);
	if (!row->broken) {
		KUNIT_ASSERT_EQ(test, ring_front_pending(&front), 1);
		ring_front_get(&front, &rsp, sizeof(rsp));
		KUNIT_EXPECT_EQ(test, rsp.id, req.id);
		KUNIT_EXPECT_EQ(test, rsp.status, row->status);
	}
	remove();
	fake_nothing_left(test);
}

static unsigned int pool_pages(const struct netback_queue *queue)
{
	const struct page_pool *pages = queue->pool.pages;

	return pages->pages_state_hold_cnt -
	       atomic_read(&pages->pages_state_release_cnt);
}

/* Pages are kept for the next packets until none come for some time. */
static void pool_idle(struct kunit *test)
{
	struct xen_netif_tx_request req = { .gref = DATA_REF, .size = 4096 };
	struct netback_queue *queue;
	struct netback_pool *pool;
	struct ring_front front;

	start(test, FLAT);
	queue = &vif->queues[0];
	pool = &queue->pool;
	KUNIT_EXPECT_FALSE(test, timer_pending(&pool->timer));
	ring_front_init(&front, page_address(pages[0]), PAGE_SIZE,
			NET_TX_SLOT_SIZE);
	ring_front_put(&front, &req, sizeof(req));
	ring_front_push(&front);
	raise(test);
	KUNIT_EXPECT_TRUE(test, timer_pending(&pool->timer));
	KUNIT_EXPECT_GT(test, pool_pages(queue), 0);

	timer_delete_sync(&pool->timer);
	pool->timer.function(&pool->timer);
	napi_synchronize(&queue->napi);
	KUNIT_EXPECT_TRUE(test, timer_pending(&pool->timer));
	KUNIT_EXPECT_GT(test, pool_pages(queue), 0);

	timer_delete_sync(&pool->timer);
	pool->used_at -= 60 * HZ;
	pool->timer.function(&pool->timer);
	napi_synchronize(&queue->napi);
	KUNIT_EXPECT_FALSE(test, timer_pending(&pool->timer));
	KUNIT_EXPECT_EQ(test, pool_pages(queue), 0);
	remove();
	fake_nothing_left(test);
}

static const struct ctrl_row {
	const char *name;
	u16 type;
	u32 arg[3];
	u32 status;
} ctrl_rows[] = {
	{ "algorithm_none", XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, { 0 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "algorithm_toeplitz", XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, { 1 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "algorithm_unknown", XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, { 7 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "key", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { DATA_REF, 40 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "key_empty", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { 99, 0 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "key_too_long", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { DATA_REF, 41 },
	  XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW },
	{ "key_of_nothing", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { 99, 40 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "size", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, { 128 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "size_too_large", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, { 129 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "map_without_size", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { DATA_REF, 1, 0 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "map_offset_huge", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING,
	  { DATA_REF, 1, 0xffffffff }, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_size", NET_CTRL_GET_GREF_MAPPING_SIZE, { 1 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "static_size_no_queue", NET_CTRL_GET_GREF_MAPPING_SIZE, { 2 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_add_no_queue", NET_CTRL_ADD_GREF_MAPPING, { 2, LIST_REF, 1 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_add_empty", NET_CTRL_ADD_GREF_MAPPING, { 0, LIST_REF, 0 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_add_beyond_page", NET_CTRL_ADD_GREF_MAPPING, { 0, LIST_REF, 513 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_add_huge", NET_CTRL_ADD_GREF_MAPPING, { 0, LIST_REF, 0xffffffff },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_add_no_list", NET_CTRL_ADD_GREF_MAPPING, { 0, 99, 1 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_del_no_queue", NET_CTRL_DEL_GREF_MAPPING, { 2, LIST_REF, 1 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_del_empty", NET_CTRL_DEL_GREF_MAPPING, { 0, LIST_REF, 0 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_del_no_list", NET_CTRL_DEL_GREF_MAPPING, { 0, 99, 1 },
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "static_del_unknown", NET_CTRL_DEL_GREF_MAPPING, { 0, LIST_REF, 512 },
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "type_unknown", 77, { 0 }, XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED },
};
KUNIT_ARRAY_PARAM_DESC(ctrl, ctrl_rows, name);

static void connect_ctrl(struct kunit *test)
{
	connect(test, MULTI);
	fake_work_run();
	ring_front_init(&ctrl, page_address(pages[CTRL_RING]), PAGE_SIZE,
			NET_CTRL_SLOT_SIZE);
}

/* Ask on the control ring. Returns the status; @done is the data. */
static u32 ask(struct kunit *test, u16 type, const u32 *arg, u32 *done)
{
	struct fake_event *event = fake_event(vif->ctrl.ec.irq);
	struct xen_netif_ctrl_request req = {
		.id = 9,
		.type = type,
		.data = { arg[0], arg[1], arg[2] },
	};
	struct xen_netif_ctrl_response rsp;

	ring_front_put(&ctrl, &req, sizeof(req));
	ring_front_push(&ctrl);
	fake_event_raise(event);
	fake_work_run();
	KUNIT_EXPECT_FALSE(test, event->running);
	KUNIT_ASSERT_EQ(test, ring_front_pending(&ctrl), 1);
	ring_front_get(&ctrl, &rsp, sizeof(rsp));
	KUNIT_EXPECT_EQ(test, rsp.id, req.id);
	KUNIT_EXPECT_EQ(test, rsp.type, req.type);
	*done = rsp.data;
	return rsp.status;
}

static void ctrl_request(struct kunit *test)
{
	const struct ctrl_row *row = test->param_value;
	u32 done;

	connect_ctrl(test);
	KUNIT_EXPECT_EQ(test, ask(test, row->type, row->arg, &done),
			row->status);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	/* What asks for nothing that has a hash needs no slot for one. */
	KUNIT_EXPECT_EQ(test, vif->may_hash,
			row->type == XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM &&
			row->arg[0]);
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_EXPECT_FALSE(test, vif->may_hash);
	remove();
	fake_nothing_left(test);
}

static void ctrl_broken(struct kunit *test)
{
	struct ring_shared *shared = page_address(pages[CTRL_RING]);
	struct fake_event *event;

	connect(test, MULTI);
	event = fake_event(vif->ctrl.ec.irq);
	shared->req_prod = 0x80000000;
	fake_event_raise(event);
	fake_work_run();
	KUNIT_EXPECT_EQ(test, fake.errors, 1);
	/* No further event comes, and the rest of the vif works on. */
	KUNIT_EXPECT_TRUE(test, event->running);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	remove();
	fake_nothing_left(test);
}

/* --- static grants ------------------------------------------------------- */

static void make_list(grant_ref_t first, unsigned int nr)
{
	unsigned int i;

	memset(list, 0xff, PAGE_SIZE);
	for (i = 0; i < nr; i++)
		list[i] = (struct net_gref) { .ref = first + i };
}

static u32 change(struct kunit *test, u16 type, unsigned int nr, u32 *done)
{
	const u32 arg[] = { 0, LIST_REF, nr };

	return ask(test, type, arg, done);
}

static void add(struct kunit *test, unsigned int nr, u32 status)
{
	u32 done;

	KUNIT_EXPECT_EQ(test, change(test, NET_CTRL_ADD_GREF_MAPPING, nr, &done),
			status);
}

static void del(struct kunit *test, unsigned int nr, u32 status, u32 want)
{
	u32 done;

	KUNIT_EXPECT_EQ(test, change(test, NET_CTRL_DEL_GREF_MAPPING, nr, &done),
			status);
	KUNIT_EXPECT_EQ(test, done, want);
}

static u8 *mapped(grant_ref_t ref)
{
	struct netback_mappings *table =
		rcu_dereference_protected(vif->queues[0].mappings, true);

	return netback_mapping_find(table, ref)->data;
}

/* A list whose last entry is something else. */
static const struct list_row {
	const char *name;
	unsigned int nr;
	grant_ref_t last;
	u16 flags;
	u32 status;
} list_rows[] = {
	{ "one", 1, STATIC_REF, 0, XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "page", 512, STATIC_REF + 511, 0, XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "readonly", 3, READONLY_REF, NET_GREF_READONLY,
	  XEN_NETIF_CTRL_STATUS_SUCCESS },
	{ "readonly_as_writable", 3, READONLY_REF, 0,
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "flags_unknown", 3, STATIC_REF + 9, 2,
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "flags_all", 3, STATIC_REF + 9, 0xffff,
	  XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "twice", 3, STATIC_REF, 0, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "ref_of_nothing", 512, 99, 0, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
	{ "ref_huge", 1, 0xffffffff, 0, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER },
};
KUNIT_ARRAY_PARAM_DESC(list, list_rows, name);

static void static_list(struct kunit *test)
{
	const struct list_row *row = test->param_value;
	bool ok = row->status == XEN_NETIF_CTRL_STATUS_SUCCESS;
	unsigned int i;

	connect_ctrl(test);
	make_list(STATIC_REF, row->nr - 1);
	list[row->nr - 1] = (struct net_gref) {
		.ref = row->last,
		.flags = row->flags,
	};
	add(test, row->nr, row->status);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), ok ? row->nr : 0);
	/* Whatever was not mapped can be mapped still; what was, cannot. */
	make_list(STATIC_REF + 511, 1);
	add(test, 1, ok && row->nr == 512 ? XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER :
					    XEN_NETIF_CTRL_STATUS_SUCCESS);
	del(test, 1, XEN_NETIF_CTRL_STATUS_SUCCESS, 1);

	if (row->nr < 512) {
		make_list(STATIC_REF, row->nr);
		list[row->nr - 1].ref = row->last;
		del(test, row->nr, XEN_NETIF_CTRL_STATUS_SUCCESS,
		    ok ? row->nr : 0);
		for (i = 0; i < row->nr; i++)
			KUNIT_EXPECT_EQ(test, list[i].status,
					ok ? XEN_NETIF_CTRL_STATUS_SUCCESS :
					XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
		KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	}
	remove();
	fake_nothing_left(test);
}

/* Each queue has room for so many. */
static void static_room(struct kunit *test)
{
	const u32 other[] = { 1, LIST_REF, 17 }, which[3] = { 1 };
	u32 done;

	connect_ctrl(test);
	KUNIT_EXPECT_EQ(test, ask(test, NET_CTRL_GET_GREF_MAPPING_SIZE, which,
				  &done), XEN_NETIF_CTRL_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done, 528);
	make_list(STATIC_REF, 512);
	add(test, 512, XEN_NETIF_CTRL_STATUS_SUCCESS);
	make_list(STATIC_REF + 512, 17);
	add(test, 17, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 512);
	add(test, 16, XEN_NETIF_CTRL_STATUS_SUCCESS);
	add(test, 1, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 528);
	/* The same references may be of another queue, too. */
	KUNIT_EXPECT_EQ(test, ask(test, NET_CTRL_ADD_GREF_MAPPING, other, &done),
			XEN_NETIF_CTRL_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 545);
	/* They go with the connection. */
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	KUNIT_EXPECT_EQ(test, fake.cached_pages, 0);
	remove();
	fake_nothing_left(test);
}

static void static_del(struct kunit *test)
{
	const u32 readonly[] = { 0, READONLY_LIST_REF, 8 };
	u32 done;

	connect_ctrl(test);
	make_list(STATIC_REF, 8);
	add(test, 8, XEN_NETIF_CTRL_STATUS_SUCCESS);
	/* Known, unknown, and known no more. */
	make_list(STATIC_REF + 7, 2);
	list[2].ref = STATIC_REF + 7;
	del(test, 3, XEN_NETIF_CTRL_STATUS_SUCCESS, 1);
	KUNIT_EXPECT_EQ(test, list[0].status, XEN_NETIF_CTRL_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, list[1].status,
			XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, list[2].status,
			XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, list[3].status, 0xffff);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 7);
	add(test, 1, XEN_NETIF_CTRL_STATUS_SUCCESS);
	/* A list that can be read but not written. */
	make_list(STATIC_REF, 8);
	fake_peer_grant(READONLY_LIST_REF, virt_to_page(list), true);
	KUNIT_EXPECT_EQ(test, ask(test, NET_CTRL_DEL_GREF_MAPPING, readonly,
				  &done),
			XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, done, 8);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	remove();
	fake_nothing_left(test);
}

static void static_off(struct kunit *test)
{
	u16 type;
	u32 done;

	netback_max_static_grants = 0;
	connect_ctrl(test);
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename,
					     "feature-static-grants"), "0");
	make_list(STATIC_REF, 1);
	for (type = NET_CTRL_GET_GREF_MAPPING_SIZE;
	     type <= NET_CTRL_DEL_GREF_MAPPING; type++)
		KUNIT_EXPECT_EQ(test, change(test, type, 1, &done),
				XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	remove();
	fake_nothing_left(test);
}

static u8 seen[8192];
static unsigned int seen_len;

static rx_handler_result_t see(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;

	seen_len = skb->len;
	skb_copy_bits(skb, 0, seen, min_t(unsigned int, skb->len, sizeof(seen)));
	consume_skb(skb);
	return RX_HANDLER_CONSUMED;
}

/* A packet whose second part is in a frame that is not mapped. */
static void static_tx(struct kunit *test)
{
	struct xen_netif_tx_request reqs[] = {
		{ .gref = STATIC_REF, .offset = 100, .size = 5000,
		  .flags = XEN_NETTXF_more_data },
		{ .gref = STATIC_REF + 9, .offset = 0, .size = 1200,
		  .flags = XEN_NETTXF_more_data },
		{ .gref = STATIC_REF + 1, .offset = 4096 - 800, .size = 800 },
	};
	struct netback_queue *queue;
	struct ring_front front;
	unsigned int i;

	start(test, MULTI);
	fake_work_run();
	ring_front_init(&ctrl, page_address(pages[CTRL_RING]), PAGE_SIZE,
			NET_CTRL_SLOT_SIZE);
	make_list(STATIC_REF, 2);
	list[1].flags = NET_GREF_READONLY;
	add(test, 2, XEN_NETIF_CTRL_STATUS_SUCCESS);
	memset(mapped(STATIC_REF), 0x11, PAGE_SIZE);
	memset(mapped(STATIC_REF + 1), 0x33, PAGE_SIZE);
	memset(page_address(data), 0x22, PAGE_SIZE);
	rtnl_lock();
	KUNIT_ASSERT_EQ(test, netdev_rx_handler_register(vif->net, see, NULL), 0);
	rtnl_unlock();

	queue = &vif->queues[0];
	fake.ops = 0;
	ring_front_init(&front, page_address(pages[0]), PAGE_SIZE,
			NET_TX_SLOT_SIZE);
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		ring_front_put(&front, &reqs[i], sizeof(reqs[i]));
	ring_front_push(&front);
	raise(test);
	/* Ethernet's header is not data any more. */
	KUNIT_EXPECT_EQ(test, seen_len, 5000 - ETH_HLEN);
	for (i = 0; i < seen_len; i++) {
		u8 want = i < 3000 - ETH_HLEN ? 0x11 :
			  i < 4200 - ETH_HLEN ? 0x22 : 0x33;

		if (seen[i] == want)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, seen[i], want, "byte %u", i);
		break;
	}
	KUNIT_EXPECT_LE(test, fake.ops, 2);
	KUNIT_EXPECT_GT(test, fake.ops, 0);
	KUNIT_EXPECT_EQ(test, u64_stats_read(&queue->stats->tx.mapped), 2);

	rtnl_lock();
	netdev_rx_handler_unregister(vif->net);
	rtnl_unlock();
	remove();
	fake_nothing_left(test);
}

static bool all_are(const u8 *bytes, u8 want, unsigned int len)
{
	return bytes[0] == want && !memcmp(bytes, bytes + 1, len - 1);
}

/* The second buffer is mapped, but not to be written, the third is not. */
static void static_rx(struct kunit *test)
{
	struct xen_netif_rx_request req = {};
	struct netback_queue *queue;
	struct netdev_queue *txq;
	struct ring_front front;
	struct sk_buff *skb;
	unsigned int i;

	start(test, MULTI);
	fake_work_run();
	ring_front_init(&ctrl, page_address(pages[CTRL_RING]), PAGE_SIZE,
			NET_CTRL_SLOT_SIZE);
	make_list(STATIC_REF, 2);
	list[1].flags = NET_GREF_READONLY;
	add(test, 2, XEN_NETIF_CTRL_STATUS_SUCCESS);
	ring_front_init(&front, page_address(pages[1]), PAGE_SIZE,
			NET_RX_SLOT_SIZE);
	for (i = 0; i < 64; i++) {
		req.gref = STATIC_REF + i;
		req.id = i;
		ring_front_put(&front, &req, sizeof(req));
	}
	ring_front_push(&front);

	skb = alloc_skb(9000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	memset(skb_put(skb, 9000), 0x44, 9000);
	skb->dev = vif->net;
	queue = &vif->queues[0];
	txq = netdev_get_tx_queue(vif->net, 0);
	vif->net->mtu = 9000;
	__netif_tx_lock_bh(txq);
	KUNIT_EXPECT_EQ(test, netback_xmit(queue, skb, false), NETDEV_TX_OK);
	__netif_tx_unlock_bh(txq);

	KUNIT_EXPECT_EQ(test, ring_front_pending(&front), 3);
	KUNIT_EXPECT_TRUE(test, all_are(mapped(STATIC_REF), 0x44, 4096));
	KUNIT_EXPECT_TRUE(test, all_are(mapped(STATIC_REF + 1), 0, 4096));
	KUNIT_EXPECT_TRUE(test, all_are(page_address(data), 0x44, 4096));
	KUNIT_EXPECT_EQ(test, u64_stats_read(&queue->stats->rx.mapped), 1);
	KUNIT_EXPECT_EQ(test, u64_stats_read(&queue->stats->rx.packets), 1);
	remove();
	fake_nothing_left(test);
}

static struct ring_front buffers;
static unsigned int post_in_yield;

static void post(unsigned int nr)
{
	struct xen_netif_rx_request req = { .gref = STATIC_REF };

	ring_front_skip(&buffers, max(ring_front_pending(&buffers), 0));
	for (; nr; nr--) {
		req.id = buffers.req_prod % NET_RING_SLOTS;
		ring_front_put(&buffers, &req, sizeof(req));
	}
	ring_front_push(&buffers);
}

static void post_more(void)
{
	post(post_in_yield);
}

static bool stopped(void)
{
	return netif_tx_queue_stopped(netdev_get_tx_queue(vif->net, 0));
}

/* Packets of a slot each, until so many are sent or the queue is stopped. */
static unsigned int send_to_guest(struct kunit *test, unsigned int nr)
{
	struct netdev_queue *txq = netdev_get_tx_queue(vif->net, 0);
	struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < nr && !stopped(); i++) {
		skb = alloc_skb(60, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		memset(skb_put(skb, 60), 0, 60);
		skb->dev = vif->net;
		__netif_tx_lock_bh(txq);
		netback_xmit(&vif->queues[0], skb, false);
		__netif_tx_unlock_bh(txq);
	}
	return i;
}

/* A full ring stops a queue only if the guest had the CPU, and for half a ring once. */
static void rx_yield(struct kunit *test)
{
	unsigned int sent;

	start(test, MULTI);
	fake_work_run();
	ring_front_init(&buffers, page_address(pages[1]), PAGE_SIZE,
			NET_RX_SLOT_SIZE);
	post(NET_RING_SLOTS);
	netback_rx_resume(&vif->queues[0]);
	fake.yielded = post_more;

	post_in_yield = NET_RING_SLOTS / 2;
	KUNIT_EXPECT_EQ(test, send_to_guest(test, 10 * NET_RING_SLOTS),
			10 * NET_RING_SLOTS);
	KUNIT_EXPECT_FALSE(test, stopped());
	KUNIT_EXPECT_GT(test, fake.yields, 0);
	KUNIT_EXPECT_LE(test, fake.yields, 20);

	/* The guest does not run. */
	post_in_yield = 0;
	send_to_guest(test, NET_RING_SLOTS);
	KUNIT_EXPECT_TRUE(test, stopped());

	/* A guest that posts the least at a time. */
	fake.yields = 0;
	for (sent = 0; sent < 4 * NET_RING_SLOTS;) {
		post(vif->queues[0].rx_need);
		netback_rx_resume(&vif->queues[0]);
		KUNIT_ASSERT_FALSE(test, stopped());
		sent += send_to_guest(test, NET_RING_SLOTS);
		KUNIT_ASSERT_TRUE(test, stopped());
	}
	KUNIT_EXPECT_GT(test, fake.yields, 0);
	KUNIT_EXPECT_LE(test, fake.yields, 9);
	remove();
	fake_nothing_left(test);
}

/* The guest sleeps until the next packet. */
static void sleep_guest(void)
{
	ring_front_skip(&buffers, max(ring_front_pending(&buffers), 0));
	ring_front_arm(&buffers, 1);
}

/* An event that is held back comes late, when it is due, or when it has to. */
static void rx_held(struct kunit *test)
{
	struct netback_queue *queue;
	struct fake_event *event;

	start(test, MULTI);
	fake_work_run();
	queue = &vif->queues[0];
	event = fake_event(queue->rx_ec.irq ?: queue->tx_ec.irq);
	ring_front_init(&buffers, page_address(pages[1]), PAGE_SIZE,
			NET_RX_SLOT_SIZE);
	post(NET_RING_SLOTS);
	netback_rx_resume(queue);
	vif->coalesce = (struct netback_coalesce){ .usecs = 0 };

	event->sent = 0;
	sleep_guest();
	send_to_guest(test, 1);
	KUNIT_EXPECT_EQ(test, event->sent, 1);

	vif->coalesce.usecs = 20000;
	sleep_guest();
	send_to_guest(test, 2);
	KUNIT_EXPECT_EQ(test, event->sent, 1);
	msleep(50);
	KUNIT_EXPECT_EQ(test, event->sent, 2);
	KUNIT_EXPECT_EQ(test, u64_stats_read(&queue->stats->held), 1);

	/* A guest that has looked by itself is not woken. */
	sleep_guest();
	send_to_guest(test, 1);
	sleep_guest();
	msleep(50);
	KUNIT_EXPECT_EQ(test, event->sent, 2);

	/* Enough is enough. */
	send_to_guest(test, NET_RING_SLOTS / 4);
	KUNIT_EXPECT_EQ(test, event->sent, 2);
	send_to_guest(test, 1);
	KUNIT_EXPECT_EQ(test, event->sent, 3);

	/* It has to post buffers, and so to know of what is in them. */
	sleep_guest();
	send_to_guest(test, NET_RING_SLOTS);
	KUNIT_EXPECT_TRUE(test, stopped());
	KUNIT_EXPECT_GT(test, event->sent, 3);
	KUNIT_EXPECT_FALSE(test, queue->hold.owed);

	post(NET_RING_SLOTS / 2);
	netback_rx_resume(queue);
	event->sent = 0;
	sleep_guest();
	send_to_guest(test, 1);
	KUNIT_EXPECT_EQ(test, event->sent, 0);
	rtnl_lock();
	dev_close(vif->net);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, event->sent, 1);
	remove();
	fake_nothing_left(test);
}

static void try_static(struct kunit *test)
{
	u32 done;

	make_list(STATIC_REF, 8);
	change(test, NET_CTRL_ADD_GREF_MAPPING, 8, &done);
	KUNIT_EXPECT_TRUE(test, !fake_peer_mapped() || fake_peer_mapped() == 8);
	change(test, NET_CTRL_DEL_GREF_MAPPING, 8, &done);
	KUNIT_EXPECT_TRUE(test, !fake_peer_mapped() || fake_peer_mapped() == 8);
}

static void after_static(struct kunit *test, bool failed)
{
	if (!failed)
		KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
	make_list(STATIC_REF, 8);
	if (!fake_peer_mapped())
		add(test, 8, XEN_NETIF_CTRL_STATUS_SUCCESS);
	del(test, 8, XEN_NETIF_CTRL_STATUS_SUCCESS, 8);
	remove();
}

static void static_sweep(struct kunit *test)
{
	static const struct fake_sweep sweep = {
		connect_ctrl, try_static, after_static
	};

	fake_sweep(test, &sweep);
}

static struct kunit_case netback_cases[] = {
	KUNIT_CASE_PARAM(connects, shape_gen_params),
	KUNIT_CASE(hotplug_late),
	KUNIT_CASE(made_anew),
	KUNIT_CASE_PARAM(probe_key, probe_gen_params),
	KUNIT_CASE_PARAM(frontend_key, key_gen_params),
	KUNIT_CASE(bad_indices),
	KUNIT_CASE_PARAM(state, state_gen_params),
	KUNIT_CASE_PARAM(tx_request, tx_gen_params),
	KUNIT_CASE(pool_idle),
	KUNIT_CASE_PARAM(ctrl_request, ctrl_gen_params),
	KUNIT_CASE(ctrl_broken),
	KUNIT_CASE_PARAM(static_list, list_gen_params),
	KUNIT_CASE(static_room),
	KUNIT_CASE(static_del),
	KUNIT_CASE(static_off),
	KUNIT_CASE(static_tx),
	KUNIT_CASE(static_rx),
	KUNIT_CASE(rx_yield),
	KUNIT_CASE(rx_held),
	KUNIT_CASE_PARAM(static_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(probe_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(connect_sweep, fake_kind_gen_params),
	{}
};

static struct kunit_suite netback_suite = {
	.name = "netback",
	.init = suite_init,
	.exit = suite_exit,
	.test_cases = netback_cases,
};
kunit_test_suite(netback_suite);

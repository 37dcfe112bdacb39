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

static struct xenbus_device *xdev;
static struct netback_vif *vif;
static struct page *pages[RINGS];
static struct page *data;

static int suite_init(struct kunit *test)
{
	unsigned int i;

	fake_init(test);
	netback_max_queues = QUEUES;
	data = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, data);
	fake_peer_grant(DATA_REF, data, false);
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
	{ "type_unknown", 77, { 0 }, XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED },
};
KUNIT_ARRAY_PARAM_DESC(ctrl, ctrl_rows, name);

static void ctrl_request(struct kunit *test)
{
	const struct ctrl_row *row = test->param_value;
	struct xen_netif_ctrl_request req = {
		.id = 9,
		.type = row->type,
		.data = { row->arg[0], row->arg[1], row->arg[2] },
	};
	struct xen_netif_ctrl_response rsp;
	struct fake_event *event;
	struct ring_front front;

	connect(test, MULTI);
	event = fake_event(vif->ctrl.ec.irq);
	fake_work_run();
	ring_front_init(&front, page_address(pages[CTRL_RING]), PAGE_SIZE,
			NET_CTRL_SLOT_SIZE);
	ring_front_put(&front, &req, sizeof(req));
	ring_front_push(&front);
	fake_event_raise(event);
	fake_work_run();
	KUNIT_EXPECT_FALSE(test, event->running);
	KUNIT_ASSERT_EQ(test, ring_front_pending(&front), 1);
	ring_front_get(&front, &rsp, sizeof(rsp));
	KUNIT_EXPECT_EQ(test, rsp.id, req.id);
	KUNIT_EXPECT_EQ(test, rsp.type, req.type);
	KUNIT_EXPECT_EQ(test, rsp.status, row->status);
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

static struct kunit_case netback_cases[] = {
	KUNIT_CASE_PARAM(connects, shape_gen_params),
	KUNIT_CASE(hotplug_late),
	KUNIT_CASE_PARAM(probe_key, probe_gen_params),
	KUNIT_CASE_PARAM(frontend_key, key_gen_params),
	KUNIT_CASE(bad_indices),
	KUNIT_CASE_PARAM(state, state_gen_params),
	KUNIT_CASE_PARAM(tx_request, tx_gen_params),
	KUNIT_CASE(pool_idle),
	KUNIT_CASE_PARAM(ctrl_request, ctrl_gen_params),
	KUNIT_CASE(ctrl_broken),
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

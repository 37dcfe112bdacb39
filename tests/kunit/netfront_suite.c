// SPDX-License-Identifier: GPL-2.0
/* The network frontend from probe to remove, with a backend made of the test. */
#include "fake.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <xen/page.h>

#include "netfront/netfront.h"

static struct xenbus_device *xdev;
static struct netfront *info;
static bool one_queue;

/* What the backend says of static grants, and what it was asked. */
static struct {
	u32 room;
	u32 status;	/* of requests to map */
	unsigned int mapped;
	unsigned int requests;
	DECLARE_BITMAP(refs, FAKE_REFS);
} statics;

static void make_device(struct kunit *test)
{
	static const char *const features[] = {
		"online", "feature-sg", "feature-gso-tcpv4",
		"feature-ipv6-csum-offload", "feature-split-event-channels",
		"feature-ctrl-ring",
	};
	unsigned int i;

	xdev = fake_device(test, "vif", true, XenbusStateInitWait);
	fake_xs_set(xdev->nodename, "mac", "00:16:3e:00:00:01");
	/* Of an earlier owner. */
	fake_xs_set(xdev->nodename, "queue-5/tx-ring-ref", "1");
	fake_xs_set(xdev->nodename, "event-channel", "1");
	for (i = 0; i < ARRAY_SIZE(features); i++)
		fake_xs_set(xdev->otherend, features[i], "1");
	fake_xs_set(xdev->otherend, "multi-queue-max-queues", "%u",
		    one_queue ? 1 : 2);
	if (statics.room)
		fake_xs_set(xdev->otherend, "feature-static-grants", "1");
}

static int probe(void)
{
	int ret = fake_driver->probe(xdev, &fake_driver->ids[0]);

	info = ret ? NULL : dev_get_drvdata(&xdev->dev);
	return ret;
}

static void make_probed(struct kunit *test)
{
	make_device(test);
	KUNIT_ASSERT_EQ(test, probe(), 0);
}

static void remove(void)
{
	/* Its rings need not be waited for. */
	fake_xs_set(xdev->otherend, "state", "%u", XenbusStateClosed);
	if (info)
		fake_driver->remove(xdev);
	info = NULL;
	fake_device_free(xdev);
}

/* Two queues, each with two channels, and a control ring. */
static void use_all(struct kunit *test)
{
	netfront_params.split_channels = true;
	info->netdev->wanted_features |= NETIF_F_RXHASH;
}

static int suite_init(struct kunit *test)
{
	netfront_params.max_queues = 2;
	netfront_params.split_channels = false;
	one_queue = false;
	memset(&statics, 0, sizeof(statics));
	return fake_init(test);
}

static void map_static(const struct xen_netif_ctrl_request *req,
		       struct xen_netif_ctrl_response *rsp)
{
	const struct net_gref *list;
	bool map = req->type == NET_CTRL_ADD_GREF_MAPPING;
	unsigned int i;

	statics.requests++;
	rsp->status = map ? statics.status : 0;
	if (rsp->status || !fake_grant_active(req->data[1]))
		return;
	list = page_address(fake_grant_page(req->data[1]));
	for (i = 0; i < req->data[2]; i++) {
		if (!fake_grant_active(list[i].ref))
			fake_fault("reference %u is not granted", list[i].ref);
		if (test_bit(list[i].ref, statics.refs) == map)
			fake_fault("reference %u: mapped is %d", list[i].ref, map);
		fake_grant_map(list[i].ref, map);
		change_bit(list[i].ref, statics.refs);
	}
	statics.mapped += map ? req->data[2] : -req->data[2];
	rsp->data = map ? 0 : req->data[2];
}

/* A backend that carries out whatever the control ring asks for. */
static void answer_ctrl(void *arg, int irq)
{
	struct xen_netif_ctrl_response rsp = {};
	struct xen_netif_ctrl_request req;
	struct ring_back back;

	if (!info->ctrl.shared || irq != info->ctrl.ec.irq ||
	    ring_back_attach(&back, info->ctrl.shared, XEN_PAGE_SIZE,
			     NET_CTRL_SLOT_SIZE))
		return;
	while (ring_back_pending(&back) > 0) {
		ring_back_get(&back, &req, sizeof(req));
		rsp = (struct xen_netif_ctrl_response) {
			.id = req.id, .type = req.type,
		};
		if (req.type == NET_CTRL_GET_GREF_MAPPING_SIZE)
			rsp.data = statics.room;
		else if (req.type > NET_CTRL_GET_GREF_MAPPING_SIZE)
			map_static(&req, &rsp);
		ring_back_put(&back, &rsp, sizeof(rsp));
		ring_back_push(&back);
	}
	ring_back_arm(&back, 1);
}

static void connect(struct kunit *test)
{
	make_probed(test);
	fake_peer_state(xdev, XenbusStateInitWait);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateConnected);
	KUNIT_ASSERT_FALSE(test, info->linked);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_ASSERT_TRUE(test, info->linked);
	KUNIT_ASSERT_EQ(test, info->netdev->reg_state, NETREG_REGISTERED);
	KUNIT_ASSERT_TRUE(test, netif_carrier_ok(info->netdev));
}

/* --- connecting ---------------------------------------------------------- */

static void expect_keys(struct kunit *test, const char *dir,
			const char *const *keys, bool there)
{
	for (; *keys; keys++)
		KUNIT_EXPECT_EQ_MSG(test, !!fake_xs_get(dir, *keys), there,
				    "%s", *keys);
}

static const char *const flat_keys[] = {
	"tx-ring-ref", "rx-ring-ref", "event-channel", NULL
};

static const char *const split_keys[] = {
	"queue-0/tx-ring-ref", "queue-0/rx-ring-ref",
	"queue-0/event-channel-tx", "queue-0/event-channel-rx",
	"queue-1/tx-ring-ref", "queue-1/rx-ring-ref",
	"queue-1/event-channel-tx", "queue-1/event-channel-rx",
	"ctrl-ring-ref", "event-channel-ctrl", "multi-queue-num-queues", NULL
};

static void keys_one_queue(struct kunit *test)
{
	make_probed(test);
	fake_xs_remove(xdev->otherend, "multi-queue-max-queues");
	fake_peer_state(xdev, XenbusStateInitWait);
	expect_keys(test, xdev->nodename, flat_keys, true);
	expect_keys(test, xdev->nodename, split_keys, false);
	/* What an earlier owner has left would mislead. */
	KUNIT_EXPECT_NULL(test, fake_xs_get(xdev->nodename, "queue-5/tx-ring-ref"));
	KUNIT_EXPECT_STREQ(test, fake_xs_get(xdev->nodename, "request-rx-copy"), "1");
	KUNIT_EXPECT_EQ(test, fake_events_bound(), 1);
	KUNIT_EXPECT_EQ(test, fake_grants_used(), 2);
	remove();
	fake_nothing_left(test);
}

static void keys_all(struct kunit *test)
{
	make_probed(test);
	use_all(test);
	fake_peer_state(xdev, XenbusStateInitWait);
	expect_keys(test, xdev->nodename, flat_keys, false);
	expect_keys(test, xdev->nodename, split_keys, true);
	KUNIT_EXPECT_EQ(test, fake_events_bound(), 5);
	KUNIT_EXPECT_EQ(test, fake_grants_used(), 5);
	remove();
	fake_nothing_left(test);
}

/*
 * The toolstack has taken the interface away, and has made another of the same
 * name before the bus has looked: that one's keys count.
 */
static void made_anew(struct kunit *test)
{
	static const u8 mac[ETH_ALEN] = { 0x00, 0x16, 0x3e, 0, 0, 2 };

	connect(test);
	fake_frontend_anew(test, xdev);
	fake_xs_set(xdev->nodename, "mac", "%pM", mac);
	fake_peer_state(xdev, XenbusStateInitWait);

	info = dev_get_drvdata(&xdev->dev);
	fake_work_later();
	fake_peer_state(xdev, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
	KUNIT_EXPECT_TRUE(test, info->linked);
	KUNIT_EXPECT_TRUE(test, ether_addr_equal(info->netdev->dev_addr, mac));
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

/* Values that a backend or the toolstack may write. */
static const struct key_row {
	const char *name;
	const char *key;
	const char *value;
	unsigned int queues;	/* 0: it does not connect */
	bool sg;
	bool tso;
	unsigned int max_mtu;
} key_rows[] = {
	{ "queues_missing", "multi-queue-max-queues", NULL, 1, true, true, 65517 },
	{ "queues_0", "multi-queue-max-queues", "0", 1, true, true, 65517 },
	{ "queues_1", "multi-queue-max-queues", "1", 1, true, true, 65517 },
	{ "queues_huge", "multi-queue-max-queues", "4294967295", 2, true, true, 65517 },
	{ "queues_negative", "multi-queue-max-queues", "-1", 1, true, true, 65517 },
	{ "queues_text", "multi-queue-max-queues", "many", 1, true, true, 65517 },
	{ "sg_missing", "feature-sg", NULL, 2, false, false, 1500 },
	{ "sg_text", "feature-sg", "yes", 2, false, false, 1500 },
	{ "sg_2", "feature-sg", "2", 2, true, true, 65517 },
	{ "tso_missing", "feature-gso-tcpv4", NULL, 2, true, false, 65517 },
	{ "mac_missing", "mac", NULL, 0 },
	{ "mac_text", "mac", "address", 0 },
	{ "mac_short", "mac", "00:16:3e:00:00", 0 },
	{ "mac_multicast", "mac", "01:16:3e:00:00:01", 0 },
	{ "mac_zero", "mac", "00:00:00:00:00:00", 0 },
	{ "mtu_huge", "mtu", "4294967295", 2, true, true, 65517 },
	{ "mtu_0", "mtu", "0", 2, true, true, 65517 },
	{ "mtu_text", "mtu", "large", 2, true, true, 65517 },
};
KUNIT_ARRAY_PARAM_DESC(key, key_rows, name);

static void feature_key(struct kunit *test)
{
	const struct key_row *row = test->param_value;
	bool own = row->key[0] == 'm' && row->key[1] != 'u';

	make_probed(test);
	fake_xs_put(own ? xdev->nodename : xdev->otherend, row->key, row->value);
	fake_peer_state(xdev, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, info->linked, row->queues != 0);
	if (row->queues) {
		KUNIT_EXPECT_EQ(test, info->nr_queues, row->queues);
		KUNIT_EXPECT_EQ(test, !!(info->netdev->features & NETIF_F_SG), row->sg);
		KUNIT_EXPECT_EQ(test, !!(info->netdev->features & NETIF_F_TSO), row->tso);
		KUNIT_EXPECT_EQ(test, info->netdev->max_mtu, row->max_mtu);
		KUNIT_EXPECT_EQ(test, info->netdev->mtu, 1500);
	} else {
		KUNIT_EXPECT_GT(test, fake.errors, 0);
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

static void prepare_connect(struct kunit *test)
{
	make_probed(test);
	use_all(test);
	fake.notified = answer_ctrl;
}

static void try_connect(struct kunit *test)
{
	fake_xs_set(xdev->otherend, "state", "%u", XenbusStateInitWait);
	netfront_state_work(&info->work.work);
	if (xdev->state != XenbusStateConnected)
		return;
	fake_xs_set(xdev->otherend, "state", "%u", XenbusStateConnected);
	netfront_state_work(&info->work.work);
}

/*
 * After a failure the device tries again by itself, or at the next event if it
 * was the backend's state that could not be read, and nothing fails any more:
 * unless it could not even tell its state, or its interface cannot be registered
 * again, it has connected.
 */
static void after_connect(struct kunit *test, bool failed)
{
	if (!info->linked)
		try_connect(test);
	KUNIT_EXPECT_LE(test, fake.fatals, failed);
	if (info->netdev->reg_state == NETREG_UNREGISTERED) {
		KUNIT_EXPECT_TRUE(test, failed);
		KUNIT_EXPECT_EQ(test, fake.errors, 1);
		KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);
	} else if (!fake.fatals) {
		KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateConnected);
		KUNIT_EXPECT_TRUE(test, info->linked);
		KUNIT_EXPECT_EQ(test, info->netdev->reg_state, NETREG_REGISTERED);
	}
	fake.fatals = 0;
	fake.errors = 0;
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

/* Initialised stands for rings that are offered: netfront is Connected then. */
FAKE_STATE_PARAMS(XenbusStateInitialising, XenbusStateInitialised,
		  XenbusStateConnected)

/* Where a backend's state takes us, by the protocol. */
static enum xenbus_state expected(const struct fake_states *row)
{
	bool idle = row->ours == XenbusStateInitialising;

	switch (row->peer) {
	case XenbusStateUnknown:
	case XenbusStateClosed:
		/* Nobody is there: wait for the next, or give up. */
		return row->online ? XenbusStateInitialising :
				     XenbusStateClosed;
	case XenbusStateClosing:
		return XenbusStateClosed;
	case XenbusStateConnected:
		return idle ? XenbusStateClosed : XenbusStateConnected;
	case XenbusStateInitWait:
		return XenbusStateConnected;
	case XenbusStateInitialising:
		if (row->ours == XenbusStateConnected)
			return XenbusStateInitialising;
		fallthrough;
	default:
		return idle ? XenbusStateInitialising : XenbusStateConnected;
	}
}

static void state(struct kunit *test)
{
	const struct fake_states *row = test->param_value;

	make_probed(test);
	if (row->ours >= XenbusStateInitialised)
		fake_peer_state(xdev, XenbusStateInitWait);
	if (row->ours == XenbusStateConnected)
		fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_ASSERT_EQ(test, info->linked, row->ours == XenbusStateConnected);

	fake_xs_set(xdev->otherend, "online", "%u", row->online);
	fake_peer_state(xdev, row->peer);
	KUNIT_EXPECT_EQ(test, xdev->state, expected(row));
	KUNIT_EXPECT_EQ(test, fake.fatals, 0);
	KUNIT_EXPECT_EQ(test, fake.errors, 0);
	/* Told the same again, nothing else happens. */
	fake_peer_state(xdev, row->peer);
	KUNIT_EXPECT_EQ(test, xdev->state, expected(row));
	/* Whatever has happened, there is no carrier without a connection. */
	KUNIT_EXPECT_EQ(test, netif_carrier_ok(info->netdev), info->linked);
	remove();
	fake_nothing_left(test);
}

/* What is wanted before the backend has connected is not lost. */
static void renew_while_offered(struct kunit *test)
{
	struct ethtool_channels channels = { .combined_count = 1 };

	make_probed(test);
	fake_peer_state(xdev, XenbusStateInitWait);
	KUNIT_ASSERT_EQ(test, info->nr_queues, 2);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, netfront_ethtool_ops.set_channels(info->netdev, &channels), 0);
	rtnl_unlock();
	/* The work item runs once for both. */
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);
	fake_peer_state(xdev, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_TRUE(test, info->linked);
	KUNIT_EXPECT_EQ(test, info->nr_queues, 1);
	remove();
	fake_nothing_left(test);
}

/* --- responses ----------------------------------------------------------- */

static void open(struct kunit *test)
{
	/* Nobody shall send but the test. */
	info->netdev->priv_flags |= IFF_NO_ADDRCONF;
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_open(info->netdev, NULL), 0);
	rtnl_unlock();
}

/* A running interface with one queue. */
static void start(struct kunit *test)
{
	one_queue = true;
	connect(test);
	open(test);
}

/* What the backend does with the queue, once NAPI has seen it. */
static void raise(struct kunit *test, struct netfront_queue *queue)
{
	fake_event_raise(fake_event(queue->tx_channel.ec.irq));
	napi_synchronize(&queue->napi);
}

static u64 counter(enum netfront_counter which)
{
	return netfront_read(&info->stats[0], which);
}

static const struct rx_row {
	const char *name;
	u16 id_off;
	u16 offset;
	u16 flags;
	s16 status;
	u32 prod;		/* responses claimed */
	bool mapped;		/* answered with the page still mapped */
	bool offence;
	enum netfront_counter counter;
} rx_rows[] = {
	{ "small", 0, 0, 0, 60, 1, false, false, NETFRONT_RX_PACKETS },
	{ "large", 0, 0, 0, 1514, 1, false, false, NETFRONT_RX_PACKETS },
	{ "page", 0, 0, 0, 4096, 1, false, false, NETFRONT_RX_PACKETS },
	{ "page_end", 0, 4036, 0, 60, 1, false, false, NETFRONT_RX_PACKETS },
	{ "small_still_mapped", 0, 0, 0, 60, 1, true, false, NETFRONT_RX_PACKETS },
	{ "beyond_page", 0, 4037, 0, 60, 1, false, false, NETFRONT_RX_BAD_SLOT },
	{ "offset_huge", 0, 65535, 0, 60, 1, false, false, NETFRONT_RX_BAD_SLOT },
	{ "status_huge", 0, 0, 0, S16_MAX, 1, false, false, NETFRONT_RX_BAD_SLOT },
	{ "status_error", 0, 0, 0, -1, 1, false, false, NETFRONT_RX_REFUSED },
	{ "status_minimum", 0, 0, 0, S16_MIN, 1, false, false, NETFRONT_RX_REFUSED },
	{ "empty", 0, 0, 0, 0, 1, false, false, NETFRONT_RX_BAD_LENGTH },
	{ "runt", 0, 0, 0, 13, 1, false, false, NETFRONT_RX_BAD_LENGTH },
	{ "large_still_mapped", 0, 0, 0, 1514, 1, true, true },
	{ "id_of_next", 1, 0, 0, 60, 1, false, true },
	{ "id_huge", 65535, 0, 0, 60, 1, false, true },
	{ "prod_overflow", 0, 0, 0, 60, 300, false, true },
	{ "prod_huge", 0, 0, 0, 60, 0x80000000, false, true },
};
KUNIT_ARRAY_PARAM_DESC(rx, rx_rows, name);

static void rx_response(struct kunit *test)
{
	const struct rx_row *row = test->param_value;
	struct xen_netif_rx_response rsp = {
		.offset = row->offset,
		.flags = row->flags,
		.status = row->status,
	};
	struct xen_netif_rx_request req;
	struct netfront_queue *queue;
	struct ring_back back;

	start(test);
	queue = &info->queues[0];
	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, queue->rx_shared, PAGE_SIZE,
					       NET_RX_SLOT_SIZE), 0);
	KUNIT_ASSERT_GT(test, ring_back_pending(&back), 0);
	ring_back_get(&back, &req, sizeof(req));
	KUNIT_ASSERT_TRUE(test, fake_grant_active(req.gref));
	KUNIT_EXPECT_FALSE(test, fake_grant_readonly(req.gref));
	fake_grant_map(req.gref, row->mapped);
	rsp.id = req.id + row->id_off;
	ring_back_put(&back, &rsp, sizeof(rsp));
	ring_back_push(&back);
	back.shared->rsp_prod = row->prod;
	raise(test, queue);

	KUNIT_EXPECT_EQ(test, READ_ONCE(info->offence), row->offence);
	KUNIT_EXPECT_EQ(test, READ_ONCE(queue->live), !row->offence);
	if (!row->offence)
		KUNIT_EXPECT_EQ(test, counter(row->counter), 1);
	fake_work_run();
	/* A new connection is tried when the backend has left this one. */
	KUNIT_EXPECT_EQ(test, xdev->state, row->offence ? XenbusStateClosed :
							 XenbusStateConnected);
	fake_grant_map(req.gref, false);
	remove();
	fake_nothing_left(test);
}

static const struct tx_row {
	const char *name;
	unsigned int len;
	u16 id_off;
	s16 status;
	u32 prod;
	bool mapped;
	bool offence;
	u64 refused;
	u16 held;
} tx_rows[] = {
	{ "small", 100, 0, XEN_NETIF_RSP_OKAY, 1, false, false, 0, 0 },
	{ "large", 1400, 0, XEN_NETIF_RSP_OKAY, 1, false, false, 0, 0 },
	{ "error", 100, 0, XEN_NETIF_RSP_ERROR, 1, false, false, 1, 0 },
	{ "dropped", 1400, 0, XEN_NETIF_RSP_DROPPED, 1, false, false, 1, 0 },
	{ "status_unknown", 1400, 0, 77, 1, false, false, 0, 0 },
	{ "null", 1400, 0, XEN_NETIF_RSP_NULL, 1, false, false, 0, 1 },
	{ "small_still_mapped", 100, 0, XEN_NETIF_RSP_OKAY, 1, true, false, 0, 0 },
	{ "large_still_mapped", 1400, 0, XEN_NETIF_RSP_OKAY, 1, true, true },
	{ "id_not_in_flight", 1400, 1, XEN_NETIF_RSP_OKAY, 1, false, true },
	{ "id_out_of_range", 1400, 256, XEN_NETIF_RSP_OKAY, 1, false, true },
	{ "id_huge", 1400, 32768, XEN_NETIF_RSP_OKAY, 1, false, true },
	{ "prod_overflow", 1400, 0, XEN_NETIF_RSP_OKAY, 2, false, true },
	{ "prod_huge", 1400, 0, XEN_NETIF_RSP_OKAY, 0x80000000, false, true },
};
KUNIT_ARRAY_PARAM_DESC(tx, tx_rows, name);

static void send(struct kunit *test, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(len + 64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 64);
	skb_reset_mac_header(skb);
	eth_broadcast_addr(skb_put_zero(skb, len));
	skb->protocol = htons(ETH_P_802_3);
	skb->dev = info->netdev;
	KUNIT_ASSERT_EQ(test, dev_queue_xmit(skb), NET_XMIT_SUCCESS);
}

static void tx_response(struct kunit *test)
{
	const struct tx_row *row = test->param_value;
	struct xen_netif_tx_response rsp = { .status = row->status };
	struct xen_netif_tx_request req;
	struct netfront_queue *queue;
	struct ring_back back;

	start(test);
	queue = &info->queues[0];
	send(test, row->len);
	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, queue->tx_shared, PAGE_SIZE,
					       NET_TX_SLOT_SIZE), 0);
	KUNIT_ASSERT_EQ(test, ring_back_pending(&back), 1);
	ring_back_get(&back, &req, sizeof(req));
	KUNIT_EXPECT_EQ(test, req.size, row->len);
	KUNIT_ASSERT_TRUE(test, fake_grant_active(req.gref));
	KUNIT_EXPECT_TRUE(test, fake_grant_readonly(req.gref));
	fake_grant_map(req.gref, row->mapped);
	rsp.id = req.id + row->id_off;
	ring_back_put(&back, &rsp, sizeof(rsp));
	ring_back_push(&back);
	back.shared->rsp_prod = row->prod;
	raise(test, queue);

	KUNIT_EXPECT_EQ(test, READ_ONCE(info->offence), row->offence);
	if (!row->offence) {
		KUNIT_EXPECT_EQ(test, counter(NETFRONT_TX_REFUSED), row->refused);
		KUNIT_EXPECT_EQ(test, queue->held, row->held);
	}
	fake_work_run();
	KUNIT_EXPECT_EQ(test, xdev->state, row->offence ? XenbusStateClosed :
							 XenbusStateConnected);
	fake_grant_map(req.gref, false);
	remove();
	fake_nothing_left(test);
}

/* --- handing over -------------------------------------------------------- */

static struct {
	struct ring_back rx;
	unsigned int answers;	/* packets in a turn */
	unsigned int events;	/* that the answers had asked for */
} quick;

static void quick_answer(void)
{
	struct xen_netif_rx_response rsp = { .status = 60 };
	struct xen_netif_rx_request req;
	unsigned int i;

	for (i = 0; i < quick.answers; i++) {
		ring_back_get(&quick.rx, &req, sizeof(req));
		rsp.id = req.id;
		ring_back_put(&quick.rx, &rsp, sizeof(rsp));
	}
	quick.events += ring_back_push(&quick.rx);
}

static void quick_begin(struct kunit *test)
{
	start(test);
	memset(&quick, 0, sizeof(quick));
	quick.answers = 1;
	KUNIT_ASSERT_EQ(test, ring_back_attach(&quick.rx, info->queues[0].rx_shared,
					       PAGE_SIZE, NET_RX_SLOT_SIZE), 0);
}

static void quick_end(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, READ_ONCE(info->offence));
	remove();
	fake_nothing_left(test);
}

/* Packets whose answer comes later, with an event. */
static void wait_for_answer(struct kunit *test, unsigned int nr)
{
	struct netfront_queue *queue = &info->queues[0];
	unsigned int events = quick.events;

	while (nr--)
		send(test, 60);
	napi_synchronize(&queue->napi);
	quick_answer();
	KUNIT_ASSERT_EQ(test, quick.events, events + 1);
	raise(test, queue);
}

/* A thread that waits for answers gets them where it sends, without events. */
static void handed_over(struct kunit *test)
{
	struct netfront_queue *queue;
	unsigned int i, events;
	u64 packets;

	quick_begin(test);
	queue = &info->queues[0];
	for (i = 0; i <= HANDOVER_AGREED; i++)
		wait_for_answer(test, 2);
	KUNIT_EXPECT_EQ(test, fake.yields, 0);

	fake.yielded = quick_answer;
	events = quick.events;
	packets = counter(NETFRONT_RX_PACKETS);
	for (i = 1; i <= HANDOVER_SERIES; i++) {
		send(test, 60);
		KUNIT_ASSERT_EQ(test, fake.yields, i - 1);
		send(test, 60);
		napi_synchronize(&queue->napi);
		KUNIT_ASSERT_EQ(test, fake.yields, i);
		KUNIT_ASSERT_EQ(test, counter(NETFRONT_RX_PACKETS), packets + i);
	}
	KUNIT_EXPECT_EQ(test, quick.events, events);
	KUNIT_EXPECT_EQ(test, counter(NETFRONT_TX_HANDED_OVER), HANDOVER_SERIES);

	/* From time to time an event is waited for. */
	wait_for_answer(test, 2);
	KUNIT_EXPECT_EQ(test, fake.yields, HANDOVER_SERIES);
	send(test, 60);
	send(test, 60);
	KUNIT_EXPECT_EQ(test, fake.yields, HANDOVER_SERIES + 1);
	quick_end(test);
}

/* A backend that needs longer is noticed all the same, and not asked often. */
static void handed_over_in_vain(struct kunit *test)
{
	unsigned int i;

	quick_begin(test);
	for (i = 0; i < 100; i++)
		wait_for_answer(test, 1);
	KUNIT_EXPECT_GE(test, fake.yields, 1);
	KUNIT_EXPECT_LE(test, fake.yields, 5);
	KUNIT_EXPECT_EQ(test, counter(NETFRONT_RX_PACKETS), 100);
	quick_end(test);
}

static const struct steady_row {
	const char *name;
	unsigned int sent;	/* between two answers; 0: never as many as before */
	unsigned int polls;
	bool others_run;
	bool off;
} steady_rows[] = {
	{ "stream_out", 0, 1, false, false },
	{ "stream_in", 1, 2, false, false },
	{ "busy_cpu", 1, 1, true, false },
	{ "off", 1, 1, false, true },
};
KUNIT_ARRAY_PARAM_DESC(steady, steady_rows, name);

static void handed_over_never(struct kunit *test)
{
	const struct steady_row *row = test->param_value;
	unsigned int i, k;

	quick_begin(test);
	fake.yielded = quick_answer;
	fake.others_run = row->others_run;
	netfront_params.hand_over = !row->off;
	for (i = 0; i < 50; i++) {
		wait_for_answer(test, row->sent ?: 1 + i % 3);
		for (k = 1; k < row->polls; k++) {
			quick_answer();
			raise(test, &info->queues[0]);
		}
	}
	netfront_params.hand_over = true;
	KUNIT_EXPECT_EQ(test, fake.yields, 0);
	quick_end(test);
}

/* Packets are sent, and none is answered, when the backend leaves. */
static void leave_with_packets(struct kunit *test)
{
	unsigned int i;

	start(test);
	for (i = 0; i < 20; i++)
		send(test, 100 + 70 * i);
	fake_peer_state(xdev, XenbusStateClosing);
	KUNIT_EXPECT_EQ(test, xdev->state, XenbusStateClosed);
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, fake_grants_used(), 0);
	fake_peer_state(xdev, XenbusStateInitWait);
	fake_peer_state(xdev, XenbusStateConnected);
	KUNIT_EXPECT_TRUE(test, info->linked);
	send(test, 100);
	remove();
	fake_nothing_left(test);
}

/* A control ring that is never answered costs one wait, not the device. */
static void ctrl_silent(struct kunit *test)
{
	statics.room = 528;
	start(test);
	KUNIT_EXPECT_TRUE(test, info->ctrl.usable);
	netfront_static_want(&info->queues[0], NETFRONT_WANT_TX);
	fake_work_run();
	KUNIT_EXPECT_TRUE(test, info->linked);
	KUNIT_EXPECT_FALSE(test, info->ctrl.usable);
	KUNIT_EXPECT_EQ(test, info->queues[0].nr_tx_free, 0);
	send(test, 1400);
	remove();
	fake_nothing_left(test);
}

/* --- static grants ------------------------------------------------------- */

static void start_static(struct kunit *test, unsigned int room)
{
	statics.room = room;
	fake.notified = answer_ctrl;
	start(test);
	KUNIT_ASSERT_TRUE(test, info->statics);
	KUNIT_EXPECT_EQ(test, statics.requests, 0);
}

static void want(enum netfront_want what)
{
	netfront_static_want(&info->queues[0], what);
	fake_work_run();
}

/* A backend that leaves unmaps what it has mapped. */
static void unmap_all(void)
{
	unsigned int ref;

	for_each_set_bit(ref, statics.refs, FAKE_REFS)
		fake_grant_map(ref, false);
	bitmap_zero(statics.refs, FAKE_REFS);
}

static void expect_all_gone(struct kunit *test)
{
	fake_peer_state(xdev, XenbusStateClosing);
	unmap_all();
	fake_peer_state(xdev, XenbusStateClosed);
	remove();
	fake_nothing_left(test);
}

/* A packet travels in a mapped page, which comes back when it was answered. */
static void static_tx(struct kunit *test)
{
	struct xen_netif_tx_response rsp = { .status = XEN_NETIF_RSP_OKAY };
	struct xen_netif_tx_request req;
	struct netfront_queue *queue;
	struct ring_back back;

	start_static(test, 528);
	queue = &info->queues[0];
	want(NETFRONT_WANT_TX);
	KUNIT_EXPECT_EQ(test, statics.mapped, queue->nr_tx_free);
	KUNIT_ASSERT_GT(test, queue->nr_tx_free, 0);
	send(test, 1400);
	KUNIT_EXPECT_EQ(test, queue->nr_tx_free, statics.mapped - 1);
	KUNIT_EXPECT_EQ(test, queue->held, 0);
	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, queue->tx_shared, PAGE_SIZE,
					       NET_TX_SLOT_SIZE), 0);
	ring_back_get(&back, &req, sizeof(req));
	KUNIT_EXPECT_TRUE(test, fake_grant_readonly(req.gref));
	/* Nobody waits for the answer: it is found when it is looked for. */
	rsp.id = req.id;
	ring_back_put(&back, &rsp, sizeof(rsp));
	ring_back_push(&back);
	raise(test, queue);
	KUNIT_EXPECT_EQ(test, queue->nr_tx_free, statics.mapped);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(info->offence));

	want(NETFRONT_WANT_LESS);
	KUNIT_EXPECT_EQ(test, statics.mapped, 0);
	KUNIT_EXPECT_EQ(test, queue->nr_tx_static, 0);
	expect_all_gone(test);
}

static u8 byte_at(unsigned int pos)
{
	return pos * 7 + pos / 256;
}

/* A fragment that begins anywhere in one page and ends in another. */
static void add_part(struct kunit *test, struct sk_buff *skb, unsigned int len)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	unsigned int offset = 1001, i;
	u8 *data;

	KUNIT_ASSERT_NOT_NULL(test, page);
	data = page_address(page) + offset;
	for (i = 0; i < len; i++)
		data[i] = byte_at(skb->len + i);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, offset, len, len);
}

/* Frames are filled from fragments that begin and end within them. */
static void static_tx_parts(struct kunit *test)
{
	static const unsigned int parts[] = { 9001, 1, 300, 12345 };
	struct xen_netif_tx_request req;
	unsigned int i, size, len, pos = 0;
	struct netfront_queue *queue;
	struct ring_back back;
	struct sk_buff *skb;
	const u8 *frame;

	start_static(test, 528);
	queue = &info->queues[0];
	want(NETFRONT_WANT_TX);
	skb = alloc_skb(200, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reset_mac_header(skb);
	for (i = 0; i < 100; i++)
		*(u8 *)skb_put(skb, 1) = byte_at(i);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		add_part(test, skb, parts[i]);
	skb->protocol = htons(ETH_P_802_3);
	skb->dev = info->netdev;
	size = skb->len;
	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, queue->tx_shared, PAGE_SIZE,
					       NET_TX_SLOT_SIZE), 0);
	KUNIT_ASSERT_EQ(test, dev_queue_xmit(skb), NET_XMIT_SUCCESS);
	KUNIT_ASSERT_EQ(test, ring_back_pending(&back),
			DIV_ROUND_UP(size, PAGE_SIZE));
	for (; pos < size; pos += PAGE_SIZE) {
		ring_back_get(&back, &req, sizeof(req));
		frame = page_address(fake_grant_page(req.gref));
		len = min_t(unsigned int, size - pos, PAGE_SIZE);
		for (i = 0; i < len; i++)
			if (frame[i] != byte_at(pos + i))
				break;
		KUNIT_EXPECT_EQ_MSG(test, i, len, "frame at %u", pos);
	}
	expect_all_gone(test);
}

/* A packet in a page that stays mapped is copied, and the page posted again. */
static void static_rx(struct kunit *test)
{
	struct xen_netif_rx_response rsp = { .status = 1514 };
	struct xen_netif_rx_request req;
	struct netfront_queue *queue;
	struct ring_back back;
	unsigned int i;

	start_static(test, 528);
	queue = &info->queues[0];
	want(NETFRONT_WANT_RX);
	KUNIT_EXPECT_EQ(test, statics.mapped, queue->rx_target);
	KUNIT_ASSERT_EQ(test, ring_back_attach(&back, queue->rx_shared, PAGE_SIZE,
					       NET_RX_SLOT_SIZE), 0);
	/* All buffers are exchanged, and then used. */
	for (i = 0; i < 3 * queue->rx_target; i++) {
		ring_back_get(&back, &req, sizeof(req));
		rsp.id = req.id;
		ring_back_put(&back, &rsp, sizeof(rsp));
		ring_back_push(&back);
		raise(test, queue);
	}
	KUNIT_EXPECT_EQ(test, counter(NETFRONT_RX_PACKETS), i);
	KUNIT_EXPECT_GE(test, counter(NETFRONT_RX_STATIC_PAGES), queue->rx_target);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(info->offence));

	want(NETFRONT_WANT_LESS);
	KUNIT_EXPECT_EQ(test, statics.mapped, 0);
	want(NETFRONT_WANT_RX);
	KUNIT_EXPECT_EQ(test, statics.mapped, queue->nr_rx_static);
	expect_all_gone(test);
}

/* Backends with other ideas are not asked for ever. */
static const struct static_row {
	const char *name;
	u32 room;
	u32 status;
	unsigned int mapped;
	unsigned int requests;
} static_rows[] = {
	{ "room_0", 0xffffffff, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER, 0, 1 },
	{ "refused", 528, XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED, 0, 1 },
	{ "room_10", 10, 0, 10, 1 },
	{ "room_huge", 0xffffffff, 0, 256, 4 },
};
KUNIT_ARRAY_PARAM_DESC(static, static_rows, name);

static void static_limit(struct kunit *test)
{
	const struct static_row *row = test->param_value;
	unsigned int i;

	start_static(test, row->room);
	statics.status = row->status;
	for (i = 0; i < 6; i++)
		want(NETFRONT_WANT_TX);
	KUNIT_EXPECT_EQ(test, statics.mapped, row->mapped);
	KUNIT_EXPECT_EQ(test, statics.requests, row->requests);
	KUNIT_EXPECT_EQ(test, info->queues[0].nr_tx_free, row->mapped);
	send(test, 1400);
	expect_all_gone(test);
}

/* The fewer pages, the fewer attempts. */
static void prepare_static(struct kunit *test)
{
	start_static(test, 16);
	send(test, 60);
}

static void try_static(struct kunit *test)
{
	set_bit(NETFRONT_WANT_RX, &info->queues[0].want);
	set_bit(NETFRONT_WANT_SLICES, &info->queues[0].want);
	netfront_static_update(info);
}

static void after_static(struct kunit *test, bool failed)
{
	if (!failed)
		KUNIT_EXPECT_EQ(test, statics.mapped, 16);
	want(NETFRONT_WANT_LESS);
	/* What could not be said stays mapped until the backend leaves. */
	if (!failed)
		KUNIT_EXPECT_EQ(test, statics.mapped, 0);
	unmap_all();
	memset(&statics, 0, sizeof(statics));
	remove();
}

static void static_sweep(struct kunit *test)
{
	static const struct fake_sweep sweep = {
		prepare_static, try_static, after_static
	};

	fake_sweep(test, &sweep);
}

/* Events without cause are said to be that, so that Xen slows their sender. */
static void event_storm(struct kunit *test)
{
	struct netfront_queue *queue;
	struct fake_event *event;
	unsigned int i;

	start(test);
	queue = &info->queues[0];
	event = fake_event(queue->tx_channel.ec.irq);
	for (i = 0; i < 50; i++)
		raise(test, queue);
	FAKE_WAIT(test, !READ_ONCE(event->running));
	KUNIT_EXPECT_GE(test, event->spurious, 45);
	remove();
	fake_nothing_left(test);
}

static struct kunit_case netfront_cases[] = {
	KUNIT_CASE(keys_one_queue),
	KUNIT_CASE(keys_all),
	KUNIT_CASE(made_anew),
	KUNIT_CASE(transaction_conflicts),
	KUNIT_CASE_PARAM(feature_key, key_gen_params),
	KUNIT_CASE_PARAM(state, state_gen_params),
	KUNIT_CASE(renew_while_offered),
	KUNIT_CASE_PARAM(rx_response, rx_gen_params),
	KUNIT_CASE_PARAM(tx_response, tx_gen_params),
	KUNIT_CASE(handed_over),
	KUNIT_CASE(handed_over_in_vain),
	KUNIT_CASE_PARAM(handed_over_never, steady_gen_params),
	KUNIT_CASE(leave_with_packets),
	KUNIT_CASE(ctrl_silent),
	KUNIT_CASE(static_tx),
	KUNIT_CASE(static_tx_parts),
	KUNIT_CASE(static_rx),
	KUNIT_CASE_PARAM(static_limit, static_gen_params),
	KUNIT_CASE(event_storm),
	KUNIT_CASE_PARAM(probe_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(connect_sweep, fake_kind_gen_params),
	KUNIT_CASE_PARAM(static_sweep, fake_kind_gen_params),
	{}
};

static struct kunit_suite netfront_suite = {
	.name = "netfront",
	.init = suite_init,
	.exit = fake_exit,
	.test_cases = netfront_cases,
};
kunit_test_suite(netfront_suite);

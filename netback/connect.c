// SPDX-License-Identifier: GPL-2.0
/*
 * The queues that a frontend offers.
 */
#include "netback.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>

/* At most so much of a frame is given away in front of a packet, in bytes. */
#define MAX_HEADROOM	(NET_FRAME_SIZE / 2)

/* Keys of a queue. */
struct queue_keys {
	grant_ref_t tx_ref;
	grant_ref_t rx_ref;
	evtchn_port_t tx_port;
	evtchn_port_t rx_port;	/* @tx_port if there is one for both */
};

/* What the frontend wants, as it was when it was read. */
struct offer {
	bool sg;
	bool gso_tcpv4;
	bool gso_tcpv6;
	bool no_csum;
	bool ipv6_csum;
	bool rx_notify;
	unsigned int nr_queues;
	struct queue_keys queues[];
};

static int read_nonzero(struct netback_vif *vif, const char *dir,
			const char *key, unsigned int *val)
{
	int ret = xenstore_read_number(vif->xdev, dir, key, val);

	if (ret || *val)
		return ret;
	frontend_fatal(vif->xdev, -EINVAL, "%s/%s=0: must not be 0", dir,
		       key);
	return -EINVAL;
}

int netback_read_ref(struct netback_vif *vif, const char *dir, const char *key,
		     grant_ref_t *ref)
{
	return read_nonzero(vif, dir, key, ref);
}

int netback_read_port(struct netback_vif *vif, const char *dir,
		      const char *key, evtchn_port_t *port)
{
	return read_nonzero(vif, dir, key, port);
}

/* Where the keys of a queue are: the frontend's directory or one per queue. */
static char *queue_dir(struct netback_vif *vif, const struct offer *offer,
		       unsigned int index)
{
	if (offer->nr_queues == 1)
		return kstrdup(vif->xdev->otherend, GFP_KERNEL);
	return kasprintf(GFP_KERNEL, "%s/queue-%u", vif->xdev->otherend, index);
}

static int read_ports(struct netback_vif *vif, const char *dir,
		      struct queue_keys *keys)
{
	int ret;

	if (!xenbus_exists(XBT_NIL, dir, "event-channel-tx")) {
		ret = netback_read_port(vif, dir, "event-channel",
					&keys->tx_port);
		keys->rx_port = keys->tx_port;
		return ret;
	}
	ret = netback_read_port(vif, dir, "event-channel-tx", &keys->tx_port);
	if (ret)
		return ret;
	return netback_read_port(vif, dir, "event-channel-rx", &keys->rx_port);
}

static int read_queue(struct netback_vif *vif, struct offer *offer,
		      unsigned int index)
{
	struct queue_keys *keys = &offer->queues[index];
	char *dir = queue_dir(vif, offer, index);
	int ret;

	if (!dir) {
		frontend_fatal(vif->xdev, -ENOMEM, "reading queue %u", index);
		return -ENOMEM;
	}
	ret = netback_read_ref(vif, dir, "tx-ring-ref", &keys->tx_ref);
	if (!ret)
		ret = netback_read_ref(vif, dir, "rx-ring-ref", &keys->rx_ref);
	if (!ret)
		ret = read_ports(vif, dir, keys);
	kfree(dir);
	return ret;
}

/* Two rings in one frame would be served into each other. */
static int check_refs(struct netback_vif *vif, const struct offer *offer)
{
	unsigned int i, k;

	for (i = 0; i < offer->nr_queues; i++) {
		const struct queue_keys *keys = &offer->queues[i];
		bool twice = keys->tx_ref == keys->rx_ref;

		for (k = 0; k < i && !twice; k++) {
			const struct queue_keys *other = &offer->queues[k];

			twice = keys->tx_ref == other->tx_ref ||
				keys->tx_ref == other->rx_ref ||
				keys->rx_ref == other->tx_ref ||
				keys->rx_ref == other->rx_ref;
		}
		if (twice) {
			frontend_fatal(vif->xdev, -EINVAL,
				       "queue %u: tx-ring-ref=%u, rx-ring-ref=%u: used for two rings",
				       i, keys->tx_ref, keys->rx_ref);
			return -EINVAL;
		}
	}
	return 0;
}

static int read_nr_queues(struct netback_vif *vif, unsigned int *nr)
{
	const char *dir = vif->xdev->otherend;

	*nr = 1;
	if (!xenbus_exists(XBT_NIL, dir, "multi-queue-num-queues"))
		return 0;
	/* A number that cannot be read must not pass for none. */
	if (xenstore_read_number(vif->xdev, dir, "multi-queue-num-queues",
				 nr))
		return -EINVAL;
	if (*nr && *nr <= netback_max_queues)
		return 0;
	frontend_fatal(vif->xdev, -EINVAL,
		       "multi-queue-num-queues=%u: must be 1 to %u", *nr,
		       netback_max_queues);
	return -EINVAL;
}

static int read_features(struct netback_vif *vif, struct offer *offer)
{
	const struct {
		const char *key;
		bool *val;
	} keys[] = {
		{ "feature-sg", &offer->sg },
		{ "feature-gso-tcpv4", &offer->gso_tcpv4 },
		{ "feature-gso-tcpv6", &offer->gso_tcpv6 },
		{ "feature-no-csum-offload", &offer->no_csum },
		{ "feature-ipv6-csum-offload", &offer->ipv6_csum },
		{ "feature-rx-notify", &offer->rx_notify },
	};
	const char *dir = vif->xdev->otherend;
	unsigned int i;

	if (!xenbus_read_unsigned(dir, "request-rx-copy", 0)) {
		frontend_fatal(vif->xdev, -EOPNOTSUPP,
			       "request-rx-copy=0: only copying is supported");
		return -EOPNOTSUPP;
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		*keys[i].val = xenbus_read_unsigned(dir, keys[i].key, 0);
	return 0;
}

static struct offer *read_offer(struct netback_vif *vif)
{
	struct offer *offer;
	unsigned int nr, i;
	int ret;

	ret = read_nr_queues(vif, &nr);
	if (ret)
		return ERR_PTR(ret);
	offer = kzalloc(struct_size(offer, queues, nr), GFP_KERNEL);
	if (!offer) {
		frontend_fatal(vif->xdev, -ENOMEM, "reading %u queues", nr);
		return ERR_PTR(-ENOMEM);
	}
	offer->nr_queues = nr;

	ret = read_features(vif, offer);
	for (i = 0; i < nr && !ret; i++)
		ret = read_queue(vif, offer, i);
	if (!ret)
		ret = check_refs(vif, offer);
	if (ret) {
		kfree(offer);
		return ERR_PTR(ret);
	}
	return offer;
}

void netback_read_headroom(struct netback_vif *vif)
{
	unsigned int val = xenbus_read_unsigned(vif->xdev->otherend,
						"xdp-headroom", 0);

	if (val > MAX_HEADROOM) {
		frontend_error(vif->xdev, -EINVAL,
			       "xdp-headroom=%u: must be 0 to %u, there is none",
			       val, MAX_HEADROOM);
		val = 0;
	}
	/* Between packets, which have slots counted with the old one. */
	netif_tx_lock_bh(vif->net);
	vif->xdp_headroom = val;
	netif_tx_unlock_bh(vif->net);
}

int netback_map_ring(struct netback_vif *vif, grant_ref_t ref, u32 slot_size,
		     struct ring_back *back, void **shared)
{
	int ret;

	/* Reports its failure. */
	ret = xenbus_map_ring_valloc(vif->xdev, &ref, 1, shared);
	if (ret)
		return ret;
	ret = ring_back_attach(back,
			       (struct ring_shared __force __peer *)*shared,
			       NET_FRAME_SIZE, slot_size);
	if (ret) {
		frontend_fatal(vif->xdev, ret,
			       "ring with grant reference %u has impossible indices",
			       ref);
		xenbus_unmap_ring_vfree(vif->xdev, *shared);
	}
	return ret;
}

static int bind_channels(struct netback_queue *queue,
			 const struct queue_keys *keys)
{
	bool split = keys->rx_port != keys->tx_port;
	struct netback_vif *vif = queue->vif;
	int ret;

	snprintf(queue->tx_name, sizeof(queue->tx_name), "%s-q%u%s",
		 vif->net->name, queue->index, split ? "-tx" : "");
	snprintf(queue->rx_name, sizeof(queue->rx_name), "%s-q%u-rx",
		 vif->net->name, queue->index);

	ret = event_channel_bind(&queue->tx_ec, vif->xdev, keys->tx_port,
				 netback_tx_interrupt, queue->tx_name, queue);
	if (ret) {
		frontend_fatal(vif->xdev, ret, "binding event channel %u",
			       keys->tx_port);
		return ret;
	}
	if (!split)
		return 0;

	ret = event_channel_bind(&queue->rx_ec, vif->xdev, keys->rx_port,
				 netback_rx_interrupt, queue->rx_name, queue);
	if (ret) {
		frontend_fatal(vif->xdev, ret, "binding event channel %u",
			       keys->rx_port);
		event_channel_free(&queue->tx_ec, queue);
	}
	return ret;
}

static int connect_queue(struct netback_queue *queue, struct netback_vif *vif,
			 unsigned int index, const struct queue_keys *keys)
{
	int ret;

	ret = netback_queue_init(queue, vif, index);
	if (ret) {
		frontend_fatal(vif->xdev, ret, "setting up queue %u", index);
		return ret;
	}
	ret = netback_map_ring(vif, keys->tx_ref, NET_TX_SLOT_SIZE, &queue->tx,
			       &queue->tx_shared);
	if (ret)
		goto destroy;
	ret = netback_map_ring(vif, keys->rx_ref, NET_RX_SLOT_SIZE, &queue->rx,
			       &queue->rx_shared);
	if (ret)
		goto unmap_tx;
	ret = bind_channels(queue, keys);
	if (ret)
		goto unmap_rx;
	return 0;

unmap_rx:
	xenbus_unmap_ring_vfree(vif->xdev, queue->rx_shared);
unmap_tx:
	xenbus_unmap_ring_vfree(vif->xdev, queue->tx_shared);
destroy:
	netback_queue_destroy(queue);
	return ret;
}

/* A queue that is not served. */
static void disconnect_queue(struct netback_queue *queue)
{
	struct xenbus_device *xdev = queue->vif->xdev;

	/* Waits for handlers, which may still try to start NAPI. */
	event_channel_free(&queue->rx_ec, queue);
	event_channel_free(&queue->tx_ec, queue);
	netback_mapping_clear(queue);
	netback_queue_destroy(queue);
	xenbus_unmap_ring_vfree(xdev, queue->rx_shared);
	xenbus_unmap_ring_vfree(xdev, queue->tx_shared);
}

static void disconnect_queues(struct netback_queue *queues, unsigned int nr)
{
	while (nr--)
		disconnect_queue(&queues[nr]);
	kvfree(queues);
}

static struct netback_queue *connect_queues(struct netback_vif *vif,
					    const struct offer *offer)
{
	struct netback_queue *queues;
	unsigned int i;
	int ret;

	queues = kvcalloc(offer->nr_queues, sizeof(*queues), GFP_KERNEL);
	if (!queues) {
		frontend_fatal(vif->xdev, -ENOMEM, "allocating %u queues",
			       offer->nr_queues);
		return ERR_PTR(-ENOMEM);
	}
	for (i = 0; i < offer->nr_queues; i++) {
		ret = connect_queue(&queues[i], vif, i, &offer->queues[i]);
		if (ret) {
			disconnect_queues(queues, i);
			return ERR_PTR(ret);
		}
	}
	return queues;
}

static void publish(struct netback_vif *vif, const struct offer *offer,
		    struct netback_queue *queues)
{
	vif->failed = false;
	netback_read_headroom(vif);

	rtnl_lock();
	vif->can_sg = offer->sg;
	vif->gso_mask = offer->gso_tcpv4 << XEN_NETIF_GSO_TYPE_TCPV4 |
			offer->gso_tcpv6 << XEN_NETIF_GSO_TYPE_TCPV6;
	vif->ip_csum = !offer->no_csum;
	vif->ipv6_csum = offer->ipv6_csum;
	vif->rx_notify = offer->rx_notify;
	vif->queues = queues;
	vif->nr_queues = offer->nr_queues;
	rtnl_unlock();
}

static struct netback_queue *unpublish(struct netback_vif *vif,
				       unsigned int *nr)
{
	struct netback_queue *queues = vif->queues;

	*nr = vif->nr_queues;
	rtnl_lock();
	vif->queues = NULL;
	vif->nr_queues = 0;
	rtnl_unlock();
	return queues;
}

static int start(struct netback_vif *vif)
{
	int ret;

	ret = netback_ctrl_connect(vif);
	if (ret)
		return ret;
	ret = netback_start(vif);
	if (ret)
		frontend_fatal(vif->xdev, ret, "starting %u queues",
			       vif->nr_queues);
	return ret;
}

static void tell(const struct netback_vif *vif, const struct offer *offer)
{
	dev_info_ratelimited(&vif->xdev->dev,
			     "%s: %u queue(s), %s event channels, sg %s, gso%s%s%s, csum%s%s%s%s\n",
			     vif->net->name, offer->nr_queues,
			     vif->queues[0].rx_ec.irq ? "split" : "shared",
			     offer->sg ? "on" : "off",
			     offer->gso_tcpv4 ? " v4" : "", offer->gso_tcpv6 ? " v6" : "",
			     offer->gso_tcpv4 || offer->gso_tcpv6 ? "" : " off",
			     offer->no_csum ? "" : " v4", offer->ipv6_csum ? " v6" : "",
			     offer->no_csum && !offer->ipv6_csum ? " off" : "",
			     vif->ctrl.ec.irq ? ", control ring" : "");
}

int netback_connect(struct netback_vif *vif)
{
	struct netback_queue *queues;
	struct offer *offer;
	int ret;

	offer = read_offer(vif);
	if (IS_ERR(offer))
		return PTR_ERR(offer);

	queues = connect_queues(vif, offer);
	ret = PTR_ERR_OR_ZERO(queues);
	if (ret)
		goto free_offer;

	publish(vif, offer, queues);
	ret = start(vif);
	if (ret)
		netback_disconnect(vif);
	else
		tell(vif, offer);
free_offer:
	kfree(offer);
	return ret;
}

void netback_disconnect(struct netback_vif *vif)
{
	struct netback_queue *queues;
	unsigned int nr;

	if (!vif->queues)
		return;
	/* Waits for NAPI, timers, and packets on their way to the guest. */
	netback_stop(vif);
	/* Waits for requests of the control ring, which look at queues. */
	netback_ctrl_disconnect(vif);
	/* Nobody chooses a queue or filters for this frontend any more. */
	netback_hash_clear(&vif->hash);
	vif->may_hash = false;
	netback_mcast_clear(vif);

	queues = unpublish(vif, &nr);
	disconnect_queues(queues, nr);
}

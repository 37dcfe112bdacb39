// SPDX-License-Identifier: GPL-2.0
/*
 * What is read from the backend's directory and written to ours.
 */
#include "netfront.h"

#include <linux/minmax.h>
#include <linux/slab.h>

/* All keys about rings and features, by whoever they were written. */
static const char *const own_keys[] = {
	"tx-ring-ref", "rx-ring-ref", "ctrl-ring-ref", "event-channel",
	"queue-", "multi-queue-", "feature-", "request-", "xdp-headroom",
};

static unsigned int read_key(const struct netfront *info, const char *key,
			     unsigned int absent)
{
	return xenbus_read_unsigned(info->backend, key, absent);
}

/**
 * netfront_read_features() - learn what the backend offers
 * @info: a device without connection, whose backend waits for one
 */
void netfront_read_features(struct netfront *info)
{
	struct netfront_features *f = &info->features;

	f->max_queues = read_key(info, "multi-queue-max-queues", 0);
	f->sg = read_key(info, "feature-sg", 0);
	f->csum = !read_key(info, "feature-no-csum-offload", 0);
	f->csum_v6 = read_key(info, "feature-ipv6-csum-offload", 0);
	f->tso = f->sg && read_key(info, "feature-gso-tcpv4", 0);
	f->tso_v6 = f->sg && f->csum_v6 &&
		    read_key(info, "feature-gso-tcpv6", 0);
	f->split_channels = read_key(info, "feature-split-event-channels", 0);
	f->ctrl_ring = read_key(info, "feature-ctrl-ring", 0);
	f->static_grants = read_key(info, "feature-static-grants", 0);
	f->xdp = read_key(info, "feature-xdp-headroom", 0);
	f->multicast = read_key(info, "feature-multicast-control", 0);
	f->dynamic_multicast =
		read_key(info, "feature-dynamic-multicast-control", 0);
	f->vlan_offload = read_key(info, "feature-vlan-offload", 0);

	info->split = f->split_channels && netfront_params.split_channels;
	info->trusted = READ_ONCE(netfront_params.trusted) &&
		xenbus_read_unsigned(info->xbdev->nodename, "trusted", 1);
}

/**
 * netfront_read_mac() - the interface's hardware address
 * @info: the device
 * @mac: ETH_ALEN bytes
 *
 * Return: 0, or -ENOENT or -EINVAL.
 */
int netfront_read_mac(struct netfront *info, u8 *mac)
{
	const char *dir = info->xbdev->nodename;
	bool valid;
	char *text;

	text = xenbus_read(XBT_NIL, dir, "mac", NULL);
	if (IS_ERR(text))
		text = xenbus_read(XBT_NIL, info->backend, "mac", NULL);
	if (IS_ERR(text))
		return PTR_ERR(text);
	valid = mac_pton(text, mac) && is_valid_ether_addr(mac);
	kfree(text);
	return valid ? 0 : -EINVAL;
}

/**
 * netfront_read_mtu() - what the toolstack wants the MTU to be
 * @info: the device
 *
 * Return: the MTU, 0 if it does not say.
 */
unsigned int netfront_read_mtu(const struct netfront *info)
{
	return xenbus_read_unsigned(info->xbdev->nodename, "mtu", 0);
}

/**
 * netfront_read_carrier() - whether the backend's own link is up
 * @info: a device whose backend has connected
 *
 * Return: false only if it says so.
 */
bool netfront_read_carrier(const struct netfront *info)
{
	return read_key(info, "carrier", 1);
}

static int write_channels(struct netfront_queue *queue,
			  struct xenbus_transaction xbt, const char *dir)
{
	int ret;

	if (!queue->info->split)
		return xenbus_printf(xbt, dir, "event-channel", "%u",
				     queue->tx_channel.ec.port);
	ret = xenbus_printf(xbt, dir, "event-channel-tx", "%u",
			    queue->tx_channel.ec.port);
	if (ret)
		return ret;
	return xenbus_printf(xbt, dir, "event-channel-rx", "%u",
			     queue->rx_channel.ec.port);
}

static int write_queue(struct netfront_queue *queue,
		       struct xenbus_transaction xbt, const char *dir)
{
	int ret;

	ret = xenbus_printf(xbt, dir, "tx-ring-ref", "%u", queue->tx_ring_ref);
	if (ret)
		return ret;
	ret = xenbus_printf(xbt, dir, "rx-ring-ref", "%u", queue->rx_ring_ref);
	if (ret)
		return ret;
	return write_channels(queue, xbt, dir);
}

static int write_queues(struct netfront *info, struct xenbus_transaction xbt)
{
	const char *node = info->xbdev->nodename;
	unsigned int i;
	int ret = 0;
	char *dir;

	if (info->nr_queues == 1)
		return write_queue(&info->queues[0], xbt, node);
	for (i = 0; i < info->nr_queues && !ret; i++) {
		dir = kasprintf(GFP_NOIO, "%s/queue-%u", node, i);
		if (!dir)
			return -ENOMEM;
		ret = write_queue(&info->queues[i], xbt, dir);
		kfree(dir);
	}
	return ret;
}

static int write_ctrl(struct netfront *info, struct xenbus_transaction xbt)
{
	const char *dir = info->xbdev->nodename;
	int ret;

	if (!info->ctrl.shared)
		return 0;
	ret = xenbus_printf(xbt, dir, "ctrl-ring-ref", "%u",
			    info->ctrl.ring_ref);
	if (ret)
		return ret;
	return xenbus_printf(xbt, dir, "event-channel-ctrl", "%u",
			     info->ctrl.ec.port);
}

static int write_features(struct netfront *info, struct xenbus_transaction xbt)
{
	bool csum = !info->xdp && info->netdev->wanted_features & NETIF_F_RXCSUM;
	const struct xenstore_key keys[] = {
		{ "request-rx-copy", 1 },
		{ "request-multicast-control", netfront_multicast_begin(info) },
		{ "feature-rx-notify", 1 },
		{ "feature-sg", !info->xdp },
		{ "feature-gso-tcpv4", csum },
		{ "feature-gso-tcpv6", csum },
		{ "feature-no-csum-offload", !csum },
		{ "feature-ipv6-csum-offload", csum },
		{ "xdp-headroom", info->xdp && info->features.xdp ?
				  XDP_PACKET_HEADROOM : 0 },
	};

	return xenstore_write_keys(xbt, info->xbdev->nodename, keys,
				   ARRAY_SIZE(keys));
}

static int write_all(void *data, struct xenbus_transaction xbt)
{
	struct netfront *info = data;
	const char *dir = info->xbdev->nodename;
	int ret;

	ret = xenstore_remove_keys(xbt, dir, own_keys, ARRAY_SIZE(own_keys));
	if (ret)
		return ret;
	if (info->features.max_queues) {
		ret = xenbus_printf(xbt, dir, "multi-queue-num-queues", "%u",
				    info->nr_queues);
		if (ret)
			return ret;
	}
	ret = write_queues(info, xbt);
	if (ret)
		return ret;
	ret = write_ctrl(info, xbt);
	if (ret)
		return ret;
	return write_features(info, xbt);
}

/**
 * netfront_write_keys() - tell the backend about the queues
 * @info: the device, with its queues
 *
 * Return: 0 or -errno.
 */
int netfront_write_keys(struct netfront *info)
{
	return xenstore_transaction(write_all, info);
}

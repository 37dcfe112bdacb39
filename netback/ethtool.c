// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool shows of a vif.
 */
#include "netback.h"

#include <linux/ethtool.h>

/* Names say whose transmit and receive it is: not this network device's. */
#define TX_STAT(name)	{ "guest_tx_%u_" #name, \
			  offsetof(struct netback_tx_stats, name) }
#define RX_STAT(name)	{ "guest_rx_%u_" #name, \
			  offsetof(struct netback_rx_stats, name) }

struct counter {
	const char *format;
	size_t offset;
};

static const struct counter tx_stats[] = {
	TX_STAT(packets),
	TX_STAT(bytes),
	TX_STAT(events),
	TX_STAT(notifies),
	TX_STAT(malformed),
	TX_STAT(copy_failed),
	TX_STAT(no_memory),
	TX_STAT(bad_offload),
	TX_STAT(csum_fixup),
	TX_STAT(throttled),
	TX_STAT(mapped),
};

static const struct counter rx_stats[] = {
	RX_STAT(packets),
	RX_STAT(bytes),
	RX_STAT(notifies),
	RX_STAT(filtered),
	RX_STAT(too_big),
	RX_STAT(copy_failed),
	RX_STAT(yields),
	RX_STAT(stopped),
	RX_STAT(mapped),
};

static const struct counter other_stats[] = {
	{ "guest_rx_%u_held", offsetof(struct netback_stats, held) },
};

#define STATS_PER_QUEUE	(ARRAY_SIZE(tx_stats) + ARRAY_SIZE(rx_stats) + \
			 ARRAY_SIZE(other_stats))
#define MAX_TX_USECS	10000

static void get_drvinfo(struct net_device *net, struct ethtool_drvinfo *info)
{
	struct netback_vif *vif = netdev_priv(net);

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, XSPLIT_VERSION, sizeof(info->version));
	strscpy(info->bus_info, dev_name(&vif->xdev->dev),
		sizeof(info->bus_info));
}

static int get_sset_count(struct net_device *net, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return net->real_num_tx_queues * STATS_PER_QUEUE;
}

static void add_names(u8 **data, const struct counter *stats, unsigned int nr,
		      unsigned int queue)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		ethtool_sprintf(data, stats[i].format, queue);
}

static void get_strings(struct net_device *net, u32 set, u8 *data)
{
	unsigned int i;

	if (set != ETH_SS_STATS)
		return;
	for (i = 0; i < net->real_num_tx_queues; i++) {
		add_names(&data, tx_stats, ARRAY_SIZE(tx_stats), i);
		add_names(&data, rx_stats, ARRAY_SIZE(rx_stats), i);
		add_names(&data, other_stats, ARRAY_SIZE(other_stats), i);
	}
}

static u64 *add_values(u64 *data, const struct counter *stats, unsigned int nr,
		       const void *counters)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		data[i] = u64_stats_read(counters + stats[i].offset);
	return data + nr;
}

static void get_stats(struct net_device *net, struct ethtool_stats *stats,
		      u64 *data)
{
	struct netback_vif *vif = netdev_priv(net);
	unsigned int i;

	for (i = 0; i < net->real_num_tx_queues; i++) {
		data = add_values(data, tx_stats, ARRAY_SIZE(tx_stats),
				  &vif->stats[i].tx);
		data = add_values(data, rx_stats, ARRAY_SIZE(rx_stats),
				  &vif->stats[i].rx);
		data = add_values(data, other_stats, ARRAY_SIZE(other_stats),
				  &vif->stats[i]);
	}
}

static void get_channels(struct net_device *net, struct ethtool_channels *nr)
{
	struct netback_vif *vif = netdev_priv(net);

	nr->max_combined = netback_max_queues;
	nr->combined_count = vif->nr_queues;
}

static void get_ringparam(struct net_device *net, struct ethtool_ringparam *ring,
			  struct kernel_ethtool_ringparam *kernel_ring,
			  struct netlink_ext_ack *extack)
{
	/* Named for this network device, whose receive is guest transmit. */
	ring->rx_max_pending = NET_RING_SLOTS;
	ring->rx_pending = NET_RING_SLOTS;
	ring->tx_max_pending = NET_RING_SLOTS;
	ring->tx_pending = NET_RING_SLOTS;
}

static int get_coalesce(struct net_device *net, struct ethtool_coalesce *coal,
			struct kernel_ethtool_coalesce *kernel_coal,
			struct netlink_ext_ack *extack)
{
	const struct netback_vif *vif = netdev_priv(net);

	coal->use_adaptive_tx_coalesce = vif->coalesce.adaptive;
	coal->tx_coalesce_usecs = vif->coalesce.usecs;
	return 0;
}

static int set_coalesce(struct net_device *net, struct ethtool_coalesce *coal,
			struct kernel_ethtool_coalesce *kernel_coal,
			struct netlink_ext_ack *extack)
{
	struct netback_vif *vif = netdev_priv(net);

	if (coal->tx_coalesce_usecs > MAX_TX_USECS) {
		NL_SET_ERR_MSG_MOD(extack, "tx-usecs must be 0 to 10000");
		return -EINVAL;
	}
	WRITE_ONCE(vif->coalesce.adaptive, coal->use_adaptive_tx_coalesce);
	WRITE_ONCE(vif->coalesce.usecs, coal->tx_coalesce_usecs);
	return 0;
}

const struct ethtool_ops netback_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_TX_USECS |
				     ETHTOOL_COALESCE_USE_ADAPTIVE_TX,
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_stats,
	.get_channels = get_channels,
	.get_ringparam = get_ringparam,
	.get_coalesce = get_coalesce,
	.set_coalesce = set_coalesce,
	.get_ts_info = ethtool_op_get_ts_info,
};

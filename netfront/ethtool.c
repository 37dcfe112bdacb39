// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool shows and changes.
 */
#include "netfront.h"

#include <linux/ethtool.h>

/* Longer than anybody wants to wait for a packet, shorter than timeouts. */
#define MAX_RX_USECS	10000

static const char counter_names[NETFRONT_NR_COUNTERS][ETH_GSTRING_LEN] = {
	[NETFRONT_RX_PACKETS] = "rx_packets",
	[NETFRONT_RX_BYTES] = "rx_bytes",
	[NETFRONT_RX_COPIED] = "rx_copied",
	[NETFRONT_RX_STATIC_PAGES] = "rx_static_pages",
	[NETFRONT_RX_HELD] = "rx_held",
	[NETFRONT_RX_NO_MEMORY] = "rx_drop_no_memory",
	[NETFRONT_RX_REFUSED] = "rx_drop_refused",
	[NETFRONT_RX_BAD_SLOT] = "rx_drop_bad_slot",
	[NETFRONT_RX_BAD_LENGTH] = "rx_drop_bad_length",
	[NETFRONT_RX_BAD_EXTRA] = "rx_drop_bad_extra",
	[NETFRONT_RX_BAD_GSO] = "rx_drop_bad_gso",
	[NETFRONT_RX_BAD_CHECKSUM] = "rx_drop_bad_checksum",
	[NETFRONT_RX_GSO_FIXED] = "rx_gso_checksum_fixup",
	[NETFRONT_RX_XDP_DROP] = "rx_xdp_drop",
	[NETFRONT_RX_XDP_TX] = "rx_xdp_tx",
	[NETFRONT_RX_XDP_REDIRECT] = "rx_xdp_redirect",
	[NETFRONT_RX_XDP_ERROR] = "rx_drop_xdp_error",
	[NETFRONT_RX_XDP_TOO_LONG] = "rx_drop_xdp_too_long",
	[NETFRONT_TX_PACKETS] = "tx_packets",
	[NETFRONT_TX_BYTES] = "tx_bytes",
	[NETFRONT_TX_COPIED] = "tx_copied",
	[NETFRONT_TX_STATIC_PAGES] = "tx_static_pages",
	[NETFRONT_TX_BOUNCED] = "tx_bounced",
	[NETFRONT_TX_GSO] = "tx_gso",
	[NETFRONT_TX_NOTIFIED] = "tx_notified",
	[NETFRONT_TX_HANDED_OVER] = "tx_handed_over",
	[NETFRONT_TX_NO_MEMORY] = "tx_drop_no_memory",
	[NETFRONT_TX_BAD_PACKET] = "tx_drop_bad_packet",
	[NETFRONT_TX_REFUSED] = "tx_refused",
	[NETFRONT_TX_NOT_READY] = "tx_drop_not_ready",
	[NETFRONT_TX_XDP_REFUSED] = "tx_xdp_refused",
	[NETFRONT_EVENTS] = "events",
};

static void get_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *drv)
{
	const struct netfront *info = netdev_priv(netdev);

	strscpy(drv->driver, KBUILD_MODNAME, sizeof(drv->driver));
	strscpy(drv->version, XSPLIT_VERSION, sizeof(drv->version));
	strscpy(drv->bus_info, dev_name(&info->xbdev->dev),
		sizeof(drv->bus_info));
}

static int get_sset_count(struct net_device *netdev, int set)
{
	const struct netfront *info = netdev_priv(netdev);

	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return info->max_queues * NETFRONT_NR_COUNTERS;
}

static void get_strings(struct net_device *netdev, u32 set, u8 *data)
{
	const struct netfront *info = netdev_priv(netdev);
	unsigned int i, c;

	if (set != ETH_SS_STATS)
		return;
	for (i = 0; i < info->max_queues; i++)
		for (c = 0; c < NETFRONT_NR_COUNTERS; c++)
			ethtool_sprintf(&data, "queue_%u_%s", i,
					counter_names[c]);
}

static void get_ethtool_stats(struct net_device *netdev,
			      struct ethtool_stats *stats, u64 *data)
{
	const struct netfront *info = netdev_priv(netdev);
	unsigned int i, c;

	for (i = 0; i < info->max_queues; i++)
		for (c = 0; c < NETFRONT_NR_COUNTERS; c++)
			*data++ = netfront_read(&info->stats[i], c);
}

static void get_channels(struct net_device *netdev, struct ethtool_channels *ch)
{
	const struct netfront *info = netdev_priv(netdev);

	ch->max_combined = info->max_queues;
	ch->combined_count = info->netdev->real_num_tx_queues;
}

/* The backend learns of it by a new connection, and may have fewer. */
static int set_channels(struct net_device *netdev, struct ethtool_channels *ch)
{
	struct netfront *info = netdev_priv(netdev);

	if (READ_ONCE(info->want_queues) == ch->combined_count)
		return 0;
	WRITE_ONCE(info->want_queues, ch->combined_count);
	WRITE_ONCE(info->renew, true);
	netfront_kick(info);
	return 0;
}

static void get_ringparam(struct net_device *netdev,
			  struct ethtool_ringparam *ring,
			  struct kernel_ethtool_ringparam *kernel_ring,
			  struct netlink_ext_ack *extack)
{
	ring->rx_max_pending = NET_RING_SLOTS;
	ring->tx_max_pending = NET_RING_SLOTS;
	ring->rx_pending = NET_RING_SLOTS;
	ring->tx_pending = NET_RING_SLOTS;
}

static int get_coalesce(struct net_device *netdev, struct ethtool_coalesce *coal,
			struct kernel_ethtool_coalesce *kernel_coal,
			struct netlink_ext_ack *extack)
{
	const struct netfront *info = netdev_priv(netdev);

	coal->use_adaptive_rx_coalesce = info->coalesce.adaptive_rx;
	coal->tx_max_coalesced_frames = info->coalesce.tx_frames;
	coal->rx_max_coalesced_frames = info->coalesce.rx_frames;
	coal->rx_coalesce_usecs = info->coalesce.rx_usecs;
	return 0;
}

static int set_coalesce(struct net_device *netdev, struct ethtool_coalesce *coal,
			struct kernel_ethtool_coalesce *kernel_coal,
			struct netlink_ext_ack *extack)
{
	struct netfront *info = netdev_priv(netdev);

	if (!coal->tx_max_coalesced_frames || !coal->rx_max_coalesced_frames ||
	    coal->tx_max_coalesced_frames > NET_RING_SLOTS ||
	    coal->rx_max_coalesced_frames > NET_RING_SLOTS) {
		NL_SET_ERR_MSG_MOD(extack, "frames must be 1 to 256");
		return -EINVAL;
	}
	if (coal->rx_coalesce_usecs > MAX_RX_USECS) {
		NL_SET_ERR_MSG_MOD(extack, "rx-usecs must be 0 to 10000");
		return -EINVAL;
	}
	WRITE_ONCE(info->coalesce.adaptive_rx, coal->use_adaptive_rx_coalesce);
	WRITE_ONCE(info->coalesce.tx_frames, coal->tx_max_coalesced_frames);
	WRITE_ONCE(info->coalesce.rx_frames, coal->rx_max_coalesced_frames);
	WRITE_ONCE(info->coalesce.rx_usecs, coal->rx_coalesce_usecs);
	return 0;
}

static int get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *cmd,
		     u32 *rules)
{
	if (cmd->cmd != ETHTOOL_GRXRINGS)
		return -EOPNOTSUPP;
	cmd->data = netdev->real_num_rx_queues;
	return 0;
}

static u32 get_rxfh_key_size(struct net_device *netdev)
{
	return NETFRONT_HASH_KEY;
}

static u32 get_rxfh_indir_size(struct net_device *netdev)
{
	return NETFRONT_HASH_ENTRIES;
}

static int get_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *rxfh)
{
	const struct netfront *info = netdev_priv(netdev);

	if (!info->features.ctrl_ring)
		return -EOPNOTSUPP;
	rxfh->hfunc = ETH_RSS_HASH_TOP;
	if (rxfh->indir)
		memcpy(rxfh->indir, info->hash.queue, sizeof(info->hash.queue));
	if (rxfh->key)
		memcpy(rxfh->key, info->hash.key, sizeof(info->hash.key));
	return 0;
}

static int set_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack)
{
	struct netfront *info = netdev_priv(netdev);

	if (!info->features.ctrl_ring)
		return -EOPNOTSUPP;
	if (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	    rxfh->hfunc != ETH_RSS_HASH_TOP)
		return -EOPNOTSUPP;
	if (rxfh->indir) {
		memcpy(info->hash.queue, rxfh->indir, sizeof(info->hash.queue));
		info->hash.chosen = true;
	}
	if (rxfh->key)
		memcpy(info->hash.key, rxfh->key, sizeof(info->hash.key));
	/* It has an effect only if the backend hashes at all. */
	netdev->wanted_features |= NETIF_F_RXHASH;
	netdev_update_features(netdev);
	netfront_hash_changed(info);
	return 0;
}

DEFINE_RXFH_OPS(get_rxfh, set_rxfh);

const struct ethtool_ops netfront_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_TX_MAX_FRAMES |
				     ETHTOOL_COALESCE_RX_MAX_FRAMES |
				     ETHTOOL_COALESCE_RX_USECS |
				     ETHTOOL_COALESCE_USE_ADAPTIVE_RX,
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_ethtool_stats,
	.get_channels = get_channels,
	.set_channels = set_channels,
	.get_ringparam = get_ringparam,
	.get_coalesce = get_coalesce,
	.set_coalesce = set_coalesce,
	.get_rxnfc = get_rxnfc,
	.get_rxfh_key_size = get_rxfh_key_size,
	.get_rxfh_indir_size = get_rxfh_indir_size,
	.get_rxfh = RXFH_OP(get_rxfh),
	.set_rxfh = RXFH_OP(set_rxfh),
};

// SPDX-License-Identifier: GPL-2.0
/*
 * What the stack calls, except for transmission.
 */
#include "netfront.h"

#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <xen/page.h>

#define OFFLOADS	(NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | \
			 NETIF_F_TSO | NETIF_F_TSO6)
/* The largest packet that a first slot can name, with a tagged header. */
#define MAX_MTU		(XEN_NETIF_MAX_TX_SIZE - VLAN_ETH_HLEN)
#define TX_TIMEOUT	(5 * HZ)
/* Bytes that may always wait in a queue: half of what the ring holds. */
#define MIN_QUEUED	(NET_RING_SLOTS / 2 * NET_FRAME_SIZE)
#define XDP_FEATURES	(NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT | \
			 NETDEV_XDP_ACT_NDO_XMIT)

static int netfront_open(struct net_device *netdev)
{
	struct netfront *info = netdev_priv(netdev);

	if (info->linked)
		netfront_queues_start(info);
	return 0;
}

static int netfront_stop(struct net_device *netdev)
{
	struct netfront *info = netdev_priv(netdev);

	if (info->linked)
		netfront_queues_stop(info);
	return 0;
}

static void netfront_get_stats64(struct net_device *netdev,
				 struct rtnl_link_stats64 *sum)
{
	struct netfront *info = netdev_priv(netdev);
	const struct netfront_stats *s;
	unsigned int i;

	for (i = 0; i < info->max_queues; i++) {
		s = &info->stats[i];
		sum->rx_packets += netfront_read(s, NETFRONT_RX_PACKETS);
		sum->rx_bytes += netfront_read(s, NETFRONT_RX_BYTES);
		sum->rx_dropped += netfront_read(s, NETFRONT_RX_NO_MEMORY);
		sum->rx_length_errors +=
			netfront_read(s, NETFRONT_RX_BAD_LENGTH);
		sum->rx_frame_errors += netfront_read(s, NETFRONT_RX_BAD_SLOT) +
					netfront_read(s, NETFRONT_RX_BAD_EXTRA) +
					netfront_read(s, NETFRONT_RX_BAD_GSO) +
					netfront_read(s, NETFRONT_RX_REFUSED);
		sum->rx_crc_errors +=
			netfront_read(s, NETFRONT_RX_BAD_CHECKSUM);
		sum->tx_packets += netfront_read(s, NETFRONT_TX_PACKETS);
		sum->tx_bytes += netfront_read(s, NETFRONT_TX_BYTES);
		sum->tx_dropped += netfront_read(s, NETFRONT_TX_NO_MEMORY) +
				   netfront_read(s, NETFRONT_TX_BAD_PACKET) +
				   netfront_read(s, NETFRONT_TX_NOT_READY);
		sum->tx_errors += netfront_read(s, NETFRONT_TX_REFUSED);
	}
	sum->rx_errors = sum->rx_length_errors + sum->rx_frame_errors +
			 sum->rx_crc_errors;
}

static netdev_features_t netfront_fix_features(struct net_device *netdev,
					       netdev_features_t features)
{
	const struct netfront *info = netdev_priv(netdev);
	const struct netfront_features *f = &info->features;

	if (!f->sg)
		features &= ~NETIF_F_SG;
	if (!f->csum)
		features &= ~NETIF_F_IP_CSUM;
	if (!f->csum_v6)
		features &= ~NETIF_F_IPV6_CSUM;
	if (!f->tso)
		features &= ~NETIF_F_TSO;
	if (!f->tso_v6)
		features &= ~NETIF_F_TSO6;
	if (!f->ctrl_ring)
		features &= ~NETIF_F_RXHASH;
	return features;
}

/* Packets without checksum come or not as this end has asked for. */
static int netfront_set_features(struct net_device *netdev,
				 netdev_features_t features)
{
	struct netfront *info = netdev_priv(netdev);

	netdev_features_t changed = netdev->features ^ features;

	if (changed & NETIF_F_RXCSUM) {
		WRITE_ONCE(info->renew, true);
		netfront_kick(info);
	}
	if (changed & NETIF_F_RXHASH)
		netfront_hash_changed(info);
	return 0;
}

/*
 * Most backends find the headers of untagged packets only, to which offloads
 * refer; then tagged ones are segmented and checksummed at the last moment.
 */
static netdev_features_t
netfront_features_check(struct sk_buff *skb, struct net_device *netdev,
			netdev_features_t features)
{
	const struct netfront *info = netdev_priv(netdev);

	features = vlan_features_check(skb, features);
	if (!info->features.vlan_offload && skb_vlan_tagged(skb))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	return features;
}

static void netfront_set_rx_mode(struct net_device *netdev)
{
	netfront_multicast_changed(netdev_priv(netdev));
}

static int netfront_change_mtu(struct net_device *netdev, int mtu)
{
	const struct netfront *info = netdev_priv(netdev);

	if (rcu_access_pointer(info->xdp_prog) && mtu > NETFRONT_XDP_MAX_MTU)
		return -EINVAL;
	WRITE_ONCE(netdev->mtu, mtu);
	return 0;
}

static void netfront_tx_timeout(struct net_device *netdev, unsigned int txq)
{
	struct netfront *info = netdev_priv(netdev);

	netdev_err(netdev, "queue %u: backend does not answer, connecting anew\n",
		   txq);
	WRITE_ONCE(info->renew, true);
	netfront_kick(info);
}

static const struct net_device_ops netfront_netdev_ops = {
	.ndo_open = netfront_open,
	.ndo_stop = netfront_stop,
	.ndo_start_xmit = netfront_xmit,
	.ndo_get_stats64 = netfront_get_stats64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_fix_features = netfront_fix_features,
	.ndo_set_features = netfront_set_features,
	.ndo_features_check = netfront_features_check,
	.ndo_tx_timeout = netfront_tx_timeout,
	.ndo_set_rx_mode = netfront_set_rx_mode,
	.ndo_change_mtu = netfront_change_mtu,
	.ndo_bpf = netfront_bpf,
	.ndo_xdp_xmit = netfront_xdp_xmit,
};

/**
 * netfront_netdev_init() - set up all of an interface that is always the same
 * @netdev: a new Ethernet interface
 */
void netfront_netdev_init(struct net_device *netdev)
{
	netdev->netdev_ops = &netfront_netdev_ops;
	netdev->ethtool_ops = &netfront_ethtool_ops;
	netdev->watchdog_timeo = TX_TIMEOUT;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = ETH_DATA_LEN;

	netdev->hw_features = OFFLOADS | NETIF_F_RXCSUM | NETIF_F_RXHASH;
	netdev->features = OFFLOADS | NETIF_F_RXCSUM | NETIF_F_GSO_ROBUST;
	netdev->vlan_features = OFFLOADS;
	netif_set_tso_max_size(netdev, MAX_MTU);
	netif_carrier_off(netdev);
}

/**
 * netfront_update_carrier() - show the link's state
 * @info: a device whose backend has connected
 *
 * Context: RTNL held.
 */
void netfront_update_carrier(struct netfront *info)
{
	if (netfront_read_carrier(info))
		netif_carrier_on(info->netdev);
	else
		netif_carrier_off(info->netdev);
}

/**
 * netfront_update_mtu() - follow the toolstack's wish, when it changes
 * @info: a device whose backend has connected
 *
 * Scripts of the backend's domain write it before the backend connects.
 *
 * Context: RTNL held.
 */
void netfront_update_mtu(struct netfront *info)
{
	struct net_device *netdev = info->netdev;
	unsigned int mtu = netfront_read_mtu(info);

	if (!mtu || mtu == info->mtu_key)
		return;
	info->mtu_key = mtu;
	if (dev_set_mtu(netdev, mtu))
		netdev_warn(netdev, "mtu=%u: must be %u to %u\n", mtu,
			    netdev->min_mtu, netdev->max_mtu);
}

/*
 * Every stop of a queue is a switch to the backend's domain and back: without
 * a floor, the dynamic limit of a busy queue becomes so low that there are
 * twice as many.
 */
static void set_queue_limits(struct netfront *info)
{
	struct netdev_queue *txq;
	unsigned int i;

	for (i = 0; i < info->max_queues; i++) {
		txq = netdev_get_tx_queue(info->netdev, i);
		netdev_queue_set_dql_min_limit(txq, MIN_QUEUED);
	}
}

static int register_first(struct netfront *info)
{
	struct net_device *netdev = info->netdev;
	u8 mac[ETH_ALEN];
	int ret;

	ret = netfront_read_mac(info, mac);
	if (ret)
		return ret;
	eth_hw_addr_set(netdev, mac);
	ret = register_netdev(netdev);
	if (!ret)
		set_queue_limits(info);
	return ret;
}

static int update(struct netfront *info)
{
	struct net_device *netdev = info->netdev;
	int ret = 0;

	rtnl_lock();
	netdev_update_features(netdev);
	if (netdev->mtu > netdev->max_mtu)
		ret = dev_set_mtu(netdev, netdev->max_mtu);
	rtnl_unlock();
	return ret;
}

/**
 * netfront_netdev_update() - fit the interface to the backend's features
 * @info: a device with queues
 *
 * The first time it is registered. If that fails late, it cannot be tried again.
 *
 * Return: 0 or -errno.
 */
int netfront_netdev_update(struct netfront *info)
{
	struct net_device *netdev = info->netdev;

	netdev->max_mtu = info->features.sg ? MAX_MTU : ETH_DATA_LEN;
	xdp_set_features_flag(netdev, info->features.xdp ? XDP_FEATURES : 0);
	switch (netdev->reg_state) {
	case NETREG_UNINITIALIZED:
		return register_first(info);
	case NETREG_REGISTERED:
		return update(info);
	default:
		return -ENODEV;
	}
}

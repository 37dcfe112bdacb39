// SPDX-License-Identifier: GPL-2.0
/*
 * The network device of a vif.
 */
#include "netback.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

#define OFFLOADS	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_IP_CSUM | \
			 NETIF_F_IPV6_CSUM | NETIF_F_TSO | NETIF_F_TSO6)
/* With all its headers a packet's length fits 16 bits. */
#define MAX_MTU		(ETH_MAX_MTU - VLAN_ETH_HLEN)

static void start_queue(struct netback_queue *queue)
{
	napi_enable(&queue->napi);
	/* An event may have come before there was anybody to serve it. */
	local_bh_disable();
	napi_schedule(&queue->napi);
	local_bh_enable();
}

static void start_queues(struct netback_vif *vif)
{
	unsigned int i;

	if (vif->running || !vif->connected || !netif_running(vif->net))
		return;
	for (i = 0; i < vif->nr_queues; i++)
		start_queue(&vif->queues[i]);
	vif->running = true;
	for (i = 0; i < vif->nr_queues; i++)
		netback_rx_start(&vif->queues[i]);
}

static void stop_queue(struct netback_queue *queue)
{
	napi_disable(&queue->napi);
	hrtimer_cancel(&queue->credit_timer);
	queue->throttled = false;
	netback_pool_stop(&queue->pool);
	netback_rx_purge(queue);
	netback_hold_stop(queue);
	timer_delete_sync(&queue->rx_timer);
	/* When it is served again its guest has all the time once more. */
	netback_rx_revive(queue);
}

static void stop_queues(struct netback_vif *vif)
{
	unsigned int i;

	if (!vif->running)
		return;
	vif->running = false;
	/* Waits for packets that are being put into rings. */
	netif_tx_disable(vif->net);
	for (i = 0; i < vif->nr_queues; i++)
		stop_queue(&vif->queues[i]);
	/* NAPI may have woken a queue meanwhile. */
	netif_tx_disable(vif->net);
}

static int open(struct net_device *net)
{
	struct netback_vif *vif = netdev_priv(net);

	start_queues(vif);
	/* The guest is told about its link. */
	netback_kick(vif);
	return 0;
}

static int stop(struct net_device *net)
{
	struct netback_vif *vif = netdev_priv(net);

	stop_queues(vif);
	netback_kick(vif);
	return 0;
}

static netdev_tx_t drop(struct sk_buff *skb)
{
	dev_core_stats_tx_dropped_inc(skb->dev);
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static netdev_tx_t start_xmit(struct sk_buff *skb, struct net_device *net)
{
	struct netback_vif *vif = netdev_priv(net);
	u16 index = skb_get_queue_mapping(skb);

	/* A console in the network may send where nothing can be copied. */
	if (unlikely(!vif->running || index >= vif->nr_queues ||
		     irqs_disabled()))
		return drop(skb);
	if (unlikely(READ_ONCE(vif->queues[index].broken)))
		return drop(skb);
	return netback_xmit(&vif->queues[index], skb, netdev_xmit_more());
}

static u16 select_queue(struct net_device *net, struct sk_buff *skb,
			struct net_device *sb_dev)
{
	int queue = netback_hash_select(netdev_priv(net), skb);

	if (queue < 0)
		return netdev_pick_tx(net, skb, sb_dev);
	return queue;
}

static netdev_features_t fix_features(struct net_device *net,
				      netdev_features_t features)
{
	struct netback_vif *vif = netdev_priv(net);

	if (!vif->can_sg)
		features &= ~(NETIF_F_SG | NETIF_F_FRAGLIST);
	if (!(vif->gso_mask & BIT(XEN_NETIF_GSO_TYPE_TCPV4)))
		features &= ~NETIF_F_TSO;
	if (!(vif->gso_mask & BIT(XEN_NETIF_GSO_TYPE_TCPV6)))
		features &= ~NETIF_F_TSO6;
	if (!vif->ip_csum)
		features &= ~NETIF_F_IP_CSUM;
	if (!vif->ipv6_csum)
		features &= ~NETIF_F_IPV6_CSUM;
	return features;
}

static void add_tx_stats(struct rtnl_link_stats64 *sum,
			 const struct netback_tx_stats *stats)
{
	sum->rx_packets += u64_stats_read(&stats->packets);
	sum->rx_bytes += u64_stats_read(&stats->bytes);
	sum->rx_dropped += u64_stats_read(&stats->no_memory);
	sum->rx_errors += u64_stats_read(&stats->malformed) +
			  u64_stats_read(&stats->copy_failed) +
			  u64_stats_read(&stats->bad_offload);
}

static void add_rx_stats(struct rtnl_link_stats64 *sum,
			 const struct netback_rx_stats *stats)
{
	sum->tx_packets += u64_stats_read(&stats->packets);
	sum->tx_bytes += u64_stats_read(&stats->bytes);
	sum->tx_dropped += u64_stats_read(&stats->filtered) +
			   u64_stats_read(&stats->too_big);
	sum->tx_errors += u64_stats_read(&stats->copy_failed);
}

/* The guest's transmit is what this device receives. */
static void get_stats64(struct net_device *net, struct rtnl_link_stats64 *sum)
{
	struct netback_vif *vif = netdev_priv(net);
	unsigned int i;

	for (i = 0; i < netback_max_queues; i++) {
		add_tx_stats(sum, &vif->stats[i].tx);
		add_rx_stats(sum, &vif->stats[i].rx);
	}
}

/* Without scatter-gather a packet has one frame of the guest. */
static int max_mtu(const struct netback_vif *vif)
{
	if (vif->can_sg)
		return MAX_MTU;
	return NET_FRAME_SIZE - VLAN_ETH_HLEN - vif->xdp_headroom;
}

static int change_mtu(struct net_device *net, int mtu)
{
	struct netback_vif *vif = netdev_priv(net);

	if (mtu > max_mtu(vif))
		return -EINVAL;
	vif->wanted_mtu = mtu;
	net->mtu = mtu;
	return 0;
}

/* A frontend may take less than the last one, which the next need not. */
static void fit_mtu(struct netback_vif *vif)
{
	int wanted = vif->wanted_mtu;
	int mtu = min(wanted, max_mtu(vif));

	if (mtu == vif->net->mtu)
		return;
	if (net_ratelimit())
		netdev_info(vif->net,
			    "MTU %u becomes %d, as the guest takes it\n",
			    vif->net->mtu, mtu);
	dev_set_mtu(vif->net, mtu);
	vif->wanted_mtu = wanted;
}

static const struct net_device_ops netdev_ops = {
	.ndo_open = open,
	.ndo_stop = stop,
	.ndo_start_xmit = start_xmit,
	.ndo_select_queue = select_queue,
	.ndo_fix_features = fix_features,
	.ndo_get_stats64 = get_stats64,
	.ndo_change_mtu = change_mtu,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void setup(struct net_device *net, struct xenbus_device *xdev)
{
	/* Never taken for the station that a bridge knows by its ports. */
	static const u8 addr[ETH_ALEN] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };

	SET_NETDEV_DEV(net, &xdev->dev);
	net->netdev_ops = &netdev_ops;
	net->ethtool_ops = &netback_ethtool_ops;
	net->hw_features = OFFLOADS;
	net->features = OFFLOADS | NETIF_F_RXCSUM;
	net->min_mtu = ETH_MIN_MTU;
	net->max_mtu = MAX_MTU;
	netif_set_tso_max_size(net, GSO_LEGACY_MAX_SIZE);
	/* An skb is in a list of ours for a while. */
	net->priv_flags &= ~IFF_TX_SKB_SHARING;
	eth_hw_addr_set(net, addr);
	netif_carrier_off(net);
}

struct netback_vif *netback_alloc(struct xenbus_device *xdev,
				  unsigned int handle)
{
	struct netback_vif *vif;
	struct net_device *net;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "vif%u.%u", xdev->otherend_id, handle);
	net = alloc_netdev_mq(sizeof(*vif), name, NET_NAME_UNKNOWN, ether_setup,
			      netback_max_queues);
	if (!net)
		return NULL;
	setup(net, xdev);

	vif = netdev_priv(net);
	vif->net = net;
	vif->xdev = xdev;
	/* Until a frontend has said what it takes. */
	vif->can_sg = true;
	vif->wanted_mtu = net->mtu;
	netback_coalesce_init(&vif->coalesce);
	vif->stats = kvcalloc(netback_max_queues, sizeof(*vif->stats),
			      GFP_KERNEL);
	if (!vif->stats) {
		free_netdev(net);
		return NULL;
	}
	return vif;
}

void netback_free(struct netback_vif *vif)
{
	kvfree(vif->stats);
	free_netdev(vif->net);
}

int netback_start(struct netback_vif *vif)
{
	struct net_device *net = vif->net;
	int ret;

	rtnl_lock();
	ret = netif_set_real_num_queues(net, vif->nr_queues, vif->nr_queues);
	if (ret)
		goto unlock;
	fit_mtu(vif);
	netdev_update_features(net);
	atomic_set(&vif->stalled, 0);
	vif->connected = true;
	start_queues(vif);
	netif_carrier_on(net);
unlock:
	rtnl_unlock();
	return ret;
}

void netback_stop(struct netback_vif *vif)
{
	rtnl_lock();
	netif_carrier_off(vif->net);
	stop_queues(vif);
	vif->connected = false;
	rtnl_unlock();
}

void netback_stall(struct netback_vif *vif)
{
	bool stalled = atomic_read(&vif->stalled);

	if (stalled == !netif_carrier_ok(vif->net))
		return;
	rtnl_lock();
	stalled = atomic_read(&vif->stalled);
	if (!vif->connected || stalled == !netif_carrier_ok(vif->net))
		goto unlock;
	if (stalled) {
		netdev_warn(vif->net, "guest posts no buffers: no carrier\n");
		netif_carrier_off(vif->net);
	} else {
		netdev_info(vif->net, "carrier again\n");
		netif_carrier_on(vif->net);
	}
unlock:
	rtnl_unlock();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The backend's filter for multicast addresses, for backends that have one.
 *
 * Addresses travel as requests to transmit nothing. A backend with dynamic
 * control takes a change of the key that says whether to filter at any time,
 * others when they connect. Everything here is done by the state machine.
 */
#include "netfront.h"

#include <linux/delay.h>

/* How long to wait for room in the ring, in units of 1 ms. */
#define PATIENCE	100

/* What the stack wants to receive. */
struct wanted {
	bool all;
	unsigned int nr;
	u8 addr[NETFRONT_MAX_MULTICAST][ETH_ALEN];
};

static void collect(struct net_device *netdev, struct wanted *want)
{
	struct netdev_hw_addr *ha;

	want->nr = 0;
	netif_addr_lock_bh(netdev);
	want->all = netdev->flags & (IFF_PROMISC | IFF_ALLMULTI) ||
		    netdev_mc_count(netdev) > NETFRONT_MAX_MULTICAST;
	if (!want->all)
		netdev_for_each_mc_addr(ha, netdev)
			ether_addr_copy(want->addr[want->nr++], ha->addr);
	netif_addr_unlock_bh(netdev);
}

static bool contains(const u8 (*list)[ETH_ALEN], unsigned int nr,
		     const u8 *addr)
{
	while (nr--)
		if (!memcmp(list[nr], addr, ETH_ALEN))
			return true;
	return false;
}

static bool send_once(struct netfront_queue *queue, u8 type, const u8 *addr)
{
	int ret;

	__netif_tx_lock_bh(queue->txq);
	ret = netfront_tx_request(queue, type, addr);
	if (!ret) {
		netfront_tx_push(queue);
		if (netfront_tx_ask(queue))
			napi_schedule(&queue->napi);
	}
	__netif_tx_unlock_bh(queue->txq);
	return !ret;
}

static bool send(struct netfront *info, u8 type, const u8 *addr)
{
	unsigned int tries;

	for (tries = 0; tries < PATIENCE; tries++) {
		if (send_once(&info->queues[0], type, addr))
			return true;
		usleep_range(1000, 2000);
	}
	return false;
}

static bool forget_others(struct netfront *info, const struct wanted *want)
{
	struct netfront_multicast *mc = &info->multicast;
	unsigned int i = 0;

	while (i < mc->nr) {
		if (contains(want->addr, want->nr, mc->addr[i])) {
			i++;
			continue;
		}
		if (!send(info, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, mc->addr[i]))
			return false;
		ether_addr_copy(mc->addr[i], mc->addr[--mc->nr]);
	}
	return true;
}

static bool add_new(struct netfront *info, const struct wanted *want)
{
	struct netfront_multicast *mc = &info->multicast;
	unsigned int i;

	for (i = 0; i < want->nr; i++) {
		if (contains(mc->addr, mc->nr, want->addr[i]))
			continue;
		if (!send(info, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, want->addr[i]))
			return false;
		ether_addr_copy(mc->addr[mc->nr++], want->addr[i]);
	}
	return true;
}

static void set_filter(struct netfront *info, bool on)
{
	struct netfront_multicast *mc = &info->multicast;

	if (mc->on == on)
		return;
	if (!info->features.dynamic_multicast) {
		WRITE_ONCE(info->renew, true);
		return;
	}
	if (!xenbus_printf(XBT_NIL, info->xbdev->nodename,
			   "request-multicast-control", "%u", on))
		mc->on = on;
}

/**
 * netfront_multicast_begin() - what a new connection asks for
 * @info: the device
 *
 * Return: the value of request-multicast-control.
 */
bool netfront_multicast_begin(struct netfront *info)
{
	struct netfront_multicast *mc = &info->multicast;
	struct wanted want;

	collect(info->netdev, &want);
	mc->nr = 0;
	WRITE_ONCE(mc->changed, true);
	/* With dynamic control nothing is lost before the list is there. */
	mc->on = info->features.multicast && !info->features.dynamic_multicast &&
		 !want.all && !READ_ONCE(mc->failed);
	return mc->on;
}

/**
 * netfront_multicast_update() - bring the filter to what the stack wants
 * @info: a device with running queues
 */
void netfront_multicast_update(struct netfront *info)
{
	struct netfront_multicast *mc = &info->multicast;
	const struct netfront_features *f = &info->features;
	struct wanted want;

	if (!xchg(&mc->changed, false) || (!f->multicast && !f->dynamic_multicast))
		return;
	collect(info->netdev, &want);
	if (want.all || READ_ONCE(mc->failed)) {
		set_filter(info, false);
		return;
	}
	/* Removal first: the backend's list has the size of ours. */
	if (forget_others(info, &want) && add_new(info, &want))
		set_filter(info, true);
	else
		set_filter(info, false);
}

/**
 * netfront_multicast_refused() - note that the backend's list is smaller
 * @info: the device
 *
 * Context: any.
 */
void netfront_multicast_refused(struct netfront *info)
{
	WRITE_ONCE(info->multicast.failed, true);
	netfront_multicast_changed(info);
}

/**
 * netfront_multicast_changed() - have the filter updated soon
 * @info: the device
 *
 * Context: any.
 */
void netfront_multicast_changed(struct netfront *info)
{
	WRITE_ONCE(info->multicast.changed, true);
	netfront_kick(info);
}

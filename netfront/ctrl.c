// SPDX-License-Identifier: GPL-2.0
/*
 * Client of the control ring: how the backend hashes packets and chooses their
 * queues. The ring is made only for interfaces that use it (ethtool -K rxhash,
 * or -X). One request is made at a time, by the state machine.
 */
#include "netfront.h"

#include <linux/ethtool.h>
#include <linux/jiffies.h>
#include <linux/rtnetlink.h>
#include <xen/page.h>

/* A backend that takes longer is not asked again. */
#define TIMEOUT		HZ

#define ALL_TYPES	(XEN_NETIF_CTRL_HASH_TYPE_IPV4 |	\
			 XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP |	\
			 XEN_NETIF_CTRL_HASH_TYPE_IPV6 |	\
			 XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

static irqreturn_t interrupt(int irq, void *data)
{
	struct netfront_ctrl *ctrl = data;

	event_channel_eoi(&ctrl->ec, xchg(&ctrl->waiting, false));
	complete(&ctrl->answered);
	return IRQ_HANDLED;
}

/**
 * netfront_ctrl_create() - make the ring, if the interface uses it
 * @info: a device without connection
 *
 * Return: 0 or -errno.
 */
int netfront_ctrl_create(struct netfront *info)
{
	struct netfront_ctrl *ctrl = &info->ctrl;
	int ret;

	ctrl->usable = false;
	if (!info->features.ctrl_ring ||
	    !(info->netdev->wanted_features & NETIF_F_RXHASH))
		return 0;

	ret = xenbus_setup_ring(info->xbdev, GFP_NOIO, &ctrl->shared, 1,
				&ctrl->ring_ref);
	if (ret)
		return ret;
	ring_front_init(&ctrl->ring,
			(struct ring_shared __peer __force *)ctrl->shared,
			XEN_PAGE_SIZE, NET_CTRL_SLOT_SIZE);
	init_completion(&ctrl->answered);
	ret = event_channel_alloc(&ctrl->ec, info->xbdev, interrupt,
				  dev_name(&info->xbdev->dev), ctrl);
	if (ret) {
		netfront_ctrl_destroy(info);
		return ret;
	}
	ctrl->usable = true;
	return 0;
}

/**
 * netfront_ctrl_destroy() - free the ring
 * @info: a device; one without ring is left alone
 */
void netfront_ctrl_destroy(struct netfront *info)
{
	struct netfront_ctrl *ctrl = &info->ctrl;

	ctrl->usable = false;
	if (!ctrl->shared)
		return;
	event_channel_free(&ctrl->ec, ctrl);
	xenbus_teardown_ring(&ctrl->shared, 1, &ctrl->ring_ref);
}

/* Events without an answer do not make the wait longer. */
static int wait_for_answer(struct netfront_ctrl *ctrl)
{
	unsigned long end = jiffies + TIMEOUT, left = TIMEOUT;
	int pending;

	while (left && time_before(jiffies, end)) {
		WRITE_ONCE(ctrl->waiting, true);
		pending = ring_front_arm(&ctrl->ring, 1);
		if (pending)
			return min(pending, 0);
		left = wait_for_completion_timeout(&ctrl->answered, left);
	}
	return -ETIMEDOUT;
}

static int check_answer(const struct xen_netif_ctrl_request *req,
			const struct xen_netif_ctrl_response *rsp)
{
	if (rsp->id != req->id || rsp->type != req->type)
		return -EPROTO;
	switch (rsp->status) {
	case XEN_NETIF_CTRL_STATUS_SUCCESS:
		return 0;
	case XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	case XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW:
		return -ENOSPC;
	default:
		return -EINVAL;
	}
}

static int ask(struct netfront *info, u16 type, u32 arg0, u32 arg1)
{
	struct netfront_ctrl *ctrl = &info->ctrl;
	struct xen_netif_ctrl_request req = {
		.id = ctrl->ring.req_prod,
		.type = type,
		.data = { arg0, arg1 },
	};
	struct xen_netif_ctrl_response rsp;
	int ret;

	ring_front_put(&ctrl->ring, &req, sizeof(req));
	if (ring_front_push(&ctrl->ring))
		event_channel_notify(&ctrl->ec);
	ret = wait_for_answer(ctrl);
	if (ret) {
		/* Nobody can tell any more which answer would be whose. */
		ctrl->usable = false;
		return ret;
	}
	ring_front_get(&ctrl->ring, &rsp, sizeof(rsp));
	return check_answer(&req, &rsp);
}

/* A request with data. @arg1: its size in the request's units */
static int ask_with(struct netfront *info, u16 type, const void *data,
		    size_t size, u32 arg1)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	grant_ref_t ref;
	int ret;

	if (!page)
		return -ENOMEM;
	ref = grant_ref_alloc(&info->budget);
	if (!ref) {
		__free_page(page);
		return -ENOSPC;
	}
	memcpy(page_address(page), data, size);
	gnttab_page_grant_foreign_access_ref_one(ref, info->xbdev->otherend_id,
						 page, 1);
	ret = ask(info, type, ref, arg1);
	grant_ref_end(&info->budget, ref, page);
	return ret;
}

static int program(struct netfront *info, const struct netfront_hash *hash)
{
	int ret;

	ret = ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM,
		  XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, 0);
	ret = ret ?: ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, ALL_TYPES, 0);
	ret = ret ?: ask_with(info, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY,
			      hash->key, sizeof(hash->key), sizeof(hash->key));
	ret = ret ?: ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE,
			 NETFRONT_HASH_ENTRIES, 0);
	return ret ?: ask_with(info, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING,
			       hash->queue, sizeof(hash->queue),
			       NETFRONT_HASH_ENTRIES);
}

/* A table made for more queues would be refused. */
static void fit_table(struct netfront *info)
{
	struct netfront_hash *hash = &info->hash;
	unsigned int i;

	for (i = 0; i < NETFRONT_HASH_ENTRIES; i++)
		if (hash->queue[i] >= info->nr_queues)
			break;
	if (hash->chosen && i == NETFRONT_HASH_ENTRIES)
		return;
	hash->chosen = false;
	for (i = 0; i < NETFRONT_HASH_ENTRIES; i++)
		hash->queue[i] = ethtool_rxfh_indir_default(i, info->nr_queues);
}

/**
 * netfront_ctrl_update() - tell the backend how to hash, if that has changed
 * @info: a connected device
 */
void netfront_ctrl_update(struct netfront *info)
{
	struct netfront_hash copy;
	bool on;
	int ret;

	if (!info->ctrl.usable || !xchg(&info->hash_changed, false))
		return;
	rtnl_lock();
	fit_table(info);
	copy = info->hash;
	on = info->netdev->features & NETIF_F_RXHASH;
	rtnl_unlock();

	if (on)
		ret = program(info, &copy);
	else
		ret = ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM,
			  XEN_NETIF_CTRL_HASH_ALGORITHM_NONE, 0);
	if (ret)
		netdev_warn(info->netdev,
			    "backend refuses hash settings: error %d\n", ret);
}

/**
 * netfront_hash_changed() - have the backend told about new settings
 * @info: the device
 *
 * The first time that needs a connection with a control ring.
 *
 * Context: RTNL held.
 */
void netfront_hash_changed(struct netfront *info)
{
	WRITE_ONCE(info->hash_changed, true);
	if (!info->ctrl.usable)
		WRITE_ONCE(info->renew, true);
	netfront_kick(info);
}

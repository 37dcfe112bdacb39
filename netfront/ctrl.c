// SPDX-License-Identifier: GPL-2.0
/*
 * Client of the control ring: how the backend hashes packets and chooses their
 * queues, and what it keeps mapped. The ring is made only for interfaces that
 * use it: with a hash (ethtool -K rxhash, or -X), or with a backend that takes
 * static grants. One request is made at a time, by the state machine.
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

	bool statics = info->features.static_grants &&
		       netfront_params.static_grants;

	ctrl->usable = false;
	ctrl->hashing = false;
	info->statics = false;
	if (!info->features.ctrl_ring ||
	    (!statics && !(info->netdev->wanted_features & NETIF_F_RXHASH)))
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
	info->statics = statics;
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

static int exchange(struct netfront *info, struct xen_netif_ctrl_request *req,
		    struct xen_netif_ctrl_response *rsp)
{
	struct netfront_ctrl *ctrl = &info->ctrl;
	int ret;

	if (!ctrl->usable)
		return -ENOTCONN;
	req->id = ctrl->ring.req_prod;
	ring_front_put(&ctrl->ring, req, sizeof(*req));
	if (ring_front_push(&ctrl->ring))
		event_channel_notify(&ctrl->ec);
	ret = wait_for_answer(ctrl);
	if (ret) {
		/* Nobody can tell any more which answer would be whose. */
		ctrl->usable = false;
		return ret;
	}
	ring_front_get(&ctrl->ring, rsp, sizeof(*rsp));
	return check_answer(req, rsp);
}

static int ask(struct netfront *info, u16 type, u32 arg)
{
	struct xen_netif_ctrl_request req = { .type = type, .data = { arg } };
	struct xen_netif_ctrl_response rsp;

	return exchange(info, &req, &rsp);
}

/* A request with a table, whose reference goes into @req->data[at]. */
static int ask_with(struct netfront *info, struct xen_netif_ctrl_request *req,
		    unsigned int at, const void *table, size_t size)
{
	struct xen_netif_ctrl_response rsp;
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
	memcpy(page_address(page), table, size);
	/* Some requests are answered in it. */
	gnttab_page_grant_foreign_access_ref_one(ref, info->xbdev->otherend_id,
						 page, 0);
	req->data[at] = ref;
	ret = exchange(info, req, &rsp);
	grant_ref_end(&info->budget, ref, page);
	return ret;
}

static int set_key(struct netfront *info, const struct netfront_hash *hash)
{
	struct xen_netif_ctrl_request req = {
		.type = XEN_NETIF_CTRL_TYPE_SET_HASH_KEY,
		.data = { 0, sizeof(hash->key) },
	};

	return ask_with(info, &req, 0, hash->key, sizeof(hash->key));
}

static int set_table(struct netfront *info, const struct netfront_hash *hash)
{
	struct xen_netif_ctrl_request req = {
		.type = XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING,
		.data = { 0, NETFRONT_HASH_ENTRIES },
	};

	return ask_with(info, &req, 0, hash->queue, sizeof(hash->queue));
}

static int program(struct netfront *info, const struct netfront_hash *hash)
{
	int ret;

	ret = ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM,
		  XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
	ret = ret ?: ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, ALL_TYPES);
	ret = ret ?: set_key(info, hash);
	ret = ret ?: ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE,
			 NETFRONT_HASH_ENTRIES);
	return ret ?: set_table(info, hash);
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
	int ret = 0;

	if (!info->ctrl.usable || !xchg(&info->hash_changed, false))
		return;
	rtnl_lock();
	fit_table(info);
	copy = info->hash;
	on = info->netdev->features & NETIF_F_RXHASH;
	rtnl_unlock();

	if (on)
		ret = program(info, &copy);
	else if (info->ctrl.hashing)
		ret = ask(info, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM,
			  XEN_NETIF_CTRL_HASH_ALGORITHM_NONE);
	info->ctrl.hashing = on;
	if (ret)
		netdev_warn(info->netdev,
			    "backend refuses hash settings: error %d\n", ret);
}

/**
 * netfront_ctrl_gref_room() - how many frames the backend keeps mapped
 * @info: a connected device
 * @queue: number of a queue
 *
 * Return: the number, 0 if it does not say.
 */
u32 netfront_ctrl_gref_room(struct netfront *info, unsigned int queue)
{
	struct xen_netif_ctrl_request req = {
		.type = NET_CTRL_GET_GREF_MAPPING_SIZE,
		.data = { queue },
	};
	struct xen_netif_ctrl_response rsp;

	return exchange(info, &req, &rsp) ? 0 : rsp.data;
}

/**
 * netfront_ctrl_grefs() - have the backend map frames, or unmap them
 * @info: a connected device
 * @type: NET_CTRL_ADD_GREF_MAPPING or NET_CTRL_DEL_GREF_MAPPING
 * @queue: number of a queue
 * @list: the frames
 * @nr: how many, at most NET_GREFS_PER_FRAME
 *
 * Return: 0 or -errno.
 */
int netfront_ctrl_grefs(struct netfront *info, u16 type, unsigned int queue,
			const struct net_gref *list, unsigned int nr)
{
	struct xen_netif_ctrl_request req = {
		.type = type,
		.data = { queue, 0, nr },
	};

	return ask_with(info, &req, 1, list, nr * sizeof(*list));
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

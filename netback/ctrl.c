// SPDX-License-Identifier: GPL-2.0
/*
 * The control ring.
 *
 * Protocol: netif.h, "Control ring" and "Control messages".
 */
#include "netback.h"

#include <linux/slab.h>

/* Requests to be served before others have their turn. */
#define BUDGET	16

/* What a request may refer to. */
union table {
	u8 key[TOEPLITZ_KEY_MAX];
	u32 map[NETBACK_HASH_MAP_MAX];
};

static_assert(sizeof(union table) <= NET_FRAME_SIZE);

struct transfer {
	struct grant_copy_batch copies;
	struct page *page;
	int err;
};

/* Copy the first @len bytes of a frame, at most NET_FRAME_SIZE, either way. */
static int transfer(const struct netback_vif *vif, grant_ref_t ref, void *data,
		    u32 len, bool to_peer)
{
	struct grant_copy_span span = {
		.domid = vif->xdev->otherend_id,
		.ref = ref,
		.len = len,
		.to_peer = to_peer,
	};
	struct transfer *transfer;
	int err = -ENOMEM;

	transfer = kzalloc(sizeof(*transfer), GFP_KERNEL);
	if (!transfer)
		return -ENOMEM;
	transfer->page = alloc_page(GFP_KERNEL);
	if (!transfer->page)
		goto free;

	if (to_peer)
		memcpy(page_address(transfer->page), data, len);
	span.page = transfer->page;
	grant_copy_add(&transfer->copies, &span, &transfer->err);
	grant_copy_run(&transfer->copies);
	err = transfer->err;
	if (!err && !to_peer)
		memcpy(data, page_address(transfer->page), len);
	__free_page(transfer->page);
free:
	kfree(transfer);
	return err;
}

static int fetch(const struct netback_vif *vif, grant_ref_t ref, void *dst,
		 u32 len)
{
	return len ? transfer(vif, ref, dst, len, false) : 0;
}

/* Where a hash may have to be told, packets need a slot for it from now on. */
static u32 set_algorithm(struct netback_vif *vif, u32 algorithm)
{
	if (algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE) {
		/* Between packets, which have slots counted without it. */
		netif_tx_lock_bh(vif->net);
		vif->may_hash = true;
		netif_tx_unlock_bh(vif->net);
	}
	return netback_hash_set_algorithm(&vif->hash, algorithm);
}

static u32 set_key(struct netback_vif *vif, grant_ref_t ref, u32 len)
{
	union table table;

	if (len > sizeof(table.key))
		return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
	if (fetch(vif, ref, table.key, len))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return netback_hash_set_key(&vif->hash, table.key, len);
}

static u32 set_map(struct netback_vif *vif, grant_ref_t ref, u32 len,
		   u32 offset)
{
	union table table;
	u32 status;

	status = netback_hash_check_map(&vif->hash, len, offset);
	if (status)
		return status;
	if (fetch(vif, ref, table.map, len * sizeof(*table.map)))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return netback_hash_set_map(&vif->hash, table.map, len, offset,
				    vif->nr_queues);
}

static u32 get_mapping_size(const struct netback_vif *vif, u32 index, u32 *size)
{
	if (!netback_max_static_grants)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	if (index >= vif->nr_queues)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	*size = netback_max_static_grants;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static int add_mappings(struct netback_vif *vif, u32 index, grant_ref_t ref,
			struct net_gref *list, u32 nr)
{
	int ret = fetch(vif, ref, list, nr * sizeof(*list));

	if (ret) {
		net_warn_ratelimited("%s: queue %u: no access to a list of static grants with reference %u: error %d\n",
				     vif->net->name, index, ref, ret);
		return ret;
	}
	return netback_mapping_add(&vif->queues[index], list, nr);
}

/* What was unmapped stays so even if the guest cannot be told which it is. */
static int del_mappings(struct netback_vif *vif, u32 index, grant_ref_t ref,
			struct net_gref *list, u32 nr, u32 *done)
{
	u32 len = nr * sizeof(*list);
	int ret;

	ret = fetch(vif, ref, list, len);
	if (!ret)
		ret = netback_mapping_del(&vif->queues[index], list, nr);
	if (ret >= 0) {
		*done = ret;
		ret = transfer(vif, ref, list, len, true);
	}
	if (ret)
		net_warn_ratelimited("%s: queue %u: no access to a list of static grants with reference %u: error %d\n",
				     vif->net->name, index, ref, ret);
	return ret;
}

/* A list of no entries is refused, too. */
static u32 change_mappings(struct netback_vif *vif,
			   const struct xen_netif_ctrl_request *req, u32 *done)
{
	u32 index = req->data[0], nr = req->data[2];
	struct net_gref *list;
	int ret;

	if (!netback_max_static_grants)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	if (index >= vif->nr_queues || !nr || nr > NET_GREFS_PER_FRAME)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	list = kmalloc_array(nr, sizeof(*list), GFP_KERNEL);
	if (!list)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	if (req->type == NET_CTRL_ADD_GREF_MAPPING)
		ret = add_mappings(vif, index, req->data[1], list, nr);
	else
		ret = del_mappings(vif, index, req->data[1], list, nr, done);
	kfree(list);
	return ret ? XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER :
		     XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static u32 carry_out(struct netback_vif *vif,
		     const struct xen_netif_ctrl_request *req, u32 *data)
{
	struct netback_hash *hash = &vif->hash;

	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		return set_algorithm(vif, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
		return netback_hash_get_flags(hash, data);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
		return netback_hash_set_flags(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		return set_key(vif, req->data[0], req->data[1]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
		*data = NETBACK_HASH_MAP_MAX;
		return XEN_NETIF_CTRL_STATUS_SUCCESS;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		return netback_hash_set_map_size(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		return set_map(vif, req->data[0], req->data[1], req->data[2]);
	case NET_CTRL_GET_GREF_MAPPING_SIZE:
		return get_mapping_size(vif, req->data[0], data);
	case NET_CTRL_ADD_GREF_MAPPING:
	case NET_CTRL_DEL_GREF_MAPPING:
		return change_mappings(vif, req, data);
	default:
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	}
}

static void answer(struct netback_vif *vif)
{
	struct ring_back *back = &vif->ctrl.back;
	struct xen_netif_ctrl_response rsp = {};
	struct xen_netif_ctrl_request req;

	ring_back_get(back, &req, sizeof(req));
	rsp.id = req.id;
	rsp.type = req.type;
	rsp.status = carry_out(vif, &req, &rsp.data);
	ring_back_put(back, &rsp, sizeof(rsp));
}

/* Returns how many were answered, or -EPROTO. */
static int serve(struct netback_vif *vif)
{
	struct netback_ctrl *ctrl = &vif->ctrl;
	int pending = ring_back_pending(&ctrl->back);
	int i;

	if (pending < 0)
		return pending;
	pending = min(pending, BUDGET);
	for (i = 0; i < pending; i++)
		answer(vif);
	if (ring_back_push(&ctrl->back))
		event_channel_notify(&ctrl->ec);
	return pending;
}

/* Without an EOI no further event comes. */
static void stop_broken(struct netback_vif *vif)
{
	vif->ctrl.broken = true;
	frontend_error(vif->xdev, -EPROTO,
		       "control ring has impossible indices, it is not served any more");
}

static void serve_ring(struct work_struct *work)
{
	struct netback_ctrl *ctrl = container_of(work, struct netback_ctrl,
						 work);
	struct netback_vif *vif = container_of(ctrl, struct netback_vif, ctrl);
	int done, more;

	done = serve(vif);
	more = done < 0 ? done : ring_back_arm(&ctrl->back, 1);
	if (more < 0)
		stop_broken(vif);
	else if (more)
		queue_work(netback_wq, work);
	else
		event_channel_eoi(&ctrl->ec, done);
}

/* The work says EOI: until then this does not run again. */
static irqreturn_t interrupt(int irq, void *data)
{
	struct netback_vif *vif = data;

	queue_work(netback_wq, &vif->ctrl.work);
	return IRQ_HANDLED;
}

static int bind(struct netback_vif *vif, evtchn_port_t port)
{
	int ret = event_channel_bind(&vif->ctrl.ec, vif->xdev, port, interrupt,
				     vif->net->name, vif);

	if (ret)
		frontend_fatal(vif->xdev, ret, "binding event channel %u",
			       port);
	return ret;
}

int netback_ctrl_connect(struct netback_vif *vif)
{
	const char *dir = vif->xdev->otherend;
	struct netback_ctrl *ctrl = &vif->ctrl;
	evtchn_port_t port;
	grant_ref_t ref;
	int ret;

	if (!xenbus_exists(XBT_NIL, dir, "ctrl-ring-ref"))
		return 0;
	ret = netback_read_ref(vif, dir, "ctrl-ring-ref", &ref);
	if (ret)
		return ret;
	ret = netback_read_port(vif, dir, "event-channel-ctrl", &port);
	if (ret)
		return ret;

	ret = netback_map_ring(vif, ref, NET_CTRL_SLOT_SIZE, &ctrl->back,
			       &ctrl->shared);
	if (ret)
		return ret;
	ctrl->broken = false;
	INIT_WORK(&ctrl->work, serve_ring);
	ret = bind(vif, port);
	if (ret)
		xenbus_unmap_ring_vfree(vif->xdev, ctrl->shared);
	return ret;
}

void netback_ctrl_disconnect(struct netback_vif *vif)
{
	struct netback_ctrl *ctrl = &vif->ctrl;

	if (!ctrl->ec.irq)
		return;
	/* Waits for the handler; then nothing starts the work but itself. */
	disable_irq(ctrl->ec.irq);
	/* Waits for the work, which still sends events. */
	cancel_work_sync(&ctrl->work);
	event_channel_free(&ctrl->ec, vif);
	xenbus_unmap_ring_vfree(vif->xdev, ctrl->shared);
}

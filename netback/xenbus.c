// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a vif, derived from what xenstore says now.
 *
 * Protocol: netif.h, and net.md section 4 for what peers really do.
 */
#include "netback.h"

#include <linux/kobject.h>
#include <linux/slab.h>

int netback_offer(struct netback_vif *vif)
{
	const struct xenstore_key keys[] = {
		{ "feature-sg", 1 },
		{ "feature-gso-tcpv4", 1 },
		{ "feature-gso-tcpv6", 1 },
		{ "feature-ipv6-csum-offload", 1 },
		{ "feature-rx-copy", 1 },
		{ "feature-rx-flip", 0 },
		{ "feature-xdp-headroom", 1 },
		{ "feature-multicast-control", 1 },
		{ "feature-dynamic-multicast-control", 1 },
		{ "feature-split-event-channels", netback_split_channels },
		{ "multi-queue-max-queues", netback_max_queues },
		{ "feature-ctrl-ring", 1 },
		/* Our own key: offloads also of packets with a VLAN tag. */
		{ "feature-vlan-offload", 1 },
		/* Our own key: it is worth asking for them on the control ring. */
		{ "feature-static-grants", netback_max_static_grants > 0 },
		{ "carrier", 0 },
	};

	return xenstore_offer(vif->xdev, keys, ARRAY_SIZE(keys));
}

void netback_announce(struct netback_vif *vif)
{
	vif->announced = true;
	kobject_uevent(&vif->xdev->dev.kobj, KOBJ_ONLINE);
}

void netback_withdraw(struct netback_vif *vif)
{
	if (!vif->announced)
		return;
	vif->announced = false;
	vif->hotplugged = false;
	vif->up = false;
	xenbus_rm(XBT_NIL, vif->xdev->nodename, "hotplug-status");
	kobject_uevent(&vif->xdev->dev.kobj, KOBJ_OFFLINE);
}

static void follow_hotplug(struct netback_vif *vif)
{
	char *status;

	if (vif->hotplugged || !vif->announced)
		return;
	status = xenbus_read(XBT_NIL, vif->xdev->nodename, "hotplug-status",
			     NULL);
	if (IS_ERR(status))
		return;
	vif->hotplugged = !strcmp(status, "connected");
	kfree(status);
}

/* A rate of nothing is no limit, as is no time. */
static int parse_rate(const char *text, u32 *bytes, u32 *usec)
{
	unsigned long long b, u;
	char junk;

	*bytes = 0;
	*usec = 0;
	if (!text[0])
		return 0;
	if (sscanf(text, "%llu,%llu%c", &b, &u, &junk) != 2 || b > U32_MAX ||
	    u > U32_MAX)
		return -EINVAL;
	*bytes = b;
	*usec = u;
	return 0;
}

static void set_rate(struct netback_vif *vif, const char *text)
{
	u32 bytes, usec;

	if (parse_rate(text, &bytes, &usec))
		xenbus_dev_error(vif->xdev, -EINVAL,
				 "rate=%.32s: must be bytes,microseconds; there is no limit",
				 text);

	spin_lock_bh(&vif->credit.lock);
	credit_set(&vif->credit.bucket, bytes, usec, ktime_get_ns());
	spin_unlock_bh(&vif->credit.lock);
}

static void follow_rate(struct netback_vif *vif)
{
	char *rate = xenbus_read(XBT_NIL, vif->xdev->nodename, "rate", NULL);
	const char *text = IS_ERR(rate) ? "" : rate;

	if (strncmp(text, vif->rate, sizeof(vif->rate) - 1)) {
		strscpy(vif->rate, text, sizeof(vif->rate));
		set_rate(vif, text);
	}
	if (!IS_ERR(rate))
		kfree(rate);
}

static void follow_mcast(struct netback_vif *vif)
{
	WRITE_ONCE(vif->mcast.filter,
		   xenbus_read_unsigned(vif->xdev->otherend,
					"request-multicast-control", 0));
}

/* A key must not bring back a directory that the toolstack has removed. */
static int write_carrier(void *data, struct xenbus_transaction xbt)
{
	struct netback_vif *vif = data;
	const char *dir = vif->xdev->nodename;

	if (!xenbus_exists(xbt, dir, "state"))
		return -ENOENT;
	return xenbus_printf(xbt, dir, "carrier", "%u", vif->up);
}

/* The link of the guest is the state of our end. */
static void show_carrier(struct netback_vif *vif)
{
	bool up = netif_running(vif->net);

	/* One that is not announced any more is about to be removed. */
	if (up == vif->up || !vif->announced)
		return;
	vif->up = up;
	if (xenstore_transaction(write_carrier, vif))
		vif->up = !up;
}

static void report_broken(struct netback_vif *vif)
{
	unsigned int i;

	for (i = 0; i < vif->nr_queues; i++) {
		struct netback_queue *queue = &vif->queues[i];
		const char *why = READ_ONCE(queue->broken);

		if (!why || queue->reported)
			continue;
		queue->reported = true;
		frontend_error(vif->xdev, -EPROTO,
			       "queue %u is not served any more: %s", i, why);
	}
}

/* What queues have found out. */
static void follow_queues(struct netback_vif *vif)
{
	if (!vif->queues)
		return;
	if (xchg(&vif->failed, false))
		report_broken(vif);
	netback_stall(vif);
}

/* Ready for a frontend to come; it may have waited for us. */
static void wait_for_frontend(struct netback_vif *vif)
{
	if (!READ_ONCE(vif->wanted))
		return;
	/* If it had come before, it begins anew, as after kexec. */
	netback_disconnect(vif);
	/* The toolstack may have taken the directory away and made another. */
	if (!vif->announced && netback_offer(vif))
		return;
	xenbus_switch_state(vif->xdev, XenbusStateInitWait);
	if (!vif->announced)
		netback_announce(vif);
}

static void serve(struct netback_vif *vif)
{
	/* After a failure the frontend has to close first. */
	if (vif->queues || vif->xdev->state != XenbusStateInitWait)
		return;
	if (netback_connect(vif))
		dev_dbg(&vif->xdev->dev, "not connected\n");
}

static void show_connected(struct netback_vif *vif)
{
	if (!vif->queues || !vif->hotplugged)
		return;
	switch (vif->xdev->state) {
	case XenbusStateReconfigured:
		/* In-tree frontends say that they want it before they say how
		 * much: only now it has been written for certain.
		 */
		netback_read_headroom(vif);
		fallthrough;
	case XenbusStateInitWait:
		xenbus_switch_state(vif->xdev, XenbusStateConnected);
		break;
	default:
		break;
	}
}

static void reconfigure(struct netback_vif *vif)
{
	if (!vif->queues)
		return;
	netback_read_headroom(vif);
	xenbus_switch_state(vif->xdev, XenbusStateReconfigured);
}

static void close_vif(struct netback_vif *vif)
{
	netback_disconnect(vif);
	/* The toolstack takes the device away when it sees us closed. */
	if (!xenbus_dev_is_online(vif->xdev)) {
		netback_withdraw(vif);
		WRITE_ONCE(vif->wanted, false);
	}
	xenbus_switch_state(vif->xdev, XenbusStateClosed);
}

static void follow_frontend(struct netback_vif *vif)
{
	switch (xenbus_read_driver_state(vif->xdev->otherend)) {
	case XenbusStateInitialising:
		/* One that never came cannot hold the device back. */
		if (xenbus_dev_is_online(vif->xdev))
			wait_for_frontend(vif);
		else
			close_vif(vif);
		break;
	case XenbusStateConnected:
		serve(vif);
		show_connected(vif);
		break;
	case XenbusStateReconfiguring:
		serve(vif);
		reconfigure(vif);
		break;
	case XenbusStateClosing:
		netback_disconnect(vif);
		xenbus_switch_state(vif->xdev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		close_vif(vif);
		break;
	default:
		break;
	}
}

void netback_update(struct work_struct *work)
{
	struct netback_vif *vif = container_of(work, struct netback_vif, work);

	if (READ_ONCE(vif->removed))
		return;
	follow_hotplug(vif);
	follow_rate(vif);
	follow_mcast(vif);
	follow_frontend(vif);
	follow_queues(vif);
	show_carrier(vif);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Network backend: module, parameters, and the life of a vif.
 */
#include "netback.h"

#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "ring/param.h"

unsigned int netback_max_queues;
module_param_named(max_queues, netback_max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues,
		 "Queues offered to a frontend, 1 to 64; 0 = number of CPUs");

bool netback_split_channels = true;
module_param_named(split_channels, netback_split_channels, bool, 0444);
MODULE_PARM_DESC(split_channels,
		 "Offer separate event channels for transmit and receive");

unsigned int netback_copybreak = 1600;
module_param_named(copybreak, netback_copybreak, uint, 0444);
MODULE_PARM_DESC(copybreak,
		 "Packets of up to so many bytes are copied into one buffer, 128 to 3776");

unsigned int netback_stall_seconds = 60;
module_param_named(stall_seconds, netback_stall_seconds, uint, 0444);
MODULE_PARM_DESC(stall_seconds,
		 "Turn the carrier off if a guest posts no buffers for so long, up to 86400; 0 = never");

/* Every buffer of both rings, and some of another kind. */
unsigned int netback_max_static_grants = 2 * NET_RING_SLOTS + 16;
module_param_named(max_static_grants, netback_max_static_grants, uint, 0444);
MODULE_PARM_DESC(max_static_grants,
		 "Frames of a queue that a guest may have mapped for good, up to 2048; 0 = none");

#define MAX_QUEUES		64
#define COPYBREAK_MIN		128
/* A page must hold it, headroom, and what describes an skb's fragments. */
#define COPYBREAK_MAX		(PAGE_SIZE - 320)
#define STALL_SECONDS_MAX	86400
#define STATIC_GRANTS_MAX	2048

/* Handles of this size give names that a network device can have. */
#define HANDLE_MAX		65535

struct workqueue_struct *netback_wq;

/* A uevent may be asked for at any time: what it looks at stays meanwhile. */
static DEFINE_MUTEX(uevent_lock);

static void set_vif(struct xenbus_device *xdev, struct netback_vif *vif)
{
	mutex_lock(&uevent_lock);
	dev_set_drvdata(&xdev->dev, vif);
	mutex_unlock(&uevent_lock);
}

/* What stock udev rules and hotplug scripts find in their environment. */
static int netback_uevent(XENBUS_UEVENT_CONST struct xenbus_device *xdev,
			  struct kobj_uevent_env *env)
{
	struct netback_vif *vif;
	int ret = 0;

	mutex_lock(&uevent_lock);
	vif = dev_get_drvdata(&xdev->dev);
	if (vif)
		ret = add_uevent_var(env, "script=%s", vif->script);
	if (vif && !ret)
		ret = add_uevent_var(env, "vif=%s", vif->net->name);
	mutex_unlock(&uevent_lock);
	return ret;
}

static void xenstore_changed(struct netback_vif *vif)
{
	if (!READ_ONCE(vif->wanted) && frontend_waits(vif->xdev))
		WRITE_ONCE(vif->wanted, true);
	netback_kick(vif);
}

static void watch_fired(struct xenbus_watch *watch, const char *path,
			const char *token)
{
	xenstore_changed(container_of(watch, struct netback_watch, watch)->vif);
}

static void stop_watches(struct netback_vif *vif)
{
	unsigned int i;

	for (i = 0; i < NETBACK_WATCHES; i++)
		xenstore_unwatch(&vif->watches[i].watch);
}

static int start_watches(struct netback_vif *vif)
{
	struct xenbus_device *xdev = vif->xdev;
	const struct {
		const char *dir;
		const char *key;
	} keys[NETBACK_WATCHES] = {
		[NETBACK_WATCH_ONLINE]	= { xdev->nodename, "online" },
		[NETBACK_WATCH_HOTPLUG]	= { xdev->nodename, "hotplug-status" },
		[NETBACK_WATCH_RATE]	= { xdev->nodename, "rate" },
		[NETBACK_WATCH_MCAST]	= { xdev->otherend,
					    "request-multicast-control" },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < NETBACK_WATCHES && !ret; i++) {
		vif->watches[i].vif = vif;
		/* Reports its failure. */
		ret = xenstore_watch(xdev, &vif->watches[i].watch, watch_fired,
				     keys[i].dir, keys[i].key);
	}
	if (ret)
		stop_watches(vif);
	return ret;
}

static int read_handle(struct xenbus_device *xdev, unsigned int *handle)
{
	int ret = xenbus_scanf(XBT_NIL, xdev->nodename, "handle", "%u", handle);

	if (ret != 1) {
		ret = ret < 0 ? ret : -EINVAL;
		xenbus_dev_fatal(xdev, ret, "reading handle");
		return ret;
	}
	if (*handle > HANDLE_MAX) {
		xenbus_dev_fatal(xdev, -EINVAL, "handle=%u: must be 0 to %u",
				 *handle, HANDLE_MAX);
		return -EINVAL;
	}
	return 0;
}

static struct netback_vif *create_vif(struct xenbus_device *xdev)
{
	struct netback_vif *vif;
	unsigned int handle;
	char *script;
	int ret;

	ret = read_handle(xdev, &handle);
	if (ret)
		return ERR_PTR(ret);
	script = xenbus_read(XBT_NIL, xdev->nodename, "script", NULL);
	if (IS_ERR(script)) {
		xenbus_dev_fatal(xdev, PTR_ERR(script), "reading script");
		return ERR_CAST(script);
	}

	vif = netback_alloc(xdev, handle);
	if (!vif) {
		kfree(script);
		xenbus_dev_fatal(xdev, -ENOMEM, "allocating the device");
		return ERR_PTR(-ENOMEM);
	}
	vif->script = script;
	vif->wanted = true;
	INIT_WORK(&vif->work, netback_update);
	spin_lock_init(&vif->credit.lock);
	netback_mcast_init(vif);
	return vif;
}

static void free_vif(struct netback_vif *vif)
{
	kfree(vif->script);
	netback_free(vif);
}

static int add_netdev(struct netback_vif *vif)
{
	int ret = register_netdev(vif->net);

	if (ret)
		xenbus_dev_fatal(vif->xdev, ret, "registering %s",
				 vif->net->name);
	return ret;
}

static void remove_vif(struct netback_vif *vif)
{
	/* The frontend's state is not followed any more, nor is xenstore. */
	stop_watches(vif);
	/* The work ends, and does nothing when a queue or the network device
	 * asks for it.
	 */
	WRITE_ONCE(vif->removed, true);
	cancel_work_sync(&vif->work);

	netback_withdraw(vif);
	netback_disconnect(vif);
	/* Waits for all who look at the network device, but for uevents. */
	unregister_netdev(vif->net);
	set_vif(vif->xdev, NULL);
	cancel_work_sync(&vif->work);
	free_vif(vif);
}

static int netback_probe(struct xenbus_device *xdev,
			 const struct xenbus_device_id *id)
{
	struct netback_vif *vif = create_vif(xdev);
	int ret;

	if (IS_ERR(vif))
		return PTR_ERR(vif);

	ret = netback_offer(vif);
	if (ret)
		goto free;
	/* Before the toolstack can see us wait, and run its script. */
	ret = add_netdev(vif);
	if (ret)
		goto free;
	set_vif(xdev, vif);

	xenbus_switch_state(xdev, XenbusStateInitWait);
	netback_announce(vif);
	/* From here on the work says what state to be in. */
	ret = start_watches(vif);
	if (ret)
		goto remove;
	netback_kick(vif);
	return 0;

remove:
	remove_vif(vif);
	return ret;
free:
	free_vif(vif);
	return ret;
}

/*
 * All is undone on return: the next device may have the same name, and after an
 * unbind the frontend may find another backend at once.
 */
static void netback_remove(struct xenbus_device *xdev)
{
	remove_vif(dev_get_drvdata(&xdev->dev));
}

static void frontend_changed(struct xenbus_device *xdev,
			     enum xenbus_state state)
{
	xenstore_changed(dev_get_drvdata(&xdev->dev));
}

static const struct xenbus_device_id netback_ids[] = {
	{ "vif" },
	{ "" }
};

static struct xenbus_driver netback_driver = {
	.name = "netback",
	.ids = netback_ids,
	.probe = netback_probe,
	.remove = netback_remove,
	.uevent = netback_uevent,
	.otherend_changed = frontend_changed,
	/* Rings are taken over as they are: the guest need not notice. */
	.allow_rebind = true,
};

static int check_parameters(void)
{
	int ret;

	ret = param_check("max_queues", netback_max_queues, 0, MAX_QUEUES);
	ret = ret ?: param_check("copybreak", netback_copybreak, COPYBREAK_MIN,
				 COPYBREAK_MAX);
	ret = ret ?: param_check("stall_seconds", netback_stall_seconds, 0,
				 STALL_SECONDS_MAX);
	ret = ret ?: param_check("max_static_grants", netback_max_static_grants,
				 0, STATIC_GRANTS_MAX);
	if (!netback_max_queues)
		netback_max_queues = min(num_online_cpus(), MAX_QUEUES);
	return ret;
}

static int __init netback_init(void)
{
	int ret;

	if (!xen_domain()) {
		pr_err("not running on Xen\n");
		return -ENODEV;
	}
	ret = check_parameters();
	if (ret)
		return ret;

	ret = netback_passes_alloc();
	if (ret)
		return ret;

	/* Not for memory reclaim: it flushes queues of the network core. */
	ret = -ENOMEM;
	netback_wq = alloc_workqueue("netback", WQ_UNBOUND,
				     WQ_UNBOUND_MAX_ACTIVE);
	if (!netback_wq)
		goto free_passes;

	ret = xenbus_register_backend(&netback_driver);
	if (ret)
		goto free_wq;
	return 0;

free_wq:
	destroy_workqueue(netback_wq);
free_passes:
	netback_passes_free();
	return ret;
}
module_init(netback_init);

static void __exit netback_exit(void)
{
	xenbus_unregister_driver(&netback_driver);
	destroy_workqueue(netback_wq);
	netback_passes_free();
}
module_exit(netback_exit);

MODULE_DESCRIPTION("Xen network backend");
MODULE_AUTHOR("The xsplit authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(XSPLIT_VERSION);
MODULE_ALIAS("xen-backend:vif");
MODULE_IMPORT_NS(XSPLIT);

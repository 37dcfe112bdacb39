// SPDX-License-Identifier: GPL-2.0
/*
 * Network frontend: module, parameters, probe and remove.
 */
#include "netfront.h"

#include <linux/module.h>
#include <linux/slab.h>
#include <xen/platform_pci.h>
#include <xen/xen.h>

#include "ring/param.h"

struct netfront_params netfront_params = {
	.tx_copybreak = NETFRONT_SLICE_SIZE,
	.rx_copybreak = 256,
	.trusted = true,
	.static_grants = true,
	.hand_over = true,
};

module_param_named(max_queues, netfront_params.max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues,
		 "Maximum number of queues per interface (default: one per CPU, at most 8)");
module_param_named(tx_copybreak, netfront_params.tx_copybreak, uint, 0444);
MODULE_PARM_DESC(tx_copybreak,
		 "Packets up to this many bytes are copied when sent, not granted (default: 256)");
module_param_named(rx_copybreak, netfront_params.rx_copybreak, uint, 0444);
MODULE_PARM_DESC(rx_copybreak,
		 "Packets up to this many bytes are copied when received (default: 256)");
module_param_named(split_channels, netfront_params.split_channels, bool, 0444);
MODULE_PARM_DESC(split_channels,
		 "An event channel for each direction, if the backend can (default: N)");
module_param_named(trusted, netfront_params.trusted, bool, 0644);
MODULE_PARM_DESC(trusted,
		 "Backends of new connections may see memory beside the data (default: Y)");
module_param_named(static_grants, netfront_params.static_grants, bool, 0444);
MODULE_PARM_DESC(static_grants,
		 "Copy through pages that backends keep mapped, if they can (default: Y)");
module_param_named(hand_over, netfront_params.hand_over, bool, 0644);
MODULE_PARM_DESC(hand_over,
		 "Offer the CPU to backends that answer at once before waiting for an event (default: Y)");

#define MAX_QUEUES		64
#define DEFAULT_QUEUES		8
#define MAX_RX_COPYBREAK	NET_FRAME_SIZE
/* A poll's worth of packets, or about what it takes to wake a guest twice. */
#define HELD_FRAMES		NAPI_POLL_WEIGHT
#define HELD_USECS		64

struct workqueue_struct *netfront_wq;

static int check_params(void)
{
	struct netfront_params *p = &netfront_params;
	unsigned int cpus = num_online_cpus();
	int ret;

	ret = param_check("max_queues", p->max_queues, 0, MAX_QUEUES);
	ret = ret ?: param_check("tx_copybreak", p->tx_copybreak, 0,
				 NETFRONT_SLICE_SIZE);
	ret = ret ?: param_check("rx_copybreak", p->rx_copybreak, 0,
				 MAX_RX_COPYBREAK);
	if (!p->max_queues)
		p->max_queues = min_t(unsigned int, cpus, DEFAULT_QUEUES);
	return ret;
}

static int alloc_info(struct xenbus_device *xbdev, struct netfront *info)
{
	info->xbdev = xbdev;
	info->max_queues = netfront_params.max_queues;
	info->want_queues = info->max_queues;
	info->coalesce.tx_frames = NET_RING_SLOTS;
	info->coalesce.adaptive_rx = true;
	info->coalesce.rx_frames = HELD_FRAMES;
	info->coalesce.rx_usecs = HELD_USECS;
	netdev_rss_key_fill(info->hash.key, sizeof(info->hash.key));
	info->not_before = jiffies;
	grant_budget_init(&info->budget);
	INIT_DELAYED_WORK(&info->work, netfront_state_work);
	INIT_DELAYED_WORK(&info->announce, netfront_announce);
	netfront_static_init(info);

	info->stats = kcalloc(info->max_queues, sizeof(*info->stats),
			      GFP_KERNEL);
	info->backend = kstrdup(xbdev->otherend, GFP_KERNEL);
	if (info->stats && info->backend)
		return 0;
	kfree(info->stats);
	kfree(info->backend);
	return -ENOMEM;
}

static int netfront_probe(struct xenbus_device *xbdev,
			  const struct xenbus_device_id *id)
{
	struct net_device *netdev;
	struct netfront *info;
	int ret;

	netdev = alloc_etherdev_mq(sizeof(*info), netfront_params.max_queues);
	if (!netdev)
		return -ENOMEM;
	SET_NETDEV_DEV(netdev, &xbdev->dev);
	netfront_netdev_init(netdev);

	info = netdev_priv(netdev);
	info->netdev = netdev;
	ret = alloc_info(xbdev, info);
	if (ret) {
		free_netdev(netdev);
		return ret;
	}
	dev_set_drvdata(&xbdev->dev, info);
	/* The watch on the backend's state starts with an event. */
	return 0;
}

static void netfront_remove(struct xenbus_device *xbdev)
{
	struct netfront *info = dev_get_drvdata(&xbdev->dev);
	struct net_device *netdev = info->netdev;

	/* No more watches; the state machine ends ... */
	cancel_delayed_work_sync(&info->work);
	cancel_delayed_work_sync(&info->announce);
	netfront_close(info);
	if (netdev->reg_state == NETREG_REGISTERED)
		unregister_netdev(netdev);
	/* ... and again, if the stack or a last response has kicked it. */
	cancel_delayed_work_sync(&info->work);
	cancel_delayed_work_sync(&info->announce);

	dev_set_drvdata(&xbdev->dev, NULL);
	kfree(info->stats);
	kfree(info->backend);
	free_netdev(netdev);
}

static const struct xenbus_device_id netfront_ids[] = {
	{ "vif" },
	{ "" }
};

static struct xenbus_driver netfront_driver = {
	.name = KBUILD_MODNAME,
	.ids = netfront_ids,
	.probe = netfront_probe,
	.remove = netfront_remove,
	.otherend_changed = netfront_backend_changed,
	.suspend = netfront_suspend,
	.resume = netfront_resume,
};

static int __init netfront_init(void)
{
	int ret;

	if (!xen_domain() || !xen_has_pv_nic_devices()) {
		pr_err("no paravirtual interfaces here: %s\n",
		       xen_domain() ? "emulated ones were not unplugged" :
				      "not running on Xen");
		return -ENODEV;
	}
	ret = check_params();
	if (ret)
		return ret;

	netfront_wq = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	if (!netfront_wq)
		return -ENOMEM;
	ret = xenbus_register_frontend(&netfront_driver);
	if (ret)
		destroy_workqueue(netfront_wq);
	return ret;
}
module_init(netfront_init);

static void __exit netfront_exit(void)
{
	xenbus_unregister_driver(&netfront_driver);
	destroy_workqueue(netfront_wq);
}
module_exit(netfront_exit);

MODULE_DESCRIPTION("Xen split drivers: network frontend");
MODULE_AUTHOR("The xsplit authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(XSPLIT_VERSION);
MODULE_IMPORT_NS(XSPLIT);
MODULE_ALIAS("xen:vif");
MODULE_ALIAS("xennet");

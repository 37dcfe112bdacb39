// SPDX-License-Identifier: GPL-2.0
/*
 * Block frontend: module, parameters, probe and remove.
 */
#include "blkfront.h"

#include <linux/major.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/page.h>
#include <xen/platform_pci.h>
#include <xen/xen.h>

#include "ring/param.h"

#define DEV_NAME	"xvd"

struct blkfront_params blkfront_params = {
	.max_ring_page_order = XENBUS_MAX_RING_GRANT_ORDER,
	.max_indirect_segments = BLKFRONT_MAX_SEGS,
	.feature_persistent = true,
	.trusted = true,
	.hand_over = true,
};

module_param_named(max_queues, blkfront_params.max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues,
		 "Maximum number of rings per disk (default: one per CPU)");
module_param_named(max_ring_page_order, blkfront_params.max_ring_page_order,
		   uint, 0444);
MODULE_PARM_DESC(max_ring_page_order,
		 "Maximum order of pages per ring (default: 4)");
module_param_named(max_indirect_segments,
		   blkfront_params.max_indirect_segments, uint, 0444);
MODULE_PARM_DESC(max_indirect_segments,
		 "Maximum number of 4 KiB segments per request (default: 256)");
module_param_named(feature_persistent, blkfront_params.feature_persistent,
		   bool, 0644);
MODULE_PARM_DESC(feature_persistent,
		 "Offer persistent grants to new connections (default: Y)");
module_param_named(trusted, blkfront_params.trusted, bool, 0644);
MODULE_PARM_DESC(trusted,
		 "Backends of new connections may see memory beside the data (default: Y)");
module_param_named(hand_over, blkfront_params.hand_over, bool, 0644);
MODULE_PARM_DESC(hand_over,
		 "Offer the CPU to backends that answer at once before waiting for an event (default: Y)");

#define MAX_QUEUES	64

struct workqueue_struct *blkfront_wq;
/* The in-tree driver may have it: minors follow from the device's number. */
static bool own_major;

static int check_params(void)
{
	struct blkfront_params *p = &blkfront_params;
	unsigned int cpus = num_online_cpus();
	int ret;

	ret = param_check("max_queues", p->max_queues, 0, MAX_QUEUES);
	ret = ret ?: param_check("max_ring_page_order", p->max_ring_page_order,
				 0, XENBUS_MAX_RING_GRANT_ORDER);
	ret = ret ?: param_check("max_indirect_segments",
				 p->max_indirect_segments,
				 BLKIF_MAX_SEGMENTS_PER_REQUEST,
				 BLKFRONT_MAX_SEGS);
	/* More rings than CPUs would only cost memory. */
	p->max_queues = min(p->max_queues ?: cpus, cpus);
	return ret;
}

static int read_vdevice(struct xenbus_device *xbdev, unsigned int *vdevice)
{
	int ret;

	ret = xenbus_scanf(XBT_NIL, xbdev->nodename, "virtual-device", "%i",
			   vdevice);
	if (ret != 1)
		ret = xenbus_scanf(XBT_NIL, xbdev->nodename,
				   "virtual-device-ext", "%i", vdevice);
	if (ret == 1)
		return 0;
	ret = ret < 0 ? ret : -EINVAL;
	xenbus_dev_fatal(xbdev, ret, "reading virtual-device");
	return ret;
}

/* A domain with emulated devices may see this one as such already. */
static bool is_emulated(struct xenbus_device *xbdev, unsigned int vdevice)
{
	bool cdrom;
	char *type;

	if (!xen_hvm_domain())
		return false;

	/* Without unplug, only numbers that no emulated disk has are ours. */
	if (xen_has_pv_and_legacy_disk_devices() && !(vdevice >> 28) &&
	    vdevice >> 8 != XENVBD_MAJOR)
		return true;

	/* CD-ROM drives stay emulated even after unplug. */
	type = xenbus_read(XBT_NIL, xbdev->nodename, "device-type", NULL);
	if (IS_ERR(type))
		return true;
	cdrom = strstarts(type, "cdrom");
	kfree(type);
	return cdrom;
}

static void init_rings(struct blkfront *info)
{
	struct blkfront_ring *ring;
	unsigned int i;

	for (i = 0; i < info->max_rings; i++) {
		ring = &info->rings[i];
		ring->info = info;
		ring->index = i;
		spin_lock_init(&ring->lock);
		tasklet_setup(&ring->tasklet, blkfront_complete);
	}
}

static struct blkfront *alloc_info(struct xenbus_device *xbdev)
{
	unsigned int rings = blkfront_params.max_queues;
	struct blkfront *info;

	info = kzalloc(struct_size(info, rings, rings), GFP_KERNEL);
	if (!info)
		return NULL;
	info->backend = kstrdup(xbdev->otherend, GFP_KERNEL);
	if (!info->backend) {
		kfree(info);
		return NULL;
	}
	info->xbdev = xbdev;
	info->max_rings = rings;
	init_rings(info);
	grant_budget_init(&info->budget);
	INIT_DELAYED_WORK(&info->work, blkfront_state_work);
	INIT_WORK(&info->add_work, blkfront_disk_add);
	INIT_DEFERRABLE_WORK(&info->shrink_work, blkfront_shrink);
	return info;
}

static int blkfront_probe(struct xenbus_device *xbdev,
			  const struct xenbus_device_id *id)
{
	unsigned int vdevice, handle;
	struct blkfront *info;
	int ret;

	ret = read_vdevice(xbdev, &vdevice);
	if (ret)
		return ret;
	/* The last part of the directory's name is the device's number. */
	ret = kstrtouint(strrchr(xbdev->nodename, '/') + 1, 0, &handle);
	if (ret)
		return ret;
	if (is_emulated(xbdev, vdevice))
		return -ENODEV;

	info = alloc_info(xbdev);
	if (!info)
		return -ENOMEM;
	info->vdevice = vdevice;
	info->handle = handle;
	dev_set_drvdata(&xbdev->dev, info);
	/* The watch on the backend's state starts with an event. */
	return 0;
}

static void blkfront_remove(struct xenbus_device *xbdev)
{
	struct blkfront *info = dev_get_drvdata(&xbdev->dev);

	/* No more watches; the state machine ends ... */
	cancel_delayed_work_sync(&info->work);
	blkfront_close(info);
	/* ... and again, if a last response was an offence. */
	cancel_delayed_work_sync(&info->work);

	dev_set_drvdata(&xbdev->dev, NULL);
	kfree(info->backend);
	info->backend = NULL;
	blkfront_disk_put(info);
}

static int blkfront_is_ready(struct xenbus_device *xbdev)
{
	struct blkfront *info = dev_get_drvdata(&xbdev->dev);

	return !info || READ_ONCE(info->added) ||
	       READ_ONCE(info->state) == BLKFRONT_DEAD;
}

static const struct xenbus_device_id blkfront_ids[] = {
	{ "vbd" },
	{ "" }
};

static struct xenbus_driver blkfront_driver = {
	.name = KBUILD_MODNAME,
	.ids = blkfront_ids,
	.probe = blkfront_probe,
	.remove = blkfront_remove,
	.otherend_changed = blkfront_backend_changed,
	.suspend = blkfront_suspend,
	.resume = blkfront_resume,
	.is_ready = blkfront_is_ready,
};

static int __init blkfront_init(void)
{
	int ret;

	if (!xen_domain() || !xen_has_pv_disk_devices()) {
		pr_err("no paravirtual disks here: %s\n",
		       xen_domain() ? "emulated ones were not unplugged" :
				      "not running on Xen");
		return -ENODEV;
	}
	ret = check_params();
	if (ret)
		return ret;

	blkfront_wq = alloc_workqueue(KBUILD_MODNAME,
				      WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!blkfront_wq)
		return -ENOMEM;

	ret = register_blkdev(XENVBD_MAJOR, DEV_NAME);
	if (ret && ret != -EBUSY)
		goto err_wq;
	own_major = !ret;

	ret = xenbus_register_frontend(&blkfront_driver);
	if (ret)
		goto err_major;
	return 0;

err_major:
	if (own_major)
		unregister_blkdev(XENVBD_MAJOR, DEV_NAME);
err_wq:
	destroy_workqueue(blkfront_wq);
	return ret;
}
module_init(blkfront_init);

static void __exit blkfront_exit(void)
{
	xenbus_unregister_driver(&blkfront_driver);
	if (own_major)
		unregister_blkdev(XENVBD_MAJOR, DEV_NAME);
	destroy_workqueue(blkfront_wq);
}
module_exit(blkfront_exit);

MODULE_DESCRIPTION("Xen split drivers: block frontend");
MODULE_AUTHOR("The xsplit authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(XSPLIT_VERSION);
MODULE_IMPORT_NS(XSPLIT);
MODULE_ALIAS_BLOCKDEV_MAJOR(XENVBD_MAJOR);
MODULE_ALIAS("xen:vbd");
MODULE_ALIAS("xenblk");

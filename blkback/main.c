// SPDX-License-Identifier: GPL-2.0
/*
 * Block backend: module, parameters, and the life of a vbd.
 */
#include "blkback.h"

#include <linux/blkdev.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "ring/param.h"

unsigned int blkback_max_queues;
module_param_named(max_queues, blkback_max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues,
		 "Queues offered to a frontend, 1 to 64; 0 = number of CPUs");

unsigned int blkback_max_ring_page_order = XENBUS_MAX_RING_GRANT_ORDER;
module_param_named(max_ring_page_order, blkback_max_ring_page_order, uint,
		   0444);
MODULE_PARM_DESC(max_ring_page_order,
		 "Largest ring offered, as an order of pages, 0 to 4");

unsigned int blkback_max_persistent_grants = 4096;
module_param_named(max_persistent_grants, blkback_max_persistent_grants, uint,
		   0644);
MODULE_PARM_DESC(max_persistent_grants,
		 "Frames of a frontend that stay mapped, per device");

unsigned int blkback_max_buffer_pages = 4096;
module_param_named(max_buffer_pages, blkback_max_buffer_pages, uint, 0644);
MODULE_PARM_DESC(max_buffer_pages,
		 "Pages of I/O under way, per device; at least 512 per queue");

unsigned int blkback_persistent_unused_seconds = 60;
module_param_named(persistent_grant_unused_seconds,
		   blkback_persistent_unused_seconds, uint, 0644);
MODULE_PARM_DESC(persistent_grant_unused_seconds,
		 "Unmap persistent grants that were not used for so long");

unsigned int blkback_copy_segments = 16;
module_param_named(copy_segments, blkback_copy_segments, uint, 0644);
MODULE_PARM_DESC(copy_segments,
		 "Without persistent grants, copy requests of up to so many segments and map larger ones");

unsigned int blkback_poll_us = 20;
module_param_named(poll_us, blkback_poll_us, uint, 0644);
MODULE_PARM_DESC(poll_us,
		 "Microseconds to look for further requests before waiting for an event");

bool blkback_feature_persistent = true;
module_param_named(feature_persistent, blkback_feature_persistent, bool, 0644);
MODULE_PARM_DESC(feature_persistent, "Offer persistent grants");

#define MAX_QUEUES	64

struct workqueue_struct *blkback_wq;
struct kmem_cache *blkback_req_cache;

/* Protects the list, and of each vbd what blkback.h says. */
DEFINE_MUTEX(blkback_vbds_lock);
static LIST_HEAD(vbds);

/*
 * Nothing tells us when a device changes its size, or when a ring has been idle
 * for long. The look costs no wakeup: it waits until the CPU is awake for
 * another reason.
 */
#define LOOK_INTERVAL	HZ

static void look_at_vbds(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(look_work, look_at_vbds);

static void look_at_vbd(struct blkback_vbd *vbd)
{
	unsigned int i;

	if (READ_ONCE(vbd->limits.capacity) != bdev_nr_sectors(vbd->bdev))
		blkback_kick(vbd);
	for (i = 0; i < vbd->nr_rings; i++)
		if (blkback_purge_due(&vbd->rings[i]))
			wake_up_process(vbd->rings[i].thread);
}

static void look_at_vbds(struct work_struct *work)
{
	struct blkback_vbd *vbd;

	mutex_lock(&blkback_vbds_lock);
	list_for_each_entry(vbd, &vbds, all)
		if (vbd->serving)
			look_at_vbd(vbd);
	if (!list_empty(&vbds))
		queue_delayed_work(blkback_wq, &look_work, LOOK_INTERVAL);
	mutex_unlock(&blkback_vbds_lock);
}

static void list_vbd(struct blkback_vbd *vbd)
{
	mutex_lock(&blkback_vbds_lock);
	list_add_tail(&vbd->all, &vbds);
	queue_delayed_work(blkback_wq, &look_work, LOOK_INTERVAL);
	mutex_unlock(&blkback_vbds_lock);
}

static void unlist_vbd(struct blkback_vbd *vbd)
{
	mutex_lock(&blkback_vbds_lock);
	list_del(&vbd->all);
	mutex_unlock(&blkback_vbds_lock);
}

static void xenstore_changed(struct blkback_vbd *vbd)
{
	if (!READ_ONCE(vbd->wanted) && frontend_waits(vbd->dev))
		WRITE_ONCE(vbd->wanted, true);
	blkback_kick(vbd);
}

static void device_named(struct xenbus_watch *watch, const char *path,
			 const char *token)
{
	xenstore_changed(container_of(watch, struct blkback_vbd, watch));
}

static void online_changed(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	xenstore_changed(container_of(watch, struct blkback_vbd, online_watch));
}

static int start_watches(struct blkback_vbd *vbd)
{
	struct xenbus_device *dev = vbd->dev;
	int ret;

	ret = xenstore_watch(dev, &vbd->watch, device_named, dev->nodename,
			     "physical-device");
	if (ret)
		return ret;
	ret = xenstore_watch(dev, &vbd->online_watch, online_changed,
			     dev->nodename, "online");
	if (ret)
		xenstore_unwatch(&vbd->watch);
	return ret;
}

static void set_name(struct blkback_vbd *vbd)
{
	char *dev = xenbus_read(XBT_NIL, vbd->dev->nodename, "dev", NULL);

	snprintf(vbd->name, sizeof(vbd->name), "%d.%s", vbd->dev->otherend_id,
		 IS_ERR(dev) ? strrchr(vbd->dev->nodename, '/') + 1 : dev);
	if (!IS_ERR(dev))
		kfree(dev);
}

static void free_vbd(struct blkback_vbd *vbd)
{
	kfree(vbd->frontend);
	kfree(vbd->stats);
	kfree(vbd);
}

static struct blkback_vbd *alloc_vbd(struct xenbus_device *dev)
{
	struct blkback_vbd *vbd = kzalloc(sizeof(*vbd), GFP_KERNEL);

	if (!vbd)
		return NULL;
	vbd->stats = kcalloc(blkback_max_queues, sizeof(*vbd->stats),
			     GFP_KERNEL);
	vbd->frontend = kstrdup(dev->otherend, GFP_KERNEL);
	if (!vbd->stats || !vbd->frontend) {
		free_vbd(vbd);
		return NULL;
	}
	vbd->dev = dev;
	vbd->wanted = true;
	INIT_WORK(&vbd->work, blkback_update);
	mutex_init(&vbd->barrier_lock);
	init_waitqueue_head(&vbd->barrier_wait);
	set_name(vbd);
	return vbd;
}

void blkback_free(struct blkback_vbd *vbd)
{
	blkback_disconnect(vbd);
	blkback_close(vbd);
	unlist_vbd(vbd);
	/* The rings, until they ended, and the list may have kicked the work,
	 * which is what runs this.
	 */
	cancel_work(&vbd->work);
	free_vbd(vbd);
}

static int blkback_probe(struct xenbus_device *dev,
			 const struct xenbus_device_id *id)
{
	struct blkback_vbd *vbd = alloc_vbd(dev);
	int ret;

	if (!vbd) {
		xenbus_dev_fatal(dev, -ENOMEM, "allocating the device");
		return -ENOMEM;
	}
	dev_set_drvdata(&dev->dev, vbd);

	ret = blkback_offer(vbd);
	if (ret)
		goto free;
	list_vbd(vbd);

	ret = start_watches(vbd);
	if (ret)
		goto unlist;

	xenbus_switch_state(dev, XenbusStateInitWait);
	blkback_kick(vbd);
	return 0;

unlist:
	unlist_vbd(vbd);
free:
	dev_set_drvdata(&dev->dev, NULL);
	free_vbd(vbd);
	return ret;
}

static void blkback_remove(struct xenbus_device *dev)
{
	struct blkback_vbd *vbd = dev_get_drvdata(&dev->dev);
	DECLARE_COMPLETION_ONSTACK(freed);

	xenstore_unwatch(&vbd->online_watch);
	xenstore_unwatch(&vbd->watch);

	/* The toolstack takes a device away in the thread that serves all
	 * devices: the backing device must not keep that waiting. But if the
	 * administrator unbinds it, the frontend may find another backend at
	 * once, so all that was taken must have ended.
	 */
	if (xenbus_exists(XBT_NIL, dev->nodename, "state"))
		vbd->freed = &freed;
	else
		complete(&freed);

	get_device(&dev->dev);
	/* Pairs with smp_load_acquire() in blkback_update(). */
	smp_store_release(&vbd->removed, true);
	blkback_kick(vbd);
	wait_for_completion(&freed);
}

static void frontend_changed(struct xenbus_device *dev,
			     enum xenbus_state state)
{
	xenstore_changed(dev_get_drvdata(&dev->dev));
}

static const struct xenbus_device_id blkback_ids[] = {
	{ "vbd" },
	{ "" }
};

static struct xenbus_driver blkback_driver = {
	.name = "blkback",
	.ids = blkback_ids,
	.probe = blkback_probe,
	.remove = blkback_remove,
	.otherend_changed = frontend_changed,
	.driver.dev_groups = blkback_groups,
};

static int check_parameters(void)
{
	int ret;

	ret = param_check("max_queues", blkback_max_queues, 0, MAX_QUEUES);
	ret = ret ?: param_check("max_ring_page_order",
				 blkback_max_ring_page_order, 0,
				 XENBUS_MAX_RING_GRANT_ORDER);
	if (!blkback_max_queues)
		blkback_max_queues = min(num_online_cpus(), MAX_QUEUES);
	return ret;
}

static int __init blkback_init(void)
{
	int ret;

	if (!xen_domain()) {
		pr_err("not running on Xen\n");
		return -ENODEV;
	}
	ret = check_parameters();
	if (ret)
		return ret;

	blkback_req_cache = KMEM_CACHE(blkback_req, SLAB_HWCACHE_ALIGN);
	if (!blkback_req_cache)
		return -ENOMEM;

	ret = -ENOMEM;
	blkback_wq = alloc_workqueue("blkback", WQ_UNBOUND | WQ_MEM_RECLAIM,
				     WQ_UNBOUND_MAX_ACTIVE);
	if (!blkback_wq)
		goto free_cache;

	ret = xenbus_register_backend(&blkback_driver);
	if (ret)
		goto free_wq;
	return 0;

free_wq:
	destroy_workqueue(blkback_wq);
free_cache:
	kmem_cache_destroy(blkback_req_cache);
	return ret;
}
module_init(blkback_init);

static void __exit blkback_exit(void)
{
	xenbus_unregister_driver(&blkback_driver);
	cancel_delayed_work_sync(&look_work);
	/* Waits for vbds that are still being taken down. */
	destroy_workqueue(blkback_wq);
	kmem_cache_destroy(blkback_req_cache);
}
module_exit(blkback_exit);

MODULE_DESCRIPTION("Xen block backend");
MODULE_AUTHOR("The xsplit authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(XSPLIT_VERSION);
MODULE_ALIAS("xen-backend:vbd");
MODULE_IMPORT_NS(XSPLIT);

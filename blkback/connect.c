// SPDX-License-Identifier: GPL-2.0
/*
 * The backing device, and the rings that a frontend offers.
 */
#include "blkback.h"

#include <linux/blkdev.h>
#include <linux/cdrom.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <xen/interface/io/protocols.h>

/* blkif.h: bits of the "info" key. */
#define INFO_CDROM	0x1
#define INFO_REMOVABLE	0x2
#define INFO_READONLY	0x4

static bool is_cdrom(struct blkback_vbd *vbd)
{
	char *type = xenbus_read(XBT_NIL, vbd->frontend, "device-type", NULL);
	bool cdrom;

	if (IS_ERR(type))
		return false;
	cdrom = !strcmp(type, "cdrom");
	kfree(type);
	return cdrom;
}

static void read_limits(struct blkback_vbd *vbd, bool readonly)
{
	struct block_device *bdev = vbd->bdev;

	vbd->limits = (struct blk_limits) {
		.capacity = bdev_nr_sectors(bdev),
		.block_sectors = bdev_logical_block_size(bdev) >> SECTOR_SHIFT,
		.readonly = readonly,
		.discard = xenbus_read_unsigned(vbd->dev->nodename,
						"discard-enable", 1) &&
			   bdev_max_discard_sectors(bdev),
		.secure = bdev_max_secure_erase_sectors(bdev),
	};
	vbd->info = (is_cdrom(vbd) ? INFO_CDROM : 0) |
		    (bdev->bd_disk->flags & GENHD_FL_REMOVABLE ?
		     INFO_REMOVABLE : 0) |
		    (readonly ? INFO_READONLY : 0);
}

static int open_bdev(struct blkback_vbd *vbd, const char *mode)
{
	bool readonly = !strchr(mode, 'w');
	struct file *file;

	file = bdev_file_open_by_dev(MKDEV(vbd->major, vbd->minor),
				     BLK_OPEN_READ |
				     (readonly ? 0 : BLK_OPEN_WRITE),
				     NULL, NULL);
	if (IS_ERR(file)) {
		/* A frontend may come again and again; once said is enough. */
		if (!vbd->open_failed)
			xenbus_dev_fatal(vbd->dev, PTR_ERR(file),
					 "opening backing device %x:%x, mode %s",
					 vbd->major, vbd->minor, mode);
		else
			xenbus_switch_state(vbd->dev, XenbusStateClosing);
		vbd->open_failed = true;
		return PTR_ERR(file);
	}
	vbd->open_failed = false;
	mutex_lock(&blkback_vbds_lock);
	vbd->bdev_file = file;
	vbd->bdev = file_bdev(file);
	mutex_unlock(&blkback_vbds_lock);
	read_limits(vbd, readonly);
	return 0;
}

int blkback_open(struct blkback_vbd *vbd)
{
	struct xenbus_device *dev = vbd->dev;
	char *mode;
	int ret;

	ret = xenbus_scanf(XBT_NIL, dev->nodename, "physical-device", "%x:%x",
			   &vbd->major, &vbd->minor);
	if (XENBUS_EXIST_ERR(ret))
		return -ENOENT;
	if (ret != 2) {
		ret = ret < 0 ? ret : -EINVAL;
		xenbus_dev_fatal(dev, ret, "reading physical-device");
		return ret;
	}

	mode = xenbus_read(XBT_NIL, dev->nodename, "mode", NULL);
	if (XENBUS_IS_ERR_READ(mode)) {
		xenbus_dev_fatal(dev, PTR_ERR(mode), "reading mode");
		return PTR_ERR(mode);
	}

	ret = open_bdev(vbd, mode);
	if (!ret)
		strscpy(vbd->mode, mode, sizeof(vbd->mode));
	kfree(mode);
	return ret;
}

void blkback_close(struct blkback_vbd *vbd)
{
	struct file *file = vbd->bdev_file;

	if (!file)
		return;
	mutex_lock(&blkback_vbds_lock);
	vbd->bdev_file = NULL;
	vbd->bdev = NULL;
	mutex_unlock(&blkback_vbds_lock);
	bdev_fput(file);
}

/* What the frontend wants; see block.md 4.2 step 6 for the order of keys. */
struct offer {
	enum blk_abi abi;
	unsigned int queues;
	unsigned int order;
	bool single_page;
	bool persistent;
};

static int read_abi(struct blkback_vbd *vbd, enum blk_abi *abi)
{
	char *name = xenbus_read(XBT_NIL, vbd->frontend, "protocol", NULL);
	int ret = 0;

	if (IS_ERR(name)) {
		/* Old 32-bit guests say nothing. */
		*abi = IS_ENABLED(CONFIG_X86) ? BLK_ABI_X86_32 : BLK_ABI_64;
		return 0;
	}
	if (!strcmp(name, XEN_IO_PROTO_ABI_X86_32)) {
		*abi = BLK_ABI_X86_32;
	} else if (!strcmp(name, XEN_IO_PROTO_ABI_X86_64) ||
		   !strcmp(name, XEN_IO_PROTO_ABI_NATIVE)) {
		*abi = BLK_ABI_64;
	} else {
		ret = -EINVAL;
		frontend_fatal(vbd->dev, ret, "unknown protocol %*pE",
			       (int)strnlen(name, 32), name);
	}
	kfree(name);
	return ret;
}

static int read_offer(struct blkback_vbd *vbd, struct offer *offer)
{
	struct xenbus_device *dev = vbd->dev;
	int ret;

	ret = read_abi(vbd, &offer->abi);
	if (ret)
		return ret;

	offer->persistent = blkback_feature_persistent &&
		xenbus_read_unsigned(vbd->frontend, "feature-persistent", 0);

	offer->queues = xenbus_read_unsigned(vbd->frontend,
					     "multi-queue-num-queues", 1);
	if (!offer->queues || offer->queues > blkback_max_queues) {
		frontend_fatal(dev, -EINVAL,
			       "frontend asks for %u queues, at most %u are offered",
			       offer->queues, blkback_max_queues);
		return -EINVAL;
	}

	/* The key alone decides which names the ring references have. */
	ret = xenbus_scanf(XBT_NIL, vbd->frontend, "ring-page-order", "%u",
			   &offer->order);
	offer->single_page = ret != 1;
	if (offer->single_page)
		offer->order = 0;
	if (offer->order > blkback_max_ring_page_order) {
		frontend_fatal(dev, -EINVAL,
			       "frontend asks for ring-page-order %u, at most %u is offered",
			       offer->order, blkback_max_ring_page_order);
		return -EINVAL;
	}
	return 0;
}

/* Where the keys of a ring are: the frontend's directory or one per queue. */
static char *ring_dir(struct blkback_ring *ring)
{
	const char *base = ring->vbd->frontend;

	if (ring->vbd->nr_rings == 1)
		return kstrdup(base, GFP_KERNEL);
	return kasprintf(GFP_KERNEL, "%s/queue-%u", base, ring->index);
}

static int read_ring_refs(struct xenbus_device *dev, const char *dir,
			  const struct offer *offer, grant_ref_t *refs)
{
	char key[24] = "ring-ref";
	unsigned int i;
	int ret = 0;

	if (offer->single_page)
		return xenstore_read_number(dev, dir, key, &refs[0]);
	for (i = 0; i < 1U << offer->order && !ret; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		ret = xenstore_read_number(dev, dir, key, &refs[i]);
	}
	return ret;
}

static int map_ring(struct blkback_ring *ring, const char *dir,
		    const struct offer *offer)
{
	u32 slot = offer->abi == BLK_ABI_64 ? BLK_SLOT_SIZE_64 :
					      BLK_SLOT_SIZE_X86_32;
	struct xenbus_device *dev = ring->vbd->dev;
	grant_ref_t refs[XENBUS_MAX_RING_GRANTS];
	unsigned int pages = 1U << offer->order;
	int ret;

	ret = read_ring_refs(dev, dir, offer, refs);
	if (ret)
		return ret;
	/* Reports its failure. */
	ret = xenbus_map_ring_valloc(dev, refs, pages, &ring->shared);
	if (ret)
		return ret;

	ret = ring_back_attach(&ring->back,
			       (struct ring_shared __force __peer *)ring->shared,
			       pages * XEN_PAGE_SIZE, slot);
	if (ret) {
		frontend_fatal(dev, ret, "ring %u has impossible indices",
			       ring->index);
		xenbus_unmap_ring_vfree(dev, ring->shared);
	}
	return ret;
}

static int bind_ring(struct blkback_ring *ring, const char *dir)
{
	struct xenbus_device *dev = ring->vbd->dev;
	unsigned int port;
	int ret;

	ret = xenstore_read_number(dev, dir, "event-channel", &port);
	if (ret)
		return ret;
	ret = event_channel_bind(&ring->ec, dev, port, blkback_interrupt,
				 "blkback", ring);
	if (ret)
		frontend_fatal(dev, ret, "binding event channel %u", port);
	return ret;
}

static int create_thread(struct blkback_ring *ring)
{
	struct task_struct *thread;

	thread = kthread_create(blkback_ring_thread, ring, "%s-%u",
				ring->vbd->name, ring->index);
	if (IS_ERR(thread)) {
		frontend_fatal(ring->vbd->dev, PTR_ERR(thread),
			       "starting thread of ring %u", ring->index);
		return PTR_ERR(thread);
	}
	/* Whoever ends I/O wakes it, and may be late. */
	ring->thread = get_task_struct(thread);
	return 0;
}

static void init_ring(struct blkback_ring *ring, struct blkback_vbd *vbd,
		      unsigned int index, const struct offer *offer)
{
	ring->vbd = vbd;
	ring->index = index;
	ring->abi = offer->abi;
	ring->stats = &vbd->stats[index];
	ring->max_segs = max_t(unsigned int, BLKBACK_MAX_SEGMENTS * 2,
			       blkback_max_buffer_pages / vbd->nr_rings);
	ring->foreign.max = blkback_max_persistent_grants / vbd->nr_rings;
	INIT_LIST_HEAD(&ring->pages);
	init_llist_head(&ring->done);
	init_llist_head(&ring->late);
	init_llist_head(&ring->freed);
	tasklet_setup(&ring->flush, blkback_flush);
	init_llist_head(&ring->discards);
	INIT_WORK(&ring->discard_work, blkback_discard);
	spin_lock_init(&ring->lock);
	gnttab_page_cache_init(&ring->cache);
}

static int connect_ring(struct blkback_ring *ring, const struct offer *offer)
{
	char *dir = ring_dir(ring);
	int ret;

	if (!dir)
		return -ENOMEM;

	ret = map_ring(ring, dir, offer);
	if (ret)
		goto free_dir;
	ret = create_thread(ring);
	if (ret)
		goto unmap;
	ret = bind_ring(ring, dir);
	if (ret)
		goto stop;
	kfree(dir);
	return 0;

stop:
	kthread_stop(ring->thread);
	put_task_struct(ring->thread);
unmap:
	xenbus_unmap_ring_vfree(ring->vbd->dev, ring->shared);
free_dir:
	kfree(dir);
	return ret;
}

/* Free a ring whose thread has ended, and whom no completion looks at. */
static void free_ring(struct blkback_ring *ring)
{
	/* Who ended or answered the last request may still be leaving. */
	flush_work(&ring->discard_work);
	tasklet_kill(&ring->flush);
	/* Nobody notifies any more; an event that is being handled still wakes
	 * the thread, which is why its reference goes last.
	 */
	event_channel_free(&ring->ec, ring);
	put_task_struct(ring->thread);
	xenbus_unmap_ring_vfree(ring->vbd->dev, ring->shared);
}

static void disconnect_rings(struct blkback_vbd *vbd, unsigned int n)
{
	unsigned int i;

	/* Threads end when all that they took is answered. */
	for (i = 0; i < n; i++)
		kthread_stop(vbd->rings[i].thread);
	/* Pairs with rcu_read_lock() in blkback_done(). */
	synchronize_rcu();
	while (n--)
		free_ring(&vbd->rings[n]);
	kvfree(vbd->rings);
	vbd->rings = NULL;
	vbd->nr_rings = 0;
}

static int connect_rings(struct blkback_vbd *vbd, const struct offer *offer)
{
	unsigned int i;
	int ret;

	vbd->rings = kvcalloc(offer->queues, sizeof(*vbd->rings), GFP_KERNEL);
	if (!vbd->rings)
		return -ENOMEM;
	vbd->nr_rings = offer->queues;

	for (i = 0; i < vbd->nr_rings; i++)
		init_ring(&vbd->rings[i], vbd, i, offer);
	for (i = 0; i < vbd->nr_rings; i++) {
		ret = connect_ring(&vbd->rings[i], offer);
		if (ret) {
			disconnect_rings(vbd, i);
			return ret;
		}
	}
	return 0;
}

static int write_discard(struct blkback_vbd *vbd, struct xenbus_transaction xbt)
{
	const struct xenstore_key keys[] = {
		{ "discard-granularity", bdev_discard_granularity(vbd->bdev) },
		{ "discard-alignment", max(bdev_discard_alignment(vbd->bdev), 0) },
		{ "discard-secure", vbd->limits.secure },
		{ "feature-discard", 1 },
	};
	const char *node = vbd->dev->nodename;

	if (!vbd->limits.discard)
		return xenbus_printf(xbt, node, "feature-discard", "0");
	return xenstore_write_keys(xbt, node, keys, ARRAY_SIZE(keys));
}

static int write_device(void *data, struct xenbus_transaction xbt)
{
	struct blkback_vbd *vbd = data;
	const struct xenstore_key keys[] = {
		{ "feature-flush-cache", bdev_write_cache(vbd->bdev) },
		{ "feature-barrier", bdev_write_cache(vbd->bdev) },
		{ "feature-persistent", blkback_feature_persistent },
		/* Our own key, per ring: more of them are mapped each time. */
		{ "max-persistent-grants", vbd->rings[0].foreign.max },
		{ "sectors", vbd->limits.capacity },
		{ "info", vbd->info },
		{ "sector-size", bdev_logical_block_size(vbd->bdev) },
		{ "physical-sector-size", bdev_physical_block_size(vbd->bdev) },
	};
	int ret;

	ret = xenstore_write_keys(xbt, vbd->dev->nodename, keys,
				  ARRAY_SIZE(keys));
	return ret ?: write_discard(vbd, xbt);
}

static int write_size(void *data, struct xenbus_transaction xbt)
{
	struct blkback_vbd *vbd = data;
	const char *node = vbd->dev->nodename;
	int ret;

	ret = xenbus_printf(xbt, node, "sectors", "%llu", vbd->limits.capacity);
	/* Not a change of state, but what makes the frontend look. */
	return ret ?: xenbus_printf(xbt, node, "state", "%d", vbd->dev->state);
}

static int publish(struct blkback_vbd *vbd,
		   int (*write)(void *data, struct xenbus_transaction xbt))
{
	int ret = xenstore_transaction(write, vbd);

	if (ret)
		xenbus_dev_fatal(vbd->dev, ret, "describing the device");
	return ret;
}

static void start_rings(struct blkback_vbd *vbd)
{
	unsigned int i;

	for (i = 0; i < vbd->nr_rings; i++)
		wake_up_process(vbd->rings[i].thread);
}

static void set_serving(struct blkback_vbd *vbd, bool serving)
{
	mutex_lock(&blkback_vbds_lock);
	vbd->serving = serving;
	mutex_unlock(&blkback_vbds_lock);
}

int blkback_connect(struct blkback_vbd *vbd)
{
	struct offer offer;
	int ret;

	ret = read_offer(vbd, &offer);
	if (ret)
		return ret;
	vbd->persistent = offer.persistent;
	vbd->failed = false;

	ret = connect_rings(vbd, &offer);
	if (ret)
		return ret;
	ret = publish(vbd, write_device);
	if (ret) {
		disconnect_rings(vbd, vbd->nr_rings);
		return ret;
	}

	xenbus_switch_state(vbd->dev, XenbusStateConnected);
	start_rings(vbd);
	set_serving(vbd, true);
	dev_info_ratelimited(&vbd->dev->dev,
			     "%s: %u queue(s), ring-page-order %u, %s layout%s\n",
			     vbd->name, vbd->nr_rings, offer.order,
			     offer.abi == BLK_ABI_64 ? "64-bit" : "32-bit x86",
			     offer.persistent ? ", persistent grants" : "");
	return 0;
}

void blkback_disconnect(struct blkback_vbd *vbd)
{
	if (!vbd->rings)
		return;
	set_serving(vbd, false);
	disconnect_rings(vbd, vbd->nr_rings);
}

void blkback_resize(struct blkback_vbd *vbd)
{
	u64 capacity = bdev_nr_sectors(vbd->bdev);

	if (capacity == vbd->limits.capacity)
		return;
	dev_info(&vbd->dev->dev, "%s: size changed from %llu to %llu sectors\n",
		 vbd->name, vbd->limits.capacity, capacity);
	WRITE_ONCE(vbd->limits.capacity, capacity);
	publish(vbd, write_size);
}

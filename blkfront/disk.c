// SPDX-License-Identifier: GPL-2.0
/*
 * The disk: name, minors, limits, capacity.
 */
#include "blkfront.h"

#include <linux/cdrom.h>
#include <linux/hdreg.h>
#include <linux/major.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <xen/interface/io/blkif.h>
#include <xen/xen.h>

#define DISK_PREFIX		"xvd"
#define MINORS_PER_DISK		16
#define MINORS_PER_EXT_DISK	256
#define MINORS_PER_IDE_DISK	64

#define VDEV_EXTENDED		BIT(28)

/* Disks in use, for their minors. */
static LIST_HEAD(disks);
static DEFINE_MUTEX(disks_lock);

/* Number of the first disk of each major that a virtual device may name. */
static const struct {
	u16 major;
	u16 first;
	u16 minors;
} vdev_majors[] = {
	{ XENVBD_MAJOR, 0, MINORS_PER_DISK },
	{ IDE0_MAJOR, 0, MINORS_PER_IDE_DISK },
	{ IDE1_MAJOR, 2, MINORS_PER_IDE_DISK },
	{ SCSI_DISK0_MAJOR, 0, MINORS_PER_DISK },
	{ SCSI_DISK1_MAJOR, 16, MINORS_PER_DISK },
	{ SCSI_DISK2_MAJOR, 32, MINORS_PER_DISK },
	{ SCSI_DISK3_MAJOR, 48, MINORS_PER_DISK },
	{ SCSI_DISK4_MAJOR, 64, MINORS_PER_DISK },
	{ SCSI_DISK5_MAJOR, 80, MINORS_PER_DISK },
	{ SCSI_DISK6_MAJOR, 96, MINORS_PER_DISK },
	{ SCSI_DISK7_MAJOR, 112, MINORS_PER_DISK },
	{ SCSI_DISK8_MAJOR, 128, MINORS_PER_DISK },
	{ SCSI_DISK9_MAJOR, 144, MINORS_PER_DISK },
	{ SCSI_DISK10_MAJOR, 160, MINORS_PER_DISK },
	{ SCSI_DISK11_MAJOR, 176, MINORS_PER_DISK },
	{ SCSI_DISK12_MAJOR, 192, MINORS_PER_DISK },
	{ SCSI_DISK13_MAJOR, 208, MINORS_PER_DISK },
	{ SCSI_DISK14_MAJOR, 224, MINORS_PER_DISK },
	{ SCSI_DISK15_MAJOR, 240, MINORS_PER_DISK },
};

/* Where a virtual device number puts a disk. */
struct position {
	unsigned int disk;
	unsigned int part;
	unsigned int minor;
	unsigned int nr_minors;
};

static bool locate_extended(unsigned int vdevice, struct position *pos)
{
	unsigned int minor = vdevice & ~VDEV_EXTENDED;

	pos->disk = minor / MINORS_PER_EXT_DISK;
	pos->part = minor % MINORS_PER_EXT_DISK;
	pos->minor = minor;
	pos->nr_minors = pos->part ? 1 : MINORS_PER_EXT_DISK;
	return !(minor >> MINORBITS);
}

static bool locate(unsigned int vdevice, struct position *pos)
{
	unsigned int major = vdevice >> 8, minor = vdevice & 0xff;
	unsigned int i;

	if (vdevice & VDEV_EXTENDED)
		return locate_extended(vdevice, pos);

	for (i = 0; i < ARRAY_SIZE(vdev_majors); i++)
		if (vdev_majors[i].major == major)
			break;
	if (i == ARRAY_SIZE(vdev_majors))
		return false;

	pos->disk = vdev_majors[i].first + minor / vdev_majors[i].minors;
	pos->part = minor % vdev_majors[i].minors;
	/* IDE partitions have too many numbers; only whole disks are known. */
	if (vdev_majors[i].minors != MINORS_PER_DISK)
		pos->part = 0;
	pos->minor = pos->disk * MINORS_PER_DISK + pos->part;
	pos->nr_minors = pos->part ? 1 : MINORS_PER_DISK;
	return true;
}

/* As in: a, b, .. z, aa, ab, .. */
static char *put_letters(char *p, unsigned int n)
{
	if (n >= 26)
		p = put_letters(p, n / 26 - 1);
	*p = 'a' + n % 26;
	return p + 1;
}

static void set_name(struct gendisk *disk, const struct position *pos)
{
	char *end = disk->disk_name + DISK_NAME_LEN;
	char *p = disk->disk_name;

	p += strscpy(p, DISK_PREFIX, DISK_NAME_LEN);
	p = put_letters(p, pos->disk);
	if (pos->part)
		snprintf(p, end - p, "%u", pos->part);
	else
		*p = '\0';
}

static bool reserve_minors(struct blkfront *info, const struct position *pos)
{
	struct blkfront *other;
	bool ret = false;

	mutex_lock(&disks_lock);
	list_for_each_entry(other, &disks, entry)
		if (pos->minor < other->minor + other->nr_minors &&
		    other->minor < pos->minor + pos->nr_minors)
			goto out;
	info->minor = pos->minor;
	info->nr_minors = pos->nr_minors;
	list_add(&info->entry, &disks);
	ret = true;
out:
	mutex_unlock(&disks_lock);
	return ret;
}

static void release_minors(struct blkfront *info)
{
	mutex_lock(&disks_lock);
	list_del(&info->entry);
	mutex_unlock(&disks_lock);
}

static int blkfront_getgeo(struct block_device *bdev, struct hd_geometry *geo)
{
	sector_t cylinders = get_capacity(bdev->bd_disk);

	/* There is no geometry: this only has to agree with the size. */
	geo->heads = 255;
	geo->sectors = 63;
	sector_div(cylinders, geo->heads * geo->sectors);
	geo->cylinders = min_t(sector_t, cylinders, U16_MAX);
	return 0;
}

static int blkfront_ioctl(struct block_device *bdev, blk_mode_t mode,
			  unsigned int cmd, unsigned long arg)
{
	struct blkfront *info = bdev->bd_disk->private_data;

	switch (cmd) {
	case CDROMMULTISESSION:
		if (clear_user((void __user *)arg,
			       sizeof(struct cdrom_multisession)))
			return -EFAULT;
		return 0;
	case CDROM_GET_CAPABILITY:
		return info->vdisk_info & VDISK_CDROM ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static void blkfront_free_disk(struct gendisk *disk)
{
	struct blkfront *info = disk->private_data;

	release_minors(info);
	kfree(info);
}

static const struct block_device_operations blkfront_fops = {
	.owner = THIS_MODULE,
	.getgeo = blkfront_getgeo,
	.ioctl = blkfront_ioctl,
	.compat_ioctl = blkdev_compat_ptr_ioctl,
	.free_disk = blkfront_free_disk,
};

/*
 * Any memory will do: what cannot be granted is copied, and what is too
 * fragmented is packed. Only the size is limited.
 */
static void set_limits(const struct blkfront *info, struct queue_limits *lim)
{
	lim->logical_block_size = info->sector_size;
	lim->physical_block_size = info->physical_sector_size;
	lim->max_hw_sectors = blkfront_max_frames(info) * BLK_SECTORS_PER_FRAME;
	lim->max_segments = min_t(unsigned int, lim->max_hw_sectors, U16_MAX);
	lim->max_segment_size = UINT_MAX;
	lim->dma_alignment = SECTOR_SIZE - 1;

	lim->features &= ~BLK_FEAT_WRITE_CACHE;
	if (info->flush_op)
		lim->features |= BLK_FEAT_WRITE_CACHE;

	lim->max_hw_discard_sectors = info->discard ? UINT_MAX : 0;
	lim->max_secure_erase_sectors = info->secure_erase ? UINT_MAX : 0;
	lim->discard_granularity = info->discard_granularity;
	lim->discard_alignment = info->discard_alignment;
}

static int alloc_tags(struct blkfront *info)
{
	struct blk_mq_tag_set *set = &info->tag_set;

	set->ops = &blkfront_mq_ops;
	set->nr_hw_queues = info->nr_rings;
	set->queue_depth = info->rings[0].front.entries;
	set->numa_node = NUMA_NO_NODE;
	/* The device behind the backend is scheduled there. */
	set->flags = BLK_MQ_F_SHOULD_MERGE | BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	set->cmd_size = sizeof(struct blkfront_io);
	set->driver_data = info;
	return blk_mq_alloc_tag_set(set);
}

static void init_disk(struct blkfront *info, struct gendisk *disk,
		      const struct position *pos, u64 sectors)
{
	set_name(disk, pos);
	disk->major = XENVBD_MAJOR;
	disk->first_minor = pos->minor;
	disk->minors = pos->nr_minors;
	disk->fops = &blkfront_fops;
	disk->private_data = info;
	if (info->vdisk_info & VDISK_REMOVABLE)
		disk->flags |= GENHD_FL_REMOVABLE;
	if (info->vdisk_info & VDISK_READONLY)
		set_disk_ro(disk, true);
	set_capacity(disk, sectors);
}

/**
 * blkfront_disk_create() - allocate the disk, when the first backend connects
 * @info: the device
 * @sectors: capacity
 *
 * Context: process context.
 * Return: 0 or -errno, with nothing left allocated.
 */
int blkfront_disk_create(struct blkfront *info, u64 sectors)
{
	struct queue_limits lim = {};
	struct position pos;
	struct gendisk *disk;
	int ret;

	if (!locate(info->vdevice, &pos))
		return -ENODEV;
	if (!reserve_minors(info, &pos))
		return -EBUSY;

	ret = alloc_tags(info);
	if (ret)
		goto err_minors;

	set_limits(info, &lim);
	disk = blk_mq_alloc_disk(&info->tag_set, &lim, info);
	if (IS_ERR(disk)) {
		ret = PTR_ERR(disk);
		goto err_tags;
	}
	init_disk(info, disk, &pos, sectors);
	info->disk = disk;
	return 0;

err_tags:
	blk_mq_free_tag_set(&info->tag_set);
err_minors:
	release_minors(info);
	return ret;
}

/**
 * blkfront_map_queues() - assign hardware queues to rings
 * @info: a device whose block layer does not submit
 *
 * There can be fewer rings than queues if the backend was replaced.
 */
void blkfront_map_queues(struct blkfront *info)
{
	struct blk_mq_hw_ctx *hctx;
	struct blkfront_ring *ring;
	unsigned long i;

	queue_for_each_hw_ctx(info->disk->queue, hctx, i) {
		ring = &info->rings[i % info->nr_rings];
		hctx->driver_data = ring;
		if (info->nr_rings > 1 && i < info->nr_rings &&
		    irq_set_affinity(ring->ec.irq, hctx->cpumask))
			dev_dbg(&info->xbdev->dev, "ring %lu: no affinity\n",
				i);
	}
}

/**
 * blkfront_disk_update() - apply what another backend offers
 * @info: a connected device
 * @sectors: capacity
 *
 * Called when requests flow again: someone who changes a limit in sysfs holds
 * the lock for limits while waiting for all requests to end. Requests within
 * the old limits are dealt with one by one.
 */
void blkfront_disk_update(struct blkfront *info, u64 sectors)
{
	struct request_queue *q = info->disk->queue;
	struct queue_limits lim;

	lim = queue_limits_start_update(q);
	set_limits(info, &lim);
	if (queue_limits_commit_update(q, &lim))
		dev_warn(&info->xbdev->dev, "new limits do not fit the disk\n");
	set_capacity_and_notify(info->disk, sectors);
}

/**
 * blkfront_disk_resize() - look whether the capacity or a feature has changed
 * @info: a connected device
 *
 * A backend announces this by writing its state again.
 */
void blkfront_disk_resize(struct blkfront *info)
{
	u64 sectors;

	/* The block layer says so if it has changed. */
	if (xenbus_scanf(XBT_NIL, info->backend, "sectors", "%llu",
			 &sectors) == 1 && sectors <= BLKFRONT_MAX_SECTORS)
		set_capacity_and_notify(info->disk, sectors);

	if (info->flush_op && !blkfront_read_flush(info)) {
		dev_info(&info->xbdev->dev, "flushes withdrawn\n");
		WRITE_ONCE(info->flush_op, 0);
	}
}

/**
 * blkfront_disk_add() - show the disk, which reads its partition table
 * @work: blkfront.add_work
 *
 * Context: own work item, because it may wait for I/O for as long as that
 * takes.
 */
void blkfront_disk_add(struct work_struct *work)
{
	struct blkfront *info = container_of(work, struct blkfront, add_work);
	int ret;

	ret = device_add_disk(&info->xbdev->dev, info->disk, NULL);
	if (ret)
		xenbus_dev_fatal(info->xbdev, ret, "adding disk %s",
				 info->disk->disk_name);
	else
		WRITE_ONCE(info->added, true);
}

/**
 * blkfront_disk_remove() - hide a disk
 * @info: a dead device
 *
 * Those who have the disk open keep it, dead, until they close it.
 */
void blkfront_disk_remove(struct blkfront *info)
{
	blk_mark_disk_dead(info->disk);
	/* Its I/O fails, so that it ends soon. */
	cancel_work_sync(&info->add_work);
	if (!info->added)
		return;
	del_gendisk(info->disk);
	blk_mq_free_tag_set(&info->tag_set);
}

/**
 * blkfront_disk_put() - give up the disk, and with it the device
 * @info: a device without rings; freed with the last user of the disk
 */
void blkfront_disk_put(struct blkfront *info)
{
	struct gendisk *disk = info->disk;

	if (disk && info->added) {
		put_disk(disk);
		return;
	}

	/* The block layer does not call free_disk for a disk never added. */
	if (disk) {
		put_disk(disk);
		blk_mq_free_tag_set(&info->tag_set);
		release_minors(info);
	}
	kfree(info);
}

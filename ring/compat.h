/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Force-included into every file; the only place with kernel-version checks.
 * The code is written for Linux 6.12. Each shim names the upstream change that
 * it answers.
 */
#ifndef XSPLIT_COMPAT_H
#define XSPLIT_COMPAT_H

/* Before any other header: every message names its module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/version.h>

#define XSPLIT_VERSION "0.1.0"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "xsplit needs Linux 6.1 or newer"
#endif

/* Wire layouts are those of 64-bit guests, and pages always have addresses. */
#ifndef CONFIG_64BIT
#error "xsplit needs a 64-bit kernel"
#endif

#include <linux/string.h>

/*
 * 6.4: on x86 memcpy() is made for small copies, without string instructions
 * but on the newest CPUs (68674f94ffc9). copy_page() has them, and there its
 * arguments may have any alignment.
 */
#ifdef CONFIG_X86_64
#include <linux/instrumented.h>
#include <asm/page.h>

static inline void copy_data(void *dst, const void *src, size_t len)
{
	if (len != PAGE_SIZE) {
		memcpy(dst, src, len);
		return;
	}
	instrument_read(src, PAGE_SIZE);
	instrument_write(dst, PAGE_SIZE);
	copy_page(dst, (void *)src);
}
#else
#define copy_data(dst, src, len)	memcpy(dst, src, len)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#include <linux/blkdev.h>
#include <linux/slab.h>

/*
 * 6.9: a block device is opened as a file (f3a608827d1f); 6.5: blk_mode_t
 * (05bdb9965305). Here the file is an opaque handle of our own.
 */
#define BLK_OPEN_READ	FMODE_READ
#define BLK_OPEN_WRITE	FMODE_WRITE

struct compat_bdev_file {
	struct block_device *bdev;
	fmode_t mode;
};

static inline struct file *
bdev_file_open_by_dev(dev_t dev, fmode_t mode, void *holder, const void *hops)
{
	struct compat_bdev_file *file = kmalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->mode = mode;
	file->bdev = blkdev_get_by_dev(dev, mode, holder);
	if (IS_ERR(file->bdev)) {
		void *err = file->bdev;

		kfree(file);
		return err;
	}
	return (struct file *)file;
}

static inline struct block_device *file_bdev(struct file *file)
{
	return ((struct compat_bdev_file *)file)->bdev;
}

static inline void bdev_fput(struct file *opaque)
{
	struct compat_bdev_file *file = (struct compat_bdev_file *)opaque;

	blkdev_put(file->bdev, file->mode);
	kfree(file);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#include <linux/blk-mq.h>
#include <linux/blkdev.h>

/*
 * 6.9: queue limits are passed when a disk is allocated (27e32cd23fed) and
 * updated as a whole (d690cb8ae14b); 6.11: they have features (1122c0c1cc71).
 * Those of older kernels have other members, hence a type of our own.
 */
struct compat_queue_limits {
	unsigned int features;
	unsigned int logical_block_size;
	unsigned int physical_block_size;
	unsigned int max_hw_sectors;
	unsigned int max_segments;
	unsigned int max_segment_size;
	unsigned int dma_alignment;
	unsigned int max_hw_discard_sectors;
	unsigned int max_secure_erase_sectors;
	unsigned int discard_granularity;
	unsigned int discard_alignment;
};

#define queue_limits		compat_queue_limits
#define BLK_FEAT_WRITE_CACHE	BIT(0)

static inline struct queue_limits
compat_limits_start(struct request_queue *q)
{
	return (struct queue_limits) {};
}

static inline int compat_limits_commit(struct request_queue *q,
				       const struct queue_limits *lim)
{
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	blk_queue_max_secure_erase_sectors(q, lim->max_secure_erase_sectors);
	q->limits.discard_granularity = lim->discard_granularity;
	q->limits.discard_alignment = lim->discard_alignment;
	blk_queue_write_cache(q, lim->features & BLK_FEAT_WRITE_CACHE, false);
	return 0;
}

#define queue_limits_start_update(q)		compat_limits_start(q)
#define queue_limits_commit_update(q, lim)	compat_limits_commit(q, lim)

static inline struct gendisk *compat_alloc_disk(struct gendisk *disk,
						const struct queue_limits *lim)
{
	if (!IS_ERR(disk))
		compat_limits_commit(disk->queue, lim);
	return disk;
}

static inline struct gendisk *compat_mq_alloc_disk(struct blk_mq_tag_set *set,
						   void *queuedata)
{
	return blk_mq_alloc_disk(set, queuedata);
}

#undef blk_mq_alloc_disk
#define blk_mq_alloc_disk(set, lim, queuedata) \
	compat_alloc_disk(compat_mq_alloc_disk(set, queuedata), lim)

/* 6.11: helpers for features that a device takes back (73e3715ed14844). */
static inline void blk_queue_disable_discard(struct request_queue *q)
{
	blk_queue_max_discard_sectors(q, 0);
}

static inline void blk_queue_disable_secure_erase(struct request_queue *q)
{
	blk_queue_max_secure_erase_sectors(q, 0);
}
#endif

/* 6.3: what a uevent is about is const (2a81ada32f0e). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define XENBUS_UEVENT_CONST
#else
#define XENBUS_UEVENT_CONST	const
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
/* 6.5: the mode of an open block device has a type (05bdb9965305). */
typedef fmode_t blk_mode_t;
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#include <linux/ethtool.h>

/* 6.8: parameters of receive hashing come in a struct (fb6e30a72539). */
struct ethtool_rxfh_param {
	u8 hfunc;
	u32 *indir;
	u8 *key;
};

#define DEFINE_RXFH_OPS(get, set)					\
static int compat_##get(struct net_device *netdev, u32 *indir, u8 *key,	\
			u8 *hfunc)					\
{									\
	struct ethtool_rxfh_param rxfh = { .indir = indir, .key = key };	\
	int ret = get(netdev, &rxfh);					\
									\
	if (hfunc)							\
		*hfunc = rxfh.hfunc;					\
	return ret;							\
}									\
									\
static int compat_##set(struct net_device *netdev, const u32 *indir,	\
			const u8 *key, const u8 hfunc)			\
{									\
	struct ethtool_rxfh_param rxfh = {				\
		.hfunc = hfunc,						\
		.indir = (u32 *)indir,					\
		.key = (u8 *)key,					\
	};								\
									\
	return set(netdev, &rxfh, NULL);				\
}									\
struct ethtool_rxfh_param
#define RXFH_OP(name)	compat_##name
#else
#define DEFINE_RXFH_OPS(get, set) \
	static_assert(__same_type(get, get) && __same_type(set, set))
#define RXFH_OP(name)	name
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <net/xdp.h>

/* 6.3: interfaces say what they can do with XDP (d3d854fd6a1d). */
enum {
	NETDEV_XDP_ACT_BASIC = 1,
	NETDEV_XDP_ACT_REDIRECT = 2,
	NETDEV_XDP_ACT_NDO_XMIT = 4,
};

static inline void xdp_set_features_flag(struct net_device *netdev, u32 flags)
{
}
#endif

#endif /* XSPLIT_COMPAT_H */

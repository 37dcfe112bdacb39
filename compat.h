/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Force-included into every file; the only place with kernel-version checks.
 * The code is written for Linux 6.12. Each shim names the upstream change that
 * it answers.
 */
#ifndef XSPLIT_COMPAT_H
#define XSPLIT_COMPAT_H

#include <linux/version.h>

#define XSPLIT_VERSION "0.1.0"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "xsplit needs Linux 6.1 or newer"
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

#endif /* XSPLIT_COMPAT_H */

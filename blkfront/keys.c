// SPDX-License-Identifier: GPL-2.0
/*
 * What is read from the backend's directory and written to ours.
 */
#include "blkfront.h"

#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <xen/interface/io/protocols.h>

/* Longest of "queue-%u", "ring-ref%u". */
#define KEY_LEN	24

/* All keys about rings and features, by whoever they were written. */
static const char *const own_keys[] = {
	"ring-ref", "ring-page-order", "num-ring-pages", "event-channel",
	"queue-", "multi-queue-", "feature-", "protocol",
};

/*
 * Grants per ring that Linux keeps mapped if not told otherwise. It maps and
 * unmaps more of them for each request, which costs more than waiting for the
 * mapped ones. A backend with another limit may say so.
 */
#define DEFAULT_PERSISTENT	1056

static unsigned int read_key(const struct blkfront *info, const char *key,
			     unsigned int absent)
{
	return xenbus_read_unsigned(info->backend, key, absent);
}

/**
 * blkfront_read_ring_features() - choose number and size of the rings
 * @info: the device
 *
 * The backend offers these before the rings are made; all else it offers when
 * it connects.
 */
void blkfront_read_ring_features(struct blkfront *info)
{
	unsigned int queues = read_key(info, "multi-queue-max-queues", 1);
	unsigned int order = read_key(info, "max-ring-page-order", 0);

	info->nr_rings = clamp(queues, 1U, info->max_rings);
	info->ring_order = min(order, blkfront_params.max_ring_page_order);
	info->offer_persistent = READ_ONCE(blkfront_params.feature_persistent);
	info->trusted = READ_ONCE(blkfront_params.trusted) &&
		xenbus_read_unsigned(info->xbdev->nodename, "trusted", 1);
}

static int write_ring(struct blkfront_ring *ring,
		      struct xenbus_transaction xbt, const char *dir)
{
	char key[KEY_LEN];
	unsigned int i;
	int ret;

	if (ring->nr_pages == 1) {
		ret = xenbus_printf(xbt, dir, "ring-ref", "%u", ring->refs[0]);
		if (ret)
			return ret;
	}
	for (i = 0; ring->nr_pages > 1 && i < ring->nr_pages; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		ret = xenbus_printf(xbt, dir, key, "%u", ring->refs[i]);
		if (ret)
			return ret;
	}
	return xenbus_printf(xbt, dir, "event-channel", "%u", ring->ec.port);
}

static int write_queues(struct blkfront *info, struct xenbus_transaction xbt)
{
	const char *node = info->xbdev->nodename;
	unsigned int i;
	char *dir;
	int ret;

	ret = xenbus_printf(xbt, node, "multi-queue-num-queues", "%u",
			    info->nr_rings);
	for (i = 0; i < info->nr_rings && !ret; i++) {
		dir = kasprintf(GFP_NOIO, "%s/queue-%u", node, i);
		if (!dir)
			return -ENOMEM;
		ret = write_ring(&info->rings[i], xbt, dir);
		kfree(dir);
	}
	return ret;
}

static int write_all(void *data, struct xenbus_transaction xbt)
{
	struct blkfront *info = data;
	const char *node = info->xbdev->nodename;
	int ret;

	ret = xenstore_remove_keys(xbt, node, own_keys, ARRAY_SIZE(own_keys));
	if (ret)
		return ret;
	if (info->ring_order) {
		ret = xenbus_printf(xbt, node, "ring-page-order", "%u",
				    info->ring_order);
		if (ret)
			return ret;
	}
	if (info->nr_rings > 1)
		ret = write_queues(info, xbt);
	else
		ret = write_ring(&info->rings[0], xbt, node);
	if (ret)
		return ret;

	ret = xenbus_printf(xbt, node, "protocol", "%s",
			    XEN_IO_PROTO_ABI_NATIVE);
	if (ret)
		return ret;
	return xenbus_printf(xbt, node, "feature-persistent", "%u",
			     info->offer_persistent);
}

/**
 * blkfront_write_keys() - tell the backend about the rings
 * @info: the device, with its rings
 *
 * Return: 0 or -errno.
 */
int blkfront_write_keys(struct blkfront *info)
{
	return xenstore_transaction(write_all, info);
}

/**
 * blkfront_read_flush() - how the backend flushes its write cache
 * @info: the device
 *
 * A barrier without data also flushes what came before it, and is all that
 * some backends have. Both also cover a preceding write that was to be durable
 * by itself (FUA), which the block layer makes of two requests.
 *
 * Return: the wire operation, 0 for none.
 */
u8 blkfront_read_flush(const struct blkfront *info)
{
	if (read_key(info, "feature-flush-cache", 0))
		return BLKIF_OP_FLUSH_DISKCACHE;
	if (read_key(info, "feature-barrier", 0))
		return BLKIF_OP_WRITE_BARRIER;
	return 0;
}

static void read_discard(struct blkfront *info)
{
	unsigned int granularity = read_key(info, "discard-granularity", 0);

	info->discard = read_key(info, "feature-discard", 0);
	info->secure_erase = info->discard &&
			     read_key(info, "discard-secure", 0);
	if (!is_power_of_2(granularity) || granularity < info->sector_size)
		granularity = info->sector_size;
	info->discard_granularity = granularity;
	info->discard_alignment = read_key(info, "discard-alignment", 0);
	if (info->discard_alignment >= granularity)
		info->discard_alignment = 0;
}

static void read_transport(struct blkfront *info)
{
	unsigned int segs = read_key(info, "feature-max-indirect-segments", 0);

	info->persistent = info->offer_persistent &&
			   read_key(info, "feature-persistent", 0);
	info->max_grants = UINT_MAX;
	if (info->persistent)
		info->max_grants = read_key(info, "max-persistent-grants",
					    DEFAULT_PERSISTENT);
	segs = min(segs, blkfront_params.max_indirect_segments);
	info->segs = max_t(unsigned int, segs,
			   BLKIF_MAX_SEGMENTS_PER_REQUEST);
}

/* Blocks larger than a page would be new to all users of the disk. */
static bool valid_block_size(unsigned int size)
{
	return is_power_of_2(size) && size >= SECTOR_SIZE &&
	       size <= XEN_PAGE_SIZE;
}

/**
 * blkfront_read_disk() - learn about the disk and the backend's features
 * @info: a device whose backend has connected
 * @sectors: capacity in units of 512 bytes
 *
 * Return: 0 or -errno.
 */
int blkfront_read_disk(struct blkfront *info, u64 *sectors)
{
	unsigned int physical;
	int ret;

	ret = xenbus_gather(XBT_NIL, info->backend, "sectors", "%llu", sectors,
			    "info", "%u", &info->vdisk_info,
			    "sector-size", "%u", &info->sector_size, NULL);
	if (ret)
		return ret;
	if (!valid_block_size(info->sector_size) ||
	    *sectors > BLKFRONT_MAX_SECTORS)
		return -EINVAL;

	physical = read_key(info, "physical-sector-size", info->sector_size);
	if (!is_power_of_2(physical) || physical < info->sector_size ||
	    physical > SZ_1M)
		physical = info->sector_size;
	info->physical_sector_size = physical;

	info->flush_op = blkfront_read_flush(info);
	read_discard(info);
	read_transport(info);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a vbd, derived from what xenstore says now.
 *
 * Protocol: blkif.h, and block.md 4.2 for what frontends really do.
 */
#include "blkback.h"

#include <linux/blkdev.h>
#include <linux/slab.h>

int blkback_offer(struct blkback_vbd *vbd)
{
	const struct xenstore_key keys[] = {
		{ "feature-max-indirect-segments", BLKBACK_MAX_SEGMENTS },
		{ "multi-queue-max-queues", blkback_max_queues },
		{ "max-ring-page-order", blkback_max_ring_page_order },
	};

	return xenstore_offer(vbd->dev, keys, ARRAY_SIZE(keys));
}

/* Ready for a frontend to come; it may have waited for us. */
static void wait_for_frontend(struct blkback_vbd *vbd)
{
	struct xenbus_device *dev = vbd->dev;

	if (!READ_ONCE(vbd->wanted))
		return;
	switch (dev->state) {
	case XenbusStateConnected:
		/* It began anew without a word, as after kexec. */
	case XenbusStateClosed:
		blkback_disconnect(vbd);
		/* The toolstack may have made another directory. */
		if (!vbd->bdev && blkback_offer(vbd))
			break;
		xenbus_switch_state(dev, XenbusStateInitWait);
		break;
	default:
		break;
	}
	if (dev->state == XenbusStateInitWait && !vbd->bdev)
		blkback_open(vbd);
}

static void stop_failed(struct blkback_vbd *vbd)
{
	if (vbd->complained)
		return;
	vbd->complained = true;
	frontend_fatal(vbd->dev, -EPROTO,
		       "frontend violated the ring protocol");
}

static void serve(struct blkback_vbd *vbd)
{
	struct xenbus_device *dev = vbd->dev;

	if (vbd->rings) {
		if (READ_ONCE(vbd->failed))
			stop_failed(vbd);
		else
			blkback_resize(vbd);
		return;
	}
	/* After a failure the frontend has to close first. */
	if (dev->state != XenbusStateInitWait)
		return;
	if (!vbd->bdev && blkback_open(vbd))
		return;
	vbd->complained = false;
	if (blkback_connect(vbd))
		dev_dbg(&dev->dev, "not connected\n");
}

static void close_vbd(struct blkback_vbd *vbd)
{
	struct xenbus_device *dev = vbd->dev;

	blkback_disconnect(vbd);
	/* The toolstack takes the device away when it sees us closed. */
	if (!xenbus_dev_is_online(dev)) {
		blkback_close(vbd);
		WRITE_ONCE(vbd->wanted, false);
	}
	xenbus_switch_state(dev, XenbusStateClosed);
}

static void follow_frontend(struct blkback_vbd *vbd)
{
	switch (xenbus_read_driver_state(vbd->frontend)) {
	case XenbusStateInitialising:
		/* One that never came cannot hold the device back. */
		if (xenbus_dev_is_online(vbd->dev))
			wait_for_frontend(vbd);
		else
			close_vbd(vbd);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		serve(vbd);
		break;
	case XenbusStateClosing:
		/* It may still use its rings until it is closed. */
		xenbus_switch_state(vbd->dev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		close_vbd(vbd);
		break;
	default:
		break;
	}
}

void blkback_update(struct work_struct *work)
{
	struct blkback_vbd *vbd = container_of(work, struct blkback_vbd, work);
	struct device *dev = &vbd->dev->dev;
	struct completion *freed;

	/* Pairs with smp_store_release() in blkback_remove(). */
	if (!smp_load_acquire(&vbd->removed)) {
		follow_frontend(vbd);
		return;
	}
	freed = vbd->freed;
	blkback_free(vbd);
	put_device(dev);
	if (freed)
		complete(freed);
}

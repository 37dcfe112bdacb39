// SPDX-License-Identifier: GPL-2.0
/*
 * State machine. Watches only queue the work item; it looks at both ends'
 * states, makes at most one step at a time and looks again, so that it does
 * not matter which states of the backend were seen.
 *
 *	ours		waits for the backend to
 *	Closed		let go of the rings of an earlier connection
 *	Initialising	be ready for new ones (InitWait)
 *	Initialised	connect (Connected)
 *	Connected	change the capacity, or leave
 *
 * A backend that leaves while its "online" key is 1 is being replaced: the
 * disk stays, and its requests wait for the next connection. Otherwise the
 * disk is detached.
 */
#include "blkfront.h"

#include <linux/sched/mm.h>
#include <linux/slab.h>

/* After so many connections that lasted less than this, reconnect slowly. */
#define STABLE_TIME	(10 * HZ)
#define MAX_FAILURES	8
#define RETRY_TIME	(2 * HZ)
/* After an offence, time for the backend to come back as an honest one. */
#define PAROLE_TIME	(10 * HZ)

/* Nothing can be done about an error: those who wait must not do so longer. */
static void give_up(struct blkfront *info, int ret, const char *what)
{
	xenbus_dev_fatal(info->xbdev, ret, "%s", what);
	blkfront_close(info);
}

static int create_rings(struct blkfront *info)
{
	unsigned int i;
	int ret;

	for (i = 0; i < info->nr_rings; i++) {
		ret = blkfront_ring_create(&info->rings[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* Offer rings to a backend that waits for them. */
static void offer(struct blkfront *info)
{
	const char *what;
	int ret;

	blkfront_read_ring_features(info);
	/* The disk's number of queues is fixed. */
	if (info->disk)
		info->nr_rings = min(info->nr_rings,
				     info->tag_set.nr_hw_queues);
	what = "allocating rings";
	ret = create_rings(info);
	if (ret)
		goto err;
	what = "writing keys";
	ret = blkfront_write_keys(info);
	if (ret)
		goto err;
	xenbus_switch_state(info->xbdev, XenbusStateInitialised);
	return;

err:
	give_up(info, ret, what);
}

static int start_rings_once(struct blkfront *info)
{
	unsigned int i;
	int ret;

	for (i = 0; i < info->nr_rings; i++) {
		ret = blkfront_ring_start(&info->rings[i]);
		if (ret)
			goto err_pools;
	}
	return 0;

err_pools:
	while (i--)
		blkfront_ring_unstart(&info->rings[i]);
	return ret;
}

/* With few grant references left, be content with smaller requests. */
static int start_rings(struct blkfront *info)
{
	int ret = start_rings_once(info);

	while (ret == -ENOSPC && info->segs > BLKIF_MAX_SEGMENTS_PER_REQUEST) {
		info->segs = max_t(unsigned int, info->segs / 2,
				   BLKIF_MAX_SEGMENTS_PER_REQUEST);
		ret = start_rings_once(info);
	}
	return ret;
}

static void announce(const struct blkfront *info)
{
	dev_info(&info->xbdev->dev,
		 "%s: %u ring(s) of %u page(s), %u segments, %s grants, %s%s\n",
		 info->disk->disk_name, info->nr_rings, 1U << info->ring_order,
		 info->segs, info->persistent ? "persistent" : "direct",
		 info->flush_op ? "flush" : "no flush",
		 info->discard ? ", discard" : "");
}

static void go_live(struct blkfront *info)
{
	blkfront_map_queues(info);
	info->deadline = 0;
	WRITE_ONCE(info->state, BLKFRONT_LIVE);
	xenbus_switch_state(info->xbdev, XenbusStateConnected);
	announce(info);
}

/* The backend has connected: start I/O. */
static void connect(struct blkfront *info)
{
	bool first = !info->disk;
	const char *what;
	u64 sectors;
	int ret;

	what = "reading the backend's keys";
	ret = blkfront_read_disk(info, &sectors);
	if (ret)
		goto err;
	what = "allocating grants";
	ret = start_rings(info);
	if (ret)
		goto err;
	what = "creating the disk";
	if (first)
		ret = blkfront_disk_create(info, sectors);
	if (ret)
		goto err;

	go_live(info);
	if (first) {
		queue_work(blkfront_wq, &info->add_work);
	} else {
		blkfront_unquiesce(info);
		blkfront_disk_update(info, sectors);
	}
	return;

err:
	give_up(info, ret, what);
}

/* Whether the connection is over for a backend in this state. */
static bool has_left(enum xenbus_state backend)
{
	return backend_is_idle(backend) || backend == XenbusStateClosing;
}

static bool leave(struct blkfront *info)
{
	if (!backend_is_online(info->backend)) {
		blkfront_close(info);
		return false;
	}

	info->failures++;
	if (time_after(jiffies, info->left_at + STABLE_TIME))
		info->failures = 0;
	info->left_at = jiffies;

	dev_info(&info->xbdev->dev, "backend has left, waiting for it\n");
	blkfront_quiesce(info);
	xenbus_switch_state(info->xbdev, XenbusStateClosed);
	return true;
}

/* Return: time until a reconnection may be tried, 0 if now. */
static unsigned long retry_delay(const struct blkfront *info)
{
	unsigned long at = info->left_at + RETRY_TIME;

	if (info->xbdev->state != XenbusStateClosed ||
	    info->failures <= MAX_FAILURES || time_after_eq(jiffies, at))
		return 0;
	return at - jiffies;
}

/* Our state is Closed, but we are not done. */
static bool reinitialise(struct blkfront *info, enum xenbus_state backend,
			 bool news)
{
	if (backend_is_gone(backend) && !backend_is_online(info->backend)) {
		blkfront_close(info);
		return false;
	}
	/* It may have given up after it has seen our state: show it again. */
	if (backend == XenbusStateClosing && news) {
		xenbus_switch_state(info->xbdev, XenbusStateClosing);
		xenbus_switch_state(info->xbdev, XenbusStateClosed);
	}
	/* It may still use the old rings, and write to granted pages. */
	if (!backend_is_idle(backend))
		return false;
	if (retry_delay(info))
		return false;

	blkfront_release(info, true);
	xenbus_switch_state(info->xbdev, XenbusStateInitialising);
	return info->xbdev->state == XenbusStateInitialising;
}

static bool initialise(struct blkfront *info, enum xenbus_state backend)
{
	if (backend_is_gone(backend) && !backend_is_online(info->backend)) {
		blkfront_close(info);
		return false;
	}

	switch (backend) {
	case XenbusStateInitWait:
		offer(info);
		return info->xbdev->state == XenbusStateInitialised;
	case XenbusStateConnected:
	case XenbusStateClosing:
		/* By an earlier connection, of which it has not seen the end. */
		xenbus_switch_state(info->xbdev, XenbusStateClosed);
		return info->xbdev->state == XenbusStateClosed;
	default:
		return false;
	}
}

/*
 * Return: whether our state has changed, and so the next step may be due.
 * @news: this is the first step after an event.
 */
static bool step(struct blkfront *info, enum xenbus_state backend, bool news)
{
	switch (info->xbdev->state) {
	case XenbusStateInitialising:
		return initialise(info, backend);
	case XenbusStateInitialised:
		if (backend_is_gone(backend))
			return leave(info);
		if (backend == XenbusStateConnected)
			connect(info);
		return false;
	case XenbusStateConnected:
		if (has_left(backend))
			return leave(info);
		if (backend == XenbusStateConnected)
			blkfront_disk_resize(info);
		return false;
	case XenbusStateClosed:
		return reinitialise(info, backend, news);
	default:
		/* After a fatal error. */
		if (backend_is_gone(backend))
			blkfront_close(info);
		return false;
	}
}

/* The domain was restored: there are other backends, and no rings any more. */
static void replace(struct blkfront *info)
{
	char *backend = kstrdup(info->xbdev->otherend, GFP_NOIO);

	if (backend) {
		kfree(info->backend);
		info->backend = backend;
	}
	if (info->state == BLKFRONT_DEAD) {
		xenbus_switch_state(info->xbdev, XenbusStateClosed);
		return;
	}
	blkfront_quiesce(info);
	blkfront_release(info, true);
	info->offence = 0;
	info->failures = 0;
	xenbus_switch_state(info->xbdev, XenbusStateInitialising);
}

/*
 * The backend has violated the protocol. What is in flight fails, because
 * nobody knows what it has done; one that can be reset gets another chance,
 * for a while.
 */
static void punish(struct blkfront *info)
{
	xenbus_dev_error(info->xbdev, -EPROTO, "backend violated the protocol");
	blkfront_quiesce(info);
	blkfront_release(info, false);
	info->offence = 0;

	if (info->offences++) {
		blkfront_close(info);
		return;
	}
	info->deadline = jiffies + PAROLE_TIME;
	xenbus_switch_state(info->xbdev, XenbusStateClosed);
}

/* Return: time to the deadline, 0 if there is none or it has passed. */
static unsigned long check_deadline(struct blkfront *info)
{
	if (!info->deadline || info->state == BLKFRONT_DEAD)
		return 0;
	if (time_before(jiffies, info->deadline))
		return info->deadline - jiffies;
	dev_alert(&info->xbdev->dev, "backend did not recover\n");
	blkfront_close(info);
	return 0;
}

/**
 * blkfront_state_work() - bring the device to where the backend's state asks
 * @work: blkfront.work
 */
void blkfront_state_work(struct work_struct *work)
{
	struct blkfront *info = container_of(to_delayed_work(work),
					     struct blkfront, work);
	unsigned int noio = memalloc_noio_save();
	unsigned long delay;
	bool news = true;

	if (xchg(&info->replaced, false))
		replace(info);
	if (READ_ONCE(info->offence) && info->state != BLKFRONT_DEAD)
		punish(info);
	while (info->state != BLKFRONT_DEAD &&
	       step(info, xenbus_read_driver_state(info->backend), news))
		news = false;
	delay = check_deadline(info);
	if (!delay && info->state != BLKFRONT_DEAD)
		delay = retry_delay(info);
	if (delay)
		queue_delayed_work(blkfront_wq, &info->work, delay);
	memalloc_noio_restore(noio);
}

/**
 * blkfront_backend_changed() - look at the backend's new state soon
 * @xbdev: the xenbus device
 * @state: the state, which may have changed again when it is looked at
 *
 * Context: xenwatch, which serves all devices: must not block.
 */
void blkfront_backend_changed(struct xenbus_device *xbdev,
			      enum xenbus_state state)
{
	struct blkfront *info = dev_get_drvdata(&xbdev->dev);

	if (READ_ONCE(info->state) != BLKFRONT_DEAD)
		mod_delayed_work(blkfront_wq, &info->work, 0);
	else if (!info->reprobing && frontend_made_anew(xbdev))
		info->reprobing = frontend_reprobe(xbdev, blkfront_wq);
}

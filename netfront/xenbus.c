// SPDX-License-Identifier: GPL-2.0
/*
 * State machine. Watches only queue the work item; it looks at both ends'
 * states, makes at most one step at a time and looks again, so that it does
 * not matter which states of the backend were seen.
 *
 *	ours		waits for the backend to
 *	Closed		let go of the rings of an earlier connection
 *	Initialising	be ready for new ones (InitWait)
 *	Connected	connect, then to leave
 *
 * The interface stays while connections come and go; without one it has no
 * carrier. Whatever a backend has to know about is told by a new connection.
 */
#include "netfront.h"

#include <linux/minmax.h>
#include <linux/rtnetlink.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

/* A connection that lasted less than this counts as a failure. */
#define STABLE_TIME	(10 * HZ)
/* Failures without delay; each more doubles it, up to a minute. */
#define FREE_FAILURES	4
#define MAX_DOUBLINGS	6
/* How long the device waits for its backend when it is removed. */
#define CLOSE_TIMEOUT	(5 * HZ)
/* How often a new connection is announced, and how far apart. */
#define ANNOUNCEMENTS	3
#define ANNOUNCE_INTERVAL	(HZ / 10)

/* --- connect ------------------------------------------------------------- */

static unsigned int choose_queues(const struct netfront *info)
{
	unsigned int max = max(info->features.max_queues, 1U);

	return min3(READ_ONCE(info->want_queues), info->max_queues, max);
}

static int create_queues(struct netfront *info)
{
	unsigned int nr = choose_queues(info);
	struct netfront_queue *queues;
	int ret;

	queues = netfront_queues_create(info, nr);
	if (IS_ERR(queues))
		return PTR_ERR(queues);

	rtnl_lock();
	info->queues = queues;
	/* Pairs with the acquire in netfront_get_queue(). */
	smp_store_release(&info->nr_queues, nr);
	ret = netif_set_real_num_tx_queues(info->netdev, nr);
	ret = ret ?: netif_set_real_num_rx_queues(info->netdev, nr);
	rtnl_unlock();
	return ret;
}

/* What went wrong is said once; the next attempt waits. */
static void fail(struct netfront *info, int ret, const char *what)
{
	xenbus_dev_error(info->xbdev, ret, "%s", what);
	netfront_disconnect(info, true);
}

static void carrier_changed(struct xenbus_watch *watch, const char *path,
			    const char *token)
{
	netfront_kick(container_of(watch, struct netfront, carrier_watch));
}

/* Most backends have no such key; then their state is all there is. */
static void start_watch(struct netfront *info)
{
	if (info->carrier_watch.node ||
	    !xenbus_exists(XBT_NIL, info->backend, "carrier"))
		return;
	xenstore_watch(info->xbdev, &info->carrier_watch, carrier_changed,
		       info->backend, "carrier");
}

/* A program that comes or goes after this takes another connection. */
static void note_wishes(struct netfront *info)
{
	rtnl_lock();
	WRITE_ONCE(info->renew, false);
	info->xdp = rcu_access_pointer(info->xdp_prog);
	rtnl_unlock();
}

/* Offer rings to a backend that waits for them. */
static void offer(struct netfront *info)
{
	const char *what;
	int ret;

	start_watch(info);
	netfront_read_features(info);
	note_wishes(info);
	what = "allocating queues";
	ret = create_queues(info);
	if (ret)
		goto err;
	what = "allocating the control ring";
	ret = netfront_ctrl_create(info);
	if (ret)
		goto err;
	what = "setting the interface up";
	ret = netfront_netdev_update(info);
	if (ret)
		goto err;
	what = "writing keys";
	ret = netfront_write_keys(info);
	if (ret)
		goto err;
	xenbus_switch_state(info->xbdev, XenbusStateConnected);
	return;

err:
	fail(info, ret, what);
}

/* What can change while there is a connection. */
static void serve(struct netfront *info)
{
	rtnl_lock();
	netfront_update_carrier(info);
	/* The interface stays up, and so the queues run. */
	if (netif_running(info->netdev))
		netfront_multicast_update(info);
	rtnl_unlock();
	netfront_ctrl_update(info);
	netfront_static_update(info);
}

/*
 * Switches must learn where this address is now. The stack sends nothing before
 * it has seen the carrier, the backend's bridge forwards nothing before it has:
 * hence more than once, and not at once.
 */
void netfront_announce(struct work_struct *work)
{
	struct netfront *info = container_of(to_delayed_work(work),
					     struct netfront, announce);

	if (netif_running(info->netdev) && netif_carrier_ok(info->netdev))
		netdev_notify_peers(info->netdev);
	if (--info->announcements)
		queue_delayed_work(netfront_wq, &info->announce,
				   ANNOUNCE_INTERVAL);
}

/* The backend has connected: let packets flow. */
static void link_up(struct netfront *info)
{
	struct net_device *netdev = info->netdev;

	rtnl_lock();
	info->linked = true;
	info->linked_at = jiffies;
	info->hash_changed = true;
	netfront_update_mtu(info);
	if (netif_running(netdev))
		netfront_queues_start(info);
	rtnl_unlock();
	serve(info);

	cancel_delayed_work_sync(&info->announce);
	info->announcements = ANNOUNCEMENTS;
	queue_delayed_work(netfront_wq, &info->announce, 0);
	netdev_info(netdev, "%u queue(s), %s event channels%s%s%s\n",
		    info->nr_queues, info->split ? "split" : "shared",
		    info->features.sg ? ", scatter-gather" : "",
		    info->features.tso ? ", segmentation" : "",
		    info->trusted ? "" : ", untrusted backend");
}

/* --- disconnect ---------------------------------------------------------- */

static void link_down(struct netfront *info)
{
	rtnl_lock();
	netif_carrier_off(info->netdev);
	if (info->linked && netif_running(info->netdev))
		netfront_queues_stop(info);
	info->linked = false;
	rtnl_unlock();
}

static void release(struct netfront *info)
{
	netfront_static_stop(info);
	netfront_ctrl_destroy(info);
	rtnl_lock();
	netfront_queues_destroy(info);
	rtnl_unlock();
}

static void note_failure(struct netfront *info)
{
	unsigned int excess;

	info->failures++;
	if (info->linked && time_after(jiffies, info->linked_at + STABLE_TIME))
		info->failures = 0;
	info->not_before = jiffies;
	if (info->failures <= FREE_FAILURES)
		return;
	excess = min(info->failures - FREE_FAILURES, MAX_DOUBLINGS + 0U);
	info->not_before += HZ << (excess - 1);
}

/**
 * netfront_disconnect() - end a connection, to make another one
 * @info: the device
 * @failed: whether the next connection must wait if this happens often
 *
 * The rings stay until the backend does not use them any more.
 */
void netfront_disconnect(struct netfront *info, bool failed)
{
	if (failed)
		note_failure(info);
	link_down(info);
	xenbus_switch_state(info->xbdev, XenbusStateClosed);
}

/* Return: time until a connection may be tried, 0 if now. */
static unsigned long retry_delay(const struct netfront *info)
{
	if (info->xbdev->state != XenbusStateClosed ||
	    time_after_eq(jiffies, info->not_before))
		return 0;
	return info->not_before - jiffies;
}

/* --- steps --------------------------------------------------------------- */

/* The toolstack takes the device away. */
static void be_taken(struct netfront *info)
{
	info->taken = true;
	xenbus_frontend_closed(info->xbdev);
}

/* Another device has another address and other options: it is probed. */
static bool made_anew(struct netfront *info)
{
	if (info->taken && !info->reprobing && frontend_made_anew(info->xbdev))
		info->reprobing = frontend_reprobe(info->xbdev, netfront_wq);
	return info->reprobing;
}

/* Our state is Closed. */
static bool reinitialise(struct netfront *info, enum xenbus_state backend,
			 bool news)
{
	if (backend_is_gone(backend) && !backend_is_online(info->backend)) {
		if (backend != XenbusStateClosing)
			release(info);
		be_taken(info);
		return false;
	}
	/* It may have given up after it has seen our state: show it again. */
	if (backend == XenbusStateClosing && news) {
		xenbus_switch_state(info->xbdev, XenbusStateClosing);
		xenbus_switch_state(info->xbdev, XenbusStateClosed);
	}
	/* It may still use the old rings, and write to granted pages. */
	if (!backend_is_idle(backend) || retry_delay(info))
		return false;
	if (made_anew(info))
		return false;
	/* Its registration has failed, which cannot be tried again. */
	if (info->netdev->reg_state == NETREG_UNREGISTERED)
		return false;

	release(info);
	xenbus_switch_state(info->xbdev, XenbusStateInitialising);
	return info->xbdev->state == XenbusStateInitialising;
}

static bool initialise(struct netfront *info, enum xenbus_state backend)
{
	switch (backend) {
	case XenbusStateInitWait:
		offer(info);
		return info->xbdev->state != XenbusStateInitialising;
	case XenbusStateConnected:
	case XenbusStateClosing:
		/* By an earlier connection, of which it has not seen the end. */
		xenbus_switch_state(info->xbdev, XenbusStateClosed);
		return info->xbdev->state == XenbusStateClosed;
	case XenbusStateUnknown:
	case XenbusStateClosed:
		/* It will not come. */
		if (!backend_is_online(info->backend))
			be_taken(info);
		return false;
	default:
		return false;
	}
}

static bool leave(struct netfront *info, const char *why)
{
	if (info->linked)
		dev_info(&info->xbdev->dev, "%s, waiting for it\n", why);
	netfront_disconnect(info, true);
	return info->xbdev->state == XenbusStateClosed;
}

/* Our state is Connected. */
static bool attend(struct netfront *info, enum xenbus_state backend)
{
	if (backend_is_gone(backend))
		return leave(info, "backend has left");
	if (!info->linked) {
		if (backend != XenbusStateConnected)
			return false;
		link_up(info);
		/* The event of who wanted this meanwhile may have been ours. */
		return READ_ONCE(info->renew);
	}
	if (backend_is_idle(backend))
		return leave(info, "backend has started anew");
	if (READ_ONCE(info->renew)) {
		netfront_disconnect(info, false);
		return info->xbdev->state == XenbusStateClosed;
	}
	serve(info);
	return false;
}

/*
 * Return: whether our state has changed, and so the next step may be due.
 * @news: this is the first step after an event.
 */
static bool step(struct netfront *info, enum xenbus_state backend, bool news)
{
	switch (info->xbdev->state) {
	case XenbusStateInitialising:
		return initialise(info, backend);
	case XenbusStateConnected:
		return attend(info, backend);
	case XenbusStateClosed:
		return reinitialise(info, backend, news);
	default:
		return false;
	}
}

/* The domain was restored: there are other backends, and no rings any more. */
static void replace(struct netfront *info)
{
	char *backend = kstrdup(info->xbdev->otherend, GFP_NOIO);

	xenstore_unwatch(&info->carrier_watch);
	if (backend) {
		kfree(info->backend);
		info->backend = backend;
	}
	link_down(info);
	release(info);
	WRITE_ONCE(info->offence, false);
	WRITE_ONCE(info->multicast.failed, false);
	info->failures = 0;
	xenbus_switch_state(info->xbdev, XenbusStateInitialising);
}

/* The backend has violated the protocol; a new connection gives it a chance. */
static void punish(struct netfront *info)
{
	xenbus_dev_error(info->xbdev, -EPROTO, "backend violated the protocol");
	netfront_disconnect(info, true);
	WRITE_ONCE(info->offence, false);
}

/**
 * netfront_state_work() - bring the device to where the backend's state asks
 * @work: netfront.work
 */
void netfront_state_work(struct work_struct *work)
{
	struct netfront *info = container_of(to_delayed_work(work),
					     struct netfront, work);
	unsigned int noio = memalloc_noio_save();
	unsigned long delay;
	bool news = true;

	if (xchg(&info->replaced, false))
		replace(info);
	if (READ_ONCE(info->offence))
		punish(info);
	while (step(info, xenbus_read_driver_state(info->backend), news))
		news = false;
	delay = retry_delay(info);
	if (delay)
		queue_delayed_work(netfront_wq, &info->work, delay);
	memalloc_noio_restore(noio);
}

/**
 * netfront_backend_changed() - look at the backend's new state soon
 * @xbdev: the xenbus device
 * @state: the state, which may have changed again when it is looked at
 *
 * Context: xenwatch, which serves all devices: must not block.
 */
void netfront_backend_changed(struct xenbus_device *xbdev,
			      enum xenbus_state state)
{
	netfront_kick(dev_get_drvdata(&xbdev->dev));
}

/**
 * netfront_close() - end the connection, wait for the backend, free the rings
 * @info: a device whose state machine has ended
 *
 * Pages that a backend still uses after a while are freed when it lets go.
 */
void netfront_close(struct netfront *info)
{
	unsigned long end = jiffies + CLOSE_TIMEOUT;

	xenstore_unwatch(&info->carrier_watch);
	link_down(info);
	xenbus_frontend_closed(info->xbdev);
	while (info->queues && time_before(jiffies, end) &&
	       !backend_is_idle(xenbus_read_driver_state(info->backend)))
		msleep(20);
	release(info);
}

/**
 * netfront_suspend() - prepare for save or migration
 * @xbdev: the xenbus device
 *
 * Nothing is torn down, because the suspension may be cancelled, and then
 * nobody tells. Changes seen so far are dealt with while xenstore answers.
 *
 * Return: 0.
 */
int netfront_suspend(struct xenbus_device *xbdev)
{
	struct netfront *info = dev_get_drvdata(&xbdev->dev);

	flush_delayed_work(&info->work);
	return 0;
}

/**
 * netfront_resume() - note that the domain was restored
 * @xbdev: the xenbus device, whose backend is another one
 *
 * Return: 0.
 */
int netfront_resume(struct xenbus_device *xbdev)
{
	struct netfront *info = dev_get_drvdata(&xbdev->dev);

	WRITE_ONCE(info->replaced, true);
	netfront_kick(info);
	return 0;
}

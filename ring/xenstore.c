// SPDX-License-Identifier: GPL-2.0
#include "xenstore.h"

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>

int xenstore_transaction(int (*write)(void *data,
				      struct xenbus_transaction xbt),
			 void *data)
{
	struct xenbus_transaction xbt;
	int ret, end;

	do {
		ret = xenbus_transaction_start(&xbt);
		if (ret)
			return ret;
		ret = write(data, xbt);
		end = xenbus_transaction_end(xbt, ret);
		if (ret)
			return ret;
	} while (end == -EAGAIN);
	return end;
}
EXPORT_SYMBOL_NS_GPL(xenstore_transaction, XSPLIT);

int xenstore_write_keys(struct xenbus_transaction xbt, const char *dir,
			const struct xenstore_key *keys, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = xenbus_printf(xbt, dir, keys[i].name, "%llu",
				    keys[i].value);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(xenstore_write_keys, XSPLIT);

int xenstore_offer(struct xenbus_device *dev, const struct xenstore_key *keys,
		   unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		ret = xenstore_write_keys(XBT_NIL, dev->nodename, &keys[i], 1);
		if (ret)
			xenbus_dev_fatal(dev, ret, "writing %s", keys[i].name);
	}
	return ret;
}
EXPORT_SYMBOL_NS_GPL(xenstore_offer, XSPLIT);

static bool begins_with_one(const char *name, const char *const *prefixes,
			    unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (strstarts(name, prefixes[i]))
			return true;
	return false;
}

int xenstore_remove_keys(struct xenbus_transaction xbt, const char *dir,
			 const char *const *prefixes, unsigned int nr)
{
	unsigned int nr_keys, i;
	char **keys;
	int ret = 0;

	keys = xenbus_directory(xbt, dir, "", &nr_keys);
	if (IS_ERR(keys))
		return PTR_ERR(keys);
	for (i = 0; i < nr_keys && !ret; i++)
		if (begins_with_one(keys[i], prefixes, nr))
			ret = xenbus_rm(xbt, dir, keys[i]);
	kfree(keys);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(xenstore_remove_keys, XSPLIT);

/* Lines of each guest: one must not be able to silence another. */
static struct ratelimit_state frontend_limits[64] = {
	[0 ... 63] = RATELIMIT_STATE_INIT(frontend_limits, 60 * HZ, 100),
};

static bool may_say(const struct xenbus_device *dev)
{
	unsigned int i = dev->otherend_id % ARRAY_SIZE(frontend_limits);

	return __ratelimit(&frontend_limits[i]);
}

void frontend_error(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (!may_say(dev))
		return;
	va_start(args, fmt);
	vaf.va = &args;
	xenbus_dev_error(dev, err, "%pV", &vaf);
	va_end(args);
}
EXPORT_SYMBOL_NS_GPL(frontend_error, XSPLIT);

void frontend_fatal(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (!may_say(dev)) {
		xenbus_switch_state(dev, XenbusStateClosing);
		return;
	}
	va_start(args, fmt);
	vaf.va = &args;
	xenbus_dev_fatal(dev, err, "%pV", &vaf);
	va_end(args);
}
EXPORT_SYMBOL_NS_GPL(frontend_fatal, XSPLIT);

int xenstore_read_number(struct xenbus_device *dev, const char *dir,
			 const char *key, unsigned int *val)
{
	int ret = xenbus_scanf(XBT_NIL, dir, key, "%u", val);

	if (ret == 1)
		return 0;
	ret = ret < 0 ? ret : -EINVAL;
	frontend_fatal(dev, ret, "reading %s/%s", dir, key);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(xenstore_read_number, XSPLIT);

/* One that is pending already says all there is to say. */
static bool will_handle(struct xenbus_watch *watch, const char *path,
			const char *token)
{
	return !watch->nr_pending;
}

int xenstore_watch(struct xenbus_device *dev, struct xenbus_watch *watch,
		   void (*fired)(struct xenbus_watch *watch, const char *path,
				 const char *token),
		   const char *dir, const char *key)
{
	return xenbus_watch_pathfmt(dev, watch, will_handle, fired, "%s/%s",
				    dir, key);
}
EXPORT_SYMBOL_NS_GPL(xenstore_watch, XSPLIT);

void xenstore_unwatch(struct xenbus_watch *watch)
{
	if (!watch->node)
		return;
	unregister_xenbus_watch(watch);
	kfree(watch->node);
	watch->node = NULL;
}
EXPORT_SYMBOL_NS_GPL(xenstore_unwatch, XSPLIT);

bool frontend_waits(struct xenbus_device *dev)
{
	return xenbus_read_driver_state(dev->otherend) ==
		       XenbusStateInitialising &&
	       xenbus_dev_is_online(dev);
}
EXPORT_SYMBOL_NS_GPL(frontend_waits, XSPLIT);

bool frontend_made_anew(const struct xenbus_device *dev)
{
	return xenbus_read_driver_state(dev->nodename) ==
	       XenbusStateInitialising;
}
EXPORT_SYMBOL_NS_GPL(frontend_made_anew, XSPLIT);

/* Work of its own: what belongs to the driver ends with the driver. */
struct reprobe {
	struct work_struct work;
	struct device *dev;
};

static void reprobe_work(struct work_struct *work)
{
	struct reprobe *reprobe = container_of(work, struct reprobe, work);
	int ret = device_reprobe(reprobe->dev);

	if (ret < 0)
		dev_err(reprobe->dev, "attached again, but not served (%d)\n",
			ret);
	put_device(reprobe->dev);
	kfree(reprobe);
}

bool frontend_reprobe(struct xenbus_device *dev, struct workqueue_struct *wq)
{
	struct reprobe *reprobe = kmalloc(sizeof(*reprobe), GFP_NOIO);

	if (!reprobe)
		return false;
	INIT_WORK(&reprobe->work, reprobe_work);
	reprobe->dev = get_device(&dev->dev);
	return queue_work(wq, &reprobe->work);
}
EXPORT_SYMBOL_NS_GPL(frontend_reprobe, XSPLIT);

// SPDX-License-Identifier: GPL-2.0
/*
 * Xenstore: a list of paths with values. Transactions see and make changes at
 * once; some may be told to try again.
 */
#include "fake.h"

#include <linux/device.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>

#define PATH_LEN	128

struct node {
	struct list_head list;
	char path[PATH_LEN];
	char value[];
};

struct xenbus_driver *fake_driver;

static LIST_HEAD(store);
static unsigned int watches;

static void join(char *path, const char *dir, const char *key)
{
	snprintf(path, PATH_LEN, key && *key ? "%s/%s" : "%s", dir, key);
}

static struct node *find(const char *dir, const char *key)
{
	char path[PATH_LEN];
	struct node *node;

	join(path, dir, key);
	list_for_each_entry(node, &store, list)
		if (!strcmp(node->path, path))
			return node;
	return NULL;
}

/* What the test's own hands do must not fail. */
static unsigned int hold_faults(void)
{
	unsigned int nth = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return nth;
}

static void set(const char *dir, const char *key, const char *value)
{
	unsigned int nth = hold_faults();
	struct node *node = find(dir, key);

	if (node) {
		list_del(&node->list);
		kfree(node);
	}
	node = kzalloc(sizeof(*node) + strlen(value) + 1, GFP_KERNEL);
	join(node->path, dir, key);
	strcpy(node->value, value);
	list_add(&node->list, &store);
	WRITE_ONCE(current->fail_nth, nth);
}

void fake_xs_set(const char *dir, const char *key, const char *fmt, ...)
{
	char value[PATH_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	set(dir, key, value);
}

void fake_xs_put(const char *dir, const char *key, const char *value)
{
	fake_xs_remove(dir, key);
	if (value)
		set(dir, key, value);
}

const char *fake_xs_get(const char *dir, const char *key)
{
	struct node *node = find(dir, key);

	return node ? node->value : NULL;
}

/* A key and all below it. */
void fake_xs_remove(const char *dir, const char *key)
{
	struct node *node, *next;
	char path[PATH_LEN];
	size_t len;

	join(path, dir, key);
	len = strlen(path);
	list_for_each_entry_safe(node, next, &store, list) {
		if (strncmp(node->path, path, len) ||
		    (node->path[len] && node->path[len] != '/'))
			continue;
		list_del(&node->list);
		kfree(node);
	}
}

unsigned int fake_xs_watches(void)
{
	return watches;
}

/* --- what drivers call --------------------------------------------------- */

void *xenbus_read(struct xenbus_transaction t, const char *dir,
		  const char *key, unsigned int *len)
{
	struct node *node = find(dir, key);
	char *value;

	if (fake_fails(FAKE_XENSTORE))
		return ERR_PTR(-EIO);
	if (!node)
		return ERR_PTR(-ENOENT);
	value = kstrdup(node->value, GFP_NOIO | __GFP_HIGH);
	if (!value)
		return ERR_PTR(-ENOMEM);
	if (len)
		*len = strlen(value);
	return value;
}

int xenbus_scanf(struct xenbus_transaction t, const char *dir, const char *key,
		 const char *fmt, ...)
{
	char *value = xenbus_read(t, dir, key, NULL);
	va_list args;
	int ret;

	if (IS_ERR(value))
		return PTR_ERR(value);
	va_start(args, fmt);
	ret = vsscanf(value, fmt, args);
	va_end(args);
	kfree(value);
	return ret ?: -ERANGE;
}

unsigned int xenbus_read_unsigned(const char *dir, const char *key,
				  unsigned int absent)
{
	unsigned int value;

	return xenbus_scanf(XBT_NIL, dir, key, "%u", &value) > 0 ? value :
								    absent;
}

int xenbus_gather(struct xenbus_transaction t, const char *dir, ...)
{
	const char *key, *fmt;
	va_list args;
	void *result;
	char *value;
	int ret = 0;

	va_start(args, dir);
	while (!ret && (key = va_arg(args, char *))) {
		fmt = va_arg(args, char *);
		result = va_arg(args, void *);
		value = xenbus_read(t, dir, key, NULL);
		if (IS_ERR(value)) {
			ret = PTR_ERR(value);
			break;
		}
		if (!fmt)
			*(char **)result = value;
		else if (!sscanf(value, fmt, result))
			ret = -EINVAL;
		if (fmt)
			kfree(value);
	}
	va_end(args);
	return ret;
}

int xenbus_exists(struct xenbus_transaction t, const char *dir,
		  const char *key)
{
	return !fake_fails(FAKE_XENSTORE) && find(dir, key);
}

int xenbus_write(struct xenbus_transaction t, const char *dir,
		 const char *key, const char *value)
{
	if (fake_fails(FAKE_XENSTORE))
		return -EIO;
	set(dir, key, value);
	return 0;
}

int xenbus_printf(struct xenbus_transaction t, const char *dir,
		  const char *key, const char *fmt, ...)
{
	char *value;
	va_list args;
	int ret;

	va_start(args, fmt);
	value = kvasprintf(GFP_NOIO | __GFP_HIGH, fmt, args);
	va_end(args);
	if (!value)
		return -ENOMEM;
	ret = xenbus_write(t, dir, key, value);
	kfree(value);
	return ret;
}

int xenbus_rm(struct xenbus_transaction t, const char *dir, const char *key)
{
	if (fake_fails(FAKE_XENSTORE))
		return -EIO;
	fake_xs_remove(dir, key);
	return 0;
}

/* One allocation, as the kernel's: pointers, then names. */
char **xenbus_directory(struct xenbus_transaction t, const char *dir,
			const char *key, unsigned int *num)
{
	size_t max = 64, room = max * (sizeof(char *) + 32);
	char path[PATH_LEN], *name, *end;
	struct node *node;
	char **names;
	unsigned int i;
	size_t len;

	if (fake_fails(FAKE_XENSTORE))
		return ERR_PTR(-EIO);
	names = kzalloc(room, GFP_NOIO | __GFP_HIGH);
	if (!names)
		return ERR_PTR(-ENOMEM);
	join(path, dir, key);
	len = strlen(path);
	name = (char *)&names[max];
	*num = 0;
	list_for_each_entry(node, &store, list) {
		if (strncmp(node->path, path, len) || node->path[len] != '/')
			continue;
		strscpy(name, node->path + len + 1, 32);
		end = strchr(name, '/');
		if (end)
			*end = '\0';
		for (i = 0; i < *num && strcmp(names[i], name); i++)
			;
		if (i < *num || *num == max)
			continue;
		names[(*num)++] = name;
		name += 32;
	}
	return names;
}

int xenbus_transaction_start(struct xenbus_transaction *t)
{
	if (fake_fails(FAKE_XENSTORE))
		return -ENOMEM;
	t->id = ++fake.open_transactions;
	return 0;
}

int xenbus_transaction_end(struct xenbus_transaction t, int abort)
{
	if (!fake.open_transactions)
		fake_fault("a transaction ended that was not started");
	fake.open_transactions--;
	if (abort)
		return 0;
	if (fake_fails(FAKE_XENSTORE))
		return -EIO;
	if (fake.conflicts) {
		fake.conflicts--;
		return -EAGAIN;
	}
	return 0;
}

enum xenbus_state xenbus_read_driver_state(const char *path)
{
	return xenbus_read_unsigned(path, "state", XenbusStateUnknown);
}

int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state)
{
	if (state == dev->state)
		return 0;
	/* The kernel's own ends the device in this case, too. */
	if (fake_fails(FAKE_XENSTORE)) {
		fake.fatals++;
		state = XenbusStateClosing;
	}
	fake_xs_set(dev->nodename, "state", "%u", state);
	dev->state = state;
	return 0;
}

int xenbus_frontend_closed(struct xenbus_device *dev)
{
	xenbus_switch_state(dev, XenbusStateClosed);
	complete(&dev->down);
	return 0;
}

int xenbus_dev_is_online(struct xenbus_device *dev)
{
	return xenbus_read_unsigned(dev->nodename, "online", 0);
}

static void report(struct xenbus_device *dev, int err, const char *fmt,
		   va_list args)
{
	struct va_format text = { .fmt = fmt };
	va_list copy;

	va_copy(copy, args);
	text.va = &copy;
	pr_debug("%s: %d %pV\n", dev->nodename, err, &text);
	va_end(copy);
}

void xenbus_dev_error(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	fake.errors++;
	va_start(args, fmt);
	report(dev, err, fmt, args);
	va_end(args);
}

void xenbus_dev_fatal(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	fake.fatals++;
	va_start(args, fmt);
	report(dev, err, fmt, args);
	va_end(args);
	xenbus_switch_state(dev, XenbusStateClosing);
}

int xenbus_watch_pathfmt(struct xenbus_device *dev, struct xenbus_watch *watch,
			 bool (*will_handle)(struct xenbus_watch *,
					     const char *, const char *),
			 void (*callback)(struct xenbus_watch *, const char *,
					  const char *),
			 const char *pathfmt, ...)
{
	va_list args;

	va_start(args, pathfmt);
	watch->node = kvasprintf(GFP_NOIO | __GFP_HIGH, pathfmt, args);
	va_end(args);
	if (!watch->node || fake_fails(FAKE_XENSTORE)) {
		kfree(watch->node);
		watch->node = NULL;
		fake.fatals++;
		return -ENOMEM;
	}
	watch->callback = callback;
	watches++;
	return 0;
}

void unregister_xenbus_watch(struct xenbus_watch *watch)
{
	watches--;
}

int __xenbus_register_frontend(struct xenbus_driver *drv, struct module *owner,
			       const char *mod_name)
{
	fake_driver = drv;
	return 0;
}

int __xenbus_register_backend(struct xenbus_driver *drv, struct module *owner,
			      const char *mod_name)
{
	fake_driver = drv;
	return 0;
}

void xenbus_unregister_driver(struct xenbus_driver *drv)
{
}

/* --- devices ------------------------------------------------------------- */

/* As the bus has it: what removing finds done already, it does not do again. */
int device_reprobe(struct device *dev)
{
	struct xenbus_device *xdev = to_xenbus_device(dev);

	fake_driver->remove(xdev);
	xenbus_switch_state(xdev, XenbusStateClosed);
	return fake_driver->probe(xdev, &fake_driver->ids[0]);
}

static void release(struct device *dev)
{
	kfree(to_xenbus_device(dev));
}

struct xenbus_device *fake_device(struct kunit *test, const char *type,
				  bool frontend, enum xenbus_state state)
{
	struct xenbus_device *xdev = kzalloc(sizeof(*xdev), GFP_KERNEL);
	static unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(test, xdev);
	xdev->devicetype = type;
	xdev->nodename = frontend ? "device/51712" : "backend/7/51712";
	xdev->otherend = frontend ? "backend/7/51712" : "device/51712";
	xdev->otherend_id = FAKE_PEER;
	xdev->state = XenbusStateInitialising;
	init_completion(&xdev->down);
	sema_init(&xdev->reclaim_sem, 1);
	xdev->dev.release = release;
	/* One that a failed case has left is not in the way of the next. */
	dev_set_name(&xdev->dev, "%s-51712-%u", type, nr++);
	KUNIT_ASSERT_EQ(test, device_register(&xdev->dev), 0);
	fake_xs_set(xdev->nodename, "state", "%u", xdev->state);
	fake_xs_set(xdev->otherend, "state", "%u", state);
	return xdev;
}

void fake_device_free(struct xenbus_device *xdev)
{
	device_unregister(&xdev->dev);
}

void fake_peer_state(struct xenbus_device *xdev, enum xenbus_state state)
{
	fake_xs_set(xdev->otherend, "state", "%u", state);
	fake_driver->otherend_changed(xdev, state);
	fake_work_run();
}

void fake_device_anew(struct kunit *test, struct xenbus_device *xdev)
{
	fake_xs_set(xdev->nodename, "online", "0");
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateClosed);
	fake_xs_remove(xdev->nodename, "");
	fake_xs_set(xdev->nodename, "online", "1");
	fake_xs_set(xdev->otherend, "state", "%u", XenbusStateInitialising);
}

void fake_frontend_anew(struct kunit *test, struct xenbus_device *xdev)
{
	void *old = dev_get_drvdata(&xdev->dev);

	fake_xs_set(xdev->otherend, "online", "0");
	fake_peer_state(xdev, XenbusStateClosed);
	KUNIT_ASSERT_EQ(test, xdev->state, XenbusStateClosed);
	fake_peer_state(xdev, XenbusStateUnknown);
	KUNIT_EXPECT_PTR_EQ(test, dev_get_drvdata(&xdev->dev), old);
	fake_xs_set(xdev->nodename, "state", "%u", XenbusStateInitialising);
	fake_xs_set(xdev->otherend, "online", "1");
}

void fake_xs_init(void)
{
	watches = 0;
}

void fake_xs_exit(struct kunit *test)
{
	struct node *node, *next;

	KUNIT_EXPECT_EQ(test, watches, 0);
	list_for_each_entry_safe(node, next, &store, list) {
		list_del(&node->list);
		kfree(node);
	}
}

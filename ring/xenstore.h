/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all four drivers do in xenstore: both ends of a device describe
 * themselves there, watch each other's state, and begin and end a connection.
 */
#ifndef XSPLIT_XENSTORE_H
#define XSPLIT_XENSTORE_H

#include <linux/types.h>
#include <xen/xenbus.h>

/**
 * struct xenstore_key - a key with a number for a value
 * @name: its name
 * @value: what it says
 */
struct xenstore_key {
	const char *name;
	u64 value;
};

/**
 * xenstore_transaction() - write so that others see all or nothing
 * @write: writes; may run several times, when others write meanwhile; its
 *	error ends the transaction with nothing written
 * @data: argument of @write
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int xenstore_transaction(int (*write)(void *data,
				      struct xenbus_transaction xbt),
			 void *data);

/**
 * xenstore_write_keys() - write several keys
 * @xbt: transaction
 * @dir: their directory
 * @keys: the keys
 * @nr: their number
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int xenstore_write_keys(struct xenbus_transaction xbt, const char *dir,
			const struct xenstore_key *keys, unsigned int nr);

/**
 * xenstore_offer() - write what a backend offers to any frontend
 * @dev: the backend's device, whose fatal error it is if that fails
 * @keys: keys of its directory
 * @nr: their number
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int xenstore_offer(struct xenbus_device *dev, const struct xenstore_key *keys,
		   unsigned int nr);

/**
 * xenstore_remove_keys() - remove keys by the beginnings of their names
 * @xbt: transaction
 * @dir: their directory
 * @prefixes: beginnings
 * @nr: their number
 *
 * A boot loader or another driver may have left keys that mislead the peer.
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int xenstore_remove_keys(struct xenbus_transaction xbt, const char *dir,
			 const char *const *prefixes, unsigned int nr);

/**
 * frontend_error() - say what a frontend has done wrong
 * @dev: the backend's device
 * @err: -errno
 * @fmt: what it was, as for printf(), without newline; text of the frontend's
 *	own must be escaped (%pE)
 *
 * In the log and in xenstore, as xenbus_dev_error(), but not more often than
 * anybody would read: a frontend may come again and again. What one guest is
 * blamed for does not keep the errors of others away, unless there are very
 * many guests.
 *
 * Context: may sleep.
 */
__printf(3, 4)
void frontend_error(struct xenbus_device *dev, int err, const char *fmt, ...);

/**
 * frontend_fatal() - frontend_error(), and go to Closing
 * @dev: the backend's device
 * @err: -errno
 * @fmt: as for frontend_error()
 *
 * Context: may sleep.
 */
__printf(3, 4)
void frontend_fatal(struct xenbus_device *dev, int err, const char *fmt, ...);

/**
 * xenstore_read_number() - read a number that a frontend must have written
 * @dev: the backend's device, which is closed if there is none
 * @dir: directory of the key
 * @key: the key
 * @val: the number
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int xenstore_read_number(struct xenbus_device *dev, const char *dir,
			 const char *key, unsigned int *val);

/**
 * xenstore_watch() - watch a key
 * @dev: the device, whose fatal error it is if that fails
 * @watch: the watch, zeroed
 * @fired: called in xenwatch when the key may have changed, at least once
 * @dir: directory of the key
 * @key: the key
 *
 * Changes that come faster than they are looked at are one (XSA-349).
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int xenstore_watch(struct xenbus_device *dev, struct xenbus_watch *watch,
		   void (*fired)(struct xenbus_watch *watch, const char *path,
				 const char *token),
		   const char *dir, const char *key);

/**
 * xenstore_unwatch() - undo xenstore_watch()
 * @watch: the watch; one that is not registered is left alone
 *
 * Context: may sleep. The callback has ended on return.
 */
void xenstore_unwatch(struct xenbus_watch *watch);

/**
 * frontend_waits() - whether a frontend waits for a device to be served anew
 * @dev: the backend's device, which the toolstack has had closed
 *
 * A toolstack that has taken a device away may make one of the same name before
 * the bus has looked. Then the bus keeps the device, and its driver has to go on.
 * If it has looked it is about to remove the driver, and to probe the new device,
 * but only if its state is untouched. Which of them it is can be told only where
 * the bus does not look meanwhile: in its own thread.
 *
 * Context: the callback of a watch, which the thread of the bus runs; sleeps.
 * Return: whether a driver that has closed the device must go on.
 */
bool frontend_waits(struct xenbus_device *dev);

/**
 * frontend_made_anew() - whether a closed frontend's device is another one by now
 * @dev: the frontend's device, whose state is Closed
 *
 * As for frontend_waits(); here the bus has kept a device whose state in xenstore
 * is that of one that nobody has probed.
 *
 * Context: where nobody else changes the device's state; sleeps.
 * Return: true if so.
 */
bool frontend_made_anew(const struct xenbus_device *dev);

/**
 * frontend_reprobe() - have the bus remove the driver of a device and probe it again
 * @dev: the frontend's device
 * @wq: does so, soon; the driver destroys it when the driver is unregistered
 *
 * Context: may sleep.
 * Return: false if memory is short, and then nothing happens.
 */
bool frontend_reprobe(struct xenbus_device *dev, struct workqueue_struct *wq);

/**
 * backend_is_online() - whether the toolstack wants the device to be there
 * @dir: directory of the backend
 *
 * Context: may sleep.
 * Return: false if the device is being taken away for good.
 */
static inline bool backend_is_online(const char *dir)
{
	return xenbus_read_unsigned(dir, "online", 0);
}

/**
 * backend_is_gone() - whether a backend has left, or is about to
 * @state: its state
 *
 * Return: true if so; it may still use the rings.
 */
static inline bool backend_is_gone(enum xenbus_state state)
{
	return state == XenbusStateUnknown || state == XenbusStateClosing ||
	       state == XenbusStateClosed;
}

/**
 * backend_is_idle() - whether a backend has no use for rings
 * @state: its state
 *
 * Return: true if it has let go of those of an earlier connection.
 */
static inline bool backend_is_idle(enum xenbus_state state)
{
	return state == XenbusStateUnknown || state == XenbusStateClosed ||
	       state == XenbusStateInitialising ||
	       state == XenbusStateInitWait;
}

#endif /* XSPLIT_XENSTORE_H */

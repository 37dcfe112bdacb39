/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels of split drivers: one end of an interdomain channel, bound
 * to an interrupt handler with late EOI, so that a peer that storms is slowed
 * down by Xen's event core instead of starving this domain (XSA-332, XSA-391).
 */
#ifndef XSPLIT_EVENT_CHANNEL_H
#define XSPLIT_EVENT_CHANNEL_H

#include <linux/interrupt.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/sched.h>
#include <asm/xen/hypercall.h>

struct xenbus_device;

/**
 * struct event_channel - one end of an interdomain event channel
 * @port: the local port of a channel that this end allocated, else 0
 * @irq: the interrupt it is bound to, 0 while it is not bound
 */
struct event_channel {
	evtchn_port_t port;
	int irq;
};

/**
 * event_channel_alloc() - create a channel that the peer may bind to
 * @ec: the channel, zeroed
 * @dev: the device whose peer may bind
 * @handler: hard interrupt handler; it, or work that it starts, must call
 *	event_channel_eoi() once for each time it runs
 * @name: shown in /proc/interrupts; must live as long as the channel
 * @data: argument of @handler
 *
 * For frontends, which publish @ec->port in xenstore.
 *
 * Context: may sleep.
 * Return: 0 or -errno; on error nothing is left allocated.
 */
int event_channel_alloc(struct event_channel *ec, struct xenbus_device *dev,
			irq_handler_t handler, const char *name, void *data);

/**
 * event_channel_bind() - bind to a channel that the peer has created
 * @ec: the channel, zeroed
 * @dev: the device whose peer has created it
 * @remote: the peer's port
 * @handler: as for event_channel_alloc()
 * @name: as for event_channel_alloc()
 * @data: argument of @handler
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int event_channel_bind(struct event_channel *ec, struct xenbus_device *dev,
		       evtchn_port_t remote, irq_handler_t handler,
		       const char *name, void *data);

/**
 * event_channel_free() - unbind and close; the handler has ended on return
 * @ec: the channel; one that is not bound is left alone
 * @data: the argument given when it was bound
 *
 * Context: may sleep; no lock held that the handler takes (XSA-441).
 */
void event_channel_free(struct event_channel *ec, void *data);

/**
 * event_channel_eoi() - let the next event in
 * @ec: the channel
 * @worked: whether the event had a cause. False slows the peer down, so it
 *	must never be said after work was done.
 *
 * Context: any.
 */
static inline void event_channel_eoi(const struct event_channel *ec,
				     bool worked)
{
	xen_irq_lateeoi(ec->irq, worked ? 0 : XEN_EOI_FLAG_SPURIOUS);
}

/**
 * event_channel_notify() - send an event to the peer
 * @ec: the channel
 *
 * Context: any; best called with no lock held, it is a hypercall.
 */
static inline void event_channel_notify(const struct event_channel *ec)
{
	notify_remote_via_irq(ec->irq);
}

/**
 * event_channel_yield() - let a peer run that may be waiting for this CPU
 *
 * For when nothing can be done before the peer has acted. Returns at once if no
 * other domain wants the CPU.
 *
 * Context: any but hard interrupt.
 */
static inline void event_channel_yield(void)
{
	HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

#endif /* XSPLIT_EVENT_CHANNEL_H */

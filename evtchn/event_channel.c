// SPDX-License-Identifier: GPL-2.0
#include "event_channel.h"

#include <linux/module.h>
#include <xen/xenbus.h>

/*
 * A channel is pending from the moment it is bound. Whoever the handler wakes
 * must find the interrupt's number, or the EOI would be lost and with it all
 * further events.
 */
static void enable_channel(struct event_channel *ec, int irq)
{
	ec->irq = irq;
	enable_irq(irq);
}

int event_channel_alloc(struct event_channel *ec, struct xenbus_device *dev,
			irq_handler_t handler, const char *name, void *data)
{
	int ret;

	ret = xenbus_alloc_evtchn(dev, &ec->port);
	if (ret)
		return ret;

	ret = bind_evtchn_to_irqhandler_lateeoi(ec->port, handler,
						IRQF_NO_AUTOEN, name, data);
	if (ret < 0) {
		xenbus_free_evtchn(dev, ec->port);
		ec->port = 0;
		return ret;
	}
	enable_channel(ec, ret);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(event_channel_alloc, XSPLIT);

int event_channel_bind(struct event_channel *ec, struct xenbus_device *dev,
		       evtchn_port_t remote, irq_handler_t handler,
		       const char *name, void *data)
{
	int ret;

	ret = bind_interdomain_evtchn_to_irqhandler_lateeoi(dev, remote,
							    handler,
							    IRQF_NO_AUTOEN,
							    name, data);
	if (ret < 0)
		return ret;
	enable_channel(ec, ret);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(event_channel_bind, XSPLIT);

void event_channel_free(struct event_channel *ec, void *data)
{
	if (!ec->irq)
		return;
	/* Closes the port, too. */
	unbind_from_irqhandler(ec->irq, data);
	*ec = (struct event_channel) {};
}
EXPORT_SYMBOL_NS_GPL(event_channel_free, XSPLIT);

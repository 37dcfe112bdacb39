// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels: an interrupt is the number of a channel plus IRQ_BASE, and
 * its handler is called by the test with interrupts off.
 */
#include "fake.h"

#include <linux/irqflags.h>
#include <xen/events.h>

#define IRQ_BASE	1000

static struct fake_event events[FAKE_PORTS];

int fake_irq_of(const struct fake_event *event)
{
	return IRQ_BASE + (event - events);
}

struct fake_event *fake_event(int irq)
{
	struct fake_event *event = &events[irq - IRQ_BASE];

	if (irq < IRQ_BASE || irq >= IRQ_BASE + FAKE_PORTS || !event->bound) {
		fake_fault("interrupt %d is not bound", irq);
		return NULL;
	}
	return event;
}

struct fake_event *fake_event_of_port(evtchn_port_t port)
{
	unsigned int i;

	for (i = 0; i < FAKE_PORTS; i++)
		if (events[i].port == port)
			return &events[i];
	return NULL;
}

unsigned int fake_events_bound(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < FAKE_PORTS; i++)
		nr += events[i].port || events[i].bound;
	return nr;
}

static void deliver(struct fake_event *event)
{
	unsigned long flags;

	if (!event->pending || !event->enabled || event->running)
		return;
	event->pending = false;
	event->running = true;
	/* As from an interrupt: tasklets and NAPI run when it has ended. */
	local_bh_disable();
	local_irq_save(flags);
	event->handler(fake_irq_of(event), event->data);
	local_irq_restore(flags);
	local_bh_enable();
}

void fake_event_raise(struct fake_event *event)
{
	event->pending = true;
	deliver(event);
}

static struct fake_event *unused(void)
{
	unsigned int i;

	for (i = 1; i < FAKE_PORTS; i++)
		if (!events[i].port && !events[i].bound)
			return &events[i];
	return NULL;
}

int xenbus_alloc_evtchn(struct xenbus_device *dev, evtchn_port_t *port)
{
	struct fake_event *event = unused();

	if (!event || fake_fails(FAKE_EVENT))
		return -ENOSPC;
	*event = (struct fake_event) { .port = 100 + (event - events) };
	*port = event->port;
	return 0;
}

int xenbus_free_evtchn(struct xenbus_device *dev, evtchn_port_t port)
{
	struct fake_event *event = fake_event_of_port(port);

	if (!event || event->bound) {
		fake_fault("port %u freed", port);
		return -EINVAL;
	}
	*event = (struct fake_event) {};
	return 0;
}

static int bind(struct fake_event *event, irq_handler_t handler,
		unsigned long irqflags, void *data)
{
	event->handler = handler;
	event->data = data;
	event->bound = true;
	event->enabled = !(irqflags & IRQF_NO_AUTOEN);
	return fake_irq_of(event);
}

int bind_evtchn_to_irqhandler_lateeoi(evtchn_port_t port,
				      irq_handler_t handler,
				      unsigned long irqflags,
				      const char *devname, void *dev_id)
{
	struct fake_event *event = fake_event_of_port(port);

	if (!event || event->bound) {
		fake_fault("port %u bound", port);
		return -EINVAL;
	}
	if (fake_fails(FAKE_EVENT))
		return -ENOMEM;
	return bind(event, handler, irqflags, dev_id);
}

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t remote,
						  irq_handler_t handler,
						  unsigned long irqflags,
						  const char *devname,
						  void *dev_id)
{
	struct fake_event *event = unused();

	if (!event || fake_fails(FAKE_EVENT))
		return -ENOSPC;
	/* Whoever binds to another's channel finds an event, as Xen has it. */
	*event = (struct fake_event) { .port = remote, .pending = true };
	return bind(event, handler, irqflags, dev_id);
}

void unbind_from_irqhandler(unsigned int irq, void *dev_id)
{
	struct fake_event *event = fake_event(irq);

	if (!event)
		return;
	if (event->data != dev_id)
		fake_fault("interrupt %u unbound with other data", irq);
	*event = (struct fake_event) {};
}

void enable_irq(unsigned int irq)
{
	struct fake_event *event = fake_event(irq);

	if (!event)
		return;
	if (event->enabled)
		fake_fault("interrupt %u enabled twice", irq);
	event->enabled = true;
	deliver(event);
}

void disable_irq(unsigned int irq)
{
	struct fake_event *event = fake_event(irq);

	if (event)
		event->enabled = false;
}

int irq_set_affinity(unsigned int irq, const struct cpumask *cpumask)
{
	return fake_event(irq) ? 0 : -EINVAL;
}

void xen_irq_lateeoi(unsigned int irq, unsigned int eoi_flags)
{
	struct fake_event *event = fake_event(irq);

	if (!event)
		return;
	if (!event->running)
		fake_fault("interrupt %u: EOI without event", irq);
	event->running = false;
	event->eois++;
	if (eoi_flags & XEN_EOI_FLAG_SPURIOUS)
		event->spurious++;
}

void notify_remote_via_irq(int irq)
{
	struct fake_event *event = fake_event(irq);

	if (!event)
		return;
	event->sent++;
	if (fake.notified)
		fake.notified(fake.notified_arg, irq);
}

void fake_event_init(void)
{
	memset(events, 0, sizeof(events));
}

void fake_event_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fake_events_bound(), 0);
}

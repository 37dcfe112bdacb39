/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A Xen for tests: grant table, event channels, xenstore and work items. The
 * functions that the drivers call have their usual names and are linked into
 * the test module, where they are found before the kernel's. The code under
 * test is compiled as it is.
 *
 * What the code under test may not do is counted as a fault, with the first
 * one described; fake_exit() fails the test for it, and for what is left over.
 */
#ifndef KUNIT_FAKE_H
#define KUNIT_FAKE_H

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#define FAKE_REFS	16384
#define FAKE_PORTS	64
#define FAKE_PEER	7	/* domain number of the other end */

/* What can be made to fail. */
enum fake_kind {
	FAKE_MEMORY,	/* any allocation of this task: kmalloc, pages, vmalloc */
	FAKE_GRANT,	/* allocating grant references, mapping */
	FAKE_EVENT,	/* allocating and binding event channels */
	FAKE_XENSTORE,	/* any operation on xenstore */
	FAKE_KINDS
};

extern const char *const fake_kind_names[FAKE_KINDS];

/* All of it is reset by fake_init(). */
struct fake {
	struct kunit *test;
	unsigned int faults;
	char fault[128];

	/* The Nth operation of a kind from now fails; 0: none does. */
	unsigned int fail_at[FAKE_KINDS];

	/* Counted */
	unsigned int hypercalls;	/* grant table operations */
	unsigned int ops;		/* in those */
	unsigned int yields;
	bool others_run;		/* beside the test's own thread */
	unsigned int fatals;		/* xenbus_dev_fatal() */
	unsigned int errors;		/* xenbus_dev_error() */
	unsigned int conflicts;		/* transactions that shall end in -EAGAIN */
	unsigned int open_transactions;
	unsigned int rings;		/* ring pages allocated or mapped */
	unsigned int cached_pages;	/* out of page caches */
	bool scattered;			/* no page follows another in the machine */

	/* Limits and refusals */
	unsigned int grant_frames;
	int hypercall_ret;

	/* A call for each event that is sent; may be NULL. */
	void (*notified)(void *arg, int irq);
	void *notified_arg;
	/* A peer that gets the CPU by a yield; may be NULL. */
	void (*yielded)(void);
};

extern struct fake fake;

/* What the module under test has registered. */
extern struct xenbus_driver *fake_driver;

int fake_init(struct kunit *test);
void fake_exit(struct kunit *test);

__printf(1, 2) void fake_fault(const char *fmt, ...);

/* Whether the operation of a kind that is made now shall fail. */
bool fake_fails(enum fake_kind kind);

/* Arm a failure; and disarm it. Return of the latter: whether it came. */
void fake_arm(enum fake_kind kind, unsigned int nth);
bool fake_disarm(enum fake_kind kind);

/* The kinds of failures as parameters of a case. */
const void *fake_kind_gen_params(const void *prev, char *desc);

/*
 * What is tried again and again, with the Nth operation of the case's kind
 * failing in @attempt, until nothing fails: each time from @prepare to @finish,
 * after which nothing may be left. Return: how often something failed.
 */
struct fake_sweep {
	void (*prepare)(struct kunit *test);
	void (*attempt)(struct kunit *test);
	void (*finish)(struct kunit *test, bool failed);
};

unsigned int fake_sweep(struct kunit *test, const struct fake_sweep *sweep);

void fake_nothing_left(struct kunit *test);

/* Our state, the peer's, and the toolstack's wish as parameters of a case. */
struct fake_states {
	enum xenbus_state ours;
	enum xenbus_state peer;
	bool online;
};

const void *fake_states_next(const void *prev, char *desc,
			     const enum xenbus_state *ours, unsigned int nr);

#define FAKE_STATE_PARAMS(...)						\
static const void *state_gen_params(const void *prev, char *desc)	\
{									\
	static const enum xenbus_state ours[] = { __VA_ARGS__ };	\
									\
	return fake_states_next(prev, desc, ours, ARRAY_SIZE(ours));	\
}

/* Wait until something is true that another task or a softirq does. */
#define FAKE_WAIT(test, cond) do {					\
	unsigned long _end = jiffies + 10 * HZ;				\
									\
	while (!(cond) && time_before(jiffies, _end))			\
		usleep_range(500, 1000);				\
	KUNIT_EXPECT_TRUE(test, cond);					\
} while (0)

/* Grants of the code under test. */
unsigned int fake_grants_used(void);
bool fake_grant_active(grant_ref_t ref);
bool fake_grant_readonly(grant_ref_t ref);
struct page *fake_grant_page(grant_ref_t ref);
void fake_grant_map(grant_ref_t ref, bool mapped);
unsigned int fake_grants_deferred(void);

/* Frames that the peer grants; @status is what an operation on it returns. */
void fake_peer_grant(grant_ref_t ref, struct page *page, bool readonly);
void fake_peer_status(grant_ref_t ref, s16 status, unsigned int times);
unsigned int fake_peer_mapped(void);

/*
 * Ring pages of the peer with references from @first on, for
 * xenbus_map_ring_valloc().
 */
void fake_peer_ring(grant_ref_t first, void *pages, unsigned int nr);

/* Event channels. */
struct fake_event {
	evtchn_port_t port;
	irq_handler_t handler;
	void *data;
	bool bound;
	bool enabled;
	bool running;	/* handled, no EOI yet */
	bool pending;
	unsigned int eois;
	unsigned int spurious;
	unsigned int sent;
};

struct fake_event *fake_event(int irq);
struct fake_event *fake_event_of_port(evtchn_port_t port);
void fake_event_raise(struct fake_event *event);
unsigned int fake_events_bound(void);
int fake_irq_of(const struct fake_event *event);

/* Xenstore. */
__printf(3, 4)
void fake_xs_set(const char *dir, const char *key, const char *fmt, ...);
/* @value may be NULL: then there is no such key. */
void fake_xs_put(const char *dir, const char *key, const char *value);
const char *fake_xs_get(const char *dir, const char *key);
void fake_xs_remove(const char *dir, const char *key);
unsigned int fake_xs_watches(void);

/* A device with both directories, whose other end is in @state. */
struct xenbus_device *fake_device(struct kunit *test, const char *type,
				  bool frontend, enum xenbus_state state);
void fake_device_free(struct xenbus_device *xdev);

/* The peer's state changes, and what that leads to happens. */
void fake_peer_state(struct xenbus_device *xdev, enum xenbus_state state);
/*
 * The toolstack takes a backend's device away and makes another of the same name,
 * whose keys the test writes. No callback has told of it.
 */
void fake_device_anew(struct kunit *test, struct xenbus_device *xdev);
/* The same with a frontend's. */
void fake_frontend_anew(struct kunit *test, struct xenbus_device *xdev);

/* Work items: they wait until the test runs them, in its own context. */
bool fake_work_pending(const struct work_struct *work);
void fake_work_run(void);
void fake_work_later(void);

/* Run by fake_init() and fake_exit(). */
void fake_grant_init(void);
void fake_grant_exit(struct kunit *test);
void fake_event_init(void);
void fake_event_exit(struct kunit *test);
void fake_xs_init(void);
void fake_xs_exit(struct kunit *test);
void fake_work_init(void);
void fake_work_exit(struct kunit *test);

#endif /* KUNIT_FAKE_H */

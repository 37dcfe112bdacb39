// SPDX-License-Identifier: GPL-2.0
#include "fake.h"

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <xen/features.h>
#include <xen/interface/features.h>
#include <xen/platform_pci.h>
#include <xen/xen.h>

struct fake fake;

const char *const fake_kind_names[FAKE_KINDS] = {
	[FAKE_MEMORY] = "memory",
	[FAKE_GRANT] = "grant",
	[FAKE_EVENT] = "event",
	[FAKE_XENSTORE] = "xenstore",
};

/* A PVH guest, as far as anybody asks. */
enum xen_domain_type xen_domain_type = XEN_HVM_DOMAIN;
u8 xen_features[XENFEAT_NR_SUBMAPS * 32] = {
	[XENFEAT_auto_translated_physmap] = 1,
};

bool xen_has_pv_devices(void)
{
	return true;
}

bool xen_has_pv_disk_devices(void)
{
	return true;
}

bool xen_has_pv_nic_devices(void)
{
	return true;
}

bool xen_has_pv_and_legacy_disk_devices(void)
{
	return false;
}

int HYPERVISOR_sched_op(int cmd, void *arg)
{
	fake.yields++;
	if (fake.yielded)
		fake.yielded();
	return 0;
}

bool single_task_running(void)
{
	return !fake.others_run;
}

int fake_init(struct kunit *test)
{
	fake = (struct fake) {
		.test = test,
		.grant_frames = 32,
	};
	fake_grant_init();
	fake_event_init();
	fake_xs_init();
	fake_work_init();
	return 0;
}

void fake_exit(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < FAKE_KINDS; i++)
		fake_disarm(i);
	KUNIT_EXPECT_EQ_MSG(test, fake.faults, 0, "the first: %s", fake.fault);
	KUNIT_EXPECT_EQ(test, fake.open_transactions, 0);
	KUNIT_EXPECT_EQ(test, fake.rings, 0);
	KUNIT_EXPECT_EQ(test, fake.cached_pages, 0);
	fake_grant_exit(test);
	fake_event_exit(test);
	fake_work_exit(test);
	fake_xs_exit(test);
}

void fake_fault(const char *fmt, ...)
{
	va_list args;

	if (fake.faults++)
		return;
	va_start(args, fmt);
	vsnprintf(fake.fault, sizeof(fake.fault), fmt, args);
	va_end(args);
}

bool fake_fails(enum fake_kind kind)
{
	return fake.fail_at[kind] && !--fake.fail_at[kind];
}

/* The kernel's own fault injection counts the allocations of a task. */
void fake_arm(enum fake_kind kind, unsigned int nth)
{
	fake.fail_at[kind] = nth;
	if (kind == FAKE_MEMORY)
		WRITE_ONCE(current->fail_nth, nth);
}

bool fake_disarm(enum fake_kind kind)
{
	bool came;

	if (kind == FAKE_MEMORY) {
		came = fake.fail_at[kind] && !READ_ONCE(current->fail_nth);
		WRITE_ONCE(current->fail_nth, 0);
	} else {
		came = !fake.fail_at[kind];
	}
	fake.fail_at[kind] = 0;
	return came;
}

static const enum fake_kind kinds[] = {
	FAKE_MEMORY, FAKE_GRANT, FAKE_EVENT, FAKE_XENSTORE,
};

static void kind_desc(const enum fake_kind *kind, char *desc)
{
	strscpy(desc, fake_kind_names[*kind], KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

const void *fake_kind_gen_params(const void *prev, char *desc)
{
	return kind_gen_params(prev, desc);
}

unsigned int fake_sweep(struct kunit *test, const struct fake_sweep *sweep)
{
	enum fake_kind kind = *(const enum fake_kind *)test->param_value;
	unsigned int n = 0;
	bool failed = true;

	while (failed) {
		sweep->prepare(test);
		fake_arm(kind, ++n);
		sweep->attempt(test);
		failed = fake_disarm(kind);
		sweep->finish(test, failed);
		fake_nothing_left(test);
		KUNIT_ASSERT_LT(test, n, 2000);
	}
	return n - 1;
}

void fake_nothing_left(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, fake_grants_used(), 0);
	KUNIT_ASSERT_EQ(test, fake_peer_mapped(), 0);
	KUNIT_ASSERT_EQ(test, fake_events_bound(), 0);
	KUNIT_ASSERT_EQ(test, fake_xs_watches(), 0);
	KUNIT_ASSERT_EQ(test, fake.rings, 0);
	KUNIT_ASSERT_EQ(test, fake.cached_pages, 0);
	KUNIT_ASSERT_EQ(test, fake.open_transactions, 0);
	KUNIT_ASSERT_EQ_MSG(test, fake.faults, 0, "%s", fake.fault);
}

#define PEER_STATES	9	/* Unknown to Reconfigured */

const void *fake_states_next(const void *prev, char *desc,
			     const enum xenbus_state *ours, unsigned int nr)
{
	static struct fake_states states;
	static unsigned int i;

	i = prev ? i + 1 : 0;
	if (i == nr * PEER_STATES * 2)
		return NULL;
	states.online = i % 2;
	states.peer = i / 2 % PEER_STATES;
	states.ours = ours[i / 2 / PEER_STATES];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s_%s_%s",
		 xenbus_strstate(states.ours), xenbus_strstate(states.peer),
		 states.online ? "online" : "offline");
	return &states;
}

MODULE_DESCRIPTION("Tests of the Xen split drivers");
MODULE_LICENSE("GPL");

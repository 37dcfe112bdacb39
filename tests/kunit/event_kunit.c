// SPDX-License-Identifier: GPL-2.0
/* Event channels with late EOI. */
#include "fake.h"

#include "evtchn/event_channel.h"

struct event_user {
	struct event_channel ec;
	unsigned int runs;
	int irq_seen;
	bool eoi;
	bool worked;
};

/* As drivers do: the EOI needs the interrupt's number. */
static irqreturn_t handler(int irq, void *data)
{
	struct event_user *user = data;

	user->runs++;
	user->irq_seen = user->ec.irq;
	if (user->eoi)
		event_channel_eoi(&user->ec, user->worked);
	return IRQ_HANDLED;
}

static struct event_user user;
static struct xenbus_device *xdev;

static int event_init(struct kunit *test)
{
	fake_init(test);
	user = (struct event_user) { .eoi = true, .worked = true };
	xdev = fake_device(test, "vbd", true, XenbusStateInitWait);
	return 0;
}

static void event_exit(struct kunit *test)
{
	fake_device_free(xdev);
	fake_exit(test);
}

static int make(bool alloc)
{
	if (alloc)
		return event_channel_alloc(&user.ec, xdev, handler, "test",
					   &user);
	return event_channel_bind(&user.ec, xdev, 55, handler, "test", &user);
}

static const bool ways[] = { true, false };

static void way_desc(const bool *alloc, char *desc)
{
	strscpy(desc, *alloc ? "alloc" : "bind", KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(way, ways, way_desc);

static void make_free(struct kunit *test)
{
	bool alloc = *(const bool *)test->param_value;

	KUNIT_ASSERT_EQ(test, make(alloc), 0);
	KUNIT_EXPECT_GT(test, user.ec.irq, 0);
	KUNIT_EXPECT_EQ(test, !!user.ec.port, alloc);
	KUNIT_EXPECT_EQ(test, fake_events_bound(), 1);
	event_channel_free(&user.ec, &user);
	KUNIT_EXPECT_EQ(test, user.ec.irq, 0);
	KUNIT_EXPECT_EQ(test, user.ec.port, 0);
	KUNIT_EXPECT_EQ(test, fake_events_bound(), 0);
	/* Another time it is left alone. */
	event_channel_free(&user.ec, &user);
}

/* A channel may be pending when it is bound: the EOI needs the number. */
static void first_event(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, make(false), 0);
	KUNIT_EXPECT_EQ(test, user.runs, 1);
	KUNIT_EXPECT_EQ(test, user.irq_seen, user.ec.irq);
	KUNIT_EXPECT_EQ(test, fake_event(user.ec.irq)->eois, 1);
	event_channel_free(&user.ec, &user);
}

static void make_sweep(struct kunit *test)
{
	bool alloc = *(const bool *)test->param_value;
	unsigned int n, failed = 0;
	bool came = true;
	int ret;

	for (n = 1; came; n++) {
		fake_arm(FAKE_EVENT, n);
		ret = make(alloc);
		came = fake_disarm(FAKE_EVENT);
		KUNIT_ASSERT_EQ(test, came, ret < 0);
		failed += came;
		if (ret)
			KUNIT_EXPECT_EQ(test, user.ec.irq, 0);
		else
			event_channel_free(&user.ec, &user);
		KUNIT_ASSERT_EQ(test, user.ec.port, 0);
		KUNIT_ASSERT_EQ(test, fake_events_bound(), 0);
	}
	KUNIT_EXPECT_EQ(test, failed, alloc ? 2 : 1);
}

static void eoi_says_whether_worked(struct kunit *test)
{
	struct fake_event *event;

	KUNIT_ASSERT_EQ(test, make(false), 0);
	event = fake_event(user.ec.irq);
	KUNIT_EXPECT_EQ(test, event->spurious, 0);
	user.worked = false;
	fake_event_raise(event);
	KUNIT_EXPECT_EQ(test, event->eois, 2);
	KUNIT_EXPECT_EQ(test, event->spurious, 1);
	user.worked = true;
	fake_event_raise(event);
	KUNIT_EXPECT_EQ(test, event->spurious, 1);
	event_channel_free(&user.ec, &user);
}

/* No event comes before the EOI of the one before, however many are sent. */
static void storm_waits_for_eoi(struct kunit *test)
{
	struct fake_event *event;
	int i;

	user.eoi = false;
	KUNIT_ASSERT_EQ(test, make(false), 0);
	event = fake_event(user.ec.irq);
	for (i = 0; i < 100; i++)
		fake_event_raise(event);
	KUNIT_EXPECT_EQ(test, user.runs, 1);
	event_channel_eoi(&user.ec, true);
	fake_event_raise(event);
	KUNIT_EXPECT_EQ(test, user.runs, 2);
	event_channel_free(&user.ec, &user);
}

static void notify_and_yield(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, make(true), 0);
	event_channel_notify(&user.ec);
	event_channel_notify(&user.ec);
	KUNIT_EXPECT_EQ(test, fake_event(user.ec.irq)->sent, 2);
	event_channel_yield();
	KUNIT_EXPECT_EQ(test, fake.yields, 1);
	event_channel_free(&user.ec, &user);
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE_PARAM(make_free, way_gen_params),
	KUNIT_CASE(first_event),
	KUNIT_CASE_PARAM(make_sweep, way_gen_params),
	KUNIT_CASE(eoi_says_whether_worked),
	KUNIT_CASE(storm_waits_for_eoi),
	KUNIT_CASE(notify_and_yield),
	{}
};

static struct kunit_suite event_suite = {
	.name = "event",
	.init = event_init,
	.exit = event_exit,
	.test_cases = event_cases,
};
kunit_test_suite(event_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * Work items wait until the test runs them, so that it knows what happens when,
 * and faults injected into its task reach them.
 */
#include "fake.h"

#include <linux/completion.h>
#include <linux/spinlock.h>

#define MAX_WORKS	32

static struct work_struct *works[MAX_WORKS];
static bool delayed[MAX_WORKS];
static DEFINE_SPINLOCK(lock);

static int find(const struct work_struct *work)
{
	int i;

	for (i = 0; i < MAX_WORKS; i++)
		if (works[i] == work)
			return i;
	return -1;
}

static bool put(struct work_struct *work, bool later)
{
	unsigned long flags;
	bool added = false;
	int i;

	spin_lock_irqsave(&lock, flags);
	i = find(work);
	if (i < 0) {
		i = find(NULL);
		added = true;
	}
	if (i < 0)
		fake_fault("too many work items");
	else
		works[i] = work;
	if (i >= 0)
		delayed[i] = later;
	spin_unlock_irqrestore(&lock, flags);
	return added;
}

static bool drop(struct work_struct *work)
{
	unsigned long flags;
	int i;

	spin_lock_irqsave(&lock, flags);
	i = find(work);
	if (i >= 0)
		works[i] = NULL;
	spin_unlock_irqrestore(&lock, flags);
	return i >= 0;
}

bool queue_work_on(int cpu, struct workqueue_struct *wq,
		   struct work_struct *work)
{
	return put(work, false);
}

bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq,
			   struct delayed_work *work, unsigned long delay)
{
	if (fake_work_pending(&work->work))
		return false;
	return put(&work->work, delay);
}

bool mod_delayed_work_on(int cpu, struct workqueue_struct *wq,
			 struct delayed_work *work, unsigned long delay)
{
	return !put(&work->work, delay);
}

bool cancel_work_sync(struct work_struct *work)
{
	return drop(work);
}

bool cancel_work(struct work_struct *work)
{
	return drop(work);
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	return drop(&work->work);
}

bool cancel_delayed_work(struct delayed_work *work)
{
	return drop(&work->work);
}

bool flush_delayed_work(struct delayed_work *work)
{
	if (!drop(&work->work))
		return false;
	work->work.func(&work->work);
	return true;
}

bool fake_work_pending(const struct work_struct *work)
{
	return find(work) >= 0;
}

/* Run all that is due, in any order, until nothing is. */
void fake_work_run(void)
{
	struct work_struct *work;
	int i, rounds = 100;

	while (rounds--) {
		for (i = 0; i < MAX_WORKS; i++)
			if (works[i] && !delayed[i])
				break;
		if (i == MAX_WORKS)
			return;
		work = works[i];
		works[i] = NULL;
		work->func(work);
	}
	fake_fault("work without end");
}

/* Time passes: what was put off is due. */
void fake_work_later(void)
{
	memset(delayed, 0, sizeof(delayed));
	fake_work_run();
}

/* Who waits for a work item lets it run. */
void wait_for_completion(struct completion *done)
{
	if (try_wait_for_completion(done))
		return;
	fake_work_run();
	if (!try_wait_for_completion(done))
		fake_fault("a wait for what nobody does");
}

void fake_work_init(void)
{
	memset(works, 0, sizeof(works));
}

void fake_work_exit(struct kunit *test)
{
	int i;

	for (i = 0; i < MAX_WORKS; i++)
		KUNIT_EXPECT_NULL(test, works[i]);
}

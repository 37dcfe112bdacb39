// SPDX-License-Identifier: GPL-2.0
/* When to hold events back: a trial, and what is made of it. */
#include "moderation.h"

#include <linux/export.h>

void moderation_begin(struct moderation *m)
{
	*m = (struct moderation){ .pause = MODERATION_PAUSE };
}
EXPORT_SYMBOL_NS_GPL(moderation_begin, XSPLIT);

static u64 cost_of_packet(const struct moderation *m, u64 now)
{
	return (now - m->since) / m->packets;
}

static bool is_worth_a_trial(const struct moderation *m, u64 now)
{
	return m->packets < m->wakeups * MODERATION_BATCH &&
	       now - m->since < (u64)m->wakeups * MODERATION_APART &&
	       now >= m->until;
}

static bool has_helped(const struct moderation *m, u64 now)
{
	return cost_of_packet(m, now) * MODERATION_GAIN_DEN <=
	       m->cost * MODERATION_GAIN_NUM;
}

/* Whether something was there to be waited for. */
static bool helps(const struct moderation *m)
{
	return m->packets >= 2 * m->wakeups;
}

static void give_up(struct moderation *m, u64 now)
{
	m->state = MODERATION_OFF;
	m->until = now + m->pause;
	if (m->pause < MODERATION_MAX_PAUSE)
		m->pause *= 2;
}

static void judge(struct moderation *m, u64 now)
{
	switch (m->state) {
	case MODERATION_OFF:
		if (!is_worth_a_trial(m, now))
			break;
		m->cost = cost_of_packet(m, now);
		m->state = MODERATION_TRYING;
		break;
	case MODERATION_TRYING:
		if (!has_helped(m, now)) {
			give_up(m, now);
			break;
		}
		m->state = MODERATION_ON;
		m->until = now + MODERATION_TRUST;
		m->pause = MODERATION_PAUSE;
		break;
	case MODERATION_ON:
		if (!helps(m))
			give_up(m, now);
		else if (now >= m->until)
			m->state = MODERATION_OFF;
		break;
	}
}

void moderation_end_window(struct moderation *m, u64 now)
{
	if (m->since)
		judge(m, now);
	m->wakeups = 0;
	m->packets = 0;
	m->since = now;
}
EXPORT_SYMBOL_NS_GPL(moderation_end_window, XSPLIT);

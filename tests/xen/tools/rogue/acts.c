// SPDX-License-Identifier: GPL-2.0
/* What any peer can do, whatever it is about. */
#include "rogue.h"

#include <unistd.h>

bool spoiled;

bool connected(void)
{
	return nr_ports && !spoiled && peer_state() == CONNECTED;
}

void let_go(void)
{
	channels_drop();
	grants_drop();
	maps_drop();
	spoiled = false;
}

bool wait_equal(const volatile uint32_t *a, const volatile uint32_t *b, unsigned int ms)
{
	unsigned int us, pause = 100;

	for (us = 0; *a != *b; us += pause) {
		if (us > ms * 1000)
			return false;
		if (us > 20000)
			pause = 2000;
		usleep(pause);
	}
	__sync_synchronize();
	return true;
}

/* Events with nothing behind them. */
void act_storm(void)
{
	unsigned int n = 100 + below(1500), i;

	tell(" %u events", n);
	for (i = 0; i < n; i++)
		notify(ports[i % nr_ports]);
}

static const char *odd_key(void)
{
	unsigned int n = 0;

	while (role->keys[n])
		n++;
	return role->keys[below(n)];
}

/* Keys that nobody expects to change, at a time when nobody looks at them, or so one hopes. */
void act_keys(void)
{
	unsigned int n = 1 + below(4);
	bool again = one_in(2);

	while (n--) {
		const char *key = odd_key(), *text = odd_text();

		if (one_in(5)) {
			tell(" -%s", key);
			store_rm(key);
		} else {
			tell(" %s=%.40s", key, text);
			store_write(key, "%s", text);
		}
	}
	if (again)
		set_state(CONNECTED);
}

/* Any states in any order, some too fast to be seen. */
void act_states(void)
{
	unsigned int n = 1 + below(6);

	while (n--) {
		if (one_in(4)) {
			const char *text = odd_text();

			tell(" %.40s", text);
			store_write("state", "%s", text);
		} else if (one_in(12)) {
			tell(" none");
			store_rm("state");
		} else {
			unsigned int state = below(10);

			tell(" %u", state);
			set_state(state);
		}
		if (one_in(2))
			usleep(1000 * below(30));
	}
	spoiled = true;
}

/* As many watch events as one can cause (XSA-349): memory of the victim is counted. */
void act_flood(void)
{
	const char *key = one_in(2) ? "state" : odd_key();
	unsigned int n = 50 + below(250), i;
	bool state = key[0] == 's';

	tell(" %s %u times", key, n);
	for (i = 0; i < n; i++)
		store_write(key, "%u", state ? CONNECTED : i & 1);
}

/* Without a word to anybody. */
void act_vanish(void)
{
	let_go();
	spoiled = true;
	usleep(1000 * below(20));
}

void act_leave(void)
{
	bool closing = one_in(2);

	tell(closing ? " 5 6" : " 6");
	if (closing)
		set_state(CLOSING);
	set_state(CLOSED);
	/* Memory may go before the peer is done with it. */
	if (one_in(2))
		let_go();
	spoiled = true;
}

void spoil_index(volatile uint32_t *index, uint32_t size)
{
	uint32_t by;

	switch (below(4)) {
	case 0:
		by = size + 1 + below(3);
		break;
	case 1:
		by = -(1 + below(size));
		break;
	case 2:
		by = 0x80000000 + below(3);
		break;
	default:
		by = odd_number() | 0x10000;
	}
	tell(" %+d", (int)by);
	*index += by;
	__sync_synchronize();
	spoiled = true;
}

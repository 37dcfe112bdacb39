// SPDX-License-Identifier: GPL-2.0
/* What any peer can do, whatever it is about. */
#include "rogue.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool spoiled;
struct frames pages;

static struct frames readonly, foreign, gone;

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

bool await_connection(unsigned int ms)
{
	return await_state(1 << CONNECTED | 1 << CLOSING | 1 << CLOSED, ms) && peer_state() == CONNECTED;
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

void depart(void)
{
	if (one_in(2))
		act_leave();
	else
		act_vanish();
}

/* --- frontends --------------------------------------------------------------------------- */

/* Whatever has been, it is over. */
bool ask_back(void)
{
	if (peer_state() != INIT_WAIT) {
		set_state(CLOSED);
		await_state(1 << CLOSED | 1 << INIT_WAIT, 5000);
	}
	let_go();
	set_state(INITIALISING);
	return await_state(1 << INIT_WAIT, 5000);
}

void remove_keys(void)
{
	unsigned int i;

	for (i = 0; role->keys[i]; i++)
		if (strcmp(role->keys[i], "backend") && strcmp(role->keys[i], "backend-id") &&
		    strcmp(role->keys[i], "state"))
			store_rm(role->keys[i]);
}

void make_pages(unsigned int nr)
{
	grant(&pages, nr, peer_id, true);
	grant(&readonly, 2, peer_id, false);
	grant(&foreign, 2, peer_id + 77, true);
	grant(&gone, 2, peer_id, true);
	grant_end(&gone);
}

uint32_t bad_ref(uint32_t ring)
{
	switch (below(6)) {
	case 0:
		return readonly.refs[0];
	case 1:
		return foreign.refs[0];
	case 2:
		return gone.refs[below(2)];
	case 3:
		return ring;
	case 4:
		return pages.refs[0];
	default:
		return odd_number();
	}
}

/* One key is not what it should be. */
void act_odd_offer_front(void)
{
	const char *key, *text;

	if (!role->ask() || !role->offer())
		return;
	key = odd_key();
	text = odd_text();
	tell(" but %s=%.40s", key, text);
	store_write(key, "%s", text);
	spoiled = true;
	if (one_in(2))
		set_state(INITIALISED);
	set_state(CONNECTED);
	await_state(1 << CONNECTED | 1 << CLOSING, 100);
}

/* --- backends ---------------------------------------------------------------------------- */

bool map_queues(unsigned int max, unsigned int *nr, bool (*map)(unsigned int i, const char *dir))
{
	unsigned int i;
	char dir[160];

	*nr = store_number(peer, "multi-queue-num-queues", 1);
	if (*nr > max)
		return false;
	for (i = 0; i < *nr; i++) {
		snprintf(dir, sizeof(dir), *nr > 1 ? "%s/queue-%u" : "%s", peer, i);
		if (!map(i, dir))
			return false;
	}
	return true;
}

bool open_back(void)
{
	if (!role->ask() || !role->offer())
		return false;
	set_state(CONNECTED);
	return await_connection(5000);
}

static void serve(void)
{
	role->acts[0].run();
}

/* One key is not what it should be, at whatever time it is read. */
void act_odd_offer_back(void)
{
	const char *key = odd_key(), *text = odd_text();

	if (!role->ask())
		return;
	tell(" but %s=%.40s", key, text);
	store_write(key, "%s", text);
	if (role->offer()) {
		store_write(key, "%s", text);
		set_state(CONNECTED);
		if (await_state(1 << CONNECTED, 1000))
			serve();
	}
	spoiled = true;
}

void act_busy_storm(void)
{
	act_storm();
	serve();
}

void act_busy_keys(void)
{
	act_keys();
	serve();
}

void act_busy_flood(void)
{
	act_flood();
	serve();
}

/* --- rings ------------------------------------------------------------------------------- */

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

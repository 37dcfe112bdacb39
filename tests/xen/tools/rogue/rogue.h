/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer without manners, in a guest's user space: memory and event channels by /dev/xen/gntalloc,
 * gntdev and evtchn, keys by /dev/xen/xenbus. It follows a script in which step K of seed N is a
 * function of N and K alone, so that the same is done to every victim and can be done again.
 */
#ifndef ROGUE_H
#define ROGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME		4096
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_PORTS	6

enum { UNKNOWN, INITIALISING, INIT_WAIT, INITIALISED, CONNECTED, CLOSING, CLOSED };

/* --- script.c: what is done -------------------------------------------------------------- */

/* Start the random numbers of a step; @salt separates what else needs some at that step. */
void script_at(uint64_t seed, unsigned int step, unsigned int salt);
uint32_t any(void);
uint32_t below(uint32_t n);
bool one_in(uint32_t n);
uint32_t odd_number(void);		/* likely at an edge of something */
const char *odd_text(void);		/* for a key that should be a number */

struct act {
	unsigned int weight;
	void (*run)(void);
	const char *name;
};

const struct act *choose(const struct act *acts, unsigned int nr);

/* Part of the line that says what is done; with -v. */
__attribute__((format(printf, 1, 2))) void tell(const char *fmt, ...);
void tell_end(void);
/* The victim did what it must not. */
__attribute__((format(printf, 1, 2))) void complain(const char *fmt, ...);
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);

struct tally {
	unsigned int steps, connections, broken, answers, errors, complaints;
};

extern struct tally tally;
extern bool verbose;

/* --- when.c: when it is done ------------------------------------------------------------- */

long now_us(void);
/* The script begins, or ends. */
void active(bool yes);
/* Nothing was done meanwhile but to wait for the peer's state. */
void waited_since(long since);

/* --- store.c: xenstore ------------------------------------------------------------------- */

extern char own[64], peer[128];		/* the directories of the two ends */
extern unsigned int peer_id;

void store_open(const char *dir);	/* own directory; the rest is in it */
const char *store_read(const char *dir, const char *key);	/* until the next call */
uint32_t store_number(const char *dir, const char *key, uint32_t fallback);
__attribute__((format(printf, 2, 3))) void store_write(const char *key, const char *fmt, ...);
void store_rm(const char *key);
void set_state(unsigned int state);
unsigned int peer_state(void);
/* Until the peer is in one of the states of a mask of 1 << STATE. */
bool await_state(unsigned int mask, unsigned int ms);

/* --- memory.c: grants -------------------------------------------------------------------- */

/* Contiguous frames that a domain may use. Let go of all at once. */
struct frames {
	uint8_t *at;
	unsigned int nr;
	uint32_t refs[32];
};

void grant(struct frames *f, unsigned int nr, unsigned int domain, bool writable);
void grant_end(struct frames *f);		/* the references stay in it, and mean nothing any more */
void grants_drop(void);
/* Frames of the peer; NULL if it has not granted them. */
void *map_peer(const uint32_t *refs, unsigned int nr);
void maps_drop(void);
/* Between memory of ours and a frame of the peer. */
bool copy_peer(uint32_t ref, unsigned int offset, void *mine, unsigned int len, bool to_peer);

/* --- channel.c: events ------------------------------------------------------------------- */

extern unsigned int ports[MAX_PORTS], nr_ports;

unsigned int channel_alloc(void);
bool channel_bind(unsigned int remote);
void channels_drop(void);
void notify(unsigned int port);

/* --- flip.c: memory that changes while it is read ---------------------------------------- */

void flip_start(volatile uint8_t *at, size_t len, uint64_t seed);
void flip_stop(void);

/* --- acts.c: what any peer can do -------------------------------------------------------- */

/* The ring of either direction: indices first, slots at 64. */
struct shared {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
	uint8_t pad[48];
	uint8_t slots[];
};

struct role {
	const char *name;
	/* The keys that its victim reads. */
	const char *const *keys;
	/* Connect as a good peer does, from whatever has been; false if the victim does not want. */
	bool (*open)(void);
	/* How often it tries: what is left of its last life may come between. */
	unsigned int tries;
	/* Its steps: begin anew; then all up to the state that says that it is connected. */
	bool (*ask)(void), (*offer)(void);
	/* The first is what an honest peer does. */
	const struct act *acts;
	unsigned int nr_acts;
};

extern const struct role *role;
extern const struct role blk_front, net_front, blk_back, net_back;
/* The rings of this connection can not be relied on any more. */
extern bool spoiled;

bool connected(void);
void let_go(void);			/* of all memory and channels */
/* Until the peer is connected, or has other plans. */
bool await_connection(unsigned int ms);
bool wait_equal(const volatile uint32_t *a, const volatile uint32_t *b, unsigned int ms);

void act_storm(void);
void act_keys(void);
void act_states(void);
void act_flood(void);
void act_vanish(void);
void act_leave(void);
void depart(void);			/* one of the last two */

/* Of frontends: ask for another round; an offer with one wrong key. */
bool ask_back(void);
void remove_keys(void);			/* of the last round */
void act_odd_offer_front(void);
/* Of backends: connect to what has been offered; the same with one wrong key; and with service
 * afterwards. */
bool open_back(void);
bool map_queues(unsigned int max, unsigned int *nr, bool (*map)(unsigned int i, const char *dir));
void act_odd_offer_back(void);
void act_busy_storm(void);
void act_busy_keys(void);
void act_busy_flood(void);

/* What frontends grant: pages for data, and references that are good for nothing. */
extern struct frames pages;
void make_pages(unsigned int nr);
uint32_t bad_ref(uint32_t ring);	/* @ring: a reference that is in use for a ring */

/* The index of a ring that the victim reads. */
void spoil_index(volatile uint32_t *index, uint32_t size);

#endif

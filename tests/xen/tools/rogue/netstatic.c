// SPDX-License-Identifier: GPL-2.0
/*
 * Static grants: frames that the backend keeps mapped, told by lists on the control ring. Where it
 * must be known what the backend makes of a list, a wrong answer is complained about.
 */
#include "netfront.h"

#include <string.h>
#include <unistd.h>

#define LIST_MAX	512
#define READONLY	1
#define ODD_STATUS	0xdead
#define MANY		17		/* grants of 32 frames: more than are kept */
#define PATTERN		0x5a

struct gref {
	uint32_t ref;
	uint16_t flags, status;
};

/* Frames that are added and removed together. UNSURE after a mistake. */
static struct frames spare, shown, list, shown_list, foreign, many[MANY];
static struct set {
	const char *name;
	struct frames *frames;
	bool readonly;
	unsigned int queue;
	enum { OUT, IN, UNSURE } mapped;
} sets[] = {
	{ "pages", &pages, false, 0, OUT },
	{ "buffers", &buffers, false, 0, OUT },
	{ "spare", &spare, false, 0, OUT },
	{ "shown", &shown, true, 0, OUT },
};
enum { PAGES, SPARE = 2, SHOWN };

/* The backend has the feature; its tables may hold more than what the sets say. */
static bool supported, muddled;

static struct gref *entries(void)
{
	return (struct gref *)list.at;
}

void static_offer(void)
{
	unsigned int i;

	grant(&spare, 8, peer_id, true);
	grant(&shown, 4, peer_id, false);
	grant(&list, 1, peer_id, true);
	grant(&shown_list, 1, peer_id, false);
	grant(&foreign, 1, peer_id + 77, true);
	memset(shown.at, PATTERN, shown.nr * FRAME);
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		sets[i].mapped = OUT;
	many[0].nr = 0;
	supported = store_number(peer, "feature-static-grants", 0) == 1;
	muddled = false;
}

static unsigned int write_list(const struct frames *f, uint16_t flags)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		entries()[i] = (struct gref) { f->refs[i], flags, ODD_STATUS };
	return f->nr;
}

static bool ask(uint32_t type, uint32_t queue, uint32_t nr, struct ctrl_rsp *rsp)
{
	return ctrl_ask(type, queue, list.refs[0], nr, rsp);
}

static bool all_said(unsigned int nr, uint16_t status)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (entries()[i].status != status)
			return false;
	return true;
}

static void add(struct set *s)
{
	uint16_t flags = s->readonly || (s->frames != &buffers && one_in(3)) ? READONLY : 0;
	unsigned int nr = write_list(s->frames, flags);
	struct ctrl_rsp rsp;

	s->queue = below(nr_queues);
	if (!ask(CTRL_ADD_GREFS, s->queue, nr, &rsp))
		return;
	if (rsp.status == CTRL_SUCCESS)
		s->mapped = IN;
	else if (supported && !muddled)
		complain(" %s: not added, status %u", s->name, rsp.status);
	if (!supported && rsp.status == CTRL_SUCCESS)
		complain(" %s: added, but there is no such feature", s->name);
}

static void del(struct set *s)
{
	unsigned int nr = write_list(s->frames, 0);
	bool sure = s->mapped == IN;
	struct ctrl_rsp rsp;

	if (!ask(CTRL_DEL_GREFS, s->queue, nr, &rsp))
		return;
	if (sure && (rsp.status || rsp.data != nr || !all_said(nr, CTRL_SUCCESS)))
		complain(" %s: %u of %u removed, status %u", s->name, rsp.data, nr, rsp.status);
	s->mapped = OUT;
}

static void toggle(struct set *s)
{
	tell(" %s%s", s->mapped == OUT ? "+" : "-", s->name);
	if (s->mapped == OUT)
		add(s);
	else
		del(s);
}

static void make(struct set *s, bool in)
{
	if (s->mapped == UNSURE || (s->mapped == IN && !in))
		del(s);
	if (in && s->mapped == OUT)
		add(s);
}

/* As an honest frontend does, and packets through what is mapped. */
void act_static(void)
{
	struct ctrl_rsp rsp;

	if (!ctrl_there())
		return;
	if (one_in(4) && ctrl_ask(CTRL_GET_GREFS, below(nr_queues), 0, 0, &rsp) && supported &&
	    (rsp.status || !rsp.data))
		complain(" size of the table: %u, status %u", rsp.data, rsp.status);
	toggle(&sets[below(ARRAY_SIZE(sets))]);
	act_good();
}

/* --- lists with a mistake ---------------------------------------------------------------- */

struct request {
	uint32_t queue, list, nr;
	/* The backend must refuse it. */
	bool refused;
};

static void spoil_entry(struct request *r)
{
	struct gref *e = &entries()[below(r->nr)];

	switch (below(5)) {
	case 0:
		e->ref = bad_ref(list.refs[0]);
		break;
	case 1:
		e->ref = foreign.refs[0];
		r->refused = true;
		break;
	case 2:
		e->ref = shown.refs[0];
		r->refused = true;
		break;
	case 3:
		e->ref = entries()[below(r->nr)].ref;
		break;
	default:
		e->flags = odd_number();
	}
	tell(" entry (%u,%x)", e->ref, e->flags);
}

static void spoil_request(struct request *r)
{
	switch (below(4)) {
	case 0:
		r->queue = nr_queues + below(3);
		if (one_in(3))
			r->queue = 0xffffffff - below(2);
		r->refused = true;
		break;
	case 1:
		r->nr = one_in(2) ? 0 : LIST_MAX + 1 + below(3);
		if (one_in(3))
			r->nr = 0xffffffff >> below(4);
		r->refused = r->nr;
		break;
	case 2:
		r->list = one_in(2) ? foreign.refs[0] : bad_ref(list.refs[0]);
		r->refused = r->list == foreign.refs[0];
		break;
	default:
		r->list = shown_list.refs[0];
		memcpy(shown_list.at, list.at, r->nr * sizeof(struct gref));
	}
	tell(" (%u,%u,%u)", r->queue, r->list, r->nr);
}

void act_static_bad(void)
{
	struct set *s = &sets[SPARE];
	struct request r = { below(nr_queues), list.refs[0], s->frames->nr, false };
	uint32_t type = one_in(4) ? CTRL_DEL_GREFS : CTRL_ADD_GREFS;
	struct ctrl_rsp rsp;
	unsigned int i;

	if (!ctrl_there())
		return;
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		make(&sets[i], false);
	write_list(s->frames, 0);
	tell(type == CTRL_ADD_GREFS ? " add" : " remove");
	if (one_in(2))
		spoil_entry(&r);
	else
		spoil_request(&r);
	if (!ctrl_ask(type, r.queue, r.list, r.nr, &rsp))
		return;
	tell(" status %u", rsp.status);
	if (type == CTRL_ADD_GREFS && r.refused && !rsp.status)
		complain(" a bad list was added");
	if (type == CTRL_DEL_GREFS && rsp.data && !muddled)
		complain(" %u that are not mapped were removed", rsp.data);
	if (type == CTRL_ADD_GREFS && !rsp.status)
		ctrl_ask(CTRL_DEL_GREFS, r.queue, r.list, r.nr, &rsp);
	s->queue = r.queue < nr_queues ? r.queue : 0;
	if (!ask(CTRL_DEL_GREFS, s->queue, write_list(s->frames, 0), &rsp))
		return;
	if (rsp.data && r.list == list.refs[0] && !muddled)
		complain(" %u of a list that is not there were mapped", rsp.data);
}

/* --- at the wrong time ------------------------------------------------------------------- */

/* Frames come and go, and change, while there are packets of them. */
void act_static_busy(void)
{
	struct set *s = &sets[one_in(2) ? PAGES : SPARE];
	struct ctrl_rsp rsp;
	struct queue *q;
	unsigned int nr;

	if (!ctrl_there())
		return;
	make(s, !one_in(4));
	q = send_frames(s->frames->refs, s->frames->nr);
	switch (below(3)) {
	case 0:
		tell(" removed");
		nr = write_list(s->frames, 0);
		if (ask(CTRL_DEL_GREFS, s->queue, nr, &rsp))
			tell(" %u, status %u", rsp.data, rsp.status);
		break;
	case 1:
		tell(" changed");
		flip_start(s->frames->at, s->frames->nr * FRAME, any());
		usleep(1000);
		flip_stop();
		break;
	default:
		/* Into references of anything else. */
		tell(" list changed");
		muddled = true;
		nr = write_list(s->frames, 0);
		flip_start(list.at, nr * sizeof(struct gref), any());
		ask(one_in(2) ? CTRL_ADD_GREFS : CTRL_DEL_GREFS, s->queue, nr, &rsp);
		flip_stop();
	}
	s->mapped = UNSURE;
	send_end(q);
}

static void fill_table(void)
{
	struct ctrl_rsp rsp = { 0 };
	unsigned int queue = below(nr_queues), n = 0, i;

	if (!many[0].nr)
		for (i = 0; i < MANY; i++)
			grant(&many[i], 32, peer_id, true);
	muddled = true;
	for (i = 0; i < MANY && !rsp.status; i++)
		if (ask(CTRL_ADD_GREFS, queue, write_list(&many[i], 0), &rsp) && !rsp.status)
			n += 32;
	tell(" %u mapped", n);
	if (ctrl_ask(CTRL_GET_GREFS, queue, 0, 0, &rsp) && !rsp.status && n > rsp.data)
		complain(" more than %u are mapped", rsp.data);
	if (one_in(2))
		return;
	for (i = 0; i < n / 32; i++)
		ask(CTRL_DEL_GREFS, queue, write_list(&many[i], 0), &rsp);
}

/* More than are kept; or the same in and out, as fast as it goes, with a hash set between. */
void act_static_flood(void)
{
	struct set *s = &sets[SPARE];
	unsigned int nr, i;

	if (!ctrl_there())
		return;
	if (one_in(2)) {
		fill_table();
		return;
	}
	nr = write_list(s->frames, 0);
	for (i = 0; i < CTRL_SLOTS - 1; i++)
		if (one_in(9))
			ctrl_put(CTRL_SET_ALGORITHM, below(2), 0, 0);
		else
			ctrl_put(i & 1 ? CTRL_DEL_GREFS : CTRL_ADD_GREFS, s->queue, list.refs[0], nr);
	s->mapped = UNSURE;
	ctrl_finish();
}

/* Frames that the backend may only read, as buffers to write into. */
void act_static_shown(void)
{
	struct set *s = &sets[SHOWN];
	unsigned int i;

	if (!ctrl_there())
		return;
	make(s, true);
	post_frames(s->frames->refs, s->frames->nr);
	usleep(100000);
	for (i = 0; i < s->frames->nr * FRAME; i++)
		if (s->frames->at[i] != PATTERN) {
			complain(" a frame that may only be read was written to");
			break;
		}
	act_good();
}

/* Grants end while they are mapped. */
void act_static_end(void)
{
	struct set *s = &sets[SPARE];
	struct queue *q;

	if (!ctrl_there())
		return;
	make(s, true);
	grant_end(&spare);
	q = send_frames(spare.refs, spare.nr);
	post_frames(spare.refs, spare.nr);
	s->mapped = UNSURE;
	if (one_in(2)) {
		tell(" removed");
		del(s);
	}
	send_end(q);
	grant(&spare, 8, peer_id, true);
	s->mapped = OUT;
}

void act_static_gone(void)
{
	unsigned int i;

	if (!ctrl_there())
		return;
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		make(&sets[i], true);
	send_frames(pages.refs, pages.nr);
	post_frames(buffers.refs, buffers.nr);
	depart();
}

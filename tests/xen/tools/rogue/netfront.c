// SPDX-License-Identifier: GPL-2.0
/* A network frontend. The victim is a backend. */
#include "netfront.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_QUEUES	2
#define DATA		8
#define BUFFERS		16
#define MAX_CHAIN	18

static struct queue {
	volatile struct shared *tx, *rx;
	uint32_t tx_cons, rx_cons;
	unsigned int tx_port, rx_port;
} queues[MAX_QUEUES];
unsigned int nr_queues;
struct frames buffers;

static struct frames rings[2 * MAX_QUEUES];

static const char *const keys[] = {
	"tx-ring-ref", "rx-ring-ref", "event-channel", "event-channel-tx", "event-channel-rx",
	"multi-queue-num-queues", "queue-0/tx-ring-ref", "queue-1/rx-ring-ref", "queue-0/event-channel",
	"queue-1/event-channel-tx", "ctrl-ring-ref", "event-channel-ctrl", "request-rx-copy",
	"feature-rx-notify", "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
	"feature-no-csum-offload", "feature-ipv6-csum-offload", "feature-multicast-control",
	"request-multicast-control", "xdp-headroom", "mac", "backend", "backend-id", "state", NULL
};

/* --- connecting -------------------------------------------------------------------------- */

static void write_queue(const char *prefix, unsigned int i, bool split)
{
	static const char *const names[] = { "tx-ring-ref", "rx-ring-ref", "event-channel-tx", "event-channel-rx" };
	uint32_t values[] = { rings[2 * i].refs[0], rings[2 * i + 1].refs[0], queues[i].tx_port, queues[i].rx_port };
	char key[48];
	unsigned int n;

	for (n = 0; n < (split ? 4 : 2); n++) {
		snprintf(key, sizeof(key), "%s%s", prefix, names[n]);
		store_write(key, "%u", values[n]);
	}
	if (split)
		return;
	snprintf(key, sizeof(key), "%sevent-channel", prefix);
	store_write(key, "%u", queues[i].tx_port);
}

static void make_queue(unsigned int i, bool split)
{
	struct queue *q = &queues[i];

	memset(q, 0, sizeof(*q));
	grant(&rings[2 * i], 1, peer_id, true);
	grant(&rings[2 * i + 1], 1, peer_id, true);
	q->tx = (void *)rings[2 * i].at;
	q->rx = (void *)rings[2 * i + 1].at;
	q->tx->req_event = q->tx->rsp_event = q->rx->req_event = q->rx->rsp_event = 1;
	q->tx_port = channel_alloc();
	q->rx_port = split ? channel_alloc() : q->tx_port;
}

static void write_features(void)
{
	static const char *const features[] = {
		"feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
		"feature-multicast-control", "request-multicast-control",
	};
	unsigned int i;

	store_write("request-rx-copy", "1");
	store_write("feature-rx-notify", "1");
	for (i = 0; i < ARRAY_SIZE(features); i++)
		store_write(features[i], "%u", !one_in(4));
	if (one_in(3))
		store_write("xdp-headroom", "%u", below(400));
}

static bool offer(void)
{
	char prefix[16] = "";
	unsigned int i;

	nr_queues = store_number(peer, "multi-queue-max-queues", 1) < 2 ? 1 : 1 + below(2);
	remove_keys();
	tell(" %u queues", nr_queues);
	if (nr_queues > 1)
		store_write("multi-queue-num-queues", "%u", nr_queues);
	for (i = 0; i < nr_queues; i++) {
		bool split = one_in(2);

		make_queue(i, split);
		if (nr_queues > 1)
			snprintf(prefix, sizeof(prefix), "queue-%u/", i);
		write_queue(prefix, i, split);
	}
	ctrl_none();
	if (!one_in(8))
		ctrl_offer();
	make_pages(DATA);
	grant(&buffers, BUFFERS, peer_id, true);
	static_offer();
	write_features();
	return true;
}

static void post_buffers(struct queue *q, unsigned int bad);

static bool open_net(void)
{
	unsigned int i;

	if (!ask_back() || !offer())
		return false;
	set_state(CONNECTED);
	if (!await_connection(5000))
		return false;
	for (i = 0; i < nr_queues; i++)
		post_buffers(&queues[i], 0);
	return true;
}

/* --- slots ------------------------------------------------------------------------------- */

static union tx_slot *tx_slot(struct queue *q, uint32_t i)
{
	return (union tx_slot *)q->tx->slots + i % NET_SLOTS;
}

static union rx_slot *rx_slot(struct queue *q, uint32_t i)
{
	return (union rx_slot *)q->rx->slots + i % NET_SLOTS;
}

static void post(struct queue *q, uint32_t ref)
{
	uint32_t i = q->rx->req_prod;

	*rx_slot(q, i) = (union rx_slot) { .req = { .id = i, .gref = ref } };
	__sync_synchronize();
	q->rx->req_prod = i + 1;
}

static void post_buffers(struct queue *q, unsigned int bad)
{
	while (q->rx->req_prod - q->rx_cons < BUFFERS) {
		uint32_t ref = buffers.refs[q->rx->req_prod % BUFFERS];

		if (bad && one_in(bad)) {
			ref = bad_ref(rings[0].refs[0]);
			tell(" buffer gref=%u", ref);
		}
		post(q, ref);
	}
}

static void take_buffers(struct queue *q)
{
	uint32_t prod = q->rx->rsp_prod;

	if (prod - q->rx_cons > q->rx->req_prod - q->rx_cons) {
		complain(" more buffers are returned than were given");
		spoiled = true;
		return;
	}
	q->rx_cons = prod;
}

/* A packet in the making: its slots, where extras begin at 1. */
static union tx_slot chain[NET_SLOTS];
static unsigned int nr_slots, nr_extras;

static void add_extra(uint8_t type, uint16_t val, uint8_t kind)
{
	union tx_slot *e = &chain[nr_slots++];

	*e = (union tx_slot) { .extra = { .type = type, .kind = kind } };
	memcpy(e->extra.val, &val, 2);
	if (nr_extras++)
		chain[nr_slots - 2].extra.flags = 1;
	chain[0].req.flags |= TX_EXTRA;
}

static void good_packet(void)
{
	static const uint8_t start[] = {
		2, 0, 0, 0, 0x77, 1, 0, 0x16, 0x3e, 0, 1, 1, 8, 0,
		0x45, 0, 5, 0xdc, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 168, 77, 11, 192, 168, 77, 1,
		1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
	};
	unsigned int frags = one_in(3) ? below(MAX_CHAIN) : 0, first = below(DATA), i, size, total;

	nr_extras = 0;
	nr_slots = 1;
	memcpy(pages.at + first * FRAME, start, sizeof(start));
	total = 60 + below(1440);
	chain[0] = (union tx_slot) { .req = { .gref = pages.refs[first], .flags = any() & (TX_CSUM | TX_VALID) } };
	if (one_in(4) && frags)
		add_extra(EXTRA_GSO, 500 + below(900), 1 + below(2));
	if (one_in(16))
		add_extra(2 + below(4), below(3), below(8));
	for (i = 0; i < frags; i++) {
		size = below(3000);
		total += size;
		chain[nr_slots++] = (union tx_slot) { .req = {
			.gref = pages.refs[below(DATA)], .offset = below(1000), .size = size,
			.flags = i < frags - 1 ? TX_MORE : 0 } };
	}
	if (frags)
		chain[0].req.flags |= TX_MORE;
	chain[0].req.size = total;
}

/* Let the headers be looked at, and found odd. */
static void spoil_headers(void)
{
	uint8_t *p = pages.at + below(DATA) * FRAME;

	switch (below(4)) {
	case 0:
		memcpy(p + 12, "\x86\xdd\x60\0\0\0\5\0\6\x40", 10);
		break;
	case 1:
		memcpy(p + 12, "\x81\0\0\x4d\x08\0", 6);
		break;
	default:
		p[12 + below(42)] = any();
	}
}

static void spoil_packet(void)
{
	union tx_slot *e = nr_extras ? &chain[1 + below(nr_extras)] : NULL;
	union tx_slot *s = &chain[one_in(2) ? 0 : nr_extras + below(nr_slots - nr_extras)];

	switch (below(e ? 9 : 7)) {
	case 0:
		s->req.gref = bad_ref(rings[0].refs[0]);
		tell(" gref=%u", s->req.gref);
		break;
	case 1:
		s->req.offset = odd_number();
		tell(" offset=%u", s->req.offset);
		break;
	case 2:
		s->req.size = odd_number();
		tell(" size=%u", s->req.size);
		break;
	case 3:
		s->req.flags ^= 1 << below(5);
		tell(" flags=%x", s->req.flags);
		break;
	case 4:
		s->req.id = odd_number();
		tell(" id=%u", s->req.id);
		break;
	case 5:
		add_extra(odd_number(), odd_number(), odd_number());
		tell(" extra behind %u", nr_slots);
		break;
	case 6:
		spoil_headers();
		tell(" headers");
		break;
	case 7:
		e->extra.type = odd_number();
		tell(" extra=%u", e->extra.type);
		break;
	default:
		e->extra.val[below(2)] = any();
		e->extra.kind = odd_number();
		e->extra.flags ^= one_in(4);
		tell(" extra of %u", e->extra.kind);
	}
}

static void put_packet(struct queue *q)
{
	unsigned int i;

	for (i = 0; i < nr_slots; i++)
		*tx_slot(q, q->tx->req_prod + i) = chain[i];
	__sync_synchronize();
	q->tx->req_prod += nr_slots;
}

static void fill(struct queue *q, unsigned int n, unsigned int bad)
{
	while (n--) {
		good_packet();
		if (bad && one_in(bad))
			spoil_packet();
		if (q->tx->req_prod + nr_slots - q->tx_cons > NET_SLOTS)
			break;
		put_packet(q);
	}
}

/*
 * Chains that a mistake has made longer than what was put there end with what comes later, so
 * some slots may have to wait for that.
 */
static void complete(struct queue *q)
{
	union tx_slot end = { .req = { .gref = pages.refs[0], .size = 60 } };
	unsigned int n;

	for (n = 0; n < 2; n++) {
		chain[0] = end;
		nr_slots = 1;
		if (q->tx->req_prod - q->tx_cons < NET_SLOTS)
			put_packet(q);
	}
}

static void finish(struct queue *q, bool exact)
{
	bool all;

	notify(q->tx_port);
	all = wait_equal(&q->tx->rsp_prod, &q->tx->req_prod, 100);
	if (!all) {
		complete(q);
		notify(q->tx_port);
		all = wait_equal(&q->tx->rsp_prod, &q->tx->req_prod, 500);
	}
	if (!all) {
		tell(" (%u slots left)", q->tx->req_prod - q->tx->rsp_prod);
		tally.broken++;
		spoiled = true;
		return;
	}
	for (; q->tx_cons != q->tx->rsp_prod; q->tx_cons++) {
		int status = tx_slot(q, q->tx_cons)->rsp.status;

		tally.answers++;
		tally.errors += status == NET_ERROR;
		if (exact && status != NET_ERROR && status && status != NET_NULL && status != NET_DROPPED)
			complain(" status %d", status);
	}
	take_buffers(q);
}

static struct queue *any_queue(void)
{
	return &queues[below(nr_queues)];
}

static void batch(unsigned int bad)
{
	struct queue *q = any_queue();

	fill(q, 1 + below(12), bad);
	finish(q, true);
	post_buffers(q, bad ? 2 * bad : 0);
	notify(q->rx_port);
}

void act_good(void)
{
	unsigned int errors = tally.errors;

	batch(0);
	/* Unless what was sent before did not end. */
	if (tally.errors > errors)
		tell(" (%u errors)", tally.errors - errors);
}

struct queue *send_frames(const uint32_t *refs, unsigned int nr)
{
	struct queue *q = any_queue();
	unsigned int i;

	for (i = 0; i < nr && q->tx->req_prod - q->tx_cons < NET_SLOTS; i++) {
		chain[0] = (union tx_slot) { .req = { .gref = refs[i], .offset = below(64), .size = 60 + below(1440) } };
		nr_slots = 1;
		put_packet(q);
	}
	notify(q->tx_port);
	return q;
}

void send_end(struct queue *q)
{
	finish(q, true);
}

void post_frames(const uint32_t *refs, unsigned int nr)
{
	struct queue *q = any_queue();
	unsigned int i;

	take_buffers(q);
	for (i = 0; i < nr && q->rx->req_prod - q->rx_cons < NET_SLOTS; i++)
		post(q, refs[i]);
	notify(q->rx_port);
}

static void act_bad(void)
{
	batch(4);
}

static void act_flip(void)
{
	struct queue *q = any_queue();
	bool slots = one_in(2);
	uint64_t seed = any();

	fill(q, 1 + below(12), 8);
	tell(slots ? " slots" : " data");
	if (slots)
		flip_start((void *)tx_slot(q, q->tx_cons & ~7), 8 * sizeof(union tx_slot), seed);
	else
		flip_start(pages.at, DATA * FRAME, seed);
	finish(q, false);
	flip_stop();
}

static void act_index(void)
{
	struct queue *q = any_queue();

	if (one_in(3)) {
		tell(" buffers");
		spoil_index(&q->rx->req_prod, NET_SLOTS);
	} else {
		fill(q, below(3), 0);
		spoil_index(&q->tx->req_prod, NET_SLOTS);
	}
	notify(q->tx_port);
	notify(q->rx_port);
	usleep(20000);
}

static void act_endless(void)
{
	struct queue *q = any_queue();
	bool extras = one_in(2);
	unsigned int n = 40 + below(NET_SLOTS - 40);

	good_packet();
	nr_slots = 1;
	nr_extras = 0;
	chain[0].req.flags = extras ? TX_EXTRA : TX_MORE;
	while (nr_slots < n)
		chain[nr_slots++] = extras ? (union tx_slot) { .extra = { .type = 1 + below(5), .flags = 1 } } :
				    (union tx_slot) { .req = { pages.refs[0], 0, TX_MORE, 0, below(9) } };
	tell(" %u %s", nr_slots, extras ? "extras" : "slots");
	put_packet(q);
	finish(q, false);
}

static void act_scribble(void)
{
	struct queue *q = any_queue();

	fill(q, 1 + below(6), 6);
	switch (below(4)) {
	case 0:
		q->tx->rsp_event = odd_number();
		break;
	case 1:
		q->tx->req_event = odd_number();
		break;
	case 2:
		q->rx->rsp_event = odd_number();
		break;
	default:
		q->rx->req_event = odd_number();
	}
	finish(q, true);
}

/* Buffers are taken away, and after some time given again. */
static void act_starve(void)
{
	struct queue *q = any_queue();

	usleep(1000 * below(200));
	take_buffers(q);
	post_buffers(q, 0);
	notify(q->rx_port);
}

static void act_gone(void)
{
	struct queue *q = any_queue();

	fill(q, 30, 6);
	post_buffers(q, 6);
	notify(q->tx_port);
	if (one_in(2))
		usleep(below(3000));
	depart();
}

/* As for XDP. */
static void act_reconfigure(void)
{
	store_write("xdp-headroom", "%s", one_in(2) ? odd_text() : "256");
	set_state(7);
	usleep(1000 * below(20));
	set_state(CONNECTED);
	if (!await_state(1 << CONNECTED, 1000))
		spoiled = true;
}

static const struct act acts[] = {
	{ 20, act_good, "good" },
	{ 8, act_static, "static" },
	{ 8, act_static_bad, "static bad" },
	{ 5, act_static_busy, "static busy" },
	{ 4, act_static_flood, "static flood" },
	{ 5, act_static_shown, "static shown" },
	{ 5, act_static_end, "static end" },
	{ 4, act_static_gone, "static gone" },
	{ 40, act_bad, "bad" },
	{ 8, act_flip, "flip" },
	{ 3, act_index, "index" },
	{ 3, act_endless, "endless" },
	{ 5, act_scribble, "scribble" },
	{ 3, act_starve, "starve" },
	{ 10, act_ctrl, "control" },
	{ 5, act_storm, "storm" },
	{ 5, act_keys, "keys" },
	{ 3, act_states, "states" },
	{ 3, act_flood, "flood" },
	{ 3, act_reconfigure, "reconfigure" },
	{ 3, act_gone, "gone" },
	{ 2, act_vanish, "vanish" },
	{ 2, act_leave, "leave" },
	{ 3, act_odd_offer_front, "odd offer" },
};

const struct role net_front = {
	.name = "net-front",
	.keys = keys,
	.open = open_net,
	.tries = 3,
	.ask = ask_back,
	.offer = offer,
	.acts = acts,
	.nr_acts = ARRAY_SIZE(acts),
};

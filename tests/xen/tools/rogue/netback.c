// SPDX-License-Identifier: GPL-2.0
/* A network backend. The victim is a frontend. */
#include "net.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_QUEUES	2
#define MAX_CHAIN	18

static struct queue {
	volatile struct shared *tx, *rx;
	uint32_t tx_cons, tx_prod, rx_cons, rx_prod;
	unsigned int tx_port, rx_port;
	/* Taken, not answered. */
	struct { uint16_t id; bool extra; } pending[NET_SLOTS];
	unsigned int nr_pending;
	bool extra;			/* the next slot of a packet is one */
} queues[MAX_QUEUES];
static unsigned int nr_queues;
static uint8_t victim_mac[6];

static const char *const keys[] = {
	"feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
	"feature-rx-copy", "feature-rx-flip", "feature-xdp-headroom", "feature-multicast-control",
	"feature-dynamic-multicast-control", "feature-split-event-channels", "multi-queue-max-queues",
	"feature-ctrl-ring", "feature-vlan-offload", "carrier", "mac", "online", "frontend",
	"frontend-id", "state", NULL
};

/* --- connecting -------------------------------------------------------------------------- */

static void write_features(void)
{
	unsigned int i;

	for (i = 0; i < 13; i++)
		store_write(keys[i], "%u", !one_in(4));
	store_write("feature-rx-copy", "1");
	store_write("feature-rx-flip", "0");
	store_write("feature-ctrl-ring", "0");
	store_write("multi-queue-max-queues", "%u", 1 + below(2));
}

static bool map_queue(unsigned int i, const char *dir)
{
	uint32_t tx = store_number(dir, "tx-ring-ref", 0), rx = store_number(dir, "rx-ring-ref", 0);
	uint32_t port = store_number(dir, "event-channel", 0);
	struct queue *q = &queues[i];

	memset(q, 0, sizeof(*q));
	q->tx = map_peer(&tx, 1);
	q->rx = map_peer(&rx, 1);
	if (!q->tx || !q->rx || !channel_bind(port ? port : store_number(dir, "event-channel-tx", 0)))
		return false;
	q->tx_port = q->rx_port = ports[nr_ports - 1];
	if (port)
		return true;
	if (!channel_bind(store_number(dir, "event-channel-rx", 0)))
		return false;
	q->rx_port = ports[nr_ports - 1];
	return true;
}

static bool ask(void)
{
	const char *mac = store_read(peer, "mac");
	unsigned int i;

	for (i = 0; mac && i < 6; i++)
		sscanf(mac + 3 * i, "%2hhx", &victim_mac[i]);
	if (peer_state() != INITIALISING) {
		set_state(CLOSED);
		if (!await_state(1 << CLOSED | 1 << INITIALISING, 5000))
			return false;
	}
	let_go();
	write_features();
	return true;
}

static bool offer(void)
{
	set_state(INIT_WAIT);
	/* One that has been offended often takes more time than that. */
	return await_state(1 << CONNECTED, 6000) && map_queues(MAX_QUEUES, &nr_queues, map_queue);
}

/* --- what the victim sends --------------------------------------------------------------- */

static union tx_slot *tx_slot(struct queue *q, uint32_t i)
{
	return (union tx_slot *)q->tx->slots + i % NET_SLOTS;
}

static void take(struct queue *q)
{
	uint32_t prod = q->tx->req_prod;

	if (prod - q->tx_cons > NET_SLOTS) {
		complain(" %u requests in a ring of %u", prod - q->tx_cons, NET_SLOTS);
		spoiled = true;
		return;
	}
	__sync_synchronize();
	for (; q->tx_cons != prod && q->nr_pending < NET_SLOTS; q->tx_cons++) {
		union tx_slot slot = *tx_slot(q, q->tx_cons);

		q->pending[q->nr_pending].id = slot.req.id;
		q->pending[q->nr_pending++].extra = q->extra;
		q->extra = q->extra ? slot.extra.flags & 1 : slot.req.flags & TX_EXTRA;
	}
	q->tx->req_event = q->tx_cons + 1;
}

static void answer(struct queue *q, uint16_t id, int16_t status)
{
	volatile union tx_slot *slot = tx_slot(q, q->tx_prod);

	slot->rsp.id = id;
	slot->rsp.status = status;
	__sync_synchronize();
	q->tx->rsp_prod = ++q->tx_prod;
	tally.answers++;
}

static void spoil_answer(struct queue *q, uint16_t id)
{
	int16_t status = NET_OKAY;

	switch (below(5)) {
	case 0:
		id = odd_number();
		break;
	case 1:
		answer(q, id, status);
		break;
	default:
		status = odd_number();
	}
	tell(" id=%u status=%d", id, status);
	answer(q, id, status);
	tally.errors++;
}

static void answer_all(struct queue *q, unsigned int bad)
{
	unsigned int i;

	for (i = 0; i < q->nr_pending; i++) {
		uint16_t id = q->pending[i].id;

		if (bad && one_in(bad))
			spoil_answer(q, id);
		else
			answer(q, id, q->pending[i].extra ? NET_NULL : NET_OKAY);
	}
	q->nr_pending = 0;
	notify(q->tx_port);
}

/* --- what the victim gets ---------------------------------------------------------------- */

static union rx_slot *rx_slot(struct queue *q, uint32_t i)
{
	return (union rx_slot *)q->rx->slots + i % NET_SLOTS;
}

static uint16_t checksum(const uint8_t *p, unsigned int len)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

/* An echo request of one frame, so that there is an answer; or the start of TCP for nobody. */
static unsigned int build(uint8_t *p, bool tcp, unsigned int len)
{
	memset(p, 0, FRAME);
	memcpy(p, victim_mac, 6);
	memcpy(p + 6, "\x02\0\0\0\x78\1\x08\0\x45", 9);
	put16(p + 16, len - 14);
	p[22] = 64;
	p[23] = tcp ? 6 : 1;
	memcpy(p + 26, "\xc0\xa8\x4e\x01\xc0\xa8\x4e\x0c", 8);
	put16(p + 24, checksum(p + 14, 20));
	if (tcp) {
		memcpy(p + 34, "\1\2\3\4", 4);
		p[46] = 0x50;
	} else {
		p[34] = 8;
		put16(p + 36, checksum(p + 34, len - 34));
	}
	return len;
}

static bool buffer(struct queue *q, union rx_slot *req)
{
	if (q->rx->req_prod == q->rx_cons)
		return false;
	__sync_synchronize();
	*req = *rx_slot(q, q->rx_cons++);
	q->rx->req_event = q->rx_cons + 1;
	return true;
}

static void put_slot(struct queue *q, union rx_slot slot)
{
	*rx_slot(q, q->rx_prod) = slot;
	__sync_synchronize();
	q->rx->rsp_prod = ++q->rx_prod;
	tally.answers++;
}

static void spoil_slot(union rx_slot *s)
{
	switch (below(5)) {
	case 0:
		s->rsp.id = odd_number();
		break;
	case 1:
		s->rsp.offset = odd_number();
		break;
	case 2:
		s->rsp.status = odd_number();
		break;
	case 3:
		s->rsp.status = -odd_number();
		break;
	default:
		s->rsp.flags ^= 1 << below(5);
	}
	tell(" id=%u offset=%u flags=%x status=%d", s->rsp.id, s->rsp.offset, s->rsp.flags, s->rsp.status);
	tally.errors++;
}

static void put_extra(struct queue *q, unsigned int bad)
{
	union rx_slot req, e = { .extra = { .type = EXTRA_GSO, .kind = 1 + below(2) } };
	uint16_t size = 500 + below(900);

	if (!buffer(q, &req))
		return;
	if (bad && one_in(bad)) {
		size = odd_number();
		e.extra.type = odd_number();
		e.extra.kind = odd_number();
		e.extra.flags = one_in(3);
		tell(" extra %u %u %u", e.extra.type, e.extra.kind, size);
	}
	memcpy(e.extra.val, &size, 2);
	put_slot(q, e);
}

static void deliver(struct queue *q, unsigned int bad)
{
	unsigned int chain = one_in(3) ? 2 + below(MAX_CHAIN - 1) : 1, i;
	bool gso = chain > 1 && one_in(2);
	uint8_t data[FRAME];

	for (i = 0; i < chain; i++) {
		union rx_slot req, rsp = { .rsp = { .flags = i < chain - 1 ? RX_MORE : 0 } };

		if (!buffer(q, &req))
			return;
		rsp.rsp.id = req.req.id;
		rsp.rsp.status = i ? 1 + below(FRAME) : chain > 1 ? FRAME : 60 + below(1400);
		build(data, chain > 1, chain > 1 ? 16000 : rsp.rsp.status);
		if (!i && gso)
			rsp.rsp.flags |= RX_EXTRA | RX_CSUM | RX_VALID;
		copy_peer(req.req.gref, 0, data, rsp.rsp.status, true);
		if (bad && one_in(bad))
			spoil_slot(&rsp);
		put_slot(q, rsp);
		if (!i && gso)
			put_extra(q, bad);
	}
}

/* --- acts -------------------------------------------------------------------------------- */

static struct queue *any_queue(void)
{
	return &queues[below(nr_queues)];
}

static void serve(unsigned int bad)
{
	unsigned int i, n;

	for (i = 0; i < nr_queues; i++) {
		take(&queues[i]);
		answer_all(&queues[i], bad);
		for (n = below(4); n; n--)
			deliver(&queues[i], bad ? 4 * bad : 0);
		notify(queues[i].rx_port);
	}
}

static void act_good(void)
{
	unsigned int n = 1 + below(4);

	while (n--) {
		serve(0);
		usleep(1000 + below(3000));
	}
}

static void act_bad(void)
{
	serve(8);
	usleep(2000);
}

/* For some time, no answers and no packets. */
static void act_hold(void)
{
	usleep(1000 * below(300));
}

static void act_index(void)
{
	struct queue *q = any_queue();
	bool rx = one_in(2);

	serve(0);
	spoil_index(rx ? &q->rx->rsp_prod : &q->tx->rsp_prod, NET_SLOTS);
	notify(q->tx_port);
	notify(q->rx_port);
	usleep(20000);
}

/* A packet that does not end. */
static void act_endless(void)
{
	struct queue *q = any_queue();
	bool extras = one_in(2);
	unsigned int n = 20 + below(200), i;
	union rx_slot req;

	for (i = 0; i < n && buffer(q, &req); i++) {
		union rx_slot rsp = { .rsp = { .id = req.req.id, .status = 1 + below(FRAME),
			.flags = extras ? RX_EXTRA : RX_MORE } };

		if (i && extras)
			rsp = (union rx_slot) { .extra = { .type = 1 + below(5), .flags = 1 } };
		put_slot(q, rsp);
	}
	tell(" %u %s", i, extras ? "extras" : "slots");
	notify(q->rx_port);
	usleep(5000);
	serve(0);
}

static void act_scribble(void)
{
	struct queue *q = any_queue();
	volatile struct shared *ring = one_in(2) ? q->tx : q->rx;

	switch (below(4)) {
	case 0:
		ring->req_event = odd_number();
		break;
	case 1:
		ring->rsp_event = odd_number();
		break;
	case 2:
		ring->req_prod = odd_number();
		spoiled = true;
		break;
	default:
		ring->pad[below(48)] = any();
	}
	notify(q->tx_port);
	notify(q->rx_port);
	usleep(2000);
	if (!spoiled)
		serve(0);
}

/* Answers and buffers that change while they are looked at. */
static void act_flip(void)
{
	struct queue *q = any_queue();
	bool rx = one_in(2);

	if (rx)
		flip_start((void *)rx_slot(q, q->rx_prod & ~7), 8 * sizeof(union rx_slot), any());
	else
		flip_start((void *)tx_slot(q, q->tx_prod & ~7), 8 * sizeof(union tx_slot), any());
	serve(0);
	usleep(2000);
	flip_stop();
}

static void act_gone(void)
{
	serve(0);
	depart();
}

static const struct act acts[] = {
	{ 40, act_good, "good" },
	{ 10, act_bad, "bad" },
	{ 6, act_hold, "hold" },
	{ 2, act_index, "index" },
	{ 3, act_endless, "endless" },
	{ 6, act_scribble, "scribble" },
	{ 3, act_flip, "flip" },
	{ 5, act_busy_storm, "storm" },
	{ 6, act_busy_keys, "keys" },
	{ 2, act_states, "states" },
	{ 4, act_busy_flood, "flood" },
	{ 2, act_gone, "gone" },
	{ 2, act_vanish, "vanish" },
	{ 2, act_leave, "leave" },
	{ 3, act_odd_offer_back, "odd offer" },
};

const struct role net_back = {
	.name = "net-back",
	.keys = keys,
	.open = open_back,
	.tries = 1,
	.ask = ask,
	.offer = offer,
	.acts = acts,
	.nr_acts = ARRAY_SIZE(acts),
};

// SPDX-License-Identifier: GPL-2.0
/*
 * netfront's poll against a backend: reception, completion of transmission,
 * static grants and answers on the control ring. The backend fills buffers and answers, mostly as it
 * should.
 *
 * Besides what peer.h checks: what the stack gets is not the backend's any more
 * and has a header where the stack looks for it; buffers and packets neither leak
 * nor end twice; pages that the backend may still see are not used again.
 */
#include "netfront/netfront.h"

#include "kernel.h"
#include "target.h"

#define MAX_STEPS	64
#define RX_BYTES	(sizeof(struct ring_shared) + \
			 NET_RING_SLOTS * NET_RX_SLOT_SIZE)
#define TX_BYTES	(sizeof(struct ring_shared) + \
			 NET_RING_SLOTS * NET_TX_SLOT_SIZE)

struct netfront_params netfront_params;
struct workqueue_struct *netfront_wq;

static struct net_device net = { .name = "eth0" };
static struct netfront info;
static struct netfront_queue queue;
static struct netfront_stats stats;
static struct xenbus_device xdev;
static struct bpf_prog prog;
static struct xdp_frame frame[NET_RING_SLOTS];
static struct peer_ring *rx, *tx, *ctrl;
static u32 rx_prod, tx_prod, ctrl_prod;
/* Frames sent and not returned. */
static int frames;
/* The last request on the control ring, and when it was made. */
static u32 asked;
static unsigned long asked_at;
static unsigned int steps;

static struct ring_shared *seen(struct peer_ring *ring)
{
	return (struct ring_shared *)ring->behind;
}

/* --- the backend --------------------------------------------------------- */

/* An Ethernet header and those of TCP, mostly. */
static void write_headers(grant_ref_t ref, u16 offset, u16 len)
{
	static const u8 v4[64] = {
		[12] = 8, 0, 0x45, [23] = 6, [46] = 0x50,
	};
	u8 bytes[64];

	memcpy(bytes, v4, sizeof(v4));
	if (peer_rarely()) {
		bytes[peer_below(48)] = peer_u8();
		bytes[12] = peer_u8();
	}
	if (offset <= PAGE_SIZE - sizeof(v4))
		kernel_peer_writes(ref, offset, bytes, sizeof(bytes));
}

static void put_rx_data(unsigned int parts, bool extra)
{
	union net_rx_slot *slot = (union net_rx_slot *)seen(rx)->slots +
				  rx_prod % NET_RING_SLOTS;
	grant_ref_t ref = ((struct xen_netif_rx_request *)slot)->gref;
	u8 how = peer_u8();
	u16 offset = how & 0x80 ? 0 : how & 0x7f;
	u16 len = how & 1 ? 4096 - offset : 60 + how * 4;

	/* Headers in more than one part, or nothing at all. */
	if ((how & 0x38) == 0x38)
		len = peer_below(80);
	slot->rsp = (struct xen_netif_rx_response) {
		.id = peer_mostly(rx_prod % NET_RING_SLOTS, 16),
		.offset = peer_mostly(offset, 16),
		.flags = peer_mostly((parts > 1 ? XEN_NETRXF_more_data : 0) |
				     (extra ? XEN_NETRXF_extra_info : 0) |
				     (how & 6 ? 0 : XEN_NETRXF_csum_blank), 16),
		.status = peer_mostly(len, 16),
	};
	write_headers(ref, slot->rsp.offset, slot->rsp.status);
	rx_prod++;
}

static void put_rx_extra(bool more)
{
	union net_rx_slot *slot = (union net_rx_slot *)seen(rx)->slots +
				  rx_prod++ % NET_RING_SLOTS;
	static const u8 types[] = { XEN_NETIF_EXTRA_TYPE_GSO,
				    XEN_NETIF_EXTRA_TYPE_HASH,
				    XEN_NETIF_EXTRA_TYPE_XDP };
	struct xen_netif_extra_info extra = {
		.type = peer_mostly(types[peer_below(3)], 8),
		.flags = peer_mostly(more, 8),
	};

	switch (extra.type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		extra.u.gso.type = peer_mostly(1 + peer_below(2), 8);
		extra.u.gso.size = peer_mostly(1448, 16);
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		extra.u.hash.type = peer_u8();
		break;
	case XEN_NETIF_EXTRA_TYPE_XDP:
		extra.u.xdp.headroom = peer_mostly(256, 16);
	}
	slot->extra = extra;
}

static unsigned int rx_room(void)
{
	return queue.rx.req_published - rx_prod;
}

static void receive_some(void)
{
	unsigned int n = peer_below(5), parts, extras;

	while (n--) {
		u8 how = peer_u8();

		parts = how & 3 ? 1 : how & 0x30 ? 2 + peer_below(3) :
						   16 + peer_below(4);
		extras = how & 0x0c ? 0 : 1 + peer_below(3);
		if (rx_room() < parts + extras || rx_room() > NET_RING_SLOTS)
			break;
		put_rx_data(parts, extras);
		while (extras--)
			put_rx_extra(extras);
		while (--parts)
			put_rx_data(parts, false);
	}
	seen(rx)->rsp_prod = peer_mostly(rx_prod, 32);
	seen(rx)->req_event = peer_u32();
}

static void answer_some(void)
{
	struct net_tx_response *slots = (void *)seen(tx)->slots;
	unsigned int n = peer_below(8);
	u16 id;

	for (; n && tx_prod != queue.tx.req_published; n--, tx_prod++) {
		/* Unless told otherwise the request of this slot. */
		id = slots[tx_prod % NET_RING_SLOTS].pad[4] |
		     slots[tx_prod % NET_RING_SLOTS].pad[5] << 8;
		slots[tx_prod % NET_RING_SLOTS] = (struct net_tx_response) {
			.id = peer_mostly(id, 16),
			.status = peer_mostly(0, 16),
		};
	}
	seen(tx)->rsp_prod = peer_mostly(tx_prod, 32);
	seen(tx)->req_event = peer_u32();
}

static void answer_ctrl(void)
{
	struct xen_netif_ctrl_request req;
	struct xen_netif_ctrl_response rsp;
	u8 *slot = seen(ctrl)->slots + ctrl_prod % 128 * NET_CTRL_SLOT_SIZE;

	if (ctrl_prod == seen(ctrl)->req_prod)
		return;
	__builtin_memcpy(&req, slot, sizeof(req));
	rsp = (struct xen_netif_ctrl_response) {
		.id = peer_mostly(req.id, 16), .type = peer_mostly(req.type, 16),
		.status = peer_mostly(0, 32), .data = peer_u8(),
	};
	__builtin_memcpy(slot, &rsp, sizeof(rsp));
	ctrl_prod++;
	seen(ctrl)->rsp_prod = peer_mostly(ctrl_prod, 32);
}

static void index_read(struct peer_ring *ring, size_t offset)
{
	u8 what = peer_u8();

	if (what >= 0xfe)
		seen(ring)->rsp_prod = ~seen(ring)->rsp_prod;
	else if (what < 0xe0 || offset != offsetof(struct ring_shared, rsp_prod))
		return;
	else if (ring == rx)
		receive_some();
	else if (ring == tx)
		answer_some();
	else
		answer_ctrl();
}

/* --- what other files do ------------------------------------------------- */

void netfront_offend(struct netfront_queue *q, const char *what, unsigned int id)
{
	kernel_log("%s %u", what, id);
	WRITE_ONCE(q->live, false);
}

void netfront_multicast_refused(struct netfront *i)
{
}

grant_ref_t grant_ref_alloc(struct grant_budget *budget)
{
	return peer_u8() == 0xff ? 0 : kernel_ref();
}

void grant_ref_free(struct grant_budget *budget, grant_ref_t ref)
{
}

void grant_ref_end(struct grant_budget *budget, grant_ref_t ref,
		   struct page *page)
{
	gnttab_end_foreign_access(ref, page);
}

bool netfront_xdp_fits(const struct netfront_part *part)
{
	return part->offset + part->len <= PAGE_SIZE - 320;
}

struct sk_buff *netfront_xdp_run(struct netfront_queue *q, struct bpf_prog *p,
				 struct page *page,
				 const struct netfront_part *part)
{
	MUST(!page->granted);
	MUST(part->len >= ETH_HLEN && part->offset + part->len <= PAGE_SIZE);
	put_page(page);
	return NULL;
}

void netfront_xdp_flush(struct netfront_queue *q)
{
}

int netfront_xdp_init(struct netfront_queue *q)
{
	return 0;
}

void xdp_return_frame(struct xdp_frame *f)
{
	MUST(f->page && frames-- > 0);
	put_page(f->page);
	f->page = NULL;
}

int xenbus_setup_ring(struct xenbus_device *dev, gfp_t gfp, void **shared,
		      unsigned int nr, grant_ref_t *refs)
{
	*shared = ctrl->window;
	*refs = 8;
	return 0;
}

void xenbus_teardown_ring(void **shared, unsigned int nr, grant_ref_t *refs)
{
	*shared = NULL;
}

int event_channel_alloc(struct event_channel *ec, struct xenbus_device *dev,
			irq_handler_t handler, const char *name, void *data)
{
	ec->irq = 9;
	return 0;
}

void event_channel_free(struct event_channel *ec, void *data)
{
	ec->irq = 0;
}

unsigned long wait_for_completion_timeout(struct completion *done,
					  unsigned long timeout)
{
	u8 how;

	if (asked != seen(ctrl)->req_prod)
		asked_at = jiffies;
	asked = seen(ctrl)->req_prod;
	/* Events may come without an answer, each after some time. */
	MUST(timeout && timeout <= HZ && jiffies - asked_at < HZ);
	answer_ctrl();
	how = peer_u8();
	jiffies += how >= 0xf8 ? timeout : 1 + how % timeout;
	return how < 0xf8 ? timeout - how % timeout : 0;
}

void target_receive(struct sk_buff *skb)
{
	const struct skb_shared_info *shared = skb_shinfo(skb);

	kernel_check_skb(skb);
	MUST(!shared->gso_type == !shared->gso_size);
	if (shared->gso_type)
		MUST(skb->ip_summed == CHECKSUM_PARTIAL &&
		     shared->gso_size != 0xffff);
	kfree_skb(skb);
}

/* --- transmission -------------------------------------------------------- */

static void send_slot(struct sk_buff *skb, u8 kind, u16 bytes, bool first)
{
	u16 id = queue.free_id;
	struct netfront_tx_slot *slot = &queue.tx_slots[id];
	struct xen_netif_tx_request req = { .id = id };
	/* Where the backend of this test finds the id. */
	union net_tx_slot wire = { .req = req };

	queue.free_id = slot->next;
	*slot = (struct netfront_tx_slot) {
		.entry = kind == NETFRONT_TX_STATIC ?
			 netfront_tx_pop_static(&queue) : NULL,
		.kind = kind, .skb = skb, .charged = bytes, .first = first,
		.ref = slot->ref,
	};
	if (kind == NETFRONT_TX_BOUNCE || kind == NETFRONT_TX_FRAME ||
	    kind == NETFRONT_TX_GRANTED) {
		if (!slot->ref)
			slot->ref = kernel_ref();
		slot->page = kind == NETFRONT_TX_GRANTED ?
			     skb->info.frags[*netfront_slots_left(skb)].page :
			     alloc_page(__GFP_ZERO | __GFP_NOFAIL);
		gnttab_page_grant_foreign_access_ref_one(slot->ref, 0,
							 slot->page, 1);
	}
	if (kind == NETFRONT_TX_FRAME) {
		frame[id].page = slot->page;
		slot->frame = &frame[id];
	}
	if (kind != NETFRONT_TX_SLICE && kind != NETFRONT_TX_STATIC &&
	    kind != NETFRONT_TX_BOUNCE)
		queue.held++;
	ring_front_put(&queue.tx, &wire, sizeof(wire));
	queue.txq->bytes += bytes;
	queue.txq->packets += first && bytes;
}

static void send_granted(void)
{
	unsigned int nr = 1 + peer_below(4), i;
	struct sk_buff *skb = netdev_alloc_skb(NULL, 0);

	if (!skb)
		return;
	for (i = 0; i < nr; i++)
		skb_add_rx_frag(skb, i, alloc_page(__GFP_ZERO | __GFP_NOFAIL), 0,
				1, PAGE_SIZE);
	*netfront_slots_left(skb) = 0;
	for (i = 0; i < nr; i++) {
		send_slot(skb, NETFRONT_TX_GRANTED, i ? 0 : 100, !i);
		++*netfront_slots_left(skb);
	}
}

void target_yield(void)
{
	if (peer_below(2))
		receive_some();
	if (peer_below(2))
		answer_some();
}

static void send_some(void)
{
	unsigned int n = peer_below(5);
	bool hand_over;

	spin_lock(&queue.txq->_xmit_lock);
	while (n-- && queue.live && netfront_tx_reap(&queue)) {
		switch (peer_below(6)) {
		case 0:
			send_slot(NULL, NETFRONT_TX_SLICE, 100, true);
			break;
		case 1:
			send_granted();
			break;
		case 2:
			send_slot(NULL, NETFRONT_TX_REQUEST, 0, false);
			break;
		case 3:
			frames++;
			send_slot(NULL, NETFRONT_TX_FRAME, 0, true);
			break;
		case 4:
			send_slot(NULL, queue.nr_tx_free ? NETFRONT_TX_STATIC :
				  NETFRONT_TX_SLICE, 100, true);
			break;
		default:
			send_slot(NULL, NETFRONT_TX_BOUNCE, 100, true);
		}
	}
	/* Who waits gives the backend a turn, whatever was found out of it. */
	hand_over = netfront_handover_due(&queue, peer_below(2));
	if (!hand_over && peer_below(8) == 7) {
		ring_front_disarm(&queue.rx);
		hand_over = true;
	}
	ring_front_push(&queue.tx);
	if (hand_over) {
		queue.napi.scheduled = false;
		netfront_hand_over(&queue);
		MUST(queue.napi.scheduled);
	}
	queue.txq->stopped = !netfront_tx_has_room(&queue);
	spin_unlock(&queue.txq->_xmit_lock);
}

/* --- */

static void begin(void)
{
	unsigned int i;

	kernel_reset();
	rx = peer_share(0, RX_BYTES);
	tx = peer_share(1, TX_BYTES);
	ctrl = peer_share(2, 4096);
	memset(&info, 0, sizeof(info));
	memset(&queue, 0, sizeof(queue));
	memset(net._tx, 0, sizeof(net._tx));
	info.netdev = &net;
	info.xbdev = &xdev;
	info.queues = &queue;
	info.nr_queues = 1;
	info.trusted = peer_below(2);
	info.split = peer_below(2);
	info.coalesce.adaptive_rx = peer_below(2);
	info.coalesce.tx_frames = 1 + peer_u8();
	info.coalesce.rx_frames = 1 + peer_below(64);
	info.coalesce.rx_usecs = peer_below(2) * 10;
	info.features.ctrl_ring = peer_below(2);
	info.features.static_grants = peer_below(2);
	netfront_params.static_grants = true;
	netfront_static_init(&info);
	info.xdp = peer_below(2);
	info.xdp_prog = peer_below(4) == 3 ? &prog : NULL;
	netfront_params.rx_copybreak = peer_below(2) ? 256 : 0;
	net.wanted_features = NETIF_F_RXHASH;
	net.features = peer_below(4) == 3 ? 0 : NETIF_F_RXHASH;
	queue.info = &info;
	queue.stats = &stats;
	queue.txq = &net._tx[0];
	ring_front_init(&queue.rx, (struct ring_shared *)rx->window, RX_BYTES,
			NET_RX_SLOT_SIZE);
	ring_front_init(&queue.tx, (struct ring_shared *)tx->window, TX_BYTES,
			NET_TX_SLOT_SIZE);
	for (i = 0; i < NET_RING_SLOTS; i++)
		queue.tx_slots[i].next = i + 1;
	queue.tx_slots[NET_RING_SLOTS - 1].next = NETFRONT_NO_ID;
	MUST(!netfront_rx_init(&queue));
	queue.live = true;
	rx_prod = 0;
	tx_prod = 0;
	ctrl_prod = 0;
	asked = 0;
	frames = 0;
	steps = 0;
}

static void use_ctrl(void)
{
	u8 what = peer_u8();

	if (what & 1)
		info.hash_changed = true;
	netfront_ctrl_update(&info);
	if (what & 2)
		netfront_static_want(&queue, what >> 2 & 3);
	netfront_static_update(&info);
	if (info.static_timer.armed && what & 0x80)
		info.static_timer.function(&info.static_timer);
}

void target_run(void)
{
	int done, budget;

	begin();
	peer_acts.index_read = index_read;
	netfront_bufs_post(&queue);
	MUST(!netfront_ctrl_create(&info));
	while (peer_input_left() && steps++ < MAX_STEPS) {
		send_some();
		receive_some();
		answer_some();
		queue.tx_channel.pending = true;
		queue.rx_channel.pending = true;
		budget = peer_below(65);
		done = netfront_poll(&queue.napi, budget);
		MUST(done >= 0 && done <= budget);
		MUST(!queue.txq->_xmit_lock.held);
		if (peer_rarely())
			use_ctrl();
	}
	netfront_static_stop(&info);
	netfront_ctrl_destroy(&info);
	netfront_tx_drop_all(&queue);
	netfront_rx_free(&queue);
	MUST(!frames && !queue.held);
	kernel_reset();
}

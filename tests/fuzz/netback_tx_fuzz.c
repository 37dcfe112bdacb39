// SPDX-License-Identifier: GPL-2.0
/*
 * Guest transmit of netback against a frontend: NAPI's poll from the ring to the
 * stack. Packets are chains of slots as an honest guest makes them, mostly.
 *
 * Besides what peer.h checks: each slot that is answered was taken, in order,
 * with its own id unless it holds extra info; copies stay within frame and page;
 * a packet that the stack gets has all of its bytes from the guest, and as many
 * as its first slot said. Some slots are in a frame that stays mapped, which
 * changes whenever it was looked at and can only be copied from.
 */
#include "netback/netback.h"

#include "kernel.h"
#include "target.h"

#define MAX_STEPS	64
#define BYTES		(sizeof(struct ring_shared) + \
			 NET_RING_SLOTS * NET_TX_SLOT_SIZE)

/* The frame that stays mapped; indices would be before it. */
#define MAPPED_REF	9
#define FRAME_HEAD	sizeof(struct ring_shared)

unsigned int netback_copybreak;
struct workqueue_struct *netback_wq;
static struct netback_passes passes;
static struct netback_passes *passes_of_cpu = &passes;
struct netback_passes * __percpu *netback_passes = &passes_of_cpu;

static struct netback_vif vif;
static struct net_device net = { .name = "vif1.0" };
static struct netback_queue queue;
static struct netback_stats stats;
static struct xenbus_device xdev;
static struct peer_ring *memory, *frame;
static struct netback_mappings mappings;
static struct netback_mapping mapping;
/* What was in the slots when they were read last. */
static union net_tx_slot taken[NET_RING_SLOTS];
static u32 prod, answered;
static unsigned int steps, addresses;

static struct ring_shared *seen(void)
{
	return (struct ring_shared *)memory->behind;
}

/* --- the frontend -------------------------------------------------------- */

static union net_tx_slot *next_slot(void)
{
	union net_tx_slot *slots = (void *)seen()->slots;

	return &slots[prod++ % NET_RING_SLOTS];
}

static void put_extra(bool more)
{
	struct xen_netif_extra_info extra = {};
	u8 what = peer_u8();

	extra.type = peer_mostly(1 + what % 5, 8);
	extra.flags = peer_mostly(more, 8);
	switch (extra.type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		extra.u.gso.type = peer_mostly(1 + (what & 1), 8);
		extra.u.gso.size = peer_mostly(1448, 16);
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		extra.u.hash.type = peer_mostly(what & 3, 8);
		extra.u.hash.algorithm = peer_mostly(1, 8);
		break;
	default:
		extra.u.mcast.addr[5] = what;
	}
	next_slot()->extra = extra;
}

static void put_packet(void)
{
	u8 how = peer_u8();
	unsigned int extras = how & 3 ? 0 : 1 + peer_below(3);
	unsigned int segs = how & 4 ? 1 : 1 + peer_below(20), i;
	u16 flags = how & 0x18 ? 0 : XEN_NETTXF_csum_blank, rest = 0;
	struct xen_netif_tx_request req[32];
	/* More than the 16 bits of a size hold, if there are 17 of them. */
	bool full = (how & 0x60) == 0x60;

	for (i = segs; i--; rest += req[i].size) {
		u16 offset = full || peer_u8() & 0x80 ? 0 : peer_u8() * 8;
		u16 size = full && i ? 4096 : i ? peer_u8() * 13 :
						  14 + peer_u8() * 8;

		req[i] = (struct xen_netif_tx_request) {
			.gref = peer_mostly(how & 0x80 ? MAPPED_REF : 8, 32),
			.offset = peer_mostly(offset, 16),
			.flags = peer_mostly(i + 1 < segs ?
					     XEN_NETTXF_more_data : 0, 16),
			.id = peer_mostly(prod + i, 16),
			.size = peer_mostly(min(size, 4096 - offset), 16),
		};
	}
	req[0].size = peer_mostly(rest, 16);
	req[0].flags |= flags | (extras ? XEN_NETTXF_extra_info : 0);
	next_slot()->req = req[0];
	while (extras--)
		put_extra(extras);
	for (i = 1; i < segs; i++)
		next_slot()->req = req[i];
}

static void put_noise(void)
{
	u8 *slot = (u8 *)next_slot();
	unsigned int i;

	for (i = 0; i < NET_TX_SLOT_SIZE; i++)
		slot[i] = peer_u8();
}

static void produce(void)
{
	unsigned int n = peer_below(5);

	while (n-- && NET_RING_SLOTS - (prod - answered) > 24)
		if (peer_rarely())
			put_noise();
		else
			put_packet();
	seen()->req_prod = peer_mostly(prod, 32);
	seen()->rsp_event = peer_mostly(answered + 1, 32);
}

static void index_read(struct peer_ring *shared, size_t offset)
{
	u8 what = peer_u8();

	if (what >= 0xfc)
		seen()->req_prod = ~seen()->req_prod;
	else if (what >= 0xe0)
		produce();
}

static void write_data(u8 *to, unsigned int len);

static void slot_read(struct peer_ring *shared, size_t offset, size_t len)
{
	u32 nr = (offset - sizeof(struct ring_shared)) / NET_TX_SLOT_SIZE;

	if (shared == frame) {
		/* Any slot may be of this frame, so others may read it, too. */
		frame->look++;
		write_data(frame->behind + offset, len);
		return;
	}
	MUST(len == NET_TX_SLOT_SIZE);
	__builtin_memcpy(&taken[nr], memory->behind + offset, len);
}

static void slot_written(struct peer_ring *shared, size_t offset, size_t len)
{
	u32 nr = (offset - sizeof(struct ring_shared)) / NET_TX_SLOT_SIZE;
	struct net_tx_response rsp;

	MUST(shared == memory && len == NET_TX_SLOT_SIZE);
	MUST(nr == answered++ % NET_RING_SLOTS);
	MUST((s32)(queue.tx.req_cons - answered) >= 0);
	__builtin_memcpy(&rsp, memory->behind + offset, len);
	if (rsp.status == XEN_NETIF_RSP_NULL)
		return;
	MUST(rsp.status == XEN_NETIF_RSP_OKAY ||
	     rsp.status == XEN_NETIF_RSP_ERROR);
	MUST(rsp.id == taken[nr].req.id);
}

/* --- what other files do ------------------------------------------------- */

/* Headers that are mostly those of TCP. */
static void write_data(u8 *to, unsigned int len)
{
	static const u8 v4[] = {
		[12] = 8, 0, 0x45, [23] = 6, [46] = 0x50,
	};
	unsigned int i;

	for (i = 0; i < len; i++)
		to[i] = i < sizeof(v4) ? v4[i] : i;
	if (len <= 24 || !peer_rarely())
		return;
	to[12] = peer_u8();
	to[13] = peer_u8();
	to[23] = peer_u8();
	to[len - 1] = peer_u8();
}

/* XSA-432: no copy crosses a frame or a page, however many slots a packet has. */
void grant_copy_add(struct grant_copy_batch *batch,
		    const struct grant_copy_span *span, int *err)
{
	MUST(span->len && span->ref_offset + span->len <= 4096);
	MUST(span->page_offset + span->len <= PAGE_SIZE && !span->to_peer);
	MUST(span->ref != MAPPED_REF);
	batch->nr++;
	write_data(span->page->addr + span->page_offset, span->len);
	if (peer_rarely() && peer_u8() & 1)
		*err = -EIO;
}

void grant_copy_run(struct grant_copy_batch *batch)
{
	batch->nr = 0;
}

int netback_mcast_add(struct netback_vif *v, const u8 *addr)
{
	peer_must_be_set(addr, ETH_ALEN);
	return addresses++ < NETBACK_MAX_MCAST ? 0 : -ENOSPC;
}

void netback_mcast_del(struct netback_vif *v, const u8 *addr)
{
	peer_must_be_set(addr, ETH_ALEN);
	addresses -= !!addresses;
}

void netback_rx_resume(struct netback_queue *q)
{
}

int netback_pool_init(struct netback_pool *pool)
{
	return 0;
}

void netback_pool_destroy(struct netback_pool *pool)
{
}

void netback_pool_used(struct netback_pool *pool)
{
}

void netback_pool_drain(struct netback_pool *pool)
{
}

void netback_hold_init(struct netback_queue *q)
{
}

void netback_rx_timeout(struct timer_list *timer)
{
}

/*
 * XSA-423: a guest may cut its packets in the middle of their headers, which
 * drivers of network cards do not expect. Rule: 128 bytes, or all there are, lie
 * in one piece, whatever the slots are. Here, 14 of Ethernet and 4 of a tag may
 * have been taken off. Failure: less than that.
 */
static void xsa_423_headers_in_one_piece(const struct sk_buff *skb)
{
	MUST(skb_headlen(skb) >= min(skb->len, 128 - 14 - 4));
}

void target_receive(struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);

	kernel_check_skb(skb);
	xsa_423_headers_in_one_piece(skb);
	MUST(!info->gso_type == !info->gso_size);
	if (info->gso_type) {
		MUST(skb->ip_summed == CHECKSUM_PARTIAL);
		MUST(info->gso_segs > 1);
	}
	kfree_skb(skb);
}

/* --- */

static void map_frame(void)
{
	struct hlist_head *head;

	frame = peer_share(1, FRAME_HEAD + NET_FRAME_SIZE);
	memset(&mappings, 0, sizeof(mappings));
	mapping = (struct netback_mapping) {
		.ref = MAPPED_REF,
		.data = frame->window + FRAME_HEAD,
	};
	head = &mappings.heads[hash_32(MAPPED_REF, NETBACK_MAPPING_BITS)];
	hlist_add_head_rcu(&mapping.node, head);
	queue.mappings = &mappings;
}

static void begin(void)
{
	kernel_reset();
	memory = peer_share(0, BYTES);
	vif = (struct netback_vif) { .xdev = &xdev, .net = &net,
				     .queues = &queue, .nr_queues = 1,
				     .stats = &stats };
	memset(&queue, 0, sizeof(queue));
	MUST(!netback_queue_init(&queue, &vif, 0));
	map_frame();
	netback_copybreak = peer_below(2) ? 128 : 1600;
	if (peer_below(4) == 3)
		credit_set(&vif.credit.bucket, peer_u16(), 1 + peer_u16(), 1);
	steps = 0;
	addresses = 0;

	prod = peer_mostly(0, 32);
	answered = prod;
	seen()->req_prod = prod;
	seen()->rsp_prod = prod;
	MUST(!ring_back_attach(&queue.tx, (struct ring_shared *)memory->window,
			       BYTES, NET_TX_SLOT_SIZE));
	MUST(queue.tx.entries == NET_RING_SLOTS);
}

void target_run(void)
{
	int done;

	begin();
	peer_acts = (struct peer_acts) {
		.index_read = index_read, .slot_read = slot_read,
		.slot_written = slot_written,
	};
	while (peer_input_left() && steps++ < MAX_STEPS) {
		produce();
		netback_tx_interrupt(0, &queue);
		done = netback_poll(&queue.napi, 1 + peer_below(64));
		MUST(done >= 0 && done <= 64);
		MUST(!vif.credit.lock.held);
		/* All that was taken was answered (XSA-39). */
		MUST(queue.tx.req_cons == queue.tx.rsp_prod);
		MUST(queue.tx.rsp_published == queue.tx.rsp_prod);
		if (queue.credit_timer.armed)
			queue.credit_timer.function(&queue.credit_timer);
		queue.credit_timer.armed = false;
	}
	netback_queue_destroy(&queue);
	kernel_reset();
}

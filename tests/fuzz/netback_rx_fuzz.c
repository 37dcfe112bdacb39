// SPDX-License-Identifier: GPL-2.0
/*
 * Guest receive and control ring of netback against a frontend. The stack sends
 * packets of all shapes; the frontend posts buffers, configures the hash and has
 * frames mapped on its control ring, and changes all of it while it is used.
 *
 * Besides what peer.h checks: each response answers the buffer of its slot, in
 * order; copies stay within page and frame and never overlap; a queue is chosen
 * only if there is one of that number; a request of the control ring gets its own
 * id and type back; a frame that stays mapped is written by copies alone, and
 * as many are unmapped as were mapped.
 */
#include "netback/netback.h"

#include "kernel.h"
#include "target.h"

#define MAX_STEPS	64
#define QUEUES		4
#define RX_BYTES	(sizeof(struct ring_shared) + \
			 NET_RING_SLOTS * NET_RX_SLOT_SIZE)
#define CTRL_ENTRIES	16
#define CTRL_BYTES	(sizeof(struct ring_shared) + \
			 CTRL_ENTRIES * NET_CTRL_SLOT_SIZE)
/* Indices would be before it. */
#define FRAME_HEAD	sizeof(struct ring_shared)

unsigned int netback_stall_seconds = 60;
unsigned int netback_max_static_grants;
struct workqueue_struct *netback_wq;
static struct netback_passes passes;
static struct netback_passes *passes_of_cpu = &passes;
struct netback_passes * __percpu *netback_passes = &passes_of_cpu;

static struct netback_vif vif;
static struct net_device net = { .name = "vif1.0" };
static struct netback_queue queues[QUEUES];
static struct netback_queue *const queue = queues;
static struct netback_stats stats;
static struct xenbus_device xdev;
static struct peer_ring *rx, *ctrl, *frame;
static unsigned int nr_mapped;
static u16 asked_type;
/* As they were read. */
static u16 buffer[NET_RING_SLOTS];
static struct xen_netif_ctrl_request asked[CTRL_ENTRIES];
/* Of the frame that is being filled: what has been copied into it. */
static grant_ref_t filling;
static u32 filled_to;
/* Entries of the table of queues, as the frontend has set it. */
static u32 map_size;
static u32 rx_prod, rx_answered, ctrl_prod, ctrl_answered;
static bool extra_next;
static unsigned int steps;

static struct ring_shared *rx_seen(void)
{
	return (struct ring_shared *)rx->behind;
}

static struct ring_shared *ctrl_seen(void)
{
	return (struct ring_shared *)ctrl->behind;
}

/* --- the frontend -------------------------------------------------------- */

static void post_buffers(void)
{
	struct xen_netif_rx_request *slots = (void *)rx_seen()->slots;
	unsigned int n = peer_below(4) * 16;

	for (; n && rx_prod - rx_answered < NET_RING_SLOTS; n--, rx_prod++)
		slots[rx_prod % NET_RING_SLOTS] = (struct xen_netif_rx_request) {
			.id = rx_prod, .gref = 8 + rx_prod % NET_RING_SLOTS,
		};
	rx_seen()->req_prod = peer_mostly(rx_prod, 32);
	rx_seen()->rsp_event = peer_mostly(rx_answered + 1, 32);
}

static void ask(void)
{
	struct xen_netif_ctrl_request *slots = (void *)ctrl_seen()->slots;
	struct xen_netif_ctrl_request *req = &slots[ctrl_prod % CTRL_ENTRIES];
	u8 what = peer_u8();

	if (ctrl_prod - ctrl_answered == CTRL_ENTRIES)
		return;
	*req = (struct xen_netif_ctrl_request) {
		.id = peer_mostly(ctrl_prod++, 16),
		.type = peer_mostly(what < 0x80 ? 1 + what % 7 :
						  NET_CTRL_GET_GREF_MAPPING_SIZE +
						  what % 3, 16),
	};
	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		req->data[0] = peer_mostly(1, 32);
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
		req->data[0] = peer_mostly(15, 32);
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		req->data[0] = peer_mostly(peer_below(129), 32);
		break;
	case NET_CTRL_GET_GREF_MAPPING_SIZE:
	case NET_CTRL_ADD_GREF_MAPPING:
	case NET_CTRL_DEL_GREF_MAPPING:
		req->data[0] = peer_mostly(0, 32);
		req->data[1] = peer_mostly(8, 32);
		req->data[2] = peer_mostly(1 + peer_below(128), 32);
		break;
	default:
		req->data[0] = peer_mostly(8, 32);
		req->data[1] = peer_mostly(peer_below(41), 32);
		req->data[2] = peer_mostly(0, 32);
	}
}

/* The frontend has the CPU. */
void target_yield(void)
{
	if (peer_u8() & 1)
		post_buffers();
}

static void use_ctrl(void)
{
	unsigned int n = peer_below(4);

	while (n--)
		ask();
	ctrl_seen()->req_prod = peer_mostly(ctrl_prod, 32);
	ctrl_seen()->rsp_event = peer_mostly(ctrl_answered + 1, 32);
}

static void index_read(struct peer_ring *ring, size_t offset)
{
	struct ring_shared *shared = (struct ring_shared *)ring->behind;
	u8 what = peer_u8();

	if (what >= 0xfe)
		shared->req_prod = ~shared->req_prod;
	else if (what >= 0xe0 && ring == rx)
		post_buffers();
	else if (what >= 0xe0)
		use_ctrl();
}

static void slot_read(struct peer_ring *ring, size_t offset, size_t len)
{
	struct xen_netif_rx_request req;

	/* What the guest has there is nobody's business. */
	MUST(ring != frame);
	offset -= sizeof(struct ring_shared);
	if (ring == ctrl) {
		MUST(len == NET_CTRL_SLOT_SIZE);
		__builtin_memcpy(&asked[offset / len],
				 ctrl_seen()->slots + offset, len);
		asked_type = asked[offset / len].type;
		return;
	}
	MUST(len == NET_RX_SLOT_SIZE);
	__builtin_memcpy(&req, rx_seen()->slots + offset, len);
	buffer[offset / len] = req.id;
}

static void rx_written(u32 nr)
{
	union net_rx_slot *slot = (union net_rx_slot *)rx_seen()->slots + nr;

	MUST(nr == rx_answered % NET_RING_SLOTS);
	rx_answered++;
	if (!extra_next) {
		MUST(slot->rsp.id == buffer[nr]);
		MUST(slot->rsp.status == XEN_NETIF_RSP_ERROR ||
		     (slot->rsp.status >= 0 && slot->rsp.offset +
		      slot->rsp.status <= NET_FRAME_SIZE));
		extra_next = slot->rsp.flags & XEN_NETRXF_extra_info;
		return;
	}
	extra_next = slot->extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
	MUST(slot->extra.type && slot->extra.type < XEN_NETIF_EXTRA_TYPE_MAX);
}

/*
 * What was carried out was within what had been carried out before. XSA-270: the
 * sum of offset and length wrapped, and the length of a key was not looked at.
 * CVE-2024-49936: a hash that was changed while it was used.
 */
static void xsa_270_bounds(const struct xen_netif_ctrl_request *req)
{
	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		map_size = req->data[0];
		MUST(map_size <= NETBACK_HASH_MAP_MAX);
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		MUST((u64)req->data[1] + req->data[2] <= map_size);
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		MUST(req->data[1] <= TOEPLITZ_KEY_MAX);
	}
}

static void slot_written(struct peer_ring *ring, size_t offset, size_t len)
{
	struct xen_netif_ctrl_response rsp;

	if (ring == frame)
		return;
	offset -= sizeof(struct ring_shared);
	if (ring == rx) {
		MUST(len == NET_RX_SLOT_SIZE);
		rx_written(offset / len);
		return;
	}
	MUST(len == sizeof(rsp) && !(offset % NET_CTRL_SLOT_SIZE));
	__builtin_memcpy(&rsp, ctrl_seen()->slots + offset, len);
	offset /= NET_CTRL_SLOT_SIZE;
	MUST(offset == ctrl_answered++ % CTRL_ENTRIES);
	MUST(rsp.id == asked[offset].id && rsp.type == asked[offset].type);
	MUST(rsp.status <= XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
	if (rsp.status == XEN_NETIF_CTRL_STATUS_SUCCESS)
		xsa_270_bounds(&asked[offset]);
}

/* --- what other files do ------------------------------------------------- */

/* A list of static grants, mostly of buffers that are posted. */
static void write_list(struct net_gref *list, unsigned int nr)
{
	unsigned int i, first = peer_u8();

	for (i = 0; i < nr; i++)
		list[i] = (struct net_gref) {
			.ref = 8 + (first + i) % NET_RING_SLOTS,
		};
	list[first % nr].ref = peer_mostly(list[first % nr].ref, 32);
	list[0].flags = peer_mostly(first & NET_GREF_READONLY, 16);
}

void grant_copy_add(struct grant_copy_batch *batch,
		    const struct grant_copy_span *span, int *err)
{
	u8 *data = span->page->addr + span->page_offset;

	MUST(span->len && span->ref_offset + span->len <= NET_FRAME_SIZE);
	MUST(span->page_offset + span->len <= PAGE_SIZE);
	if (span->to_peer) {
		peer_must_be_set(data, span->len);
		/* One frame after the other, each from its beginning on. */
		MUST(span->ref != filling || span->ref_offset == filled_to ||
		     span->ref_offset <= vif.xdp_headroom);
		filling = span->ref;
		filled_to = span->ref_offset + span->len;
	} else if (asked_type == NET_CTRL_ADD_GREF_MAPPING ||
		   asked_type == NET_CTRL_DEL_GREF_MAPPING) {
		MUST(!(span->len % sizeof(struct net_gref)));
		write_list((struct net_gref *)data,
			   span->len / sizeof(struct net_gref));
	} else {
		memset(data, peer_below(QUEUES + 1), span->len);
		if (peer_below(2))
			memset(data, 0, span->len);
	}
	batch->nr++;
	if (peer_rarely())
		*err = -EIO;
}

void grant_copy_run(struct grant_copy_batch *batch)
{
	batch->nr = 0;
}

/* Whatever is mapped, it is the same frame. */
int gnttab_page_cache_get(struct gnttab_page_cache *cache, struct page **page)
{
	*page = kzalloc(sizeof(**page), GFP_KERNEL);
	if (!*page)
		return -ENOMEM;
	(*page)->addr = frame->window + FRAME_HEAD;
	return 0;
}

void gnttab_page_cache_put(struct gnttab_page_cache *cache, struct page **page,
			   unsigned int num)
{
	while (num--)
		kfree(*page++);
}

void grant_map_add(struct grant_map_batch *batch,
		   const struct grant_map_frame *map, grant_handle_t *handle,
		   int *err)
{
	if (peer_rarely()) {
		*handle = INVALID_GRANT_HANDLE;
		*err = -EFAULT;
		return;
	}
	*handle = 1;
	nr_mapped++;
	MUST(nr_mapped <= QUEUES * netback_max_static_grants);
}

void grant_map_run(struct grant_map_batch *batch)
{
}

void grant_unmap_add(struct grant_unmap_batch *batch, struct page *page,
		     grant_handle_t handle)
{
	MUST(handle == 1 && nr_mapped--);
	gnttab_page_cache_put(batch->cache, &page, 1);
}

void grant_unmap_run(struct grant_unmap_batch *batch)
{
}

void netback_break(struct netback_queue *q, const char *why)
{
	WRITE_ONCE(q->broken, why);
}

bool netback_mcast_wanted(struct netback_vif *v, const u8 *addr)
{
	return peer_u8() < 0xf0;
}

bool xenbus_exists(struct xenbus_transaction xbt, const char *dir,
		   const char *key)
{
	return true;
}

int netback_read_ref(struct netback_vif *v, const char *dir, const char *key,
		     grant_ref_t *ref)
{
	*ref = 8;
	return 0;
}

int netback_read_port(struct netback_vif *v, const char *dir, const char *key,
		      evtchn_port_t *port)
{
	*port = 8;
	return 0;
}

static void share(struct peer_ring *ring, struct ring_back *back, u32 slot_size,
		  u32 prod)
{
	struct ring_shared *shared = (struct ring_shared *)ring->behind;

	shared->req_prod = prod;
	shared->rsp_prod = prod;
	MUST(!ring_back_attach(back, (struct ring_shared *)ring->window,
			       ring->bytes, slot_size));
}

int netback_map_ring(struct netback_vif *v, grant_ref_t ref, u32 slot_size,
		     struct ring_back *back, void **shared)
{
	MUST(slot_size == NET_CTRL_SLOT_SIZE);
	share(ctrl, back, slot_size, ctrl_prod);
	*shared = ctrl->window;
	return 0;
}

int event_channel_bind(struct event_channel *ec, struct xenbus_device *dev,
		       evtchn_port_t remote, irq_handler_t handler,
		       const char *name, void *data)
{
	ec->irq = 9;
	return 0;
}

void event_channel_free(struct event_channel *ec, void *data)
{
	ec->irq = 0;
}

void xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *addr)
{
}

/* --- the stack ----------------------------------------------------------- */

static struct sk_buff *make_skb(void)
{
	unsigned int linear = 14 + peer_u8(), nr, len;
	struct sk_buff *skb = netdev_alloc_skb(NULL, linear);
	struct page *page;

	if (!skb)
		return NULL;
	memset(skb_put(skb, linear), 0x5a, linear);
	skb->ip_summed = peer_u8() & 3;
	skb->protocol = peer_below(4) ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	if (!vif.can_sg)
		return skb;
	for (nr = peer_u8() % (MAX_SKB_FRAGS + 1); nr; nr--) {
		page = alloc_page(__GFP_ZERO | __GFP_NOFAIL);
		len = 1 + peer_below(peer_below(2) ? 4096 : 100);
		len = min(len, 65535 - skb->len);
		if (len)
			skb_add_rx_frag(skb, skb->info.nr_frags, page,
					peer_below(4097 - len), len, PAGE_SIZE);
		else
			put_page(page);
	}
	if (vif.gso_mask && skb->len > 1500) {
		skb->info.gso_size = 1448;
		skb->info.gso_type = peer_below(2) ? SKB_GSO_TCPV6 :
						     SKB_GSO_TCPV4;
	}
	return skb;
}

/*
 * XSA-392: packets for a guest that takes none were kept without limit. Rule: what
 * waits has slots in the ring, and a queue without room is stopped. Failure: more
 * waits than that.
 */
static void xsa_392_backlog_is_bounded(void)
{
	MUST(queue->backlog_slots <= NET_RING_SLOTS);
	MUST(skb_queue_len(&queue->backlog) <= NETBACK_BACKLOG_MAX);
}

static void transmit(void)
{
	struct netdev_queue *txq = netdev_get_tx_queue(&net, 0);
	struct sk_buff *skb;
	int ret, nr;

	if (txq->stopped)
		return;
	skb = make_skb();
	if (!skb)
		return;
	nr = netback_hash_select(&vif, skb);
	/* The queues may be fewer than when the table was made, never more. */
	MUST(nr >= -1 && nr < QUEUES);

	spin_lock(&txq->_xmit_lock);
	ret = netback_xmit(queue, skb, peer_below(2));
	spin_unlock(&txq->_xmit_lock);
	if (ret == NETDEV_TX_BUSY)
		kfree_skb(skb);
	xsa_392_backlog_is_bounded();
}

/* --- */

static void begin(void)
{
	unsigned int i;

	kernel_reset();
	rx = peer_share(0, RX_BYTES);
	ctrl = peer_share(1, CTRL_BYTES);
	frame = peer_share(2, FRAME_HEAD + NET_FRAME_SIZE);
	vif = (struct netback_vif) { .xdev = &xdev, .net = &net,
				     .queues = queue };
	vif.nr_queues = 1 + peer_below(QUEUES);
	vif.can_sg = peer_below(4) != 3;
	vif.gso_mask = vif.can_sg ? 6 : 0;
	vif.rx_notify = peer_below(2);
	vif.xdp_headroom = peer_below(4) == 3 ? 256 : 0;
	net.mtu = vif.can_sg ? 65521 : 1500;
	net.real_num_tx_queues = vif.nr_queues;
	memset(net._tx, 0, sizeof(net._tx));
	memset(queues, 0, sizeof(queues));
	for (i = 0; i < QUEUES; i++) {
		queues[i].vif = &vif;
		queues[i].stats = &stats;
	}
	vif.coalesce.adaptive = peer_below(2);
	vif.coalesce.usecs = 64;
	netback_hold_init(queue);
	netback_max_static_grants = peer_mostly(528, 8);
	__skb_queue_head_init(&queue->backlog);
	steps = 0;
	filling = 0;
	map_size = 0;
	extra_next = false;

	rx_prod = peer_mostly(0, 32);
	rx_answered = rx_prod;
	ctrl_prod = rx_prod;
	ctrl_answered = rx_prod;
	share(rx, &queue->rx, NET_RX_SLOT_SIZE, rx_prod);
	if (peer_below(2))
		MUST(!netback_ctrl_connect(&vif));
}

static void serve_ctrl(void)
{
	unsigned int n = 0;

	if (!vif.ctrl.ec.irq || vif.ctrl.broken)
		return;
	vif.ctrl.work.queued = true;
	while (vif.ctrl.work.queued && n++ < 4) {
		vif.ctrl.work.queued = false;
		vif.ctrl.work.func(&vif.ctrl.work);
	}
}

void target_run(void)
{
	unsigned int i;

	begin();
	peer_acts = (struct peer_acts) {
		.index_read = index_read, .slot_read = slot_read,
		.slot_written = slot_written,
	};
	netback_rx_start(queue);
	while (peer_input_left() && steps++ < MAX_STEPS && !queue->broken) {
		post_buffers();
		netback_rx_resume(queue);
		transmit();
		transmit();
		if (vif.ctrl.ec.irq) {
			use_ctrl();
			serve_ctrl();
		}
		if (queue->rx_timer.armed) {
			jiffies += peer_u8() * HZ;
			queue->rx_timer.armed = false;
			netback_rx_timeout(&queue->rx_timer);
		}
		if (queue->hold.timer.armed && peer_below(2)) {
			queue->hold.timer.armed = false;
			queue->hold.timer.function(&queue->hold.timer);
			MUST(!queue->hold.owed);
		}
		/* Who waits for buffers has told the guest of all there is. */
		MUST(!netdev_get_tx_queue(&net, 0)->stopped || !queue->hold.owed);
	}
	netback_rx_purge(queue);
	netback_hold_stop(queue);
	netback_ctrl_disconnect(&vif);
	netback_hash_clear(&vif.hash);
	for (i = 0; i < QUEUES; i++)
		netback_mapping_clear(&queues[i]);
	MUST(!nr_mapped);
	kernel_reset();
}

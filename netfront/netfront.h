/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network frontend: shared structures and who calls what.
 *
 * Contexts: the stack transmits (tx.c) under the lock of a transmit queue; the
 * hard interrupt only schedules NAPI, which completes what was sent and
 * receives (rx.c); xenbus states are followed by one work item per device
 * (xenbus.c), which takes the RTNL where it changes what the stack sees.
 */
#ifndef XSPLIT_NETFRONT_H
#define XSPLIT_NETFRONT_H

#include <linux/bpf.h>
#include <linux/completion.h>
#include <linux/etherdevice.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/netdevice.h>
#include <linux/timer.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <net/xdp.h>
#include <xen/xenbus.h>

#include "evtchn/event_channel.h"
#include "evtchn/handover.h"
#include "evtchn/moderation.h"
#include "grant/pool.h"
#include "ring/net_wire.h"
#include "ring/ring.h"
#include "ring/xenstore.h"
#include "response.h"

struct page_pool;

/* Slots of the largest packet: data, a segmentation extra and one to spare. */
#define NETFRONT_TX_MAX_SLOTS	(XEN_NETIF_NR_SLOTS_MIN + 2)
/* Slices of granted pages for small packets, one for each request id. */
#define NETFRONT_SLICE_SIZE	256
#define NETFRONT_SLICES		(NET_FRAME_SIZE / NETFRONT_SLICE_SIZE)
#define NETFRONT_SLICE_PAGES	(NET_RING_SLOTS / NETFRONT_SLICES)
#define NETFRONT_NO_ID		U16_MAX
#define NETFRONT_NAME_LEN	24
/* What every backend with a filter can hold. */
#define NETFRONT_MAX_MULTICAST	64
/* Slots per second that make more static grants worthwhile. */
#define NETFRONT_BUSY_SLOTS	512
/* What Linux's own backend takes. */
#define NETFRONT_HASH_ENTRIES	128
#define NETFRONT_HASH_KEY	40
/* A packet with headroom, two tags, and what the stack needs behind it. */
#define NETFRONT_XDP_MAX_MTU						\
	(PAGE_SIZE - XDP_PACKET_HEADROOM - ETH_HLEN - 2 * 4 -		\
	 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))

struct netfront;

/**
 * struct netfront_params - module parameters after validation
 * @max_queues: queues per interface
 * @tx_copybreak: packets up to this are copied when sent, bytes
 * @rx_copybreak: packets up to this are copied when received, bytes
 * @split_channels: event channels of their own for the two directions
 * @trusted: whether backends may see memory that shares a page with data
 * @static_grants: copy through pages that backends keep mapped
 * @hand_over: whether to offer the CPU to backends that answer at once
 */
struct netfront_params {
	unsigned int max_queues;
	unsigned int tx_copybreak;
	unsigned int rx_copybreak;
	bool split_channels;
	bool trusted;
	bool static_grants;
	bool hand_over;
};

extern struct netfront_params netfront_params;
extern struct workqueue_struct *netfront_wq;

/* What is counted, per queue; ethtool.c has the names in this order. */
enum netfront_counter {
	NETFRONT_RX_PACKETS,
	NETFRONT_RX_BYTES,
	NETFRONT_RX_COPIED,
	NETFRONT_RX_STATIC_PAGES,
	NETFRONT_RX_HELD,
	NETFRONT_RX_NO_MEMORY,
	NETFRONT_RX_REFUSED,
	NETFRONT_RX_BAD_SLOT,
	NETFRONT_RX_BAD_LENGTH,
	NETFRONT_RX_BAD_EXTRA,
	NETFRONT_RX_BAD_GSO,
	NETFRONT_RX_BAD_CHECKSUM,
	NETFRONT_RX_GSO_FIXED,
	NETFRONT_RX_XDP_DROP,
	NETFRONT_RX_XDP_TX,
	NETFRONT_RX_XDP_REDIRECT,
	NETFRONT_RX_XDP_ERROR,
	NETFRONT_RX_XDP_TOO_LONG,
	NETFRONT_TX_PACKETS,
	NETFRONT_TX_BYTES,
	NETFRONT_TX_COPIED,
	NETFRONT_TX_STATIC_PAGES,
	NETFRONT_TX_BOUNCED,
	NETFRONT_TX_GSO,
	NETFRONT_TX_NOTIFIED,
	NETFRONT_TX_HANDED_OVER,
	NETFRONT_TX_NO_MEMORY,
	NETFRONT_TX_BAD_PACKET,
	NETFRONT_TX_REFUSED,
	NETFRONT_TX_NOT_READY,
	NETFRONT_TX_XDP_REFUSED,
	NETFRONT_EVENTS,
	NETFRONT_NR_COUNTERS,
};

/**
 * struct netfront_stats - counters of a queue; they outlive it
 * @count: by enum netfront_counter
 *
 * Each is written by one context at a time, and a 64-bit machine, as ring/
 * compat.h demands it, never reads half of one.
 */
struct netfront_stats {
	u64_stats_t count[NETFRONT_NR_COUNTERS];
} ____cacheline_aligned_in_smp;

/* Where the data of a transmit slot is. */
enum netfront_tx_kind {
	NETFRONT_TX_FREE,
	NETFRONT_TX_SLICE,	/* in this id's slice */
	NETFRONT_TX_STATIC,	/* in a page that the backend keeps mapped */
	NETFRONT_TX_GRANTED,	/* in the packet's own pages */
	NETFRONT_TX_BOUNCE,	/* in a page that is freed when it is done */
	NETFRONT_TX_FRAME,	/* in an XDP frame's page */
	NETFRONT_TX_REQUEST,	/* there is none, it is a request to the backend */
};

/**
 * struct netfront_static - a page that the backend may keep mapped
 * @node: in the list that holds it, if one does
 * @page: the page, granted until the connection ends or it is given up
 * @ref: its grant reference
 */
struct netfront_static {
	struct llist_node node;
	struct page *page;
	grant_ref_t ref;
};

/* What a queue wants of the state machine; bits of netfront_queue.want. */
enum netfront_want {
	NETFRONT_WANT_SLICES,	/* the pages for small packets mapped */
	NETFRONT_WANT_TX,	/* more static pages to transmit from */
	NETFRONT_WANT_RX,	/* more static pages to receive into */
	NETFRONT_WANT_LESS,	/* static pages given up */
};

/**
 * struct netfront_load - what goes through pages that are not mapped
 * @until: end of the second that is counted, in jiffies
 * @slots: how many in it
 */
struct netfront_load {
	unsigned long until;
	unsigned int slots;
};

/**
 * struct netfront_tx_slot - what a request id of the transmit ring stands for
 * @skb: packet that ends with the last of its slots; NULL if that has been copied
 * @frame: frame that ends with this slot, if that is granted
 * @page: page that @ref grants
 * @entry: the static page, if the data is in one
 * @ref: this id's grant reference, 0 until it needs one
 * @next: next free id
 * @charged: bytes that the queue limit was charged with
 * @first: the packet's first slot
 * @kind: where the data is
 */
struct netfront_tx_slot {
	union {
		struct sk_buff *skb;
		struct xdp_frame *frame;
	};
	union {
		struct page *page;
		struct netfront_static *entry;
	};
	grant_ref_t ref;
	u16 next;
	u16 charged;
	bool first;
	u8 kind;
};

/**
 * struct netfront_slices - a page that stays granted, for small packets
 * @page: the page, NULL until it is needed
 * @ref: its grant reference
 * @mapped: the backend keeps it mapped
 */
struct netfront_slices {
	struct page *page;
	grant_ref_t ref;
	bool mapped;
};

/**
 * struct netfront_buf - a receive buffer
 * @page: its page, granted to the backend; NULL if there is none now
 * @ref: its grant reference
 * @fixed: the backend may map the page: it is not of the pool, and its data must
 *	be copied
 */
struct netfront_buf {
	struct page *page;
	grant_ref_t ref;
	bool fixed;
};

/**
 * struct netfront_channel - an event channel of a queue
 * @ec: the channel
 * @pending: an event waits for its EOI; set by the interrupt, cleared by NAPI,
 *	which exclude each other because no event comes before the EOI
 * @name: shown in /proc/interrupts
 */
struct netfront_channel {
	struct event_channel ec;
	bool pending;
	char name[NETFRONT_NAME_LEN];
};

/**
 * struct netfront_queue - a pair of rings and what belongs to it
 * @info: the device
 * @stats: its counters
 * @index: number of the queue
 * @tx_shared: the transmit ring's page
 * @rx_shared: the receive ring's page
 * @tx_ring_ref: grant reference of @tx_shared
 * @rx_ring_ref: grant reference of @rx_shared
 * @tx_channel: for transmission; for all if the channels are not split
 * @rx_channel: for reception, if the channels are split
 * @txq: the stack's queue; its lock protects the transmit members
 * @pool: pages for reception
 * @xdp_rxq: the queue as a source of XDP frames
 * @live: the rings may be used
 * @tx: transmit ring
 * @tx_slots: request ids
 * @slices: pages for small packets
 * @free_id: first free id
 * @held: slots in the ring whose packets wait for them to end
 * @tx_static_used: mapped pages were used since the timer has looked
 * @tx_static: static pages that are not in use
 * @nr_tx_free: how many
 * @tx_load: what is granted for lack of them
 * @handover: when senders hand the CPU over
 * @polls_seen: @rx_polls when the last packet was sent
 * @sent: packets since that has changed
 * @handed_over: the next poll is because the CPU was handed over
 * @rx: receive ring
 * @rx_bufs: buffers of the slots that were posted
 * @spare: buffers that are not in the ring
 * @nr_spare: how many
 * @rx_target: how many should be in the ring
 * @rx_polls: polls that have received packets
 * @moderation: whether events for received packets are held back
 * @rx_load: what is received in buffers that are not mapped
 * @rx_static_used: mapped buffers were used since the timer has looked
 * @xdp_sent: a program has put frames into the transmit ring
 * @xdp_redirected: or into queues of others
 * @worked: something was done since the last EOI
 * @worked_before: or between that and the one before
 * @refill_timer: retries when there is no memory for buffers
 * @rx_timer: looks for packets for which no event was asked
 * @napi: completes and receives
 * @room: frames more that the backend would keep mapped
 * @room_known: it was asked
 * @slices_mapped: it maps pages for small packets
 * @nr_tx_static: pages that it maps for transmission
 * @nr_rx_static: static pages for reception
 * @rx_refs: their references, NULL until there are some
 * @rx_mapped: the backend maps them
 * @want: of the state machine, bits by enum netfront_want
 * @rx_static: mapped pages that are to replace other buffers
 */
struct netfront_queue {
	/* Written while the queue is not in use. */
	struct netfront *info;
	struct netfront_stats *stats;
	unsigned int index;
	void *tx_shared;
	void *rx_shared;
	grant_ref_t tx_ring_ref;
	grant_ref_t rx_ring_ref;
	struct netfront_channel tx_channel;
	struct netfront_channel rx_channel;
	struct netdev_queue *txq;
	struct page_pool *pool;
	struct xdp_rxq_info xdp_rxq;

	/* Written under the lock of txq. */
	bool live ____cacheline_aligned_in_smp;
	u16 free_id;
	u16 held;
	bool tx_static_used;
	struct llist_node *tx_static;
	unsigned int nr_tx_free;
	struct netfront_load tx_load;
	struct handover handover;
	u32 polls_seen;
	u16 sent;
	bool handed_over;
	struct ring_front tx;
	struct netfront_slices slices[NETFRONT_SLICE_PAGES];
	struct netfront_tx_slot tx_slots[NET_RING_SLOTS];

	/* Written by NAPI. */
	struct ring_front rx ____cacheline_aligned_in_smp;
	unsigned int nr_spare;
	unsigned int rx_target;
	u32 rx_polls;
	struct moderation moderation;
	struct netfront_load rx_load;
	bool rx_static_used;
	bool xdp_sent;
	bool xdp_redirected;
	bool worked;
	bool worked_before;
	struct netfront_buf rx_bufs[NET_RING_SLOTS];
	struct netfront_buf spare[NET_RING_SLOTS];
	struct timer_list refill_timer;
	struct hrtimer rx_timer;
	struct napi_struct napi;

	/* Written by the state machine. */
	unsigned int room ____cacheline_aligned_in_smp;
	bool room_known;
	bool slices_mapped;
	unsigned int nr_tx_static;
	unsigned int nr_rx_static;
	grant_ref_t *rx_refs;
	bool rx_mapped;

	/* Written by those who want something, and by who gives it. */
	unsigned long want;
	struct llist_head rx_static;
};

/* What is offered by a backend, read before each connection. */
struct netfront_features {
	unsigned int max_queues;
	bool sg;
	bool csum;
	bool csum_v6;
	bool tso;
	bool tso_v6;
	bool split_channels;
	bool vlan_offload;
	bool ctrl_ring;
	bool static_grants;
	bool xdp;
	bool multicast;
	bool dynamic_multicast;
};

/**
 * struct netfront_multicast - the backend's filter
 * @on: it filters
 * @nr: addresses in its list
 * @addr: the list
 * @changed: the stack wants something else
 * @failed: it cannot have all addresses
 */
struct netfront_multicast {
	/* Written by the state machine. */
	bool on;
	unsigned int nr;
	u8 addr[NETFRONT_MAX_MULTICAST][ETH_ALEN];

	/* Written by others to tell the state machine. */
	bool changed;
	bool failed;
};

/**
 * struct netfront_hash - how the backend is to choose queues
 * @chosen: the table was made by the user
 * @key: of the Toeplitz hash
 * @queue: by hash modulo the size of the table
 */
struct netfront_hash {
	bool chosen;
	u8 key[NETFRONT_HASH_KEY];
	u32 queue[NETFRONT_HASH_ENTRIES];
};

/**
 * struct netfront_ctrl - the control ring
 * @shared: its page, NULL if there is none
 * @ring_ref: grant reference of @shared
 * @usable: requests may be made
 * @hashing: the backend was told to hash
 * @ring: the ring
 * @ec: event channel
 * @waiting: an event is expected
 * @answered: it has come
 */
struct netfront_ctrl {
	/* Written by the state machine. */
	void *shared;
	grant_ref_t ring_ref;
	bool usable;
	bool hashing;
	struct ring_front ring;
	struct event_channel ec;

	/* Written by both sides of the wait. */
	bool waiting;
	struct completion answered;
};

/**
 * struct netfront_coalesce - how long finished work may wait for an event
 * @adaptive_rx: packets received wait only where they come faster for it
 * @tx_frames: packets sent
 * @rx_frames: packets received
 * @rx_usecs: time since the last poll that received some, microseconds
 */
struct netfront_coalesce {
	bool adaptive_rx;
	unsigned int tx_frames;
	unsigned int rx_frames;
	unsigned int rx_usecs;
};

/**
 * struct netfront - a device
 * @netdev: the interface
 * @xbdev: xenbus device
 * @max_queues: limit of the number of queues, size of @stats
 * @stats: counters of all queues
 * @backend: the backend's directory; the xenbus device's copy changes under us
 * @features: what the backend offers
 * @trusted: the backend may see memory that shares a page with data
 * @split: event channels are split
 * @xdp: the backend sends what programs can be shown
 * @statics: it keeps pages mapped
 * @xdp_prog: a program that decides on received packets
 * @queues: the queues, NULL while there is no connection
 * @nr_queues: how many
 * @linked: the backend has connected; the queues run if the interface is up
 * @linked_at: when, in jiffies
 * @failures: connections in a row that did not last
 * @not_before: when the next one may be made, in jiffies
 * @carrier_watch: on the backend's key of that name, if it has one
 * @mtu_key: the toolstack's last wish
 * @multicast: the backend's filter
 * @ctrl: control ring
 * @coalesce: event moderation
 * @hash: how the backend is to choose queues
 * @hash_changed: the backend does not know of it yet
 * @want_queues: how many queues the user wants
 * @offence: the backend has violated the protocol
 * @renew: make a new connection, with what has changed
 * @replaced: the rings are dead, because the domain was restored
 * @taken: the toolstack has taken the device away
 * @reprobing: it was made anew, and a new probe is on its way
 * @budget: limit on grants
 * @work: state machine
 * @static_timer: looks for queues that do not use their static pages
 * @announce: tells switches where the address is
 * @announcements: how often it is still to do so
 */
struct netfront {
	/* Written by probe. */
	struct net_device *netdev;
	struct xenbus_device *xbdev;
	unsigned int max_queues;
	struct netfront_stats *stats;

	/* Written by the state machine while there is no connection. */
	char *backend;
	struct netfront_features features;
	bool trusted;
	bool split;
	bool xdp;
	bool statics;

	/* Written under the RTNL. */
	struct bpf_prog __rcu *xdp_prog;

	/* Written by the state machine under the RTNL. */
	struct netfront_queue *queues;
	unsigned int nr_queues;
	bool linked;

	/* Written by the state machine. */
	unsigned long linked_at;
	unsigned int failures;
	unsigned long not_before;
	struct xenbus_watch carrier_watch;
	unsigned int mtu_key;
	struct netfront_multicast multicast;

	struct netfront_ctrl ctrl;

	/* Written under the RTNL. */
	struct netfront_coalesce coalesce;
	struct netfront_hash hash;
	bool hash_changed;

	/* Written by others to tell the state machine. */
	unsigned int want_queues;
	bool offence;
	bool renew;
	bool replaced;

	/* Written by the state machine. */
	bool taken;
	bool reprobing;

	struct grant_budget budget;
	struct delayed_work work;
	struct timer_list static_timer;

	/* Written by @announce, and by the state machine before it runs. */
	struct delayed_work announce;
	unsigned int announcements;
};

static inline void netfront_count(struct netfront_queue *queue,
				  enum netfront_counter which)
{
	u64_stats_inc(&queue->stats->count[which]);
}

static inline void netfront_add(struct netfront_queue *queue,
				enum netfront_counter which, unsigned int nr)
{
	u64_stats_add(&queue->stats->count[which], nr);
}

static inline u64 netfront_read(const struct netfront_stats *stats,
				enum netfront_counter which)
{
	return u64_stats_read(&stats->count[which]);
}

/* Slots that a granted packet waits for; kept in it while it is ours. */
static inline unsigned int *netfront_slots_left(struct sk_buff *skb)
{
	return (unsigned int *)skb->cb;
}

static inline bool netfront_tx_has_room(const struct netfront_queue *queue)
{
	return ring_front_free(&queue->tx) >= NETFRONT_TX_MAX_SLOTS;
}

static inline void netfront_tx_push_id(struct netfront_queue *queue, u16 id)
{
	queue->tx_slots[id].kind = NETFRONT_TX_FREE;
	queue->tx_slots[id].next = queue->free_id;
	queue->free_id = id;
}

/* Return: a queue for transmission, NULL if there is none of that number. */
static inline struct netfront_queue *
netfront_get_queue(const struct netfront *info, unsigned int index)
{
	/* Pairs with the release where the queues are published. */
	if (index >= smp_load_acquire(&info->nr_queues))
		return NULL;
	return &info->queues[index];
}

/* The channel on which the backend waits for receive buffers. */
static inline struct netfront_channel *
netfront_rx_channel(struct netfront_queue *queue)
{
	return queue->info->split ? &queue->rx_channel : &queue->tx_channel;
}

/* How many buffers are in the ring. */
static inline unsigned int netfront_posted(const struct netfront_queue *queue)
{
	return queue->rx.req_prod - queue->rx.rsp_cons;
}

/* The buffer of a response that was not taken off the ring yet. */
static inline struct netfront_buf *
netfront_buf_at(struct netfront_queue *queue, u32 ahead)
{
	return &queue->rx_bufs[(queue->rx.rsp_cons + ahead) % NET_RING_SLOTS];
}

/* The page that was used last, or NULL. Lock of the stack's queue held. */
static inline struct netfront_static *
netfront_tx_pop_static(struct netfront_queue *queue)
{
	struct llist_node *first = queue->tx_static;

	if (!first)
		return NULL;
	queue->tx_static = first->next;
	queue->nr_tx_free--;
	return llist_entry(first, struct netfront_static, node);
}

/* Lock of the stack's queue held. */
static inline void netfront_tx_push_static(struct netfront_queue *queue,
					   struct netfront_static *entry)
{
	entry->node.next = queue->tx_static;
	queue->tx_static = &entry->node;
	queue->nr_tx_free++;
}

/* Have the state machine look at the device. */
static inline void netfront_kick(struct netfront *info)
{
	mod_delayed_work(netfront_wq, &info->work, 0);
}

/* netdev.c: what the stack calls */
void netfront_netdev_init(struct net_device *netdev);
int netfront_netdev_update(struct netfront *info);
void netfront_update_carrier(struct netfront *info);
void netfront_update_mtu(struct netfront *info);

/* ethtool.c */
extern const struct ethtool_ops netfront_ethtool_ops;

/* handover.c: lock of the stack's queue held */
bool netfront_handover_due(struct netfront_queue *queue, bool last);
void netfront_hand_over(struct netfront_queue *queue);

/* tx.c: lock of the stack's queue held */
netdev_tx_t netfront_xmit(struct sk_buff *skb, struct net_device *netdev);
int netfront_tx_frame(struct netfront_queue *queue, struct xdp_frame *frame);
int netfront_tx_request(struct netfront_queue *queue, u8 type, const u8 *addr);
void netfront_tx_push(struct netfront_queue *queue);
void netfront_tx_init(struct netfront_queue *queue);

/* complete.c: the first two are for NAPI, the last when nothing runs */
bool netfront_tx_complete(struct netfront_queue *queue);
bool netfront_tx_arm(struct netfront_queue *queue);
bool netfront_tx_reap(struct netfront_queue *queue);
bool netfront_tx_ask(struct netfront_queue *queue);
void netfront_tx_drop_all(struct netfront_queue *queue);

/* rx.c: NAPI; free when nothing runs */
int netfront_poll(struct napi_struct *napi, int budget);
int netfront_rx_init(struct netfront_queue *queue);
void netfront_rx_free(struct netfront_queue *queue);

/* packet.c: NAPI */
struct sk_buff *netfront_packet_build(struct netfront_queue *queue,
				      const struct netfront_packet *pkt);
bool netfront_packet_finish(struct netfront_queue *queue, struct sk_buff *skb,
			    const struct netfront_packet *pkt);

/* buffer.c: NAPI; free when nothing runs */
bool netfront_bufs_post(struct netfront_queue *queue);
void netfront_bufs_release(struct netfront_queue *queue,
			   const struct netfront_packet *pkt);
struct page *netfront_buf_take(struct netfront_queue *queue,
			       const struct netfront_part *part);
void netfront_bufs_free(struct netfront_queue *queue);

/* queue.c: life of queues; process context */
struct netfront_queue *netfront_queues_create(struct netfront *info,
					      unsigned int nr);
void netfront_queues_destroy(struct netfront *info);
void netfront_queues_start(struct netfront *info);
void netfront_queues_stop(struct netfront *info);
void netfront_offend(struct netfront_queue *queue, const char *what,
		     unsigned int id);

/* xdp.c: run and flush are for NAPI, the others for the stack */
bool netfront_xdp_fits(const struct netfront_part *part);
struct sk_buff *netfront_xdp_run(struct netfront_queue *queue,
				 struct bpf_prog *prog, struct page *page,
				 const struct netfront_part *part);
void netfront_xdp_flush(struct netfront_queue *queue);
int netfront_xdp_xmit(struct net_device *netdev, int nr,
		      struct xdp_frame **frames, u32 flags);
int netfront_bpf(struct net_device *netdev, struct netdev_bpf *bpf);
int netfront_xdp_init(struct netfront_queue *queue);

/* multicast.c: state machine, except for the last two */
bool netfront_multicast_begin(struct netfront *info);
void netfront_multicast_update(struct netfront *info);
void netfront_multicast_refused(struct netfront *info);
void netfront_multicast_changed(struct netfront *info);

/* static.c: state machine, except for the first two, which are for all */
void netfront_static_want(struct netfront_queue *queue, enum netfront_want want);
void netfront_static_free(struct netfront *info, struct netfront_static *entry);
void netfront_static_init(struct netfront *info);
void netfront_static_update(struct netfront *info);
void netfront_static_stop(struct netfront *info);

/* What was not in a mapped page may have been better in one. */
static inline void netfront_note_load(struct netfront_queue *queue,
				      struct netfront_load *load,
				      unsigned int slots,
				      enum netfront_want want)
{
	if (!queue->info->statics)
		return;
	if (time_after(jiffies, load->until)) {
		load->until = jiffies + HZ;
		load->slots = 0;
	}
	load->slots += slots;
	if (load->slots >= NETFRONT_BUSY_SLOTS) {
		load->slots = 0;
		netfront_static_want(queue, want);
	}
}

/* ctrl.c: state machine, except for the last */
int netfront_ctrl_create(struct netfront *info);
void netfront_ctrl_destroy(struct netfront *info);
void netfront_ctrl_update(struct netfront *info);
u32 netfront_ctrl_gref_room(struct netfront *info, unsigned int queue);
int netfront_ctrl_grefs(struct netfront *info, u16 type, unsigned int queue,
			const struct net_gref *list, unsigned int nr);
void netfront_hash_changed(struct netfront *info);

/* keys.c: what is read from and written to xenstore; state machine */
void netfront_read_features(struct netfront *info);
int netfront_write_keys(struct netfront *info);
int netfront_read_mac(struct netfront *info, u8 *mac);
unsigned int netfront_read_mtu(const struct netfront *info);
bool netfront_read_carrier(const struct netfront *info);

/* xenbus.c: state machine */
void netfront_state_work(struct work_struct *work);
void netfront_announce(struct work_struct *work);
void netfront_backend_changed(struct xenbus_device *xbdev,
			      enum xenbus_state state);
void netfront_disconnect(struct netfront *info, bool failed);
void netfront_close(struct netfront *info);
int netfront_suspend(struct xenbus_device *xbdev);
int netfront_resume(struct xenbus_device *xbdev);

#endif /* XSPLIT_NETFRONT_H */

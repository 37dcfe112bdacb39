/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network backend.
 *
 * A vif is one virtual network interface of one guest and one network device
 * here, vifDOMAIN.HANDLE; it has one or more queues. "Transmit" and "receive"
 * are the guest's: what a guest transmits is received from the network device.
 *
 * Guest transmit, in NAPI context, a pass at a time:
 *
 *   tx.c         slots -> private copies               (gather)
 *   parse.c      slots -> struct net_tx_packet         (pure)
 *   credit.c     rate limit                            (pure)
 *   packet.c     packet -> skb, grant copies           (netback_packet_build)
 *   tx.c         one hypercall, one push, one event
 *   packet.c     checksum, segmentation, hash          (netback_packet_finish)
 *
 * Guest receive, under the lock of the transmit queue of the network device:
 *
 *   interface.c  which queue, which packets            (ndo_*)
 *   rx.c         skb -> slots, grant copies; one hypercall, one push
 *   event.c      one event, which may be held back
 *
 * Beside it: xenbus.c decides what state to be in, connect.c builds and takes
 * down queues, ctrl.c serves the control ring, which configures hash.c and
 * mapping.c; multicast.c keeps the filter, ethtool.c shows counters.
 */
#ifndef NETBACK_H
#define NETBACK_H

#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>

#include "evtchn/event_channel.h"
#include "evtchn/moderation.h"
#include "grant/batch.h"
#include "ring/ring.h"
#include "ring/xenstore.h"
#include "credit.h"
#include "hash.h"
#include "mapping.h"
#include "parse.h"
#include "pass.h"

struct netback_vif;

/* A multicast filter holds so many addresses; the protocol names no number. */
#define NETBACK_MAX_MCAST	64

/**
 * struct netback_tx_stats - counters of guest transmit
 * @packets: delivered
 * @bytes: of them
 * @events: interrupts taken, transmit and receive
 * @notifies: events sent
 * @malformed: refused by the parser
 * @copy_failed: the guest's grants gave no access
 * @no_memory: no memory for the packet
 * @bad_offload: checksum or segmentation did not fit the packet
 * @csum_fixup: packets to be segmented that came without a blank checksum
 * @throttled: times that the rate limit stopped the queue
 * @mapped: slots copied from frames that stay mapped
 *
 * Written in NAPI context; outlives the queue. A 64-bit machine, as ring/compat.h
 * demands it, never reads half of one.
 */
struct netback_tx_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t events;
	u64_stats_t notifies;
	u64_stats_t malformed;
	u64_stats_t copy_failed;
	u64_stats_t no_memory;
	u64_stats_t bad_offload;
	u64_stats_t csum_fixup;
	u64_stats_t throttled;
	u64_stats_t mapped;
};

/**
 * struct netback_rx_stats - counters of guest receive
 * @packets: put into the guest's buffers
 * @bytes: of them
 * @notifies: events sent at once
 * @filtered: multicast packets that the guest did not ask for
 * @too_big: packets of more slots than a frontend takes
 * @copy_failed: the guest's grants gave no access
 * @yields: times that the guest was given the CPU to post buffers
 * @stopped: times that the guest had no buffers
 * @mapped: slots copied to frames that stay mapped
 *
 * Written under the lock of the transmit queue; outlives the queue.
 */
struct netback_rx_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t notifies;
	u64_stats_t filtered;
	u64_stats_t too_big;
	u64_stats_t copy_failed;
	u64_stats_t yields;
	u64_stats_t stopped;
	u64_stats_t mapped;
};

/**
 * struct netback_stats - counters of a queue
 * @tx: guest transmit
 * @rx: guest receive
 * @held: events of guest receive that were sent after they were held back;
 *	written by the timer
 */
struct netback_stats {
	struct netback_tx_stats tx;
	struct netback_rx_stats rx ____cacheline_aligned_in_smp;
	u64_stats_t held;
};

/**
 * struct netback_pool - pages of a queue for what is transmitted
 * @pages: where they come from
 * @timer: runs while there was use lately
 * @used_at: when a page was taken last, in jiffies
 * @idle: NAPI shall let go what is kept; set by @timer
 */
struct netback_pool {
	struct page_pool *pages;
	struct timer_list timer;
	unsigned long used_at;
	bool idle;
};

/**
 * struct netback_hold - events of guest receive
 * @moderation: whether they are held back
 * @timer: sends what is held back
 * @owed: an event is held back; taken by who sends it
 * @packets: put into the ring since an event was due
 * @from: responses published when it was
 */
struct netback_hold {
	struct moderation moderation;
	struct hrtimer timer;
	bool owed;
	unsigned int packets;
	u32 from;
};

/**
 * struct netback_queue - one pair of rings
 * @vif: whose queue it is
 * @stats: its counters
 * @index: number of the queue
 * @tx_name: shown in /proc/interrupts
 * @rx_name: the same for @rx_ec
 * @tx_ec: event channel of transmit; of both if @rx_ec is not bound
 * @rx_ec: event channel of receive
 * @tx_shared: mapped page of the transmit ring
 * @rx_shared: mapped page of the receive ring
 * @mappings: frames that stay mapped, RCU, NULL until the first
 * @napi: serves transmit, and wakes the network device's queue
 * @tx: indices of the transmit ring
 * @pool: pages for what is transmitted
 * @broken: how the frontend has violated the protocol on this queue, which is
 *	not served then; NULL if it has not
 * @worked: something was done since the last EOI of @tx_ec
 * @rx_worked: buffers were found since the last EOI of @rx_ec
 * @throttled: waits for @credit_timer
 * @credit_timer: starts @napi again when the rate limit allows
 * @tx_event: an event has come that has had no EOI
 * @rx_event: the same for @rx_ec
 * @rx: indices of the receive ring
 * @hold: events for what is put into it
 * @backlog: packets to be put into the ring in one go
 * @backlog_slots: slots that they need
 * @rx_need: slots to wait for while stopped
 * @rx_yielded: responses produced when the guest was last given the CPU
 * @rx_timer: while stopped: looks for buffers if the frontend does not notify,
 *	and says that the guest is stalled after some time
 * @rx_look: its interval, in jiffies
 * @stalled_at: when to say so, in jiffies
 * @stalled: it was said
 * @reported: @broken was
 */
struct netback_queue {
	/* Constant while connected. */
	struct netback_vif *vif;
	struct netback_stats *stats;
	unsigned int index;
	char tx_name[IFNAMSIZ + 16];
	char rx_name[IFNAMSIZ + 16];
	struct event_channel tx_ec;
	struct event_channel rx_ec;
	void *tx_shared;
	void *rx_shared;

	/* Written once by the control ring's work. */
	struct netback_mappings __rcu *mappings;

	/* Written in NAPI context. */
	struct napi_struct napi ____cacheline_aligned_in_smp;
	struct ring_back tx;
	struct netback_pool pool;
	const char *broken;
	bool worked;
	bool rx_worked;
	bool throttled;
	struct hrtimer credit_timer;

	/* Written by interrupt handlers and in NAPI context. */
	bool tx_event;
	bool rx_event;

	/* Written under the lock of the network device's queue. */
	struct ring_back rx ____cacheline_aligned_in_smp;
	struct netback_hold hold;
	struct sk_buff_head backlog;
	unsigned int backlog_slots;
	unsigned int rx_need;
	u32 rx_yielded;
	struct timer_list rx_timer;
	unsigned long rx_look;
	unsigned long stalled_at;
	bool stalled;

	/* Written by the work. */
	bool reported;
};

/**
 * struct netback_credit - rate limit of a vif
 * @lock: for NAPI of all queues and the work
 * @bucket: the limit
 */
struct netback_credit {
	spinlock_t lock;	/* @bucket */
	struct credit_bucket bucket;
};

/**
 * struct netback_coalesce - how long events of guest receive may wait
 * @adaptive: only where packets come faster for it
 * @usecs: microseconds, 0 for not at all
 */
struct netback_coalesce {
	bool adaptive;
	unsigned int usecs;
};

/**
 * struct netback_mcast - multicast filter of a vif
 * @lock: for writers
 * @list: of struct netback_mcast_addr, RCU
 * @nr: entries
 * @filter: only packets to addresses of the list are received
 */
struct netback_mcast {
	spinlock_t lock;	/* writers of all else */
	struct list_head list;
	unsigned int nr;
	bool filter;
};

/**
 * struct netback_ctrl - control ring of a vif
 * @ec: its event channel, not bound if the frontend has no control ring
 * @shared: its mapped page
 * @back: indices
 * @work: serves it
 * @broken: the frontend has violated the protocol
 */
struct netback_ctrl {
	struct event_channel ec;
	void *shared;
	struct ring_back back;
	struct work_struct work;
	bool broken;
};

/* Keys that are watched beside the frontend's state. */
enum netback_watched {
	NETBACK_WATCH_ONLINE,
	NETBACK_WATCH_HOTPLUG,
	NETBACK_WATCH_RATE,
	NETBACK_WATCH_MCAST,
	NETBACK_WATCHES,
};

/**
 * struct netback_watch - a watch on a key of a vif
 * @watch: its node is NULL while it is not registered
 * @vif: whose work looks at the key
 */
struct netback_watch {
	struct xenbus_watch watch;
	struct netback_vif *vif;
};

/**
 * struct netback_vif - one virtual network interface
 * @xdev: the xenbus device
 * @net: the network device, whose private memory this is
 * @script: hotplug script, for uevents
 * @work: netback_update()
 * @stats: counters, one for each queue that may be
 * @watches: what has @work run, beside the frontend's state
 * @queues: the queues, NULL if not connected; changed under RTNL while the
 *	network device has no carrier and no user of its queues
 * @nr_queues: their number
 * @connected: the queues may be served; under RTNL
 * @wanted_mtu: what the administrator has set; under RTNL
 * @running: the queues are served; under RTNL and, for packets on their way,
 *	the locks of the network device's queues
 * @can_sg: the frontend takes packets of several slots
 * @gso_mask: types of segmentation the frontend takes, bits
 *	XEN_NETIF_GSO_TYPE_*
 * @ip_csum: the frontend takes IPv4 packets with blank checksums
 * @ipv6_csum: the same for IPv6
 * @rx_notify: the frontend sends an event when it has posted buffers
 * @xdp_headroom: free bytes the frontend wants in front of a packet
 * @announced: hotplug scripts were told that the vif is there
 * @hotplugged: the hotplug script has done its part
 * @up: what "carrier" says
 * @coalesce: event moderation; under RTNL
 * @rate: "rate" as it was applied last
 * @credit: rate limit over all queues
 * @hash: hash of received packets; what the frontend set on the control ring
 * @may_hash: the frontend has set a hash algorithm on this connection; written
 *	under the locks of the network device's queues
 * @mcast: multicast filter
 * @ctrl: control ring
 * @failed: a queue is broken that may not have been reported
 * @stalled: queues that have had no buffers for long; without carrier if any
 * @removed: the device goes away, @work shall do nothing
 * @wanted: the device is there to be served; cleared by the work before the
 *	toolstack can take it away, see frontend_waits()
 */
struct netback_vif {
	/* Constant while the device is bound. */
	struct xenbus_device *xdev;
	struct net_device *net;
	char *script;
	struct work_struct work;
	struct netback_stats *stats;
	struct netback_watch watches[NETBACK_WATCHES];

	/* Written by the work, constant while connected. */
	struct netback_queue *queues;
	unsigned int nr_queues;
	bool connected;
	int wanted_mtu;
	bool running;
	bool can_sg;
	u8 gso_mask;
	bool ip_csum;
	bool ipv6_csum;
	bool rx_notify;
	u16 xdp_headroom;
	bool announced;
	bool hotplugged;
	bool up;
	struct netback_coalesce coalesce;
	char rate[24];
	struct netback_ctrl ctrl;

	/* Written in NAPI context of all queues. */
	struct netback_credit credit ____cacheline_aligned_in_smp;
	struct netback_mcast mcast;

	/* Written by the control ring's work. */
	struct netback_hash hash;
	bool may_hash;

	/* Written by queues and xenbus callbacks, read by the work. */
	bool failed;
	atomic_t stalled;
	bool removed;
	bool wanted;
};

/* Module parameters, see main.c. */
extern unsigned int netback_max_queues;
extern bool netback_split_channels;
extern unsigned int netback_copybreak;
extern unsigned int netback_stall_seconds;
extern unsigned int netback_max_static_grants;

extern struct workqueue_struct *netback_wq;

/**
 * netback_mapped() - find a frame of a queue that stays mapped
 * @queue: the queue
 * @ref: the guest's grant reference
 *
 * Context: BH disabled, for as long as the frame is used.
 * Return: the frame, or NULL.
 */
static inline const struct netback_mapping *
netback_mapped(const struct netback_queue *queue, grant_ref_t ref)
{
	struct netback_mappings *table = rcu_dereference_bh(queue->mappings);

	return table ? netback_mapping_find(table, ref) : NULL;
}

/* main.c: the life of a vif. */

/**
 * netback_kick() - have netback_update() run
 * @vif: a vif that was not freed
 *
 * Context: any.
 */
static inline void netback_kick(struct netback_vif *vif)
{
	queue_work(netback_wq, &vif->work);
}

/* interface.c: the network device. */

/**
 * netback_alloc() - make a vif and its network device
 * @xdev: the xenbus device
 * @handle: number of the vif
 *
 * The network device is not registered yet; its private memory is the vif,
 * of which @xdev, @net and @stats are set.
 *
 * Context: may sleep.
 * Return: the vif, or NULL if there is no memory.
 */
struct netback_vif *netback_alloc(struct xenbus_device *xdev,
				  unsigned int handle);

/**
 * netback_free() - free a vif and its network device
 * @vif: a vif whose network device is not registered and not in use
 *
 * Context: may sleep.
 */
void netback_free(struct netback_vif *vif);

/**
 * netback_start() - begin to serve the queues
 * @vif: a vif with connected queues
 *
 * Publishes the number of queues and what the frontend takes, turns the
 * carrier on. The queues are served while the network device is up.
 *
 * Context: takes RTNL.
 * Return: 0 or -errno.
 */
int netback_start(struct netback_vif *vif);

/**
 * netback_stop() - stop serving the queues
 * @vif: a vif, with or without queues
 *
 * On return nobody uses the queues: no NAPI, timer, or packet on its way. Their
 * interrupt handlers may still run.
 *
 * Context: takes RTNL; may sleep.
 */
void netback_stop(struct netback_vif *vif);

/**
 * netback_stall() - turn the carrier off or on as guest buffers run out or
 * come back
 * @vif: a vif whose @stalled has changed
 *
 * Context: takes RTNL.
 */
void netback_stall(struct netback_vif *vif);

/* tx.c: guest transmit. */

/**
 * netback_poll() - serve a queue
 * @napi: of the queue
 * @budget: packets to deliver at most
 *
 * Context: NAPI.
 * Return: packets delivered or dropped.
 */
int netback_poll(struct napi_struct *napi, int budget);

/**
 * netback_tx_interrupt() - an event of transmit, or of both
 * @irq: interrupt number
 * @data: the queue
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t netback_tx_interrupt(int irq, void *data);

/**
 * netback_rx_interrupt() - an event of receive
 * @irq: interrupt number
 * @data: the queue
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t netback_rx_interrupt(int irq, void *data);

/**
 * netback_break() - stop serving a queue whose frontend violates the protocol
 * @queue: the queue
 * @why: constant string for the administrator
 *
 * Context: NAPI, or the lock of the network device's queue.
 */
void netback_break(struct netback_queue *queue, const char *why);

/**
 * netback_queue_init() - set up all of a new queue but rings and channels
 * @queue: the queue, zeroed
 * @vif: its vif
 * @index: its number
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int netback_queue_init(struct netback_queue *queue, struct netback_vif *vif,
		       unsigned int index);

/**
 * netback_queue_destroy() - undo netback_queue_init()
 * @queue: a queue that is not served
 *
 * Context: may sleep.
 */
void netback_queue_destroy(struct netback_queue *queue);

/* rx.c: guest receive. */

/**
 * netback_xmit() - put a packet into the guest's buffers
 * @queue: the queue
 * @skb: the packet
 * @more: another will follow at once
 *
 * Context: lock of the network device's queue, BH disabled.
 * Return: NETDEV_TX_OK, or NETDEV_TX_BUSY if the packet must come again when
 * the queue is awake; then it is the caller's still.
 */
netdev_tx_t netback_xmit(struct netback_queue *queue, struct sk_buff *skb,
			 bool more);

/**
 * netback_rx_start() - let packets in, as soon as there are buffers for them
 * @queue: a queue that is served
 *
 * Context: RTNL.
 */
void netback_rx_start(struct netback_queue *queue);

/**
 * netback_rx_resume() - wake the network device's queue if there are buffers
 * @queue: the queue
 *
 * Context: NAPI.
 */
void netback_rx_resume(struct netback_queue *queue);

/**
 * netback_rx_revive() - a queue is not stalled any more
 * @queue: the queue
 *
 * Context: any.
 */
void netback_rx_revive(struct netback_queue *queue);

/**
 * netback_rx_timeout() - look at a queue that waits for buffers
 * @timer: of the queue
 */
void netback_rx_timeout(struct timer_list *timer);

/**
 * netback_rx_purge() - forget what has not been put into the ring
 * @queue: a queue that is not served
 */
void netback_rx_purge(struct netback_queue *queue);

/* event.c: events for what guests receive. */

/**
 * netback_coalesce_init() - what is done unless somebody wants something else
 * @coalesce: filled
 */
void netback_coalesce_init(struct netback_coalesce *coalesce);

/**
 * netback_hold_init() - nothing is held back
 * @queue: a new queue
 */
void netback_hold_init(struct netback_queue *queue);

/**
 * netback_hold_end() - send the event that is held back, if there is one
 * @queue: the queue
 *
 * Context: lock of the network device's queue, or the queue is not served.
 */
void netback_hold_end(struct netback_queue *queue);

/**
 * netback_hold_stop() - the same, and the timer does not run any more
 * @queue: a queue into whose ring nobody puts anything
 *
 * Context: may sleep.
 */
void netback_hold_stop(struct netback_queue *queue);

/**
 * netback_rx_push() - publish what was put into the ring, and tell the guest
 * @queue: the queue
 * @packets: how many were put into it, at least 1
 *
 * Context: lock of the network device's queue, BH disabled.
 */
void netback_rx_push(struct netback_queue *queue, unsigned int packets);

/* multicast.c */

/**
 * netback_mcast_init() - an empty filter that is off
 * @vif: the vif
 */
void netback_mcast_init(struct netback_vif *vif);

/**
 * netback_mcast_add() - let packets to an address through
 * @vif: the vif
 * @addr: the address, ETH_ALEN bytes, any value
 *
 * Context: BH disabled.
 * Return: 0, -ENOSPC if the list is full or -ENOMEM. An address that is in the
 * list is not added again.
 */
int netback_mcast_add(struct netback_vif *vif, const u8 *addr);

/**
 * netback_mcast_del() - undo netback_mcast_add()
 * @vif: the vif
 * @addr: the address, ETH_ALEN bytes
 *
 * Context: BH disabled.
 */
void netback_mcast_del(struct netback_vif *vif, const u8 *addr);

/**
 * netback_mcast_wanted() - whether the guest wants a packet to this address
 * @vif: the vif
 * @addr: destination address of a packet
 *
 * Context: any that may read under RCU.
 * Return: true unless it is a multicast address that is filtered out.
 */
bool netback_mcast_wanted(struct netback_vif *vif, const u8 *addr);

/**
 * netback_mcast_clear() - forget all addresses
 * @vif: a vif that is not served
 */
void netback_mcast_clear(struct netback_vif *vif);

/* hash.c: queues of received packets. */

/**
 * netback_hash_select() - choose a queue as the guest has configured it
 * @vif: the vif
 * @skb: a packet to be received by the guest; its hash is set
 *
 * Context: BH disabled.
 * Return: the number of a queue, or -1 if the guest has not configured a hash.
 */
int netback_hash_select(struct netback_vif *vif, struct sk_buff *skb);

/**
 * netback_hash_extra() - what to tell the guest about the hash of a packet
 * @vif: the vif
 * @skb: a packet that went through netback_hash_select(), if the stack had a
 *	queue to choose; its hash is set
 * @extra: filled; flags are 0
 *
 * Context: BH disabled.
 * Return: true if there is something to tell.
 */
bool netback_hash_extra(struct netback_vif *vif, struct sk_buff *skb,
			struct xen_netif_extra_info *extra);

/* ctrl.c: the control ring. */

/**
 * netback_ctrl_connect() - map and serve the control ring, if there is one
 * @vif: a vif without control ring
 *
 * Context: may sleep.
 * Return: 0, also if the frontend has none, or -errno, already reported.
 */
int netback_ctrl_connect(struct netback_vif *vif);

/**
 * netback_ctrl_disconnect() - undo netback_ctrl_connect()
 * @vif: the vif
 *
 * Context: may sleep.
 */
void netback_ctrl_disconnect(struct netback_vif *vif);

/* xenbus.c: what state to be in. */

/**
 * netback_update() - bring a vif into the state that xenstore asks for
 * @work: of the vif
 *
 * Reads the truth from xenstore each time, so it does not matter how many
 * changes were missed or came twice. Does nothing once the vif is removed.
 *
 * Context: netback_wq; one run at a time for each vif; may sleep.
 */
void netback_update(struct work_struct *work);

/**
 * netback_offer() - write what the backend can do
 * @vif: a new vif
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported.
 */
int netback_offer(struct netback_vif *vif);

/**
 * netback_announce() - tell hotplug scripts that a vif is there
 * @vif: a vif whose network device is registered
 *
 * Context: the vif's work does not run; may sleep.
 */
void netback_announce(struct netback_vif *vif);

/**
 * netback_withdraw() - tell hotplug scripts that a vif goes away
 * @vif: the vif; nothing happens if it was not announced
 *
 * Context: the vif's work, or it does not run; may sleep.
 */
void netback_withdraw(struct netback_vif *vif);

/* connect.c: queues. */

/**
 * netback_connect() - read what the frontend wants, map its rings, start
 * @vif: a vif without queues
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported; then there are no queues.
 */
int netback_connect(struct netback_vif *vif);

/**
 * netback_read_headroom() - give packets the headroom the frontend asks for
 * @vif: the vif
 *
 * Context: may sleep.
 */
void netback_read_headroom(struct netback_vif *vif);

/**
 * netback_read_ref() - read a grant reference of the frontend
 * @vif: the vif
 * @dir: directory of the key
 * @key: its name
 * @ref: the reference
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported.
 */
int netback_read_ref(struct netback_vif *vif, const char *dir, const char *key,
		     grant_ref_t *ref);

/**
 * netback_read_port() - read an event channel of the frontend
 * @vif: the vif
 * @dir: directory of the key
 * @key: its name
 * @port: the frontend's port
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported.
 */
int netback_read_port(struct netback_vif *vif, const char *dir,
		      const char *key, evtchn_port_t *port);

/**
 * netback_map_ring() - map a ring of the frontend and take it over
 * @vif: the vif
 * @ref: its grant reference
 * @slot_size: bytes of a slot
 * @back: private view, set up
 * @shared: the mapped page, for xenbus_unmap_ring_vfree()
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported.
 */
int netback_map_ring(struct netback_vif *vif, grant_ref_t ref, u32 slot_size,
		     struct ring_back *back, void **shared);

/**
 * netback_disconnect() - stop and unmap the queues
 * @vif: a vif, with or without queues
 *
 * Context: may sleep.
 */
void netback_disconnect(struct netback_vif *vif);

/* pool.c: pages for what is transmitted. */

/**
 * netback_pool_init() - set up a queue's pool
 * @pool: the pool, part of a queue
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int netback_pool_init(struct netback_pool *pool);

/**
 * netback_pool_destroy() - give up a queue's pool
 * @pool: the pool, stopped; packets may still have pages of it
 *
 * Context: may sleep.
 */
void netback_pool_destroy(struct netback_pool *pool);

/**
 * netback_pool_used() - note that pages were taken
 * @pool: the pool
 *
 * Context: NAPI.
 */
void netback_pool_used(struct netback_pool *pool);

/**
 * netback_pool_drain() - let go all pages that are kept
 * @pool: the pool
 *
 * Context: NAPI, or bottom halves off and NAPI disabled.
 */
void netback_pool_drain(struct netback_pool *pool);

/**
 * netback_pool_stop() - end the timer of a queue that is not served any more
 * @pool: the pool, which is emptied
 *
 * Context: may sleep; NAPI is disabled.
 */
void netback_pool_stop(struct netback_pool *pool);

/* packet.c: from a parsed packet to an skb. */

/**
 * netback_packet_build() - make an skb and collect the copies that fill it
 * @queue: the queue
 * @packet: an accepted packet; skb and err are set
 * @slots: private copies of the slots of the pass
 * @copies: where copies are collected; they report to @packet->err
 *
 * Context: NAPI.
 * Return: 0 or -ENOMEM.
 */
int netback_packet_build(struct netback_queue *queue,
			 struct netback_packet *packet,
			 const union net_tx_slot *slots,
			 struct grant_copy_batch *copies);

/**
 * netback_packet_finish() - tell the network stack what the guest says of a
 * packet
 * @queue: the queue
 * @packet: a packet whose data has arrived
 *
 * Context: NAPI.
 * Return: 0, or -errno if what it says does not fit the packet.
 */
int netback_packet_finish(struct netback_queue *queue,
			  struct netback_packet *packet);

/* ethtool.c */
extern const struct ethtool_ops netback_ethtool_ops;

#endif /* NETBACK_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Block backend.
 *
 * A vbd is one virtual block device of one guest; it has one or more rings.
 * Each ring has a thread, which takes requests through a pipeline:
 *
 *   ring.c      slots -> batch of requests            (blkback_gather)
 *   parse.c     slot -> struct blk_request            (pure)
 *   transfer.c  grant references -> pages             (blkback_transfer_in)
 *   io.c        requests -> bios -> end of I/O        (blkback_submit)
 *   transfer.c  data to the guest, pages unmapped     (blkback_transfer_out)
 *   ring.c      end of I/O -> responses               (blkback_respond)
 *
 * Beside it, xenbus.c decides what state to be in, connect.c builds and takes
 * down rings, stats.c shows counters.
 */
#ifndef BLKBACK_H
#define BLKBACK_H

#include <linux/bio.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>

#include "evtchn/event_channel.h"
#include "grant/batch.h"
#include "grant/foreign.h"
#include "ring/ring.h"
#include "ring/xenstore.h"
#include "parse.h"

struct blkback_ring;
struct blkback_vbd;

/* How the data of a request gets from the guest's frames to the device. */
enum blkback_transport {
	BLKBACK_NO_DATA,
	BLKBACK_MAP,	/* mapped for the request, or persistently */
	BLKBACK_COPY,	/* copied by the hypervisor */
};

/**
 * struct blkback_seg - one segment in transfer
 * @frame: its persistent mapping, NULL if it has none
 * @ref: the guest's grant reference, if it is copied
 * @handle: of the mapping made for this request, if any; not set with @frame
 */
struct blkback_seg {
	struct foreign_frame *frame;
	grant_ref_t ref;
	grant_handle_t handle;
};

/**
 * struct blkback_req - a request from its slot to its response
 * @batch: in the list of one ring pass
 * @done: in blkback_ring.done or .late once the I/O has ended; before, in
 *	blkback_ring.discards if it is one of several bios; after, in .freed
 * @ring: where it came from
 * @err: first error, -errno
 * @rejected: BLKIF_RSP_* of a request that the parser refused, else 0
 * @transport: how its data travels
 * @mapped: segments mapped for this request only
 * @charged: segments that blkback_ring.segs counts for this request
 * @nr_vecs: pieces of @vecs: one for each segment, or fewer if none is @mapped
 * @wire: the request
 * @bio: for all but those discards
 * @desc: private copy of the indirect frame, during a pass
 * @vecs: pages of the data, @inline_vecs or in @large
 * @segs: the segments, @inline_segs or in @large
 * @large: memory for more segments than fit inline
 * @inline_vecs: the pages of a request without indirect frame
 * @inline_segs: and its segments
 *
 * Written by the ring's thread until the I/O is submitted, then by whoever ends
 * the I/O, then by the completion path.
 */
struct blkback_req {
	struct list_head batch;
	struct llist_node done;
	struct blkback_ring *ring;
	int err;
	s16 rejected;
	u8 transport;
	u16 mapped;
	u16 charged;
	u16 nr_vecs;
	struct blk_request wire;
	struct bio bio;
	struct page *desc;
	struct bio_vec *vecs;
	struct blkback_seg *segs;
	void *large;
	struct bio_vec inline_vecs[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	struct blkback_seg inline_segs[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};

/**
 * blkback_segments() - the segments that a request has asked for
 * @req: a request, before or while its data goes in
 *
 * Return: @req->wire.nr_segs private copies.
 */
static inline const struct blkif_request_segment *
blkback_segments(const struct blkback_req *req)
{
	return req->desc ? page_address(req->desc) : req->wire.seg;
}

/* Counters of one ring; outlive it, because sysfs reads them at any time. */
struct blkback_stats {
	u64 oo_req;
	u64 rd_req;
	u64 wr_req;
	u64 f_req;
	u64 ds_req;
	u64 rd_sect;
	u64 wr_sect;
};

/**
 * struct blkback_ring - one ring and its thread
 * @vbd: whose ring it is
 * @stats: its counters
 * @thread: its thread, referenced
 * @ec: its event channel
 * @shared: the mapped ring pages
 * @abi: layout of its requests
 * @index: number of the queue
 * @max_segs: limit on @segs
 * @back: indices; the response side is under @lock
 * @foreign: persistent mappings
 * @cache: pages to map frames under
 * @copies: batch of copies, NULL until needed
 * @maps: batch of mappings, NULL until needed
 * @unmaps: batch of unmappings, NULL until needed
 * @pages: free copy buffers
 * @nr_pages: their number
 * @unused: requests to be used again
 * @worked: something was done since the last EOI
 * @throttled: waits until some of @segs are done
 * @in_pass: the thread will look at @done when the pass is over
 * @stuck: waits for time to pass: for memory, or a page that a device holds
 * @purge_at: when to purge next, in jiffies
 * @broken: the frontend has violated the protocol; no request is taken
 * @event: an event has come that has had no EOI
 * @requests: taken and not answered
 * @inflight: submitted and not ended
 * @segs: segments of @requests
 * @done: requests whose I/O has ended
 * @late: those of them that need the thread
 * @freed: requests that were answered, for @unused
 * @flush: answers them
 * @discards: discards of several bios, or secure ones, that wait
 * @discard_work: carries them out, one at a time
 * @lock: see @back
 */
struct blkback_ring {
	/* Constant while connected. */
	struct blkback_vbd *vbd;
	struct blkback_stats *stats;
	struct task_struct *thread;
	struct event_channel ec;
	void *shared;
	enum blk_abi abi;
	unsigned int index;
	unsigned int max_segs;

	/* Written by the ring's thread. */
	struct ring_back back;
	struct foreign_table foreign;
	struct gnttab_page_cache cache;
	struct grant_copy_batch *copies;
	struct grant_map_batch *maps;
	struct grant_unmap_batch *unmaps;
	struct list_head pages;
	unsigned int nr_pages;
	struct llist_node *unused;
	bool worked;
	bool throttled;
	bool in_pass;
	bool stuck;
	unsigned long purge_at;

	/* Written by the thread, read by the work. */
	bool broken;

	/* Written by the interrupt handler and the thread. */
	bool event;

	/* Written by whoever takes or ends requests. */
	atomic_t requests ____cacheline_aligned_in_smp;
	atomic_t inflight;
	atomic_t segs;
	struct llist_head done;
	struct llist_head late;
	struct llist_head freed;
	struct tasklet_struct flush;
	struct llist_head discards;
	struct work_struct discard_work;

	/* Responses; @lock also covers the response side of @back. */
	spinlock_t lock;
};

/**
 * struct blkback_vbd - one virtual block device
 * @dev: the xenbus device
 * @frontend: its directory; the copy of @dev goes before the work ends
 * @watch: on "physical-device"
 * @online_watch: on "online"
 * @work: blkback_update()
 * @all: in the list of all vbds
 * @stats: counters, one for each queue that may be
 * @name: for threads and messages: domain and device
 * @bdev_file: the backing device as it was opened
 * @bdev: the backing device, NULL if it is not open
 * @serving: there are rings that serve
 * @mode: "mode" of xenstore
 * @major: of the backing device
 * @minor: of the backing device
 * @limits: what the frontend may ask for
 * @info: "info" of xenstore
 * @persistent: persistent grants were agreed on
 * @rings: the rings, NULL if not connected
 * @nr_rings: their number
 * @complained: the failure was reported
 * @open_failed: the backing device could not be opened, which was reported
 * @freed: completed when the vbd was freed, NULL if nobody waits
 * @removed: the device is gone, @work shall free the vbd
 * @wanted: the device is there to be served; cleared by the work before the
 *	toolstack can take it away, see frontend_waits()
 * @failed: a ring is broken
 * @barrier_lock: held for the length of a barrier
 * @barrier: a barrier waits or runs, no other I/O starts
 * @barrier_wait: for all who wait for or because of a barrier
 */
struct blkback_vbd {
	/* Constant while the device is bound. */
	struct xenbus_device *dev;
	char *frontend;
	struct xenbus_watch watch;
	struct xenbus_watch online_watch;
	struct work_struct work;
	struct list_head all;
	struct blkback_stats *stats;
	char name[16];

	/* Written by the work, under blkback_vbds_lock. */
	struct file *bdev_file;
	struct block_device *bdev;
	bool serving;

	/* Written by the work. */
	char mode[4];
	unsigned int major;
	unsigned int minor;
	struct blk_limits limits;
	u32 info;
	bool persistent;
	struct blkback_ring *rings;
	unsigned int nr_rings;
	bool complained;
	bool open_failed;

	/* Written by xenbus callbacks and ring threads, read by the work. */
	struct completion *freed;
	bool removed;
	bool failed;
	bool wanted;

	/* Barriers; written under @barrier_lock. */
	struct mutex barrier_lock;
	bool barrier;
	wait_queue_head_t barrier_wait;
};

/* Module parameters, see main.c. */
extern unsigned int blkback_max_queues;
extern unsigned int blkback_max_ring_page_order;
extern unsigned int blkback_max_persistent_grants;
extern unsigned int blkback_max_buffer_pages;
extern unsigned int blkback_persistent_unused_seconds;
extern unsigned int blkback_copy_segments;
extern unsigned int blkback_poll_us;
extern bool blkback_feature_persistent;

/* The list of vbds, and what of each other vbds' work may look at. */
extern struct mutex blkback_vbds_lock;

extern struct workqueue_struct *blkback_wq;
extern struct kmem_cache *blkback_req_cache;

/* xenbus.c: what state to be in. */

/**
 * blkback_update() - bring a vbd into the state that xenstore asks for
 * @work: of the vbd
 *
 * Reads the truth from xenstore each time, so it does not matter how many
 * changes were missed or came twice. Frees the vbd if it was removed.
 *
 * Context: blkback_wq; one run at a time for each vbd; may sleep for as long
 * as the backing device takes to end its I/O.
 */
void blkback_update(struct work_struct *work);

/**
 * blkback_kick() - have blkback_update() run
 * @vbd: a vbd that was not freed
 *
 * Context: any.
 */
static inline void blkback_kick(struct blkback_vbd *vbd)
{
	queue_work(blkback_wq, &vbd->work);
}

/**
 * blkback_offer() - write what the backend can do, before anything is known
 * of device and frontend
 * @vbd: a new vbd
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported.
 */
int blkback_offer(struct blkback_vbd *vbd);

/**
 * blkback_free() - take a vbd down and free it
 * @vbd: a vbd that no callback uses any more
 *
 * Context: the vbd's work; may sleep for as long as the backing device takes.
 */
void blkback_free(struct blkback_vbd *vbd);

/* connect.c: rings and backing device. */

/**
 * blkback_open() - open the backing device named by "physical-device"
 * @vbd: a vbd without backing device
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if the hotplug script has not named it yet, or another
 * -errno, already reported.
 */
int blkback_open(struct blkback_vbd *vbd);

/**
 * blkback_close() - let go of the backing device
 * @vbd: a vbd without rings
 *
 * Context: may sleep.
 */
void blkback_close(struct blkback_vbd *vbd);

/**
 * blkback_connect() - map the frontend's rings, publish the device, start
 * @vbd: a vbd with backing device and without rings
 *
 * Context: may sleep.
 * Return: 0 or -errno, already reported; then there are no rings.
 */
int blkback_connect(struct blkback_vbd *vbd);

/**
 * blkback_disconnect() - stop and unmap the rings
 * @vbd: a vbd, with or without rings
 *
 * Requests that were taken are carried out; the rest stays in the rings.
 *
 * Context: may sleep for as long as the backing device takes.
 */
void blkback_disconnect(struct blkback_vbd *vbd);

/**
 * blkback_resize() - tell the frontend if the size of the device has changed
 * @vbd: a connected vbd
 *
 * Context: may sleep.
 */
void blkback_resize(struct blkback_vbd *vbd);

/* ring.c: the ring's thread. */

/**
 * blkback_ring_thread() - serve one ring until told to stop
 * @arg: the ring
 *
 * Return: 0.
 */
int blkback_ring_thread(void *arg);

/**
 * blkback_interrupt() - an event came in
 * @irq: interrupt number
 * @data: the ring
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t blkback_interrupt(int irq, void *data);

/**
 * blkback_flush() - answer what has ended, as far as that needs no hypercall
 * @tasklet: of the ring
 */
void blkback_flush(struct tasklet_struct *tasklet);

/**
 * blkback_done() - the I/O of a request has ended
 * @req: the request, with its error; not the caller's any more
 *
 * Context: any.
 */
void blkback_done(struct blkback_req *req);

/**
 * blkback_free_requests() - free the memory of requests that were answered
 * @ring: the ring
 *
 * Context: the ring's thread.
 */
void blkback_free_requests(struct blkback_ring *ring);

/* transfer.c: the data of a batch of requests. */

/**
 * blkback_fetch_segments() - get private copies of indirect frames
 * @ring: the ring
 * @batch: requests; indirect ones get a @desc page, which
 *	blkback_transfer_in() takes back
 *
 * Context: the ring's thread.
 */
void blkback_fetch_segments(struct blkback_ring *ring, struct list_head *batch);

/**
 * blkback_transfer_in() - give each request of a batch pages with its data
 * @ring: the ring
 * @batch: requests; those that failed are marked
 *
 * Context: the ring's thread.
 */
void blkback_transfer_in(struct blkback_ring *ring, struct list_head *batch);

/**
 * blkback_transfer_out() - hand data to the guest and give pages back
 * @ring: the ring
 * @list: requests whose I/O has ended, linked by their done node
 *
 * Context: the ring's thread.
 * Return: those that can be answered; the others went back to @ring->late.
 */
struct llist_node *
blkback_transfer_out(struct blkback_ring *ring, struct llist_node *list);

/**
 * blkback_needs_thread() - whether blkback_transfer_out() has work to do
 * @req: a request whose I/O has ended
 *
 * Return: false if the request can be answered at once.
 */
static inline bool blkback_needs_thread(const struct blkback_req *req)
{
	return req->transport == BLKBACK_COPY || req->mapped;
}

/**
 * blkback_purge_idle() - from time to time, give back what was not used
 * @ring: a ring
 *
 * Context: the ring's thread.
 */
void blkback_purge_idle(struct blkback_ring *ring);

/**
 * blkback_purge_due() - whether an idle ring should be woken to purge
 * @ring: a ring that serves
 *
 * Context: any; only a hint.
 * Return: true if it holds what it has not used for some time.
 */
bool blkback_purge_due(const struct blkback_ring *ring);

/**
 * blkback_purge() - give memory and mappings back that are not in use
 * @ring: a ring without requests
 * @age: see foreign_purge()
 *
 * Context: the ring's thread.
 */
void blkback_purge(struct blkback_ring *ring, u32 age);

/* io.c: the backing device. */

/**
 * blkback_submit() - start the I/O of a batch
 * @ring: the ring
 * @batch: requests; empty on return. Each ends in blkback_done().
 *
 * Context: the ring's thread.
 */
void blkback_submit(struct blkback_ring *ring, struct list_head *batch);

/**
 * blkback_discard() - carry out the discards that wait
 * @work: of the ring
 *
 * They are waited for, so not in the ring's thread; and one after the other, so
 * that a frontend cannot occupy more than one worker for each ring.
 */
void blkback_discard(struct work_struct *work);

/* stats.c: sysfs. */
extern const struct attribute_group *blkback_groups[];

#endif /* BLKBACK_H */

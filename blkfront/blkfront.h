/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Block frontend: shared structures and who calls what.
 *
 * Contexts: blk-mq submits (queue.c); the event channel's hard interrupt starts
 * a tasklet that completes (complete.c); everything else is done by one work
 * item per device (xenbus.c, recover.c), so that it needs no lock of its own
 * and never blocks xenwatch, which serves all devices. A second work item adds
 * the disk, because that reads the partition table and so may wait for I/O.
 */
#ifndef XSPLIT_BLKFRONT_H
#define XSPLIT_BLKFRONT_H

#include <linux/blk-mq.h>
#include <linux/interrupt.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>

#include "evtchn/event_channel.h"
#include "evtchn/handover.h"
#include "grant/pool.h"
#include "ring/blk_wire.h"
#include "ring/ring.h"
#include "ring/xenstore.h"
#include "response.h"

/* One indirect frame describes more; backends offer no more. */
#define BLKFRONT_MAX_SEGS	256
/*
 * Even a peer without indirect requests and with a one-page ring must be able
 * to take the largest request, which may have been prepared for another peer:
 * DIV_ROUND_UP(BLKFRONT_MAX_SEGS, BLKIF_MAX_SEGMENTS_PER_REQUEST) parts.
 */
#define BLKFRONT_MIN_ENTRIES	32
/* More bytes than these have no position in a file. */
#define BLKFRONT_MAX_SECTORS	((u64)LLONG_MAX >> SECTOR_SHIFT)
#define BLKFRONT_NO_ID		U16_MAX

struct blkfront;

/**
 * struct blkfront_params - module parameters after validation
 * @max_queues: rings per device; 0: one per online CPU
 * @max_ring_page_order: log2 of pages per ring
 * @max_indirect_segments: segments per indirect request
 * @feature_persistent: whether to offer persistent grants
 * @trusted: whether backends may see memory that shares a page with data
 * @hand_over: whether to offer the CPU to backends that answer at once
 */
struct blkfront_params {
	unsigned int max_queues;
	unsigned int max_ring_page_order;
	unsigned int max_indirect_segments;
	bool feature_persistent;
	bool trusted;
	bool hand_over;
};

extern struct blkfront_params blkfront_params;
extern struct workqueue_struct *blkfront_wq;

/**
 * struct blkfront_io - a block request's state while it is ours (blk-mq pdu)
 * @data: grants of the data
 * @descs: grants of indirect frames, one for each part, if it is indirect
 * @id: first slot, then by blkfront_slot.next; valid until submitted
 * @parts: ring requests without response
 * @op: wire operation
 * @bounce: data goes through the pool's pages, packed, else by its own pages
 * @status: worst status of all parts
 *
 * Written by the submitter until the first part is in the ring, then by the
 * ring's tasklet.
 */
struct blkfront_io {
	struct grant_list data;
	struct grant_list descs;
	u16 id;
	u16 parts;
	u8 op;
	bool bounce;
	blk_status_t status;
};

/**
 * struct blkfront_ring - a shared ring and what belongs to it
 * @info: the device
 * @index: number of the ring
 * @refs: grant references of the ring pages
 * @shared: the ring pages
 * @nr_pages: how many
 * @slots: request ids
 * @ec: event channel
 * @tasklet: completes
 * @lock: protects the following
 * @live: the ring is connected and the backend has kept to the protocol
 * @stopped: some hardware queue waits for slots or grants
 * @armed: the next response causes an event
 * @free_id: first free id
 * @nr_free: number of free ids
 * @front: private indices; responses are consumed under @lock, too
 * @handover: when senders hand the CPU over
 * @pool: grants
 * @irq_pending: an interrupt waits for its EOI; hard interrupt and tasklet,
 *	which exclude each other because no event comes before the EOI
 * @worked: responses were taken since the last EOI; also set by senders
 * @worked_before: or between that and the one before
 *
 * Requests are put into the ring only under an id that is free until then, so
 * that a free id implies a free slot.
 */
struct blkfront_ring {
	/* Written while no I/O runs. */
	struct blkfront *info;
	unsigned int index;
	struct blkfront_slot *slots;
	struct event_channel ec;
	struct tasklet_struct tasklet;
	void *shared;
	unsigned int nr_pages;
	grant_ref_t refs[XENBUS_MAX_RING_GRANTS];

	/* Written under lock. */
	spinlock_t lock ____cacheline_aligned_in_smp;
	bool live;
	bool stopped;
	bool armed;
	u16 free_id;
	u16 nr_free;
	struct ring_front front;
	struct handover handover;
	struct grant_pool pool;

	/* Written by the interrupt and its tasklet. */
	bool irq_pending;
	bool worked;
	bool worked_before;
};

/* What a device is to the block layer. */
enum blkfront_state {
	BLKFRONT_WAITING,	/* requests, if any, wait for a backend */
	BLKFRONT_LIVE,
	BLKFRONT_DEAD,		/* requests fail; there is no way back */
};

/**
 * struct blkfront - a device
 * @xbdev: xenbus device
 * @vdevice: virtual device number, decides name and minor
 * @handle: wire handle
 * @max_rings: size of @rings
 * @backend: the backend's directory; the xenbus device's copy changes under us
 * @offer_persistent: what we told the backend about persistent grants
 * @nr_rings: rings in use
 * @ring_order: log2 of pages per ring
 * @segs: segments per ring request
 * @max_grants: grants per ring that the backend keeps mapped
 * @persistent: grants stay granted, and the backend may keep them mapped
 * @trusted: the backend may see memory that shares a page with data
 * @flush_op: wire operation for flushes, 0 if there is none to send
 * @discard: the backend takes discards
 * @secure_erase: and secure ones
 * @sector_size: logical block size, bytes
 * @physical_sector_size: physical block size, bytes
 * @discard_granularity: bytes
 * @discard_alignment: bytes
 * @vdisk_info: VDISK_ flags
 * @state: what the device is to the block layer; read by submitters
 * @offence: what the backend has done, 0 nothing; set once by a tasklet
 * @replaced: the rings are dead, because the domain was restored
 * @added: the disk was added
 * @shrinking: @shrink_work is scheduled
 * @reprobing: the device was made anew, and a new probe is on its way
 * @quiesced: the block layer has been stopped from submitting
 * @left_at: when the backend has left last, in jiffies
 * @failures: connections in a row that did not last
 * @offences: how often the backend has violated the protocol
 * @deadline: when to give up waiting for a connection, 0 for never
 * @minor: first minor number
 * @nr_minors: number of minors reserved
 * @entry: in the list of reserved minors
 * @disk: the disk, NULL before the first connection
 * @tag_set: its tags
 * @budget: limit on grants
 * @work: state machine
 * @add_work: adds the disk
 * @shrink_work: releases idle grants
 * @rings: @max_rings rings
 */
struct blkfront {
	/* Written by probe. */
	struct xenbus_device *xbdev;
	unsigned int vdevice;
	blkif_vdev_t handle;
	unsigned int max_rings;

	/* Written by the state machine while no I/O runs. */
	char *backend;
	bool offer_persistent;
	unsigned int nr_rings;
	unsigned int ring_order;
	unsigned int segs;
	unsigned int max_grants;
	bool persistent;
	bool trusted;
	unsigned int sector_size;
	unsigned int physical_sector_size;
	unsigned int discard_granularity;
	unsigned int discard_alignment;
	unsigned int vdisk_info;
	struct gendisk *disk;

	/* Written by the state machine; cleared by completion when refused. */
	u8 flush_op;
	bool discard;
	bool secure_erase;

	/* Written by the state machine. */
	enum blkfront_state state;
	bool quiesced;
	unsigned long left_at;
	unsigned int failures;
	unsigned int offences;
	unsigned long deadline;
	unsigned int minor;
	unsigned int nr_minors;
	struct list_head entry;

	/* Written by others to tell the state machine. */
	unsigned long offence;
	bool replaced;
	bool added;
	bool shrinking;

	/* Written by xenwatch. */
	bool reprobing;

	struct blk_mq_tag_set tag_set;
	struct grant_budget budget;
	struct delayed_work work;
	struct work_struct add_work;
	struct delayed_work shrink_work;

	struct blkfront_ring rings[];
};

static inline struct blkfront_io *blkfront_io(struct request *rq)
{
	return blk_mq_rq_to_pdu(rq);
}

/*
 * Have the next response cause an event. A higher threshold would save events at
 * depth, but delay the first responses until the last ones are there; the backend
 * batches by itself.
 * Return: as ring_front_arm().
 */
static inline int blkfront_arm(struct blkfront_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	ring->armed = true;
	return ring_front_arm(&ring->front, 1);
}

static inline void blkfront_disarm(struct blkfront_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	if (ring->armed)
		ring_front_disarm(&ring->front);
	ring->armed = false;
}

/* Ring requests in flight, with those that are being put into the ring. */
static inline unsigned int blkfront_inflight(const struct blkfront_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	return ring->front.entries - ring->nr_free;
}

/*
 * Frames of the largest request. Without indirect requests, some parts per
 * request save work in the block layer, but leave room for other requests.
 */
static inline unsigned int blkfront_max_frames(const struct blkfront *info)
{
	unsigned int parts = max(4U, 1U << info->ring_order);

	if (info->segs > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return info->segs;
	return min(info->segs * parts, 128U);
}

/* queue.c: submission */
extern const struct blk_mq_ops blkfront_mq_ops;

/* bounce.c: data that goes through the pool's pages */
void blkfront_copy_in(struct request *rq, const struct grant *g);
void blkfront_copy_out(struct request *rq, const struct grant *g);

/* complete.c: completion; the first is a hard interrupt, then a tasklet */
irqreturn_t blkfront_interrupt(int irq, void *data);
void blkfront_complete(struct tasklet_struct *tasklet);
bool blkfront_revoke(struct blkfront_ring *ring, struct request *rq);
void blkfront_hand_over(struct blkfront_ring *ring);

/* ring.c: life of rings; process context, no I/O runs */
int blkfront_ring_create(struct blkfront_ring *ring);
int blkfront_ring_start(struct blkfront_ring *ring);
void blkfront_ring_unstart(struct blkfront_ring *ring);
void blkfront_ring_stop(struct blkfront_ring *ring);
void blkfront_ring_destroy(struct blkfront_ring *ring, bool replay);

/* disk.c: process context */
int blkfront_disk_create(struct blkfront *info, u64 sectors);
void blkfront_disk_update(struct blkfront *info, u64 sectors);
void blkfront_disk_resize(struct blkfront *info);
void blkfront_disk_add(struct work_struct *work);
void blkfront_disk_remove(struct blkfront *info);
void blkfront_disk_put(struct blkfront *info);
void blkfront_map_queues(struct blkfront *info);

/* keys.c: what is read from and written to xenstore; state machine */
void blkfront_read_ring_features(struct blkfront *info);
int blkfront_write_keys(struct blkfront *info);
u8 blkfront_read_flush(const struct blkfront *info);
int blkfront_read_disk(struct blkfront *info, u64 *sectors);

/* xenbus.c: state machine */
void blkfront_state_work(struct work_struct *work);
void blkfront_backend_changed(struct xenbus_device *xbdev,
			      enum xenbus_state state);

/* recover.c: state machine, except for resume */
void blkfront_quiesce(struct blkfront *info);
void blkfront_release(struct blkfront *info, bool replay);
void blkfront_unquiesce(struct blkfront *info);
void blkfront_close(struct blkfront *info);
int blkfront_suspend(struct xenbus_device *xbdev);
int blkfront_resume(struct xenbus_device *xbdev);
void blkfront_shrink(struct work_struct *work);
void blkfront_schedule_shrink(struct blkfront *info);

#endif /* XSPLIT_BLKFRONT_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Life of rings. All of it runs while the block layer does not submit.
 */
#include "blkfront.h"

#include <linux/minmax.h>
#include <linux/slab.h>

/* Pages that a ring has from the start, for writeback under memory pressure. */
#define FIRST_PAGES	32

static void free_slots(struct blkfront_ring *ring)
{
	kvfree(ring->slots);
	ring->slots = NULL;
}

static int alloc_slots(struct blkfront_ring *ring)
{
	u32 entries = ring->front.entries;
	u32 id;

	ring->slots = kvcalloc(entries, sizeof(*ring->slots), GFP_NOIO);
	if (!ring->slots)
		return -ENOMEM;
	for (id = 0; id < entries; id++)
		ring->slots[id].next = id + 1;
	ring->slots[entries - 1].next = BLKFRONT_NO_ID;
	ring->free_id = 0;
	ring->nr_free = entries;
	return 0;
}

/**
 * blkfront_ring_create() - allocate what the backend needs to connect
 * @ring: the ring
 *
 * Context: may sleep, does no I/O.
 * Return: 0 or -errno, with nothing left allocated.
 */
int blkfront_ring_create(struct blkfront_ring *ring)
{
	struct blkfront *info = ring->info;
	int ret;

	ring->nr_pages = 1U << info->ring_order;
	ret = xenbus_setup_ring(info->xbdev, GFP_NOIO, &ring->shared,
				ring->nr_pages, ring->refs);
	if (ret)
		return ret;
	ring_front_init(&ring->front,
			(struct ring_shared __peer __force *)ring->shared,
			ring->nr_pages * XEN_PAGE_SIZE, BLK_SLOT_SIZE_64);

	ret = alloc_slots(ring);
	if (ret)
		goto err_ring;

	ring->irq_pending = false;
	ret = event_channel_alloc(&ring->ec, info->xbdev, blkfront_interrupt,
				  dev_name(&info->xbdev->dev), ring);
	if (ret)
		goto err_slots;
	return 0;

err_slots:
	free_slots(ring);
err_ring:
	xenbus_teardown_ring(&ring->shared, ring->nr_pages, ring->refs);
	return ret;
}

/**
 * blkfront_ring_start() - make a ring usable, after the backend has connected
 * @ring: the ring
 *
 * Context: may sleep, does no I/O.
 * Return: 0, or -ENOMEM or -ENOSPC for lack of memory or grant references.
 */
int blkfront_ring_start(struct blkfront_ring *ring)
{
	struct blkfront *info = ring->info;
	unsigned int frames = blkfront_max_frames(info);
	unsigned int floor = frames + DIV_ROUND_UP(frames, info->segs);
	unsigned int pages = 0;
	int ret;

	if (info->persistent)
		pages = min_t(unsigned int, floor, FIRST_PAGES);
	ring->pool = (struct grant_pool) {
		.lock = &ring->lock,
		.budget = &info->budget,
		.domid = info->xbdev->otherend_id,
		.floor = floor,
		.ceiling = max(floor, info->max_grants),
	};
	ret = grant_pool_init(&ring->pool, pages);
	if (ret)
		return ret;

	spin_lock_bh(&ring->lock);
	ring->live = true;
	ring->stopped = false;
	ring->armed = false;
	ring->handover = (struct handover) {};
	spin_unlock_bh(&ring->lock);

	/* An event may have come before: it waits for its EOI. */
	tasklet_schedule(&ring->tasklet);
	return 0;
}

/**
 * blkfront_ring_unstart() - undo blkfront_ring_start()
 * @ring: a ring that was not used
 */
void blkfront_ring_unstart(struct blkfront_ring *ring)
{
	spin_lock_bh(&ring->lock);
	ring->live = false;
	spin_unlock_bh(&ring->lock);
	tasklet_kill(&ring->tasklet);
	grant_pool_destroy(&ring->pool);
}

/**
 * blkfront_ring_stop() - end all use of a ring by interrupts
 * @ring: the ring; one that does not exist is left alone
 *
 * Context: may sleep; the block layer does not submit.
 */
void blkfront_ring_stop(struct blkfront_ring *ring)
{
	if (!ring->shared)
		return;

	/* The handler has ended and will not start the tasklet again ... */
	event_channel_free(&ring->ec, ring);

	/* ... a timeout may, but finds the ring not live ... */
	spin_lock_bh(&ring->lock);
	ring->live = false;
	spin_unlock_bh(&ring->lock);

	/* ... and a run that has taken responses ends those requests. */
	tasklet_kill(&ring->tasklet);
}

/* Take a request back that has no response. */
static void take_back(struct blkfront_ring *ring, struct request *rq,
		      bool replay)
{
	struct blkfront_io *io = blkfront_io(rq);
	bool revoked = true;

	if (!io->bounce)
		revoked = blkfront_revoke(ring, rq);

	spin_lock_bh(&ring->lock);
	if (io->bounce)
		grant_pool_put_pages(&ring->pool, &io->data);
	else
		grant_pool_put_refs(&ring->pool, &io->data);
	grant_pool_put_pages(&ring->pool, &io->descs);
	spin_unlock_bh(&ring->lock);

	/* The old backend could still write to the pages after a replay. */
	if (replay && revoked)
		blk_mq_requeue_request(rq, false);
	else
		blk_mq_end_request(rq, BLK_STS_IOERR);
}

static void take_back_all(struct blkfront_ring *ring, bool replay)
{
	struct blkfront_slot *slot = ring->slots;
	struct blkfront_slot *end = slot + ring->front.entries;
	struct request *rq;

	/* Each part in the ring is visited; the last one stands for all. */
	for (; slot < end; slot++) {
		rq = slot->rq;
		slot->rq = NULL;
		if (rq && !--blkfront_io(rq)->parts)
			take_back(ring, rq, replay);
	}
}

/**
 * blkfront_ring_destroy() - take back all requests and free the ring
 * @ring: a ring that was stopped; one that does not exist is left alone
 * @replay: whether to put the requests back into the queue, else they fail
 *
 * Context: may sleep; the block layer does not submit.
 */
void blkfront_ring_destroy(struct blkfront_ring *ring, bool replay)
{
	if (!ring->shared)
		return;

	take_back_all(ring, replay);
	grant_pool_destroy(&ring->pool);
	free_slots(ring);
	xenbus_teardown_ring(&ring->shared, ring->nr_pages, ring->refs);
}

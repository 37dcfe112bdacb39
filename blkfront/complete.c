// SPDX-License-Identifier: GPL-2.0
/*
 * Completion: the event channel's interrupt only starts a tasklet. That takes
 * responses off the ring in batches under the ring's lock, then copies data
 * and ends requests without it.
 */
#include "blkfront.h"

/* Responses taken at once; bounds the time under the lock. */
#define BATCH	32
/* Frames and responses handled in one run; bounds the time in the tasklet. */
#define BUDGET	1024

/* Requests that are complete, and grants that no longer belong to one. */
struct batch {
	struct request *rqs[BATCH];
	unsigned int nr;
	struct grant_list pages;
	struct grant_list refs;
};

static void report_offence(struct blkfront_ring *ring,
			   enum blkfront_offence offence, u64 id, u8 op)
{
	static const char *const text[] = {
		[BLKFRONT_BAD_ID] = "response with an id out of range",
		[BLKFRONT_BAD_SLOT] = "response to no request",
		[BLKFRONT_BAD_OP] = "response with a wrong operation",
		[BLKFRONT_BAD_INDEX] = "more responses than requests",
		[BLKFRONT_STILL_MAPPED] = "answered request still mapped",
	};
	struct blkfront *info = ring->info;

	lockdep_assert_held(&ring->lock);

	/* All I/O of this ring ends here; the state machine fails it. */
	ring->live = false;
	if (cmpxchg(&info->offence, 0, offence))
		return;
	dev_alert(&info->xbdev->dev,
		  "ring %u: %s (id %#llx, op %u, consumed %u): disabled\n",
		  ring->index, text[offence], id, op, ring->front.rsp_cons);
	mod_delayed_work(blkfront_wq, &info->work, 0);
}

/*
 * The backend has refused a request. A flush that it does not know is taken as
 * done: all it can mean is that the backend has no way to write anything back,
 * and failing it would only take the file system down, with no data saved. A
 * flush that was tried and failed is an error like any other.
 */
static blk_status_t refused(struct blkfront *info, u8 op, s16 status)
{
	struct request_queue *q = info->disk->queue;

	if (status != BLKIF_RSP_EOPNOTSUPP)
		return BLK_STS_IOERR;

	switch (op) {
	case BLKIF_OP_FLUSH_DISKCACHE:
	case BLKIF_OP_WRITE_BARRIER:
		if (READ_ONCE(info->flush_op))
			dev_warn(&info->xbdev->dev,
				 "backend no longer flushes: writes are only as durable as it makes them\n");
		WRITE_ONCE(info->flush_op, 0);
		return BLK_STS_OK;
	case BLKIF_OP_DISCARD:
		info->discard = false;
		info->secure_erase = false;
		blk_queue_disable_discard(q);
		blk_queue_disable_secure_erase(q);
		return BLK_STS_NOTSUPP;
	default:
		return BLK_STS_IOERR;
	}
}

static void take_response(struct blkfront_ring *ring, struct batch *batch)
{
	enum blkfront_offence offence;
	struct blkfront_slot *slot;
	struct blkif_response rsp;
	struct blkfront_io *io;

	ring_front_get(&ring->front, &rsp, sizeof(rsp));
	offence = blkfront_check_response(ring->slots, ring->front.entries,
					  rsp.id, rsp.operation);
	if (unlikely(offence)) {
		report_offence(ring, offence, rsp.id, rsp.operation);
		return;
	}

	slot = &ring->slots[rsp.id];
	io = blkfront_io(slot->rq);
	if (unlikely(rsp.status != BLKIF_RSP_OKAY) && !io->status)
		io->status = refused(ring->info, slot->op, rsp.status);
	if (!--io->parts)
		batch->rqs[batch->nr++] = slot->rq;

	slot->rq = NULL;
	slot->next = ring->free_id;
	ring->free_id = rsp.id;
	ring->nr_free++;
}

static void put_grants(struct blkfront_ring *ring, struct batch *batch)
{
	/* An event may come before the pool is made. */
	if (!batch->pages.nr && !batch->refs.nr)
		return;
	grant_pool_put_pages(&ring->pool, &batch->pages);
	grant_pool_put_refs(&ring->pool, &batch->refs);
	batch->pages.nr = 0;
	batch->refs.nr = 0;
}

/*
 * Take a batch, or ask for an event; with nothing in flight, who sends the next
 * request decides about that. Return: whether there was a response.
 */
static bool take_batch(struct blkfront_ring *ring, struct batch *batch)
{
	int pending, n;

	lockdep_assert_held(&ring->lock);

	batch->nr = 0;
	if (!ring->live)
		return false;
	pending = ring_front_pending(&ring->front);
	if (!pending && blkfront_inflight(ring))
		pending = blkfront_arm(ring);
	if (unlikely(pending < 0)) {
		report_offence(ring, BLKFRONT_BAD_INDEX, 0, 0);
		return false;
	}

	if (pending)
		ring->armed = false;
	for (n = min(pending, BATCH); n && ring->live; n--)
		take_response(ring, batch);
	return pending;
}

/**
 * blkfront_revoke() - end the backend's access to a request's own pages
 * @ring: the ring
 * @rq: a request that is not bounced and not in the ring
 *
 * A page that the backend still maps stays allocated until it no longer does,
 * but may change after that: no caller may report success.
 *
 * Context: process context or tasklet.
 * Return: whether all access has ended; grants that are left are in the list.
 */
bool blkfront_revoke(struct blkfront_ring *ring, struct request *rq)
{
	struct blkfront_io *io = blkfront_io(rq);
	struct grant *g = io->data.head, *next;
	unsigned int nr = io->data.nr;
	struct grant_list kept = {};
	bool all = true;

	for (; nr; nr--, g = next) {
		next = g->next;
		if (likely(gnttab_end_foreign_access_ref(g->ref))) {
			struct grant_list one = { g, g, 1 };

			grant_list_join(&kept, &one);
			continue;
		}
		all = false;
		gnttab_end_foreign_access(g->ref, NULL);
		spin_lock_bh(&ring->lock);
		grant_pool_lost(&ring->pool, g);
		spin_unlock_bh(&ring->lock);
	}
	io->data = kept;
	return all;
}

static void still_mapped(struct blkfront_ring *ring, struct request *rq)
{
	struct blkfront_io *io = blkfront_io(rq);

	io->status = BLK_STS_IOERR;
	spin_lock(&ring->lock);
	report_offence(ring, BLKFRONT_STILL_MAPPED, 0, io->op);
	spin_unlock(&ring->lock);
}

/* Return: a measure of the work done. */
static unsigned int finish(struct blkfront_ring *ring, struct request *rq,
			   struct batch *batch, struct io_comp_batch *iob)
{
	struct blkfront_io *io = blkfront_io(rq);
	unsigned int frames = io->data.nr;

	if (io->bounce) {
		if (io->op == BLKIF_OP_READ && !io->status)
			blkfront_copy_out(rq, io->data.head);
		/* As they were taken, so that they stay in order. */
		grant_list_join(&batch->pages, &io->descs);
		grant_list_join(&batch->pages, &io->data);
	} else {
		if (unlikely(!blkfront_revoke(ring, rq)))
			still_mapped(ring, rq);
		grant_list_join(&batch->refs, &io->data);
		grant_list_join(&batch->pages, &io->descs);
	}

	if (!blk_mq_add_to_batch(rq, iob, io->status != BLK_STS_OK,
				 blk_mq_end_request_batch))
		blk_mq_end_request(rq, io->status);
	return frames + 1;
}

static unsigned int finish_batch(struct blkfront_ring *ring,
				 struct batch *batch)
{
	DEFINE_IO_COMP_BATCH(iob);
	unsigned int i, work = 0;

	for (i = 0; i < batch->nr; i++)
		work += finish(ring, batch->rqs[i], batch, &iob);
	if (iob.complete)
		iob.complete(&iob);
	return work;
}

/*
 * Let the next event in; the device is quiet after an offence. An event that
 * finds nothing to do may be that of responses which the run before has taken.
 */
static void end_run(struct blkfront_ring *ring)
{
	bool cause = ring->worked || ring->worked_before;

	if (unlikely(grant_pool_excess(&ring->pool)) &&
	    !READ_ONCE(ring->info->shrinking))
		blkfront_schedule_shrink(ring->info);
	if (!READ_ONCE(ring->live) || !ring->irq_pending)
		return;
	ring->worked_before = ring->worked;
	ring->worked = false;
	ring->irq_pending = false;
	event_channel_eoi(&ring->ec, cause);
}

/* Several hardware queues can share a ring after a reconnection. */
static void kick_stopped(struct blkfront_ring *ring)
{
	struct request_queue *q = ring->info->disk->queue;
	struct blk_mq_hw_ctx *hctx;
	unsigned long i;

	queue_for_each_hw_ctx(q, hctx, i)
		if (hctx->driver_data == ring)
			blk_mq_start_stopped_hw_queue(hctx, true);
}

/*
 * Complete what was answered. @event: it is because of an event.
 * Return: whether there is more, for which there was no time.
 */
static bool complete_answered(struct blkfront_ring *ring, bool event)
{
	unsigned int work = 0;
	struct batch batch;
	bool more, kick;

	batch.pages.nr = 0;
	batch.refs.nr = 0;
	do {
		spin_lock(&ring->lock);
		if (event)
			handover_note_event(&ring->handover,
					    blkfront_inflight(ring));
		event = false;
		put_grants(ring, &batch);
		more = take_batch(ring, &batch);
		kick = ring->stopped && !more;
		if (kick)
			ring->stopped = false;
		spin_unlock(&ring->lock);

		if (more)
			WRITE_ONCE(ring->worked, true);
		work += finish_batch(ring, &batch);
	} while (more && work < BUDGET);

	if (more) {
		spin_lock(&ring->lock);
		put_grants(ring, &batch);
		spin_unlock(&ring->lock);
	} else if (kick) {
		kick_stopped(ring);
	}
	return more;
}

void blkfront_complete(struct tasklet_struct *tasklet)
{
	struct blkfront_ring *ring = from_tasklet(ring, tasklet, tasklet);

	if (complete_answered(ring, ring->irq_pending))
		tasklet_schedule(tasklet);
	else
		end_run(ring);
}

static bool answered_all(struct blkfront_ring *ring)
{
	bool all;

	spin_lock_bh(&ring->lock);
	all = ring_front_pending(&ring->front) == (int)blkfront_inflight(ring);
	spin_unlock_bh(&ring->lock);
	return all;
}

/**
 * blkfront_hand_over() - let the backend run, and complete what it answers
 * @ring: the ring, for whose answers no event was asked
 *
 * Context: as queue_rq; no lock held.
 */
void blkfront_hand_over(struct blkfront_ring *ring)
{
	/* Its event may have given the backend the CPU. */
	if (!answered_all(ring))
		event_channel_yield();

	/* Who is told that I/O has ended expects a softirq. */
	local_bh_disable();
	if (complete_answered(ring, false))
		tasklet_schedule(&ring->tasklet);
	spin_lock(&ring->lock);
	handover_end(&ring->handover, !blkfront_inflight(ring));
	spin_unlock(&ring->lock);
	local_bh_enable();
}

irqreturn_t blkfront_interrupt(int irq, void *data)
{
	struct blkfront_ring *ring = data;

	ring->irq_pending = true;
	tasklet_schedule(&ring->tasklet);
	return IRQ_HANDLED;
}

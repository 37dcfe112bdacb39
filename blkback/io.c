// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the backing device: bios, discards, barriers.
 */
#include "blkback.h"

#include <linux/blkdev.h>

static void end_bio(struct bio *bio)
{
	struct blkback_req *req = container_of(bio, struct blkback_req, bio);

	req->err = blk_status_to_errno(bio->bi_status);
	bio_uninit(bio);
	blkback_done(req);
}

static blk_opf_t bio_opf(const struct blkback_req *req)
{
	switch (req->wire.op) {
	case BLKIF_OP_READ:
		return REQ_OP_READ;
	case BLKIF_OP_FLUSH_DISKCACHE:
		return REQ_OP_WRITE | REQ_PREFLUSH;
	case BLKIF_OP_WRITE_BARRIER:
		/* What was written before, and this, is durable afterwards. */
		return REQ_OP_WRITE | REQ_PREFLUSH |
		       (req->wire.nr_segs ? REQ_FUA : 0);
	case BLKIF_OP_DISCARD:
		return REQ_OP_DISCARD;
	default:
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	}
}

static void submit(struct blkback_req *req)
{
	struct bio *bio = &req->bio;

	bio_init(bio, req->ring->vbd->bdev, req->vecs, req->nr_vecs,
		 bio_opf(req));
	bio->bi_vcnt = req->nr_vecs;
	/* Where it is about no sectors the first is not checked, and means nothing. */
	bio->bi_iter.bi_sector = req->wire.nr_sectors ? req->wire.sector : 0;
	bio->bi_iter.bi_size = req->wire.nr_sectors << SECTOR_SHIFT;
	bio->bi_end_io = end_bio;
	submit_bio(bio);
}

static void discard(struct blkback_req *req)
{
	struct block_device *bdev = req->ring->vbd->bdev;

	if (req->wire.secure)
		req->err = blkdev_issue_secure_erase(bdev, req->wire.sector,
						     req->wire.nr_sectors,
						     GFP_NOIO);
	else
		req->err = blkdev_issue_discard(bdev, req->wire.sector,
						req->wire.nr_sectors, GFP_NOIO);
	blkback_done(req);
}

void blkback_discard(struct work_struct *work)
{
	struct blkback_ring *ring = container_of(work, struct blkback_ring,
						 discard_work);
	struct llist_node *node, *next;

	node = llist_reverse_order(llist_del_all(&ring->discards));
	for (; node; node = next) {
		next = node->next;
		discard(llist_entry(node, struct blkback_req, done));
	}
}

static void count(struct blkback_stats *stats, const struct blkback_req *req)
{
	switch (req->wire.op) {
	case BLKIF_OP_READ:
		stats->rd_req++;
		stats->rd_sect += req->wire.nr_sectors;
		return;
	case BLKIF_OP_DISCARD:
		stats->ds_req++;
		return;
	case BLKIF_OP_WRITE:
		stats->wr_req++;
		break;
	default:
		stats->f_req++;
	}
	stats->wr_sect += req->wire.nr_sectors;
}

/* Others must wait in between, for parts of them or for a secure erase. */
static bool is_one_bio(const struct blkback_req *req)
{
	struct block_device *bdev = req->ring->vbd->bdev;

	if (req->wire.op != BLKIF_OP_DISCARD)
		return true;
	return !req->wire.secure && req->wire.nr_sectors &&
	       req->wire.nr_sectors <= min_t(u64, BIO_MAX_SECTORS,
					     bdev_max_discard_sectors(bdev));
}

static void start_discard(struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;

	if (llist_add(&req->done, &ring->discards))
		queue_work(system_unbound_wq, &ring->discard_work);
}

static void issue(struct blkback_req *req)
{
	if (req->rejected || req->err) {
		blkback_done(req);
		return;
	}

	count(req->ring->stats, req);
	if (is_one_bio(req))
		submit(req);
	else
		start_discard(req);
}

/* Start I/O of a ring, unless a barrier of another ring is under way. */
static void enter(struct blkback_ring *ring, unsigned int n)
{
	struct blkback_vbd *vbd = ring->vbd;

	for (;;) {
		atomic_add(n, &ring->inflight);
		/* Pairs with smp_mb() in barrier(): one of the two sees. */
		smp_mb__after_atomic();
		if (likely(!READ_ONCE(vbd->barrier)))
			return;
		atomic_sub(n, &ring->inflight);
		wake_up(&vbd->barrier_wait);
		wait_event(vbd->barrier_wait, !READ_ONCE(vbd->barrier));
	}
}

static bool idle(struct blkback_vbd *vbd)
{
	unsigned int i;

	for (i = 0; i < vbd->nr_rings; i++)
		if (atomic_read(&vbd->rings[i].inflight))
			return false;
	return true;
}

/*
 * A barrier: all I/O of all rings that was started before has ended, then the
 * barrier's own, and only then does anything else start.
 */
static void barrier_request(struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;
	struct blkback_vbd *vbd = ring->vbd;

	mutex_lock(&vbd->barrier_lock);
	WRITE_ONCE(vbd->barrier, true);
	/* Pairs with smp_mb__after_atomic() in enter(). */
	smp_mb();
	wait_event(vbd->barrier_wait, idle(vbd));

	atomic_inc(&ring->inflight);
	issue(req);
	wait_event(vbd->barrier_wait, !atomic_read(&ring->inflight));

	WRITE_ONCE(vbd->barrier, false);
	mutex_unlock(&vbd->barrier_lock);
	wake_up_all(&vbd->barrier_wait);
}

void blkback_submit(struct blkback_ring *ring, struct list_head *batch)
{
	struct blkback_req *req, *next, *barrier = NULL;
	struct blk_plug plug;

	/* A barrier can only be the last one. */
	req = list_last_entry(batch, struct blkback_req, batch);
	if (unlikely(req->wire.op == BLKIF_OP_WRITE_BARRIER)) {
		list_del(&req->batch);
		barrier = req;
	}

	enter(ring, list_count_nodes(batch));
	blk_start_plug(&plug);
	list_for_each_entry_safe(req, next, batch, batch)
		issue(req);
	blk_finish_plug(&plug);
	INIT_LIST_HEAD(batch);

	if (unlikely(barrier))
		barrier_request(barrier);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Submission: plan without lock, reserve ids and grants under the ring's lock,
 * copy or grant the data without it, then put the finished ring requests into
 * the ring. blk-mq says when a series of requests ends; only then the backend
 * is told.
 *
 * A request that does not fit one ring request is sent as several, its parts.
 */
#include "blkfront.h"

#include <linux/bvec.h>
#include <linux/sched/stat.h>
#include <xen/page.h>

/*
 * Walks the data grants while ring requests are built. @packed: bytes that fill
 * all frames but the last; 0 where each grant says what is in use.
 */
struct cursor {
	const struct grant *grant;
	unsigned int left;
	unsigned int packed;
	u64 sector;
};

static blk_status_t choose_op(const struct blkfront *info, struct request *rq,
			      struct blkfront_io *io)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		io->op = BLKIF_OP_READ;
		return BLK_STS_OK;
	case REQ_OP_WRITE:
		io->op = BLKIF_OP_WRITE;
		return BLK_STS_OK;
	case REQ_OP_FLUSH:
		io->op = READ_ONCE(info->flush_op);
		return BLK_STS_OK;
	case REQ_OP_DISCARD:
		io->op = BLKIF_OP_DISCARD;
		return info->discard ? BLK_STS_OK : BLK_STS_NOTSUPP;
	case REQ_OP_SECURE_ERASE:
		io->op = BLKIF_OP_DISCARD;
		return info->secure_erase ? BLK_STS_OK : BLK_STS_NOTSUPP;
	default:
		return BLK_STS_NOTSUPP;
	}
}

/* Number of frames if the request's own pages are granted, 0 if they cannot. */
static unsigned int count_direct(struct request *rq, bool trusted)
{
	/* The peer sees whole frames, and sectors are all it understands. */
	unsigned int mask = trusted ? SECTOR_SIZE - 1 : XEN_PAGE_SIZE - 1;
	unsigned int frames = 0;
	struct req_iterator iter;
	struct bio_vec bv;

	rq_for_each_bvec(bv, rq, iter) {
		if ((bv.bv_offset | bv.bv_len) & mask)
			return 0;
		frames += XEN_PFN_UP((bv.bv_offset & ~XEN_PAGE_MASK) +
				     bv.bv_len);
	}
	return frames;
}

/*
 * Choose the transport. Grants of a persistent peer must stay what they are,
 * so data is copied; otherwise copying is for what cannot be granted or is so
 * fragmented that packing it halves the frames.
 */
static unsigned int plan_frames(const struct blkfront *info, struct request *rq,
				struct blkfront_io *io)
{
	unsigned int packed = XEN_PFN_UP(blk_rq_bytes(rq));
	unsigned int direct;

	io->bounce = true;
	if (info->persistent)
		return packed;

	direct = count_direct(rq, info->trusted);
	if (!direct || direct > 2 * packed ||
	    direct > BLKFRONT_MIN_ENTRIES * info->segs)
		return packed;
	io->bounce = false;
	return direct;
}

static void plan_parts(const struct blkfront *info, struct blkfront_io *io,
		       unsigned int frames)
{
	io->parts = frames > info->segs ? DIV_ROUND_UP(frames, info->segs) : 1;
	io->data.nr = frames;
	io->descs.nr = 0;
	if (frames > BLKIF_MAX_SEGMENTS_PER_REQUEST &&
	    info->segs > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		io->descs.nr = io->parts;
}

static void plan(const struct blkfront *info, struct request *rq,
		 struct blkfront_io *io)
{
	unsigned int frames = 0;

	io->status = BLK_STS_OK;
	io->bounce = true;
	if (io->op == BLKIF_OP_READ || io->op == BLKIF_OP_WRITE)
		frames = plan_frames(info, rq, io);
	plan_parts(info, io, frames);
}

static bool take_grants(struct grant_pool *pool, struct blkfront_io *io)
{
	unsigned int frames = io->data.nr;
	unsigned int descs = io->descs.nr;

	if (!frames)
		return true;
	if (io->bounce)
		return grant_pool_take_pages(pool, frames + descs, &io->data);
	if (!grant_pool_take_refs(pool, frames, &io->data))
		return false;
	if (!descs || grant_pool_take_pages(pool, descs, &io->descs))
		return true;
	grant_pool_put_refs(pool, &io->data);
	return false;
}

/* Bounced requests take all pages in one piece; descriptors come first. */
static void split_descs(struct blkfront_io *io)
{
	unsigned int descs = io->descs.nr;
	struct grant *g = io->data.head;
	unsigned int i;

	io->descs.head = g;
	for (i = 1; i < descs; i++)
		g = g->next;
	io->descs.tail = g;
	io->data.head = g->next;
	io->data.nr -= descs;
}

static bool reserve(struct blkfront_ring *ring, struct blkfront_io *io)
{
	unsigned int i;
	u16 *id;

	lockdep_assert_held(&ring->lock);

	if (ring->nr_free < io->parts || !take_grants(&ring->pool, io))
		return false;

	io->id = ring->free_id;
	id = &ring->free_id;
	for (i = 0; i < io->parts; i++)
		id = &ring->slots[*id].next;
	ring->free_id = *id;
	ring->nr_free -= io->parts;
	return true;
}

/*
 * The pool's floor is enough for any packed request: one that needs more
 * frames without packing is copied rather than left waiting for ever.
 */
static bool reserve_idle(struct blkfront_ring *ring, struct request *rq,
			 struct blkfront_io *io)
{
	if (io->bounce || ring->nr_free != ring->front.entries)
		return false;
	io->bounce = true;
	plan_parts(ring->info, io, XEN_PFN_UP(blk_rq_bytes(rq)));
	return reserve(ring, io);
}

/*
 * Nothing can be reserved. If some request is in flight, its completion
 * restarts the queue; else blk-mq tries again soon. BLK_STS_DEV_RESOURCE would
 * be wrong in both cases: blk-mq then relies on a restart after it has taken
 * the request back, but ours may come before that.
 */
static blk_status_t starve(struct blkfront_ring *ring,
			   struct blk_mq_hw_ctx *hctx)
{
	lockdep_assert_held(&ring->lock);

	if (!ring->live)
		return ring->info->state == BLKFRONT_DEAD ? BLK_STS_IOERR :
							    BLK_STS_RESOURCE;
	if (ring->nr_free != ring->front.entries) {
		ring->stopped = true;
		blk_mq_stop_hw_queue(hctx);
	}
	return BLK_STS_RESOURCE;
}

static void grant_direct(const struct blkfront_ring *ring, struct request *rq,
			 struct blkfront_io *io)
{
	bool readonly = io->op == BLKIF_OP_WRITE;
	struct grant *g = io->data.head;
	domid_t domid = ring->pool.domid;
	unsigned int off, len, n;
	struct req_iterator iter;
	unsigned long pfn;
	struct bio_vec bv;

	rq_for_each_bvec(bv, rq, iter) {
		pfn = page_to_xen_pfn(bv.bv_page) + XEN_PFN_DOWN(bv.bv_offset);
		off = bv.bv_offset & ~XEN_PAGE_MASK;
		for (len = bv.bv_len; len; len -= n, off = 0, pfn++) {
			n = min_t(unsigned int, len, XEN_PAGE_SIZE - off);
			gnttab_grant_foreign_access_ref(g->ref, domid,
							pfn_to_gfn(pfn),
							readonly);
			g->first = off >> SECTOR_SHIFT;
			g->last = g->first + (n >> SECTOR_SHIFT) - 1;
			g = g->next;
		}
	}
}

static void fill_data(struct blkfront_ring *ring, struct request *rq,
		      struct blkfront_io *io)
{
	if (io->bounce) {
		if (io->descs.nr)
			split_descs(io);
		if (io->op == BLKIF_OP_WRITE)
			blkfront_copy_in(rq, io->data.head);
	} else {
		grant_direct(ring, rq, io);
	}
}

/* Written by field, so that the padding stays as zeroed. */
static void fill_packed(struct blkif_request_segment *seg, struct cursor *cur,
			unsigned int nr)
{
	unsigned int bytes = min_t(unsigned int, cur->packed,
				   nr * XEN_PAGE_SIZE);
	const struct grant *g = cur->grant;

	for (; nr; nr--, seg++, g = g->next) {
		seg->gref = g->ref;
		seg->first_sect = 0;
		seg->last_sect = BLK_SECTORS_PER_FRAME - 1;
	}
	seg[-1].last_sect = ((bytes - 1) & ~XEN_PAGE_MASK) >> SECTOR_SHIFT;
	cur->sector += bytes >> SECTOR_SHIFT;
	cur->packed -= bytes;
	cur->grant = g;
}

static void fill_segs(struct blkif_request_segment *seg, struct cursor *cur,
		      unsigned int nr)
{
	const struct grant *g = cur->grant;

	cur->left -= nr;
	if (cur->packed) {
		fill_packed(seg, cur, nr);
		return;
	}
	for (; nr; nr--, seg++, g = g->next) {
		seg->gref = g->ref;
		seg->first_sect = g->first;
		seg->last_sect = g->last;
		cur->sector += g->last - g->first + 1;
	}
	cur->grant = g;
}

static size_t build_direct(struct blkif_request *req,
			   const struct blkfront *info, u8 op, u16 id,
			   struct cursor *cur)
{
	unsigned int nr = min(cur->left, info->segs);

	nr = min_t(unsigned int, nr, BLKIF_MAX_SEGMENTS_PER_REQUEST);
	req->operation = op;
	req->u.rw.nr_segments = nr;
	req->u.rw.handle = info->handle;
	req->u.rw.id = id;
	req->u.rw.sector_number = cur->sector;
	fill_segs(req->u.rw.seg, cur, nr);
	return offsetof(struct blkif_request, u.rw.seg[nr]);
}

static size_t build_indirect(struct blkif_request *req,
			     const struct blkfront *info, u8 op, u16 id,
			     struct cursor *cur, const struct grant *desc)
{
	unsigned int nr = min(cur->left, info->segs);

	req->operation = BLKIF_OP_INDIRECT;
	req->u.indirect.indirect_op = op;
	req->u.indirect.nr_segments = nr;
	req->u.indirect.handle = info->handle;
	req->u.indirect.id = id;
	req->u.indirect.sector_number = cur->sector;
	req->u.indirect.indirect_grefs[0] = desc->ref;
	fill_segs(page_address(desc->page), cur, nr);
	return sizeof(*req);
}

static size_t build_discard(struct blkif_request *req, struct request *rq,
			    u16 id)
{
	req->operation = BLKIF_OP_DISCARD;
	if (req_op(rq) == REQ_OP_SECURE_ERASE)
		req->u.discard.flag = BLKIF_DISCARD_SECURE;
	req->u.discard.id = id;
	req->u.discard.sector_number = blk_rq_pos(rq);
	req->u.discard.nr_sectors = blk_rq_sectors(rq);
	return sizeof(*req);
}

/*
 * A flush takes time, and is mostly sent while the write before it is under way:
 * who handed over for that would wait twice.
 */
static bool is_flush(u8 op)
{
	return op == BLKIF_OP_FLUSH_DISKCACHE || op == BLKIF_OP_WRITE_BARRIER;
}

/* What is left to do when requests are published and the lock is released. */
struct kick {
	bool notify;
	bool hand_over;
};

/*
 * Whether the sender is about to wait for a backend that answers at once. Where
 * another thread wants to run, there is something better to do.
 */
static bool hands_over(struct blkfront_ring *ring)
{
	return handover_due(&ring->handover, blkfront_inflight(ring)) &&
	       READ_ONCE(blkfront_params.hand_over) && single_task_running();
}

/* Show the backend all requests, with an event for the answers if need be. */
static struct kick publish(struct blkfront_ring *ring)
{
	struct kick kick = {};

	lockdep_assert_held(&ring->lock);

	if (ring->front.req_prod == ring->front.req_published)
		return kick;
	kick.hand_over = hands_over(ring);
	if (kick.hand_over)
		blkfront_disarm(ring);
	else if (!ring->armed)
		blkfront_arm(ring);
	kick.notify = ring_front_push(&ring->front);
	return kick;
}

static void carry_out(struct blkfront_ring *ring, struct kick kick)
{
	if (kick.notify)
		event_channel_notify(&ring->ec);
	if (kick.hand_over)
		blkfront_hand_over(ring);
}

/*
 * Put all parts into the ring. When the last is there, the request may be
 * completed and gone at any time.
 */
static struct kick put_parts(struct blkfront_ring *ring, struct request *rq,
			     struct blkfront_io *io, bool push)
{
	struct cursor cur = {
		.grant = io->data.head,
		.left = io->data.nr,
		.packed = io->bounce ? blk_rq_bytes(rq) : 0,
		.sector = blk_rq_pos(rq),
	};
	const struct grant *desc = io->descs.nr ? io->descs.head : NULL;
	unsigned int parts = io->parts;
	struct blkfront_slot *slot;
	u16 id = io->id, next;
	struct kick kick = {};
	u8 op = io->op;
	size_t len;

	/* Only flushes have no data: the position of those is meaningless. */
	if (!cur.left)
		cur.sector = 0;

	for (; parts; parts--, id = next) {
		/* Also the padding: the backend sees all of it. */
		struct blkif_request req;

		memset(&req, 0, sizeof(req));
		slot = &ring->slots[id];
		next = slot->next;
		if (op == BLKIF_OP_DISCARD) {
			len = build_discard(&req, rq, id);
		} else if (desc) {
			len = build_indirect(&req, ring->info, op, id, &cur,
					     desc);
			desc = desc->next;
		} else {
			len = build_direct(&req, ring->info, op, id, &cur);
		}

		spin_lock_bh(&ring->lock);
		slot->rq = rq;
		slot->op = op;
		if (is_flush(op))
			handover_note_event(&ring->handover, HANDOVER_NO_DEPTH);
		ring_front_put(&ring->front, &req, len);
		if (push && parts == 1)
			kick = publish(ring);
		spin_unlock_bh(&ring->lock);
	}
	return kick;
}

static blk_status_t blkfront_queue_rq(struct blk_mq_hw_ctx *hctx,
				      const struct blk_mq_queue_data *bd)
{
	struct blkfront_ring *ring = hctx->driver_data;
	struct request *rq = bd->rq;
	struct blkfront_io *io = blkfront_io(rq);
	blk_status_t status;

	status = choose_op(ring->info, rq, io);
	if (status)
		return status;
	if (unlikely(req_op(rq) == REQ_OP_FLUSH && !io->op)) {
		/* Support was withdrawn; see refused() in complete.c. */
		blk_mq_start_request(rq);
		blk_mq_end_request(rq, BLK_STS_OK);
		return BLK_STS_OK;
	}
	plan(ring->info, rq, io);

	spin_lock_bh(&ring->lock);
	if (unlikely(!ring->live ||
		     (!reserve(ring, io) && !reserve_idle(ring, rq, io))))
		status = starve(ring, hctx);
	spin_unlock_bh(&ring->lock);
	if (status)
		return status;

	blk_mq_start_request(rq);
	if (io->data.nr)
		fill_data(ring, rq, io);
	carry_out(ring, put_parts(ring, rq, io, bd->last));
	return BLK_STS_OK;
}

static void blkfront_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct blkfront_ring *ring = hctx->driver_data;
	struct kick kick = {};

	spin_lock_bh(&ring->lock);
	if (ring->live)
		kick = publish(ring);
	spin_unlock_bh(&ring->lock);
	carry_out(ring, kick);
}

/* Only a lost event can be cured here; slow backends are not an error. */
static enum blk_eh_timer_return blkfront_timeout(struct request *rq)
{
	struct blkfront_ring *ring = rq->mq_hctx->driver_data;

	tasklet_schedule(&ring->tasklet);
	return BLK_EH_RESET_TIMER;
}

static int blkfront_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			      unsigned int index)
{
	struct blkfront *info = data;

	hctx->driver_data = &info->rings[index % info->nr_rings];
	return 0;
}

const struct blk_mq_ops blkfront_mq_ops = {
	.queue_rq = blkfront_queue_rq,
	.commit_rqs = blkfront_commit_rqs,
	.timeout = blkfront_timeout,
	.init_hctx = blkfront_init_hctx,
};

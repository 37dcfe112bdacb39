// SPDX-License-Identifier: GPL-2.0
/*
 * A ring's thread: requests off the ring, through the pipeline, responses on.
 */
#include "blkback.h"

#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>

/* Requests taken in one pass: enough to share a hypercall, few enough that the
 * first one does not wait long.
 */
#define PASS_REQUESTS	32

/* How long a ring waits for memory, or for a page that a device still holds. */
#define RETRY_DELAY	msecs_to_jiffies(5)

static void ring_broken(struct blkback_ring *ring, const char *why, u32 value)
{
	dev_err_ratelimited(&ring->vbd->dev->dev,
			    "ring %u: %s (%u); device stopped\n",
			    ring->index, why, value);
	WRITE_ONCE(ring->broken, true);
	WRITE_ONCE(ring->vbd->failed, true);
	blkback_kick(ring->vbd);
}

static void complain(struct blkback_ring *ring, const struct blkback_req *req,
		     enum blk_reject why)
{
	dev_err_ratelimited(&ring->vbd->dev->dev,
			    "ring %u slot %u: operation %u refused: %s (sector %llu, %u segments)\n",
			    ring->index,
			    (ring->back.req_cons - 1) & (ring->back.entries - 1),
			    req->wire.op, blk_reject_text(why),
			    req->wire.sector, req->wire.nr_segs);
}

static struct blkback_req *unused_req(struct blkback_ring *ring)
{
	struct llist_node *node = ring->unused ?: llist_del_all(&ring->freed);

	if (!node)
		return NULL;
	ring->unused = node->next;
	return llist_entry(node, struct blkback_req, done);
}

static struct blkback_req *alloc_req(struct blkback_ring *ring)
{
	struct blkback_req *req;

	req = unused_req(ring) ?: kmem_cache_alloc(blkback_req_cache,
						   GFP_NOIO | __GFP_NOWARN);
	if (!req)
		return NULL;
	req->ring = ring;
	req->err = 0;
	req->rejected = 0;
	req->transport = BLKBACK_NO_DATA;
	req->mapped = 0;
	req->desc = NULL;
	req->large = NULL;
	req->vecs = req->inline_vecs;
	req->segs = req->inline_segs;
	return req;
}

void blkback_free_requests(struct blkback_ring *ring)
{
	struct blkback_req *req;

	while ((req = unused_req(ring)))
		kmem_cache_free(blkback_req_cache, req);
}

/* Everything about a request that its slot alone can tell. */
static enum blk_reject take_slot(struct blkback_ring *ring,
				 struct blkback_req *req)
{
	const struct blk_limits *limits = &ring->vbd->limits;
	enum blk_reject why;
	union blk_slot slot;

	ring_back_get(&ring->back, &slot, ring->back.slot_size);
	why = blk_parse_slot(ring->abi, &slot, limits, &req->wire);
	if (why || req->wire.indirect || !req->wire.nr_segs)
		return why;

	return blk_parse_segments(req->wire.seg, limits, &req->wire);
}

static void refuse(struct blkback_ring *ring, struct blkback_req *req,
		   enum blk_reject why)
{
	complain(ring, req, why);
	req->rejected = blk_reject_status(why);
	req->wire.nr_segs = 0;
}

/*
 * Whether the ring may take on more. Its share of mapped and copied pages is
 * limited (XSA-300), but one request always goes.
 */
static bool has_room(const struct blkback_ring *ring)
{
	int segs = atomic_read(&ring->segs);

	return !segs || segs + BLKBACK_MAX_SEGMENTS <= ring->max_segs;
}

static struct blkback_req *next_req(struct blkback_ring *ring)
{
	struct blkback_req *req = NULL;

	if (!has_room(ring)) {
		/* respond() wakes the thread. */
		WRITE_ONCE(ring->throttled, true);
	} else {
		req = alloc_req(ring);
		/* Time will help. */
		ring->stuck = !req;
	}
	ring->stats->oo_req += !req;
	return req;
}

static unsigned int gather(struct blkback_ring *ring, struct list_head *batch)
{
	int avail = ring_back_pending(&ring->back);
	struct blkback_req *req;
	enum blk_reject why;
	unsigned int n;

	if (avail < 0) {
		ring_broken(ring, "impossible request producer index",
			    ring_load(&ring->back.shared->req_prod));
		return 0;
	}

	for (n = 0; n < min(avail, PASS_REQUESTS); n++) {
		req = next_req(ring);
		if (!req)
			break;

		why = take_slot(ring, req);
		if (unlikely(why))
			refuse(ring, req, why);
		list_add_tail(&req->batch, batch);
		req->charged = req->wire.nr_segs;
		atomic_add(req->charged, &ring->segs);

		/* What comes after a barrier must not start before it. */
		if (req->wire.op == BLKIF_OP_WRITE_BARRIER) {
			n++;
			break;
		}
	}
	atomic_add(n, &ring->requests);
	return n;
}

static void use_large(struct blkback_req *req)
{
	size_t n = req->wire.nr_segs;

	if (n <= ARRAY_SIZE(req->inline_segs))
		return;
	/* Bounded by what the ring may have in flight; see has_room(). */
	req->large = kmalloc(n * (sizeof(*req->vecs) + sizeof(*req->segs)),
			     GFP_NOIO | __GFP_NOFAIL);
	req->vecs = req->large;
	req->segs = req->large + n * sizeof(*req->vecs);
}

static void parse_indirect(struct blkback_ring *ring, struct blkback_req *req)
{
	enum blk_reject why;

	if (req->err)
		return;
	why = blk_parse_segments(blkback_segments(req), &ring->vbd->limits,
				 &req->wire);
	if (unlikely(why))
		refuse(ring, req, why);
	else
		use_large(req);
}

static void fetch_indirect(struct blkback_ring *ring, struct list_head *batch)
{
	struct blkback_req *req;

	blkback_fetch_segments(ring, batch);
	list_for_each_entry(req, batch, batch)
		if (req->desc)
			parse_indirect(ring, req);
}

/* One trip of all waiting requests through the pipeline. */
static bool ring_pass(struct blkback_ring *ring)
{
	LIST_HEAD(batch);

	if (!gather(ring, &batch))
		return false;

	WRITE_ONCE(ring->in_pass, true);
	fetch_indirect(ring, &batch);
	blkback_transfer_in(ring, &batch);
	blkback_submit(ring, &batch);
	WRITE_ONCE(ring->in_pass, false);
	/* Pairs with the full barrier of llist_add() in blkback_done(). */
	smp_mb();
	return true;
}

static s16 response_status(const struct blkback_req *req)
{
	if (req->rejected)
		return req->rejected;
	if (req->err == -EOPNOTSUPP)
		return BLKIF_RSP_EOPNOTSUPP;
	return req->err ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY;
}

static void put_response(struct blkback_ring *ring,
			 const struct blkback_req *req)
{
	if (ring->abi == BLK_ABI_64) {
		struct blk_64_response rsp = {
			.id = req->wire.id,
			.operation = req->wire.op,
			.status = response_status(req),
		};

		ring_back_put(&ring->back, &rsp, sizeof(rsp));
	} else {
		struct blk_x86_32_response rsp = {
			.id = req->wire.id,
			.operation = req->wire.op,
			.status = response_status(req),
		};

		ring_back_put(&ring->back, &rsp, sizeof(rsp));
	}
}

/* Answer requests that need nothing any more: one push, at most one event. */
static void respond(struct blkback_ring *ring, struct llist_node *list)
{
	struct llist_node *last = NULL;
	struct blkback_req *req;
	unsigned int n = 0, segs = 0;
	bool notify;

	spin_lock_bh(&ring->lock);
	llist_for_each_entry(req, list, done)
		put_response(ring, req);
	notify = ring_back_push(&ring->back);
	spin_unlock_bh(&ring->lock);

	if (notify)
		event_channel_notify(&ring->ec);

	llist_for_each_entry(req, list, done) {
		n++;
		segs += req->charged;
		kfree(req->large);
		last = &req->done;
	}
	llist_add_batch(list, last, &ring->freed);
	atomic_sub(segs, &ring->segs);
	/* Last: with no request left, the ring may go away. */
	if (atomic_sub_and_test(n, &ring->requests) ||
	    READ_ONCE(ring->throttled))
		wake_up_process(ring->thread);
}

void blkback_flush(struct tasklet_struct *tasklet)
{
	struct blkback_ring *ring = from_tasklet(ring, tasklet, flush);
	struct llist_node *node, *next, *ready = NULL;
	struct blkback_req *req;
	bool late = false;

	node = llist_reverse_order(llist_del_all(&ring->done));
	for (; node; node = next) {
		next = node->next;
		req = llist_entry(node, struct blkback_req, done);
		if (blkback_needs_thread(req)) {
			llist_add(node, &ring->late);
			late = true;
		} else {
			node->next = ready;
			ready = node;
		}
	}
	if (late)
		wake_up_process(ring->thread);
	if (ready)
		respond(ring, llist_reverse_order(ready));
}

void blkback_done(struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;
	struct blkback_vbd *vbd = ring->vbd;

	if (atomic_dec_and_test(&ring->inflight) && READ_ONCE(vbd->barrier))
		wake_up(&vbd->barrier_wait);

	/* Once it is in the list the request may be answered, and the ring go
	 * away: disconnect_rings() waits for this.
	 */
	rcu_read_lock();
	/* In a pass the thread itself answers at the end of it, all at once. */
	if (llist_add(&req->done, &ring->done) && !READ_ONCE(ring->in_pass))
		tasklet_schedule(&ring->flush);
	rcu_read_unlock();
}

/* Requests whose I/O has ended, with whatever their answer needs. */
static bool flush_in_thread(struct blkback_ring *ring)
{
	struct llist_node *list = llist_del_all(&ring->late);
	struct llist_node *done = llist_del_all(&ring->done);
	struct llist_node **tail = &list;

	while (*tail)
		tail = &(*tail)->next;
	*tail = done;
	if (!list)
		return false;

	list = blkback_transfer_out(ring, llist_reverse_order(list));
	if (list)
		respond(ring, list);
	return !ring->stuck;
}

static bool work_waits(struct blkback_ring *ring)
{
	return !llist_empty(&ring->done) ||
	       (!llist_empty(&ring->late) && !ring->stuck);
}

/*
 * Look at the ring a little longer before asking for an event: the frontend's
 * next request usually comes soon, and then costs neither side an event. The
 * CPU is offered to other domains meanwhile, so that where they share it the
 * frontend gets to run; but not before threads of this domain, one of which may
 * be about to end I/O.
 */
static bool poll_ring(struct blkback_ring *ring)
{
	u64 end = local_clock() + blkback_poll_us * (u64)NSEC_PER_USEC;

	if (!blkback_poll_us || ring->broken || ring->throttled)
		return false;
	while (single_task_running() && !kthread_should_stop()) {
		event_channel_yield();
		if (ring_back_pending(&ring->back) || work_waits(ring))
			return true;
		if (local_clock() >= end)
			return false;
	}
	return false;
}

static void eoi(struct blkback_ring *ring)
{
	/* A broken ring's frontend is not heard any more. */
	if (!READ_ONCE(ring->event) || ring->broken)
		return;
	WRITE_ONCE(ring->event, false);
	event_channel_eoi(&ring->ec, ring->worked);
	ring->worked = false;
}

static bool must_run(struct blkback_ring *ring)
{
	if (work_waits(ring) || kthread_should_stop())
		return true;
	if (ring->broken || ring->stuck)
		return false;
	/* Set before this check; respond() makes room and then looks at it. */
	if (ring->throttled)
		return has_room(ring);
	return ring_back_arm(&ring->back, 1) != 0;
}

static long sleep_time(const struct blkback_ring *ring)
{
	return ring->stuck ? RETRY_DELAY : MAX_SCHEDULE_TIMEOUT;
}

static void ring_sleep(struct blkback_ring *ring)
{
	set_current_state(TASK_INTERRUPTIBLE);
	if (!must_run(ring)) {
		eoi(ring);
		schedule_timeout(sleep_time(ring));
	}
	__set_current_state(TASK_RUNNING);
	ring->stuck = false;
	WRITE_ONCE(ring->throttled, false);
}

irqreturn_t blkback_interrupt(int irq, void *data)
{
	struct blkback_ring *ring = data;

	WRITE_ONCE(ring->event, true);
	wake_up_process(ring->thread);
	return IRQ_HANDLED;
}

/* Answer everything that was taken; nothing new is taken. */
static void drain(struct blkback_ring *ring)
{
	while (atomic_read(&ring->requests)) {
		flush_in_thread(ring);
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (atomic_read(&ring->requests) && !work_waits(ring))
			schedule_timeout(ring->stuck ? RETRY_DELAY : HZ);
		__set_current_state(TASK_RUNNING);
		ring->stuck = false;
	}
}

/* Give everything back; what a device below still holds, when it no longer does. */
static void let_go(struct blkback_ring *ring)
{
	blkback_purge(ring, 0);
	while (ring->foreign.nr) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_timeout(RETRY_DELAY);
		blkback_purge(ring, 0);
	}
}

int blkback_ring_thread(void *arg)
{
	struct blkback_ring *ring = arg;
	bool worked;

	while (!kthread_should_stop()) {
		worked = !ring->broken && ring_pass(ring);
		worked |= flush_in_thread(ring);
		if (worked) {
			ring->worked = true;
			cond_resched();
			continue;
		}
		blkback_purge_idle(ring);
		if (!poll_ring(ring))
			ring_sleep(ring);
	}

	drain(ring);
	let_go(ring);
	return 0;
}

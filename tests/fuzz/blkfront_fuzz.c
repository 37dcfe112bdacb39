// SPDX-License-Identifier: GPL-2.0
/*
 * blkfront's completion against a backend. Requests of one or more parts are in
 * the ring; the backend answers, mostly what was asked.
 *
 * Besides what peer.h checks: a request ends once, not before each of its parts
 * was answered, and not well if any of them failed; an answer to anything else
 * stops the ring; every grant comes back.
 */
#include "blkfront/blkfront.h"

#include "kernel.h"
#include "target.h"

#define MAX_RQS		16
#define MAX_STEPS	200

struct pdu {
	struct request rq;
	struct blkfront_io io;
	/* The truth, as the backend's answers make it. */
	unsigned int unanswered;
	bool failed;
	bool used;
};

/* What was published under an id. */
struct sent {
	struct pdu *of;
	u8 op;
};

struct blkfront_params blkfront_params;
struct workqueue_struct *blkfront_wq;
static struct blk_mq_hw_ctx hctx;
struct blk_mq_hw_ctx *kernel_hctx = &hctx;

static struct {
	struct blkfront info;
	struct blkfront_ring ring;
} dev;
static struct blkfront_ring *ring = &dev.ring;
static struct blkfront_slot slots[BLKFRONT_MIN_ENTRIES];
static struct sent sent[BLKFRONT_MIN_ENTRIES];
static struct pdu pdus[MAX_RQS];
static struct request_queue queue;
static struct gendisk disk = { &queue };
static struct xenbus_device xdev;
static struct peer_ring *memory;
static u32 rsp_prod;
static unsigned int steps;

static void produce(void);

static struct ring_shared *seen(void)
{
	return (struct ring_shared *)memory->behind;
}

/* --- what the block layer and other files do ----------------------------- */

static void ended(struct request *rq, blk_status_t status)
{
	struct pdu *pdu = container_of(rq, struct pdu, rq);

	MUST(pdu->used && !rq->ended++);
	MUST(!pdu->unanswered);
	if (pdu->failed)
		MUST(status != BLK_STS_OK);
	rq->status = status;
}

void blk_mq_end_request(struct request *rq, blk_status_t status)
{
	ended(rq, status);
}

void blk_mq_end_request_batch(struct io_comp_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->nr; i++)
		ended(batch->rqs[i], BLK_STS_OK);
}

void blk_mq_start_stopped_hw_queue(struct blk_mq_hw_ctx *h, bool async)
{
	MUST(!ring->lock.held);
}

void blkfront_schedule_shrink(struct blkfront *info)
{
}

void grant_pool_lost(struct grant_pool *pool, struct grant *grant)
{
	lockdep_assert_held(pool->lock);
	kfree(grant);
}

static void free_grants(struct grant *g, unsigned int nr)
{
	struct grant *next;

	for (; nr; nr--, g = next) {
		next = g->next;
		if (g->page)
			put_page(g->page);
		kfree(g);
	}
}

static void end_grants(const struct grant_list *list)
{
	struct grant *g = list->head;
	unsigned int i;

	for (i = 0; i < list->nr; i++, g = g->next)
		gnttab_end_foreign_access(g->ref, NULL);
}

/* --- requests ------------------------------------------------------------ */

static void add_grant(struct grant_list *list, struct page *page, bool bounce)
{
	struct grant *g = kmalloc(sizeof(*g), GFP_KERNEL | __GFP_NOFAIL);
	struct grant_list one = { g, g, 1 };

	*g = (struct grant) { .ref = kernel_ref() };
	if (bounce)
		g->page = alloc_page(__GFP_ZERO | __GFP_NOFAIL);
	else
		gnttab_page_grant_foreign_access_ref_one(g->ref, 0, page, 0);
	grant_list_join(list, &one);
}

static void add_data(struct pdu *pdu)
{
	unsigned int i;

	pdu->rq.nr = 1 + peer_below(3);
	for (i = 0; i < pdu->rq.nr; i++) {
		struct page *page = alloc_page(__GFP_ZERO | __GFP_NOFAIL);
		u32 first = peer_below(8), len = 1 + peer_below(8 - first);

		pdu->rq.vec[i] = (struct bio_vec) {
			.bv_page = page, .bv_offset = first * 512,
			.bv_len = len * 512,
		};
		add_grant(&pdu->io.data, page, pdu->io.bounce);
	}
	if (peer_below(4) == 3)
		add_grant(&pdu->io.descs, NULL, true);
}

static struct pdu *free_pdu(void)
{
	struct pdu *pdu;

	for (pdu = pdus; pdu < pdus + MAX_RQS; pdu++)
		if (!pdu->used)
			return pdu;
	return NULL;
}

static void send_part(struct pdu *pdu, u16 id)
{
	struct blkif_request req = { .operation = pdu->io.op };

	ring->slots[id].rq = &pdu->rq;
	ring->slots[id].op = pdu->io.op;
	sent[id] = (struct sent) { pdu, pdu->io.op };
	req.u.rw.id = id;
	ring_front_put(&ring->front, &req, sizeof(req));
}

/* A sender that waits gives the backend a turn; events of before may be there. */
void target_yield(void)
{
	MUST(!ring->lock.held);
	if (ring->live)
		produce();
}

static void submit(void)
{
	static const u8 ops[] = { BLKIF_OP_READ, BLKIF_OP_WRITE,
				  BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_DISCARD,
				  BLKIF_OP_WRITE_BARRIER };
	struct pdu *pdu = free_pdu();
	u16 parts = 1 + peer_below(3);
	bool hand_over;

	if (!pdu || !ring->live || parts > ring->nr_free)
		return;
	*pdu = (struct pdu) { .used = true, .unanswered = parts };
	pdu->io.parts = parts;
	pdu->io.op = ops[peer_below(ARRAY_SIZE(ops))];
	pdu->io.bounce = peer_below(2);
	if (pdu->io.op <= BLKIF_OP_WRITE)
		add_data(pdu);

	spin_lock(&ring->lock);
	while (parts--) {
		u16 id = ring->free_id;

		ring->free_id = ring->slots[id].next;
		ring->nr_free--;
		send_part(pdu, id);
	}
	hand_over = peer_below(4) == 3;
	if (hand_over)
		blkfront_disarm(ring);
	else if (!ring->armed)
		blkfront_arm(ring);
	ring_front_push(&ring->front);
	spin_unlock(&ring->lock);
	if (hand_over) {
		blkfront_hand_over(ring);
		/* Nothing is in flight whose answer causes no event. */
		MUST(!ring->live || ring->armed || ring->tasklet.scheduled ||
		     ring->nr_free == ring->front.entries);
	}
}

/* Give back what a request has, when nobody knows of it any more. */
static void forget(struct pdu *pdu)
{
	unsigned int i;

	if (!pdu->rq.ended) {
		if (!pdu->io.bounce)
			end_grants(&pdu->io.data);
		free_grants(pdu->io.data.head, pdu->io.data.nr);
		free_grants(pdu->io.descs.head, pdu->io.descs.nr);
	}
	for (i = 0; i < pdu->rq.nr; i++)
		put_page(pdu->rq.vec[i].bv_page);
	pdu->used = false;
}

/* --- the backend --------------------------------------------------------- */

static void put_response(void)
{
	u8 *slot = memory->behind + sizeof(struct ring_shared) +
		   (rsp_prod % ring->front.entries) * BLK_SLOT_SIZE_64;
	struct blkif_response rsp;
	u16 id = peer_below(ring->front.entries), i;

	/* The first one from there that waits. */
	for (i = 0; i < ring->front.entries && !sent[id].of; i++)
		id = (id + 1) % ring->front.entries;

	memset(&rsp, 0xa5, sizeof(rsp));
	rsp.id = peer_mostly(id, 64);
	rsp.operation = peer_mostly(sent[id].op, 8);
	rsp.status = peer_mostly(0, 16);
	__builtin_memcpy(slot, &rsp, sizeof(rsp));
	rsp_prod++;
}

static void produce(void)
{
	unsigned int n = peer_below(4);

	while (n-- && rsp_prod != ring->front.req_published &&
	       rsp_prod - ring->front.rsp_cons < ring->front.entries)
		put_response();
	seen()->rsp_prod = peer_mostly(rsp_prod, 32);
	seen()->req_event = peer_u32();
}

static void index_read(struct peer_ring *shared, size_t offset)
{
	u8 what = peer_u8();

	if (what >= 0xfc)
		seen()->rsp_prod = ~seen()->rsp_prod;
	else if (what >= 0xe0)
		produce();
}

/* What the response means, by what was sent. */
static void slot_read(struct peer_ring *shared, size_t offset, size_t len)
{
	struct blkif_response rsp;
	struct pdu *pdu;

	MUST(len == sizeof(rsp) && ring->live);
	__builtin_memcpy(&rsp, memory->behind + offset, sizeof(rsp));
	if (rsp.id >= ring->front.entries || !sent[rsp.id].of)
		return;
	pdu = sent[rsp.id].of;
	if (rsp.operation != sent[rsp.id].op &&
	    (rsp.operation != BLKIF_OP_INDIRECT ||
	     sent[rsp.id].op > BLKIF_OP_WRITE))
		return;
	sent[rsp.id].of = NULL;
	pdu->unanswered--;
	/* A flush that is not known is taken as done. */
	pdu->failed |= rsp.status && !(rsp.status == BLKIF_RSP_EOPNOTSUPP &&
		       (pdu->io.op == BLKIF_OP_FLUSH_DISKCACHE ||
			pdu->io.op == BLKIF_OP_WRITE_BARRIER));
}

/* --- */

static void begin(void)
{
	unsigned int i;

	kernel_reset();
	memory = peer_share(0, 4096);
	memset(&dev, 0, sizeof(dev));
	memset(slots, 0, sizeof(slots));
	memset(sent, 0, sizeof(sent));
	memset(pdus, 0, sizeof(pdus));
	steps = 0;
	dev.info.disk = &disk;
	dev.info.xbdev = &xdev;
	dev.info.flush_op = BLKIF_OP_FLUSH_DISKCACHE;
	ring->info = &dev.info;
	ring->slots = slots;
	ring->live = true;
	ring->pool.lock = &ring->lock;
	hctx.driver_data = ring;
	ring_front_init(&ring->front, (struct ring_shared *)memory->window,
			4096, BLK_SLOT_SIZE_64);
	for (i = 0; i < ring->front.entries; i++)
		slots[i].next = i + 1;
	ring->nr_free = ring->front.entries;
	rsp_prod = 0;
}

static void run_tasklet(void)
{
	blkfront_interrupt(0, ring);
	while (ring->tasklet.scheduled) {
		MUST(steps++ < 10 * MAX_STEPS);
		ring->tasklet.scheduled = false;
		blkfront_complete(&ring->tasklet);
		MUST(!ring->lock.held);
	}
}

static void finish(void)
{
	unsigned int i;

	for (i = 0; i < MAX_RQS; i++)
		if (pdus[i].used)
			forget(&pdus[i]);
	free_grants(ring->pool.pages.top, ring->pool.pages.nr);
	free_grants(ring->pool.refs.top, ring->pool.refs.nr);
	kernel_reset();
}

void target_run(void)
{
	struct pdu *pdu;

	begin();
	peer_acts = (struct peer_acts) {
		.index_read = index_read, .slot_read = slot_read,
	};
	while (peer_input_left() && steps++ < MAX_STEPS) {
		ring->stopped |= peer_u8() & 1;
		submit();
		submit();
		produce();
		run_tasklet();
		for (pdu = pdus; pdu < pdus + MAX_RQS; pdu++)
			if (pdu->used && pdu->rq.ended)
				forget(pdu);
	}
	finish();
}

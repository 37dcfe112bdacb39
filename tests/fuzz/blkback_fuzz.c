// SPDX-License-Identifier: GPL-2.0
/*
 * blkback's ring thread and parser against a frontend. Requests are laid out by
 * Xen's own headers in either ABI, mostly valid. Transfers and I/O are stood in
 * for: they check what the parser promises, end when they like, and fail at times.
 *
 * Besides what peer.h checks: each request is answered once, with its id and
 * operation and a status that the protocol has; all that was taken is answered
 * before the thread ends; requests keep to the limits of the device.
 */
#include "blkback/blkback.h"

#include "kernel.h"
#include "target.h"
#include "wire.h"

#define MAX_TAKEN	64
#define MAX_STEPS	300

/* What a frontend was promised an answer to. */
struct taken {
	u64 id;
	u8 op;
};

unsigned int blkback_poll_us;
struct workqueue_struct *blkback_wq;
static struct kmem_cache req_cache = { sizeof(struct blkback_req) };
struct kmem_cache *blkback_req_cache = &req_cache;

static const struct blk_limits devices[] = {
	{ .capacity = 1 << 20, .block_sectors = 1, .discard = true,
	  .secure = true },
	{ .capacity = 1 << 20, .block_sectors = 1, .discard = true,
	  .readonly = true },
	{ .capacity = 4096, .block_sectors = 8, .discard = true },
	{ .capacity = ~0ULL, .block_sectors = 2 },
	{ .capacity = 0, .block_sectors = 1 },
};

static const struct wire_layout *layout;
static struct peer_ring *memory;
static struct blkback_vbd vbd;
static struct blkback_stats stats;
static struct blkback_ring ring;
static struct xenbus_device xdev;
static struct task_struct thread;
static struct taken taken[MAX_TAKEN];
static unsigned int nr_taken, steps;
static struct list_head io;
static u32 prod, answered;

static struct ring_shared *seen(void)
{
	return (struct ring_shared *)memory->behind;
}

/* --- the frontend -------------------------------------------------------- */

static void valid_segment(struct wire_segment *seg)
{
	u8 how = peer_u8();

	seg->ref = peer_mostly(8 + how, 32);
	seg->first = peer_mostly(how & 0x40 ? 0 : how & 7, 8);
	seg->last = peer_mostly(how & 0x80 ? seg->first : 7, 8);
	if (vbd.limits.block_sectors == 8 && !peer_rarely()) {
		seg->first = 0;
		seg->last = 7;
	}
}

static void invent(struct wire_request *wire)
{
	static const u8 ops[] = {
		BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_INDIRECT,
		BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_DISCARD,
		BLKIF_OP_WRITE_BARRIER, BLKIF_OP_INDIRECT, BLKIF_OP_READ,
	};
	unsigned int i;

	*wire = (struct wire_request) {};
	wire->op = peer_mostly(ops[peer_u8() % 8], 8);
	wire->indirect_op = peer_mostly(peer_u8() & 1, 8);
	wire->flag = peer_mostly(peer_u8() & 1, 8);
	wire->id = peer_mostly(prod, 64);
	wire->sector = peer_mostly((u64)peer_u8() * 8, 64);
	wire->nr_sectors = peer_mostly((u64)peer_u8() * 8, 64);
	wire->nr_segs = 1 + peer_below(wire->op == BLKIF_OP_INDIRECT ? 256 : 11);
	wire->nr_segs = peer_mostly(wire->nr_segs,
				    wire->op == BLKIF_OP_INDIRECT ? 16 : 8);
	if (wire->op == BLKIF_OP_FLUSH_DISKCACHE && !peer_rarely())
		wire->nr_segs = 0;
	for (i = 0; i < WIRE_SEGS && i < wire->nr_segs; i++)
		valid_segment(&wire->seg[i]);
	for (i = 0; i < WIRE_INDIRECT_FRAMES; i++)
		wire->frame[i] = 40 + i;
}

static void put_request(void)
{
	u8 *slot = memory->behind + sizeof(struct ring_shared) +
		   (prod % ring.back.entries) * layout->slot_size;
	struct wire_request wire;
	unsigned int i;

	if (peer_rarely()) {
		for (i = 0; i < layout->slot_size; i++)
			slot[i] = peer_u8();
	} else {
		invent(&wire);
		memset(slot, peer_u8(), layout->slot_size);
		layout->put_request(slot, &wire);
	}
	prod++;
}

/* Some requests; and the truth, or rarely something else, in the index. */
static void produce(void)
{
	unsigned int n = peer_below(4);

	while (n-- && prod - answered < ring.back.entries)
		put_request();
	seen()->req_prod = peer_mostly(prod, 32);
	seen()->rsp_event = peer_mostly(answered + 1, 32);
}

static void index_read(struct peer_ring *shared, size_t offset)
{
	u8 what = peer_u8();

	if (what >= 0xfc)
		seen()->req_prod = ~seen()->req_prod;
	else if (what >= 0xe0)
		produce();
}

/* The slot as it is read, in a layout that is not the parser's. */
static void slot_read(struct peer_ring *shared, size_t offset, size_t len)
{
	const u8 *slot = memory->behind + offset;
	struct taken *t = &taken[nr_taken++];

	MUST(len == layout->slot_size);
	MUST(nr_taken <= ring.back.entries);
	t->op = slot[0] == BLKIF_OP_INDIRECT ? slot[1] : slot[0];
	memcpy(&t->id, slot + (layout == &wire_64 ? 8 : 4), sizeof(t->id));
}

static void slot_written(struct peer_ring *shared, size_t offset, size_t len)
{
	struct wire_response rsp = layout->get_response(memory->behind + offset);
	unsigned int i;

	MUST(len == layout->response_size);
	MUST((offset - sizeof(struct ring_shared)) / layout->slot_size ==
	     answered % ring.back.entries);
	MUST(rsp.status == BLKIF_RSP_OKAY || rsp.status == BLKIF_RSP_ERROR ||
	     rsp.status == BLKIF_RSP_EOPNOTSUPP);
	for (i = 0; i < nr_taken; i++)
		if (taken[i].id == rsp.id && taken[i].op == rsp.op)
			break;
	if (i == nr_taken)
		CAUGHT("response %llu to operation %u answers nothing",
		       (unsigned long long)rsp.id, rsp.op);
	taken[i] = taken[--nr_taken];
	answered++;
}

/* --- transfers and I/O --------------------------------------------------- */

static void put_descriptors(struct blkif_request_segment *seg, unsigned int nr)
{
	unsigned int i, at;

	for (i = 0; i < nr; i++)
		seg[i] = (struct blkif_request_segment) {
			.gref = 100 + i, .last_sect = 7,
		};
	for (i = peer_below(4); i && nr; i--) {
		at = peer_below(nr);
		seg[at].first_sect = peer_mostly(peer_u8() & 7, 8);
		seg[at].last_sect = peer_mostly(seg[at].first_sect, 8);
	}
}

void blkback_fetch_segments(struct blkback_ring *r, struct list_head *batch)
{
	struct blkback_req *req;

	list_for_each_entry(req, batch, batch) {
		if (!req->wire.indirect || req->rejected)
			continue;
		MUST(req->wire.nr_segs && req->wire.nr_segs <= 256);
		req->desc = alloc_page(GFP_NOIO);
		if (!req->desc)
			req->err = -ENOMEM;
		else if (peer_rarely())
			req->err = -EIO;
		else
			put_descriptors(page_address(req->desc),
					req->wire.nr_segs);
	}
}

static u64 sectors_of(const struct blkback_req *req)
{
	const struct blkif_request_segment *seg = blkback_segments(req);
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < req->wire.nr_segs; i++, seg++) {
		peer_must_be_set(&seg->gref, sizeof(seg->gref));
		MUST(seg->first_sect <= seg->last_sect);
		MUST(blk_seg_offset(seg) + blk_seg_len(seg) <= 4096);
		MUST(!(blk_seg_len(seg) % (vbd.limits.block_sectors * 512)));
		bytes += blk_seg_len(seg);
	}
	return bytes / 512;
}

static void check_promises(const struct blkback_req *req)
{
	const struct blk_request *wire = &req->wire;
	bool discard = wire->op == BLKIF_OP_DISCARD;
	unsigned __int128 end = wire->sector;

	if (req->err || req->rejected)
		return;
	MUST(wire->op <= BLKIF_OP_DISCARD && wire->op != 4);
	MUST(!vbd.limits.readonly || wire->op == BLKIF_OP_READ ||
	     (!wire->nr_segs && !discard));
	if (discard) {
		MUST(!wire->nr_segs && vbd.limits.discard);
		MUST(!wire->secure || vbd.limits.secure);
	} else {
		MUST(sectors_of(req) == wire->nr_sectors);
	}
	end += wire->nr_sectors;
	MUST(!wire->nr_sectors || end <= vbd.limits.capacity);
	MUST(!wire->nr_sectors || !(wire->sector % vbd.limits.block_sectors));
}

/*
 * XSA-300: a guest that has a backend map or copy more and more. Rule: the frames of
 * requests that were taken have a limit for each ring. Failure: more than that.
 */
static void xsa_300_segments_are_limited(const struct blkback_ring *r)
{
	MUST(atomic_read(&r->segs) <= r->max_segs);
}

void blkback_transfer_in(struct blkback_ring *r, struct list_head *batch)
{
	struct blkback_req *req;

	xsa_300_segments_are_limited(r);
	list_for_each_entry(req, batch, batch) {
		check_promises(req);
		if (req->desc)
			put_page(req->desc);
		req->desc = NULL;
		if (req->err || req->rejected || !req->wire.nr_segs)
			continue;
		req->transport = BLKBACK_MAP + peer_below(2);
		if (peer_rarely())
			req->err = -EFAULT;
	}
}

struct llist_node *blkback_transfer_out(struct blkback_ring *r,
					struct llist_node *list)
{
	if (list->next || !peer_rarely() || peer_u8() < 0x80)
		return list;
	/* Some page is still in use; later. */
	llist_add(list, &r->late);
	r->stuck = true;
	return NULL;
}

void blkback_submit(struct blkback_ring *r, struct list_head *batch)
{
	struct blkback_req *req;

	while (!list_empty(batch)) {
		req = list_entry(batch->next, struct blkback_req, batch);
		list_del(&req->batch);
		atomic_inc(&r->inflight);
		list_add_tail(&req->batch, &io);
		if (req->err || req->rejected || peer_u8() & 1) {
			list_del(&req->batch);
			blkback_done(req);
		}
	}
}

static void end_io(void)
{
	struct blkback_req *req;

	while (!list_empty(&io)) {
		req = list_entry(io.next, struct blkback_req, batch);
		list_del(&req->batch);
		if (peer_rarely())
			req->err = peer_below(2) ? -EIO : -EOPNOTSUPP;
		blkback_done(req);
	}
}

void blkback_purge_idle(struct blkback_ring *r)
{
	if (peer_u8() & 1)
		blkback_free_requests(r);
}

void blkback_purge(struct blkback_ring *r, u32 age)
{
	MUST(!atomic_read(&r->requests));
	blkback_free_requests(r);
}

/* --- the thread ---------------------------------------------------------- */

void target_yield(void)
{
	MUST(!ring.lock.held);
	if (peer_u8() & 1)
		end_io();
	if (ring.flush.scheduled && peer_u8() & 1) {
		ring.flush.scheduled = false;
		blkback_flush(&ring.flush);
	}
	produce();
}

long schedule_timeout(long timeout)
{
	MUST(steps++ < 10 * MAX_STEPS);
	end_io();
	if (ring.flush.scheduled) {
		ring.flush.scheduled = false;
		blkback_flush(&ring.flush);
	}
	produce();
	blkback_interrupt(0, &ring);
	return 0;
}

bool kthread_should_stop(void)
{
	if (!peer_input_left())
		steps += 20;
	return steps++ > MAX_STEPS;
}

static void begin(void)
{
	size_t bytes = 4096;

	kernel_reset();
	memory = peer_share(0, bytes);
	steps = 0;
	nr_taken = 0;
	INIT_LIST_HEAD(&io);
	vbd = (struct blkback_vbd) { .dev = &xdev };
	vbd.limits = devices[peer_below(ARRAY_SIZE(devices))];
	ring = (struct blkback_ring) {
		.vbd = &vbd, .stats = &stats, .thread = &thread,
		.abi = peer_below(2) ? BLK_ABI_X86_32 : BLK_ABI_64,
		.max_segs = peer_below(2) ? 256 : 1000,
	};
	layout = ring.abi == BLK_ABI_64 ? &wire_64 : &wire_32;
	blkback_poll_us = peer_below(2) * 20;

	prod = peer_mostly(0, 32);
	answered = prod;
	seen()->req_prod = prod;
	seen()->rsp_prod = prod;
	MUST(!ring_back_attach(&ring.back,
			       (struct ring_shared *)memory->window, bytes,
			       layout->slot_size));
}

void target_run(void)
{
	begin();
	peer_acts = (struct peer_acts) {
		.index_read = index_read, .slot_read = slot_read,
		.slot_written = slot_written,
	};
	produce();
	blkback_ring_thread(&ring);
	if (ring.flush.scheduled)
		blkback_flush(&ring.flush);
	if (nr_taken)
		CAUGHT("%u requests have no answer", nr_taken);
	MUST(!ring.lock.held && !atomic_read(&ring.segs));
	kernel_reset();
}

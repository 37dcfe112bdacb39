// SPDX-License-Identifier: GPL-2.0
/*
 * The data of requests: from grant references to pages and back.
 *
 * Three transports, chosen for each request: frames that are mapped already
 * (persistent grants), frames mapped for this request, and copies made by the
 * hypervisor. A batch costs at most one hypercall of each kind.
 */
#include "blkback.h"

#include <linux/delay.h>
#include <linux/slab.h>

/* Pages of ballooned-out memory can run short for a moment. */
#define PAGE_RETRIES	100

/* Copy buffers kept by an active ring. */
#define MAX_KEPT_PAGES	512

static domid_t peer(const struct blkback_ring *ring)
{
	return ring->vbd->dev->otherend_id;
}

/* Each kind of batch is allocated when a ring needs it for the first time. */
static void *batch_memory(void *batch, size_t size)
{
	return batch ?: kvzalloc(size, GFP_NOIO | __GFP_NOFAIL);
}

static struct grant_copy_batch *copy_batch(struct blkback_ring *ring)
{
	ring->copies = batch_memory(ring->copies, sizeof(*ring->copies));
	return ring->copies;
}

static struct grant_map_batch *map_batch(struct blkback_ring *ring)
{
	ring->maps = batch_memory(ring->maps, sizeof(*ring->maps));
	return ring->maps;
}

static struct grant_unmap_batch *unmap_batch(struct blkback_ring *ring)
{
	ring->unmaps = batch_memory(ring->unmaps, sizeof(*ring->unmaps));
	ring->unmaps->cache = &ring->cache;
	return ring->unmaps;
}

static struct page *get_page_buffer(struct blkback_ring *ring)
{
	struct page *page;

	page = list_first_entry_or_null(&ring->pages, struct page, lru);
	if (!page)
		return alloc_page(GFP_NOIO | __GFP_NOFAIL);
	list_del(&page->lru);
	ring->nr_pages--;
	return page;
}

static void put_page_buffer(struct blkback_ring *ring, struct page *page)
{
	if (ring->nr_pages >= MAX_KEPT_PAGES) {
		__free_page(page);
		return;
	}
	list_add(&page->lru, &ring->pages);
	ring->nr_pages++;
}

static struct page *get_map_page(struct blkback_ring *ring)
{
	struct page *page;
	int i;

	for (i = 0; i < PAGE_RETRIES; i++) {
		if (!gnttab_page_cache_get(&ring->cache, &page))
			return page;
		msleep(20);
	}
	return NULL;
}

static void add_map(struct blkback_ring *ring, grant_ref_t ref,
		    struct page *page, bool readonly, grant_handle_t *handle,
		    int *err)
{
	const struct grant_map_frame frame = {
		.domid = peer(ring),
		.ref = ref,
		.page = page,
		.readonly = readonly,
	};

	grant_map_add(map_batch(ring), &frame, handle, err);
}

static noinline struct foreign_frame *add_frame(struct blkback_ring *ring,
						grant_ref_t ref)
{
	struct foreign_frame *frame;

	frame = foreign_add(&ring->foreign, &ring->cache, ref);
	if (frame)
		/* Writable: the frame will serve reads and writes. */
		add_map(ring, ref, frame->page, false, &frame->handle,
			&frame->err);
	return frame;
}

/* Find or make a persistent mapping; its error shows after the batch has run. */
static inline struct foreign_frame *
persistent_frame(struct blkback_ring *ring, grant_ref_t ref)
{
	struct foreign_frame *frame = foreign_lookup(&ring->foreign, ref);

	return likely(frame) ? frame : add_frame(ring, ref);
}

static void copy_in(struct blkback_ring *ring, grant_ref_t ref,
		    struct page *page, u32 offset, u32 len, int *err)
{
	const struct grant_copy_span span = {
		.domid = peer(ring),
		.ref = ref,
		.page = page,
		.page_offset = offset,
		.ref_offset = offset,
		.len = len,
	};

	grant_copy_add(copy_batch(ring), &span, err);
}

static void run_copies(struct blkback_ring *ring)
{
	if (ring->copies)
		grant_copy_run(ring->copies);
}

/* Ask for a private copy of an indirect frame, the cheapest way there is. */
static void start_fetch(struct blkback_ring *ring, struct blkback_req *req)
{
	struct foreign_frame *frame = NULL;

	req->desc = get_page_buffer(ring);
	if (ring->vbd->persistent)
		frame = persistent_frame(ring, req->wire.indirect_ref);
	req->segs[0].frame = frame;
	if (!frame)
		copy_in(ring, req->wire.indirect_ref, req->desc, 0,
			req->wire.nr_segs * sizeof(req->wire.seg[0]),
			&req->err);
}

static void finish_fetch(struct blkback_req *req)
{
	const struct foreign_frame *frame = req->segs[0].frame;

	if (!frame)
		return;
	if (unlikely(frame->handle == INVALID_GRANT_HANDLE)) {
		req->err = frame->err;
		return;
	}
	memcpy(page_address(req->desc), page_address(frame->page),
	       req->wire.nr_segs * sizeof(req->wire.seg[0]));
	/* No byte of the frame is fetched again once it was checked. */
	barrier();
}

void blkback_fetch_segments(struct blkback_ring *ring, struct list_head *batch)
{
	struct blkback_req *req;
	bool failed = false;

	list_for_each_entry(req, batch, batch)
		if (req->wire.indirect && !req->rejected)
			start_fetch(ring, req);

	run_copies(ring);
	if (ring->maps)
		grant_map_run(ring->maps);

	list_for_each_entry(req, batch, batch) {
		if (!req->desc)
			continue;
		finish_fetch(req);
		failed |= req->err;
	}
	if (unlikely(failed))
		foreign_drop_failed(&ring->foreign, &ring->cache);
}

static bool reads_from_guest(const struct blkback_req *req)
{
	return req->wire.op != BLKIF_OP_READ;
}

static void set_vec(struct bio_vec *vec, struct page *page,
		    const struct blkif_request_segment *wire)
{
	vec->bv_page = page;
	vec->bv_offset = blk_seg_offset(wire);
	vec->bv_len = blk_seg_len(wire);
}

/*
 * Persistent mappings for all segments. Frames that follow each other are one
 * piece for the block layer. Return: false if there is no room for some.
 */
static bool find_frames(struct blkback_ring *ring, struct blkback_req *req)
{
	const struct blkif_request_segment *wire = blkback_segments(req);
	struct blkback_seg *seg = req->segs, *last = seg + req->wire.nr_segs;
	struct foreign_frame *prev = NULL, *frame;
	struct bio_vec *vec = req->vecs - 1;
	bool open = false;	/* what comes before ends where its page ends */

	for (; seg < last; seg++, wire++, prev = frame) {
		frame = foreign_after(&ring->foreign, prev, wire->gref) ?:
			add_frame(ring, wire->gref);
		if (unlikely(!frame))
			return false;
		seg->frame = frame;
		if (open && !wire->first_sect && prev->next == frame)
			vec->bv_len += blk_seg_len(wire);
		else
			set_vec(++vec, frame->page, wire);
		open = wire->last_sect == BLK_SECTORS_PER_FRAME - 1;
	}
	req->nr_vecs = vec + 1 - req->vecs;
	return true;
}

static struct page *map_seg(struct blkback_ring *ring, struct blkback_req *req,
			    struct blkback_seg *seg, grant_ref_t ref)
{
	struct page *page = get_map_page(ring);

	seg->handle = INVALID_GRANT_HANDLE;
	if (!page) {
		req->err = -ENOMEM;
		return NULL;
	}
	req->mapped++;
	add_map(ring, ref, page, reads_from_guest(req), &seg->handle,
		&req->err);
	return page;
}

/* Mappings for this request, but for frames that are mapped anyway. */
static void map_segs(struct blkback_ring *ring, struct blkback_req *req)
{
	const struct blkif_request_segment *wire = blkback_segments(req);
	struct blkback_seg *seg = req->segs;
	struct page *page;
	unsigned int i;

	for (i = 0; i < req->wire.nr_segs; i++, seg++, wire++) {
		seg->frame = foreign_lookup(&ring->foreign, wire->gref);
		page = seg->frame ? seg->frame->page :
				    map_seg(ring, req, seg, wire->gref);
		set_vec(&req->vecs[i], page, wire);
	}
	req->nr_vecs = i;
}

static void copy_segs(struct blkback_ring *ring, struct blkback_req *req)
{
	const struct blkif_request_segment *wire = blkback_segments(req);
	struct bio_vec *vec = req->vecs;
	unsigned int i;

	for (i = 0; i < req->wire.nr_segs; i++, vec++, wire++) {
		req->segs[i].ref = wire->gref;
		set_vec(vec, get_page_buffer(ring), wire);
		if (reads_from_guest(req))
			copy_in(ring, wire->gref, vec->bv_page, vec->bv_offset,
				vec->bv_len, &req->err);
	}
	req->nr_vecs = i;
}

static void transfer_in(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int n = req->wire.nr_segs;

	req->nr_vecs = 0;
	if (!n || req->err)
		return;

	if (!ring->vbd->persistent && n <= blkback_copy_segments) {
		req->transport = BLKBACK_COPY;
		copy_segs(ring, req);
		return;
	}
	req->transport = BLKBACK_MAP;
	if (!ring->vbd->persistent || !find_frames(ring, req))
		map_segs(ring, req);
}

static void put_desc(struct blkback_ring *ring, struct blkback_req *req)
{
	if (!req->desc)
		return;
	put_page_buffer(ring, req->desc);
	req->desc = NULL;
}

/* A request that shares a persistent frame shares the frame's failure. */
static bool inherit_errors(struct blkback_req *req)
{
	struct blkback_seg *seg = req->segs;
	bool failed = false;
	unsigned int i;

	if (req->transport != BLKBACK_MAP)
		return false;
	for (i = 0; i < req->wire.nr_segs; i++, seg++) {
		if (!seg->frame || seg->frame->handle != INVALID_GRANT_HANDLE)
			continue;
		req->err = seg->frame->err;
		/* Its page is given back with it. */
		if (req->mapped)
			req->vecs[i].bv_page = NULL;
		seg->frame = NULL;
		seg->handle = INVALID_GRANT_HANDLE;
		failed = true;
	}
	return failed;
}

static void run_maps(struct blkback_ring *ring, struct list_head *batch)
{
	struct blkback_req *req;
	bool failed = false;

	/* With no mapping under way, none can have failed. */
	if (!ring->maps || !ring->maps->nr)
		return;
	grant_map_run(ring->maps);

	list_for_each_entry(req, batch, batch)
		failed |= inherit_errors(req);
	if (unlikely(failed))
		foreign_drop_failed(&ring->foreign, &ring->cache);
}

void blkback_transfer_in(struct blkback_ring *ring, struct list_head *batch)
{
	struct blkback_req *req;

	list_for_each_entry(req, batch, batch) {
		transfer_in(ring, req);
		put_desc(ring, req);
	}
	run_maps(ring, batch);
	run_copies(ring);

	list_for_each_entry(req, batch, batch)
		if (unlikely(req->err))
			dev_err_ratelimited(&ring->vbd->dev->dev,
					    "ring %u: grant references of request %llu unusable (%d)\n",
					    ring->index, req->wire.id,
					    req->err);
}

static void copy_out(struct blkback_ring *ring, struct blkback_req *req)
{
	struct grant_copy_span span = {
		.domid = peer(ring),
		.to_peer = true,
	};
	unsigned int i;

	if (req->err || reads_from_guest(req))
		return;
	for (i = 0; i < req->wire.nr_segs; i++) {
		span.ref = req->segs[i].ref;
		span.page = req->vecs[i].bv_page;
		span.page_offset = req->vecs[i].bv_offset;
		span.ref_offset = req->vecs[i].bv_offset;
		span.len = req->vecs[i].bv_len;
		grant_copy_add(copy_batch(ring), &span, &req->err);
	}
}

static void put_buffers(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->wire.nr_segs; i++)
		put_page_buffer(ring, req->vecs[i].bv_page);
}

/*
 * A network device below may still hold a page that it has sent (iSCSI, DRBD),
 * although the I/O has ended. Such a page must stay mapped for now.
 */
static bool pages_held(const struct blkback_req *req)
{
	const struct blkback_seg *seg = req->segs;
	unsigned int i;

	for (i = 0; i < req->wire.nr_segs; i++, seg++)
		if (!seg->frame && seg->handle != INVALID_GRANT_HANDLE &&
		    page_count(req->vecs[i].bv_page) > 1)
			return true;
	return false;
}

static void unmap(struct blkback_ring *ring, struct blkback_req *req)
{
	struct grant_unmap_batch *batch = unmap_batch(ring);
	struct blkback_seg *seg = req->segs;
	unsigned int i;

	for (i = 0; i < req->wire.nr_segs; i++, seg++) {
		if (seg->frame)
			continue;
		if (seg->handle != INVALID_GRANT_HANDLE)
			grant_unmap_add(batch, req->vecs[i].bv_page,
					seg->handle);
		else if (req->vecs[i].bv_page)
			gnttab_page_cache_put(&ring->cache,
					      &req->vecs[i].bv_page, 1);
	}
}

static bool start_out(struct blkback_ring *ring, struct blkback_req *req)
{
	if (req->transport == BLKBACK_COPY) {
		copy_out(ring, req);
	} else if (req->mapped) {
		if (pages_held(req))
			return false;
		unmap(ring, req);
	}
	return true;
}

struct llist_node *blkback_transfer_out(struct blkback_ring *ring,
					struct llist_node *list)
{
	struct llist_node *ready = NULL, *node, *next;
	struct blkback_req *req;

	for (node = list; node; node = next) {
		next = node->next;
		req = llist_entry(node, struct blkback_req, done);
		if (!start_out(ring, req)) {
			llist_add(node, &ring->late);
			ring->stuck = true;
			continue;
		}
		node->next = ready;
		ready = node;
	}
	run_copies(ring);
	if (ring->unmaps)
		grant_unmap_run(ring->unmaps);

	llist_for_each_entry(req, ready, done)
		if (req->transport == BLKBACK_COPY)
			put_buffers(ring, req);
	return llist_reverse_order(ready);
}

static void free_buffers(struct blkback_ring *ring)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &ring->pages, lru)
		__free_page(page);
	INIT_LIST_HEAD(&ring->pages);
	ring->nr_pages = 0;

	kvfree(ring->copies);
	kvfree(ring->maps);
	kvfree(ring->unmaps);
	ring->copies = NULL;
	ring->maps = NULL;
	ring->unmaps = NULL;
}

void blkback_purge(struct blkback_ring *ring, u32 age)
{
	foreign_purge(&ring->foreign, &ring->cache, age);
	gnttab_page_cache_shrink(&ring->cache, 0);
	free_buffers(ring);
	blkback_free_requests(ring);
}

/* Something is purged when it was not used for this many looks. */
#define PURGE_AGE	4

bool blkback_purge_due(const struct blkback_ring *ring)
{
	return time_after(jiffies, READ_ONCE(ring->purge_at)) &&
	       (READ_ONCE(ring->foreign.nr) || READ_ONCE(ring->nr_pages) ||
		READ_ONCE(ring->unused) || !llist_empty(&ring->freed));
}

void blkback_purge_idle(struct blkback_ring *ring)
{
	unsigned long interval = blkback_persistent_unused_seconds * HZ /
				 PURGE_AGE;

	if (time_before(jiffies, ring->purge_at) ||
	    atomic_read(&ring->requests))
		return;
	WRITE_ONCE(ring->purge_at, jiffies + max(interval, 1UL));
	ring->foreign.age++;
	blkback_purge(ring, PURGE_AGE);
}

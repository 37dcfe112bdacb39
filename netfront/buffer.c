// SPDX-License-Identifier: GPL-2.0
/*
 * Receive buffers: pages that are granted to the backend while it may write to
 * them.
 *
 * A grant reference stays with its buffer. A buffer that was emptied by copying
 * is posted again as it is; one whose page became part of a packet gets another.
 * From a page that the backend keeps mapped everything is copied.
 */
#include "netfront.h"

#include <linux/slab.h>
#include <net/page_pool/helpers.h>
#include <xen/page.h>

static void put_spare(struct netfront_queue *queue, struct netfront_buf buf)
{
	queue->spare[queue->nr_spare++] = buf;
}

static bool equip(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct netfront *info = queue->info;

	if (buf->page)
		return true;
	/* The peer sees all of the page (XSA-403). */
	buf->page = page_pool_alloc_pages(queue->pool, GFP_ATOMIC |
					  __GFP_NOWARN | __GFP_ZERO);
	if (!buf->page)
		return false;
	/* It may have held a packet that was decrypted in place since. */
	if (!info->trusted)
		clear_page(page_address(buf->page));
	gnttab_page_grant_foreign_access_ref_one(buf->ref,
						 info->xbdev->otherend_id,
						 buf->page, 0);
	return true;
}

/* Return: whether there is a mapped page that waits to be a buffer. */
static bool take_static(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct llist_node *first;
	struct netfront_static *entry;

	if (llist_empty(&queue->rx_static))
		return false;
	first = llist_del_first(&queue->rx_static);
	entry = llist_entry(first, struct netfront_static, node);
	*buf = (struct netfront_buf) {
		.page = entry->page,
		.ref = entry->ref,
		.fixed = true,
	};
	kfree(entry);
	return true;
}

static bool take_spare(struct netfront_queue *queue, struct netfront_buf *buf)
{
	if (queue->nr_spare) {
		*buf = queue->spare[--queue->nr_spare];
	} else if (!take_static(queue, buf)) {
		buf->fixed = false;
		buf->page = NULL;
		buf->ref = grant_ref_alloc(&queue->info->budget);
		if (!buf->ref)
			return false;
	}
	if (equip(queue, buf))
		return true;
	put_spare(queue, *buf);
	return false;
}

static void post(struct netfront_queue *queue, struct netfront_buf buf)
{
	struct xen_netif_rx_request req = {
		.id = queue->rx.req_prod % NET_RING_SLOTS,
		.gref = buf.ref,
	};

	queue->rx_bufs[req.id] = buf;
	ring_front_put(&queue->rx, &req, sizeof(req));
}

/**
 * netfront_bufs_post() - post buffers
 * @queue: the queue
 *
 * Context: NAPI, or nothing else runs.
 * Return: whether any buffer is in the ring.
 */
bool netfront_bufs_post(struct netfront_queue *queue)
{
	struct netfront_buf buf;

	while (netfront_posted(queue) < queue->rx_target && take_spare(queue, &buf))
		post(queue, buf);
	if (ring_front_push(&queue->rx))
		event_channel_notify(&netfront_rx_channel(queue)->ec);
	return netfront_posted(queue);
}

/* A page lives on until nobody maps it (XSA-396), but not in the pool. */
static void abandon(struct netfront_queue *queue,
		    const struct netfront_buf *buf, struct page *page)
{
	get_page(page);
	page_pool_put_full_page(queue->pool, page, false);
	grant_ref_end(&queue->info->budget, buf->ref, page);
}

static void free_buf(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct grant_budget *budget = &queue->info->budget;
	struct page *page = buf->page;

	if (!buf->ref)
		return;
	if (!page) {
		grant_ref_free(budget, buf->ref);
	} else if (buf->fixed) {
		grant_ref_end(budget, buf->ref, page);
	} else if (gnttab_end_foreign_access_ref(buf->ref)) {
		page_pool_put_full_page(queue->pool, page, false);
		grant_ref_free(budget, buf->ref);
	} else {
		abandon(queue, buf, page);
	}
	*buf = (struct netfront_buf) {};
}

/* A buffer has been used; one that is mapped may take its place. */
static void exchange(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct netfront_buf better;

	if (likely(buf->fixed && READ_ONCE(queue->rx_mapped))) {
		queue->rx_static_used = true;
		return;
	}
	netfront_note_load(queue, &queue->rx_load, 1, NETFRONT_WANT_RX);
	if (buf->fixed || !take_static(queue, &better))
		return;
	free_buf(queue, buf);
	*buf = better;
}

/**
 * netfront_bufs_release() - a packet's responses are done with
 * @queue: the queue
 * @pkt: the packet
 *
 * Its buffers are to be posted again, with the pages that they still have.
 *
 * Context: NAPI.
 */
void netfront_bufs_release(struct netfront_queue *queue,
			   const struct netfront_packet *pkt)
{
	u32 i;

	for (i = 0; i < pkt->slots; i++) {
		struct netfront_buf *buf = netfront_buf_at(queue, i);

		if (buf->ref) {
			exchange(queue, buf);
			put_spare(queue, *buf);
		}
		*buf = (struct netfront_buf) {};
	}
	ring_front_skip(&queue->rx, pkt->slots);
}

static struct page *copy(struct netfront_queue *queue,
			 const struct netfront_buf *buf,
			 const struct netfront_part *part)
{
	struct page *page;

	/* The next time it may be a buffer, of which the peer sees all. */
	page = page_pool_alloc_pages(queue->pool, GFP_ATOMIC | __GFP_NOWARN |
				     __GFP_ZERO);
	if (unlikely(!page)) {
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		return NULL;
	}
	copy_data(page_address(page) + part->offset,
		  page_address(buf->page) + part->offset, part->len);
	netfront_count(queue, NETFRONT_RX_STATIC_PAGES);
	return page;
}

static struct page *revoke(struct netfront_queue *queue,
			   struct netfront_buf *buf)
{
	struct page *page = buf->page;

	buf->page = NULL;
	if (likely(gnttab_end_foreign_access_ref(buf->ref)))
		return page;

	abandon(queue, buf, page);
	buf->ref = 0;
	netfront_offend(queue, "still maps a received packet", 0);
	return NULL;
}

/**
 * netfront_buf_take() - have a part of a packet in a page of our own
 * @queue: the queue
 * @part: the part, whose response was not taken off the ring yet
 *
 * The page is taken from the backend, which has violated the protocol if it still
 * uses it; from one that it keeps mapped the part is copied.
 *
 * Context: NAPI.
 * Return: the page, of @queue->pool, with the part where it was, or NULL.
 */
struct page *netfront_buf_take(struct netfront_queue *queue,
			       const struct netfront_part *part)
{
	struct netfront_buf *buf = netfront_buf_at(queue, part->at);

	return buf->fixed ? copy(queue, buf, part) : revoke(queue, buf);
}

static void free_static(struct netfront_queue *queue)
{
	struct netfront_buf buf;

	while (take_static(queue, &buf))
		free_buf(queue, &buf);
}

/**
 * netfront_bufs_free() - free all buffers
 * @queue: a queue that nobody uses
 */
void netfront_bufs_free(struct netfront_queue *queue)
{
	unsigned int i;

	for (i = 0; i < NET_RING_SLOTS; i++)
		free_buf(queue, &queue->rx_bufs[i]);
	while (queue->nr_spare)
		free_buf(queue, &queue->spare[--queue->nr_spare]);
	free_static(queue);
	kfree(queue->rx_refs);
	queue->rx_refs = NULL;
}

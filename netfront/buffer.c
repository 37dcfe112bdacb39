// SPDX-License-Identifier: GPL-2.0
/*
 * Receive buffers: pages that are granted to the backend while it may write to
 * them.
 *
 * A grant reference stays with its buffer. A buffer that was emptied by copying
 * is posted again as it is; one whose page became part of a packet gets another.
 */
#include "netfront.h"

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

static bool take_spare(struct netfront_queue *queue, struct netfront_buf *buf)
{
	if (queue->nr_spare) {
		*buf = queue->spare[--queue->nr_spare];
	} else {
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

		if (buf->ref)
			put_spare(queue, *buf);
		*buf = (struct netfront_buf) {};
	}
	ring_front_skip(&queue->rx, pkt->slots);
}

/* A page lives on until nobody maps it (XSA-396), but not in the pool. */
static void abandon(struct netfront_queue *queue,
		    const struct netfront_buf *buf, struct page *page)
{
	get_page(page);
	page_pool_put_full_page(queue->pool, page, false);
	grant_ref_end(&queue->info->budget, buf->ref, page);
}

/**
 * netfront_buf_revoke() - take a buffer's page from the backend
 * @queue: the queue
 * @buf: the buffer
 *
 * A backend that still uses the page has violated the protocol.
 *
 * Context: NAPI.
 * Return: the page, of @queue->pool, or NULL.
 */
struct page *netfront_buf_revoke(struct netfront_queue *queue,
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

static void free_buf(struct netfront_queue *queue, struct netfront_buf *buf)
{
	struct page *page = buf->page;

	if (!buf->ref)
		return;
	if (!page || gnttab_end_foreign_access_ref(buf->ref)) {
		if (page)
			page_pool_put_full_page(queue->pool, page, false);
		grant_ref_free(&queue->info->budget, buf->ref);
	} else {
		abandon(queue, buf, page);
	}
	*buf = (struct netfront_buf) {};
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
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Pages for what a guest transmits. They are taken in NAPI context and come
 * back from whoever frees the packets. A queue in use keeps enough of them for
 * a receiver that lags behind; an idle one keeps none.
 */
#include "netback.h"

#include <net/page_pool/helpers.h>

/* Pages that a queue in use keeps. */
#define POOL_PAGES	256
/* Without a page taken for this long a queue is idle. */
#define POOL_IDLE	(10 * HZ)

/* The timer does not wake an idle CPU. */
static void pool_timeout(struct timer_list *timer)
{
	struct netback_pool *pool = from_timer(pool, timer, timer);
	struct netback_queue *queue =
		container_of(pool, struct netback_queue, pool);
	unsigned long idle_at = READ_ONCE(pool->used_at) + POOL_IDLE;

	if (time_before(jiffies, idle_at)) {
		mod_timer(timer, idle_at);
		return;
	}
	WRITE_ONCE(pool->idle, true);
	napi_schedule(&queue->napi);
}

int netback_pool_init(struct netback_pool *pool)
{
	const struct page_pool_params params = {
		.pool_size = POOL_PAGES,
		.nid = NUMA_NO_NODE,
	};

	pool->pages = page_pool_create(&params);
	if (IS_ERR(pool->pages))
		return PTR_ERR(pool->pages);
	timer_setup(&pool->timer, pool_timeout, TIMER_DEFERRABLE);
	return 0;
}

void netback_pool_destroy(struct netback_pool *pool)
{
	page_pool_destroy(pool->pages);
}

void netback_pool_used(struct netback_pool *pool)
{
	WRITE_ONCE(pool->used_at, jiffies);
	WRITE_ONCE(pool->idle, false);
	if (!timer_pending(&pool->timer))
		mod_timer(&pool->timer, jiffies + POOL_IDLE);
}

void netback_pool_drain(struct netback_pool *pool)
{
	struct page_pool *pages = pool->pages;
	struct page *page;

	WRITE_ONCE(pool->idle, false);
	while (pages->alloc.count || !__ptr_ring_empty(&pages->ring)) {
		page = page_pool_alloc_pages(pages, GFP_NOWAIT | __GFP_NOWARN);
		if (!page)
			return;
		/* With a second user a page is not recycled but let go. */
		get_page(page);
		page_pool_put_full_page(pages, page, false);
		put_page(page);
	}
}

void netback_pool_stop(struct netback_pool *pool)
{
	timer_delete_sync(&pool->timer);
	local_bh_disable();
	netback_pool_drain(pool);
	local_bh_enable();
}

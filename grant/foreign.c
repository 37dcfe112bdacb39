// SPDX-License-Identifier: GPL-2.0
#include "foreign.h"

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <xen/page.h>

#include "batch.h"

static int compare_pages(const void *a, const void *b)
{
	const struct page *const *x = a, *const *y = b;

	return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* Free pages come in any order, but those that follow each other mostly together. */
static struct page *next_page(struct foreign_table *table,
			      struct gnttab_page_cache *cache)
{
	unsigned int max = min(table->max - table->nr, FOREIGN_RUN + 0U);
	unsigned int nr = table->nr_run;

	if (!nr) {
		while (nr < max &&
		       !gnttab_page_cache_get(cache, &table->run[nr]))
			nr++;
		if (!nr)
			return NULL;
		sort(table->run, nr, sizeof(table->run[0]), compare_pages, NULL);
	}
	table->nr_run = nr - 1;
	return table->run[nr - 1];
}

static bool make_heads(struct foreign_table *table)
{
	table->heads = kcalloc(FOREIGN_CHAINS, sizeof(*table->heads), GFP_NOIO);
	INIT_LIST_HEAD(&table->frames);
	return table->heads;
}

struct foreign_frame *foreign_add(struct foreign_table *table,
				  struct gnttab_page_cache *cache,
				  grant_ref_t ref)
{
	struct foreign_frame *frame;

	if (table->nr >= table->max)
		return NULL;
	if (!table->heads && !make_heads(table))
		return NULL;

	frame = kzalloc(sizeof(*frame), GFP_NOIO);
	if (!frame)
		return NULL;
	frame->page = next_page(table, cache);
	if (!frame->page) {
		kfree(frame);
		return NULL;
	}

	frame->ref = ref;
	frame->handle = INVALID_GRANT_HANDLE;
	frame->age = table->age;
	hlist_add_head(&frame->node,
		       &table->heads[ref % FOREIGN_CHAINS]);
	list_add_tail(&frame->list, &table->frames);
	table->nr++;
	return frame;
}
EXPORT_SYMBOL_NS_GPL(foreign_add, XSPLIT);

static unsigned long machine_frame(const struct foreign_frame *frame)
{
	return pfn_to_bfn(page_to_pfn(frame->page));
}

void foreign_link(struct foreign_frame *prev, struct foreign_frame *frame)
{
	if (prev->handle == INVALID_GRANT_HANDLE ||
	    frame->handle == INVALID_GRANT_HANDLE ||
	    machine_frame(prev) + 1 != machine_frame(frame))
		return;
	prev->next = frame;
	frame->prev = prev;
}
EXPORT_SYMBOL_NS_GPL(foreign_link, XSPLIT);

static void remove_frame(struct foreign_table *table,
			 struct foreign_frame *frame)
{
	if (frame->prev)
		frame->prev->next = NULL;
	if (frame->next)
		frame->next->prev = NULL;
	hlist_del(&frame->node);
	list_del(&frame->list);
	table->nr--;
	kfree(frame);
}

void foreign_drop_failed(struct foreign_table *table,
			 struct gnttab_page_cache *cache)
{
	struct foreign_frame *frame, *next;

	if (!table->nr)
		return;
	list_for_each_entry_safe(frame, next, &table->frames, list) {
		if (frame->handle != INVALID_GRANT_HANDLE)
			continue;
		gnttab_page_cache_put(cache, &frame->page, 1);
		remove_frame(table, frame);
	}
}
EXPORT_SYMBOL_NS_GPL(foreign_drop_failed, XSPLIT);

/*
 * A network device may still hold a page that it has sent (iSCSI, DRBD), although
 * the I/O has ended; of a piece some hold only the first.
 */
static bool is_held(const struct foreign_frame *frame)
{
	for (; frame; frame = frame->prev)
		if (page_count(frame->page) > 1)
			return true;
	return false;
}

static void purge_frames(struct foreign_table *table,
			 struct grant_unmap_batch *batch, u32 age)
{
	struct foreign_frame *frame, *next;

	list_for_each_entry_safe(frame, next, &table->frames, list) {
		if (table->age - frame->age < age || is_held(frame))
			continue;
		grant_unmap_add(batch, frame->page, frame->handle);
		remove_frame(table, frame);
	}
}

void foreign_purge(struct foreign_table *table,
		   struct gnttab_page_cache *cache, u32 age)
{
	struct grant_unmap_batch *batch;

	if (!table->nr)
		goto free_heads;

	batch = kvmalloc(sizeof(*batch), GFP_NOIO | __GFP_NOFAIL);
	batch->cache = cache;
	batch->nr = 0;
	purge_frames(table, batch, age);
	grant_unmap_run(batch);
	kvfree(batch);

free_heads:
	if (table->nr)
		return;
	gnttab_page_cache_put(cache, table->run, table->nr_run);
	table->nr_run = 0;
	kfree(table->heads);
	table->heads = NULL;
}
EXPORT_SYMBOL_NS_GPL(foreign_purge, XSPLIT);

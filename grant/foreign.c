// SPDX-License-Identifier: GPL-2.0
#include "foreign.h"

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "batch.h"

struct foreign_frame *foreign_add(struct foreign_table *table,
				  struct gnttab_page_cache *cache,
				  grant_ref_t ref)
{
	struct foreign_frame *frame;

	if (table->nr >= table->max)
		return NULL;
	if (!table->heads) {
		table->heads = kcalloc(FOREIGN_CHAINS,
				       sizeof(*table->heads), GFP_NOIO);
		if (!table->heads)
			return NULL;
	}

	frame = kmalloc(sizeof(*frame), GFP_NOIO);
	if (!frame)
		return NULL;
	if (gnttab_page_cache_get(cache, &frame->page)) {
		kfree(frame);
		return NULL;
	}

	frame->ref = ref;
	frame->handle = INVALID_GRANT_HANDLE;
	frame->err = 0;
	frame->age = table->age;
	hlist_add_head(&frame->node,
		       &table->heads[ref % FOREIGN_CHAINS]);
	table->nr++;
	return frame;
}
EXPORT_SYMBOL_NS_GPL(foreign_add, XSPLIT);

static void remove_frame(struct foreign_table *table,
			 struct foreign_frame *frame)
{
	hlist_del(&frame->node);
	table->nr--;
	kfree(frame);
}

void foreign_drop_failed(struct foreign_table *table,
			 struct gnttab_page_cache *cache)
{
	struct foreign_frame *frame;
	struct hlist_node *next;
	size_t i;

	for (i = 0; table->nr && i < FOREIGN_CHAINS; i++) {
		hlist_for_each_entry_safe(frame, next, &table->heads[i], node) {
			if (frame->handle != INVALID_GRANT_HANDLE)
				continue;
			gnttab_page_cache_put(cache, &frame->page, 1);
			remove_frame(table, frame);
		}
	}
}
EXPORT_SYMBOL_NS_GPL(foreign_drop_failed, XSPLIT);

/*
 * A network device may still hold a page that it has sent (iSCSI, DRBD), although
 * the I/O has ended.
 */
static bool is_held(const struct foreign_frame *frame)
{
	return page_count(frame->page) > 1;
}

static void purge_chain(struct foreign_table *table, struct hlist_head *head,
			struct grant_unmap_batch *batch, u32 age)
{
	struct foreign_frame *frame;
	struct hlist_node *next;

	hlist_for_each_entry_safe(frame, next, head, node) {
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
	size_t i;

	if (!table->nr)
		goto free_heads;

	batch = kvmalloc(sizeof(*batch), GFP_NOIO | __GFP_NOFAIL);
	batch->cache = cache;
	batch->nr = 0;
	for (i = 0; i < FOREIGN_CHAINS; i++)
		purge_chain(table, &table->heads[i], batch, age);
	grant_unmap_run(batch);
	kvfree(batch);

free_heads:
	if (table->nr)
		return;
	kfree(table->heads);
	table->heads = NULL;
}
EXPORT_SYMBOL_NS_GPL(foreign_purge, XSPLIT);

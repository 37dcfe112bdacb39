// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of a queue that stay mapped. They are looked up while packets are
 * copied, with BH disabled; the control ring's work changes them.
 */
#include "netback.h"

#include <linux/slab.h>

/**
 * struct change - mappings that come or go together
 * @map: hypercalls of those that come
 * @unmap: hypercalls of those that go
 * @nr: how many there are
 * @mappings: what they are
 */
struct change {
	union {
		struct grant_map_batch map;
		struct grant_unmap_batch unmap;
	};
	unsigned int nr;
	struct netback_mapping *mappings[NET_GREFS_PER_FRAME];
};

/* Only the one context that changes it reads it without RCU. */
static struct netback_mappings *writer_table(const struct netback_queue *queue)
{
	return rcu_dereference_protected(queue->mappings, true);
}

/* A queue has none until its guest asks. */
static struct netback_mappings *make_table(struct netback_queue *queue)
{
	struct netback_mappings *table = writer_table(queue);

	if (table)
		return table;
	table = kvzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return NULL;
	gnttab_page_cache_init(&table->cache);
	rcu_assign_pointer(queue->mappings, table);
	return table;
}

static int refuse(const struct netback_queue *queue, grant_ref_t ref,
		  const char *why)
{
	net_warn_ratelimited("%s: queue %u: static grant with reference %u refused: %s\n",
			     queue->vif->net->name, queue->index, ref, why);
	return -EINVAL;
}

static bool is_repeated(const struct net_gref *list, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (list[i].ref == list[nr].ref)
			return true;
	return false;
}

static int check_list(const struct netback_queue *queue,
		      struct netback_mappings *table,
		      const struct net_gref *list, unsigned int nr)
{
	unsigned int i;

	if (nr > netback_max_static_grants - table->nr)
		return refuse(queue, list->ref, "too many");
	for (i = 0; i < nr; i++) {
		if (list[i].flags & ~NET_GREF_READONLY)
			return refuse(queue, list[i].ref, "unknown flags");
		if (is_repeated(list, i))
			return refuse(queue, list[i].ref, "twice in the list");
		if (netback_mapping_find(table, list[i].ref))
			return refuse(queue, list[i].ref, "is mapped already");
	}
	return 0;
}

static struct netback_mapping *make_mapping(struct netback_mappings *table,
					    const struct net_gref *entry)
{
	struct netback_mapping *mapping;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return NULL;
	if (gnttab_page_cache_get(&table->cache, &mapping->page)) {
		kfree(mapping);
		return NULL;
	}
	mapping->data = page_address(mapping->page);
	mapping->ref = entry->ref;
	mapping->readonly = entry->flags & NET_GREF_READONLY;
	mapping->handle = INVALID_GRANT_HANDLE;
	return mapping;
}

static int make_mappings(struct netback_mappings *table, struct change *change,
			 const struct net_gref *list, unsigned int nr)
{
	struct netback_mapping *mapping;

	while (change->nr < nr) {
		mapping = make_mapping(table, &list[change->nr]);
		if (!mapping)
			return -ENOMEM;
		change->mappings[change->nr++] = mapping;
	}
	return 0;
}

static int map_frames(const struct netback_queue *queue, struct change *change)
{
	struct grant_map_frame frame = {
		.domid = queue->vif->xdev->otherend_id,
	};
	struct netback_mapping *mapping;
	unsigned int i;

	for (i = 0; i < change->nr; i++) {
		mapping = change->mappings[i];
		frame.ref = mapping->ref;
		frame.page = mapping->page;
		frame.readonly = mapping->readonly;
		grant_map_add(&change->map, &frame, &mapping->handle,
			      &mapping->err);
	}
	grant_map_run(&change->map);

	for (i = 0; i < change->nr; i++) {
		mapping = change->mappings[i];
		if (!mapping->err)
			continue;
		net_warn_ratelimited("%s: queue %u: static grant with reference %u cannot be mapped: error %d\n",
				     queue->vif->net->name, queue->index,
				     mapping->ref, mapping->err);
		return mapping->err;
	}
	return 0;
}

static void publish(struct netback_mappings *table, struct change *change)
{
	struct netback_mapping *mapping;
	unsigned int i;

	for (i = 0; i < change->nr; i++) {
		mapping = change->mappings[i];
		hlist_add_head_rcu(&mapping->node,
				   &table->heads[hash_32(mapping->ref,
							 NETBACK_MAPPING_BITS)]);
	}
	table->nr += change->nr;
}

/* Nobody looks at them any more. */
static void drop(struct netback_mappings *table, struct change *change)
{
	struct netback_mapping *mapping;
	unsigned int i;

	change->unmap.cache = &table->cache;
	change->unmap.nr = 0;
	for (i = 0; i < change->nr; i++) {
		mapping = change->mappings[i];
		if (mapping->handle == INVALID_GRANT_HANDLE)
			gnttab_page_cache_put(&table->cache, &mapping->page, 1);
		else
			grant_unmap_add(&change->unmap, mapping->page,
					mapping->handle);
		kfree(mapping);
	}
	grant_unmap_run(&change->unmap);
	gnttab_page_cache_shrink(&table->cache, 0);
	change->nr = 0;
}

int netback_mapping_add(struct netback_queue *queue,
			const struct net_gref *list, unsigned int nr)
{
	struct netback_mappings *table = make_table(queue);
	struct change *change;
	int ret;

	if (!table)
		return -ENOMEM;
	ret = check_list(queue, table, list, nr);
	if (ret)
		return ret;
	change = kvzalloc(sizeof(*change), GFP_KERNEL);
	if (!change)
		return -ENOMEM;

	ret = make_mappings(table, change, list, nr);
	if (!ret)
		ret = map_frames(queue, change);
	if (!ret)
		publish(table, change);
	else
		drop(table, change);
	kvfree(change);
	return ret;
}

static void take_out(struct netback_mappings *table, struct change *change,
		     struct netback_mapping *mapping)
{
	hlist_del_rcu(&mapping->node);
	table->nr--;
	change->mappings[change->nr++] = mapping;
}

/* Unknown are also those that the list has had before. */
static void take_out_list(struct netback_mappings *table, struct change *change,
			  struct net_gref *list, unsigned int nr)
{
	struct netback_mapping *mapping;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		mapping = table ? netback_mapping_find(table, list[i].ref) :
				  NULL;
		list[i].status = XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
		if (!mapping)
			continue;
		list[i].status = XEN_NETIF_CTRL_STATUS_SUCCESS;
		take_out(table, change, mapping);
	}
}

int netback_mapping_del(struct netback_queue *queue, struct net_gref *list,
			unsigned int nr)
{
	struct netback_mappings *table = writer_table(queue);
	struct change *change;
	int done;

	change = kvzalloc(sizeof(*change), GFP_KERNEL);
	if (!change)
		return -ENOMEM;
	take_out_list(table, change, list, nr);
	done = change->nr;
	if (done) {
		/* Packets being copied may still use them. */
		synchronize_net();
		drop(table, change);
	}
	kvfree(change);
	return done;
}

static void take_out_chain(struct netback_mappings *table,
			   struct change *change, struct hlist_head *head)
{
	struct netback_mapping *mapping;
	struct hlist_node *next;

	hlist_for_each_entry_safe(mapping, next, head, node) {
		if (change->nr == ARRAY_SIZE(change->mappings))
			drop(table, change);
		take_out(table, change, mapping);
	}
}

void netback_mapping_clear(struct netback_queue *queue)
{
	struct netback_mappings *table = writer_table(queue);
	struct change *change;
	unsigned int i;

	if (!table)
		return;
	RCU_INIT_POINTER(queue->mappings, NULL);
	if (table->nr) {
		change = kvzalloc(sizeof(*change), GFP_KERNEL | __GFP_NOFAIL);
		for (i = 0; i < ARRAY_SIZE(table->heads); i++)
			take_out_chain(table, change, &table->heads[i]);
		drop(table, change);
		kvfree(change);
	}
	kvfree(table);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Static grants: frames of a queue that stay mapped, found by grant reference.
 * Their data is copied like any other, but without the hypervisor.
 *
 * Protocol: netif.h, "Static Grants" and "Control messages"; ring/net_wire.h.
 */
#ifndef NETBACK_MAPPING_H
#define NETBACK_MAPPING_H

#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/types.h>
#include <xen/grant_table.h>

#include "ring/net_wire.h"

#define NETBACK_MAPPING_BITS	9

struct netback_queue;

/**
 * struct netback_mapping - one frame that stays mapped
 * @node: in its table, RCU
 * @data: the frame, which the guest may change at any time
 * @ref: the guest's grant reference
 * @readonly: @data must not be written
 * @handle: of the mapping; INVALID_GRANT_HANDLE if there is none
 * @err: why it could not be mapped, 0 if it could
 * @page: what the frame appears under
 */
struct netback_mapping {
	struct hlist_node node;
	u8 *data;
	grant_ref_t ref;
	bool readonly;
	grant_handle_t handle;
	int err;
	struct page *page;
};

/**
 * struct netback_mappings - all such frames of a queue
 * @nr: their number
 * @cache: where their pages come from; empty between changes
 * @heads: hash chains, RCU
 *
 * Changed by the control ring's work alone.
 */
struct netback_mappings {
	unsigned int nr;
	struct gnttab_page_cache cache;
	struct hlist_head heads[1 << NETBACK_MAPPING_BITS];
};

/**
 * netback_mapping_find() - find a frame that stays mapped
 * @table: the table
 * @ref: the guest's grant reference
 *
 * Context: BH disabled, for as long as the frame is used; or the control ring's
 * work.
 * Return: the frame, or NULL.
 */
static inline struct netback_mapping *
netback_mapping_find(struct netback_mappings *table, grant_ref_t ref)
{
	struct netback_mapping *mapping;
	struct hlist_head *head;

	head = &table->heads[hash_32(ref, NETBACK_MAPPING_BITS)];
	/* Who looks from elsewhere than that work was checked at the table. */
	hlist_for_each_entry_rcu(mapping, head, node, true)
		if (mapping->ref == ref)
			return mapping;
	return NULL;
}

/**
 * netback_mapping_add() - map frames, all of them or none
 * @queue: the queue
 * @list: private copy of the guest's list
 * @nr: its entries, at most NET_GREFS_PER_FRAME
 *
 * Context: the control ring's work; may sleep.
 * Return: 0, -EINVAL or what mapping failed with, both already reported, or
 * -ENOMEM.
 */
int netback_mapping_add(struct netback_queue *queue,
			const struct net_gref *list, unsigned int nr);

/**
 * netback_mapping_del() - unmap frames
 * @queue: the queue
 * @list: private copy of the guest's list; the status of entries is set
 * @nr: its entries, at most NET_GREFS_PER_FRAME
 *
 * Context: the control ring's work; may sleep.
 * Return: how many were unmapped, or -ENOMEM; then none was.
 */
int netback_mapping_del(struct netback_queue *queue, struct net_gref *list,
			unsigned int nr);

/**
 * netback_mapping_clear() - unmap all frames of a queue
 * @queue: a queue that is not served, without a control ring
 *
 * Context: may sleep.
 */
void netback_mapping_clear(struct netback_queue *queue);

#endif /* NETBACK_MAPPING_H */

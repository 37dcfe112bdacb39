// SPDX-License-Identifier: GPL-2.0
/*
 * Static grants: pages that the backend keeps mapped, so that neither end calls
 * the hypervisor for what is copied into them. A queue gets them as it is used,
 * some at a time, by requests on the control ring, and does without when it is
 * not used any more.
 *
 * What a backend maps it can read or write at any time: packets are copied into
 * and out of these pages. All of them are granted, so that a backend which does
 * not map one of them can do its work as well.
 *
 * Protocol: Xen's netif.h, "Static Grants".
 */
#include "netfront.h"

#include <linux/bitops.h>
#include <linux/slab.h>
#include <xen/page.h>

/* Frames of one request. */
#define STEP		64
/* Without use for so long a queue does without. */
#define IDLE_TIME	(10 * HZ)

/* Pages of a request, if they are new, and their references. */
struct batch {
	struct llist_node *pages;
	unsigned int nr;
	grant_ref_t refs[STEP];
};

/* --- requests ------------------------------------------------------------ */

static int ask(struct netfront_queue *queue, u16 type, const grant_ref_t *refs,
	       unsigned int nr, u16 flags)
{
	struct net_gref list[STEP] = {};
	unsigned int i;

	for (i = 0; i < nr; i++) {
		list[i].ref = refs[i];
		list[i].flags = flags;
	}
	return netfront_ctrl_grefs(queue->info, type, queue->index, list, nr);
}

/* How many frames the backend keeps mapped for the queue; asked for once. */
static void learn_room(struct netfront_queue *queue)
{
	if (queue->room_known)
		return;
	queue->room_known = true;
	queue->room = netfront_ctrl_gref_room(queue->info, queue->index);
}

/* If the backend will not have it, there are no further attempts. */
static bool map_batch(struct netfront_queue *queue, const struct batch *batch,
		      u16 flags)
{
	int ret;

	if (!batch->nr || batch->nr > queue->room)
		return false;
	ret = ask(queue, NET_CTRL_ADD_GREF_MAPPING, batch->refs, batch->nr,
		  flags);
	if (!ret) {
		queue->room -= batch->nr;
		return true;
	}
	queue->room = 0;
	netdev_warn(queue->info->netdev,
		    "queue %u: backend does not map %u static grants: error %d\n",
		    queue->index, batch->nr, ret);
	return false;
}

/* It may keep them for all we know; nothing depends on it. */
static void unmap_refs(struct netfront_queue *queue, const grant_ref_t *refs,
		       unsigned int nr)
{
	if (nr && !ask(queue, NET_CTRL_DEL_GREF_MAPPING, refs, nr, 0))
		queue->room += nr;
}

/* --- pages --------------------------------------------------------------- */

/**
 * netfront_static_free() - end the grant of a static page
 * @info: the device
 * @entry: the page; freed at once, or when the backend lets go
 *
 * Context: any.
 */
void netfront_static_free(struct netfront *info, struct netfront_static *entry)
{
	grant_ref_end(&info->budget, entry->ref, entry->page);
	kfree(entry);
}

static struct netfront_static *make(struct netfront *info, bool readonly)
{
	struct netfront_static *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return NULL;
	entry->ref = grant_ref_alloc(&info->budget);
	if (!entry->ref)
		goto free_entry;
	/* The peer sees all of the page (XSA-403). */
	entry->page = alloc_page(GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO);
	if (!entry->page)
		goto free_ref;
	gnttab_page_grant_foreign_access_ref_one(entry->ref,
						 info->xbdev->otherend_id,
						 entry->page, readonly);
	return entry;

free_ref:
	grant_ref_free(&info->budget, entry->ref);
free_entry:
	kfree(entry);
	return NULL;
}

static void free_batch(struct netfront *info, struct batch *batch)
{
	struct netfront_static *entry, *next;

	llist_for_each_entry_safe(entry, next, batch->pages, node)
		netfront_static_free(info, entry);
}

/* As many as there is memory for, and room in the backend. */
static void make_batch(struct netfront_queue *queue, struct batch *batch,
		       unsigned int nr, bool readonly)
{
	struct netfront_static *entry;

	nr = min3(nr, queue->room, (unsigned int)STEP);
	batch->pages = NULL;
	for (batch->nr = 0; batch->nr < nr; batch->nr++) {
		entry = make(queue->info, readonly);
		if (!entry)
			break;
		batch->refs[batch->nr] = entry->ref;
		entry->node.next = batch->pages;
		batch->pages = &entry->node;
	}
}

/* --- transmission -------------------------------------------------------- */

static void grow_tx(struct netfront_queue *queue)
{
	struct netfront_static *entry, *next;
	struct batch batch;

	make_batch(queue, &batch, NET_RING_SLOTS - queue->nr_tx_static, true);
	if (!map_batch(queue, &batch, NET_GREF_READONLY)) {
		free_batch(queue->info, &batch);
		return;
	}
	WRITE_ONCE(queue->nr_tx_static, queue->nr_tx_static + batch.nr);
	__netif_tx_lock_bh(queue->txq);
	llist_for_each_entry_safe(entry, next, batch.pages, node)
		netfront_tx_push_static(queue, entry);
	__netif_tx_unlock_bh(queue->txq);
}

static void take_batch(struct netfront_queue *queue, struct batch *batch)
{
	struct netfront_static *entry;

	batch->pages = NULL;
	__netif_tx_lock_bh(queue->txq);
	for (batch->nr = 0; batch->nr < STEP; batch->nr++) {
		entry = netfront_tx_pop_static(queue);
		if (!entry)
			break;
		batch->refs[batch->nr] = entry->ref;
		entry->node.next = batch->pages;
		batch->pages = &entry->node;
	}
	__netif_tx_unlock_bh(queue->txq);
}

/* Those that are not in use now. */
static void shrink_tx(struct netfront_queue *queue)
{
	struct batch batch;

	do {
		take_batch(queue, &batch);
		unmap_refs(queue, batch.refs, batch.nr);
		free_batch(queue->info, &batch);
		WRITE_ONCE(queue->nr_tx_static, queue->nr_tx_static - batch.nr);
	} while (batch.nr == STEP);
}

/*
 * The pages for small packets that are there, and are @mapped or not; from now
 * on they are what they were not.
 */
static void list_slices(struct netfront_queue *queue, struct batch *batch,
			bool mapped)
{
	struct netfront_slices *slices;
	unsigned int i;

	batch->nr = 0;
	__netif_tx_lock_bh(queue->txq);
	for (i = 0; i < NETFRONT_SLICE_PAGES; i++) {
		slices = &queue->slices[i];
		if (!slices->page || slices->mapped != mapped)
			continue;
		batch->refs[batch->nr++] = slices->ref;
		slices->mapped = !mapped;
	}
	__netif_tx_unlock_bh(queue->txq);
}

static void map_slices(struct netfront_queue *queue)
{
	struct batch batch;

	list_slices(queue, &batch, false);
	if (map_batch(queue, &batch, NET_GREF_READONLY))
		WRITE_ONCE(queue->slices_mapped, true);
	else
		list_slices(queue, &batch, true);
}

static void unmap_slices(struct netfront_queue *queue)
{
	struct batch batch;

	WRITE_ONCE(queue->slices_mapped, false);
	list_slices(queue, &batch, true);
	unmap_refs(queue, batch.refs, batch.nr);
}

/* --- reception ----------------------------------------------------------- */

/* NAPI exchanges its buffers for new pages. */
static void grow_rx(struct netfront_queue *queue, unsigned int nr)
{
	struct netfront_static *entry, *next;
	struct batch batch;

	make_batch(queue, &batch, nr, false);
	if (!map_batch(queue, &batch, 0)) {
		free_batch(queue->info, &batch);
		return;
	}
	memcpy(&queue->rx_refs[queue->nr_rx_static], batch.refs,
	       batch.nr * sizeof(*batch.refs));
	queue->nr_rx_static += batch.nr;
	WRITE_ONCE(queue->rx_mapped, true);
	llist_for_each_entry_safe(entry, next, batch.pages, node)
		llist_add(&entry->node, &queue->rx_static);
}

/* Those that are buffers already stay until the connection ends. */
static void map_rx(struct netfront_queue *queue)
{
	struct batch batch;
	unsigned int done;

	for (done = 0; done < queue->nr_rx_static; done += batch.nr) {
		batch.nr = min_t(unsigned int, queue->nr_rx_static - done, STEP);
		memcpy(batch.refs, &queue->rx_refs[done],
		       batch.nr * sizeof(*batch.refs));
		if (!map_batch(queue, &batch, 0))
			return;
	}
	WRITE_ONCE(queue->rx_mapped, true);
}

static void unmap_rx(struct netfront_queue *queue)
{
	unsigned int done, nr;

	WRITE_ONCE(queue->rx_mapped, false);
	for (done = 0; done < queue->nr_rx_static; done += nr) {
		nr = min_t(unsigned int, queue->nr_rx_static - done, STEP);
		unmap_refs(queue, &queue->rx_refs[done], nr);
	}
}

static void enhance_rx(struct netfront_queue *queue)
{
	unsigned int wanted = READ_ONCE(queue->rx_target);

	if (!queue->rx_refs)
		queue->rx_refs = kcalloc(NET_RING_SLOTS,
					 sizeof(*queue->rx_refs), GFP_KERNEL);
	if (!queue->rx_refs)
		return;
	if (queue->nr_rx_static && !queue->rx_mapped)
		map_rx(queue);
	else if (wanted > queue->nr_rx_static)
		grow_rx(queue, wanted - queue->nr_rx_static);
}

/* --- life ---------------------------------------------------------------- */

/* Return: whether it may have got what it can do without some time. */
static bool update(struct netfront_queue *queue)
{
	unsigned long want = xchg(&queue->want, 0);

	if (!want)
		return false;
	learn_room(queue);
	if (want & BIT(NETFRONT_WANT_LESS)) {
		shrink_tx(queue);
		unmap_slices(queue);
		unmap_rx(queue);
	}
	if (want & BIT(NETFRONT_WANT_SLICES))
		map_slices(queue);
	if (want & BIT(NETFRONT_WANT_TX))
		grow_tx(queue);
	if (want & BIT(NETFRONT_WANT_RX))
		enhance_rx(queue);
	return true;
}

/**
 * netfront_static_update() - have more frames mapped or fewer, as queues want it
 * @info: a connected device
 */
void netfront_static_update(struct netfront *info)
{
	bool more = false;
	unsigned int i;

	if (!info->statics)
		return;
	for (i = 0; i < info->nr_queues; i++)
		more |= update(&info->queues[i]);
	if (more && !timer_pending(&info->static_timer))
		mod_timer(&info->static_timer, jiffies + IDLE_TIME);
}

/**
 * netfront_static_want() - have the state machine look at a queue
 * @queue: the queue
 * @want: what it wants
 *
 * Context: any.
 */
void netfront_static_want(struct netfront_queue *queue, enum netfront_want want)
{
	set_bit(want, &queue->want);
	netfront_kick(queue->info);
}

/* Return: whether the queue is to be looked at again. */
static bool look_at(struct netfront_queue *queue)
{
	bool used = xchg(&queue->tx_static_used, false);

	used |= xchg(&queue->rx_static_used, false);
	if (!READ_ONCE(queue->nr_tx_static) &&
	    !READ_ONCE(queue->slices_mapped) && !READ_ONCE(queue->rx_mapped))
		return false;
	if (used)
		return true;
	/* What was answered comes back first. */
	napi_schedule(&queue->napi);
	netfront_static_want(queue, NETFRONT_WANT_LESS);
	return false;
}

/* Does not wake an idle CPU. */
static void look_for_idle(struct timer_list *timer)
{
	struct netfront *info = from_timer(info, timer, static_timer);
	struct netfront_queue *queue;
	bool again = false;
	unsigned int i;

	for (i = 0; (queue = netfront_get_queue(info, i)); i++)
		again |= look_at(queue);
	if (again)
		mod_timer(timer, jiffies + IDLE_TIME);
}

/**
 * netfront_static_init() - set up what static grants need
 * @info: a new device
 */
void netfront_static_init(struct netfront *info)
{
	timer_setup(&info->static_timer, look_for_idle, TIMER_DEFERRABLE);
}

/**
 * netfront_static_stop() - do not look at queues any more
 * @info: a device whose queues are about to be freed
 *
 * Context: may sleep.
 */
void netfront_static_stop(struct netfront *info)
{
	info->statics = false;
	timer_delete_sync(&info->static_timer);
}

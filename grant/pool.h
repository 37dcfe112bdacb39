/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Grant pools of frontends: references that are ready for use, some of them
 * with a page that stays granted, kept in LIFO order so that a backend which
 * maps persistently meets the same few references again.
 *
 * A pool grows on demand inside two budgets (one per device, one for the whole
 * domain) and shrinks when part of it was idle for a while. It never falls
 * below its floor, which is what guarantees progress when everything else is
 * used up.
 */
#ifndef XSPLIT_GRANT_POOL_H
#define XSPLIT_GRANT_POOL_H

#include <linux/atomic.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <xen/grant_table.h>

/**
 * struct grant - a grant reference and what it grants
 * @next: next in the list that holds it
 * @page: own page that @ref grants read-write, or NULL for a bare reference
 *	that the holder points to a page of its choice
 * @ref: the reference
 * @first: for the holder (block: first sector in use)
 * @last: for the holder (block: last sector in use)
 */
struct grant {
	struct grant *next;
	struct page *page;
	grant_ref_t ref;
	u8 first;
	u8 last;
};

/**
 * struct grant_list - grants in the hands of one holder
 * @head: first grant; valid if @nr is not 0
 * @tail: last grant; valid if @nr is not 0
 * @nr: how many
 */
struct grant_list {
	struct grant *head;
	struct grant *tail;
	unsigned int nr;
};

/* Append all of @src to @dst. */
static inline void grant_list_join(struct grant_list *dst,
				   const struct grant_list *src)
{
	if (!src->nr)
		return;
	if (dst->nr)
		dst->tail->next = src->head;
	else
		dst->head = src->head;
	dst->tail = src->tail;
	dst->nr += src->nr;
}

/**
 * struct grant_budget - a device's limit on grant references
 * @used: references allocated by the pools of the device
 * @max: their limit
 *
 * Pools of all devices also share a limit for the domain, so that disks and
 * network interfaces of other drivers find references, too.
 */
struct grant_budget {
	atomic_t used;
	unsigned int max;
};

/**
 * grant_budget_init() - set up a device's budget
 * @budget: the budget
 *
 * Its limit comes from the size of the grant table and of the memory.
 */
void grant_budget_init(struct grant_budget *budget);

/**
 * grant_ref_alloc() - get one bare grant reference, outside of pools
 * @budget: the device's budget, which is charged
 *
 * Context: any.
 * Return: the reference, 0 if there is none.
 */
grant_ref_t grant_ref_alloc(struct grant_budget *budget);

/**
 * grant_ref_free() - give a reference back that grants nothing
 * @budget: the device's budget
 * @ref: the reference; 0 is left alone
 *
 * Context: any.
 */
void grant_ref_free(struct grant_budget *budget, grant_ref_t ref);

/**
 * grant_ref_end() - end a grant and give its reference and page back
 * @budget: the device's budget
 * @ref: the reference
 * @page: the page, of which one reference is dropped when the peer lets go
 *
 * Context: any.
 */
void grant_ref_end(struct grant_budget *budget, grant_ref_t ref,
		   struct page *page);

/* Unused grants of one kind. @low is the least @nr since the last shrinking. */
struct grant_stack {
	struct grant *top;
	unsigned int nr;
	unsigned int low;
};

/**
 * struct grant_pool - grants for one ring
 * @lock: the caller's lock, which protects the rest
 * @budget: the device's budget
 * @domid: the peer
 * @floor: number of grants to keep
 * @ceiling: number of grants not to exceed
 * @nr: grants in the stacks and with holders
 * @pages: unused grants with a page
 * @refs: unused bare grants
 */
struct grant_pool {
	spinlock_t *lock;	/* the caller's */
	struct grant_budget *budget;
	domid_t domid;
	unsigned int floor;
	unsigned int ceiling;

	unsigned int nr;
	struct grant_stack pages;
	struct grant_stack refs;
};

/**
 * grant_pool_init() - set up a pool and allocate its floor
 * @pool: the pool, in which the caller has set @lock, @budget, @domid, @floor
 *	and @ceiling, and nothing else
 * @nr_pages: how many of the floor's grants get a page now
 *
 * The floor's grants are allocated now and kept.
 *
 * Context: may sleep, does no I/O.
 * Return: 0, or -ENOMEM or -ENOSPC with nothing left allocated.
 */
int grant_pool_init(struct grant_pool *pool, unsigned int nr_pages);

/**
 * grant_pool_destroy() - free all grants, which no holder has any more
 * @pool: the pool; one that was never set up must be zeroed
 *
 * A page that the peer still maps is freed when it no longer does.
 *
 * Context: may sleep; nobody uses the pool.
 */
void grant_pool_destroy(struct grant_pool *pool);

/**
 * grant_pool_lost() - note that a holder has freed one grant's reference
 * @pool: the pool
 * @grant: the grant, which is freed
 *
 * Context: @pool->lock held.
 */
void grant_pool_lost(struct grant_pool *pool, struct grant *grant);

/**
 * grant_pool_shrink() - release what has been idle since the last call
 * @pool: the pool
 *
 * Context: process context, @pool->lock not held.
 * Return: true if a later call could release more.
 */
bool grant_pool_shrink(struct grant_pool *pool);

bool grant_pool_grow_pages(struct grant_pool *pool, unsigned int nr);
bool grant_pool_grow_refs(struct grant_pool *pool, unsigned int nr);

static inline void grant_stack_pop(struct grant_stack *stack, unsigned int nr,
				   struct grant_list *list)
{
	struct grant *g = stack->top;
	unsigned int i;

	list->head = g;
	for (i = 1; i < nr; i++)
		g = g->next;
	list->tail = g;
	list->nr = nr;

	stack->top = g->next;
	stack->nr -= nr;
	if (stack->nr < stack->low)
		stack->low = stack->nr;
}

static inline void grant_stack_push(struct grant_stack *stack,
				    const struct grant_list *list)
{
	if (!list->nr)
		return;
	list->tail->next = stack->top;
	stack->top = list->head;
	stack->nr += list->nr;
}

/**
 * grant_pool_take_pages() - get grants with pages
 * @pool: the pool
 * @nr: how many, at least 1
 * @list: filled on success
 *
 * Pages hold zeroes or data of this device's earlier I/O.
 *
 * Context: @pool->lock held.
 * Return: true, or false if there are too few; the caller then retries when
 * some were put back.
 */
static inline bool grant_pool_take_pages(struct grant_pool *pool,
					 unsigned int nr,
					 struct grant_list *list)
{
	lockdep_assert_held(pool->lock);
	if (unlikely(nr > pool->pages.nr) && !grant_pool_grow_pages(pool, nr))
		return false;
	grant_stack_pop(&pool->pages, nr, list);
	return true;
}

/**
 * grant_pool_take_refs() - get bare grants
 * @pool: the pool
 * @nr: how many, at least 1
 * @list: filled on success
 *
 * Context: @pool->lock held.
 * Return: as grant_pool_take_pages().
 */
static inline bool grant_pool_take_refs(struct grant_pool *pool,
					unsigned int nr,
					struct grant_list *list)
{
	lockdep_assert_held(pool->lock);
	if (unlikely(nr > pool->refs.nr) && !grant_pool_grow_refs(pool, nr))
		return false;
	grant_stack_pop(&pool->refs, nr, list);
	return true;
}

/**
 * grant_pool_put_pages() - give back grants with pages
 * @pool: the pool
 * @list: the grants, still granted to the peer
 *
 * Context: @pool->lock held.
 */
static inline void grant_pool_put_pages(struct grant_pool *pool,
					const struct grant_list *list)
{
	lockdep_assert_held(pool->lock);
	grant_stack_push(&pool->pages, list);
}

/**
 * grant_pool_put_refs() - give back bare grants
 * @pool: the pool
 * @list: the grants, whose access has been ended
 *
 * Context: @pool->lock held.
 */
static inline void grant_pool_put_refs(struct grant_pool *pool,
				       const struct grant_list *list)
{
	lockdep_assert_held(pool->lock);
	grant_stack_push(&pool->refs, list);
}

/**
 * grant_pool_excess() - whether the pool has grown beyond its floor
 * @pool: the pool
 *
 * Return: true if grant_pool_shrink() may find something to do some time.
 */
static inline bool grant_pool_excess(const struct grant_pool *pool)
{
	return READ_ONCE(pool->nr) > pool->floor;
}

#endif /* XSPLIT_GRANT_POOL_H */

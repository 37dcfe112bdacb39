// SPDX-License-Identifier: GPL-2.0
#include "pool.h"

#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/page.h>

/* References in one frame of a version 1 grant table. */
#define REFS_PER_FRAME	(XEN_PAGE_SIZE / sizeof(struct grant_entry_v1))

/* Pages of a run, and from how many on that are wanted it is worth having. */
#define RUN_ORDER	4
#define RUN_PAGES	BIT(RUN_ORDER)
#define RUN_WORTH	(RUN_PAGES / 2)

/* Grants of all pools: what they use, and what they may use. */
static struct grant_budget domain_budget;

void grant_budget_init(struct grant_budget *budget)
{
	unsigned int refs = gnttab_max_grant_frames() * REFS_PER_FRAME;

	/* The rest is for drivers that do not use pools. */
	WRITE_ONCE(domain_budget.max, refs - refs / 8);

	atomic_set(&budget->used, 0);
	budget->max = min(refs / 2, (unsigned int)(totalram_pages() / 16));
}
EXPORT_SYMBOL_NS_GPL(grant_budget_init, XSPLIT);

static bool budget_charge(struct grant_budget *budget)
{
	if (atomic_inc_return(&budget->used) <= READ_ONCE(budget->max))
		return true;
	atomic_dec(&budget->used);
	return false;
}

static bool charge(struct grant_budget *budget)
{
	if (!budget_charge(budget))
		return false;
	if (budget_charge(&domain_budget))
		return true;
	atomic_dec(&budget->used);
	return false;
}

static void uncharge(struct grant_budget *budget)
{
	atomic_dec(&domain_budget.used);
	atomic_dec(&budget->used);
}

static bool pool_charge(struct grant_pool *pool)
{
	return charge(pool->budget);
}

static void pool_uncharge(struct grant_pool *pool)
{
	uncharge(pool->budget);
}

grant_ref_t grant_ref_alloc(struct grant_budget *budget)
{
	grant_ref_t head;

	if (!charge(budget))
		return 0;
	if (!gnttab_alloc_grant_references(1, &head))
		return gnttab_claim_grant_reference(&head);
	uncharge(budget);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(grant_ref_alloc, XSPLIT);

void grant_ref_free(struct grant_budget *budget, grant_ref_t ref)
{
	if (!ref)
		return;
	gnttab_free_grant_reference(ref);
	uncharge(budget);
}
EXPORT_SYMBOL_NS_GPL(grant_ref_free, XSPLIT);

void grant_ref_end(struct grant_budget *budget, grant_ref_t ref,
		   struct page *page)
{
	gnttab_end_foreign_access(ref, page);
	uncharge(budget);
}
EXPORT_SYMBOL_NS_GPL(grant_ref_end, XSPLIT);

static void push_one(struct grant_stack *stack, struct grant *g)
{
	g->next = stack->top;
	stack->top = g;
	stack->nr++;
}

static struct grant *pop_one(struct grant_stack *stack)
{
	struct grant_list list;

	grant_stack_pop(stack, 1, &list);
	return list.head;
}

static bool add_ref(struct grant_pool *pool, gfp_t gfp)
{
	grant_ref_t head;
	struct grant *g;

	if (pool->nr >= pool->ceiling || !pool_charge(pool))
		return false;
	g = kzalloc(sizeof(*g), gfp);
	if (!g)
		goto err_charge;
	if (gnttab_alloc_grant_references(1, &head))
		goto err_grant;

	g->ref = gnttab_claim_grant_reference(&head);
	push_one(&pool->refs, g);
	WRITE_ONCE(pool->nr, pool->nr + 1);
	return true;

err_grant:
	kfree(g);
err_charge:
	pool_uncharge(pool);
	return false;
}

static bool add_refs(struct grant_pool *pool, unsigned int nr, gfp_t gfp)
{
	while (pool->refs.nr < nr)
		if (!add_ref(pool, gfp))
			return false;
	return true;
}

static void grant_page(struct grant_pool *pool, struct page *page)
{
	struct grant *g = pop_one(&pool->refs);

	g->page = page;
	gnttab_page_grant_foreign_access_ref_one(g->ref, pool->domid, page, 0);
	push_one(&pool->pages, g);
}

static bool add_page(struct grant_pool *pool, gfp_t gfp)
{
	struct page *page;

	if (!add_refs(pool, 1, gfp))
		return false;
	/* The peer sees all of the page, whatever part the I/O uses. */
	page = alloc_page(gfp | __GFP_ZERO);
	if (!page)
		return false;
	grant_page(pool, page);
	return true;
}

/*
 * Pages that follow each other, the first of them on top: a peer can serve a
 * large request from them as from one piece. Nothing is held up for their sake,
 * nor are reserves touched.
 */
static bool add_run(struct grant_pool *pool)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC;
	struct page *page;
	unsigned int i;

	if (!add_refs(pool, RUN_PAGES, gfp))
		return false;
	page = alloc_pages(gfp | __GFP_ZERO, RUN_ORDER);
	if (!page)
		return false;
	split_page(page, RUN_ORDER);
	for (i = RUN_PAGES; i--;)
		grant_page(pool, page + i);
	return true;
}

/* Turn an idle page into a bare reference, unless the peer maps it. */
static bool strip_page(struct grant_pool *pool)
{
	struct grant *g;

	if (!pool->pages.nr)
		return false;
	g = pop_one(&pool->pages);
	if (!gnttab_end_foreign_access_ref(g->ref)) {
		push_one(&pool->pages, g);
		return false;
	}
	__free_page(g->page);
	g->page = NULL;
	push_one(&pool->refs, g);
	return true;
}

bool grant_pool_grow_pages(struct grant_pool *pool, unsigned int nr)
{
	lockdep_assert_held(pool->lock);

	/* What was added stays when this fails: a retry needs less. */
	while (pool->pages.nr < nr) {
		if (nr - pool->pages.nr >= RUN_WORTH && add_run(pool))
			continue;
		if (!add_page(pool, GFP_ATOMIC | __GFP_NOWARN))
			return false;
	}
	return true;
}
EXPORT_SYMBOL_NS_GPL(grant_pool_grow_pages, XSPLIT);

bool grant_pool_grow_refs(struct grant_pool *pool, unsigned int nr)
{
	lockdep_assert_held(pool->lock);

	while (pool->refs.nr < nr)
		if (!add_ref(pool, GFP_ATOMIC | __GFP_NOWARN) &&
		    !strip_page(pool))
			return false;
	return true;
}
EXPORT_SYMBOL_NS_GPL(grant_pool_grow_refs, XSPLIT);

/* Free a grant that is in no stack. */
static void free_grant(struct grant_pool *pool, struct grant *g)
{
	if (g->page)
		gnttab_end_foreign_access(g->ref, g->page);
	else
		gnttab_free_grant_reference(g->ref);
	kfree(g);
	pool_uncharge(pool);
}

void grant_pool_lost(struct grant_pool *pool, struct grant *grant)
{
	lockdep_assert_held(pool->lock);

	kfree(grant);
	pool_uncharge(pool);
	WRITE_ONCE(pool->nr, pool->nr - 1);
}
EXPORT_SYMBOL_NS_GPL(grant_pool_lost, XSPLIT);

void grant_pool_destroy(struct grant_pool *pool)
{
	while (pool->pages.nr)
		free_grant(pool, pop_one(&pool->pages));
	while (pool->refs.nr)
		free_grant(pool, pop_one(&pool->refs));
	pool->nr = 0;
}
EXPORT_SYMBOL_NS_GPL(grant_pool_destroy, XSPLIT);

int grant_pool_init(struct grant_pool *pool, unsigned int nr_pages)
{
	/* Nobody else knows the pool yet, hence no lock. */
	while (pool->refs.nr < pool->floor) {
		if (!add_ref(pool, GFP_NOIO)) {
			grant_pool_destroy(pool);
			return -ENOSPC;
		}
	}
	while (pool->pages.nr < nr_pages) {
		if (!add_page(pool, GFP_NOIO)) {
			grant_pool_destroy(pool);
			return -ENOMEM;
		}
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(grant_pool_init, XSPLIT);

/* Cut the @nr grants off that were longest unused: those at the bottom. */
static struct grant *cut_bottom(struct grant_stack *stack, unsigned int nr)
{
	unsigned int keep = stack->nr - nr;
	struct grant **link = &stack->top;
	struct grant *cut;

	while (keep--)
		link = &(*link)->next;
	cut = *link;
	stack->nr -= nr;
	*link = NULL;
	return cut;
}

static unsigned int cut_idle(struct grant_pool *pool, struct grant_stack *stack,
			     struct grant **cut)
{
	unsigned int excess = pool->nr > pool->floor ? pool->nr - pool->floor : 0;
	unsigned int nr = min(stack->low, excess);

	*cut = nr ? cut_bottom(stack, nr) : NULL;
	stack->low = stack->nr;
	WRITE_ONCE(pool->nr, pool->nr - nr);
	return nr;
}

/* Free grants; those that the peer still maps go back to the pool. */
static void free_unmapped(struct grant_pool *pool, struct grant *g,
			  unsigned int nr)
{
	struct grant *next;

	for (; nr--; g = next) {
		next = g->next;
		if (!g->page) {
			free_grant(pool, g);
		} else if (gnttab_try_end_foreign_access(g->ref)) {
			__free_page(g->page);
			kfree(g);
			pool_uncharge(pool);
		} else {
			spin_lock_bh(pool->lock);
			push_one(&pool->pages, g);
			WRITE_ONCE(pool->nr, pool->nr + 1);
			spin_unlock_bh(pool->lock);
		}
	}
}

bool grant_pool_shrink(struct grant_pool *pool)
{
	unsigned int nr_pages, nr_refs;
	struct grant *pages, *refs;

	spin_lock_bh(pool->lock);
	nr_pages = cut_idle(pool, &pool->pages, &pages);
	nr_refs = cut_idle(pool, &pool->refs, &refs);
	spin_unlock_bh(pool->lock);

	free_unmapped(pool, pages, nr_pages);
	free_unmapped(pool, refs, nr_refs);
	return grant_pool_excess(pool);
}
EXPORT_SYMBOL_NS_GPL(grant_pool_shrink, XSPLIT);

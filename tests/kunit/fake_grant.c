// SPDX-License-Identifier: GPL-2.0
/*
 * Grant table: what the code under test grants, and what its peer does.
 */
#include "fake.h"

#include <linux/mm.h>
#include <linux/spinlock.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>
#include <asm/xen/hypercall.h>

/* References below this are the hypervisor's. */
#define FIRST_REF	8
#define MAX_PEER	1024
#define MAX_PEER_RINGS	32

enum use {
	FREE,
	CLAIMED,	/* allocated */
	GRANTED,
};

struct entry {
	enum use use;
	bool readonly;
	bool mapped;		/* by the peer */
	bool deferred;		/* ended by us, still mapped */
	grant_ref_t next;	/* while allocated and not claimed */
	unsigned long frame;
	struct page *page;	/* to free when a deferred end comes */
};

struct peer_grant {
	grant_ref_t ref;
	struct page *page;
	bool readonly;
	s16 status;
	unsigned int times;
};

struct mapping {
	bool used;
	struct page *page;
};

static struct entry table[FAKE_REFS];
static struct peer_grant peers[MAX_PEER];
static struct mapping mappings[MAX_PEER];
static struct {
	grant_ref_t first;
	void *pages;
	unsigned int nr;
	bool mapped;
} rings[MAX_PEER_RINGS];
static unsigned int nr_peers, nr_rings;
static DEFINE_SPINLOCK(lock);

static struct entry *entry_of(grant_ref_t ref, enum use use, const char *what)
{
	if (ref < FIRST_REF || ref >= FAKE_REFS) {
		fake_fault("%s: reference %u out of range", what, ref);
		return NULL;
	}
	if (table[ref].use != use || table[ref].deferred) {
		fake_fault("%s: reference %u is in state %u%s", what, ref,
			   table[ref].use, table[ref].deferred ? ", ended" : "");
		return NULL;
	}
	return &table[ref];
}

unsigned int gnttab_max_grant_frames(void)
{
	return fake.grant_frames;
}

int gnttab_alloc_grant_references(u16 count, grant_ref_t *head)
{
	static grant_ref_t hint = FIRST_REF;
	grant_ref_t ref, next = 0;
	unsigned int i;
	unsigned long flags;

	if (fake_fails(FAKE_GRANT))
		return -ENOSPC;
	spin_lock_irqsave(&lock, flags);
	for (i = FIRST_REF; i < FAKE_REFS && count; i++) {
		/* Round and round, so that an old reference is noticed. */
		ref = hint++;
		if (hint == FAKE_REFS)
			hint = FIRST_REF;
		if (table[ref].use != FREE)
			continue;
		table[ref] = (struct entry) { .use = CLAIMED, .next = next };
		next = ref;
		count--;
	}
	spin_unlock_irqrestore(&lock, flags);
	*head = next;
	return count ? -ENOSPC : 0;
}

int gnttab_claim_grant_reference(grant_ref_t *head)
{
	grant_ref_t ref = *head;

	if (!ref)
		return -ENOSPC;
	*head = table[ref].next;
	table[ref].next = 0;
	return ref;
}

void gnttab_free_grant_reference(grant_ref_t ref)
{
	unsigned long flags;
	struct entry *e;

	spin_lock_irqsave(&lock, flags);
	e = entry_of(ref, CLAIMED, "free");
	if (e)
		e->use = FREE;
	spin_unlock_irqrestore(&lock, flags);
}

void gnttab_free_grant_references(grant_ref_t head)
{
	grant_ref_t next;

	for (; head; head = next) {
		next = table[head].next;
		gnttab_free_grant_reference(head);
	}
}

void gnttab_grant_foreign_access_ref(grant_ref_t ref, domid_t domid,
				     unsigned long frame, int readonly)
{
	unsigned long flags;
	struct entry *e;

	spin_lock_irqsave(&lock, flags);
	e = entry_of(ref, CLAIMED, "grant");
	if (e) {
		e->use = GRANTED;
		e->frame = frame;
		e->readonly = readonly;
		if (domid != FAKE_PEER)
			fake_fault("granted to domain %u", domid);
	}
	spin_unlock_irqrestore(&lock, flags);
}

int gnttab_end_foreign_access_ref(grant_ref_t ref)
{
	unsigned long flags;
	struct entry *e;
	int ended = 0;

	spin_lock_irqsave(&lock, flags);
	e = entry_of(ref, GRANTED, "end");
	if (e && !e->mapped) {
		e->use = CLAIMED;
		ended = 1;
	}
	spin_unlock_irqrestore(&lock, flags);
	return ended;
}

int gnttab_try_end_foreign_access(grant_ref_t ref)
{
	if (!gnttab_end_foreign_access_ref(ref))
		return 0;
	gnttab_free_grant_reference(ref);
	return 1;
}

void gnttab_end_foreign_access(grant_ref_t ref, struct page *page)
{
	unsigned long flags;
	struct entry *e;

	if (gnttab_try_end_foreign_access(ref)) {
		if (page)
			put_page(page);
		return;
	}
	spin_lock_irqsave(&lock, flags);
	e = entry_of(ref, GRANTED, "end later");
	if (e) {
		e->deferred = true;
		e->page = page;
		if (!page) {
			e->page = pfn_to_page(e->frame);
			get_page(e->page);
		}
	}
	spin_unlock_irqrestore(&lock, flags);
}

/* --- what tests ask ------------------------------------------------------ */

unsigned int fake_grants_used(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < FAKE_REFS; i++)
		nr += table[i].use != FREE;
	return nr;
}

unsigned int fake_grants_deferred(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < FAKE_REFS; i++)
		nr += table[i].deferred;
	return nr;
}

bool fake_grant_active(grant_ref_t ref)
{
	return ref < FAKE_REFS && table[ref].use == GRANTED &&
	       !table[ref].deferred;
}

bool fake_grant_readonly(grant_ref_t ref)
{
	return table[ref].readonly;
}

struct page *fake_grant_page(grant_ref_t ref)
{
	return fake_grant_active(ref) ? pfn_to_page(table[ref].frame) : NULL;
}

/* The peer maps a frame, or lets go of it. */
void fake_grant_map(grant_ref_t ref, bool mapped)
{
	struct entry *e = &table[ref];

	e->mapped = mapped;
	if (mapped || !e->deferred)
		return;
	put_page(e->page);
	*e = (struct entry) {};
}

void fake_peer_grant(grant_ref_t ref, struct page *page, bool readonly)
{
	if (nr_peers == MAX_PEER) {
		fake_fault("too many frames of the peer");
		return;
	}
	peers[nr_peers++] = (struct peer_grant) {
		.ref = ref,
		.page = page,
		.readonly = readonly,
	};
}

static struct peer_grant *peer_of(grant_ref_t ref)
{
	unsigned int i;

	for (i = 0; i < nr_peers; i++)
		if (peers[i].ref == ref)
			return &peers[i];
	return NULL;
}

/* The next @times operations on @ref end in @status; 0: all of them. */
void fake_peer_status(grant_ref_t ref, s16 status, unsigned int times)
{
	struct peer_grant *peer = peer_of(ref);

	peer->status = status;
	peer->times = times ?: UINT_MAX;
}

static s16 use_peer(grant_ref_t ref, domid_t domid, bool write,
		    struct peer_grant **peer)
{
	struct peer_grant *p = peer_of(ref);
	s16 status;

	if (domid != FAKE_PEER)
		return GNTST_bad_domain;
	if (!p || !p->page)
		return GNTST_bad_gntref;
	if (p->times) {
		status = p->status;
		if (p->times != UINT_MAX)
			p->times--;
		if (status)
			return status;
	}
	if (write && p->readonly)
		return GNTST_permission_denied;
	*peer = p;
	return GNTST_okay;
}

/* --- copies -------------------------------------------------------------- */

static s16 copy_side(const struct gnttab_copy_ptr *ptr, bool gref, bool write,
		     u16 len, void **at)
{
	struct peer_grant *peer;
	s16 status;

	if (ptr->offset + len > XEN_PAGE_SIZE)
		return GNTST_bad_copy_arg;
	if (!gref) {
		if (ptr->domid != DOMID_SELF)
			return GNTST_bad_domain;
		*at = page_address(pfn_to_page(ptr->u.gmfn)) + ptr->offset;
		return GNTST_okay;
	}
	status = use_peer(ptr->u.ref, ptr->domid, write, &peer);
	if (!status)
		*at = page_address(peer->page) + ptr->offset;
	return status;
}

static s16 copy_one(const struct gnttab_copy *op)
{
	void *src, *dst;
	s16 status;

	status = copy_side(&op->source, op->flags & GNTCOPY_source_gref, false,
			   op->len, &src);
	status = status ?: copy_side(&op->dest, op->flags & GNTCOPY_dest_gref,
				     true, op->len, &dst);
	if (!status)
		memcpy(dst, src, op->len);
	return status;
}

int HYPERVISOR_grant_table_op(unsigned int cmd, void *uop, unsigned int count)
{
	struct gnttab_copy *op = uop;
	unsigned int i;

	fake.hypercalls++;
	if (cmd != GNTTABOP_copy) {
		fake_fault("grant table operation %u", cmd);
		return -ENOSYS;
	}
	if (fake.hypercall_ret)
		return fake.hypercall_ret;
	for (i = 0; i < count; i++, fake.ops++)
		op[i].status = copy_one(&op[i]);
	return 0;
}

/* --- mappings: the page that stands for the frame gets its contents ------ */

int gnttab_map_refs(struct gnttab_map_grant_ref *ops,
		    struct gnttab_map_grant_ref *kops, struct page **pages,
		    unsigned int count)
{
	struct peer_grant *peer;
	unsigned int i, handle;

	fake.hypercalls++;
	if (fake.hypercall_ret)
		return fake.hypercall_ret;
	for (i = 0; i < count; i++, fake.ops++) {
		if (fake_fails(FAKE_GRANT)) {
			ops[i].status = GNTST_no_space;
			continue;
		}
		ops[i].status = use_peer(ops[i].ref, ops[i].dom,
					 !(ops[i].flags & GNTMAP_readonly),
					 &peer);
		if (ops[i].status)
			continue;
		for (handle = 0; mappings[handle].used; handle++)
			;
		mappings[handle] = (struct mapping) { true, pages[i] };
		ops[i].handle = handle;
		copy_page(page_address(pages[i]), page_address(peer->page));
	}
	return 0;
}

int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *ops,
		      struct gnttab_unmap_grant_ref *kops, struct page **pages,
		      unsigned int count)
{
	struct mapping *map;
	unsigned int i;

	fake.hypercalls++;
	if (fake.hypercall_ret)
		return fake.hypercall_ret;
	for (i = 0; i < count; i++, fake.ops++) {
		if (ops[i].handle >= MAX_PEER || !mappings[ops[i].handle].used) {
			ops[i].status = GNTST_bad_handle;
			fake_fault("handle %u unmapped", ops[i].handle);
			continue;
		}
		map = &mappings[ops[i].handle];
		if (map->page != pages[i])
			fake_fault("handle %u is of another page",
				   ops[i].handle);
		map->used = false;
		ops[i].status = GNTST_okay;
	}
	return 0;
}

unsigned int fake_peer_mapped(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_PEER; i++)
		nr += mappings[i].used;
	return nr;
}

unsigned long fake_machine_frame(unsigned long pfn)
{
	return fake.scattered ? 2 * pfn : pfn;
}

/* Pages that follow each other, as the kernel's mostly do; the first is next. */
#define SPARE_ORDER	4

static struct page *spare;
static unsigned int spares;

static struct page *spare_page(void)
{
	if (!spares) {
		spare = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO,
				    SPARE_ORDER);
		if (!spare)
			return NULL;
		split_page(spare, SPARE_ORDER);
		spares = 1 << SPARE_ORDER;
	}
	spares--;
	return spare++;
}

static void free_spares(void)
{
	for (; spares; spares--)
		__free_page(spare++);
}

/* Nothing is kept: what is not given back is missed. */
void gnttab_page_cache_init(struct gnttab_page_cache *cache)
{
	spin_lock_init(&cache->lock);
	cache->num_pages = 0;
}

int gnttab_page_cache_get(struct gnttab_page_cache *cache, struct page **page)
{
	*page = spare_page();
	if (!*page)
		return -ENOMEM;
	fake.cached_pages++;
	return 0;
}

void gnttab_page_cache_put(struct gnttab_page_cache *cache, struct page **page,
			   unsigned int num)
{
	unsigned int i;

	for (i = 0; i < num; i++)
		__free_page(page[i]);
	fake.cached_pages -= num;
}

void gnttab_page_cache_shrink(struct gnttab_page_cache *cache,
			      unsigned int num)
{
}

/* --- ring pages ---------------------------------------------------------- */

int xenbus_setup_ring(struct xenbus_device *dev, gfp_t gfp, void **vaddr,
		      unsigned int nr_pages, grant_ref_t *grefs)
{
	grant_ref_t head;
	unsigned int i;

	*vaddr = alloc_pages_exact(nr_pages * PAGE_SIZE, gfp | __GFP_ZERO);
	if (!*vaddr)
		return -ENOMEM;
	if (gnttab_alloc_grant_references(nr_pages, &head)) {
		free_pages_exact(*vaddr, nr_pages * PAGE_SIZE);
		*vaddr = NULL;
		return -ENOSPC;
	}
	for (i = 0; i < nr_pages; i++) {
		grefs[i] = gnttab_claim_grant_reference(&head);
		gnttab_grant_foreign_access_ref(grefs[i], dev->otherend_id,
						virt_to_pfn(*vaddr) + i, 0);
	}
	fake.rings += nr_pages;
	return 0;
}

void xenbus_teardown_ring(void **vaddr, unsigned int nr_pages,
			  grant_ref_t *grefs)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		if (grefs[i])
			gnttab_end_foreign_access(grefs[i],
						  virt_to_page(*vaddr + i * PAGE_SIZE));
	memset(grefs, 0, nr_pages * sizeof(*grefs));
	*vaddr = NULL;
	fake.rings -= nr_pages;
}

void fake_peer_ring(grant_ref_t first, void *pages, unsigned int nr)
{
	rings[nr_rings].first = first;
	rings[nr_rings].pages = pages;
	rings[nr_rings].mapped = false;
	rings[nr_rings++].nr = nr;
}

static bool in_order(const grant_ref_t *refs, grant_ref_t first,
		     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr && refs[i] == first + i; i++)
		;
	return i == nr;
}

int xenbus_map_ring_valloc(struct xenbus_device *dev, grant_ref_t *grefs,
			   unsigned int nr, void **vaddr)
{
	unsigned int i;

	*vaddr = NULL;
	for (i = 0; i < nr_rings; i++) {
		if (rings[i].nr < nr || !in_order(grefs, rings[i].first, nr) ||
		    fake_fails(FAKE_GRANT))
			continue;
		if (rings[i].mapped)
			fake_fault("ring %u mapped twice", grefs[0]);
		rings[i].mapped = true;
		fake.rings++;
		*vaddr = rings[i].pages;
		return 0;
	}
	xenbus_dev_fatal(dev, -ENOENT, "mapping ring %u", grefs[0]);
	return -ENOENT;
}

int xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *vaddr)
{
	unsigned int i;

	for (i = 0; i < nr_rings; i++) {
		if (rings[i].pages != vaddr || !rings[i].mapped)
			continue;
		rings[i].mapped = false;
		fake.rings--;
		return 0;
	}
	fake_fault("a ring unmapped that is not mapped");
	return -ENOENT;
}

void fake_grant_init(void)
{
	memset(table, 0, sizeof(table));
	memset(mappings, 0, sizeof(mappings));
	nr_peers = 0;
	nr_rings = 0;
}

void fake_grant_exit(struct kunit *test)
{
	free_spares();
	KUNIT_EXPECT_EQ(test, fake_grants_used(), 0);
	KUNIT_EXPECT_EQ(test, fake_peer_mapped(), 0);
}

// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

#include <stdio.h>

#define MAX_PAGES	2048
#define MAX_GRANTS	16384
#define PAGE_CHAINS	1024

unsigned long jiffies;
int kernel_objects;
unsigned int kernel_notified, kernel_eois;

/* Those of virt_to_page(), and those that are free. */
static struct page *pages[MAX_PAGES], *free_pages[MAX_PAGES];
static unsigned int nr_pages, nr_free;
static struct page *granted[MAX_GRANTS];
/* All pages that there ever were, by address. */
static struct page *known[PAGE_CHAINS];
static grant_ref_t last_ref;
static u64 now_ns;

/* For targets that nothing waits in. */
__attribute__((weak)) void target_yield(void)
{
}

static void log_args(const char *fmt, va_list args)
{
	static char line[512];

	vsnprintf(line, sizeof(line), fmt, args);
}

void kernel_log(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_args(fmt, args);
	va_end(args);
}

void frontend_error(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_args(fmt, args);
	va_end(args);
}

void frontend_fatal(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_args(fmt, args);
	va_end(args);
}

struct llist_node *llist_reverse_order(struct llist_node *node)
{
	struct llist_node *done = NULL, *next;

	for (; node; node = next) {
		next = node->next;
		node->next = done;
		done = node;
	}
	return done;
}

u64 local_clock(void)
{
	return now_ns += 7 * NSEC_PER_USEC;
}

u64 ktime_get_ns(void)
{
	now_ns += peer_u8() * NSEC_PER_USEC;
	return now_ns;
}

static bool short_of_memory(gfp_t gfp)
{
	return !(gfp & __GFP_NOFAIL) && peer_u8() == 0xff;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	void *p;

	if (short_of_memory(gfp))
		return NULL;
	p = gfp & __GFP_ZERO ? calloc(1, size) : malloc(size);
	kernel_objects++;
	return p;
}

void *kmemdup(const void *src, size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp);

	if (p)
		__builtin_memcpy(p, src, size);
	return p;
}

void kfree(const void *p)
{
	if (p)
		kernel_objects--;
	free((void *)p);
}

static void hide_bytes(const struct page *page, bool hidden)
{
#ifdef FUZZ_ASAN
	if (hidden)
		ASAN_POISON_MEMORY_REGION(page->addr, PAGE_SIZE);
	else
		ASAN_UNPOISON_MEMORY_REGION(page->addr, PAGE_SIZE);
#else
	(void)page;
	(void)hidden;
#endif
}

static struct page **chain_of(const void *addr)
{
	return &known[((uintptr_t)addr >> PAGE_SHIFT) % PAGE_CHAINS];
}

bool kernel_is_granted(const void *addr)
{
	const struct page *page = *chain_of(addr);

	while (page && (uintptr_t)addr - (uintptr_t)page->addr >= PAGE_SIZE)
		page = page->next;
	return page && page->granted;
}

/* Pages are kept for the next inputs; what is free cannot be touched. */
static struct page *new_page(void)
{
	struct page *page, **chain;

	if (nr_free)
		return free_pages[--nr_free];
	page = calloc(1, sizeof(*page));
	page->addr = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	chain = chain_of(page->addr);
	page->next = *chain;
	*chain = page;
	return page;
}

struct page *alloc_page(gfp_t gfp)
{
	struct page *page;

	if (short_of_memory(gfp))
		return NULL;
	page = new_page();
	hide_bytes(page, false);
	if (gfp & __GFP_ZERO)
		__builtin_memset(page->addr, 0, PAGE_SIZE);
	else
		peer_is_not_set(page->addr, PAGE_SIZE);
	page->refs = 1;
	kernel_objects++;
	return page;
}

void get_page(struct page *page)
{
	MUST(page->refs > 0);
	page->refs++;
}

void put_page(struct page *page)
{
	MUST(page->refs > 0 && !page->borrowed);
	if (--page->refs)
		return;
	/* What the peer can reach must not be used for something else (XSA-396), nor
	 * be given back by two owners (XSA-405).
	 */
	MUST(!page->granted);
	MUST(nr_free < MAX_PAGES);
	free_pages[nr_free++] = page;
	hide_bytes(page, true);
	kernel_objects--;
}

struct page *virt_to_page(const void *addr)
{
	struct page *page;

	MUST(nr_pages < MAX_PAGES);
	page = calloc(1, sizeof(*page));
	page->addr = (u8 *)((uintptr_t)addr & ~(PAGE_SIZE - 1));
	page->borrowed = true;
	pages[nr_pages++] = page;
	return page;
}

static void hide(struct page *page, bool hidden)
{
	page->granted = hidden;
	hide_bytes(page, hidden);
}

void kernel_copy_granted(void *dst, const void *src, size_t len)
{
	u8 *page = (u8 *)((uintptr_t)src & ~(PAGE_SIZE - 1)), *from = (u8 *)src;
	bool hidden = false;
	size_t i;

	MUST(offset_in_page(src) + len <= PAGE_SIZE);
#ifdef FUZZ_ASAN
	hidden = __asan_address_is_poisoned(page);
	if (hidden)
		ASAN_UNPOISON_MEMORY_REGION(page, PAGE_SIZE);
#endif
	__builtin_memcpy(dst, from, len);
	for (i = 0; hidden && i < len; i++)
		from[i] = ~from[i];
#ifdef FUZZ_ASAN
	if (hidden)
		ASAN_POISON_MEMORY_REGION(page, PAGE_SIZE);
#endif
	(void)page;
}

grant_ref_t kernel_ref(void)
{
	MUST(last_ref + 1 < MAX_GRANTS);
	return ++last_ref;
}

void gnttab_page_grant_foreign_access_ref_one(grant_ref_t ref, domid_t domid,
					      struct page *page, int readonly)
{
	(void)domid;
	(void)readonly;
	MUST(ref && ref <= last_ref && !granted[ref]);
	/* XSA-403: the peer sees all of the page. */
	peer_must_be_set(page->addr, PAGE_SIZE);
	granted[ref] = page;
	hide(page, true);
}

void kernel_peer_writes(grant_ref_t ref, u16 offset, const void *src, u16 len)
{
	struct page *page = ref && ref <= last_ref ? granted[ref] : NULL;

	if (!page)
		return;
	hide(page, false);
	__builtin_memcpy(page->addr + offset, src, len);
	hide(page, true);
}

int gnttab_end_foreign_access_ref(grant_ref_t ref)
{
	MUST(ref && ref <= last_ref && granted[ref]);
	if (peer_u8() >= 0xfc)
		return 0;
	hide(granted[ref], false);
	granted[ref] = NULL;
	return 1;
}

/* The page is given back when the peer lets go of it; here that is now. */
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page)
{
	MUST(ref && ref <= last_ref && granted[ref]);
	MUST(!page || page == granted[ref]);
	hide(granted[ref], false);
	granted[ref] = NULL;
	if (page)
		put_page(page);
}

void kernel_reset(void)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		free(pages[i]);
	nr_pages = 0;
	for (i = 1; i <= last_ref; i++)
		if (granted[i])
			CAUGHT("grant %u was not ended", i);
	last_ref = 0;
	if (kernel_objects)
		CAUGHT("%d objects are left", kernel_objects);
	kernel_notified = 0;
	kernel_eois = 0;
	jiffies = 1000;
	now_ns = 1000000;
}

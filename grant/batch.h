/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Grant operations in batches: one hypercall for many frames, with the result
 * of every frame reported to its owner (XSA-361, XSA-362).
 */
#ifndef XSPLIT_GRANT_BATCH_H
#define XSPLIT_GRANT_BATCH_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/grant_table.h>

/* One request of the largest size (1 MiB) is one hypercall of each kind. */
#define GRANT_BATCH_MAX		256

/**
 * struct grant_copy_batch - copies between own pages and frames of a peer
 * @atomic: the user must not sleep; a frame that the peer has paged out fails
 * @nr: operations collected
 * @ops: the hypercall's argument
 * @err: where the error of each operation goes
 */
struct grant_copy_batch {
	bool atomic;
	unsigned int nr;
	struct gnttab_copy ops[GRANT_BATCH_MAX];
	int *err[GRANT_BATCH_MAX];
};

/**
 * struct grant_copy_span - one copy within one frame on either side
 * @domid: the peer
 * @ref: its grant reference
 * @page: own page; as a source also one mapped from a grant of another domain
 * @page_offset: where in @page, bytes
 * @ref_offset: where in the peer's frame, bytes
 * @len: bytes
 * @to_peer: the direction
 */
struct grant_copy_span {
	domid_t domid;
	grant_ref_t ref;
	struct page *page;
	u16 page_offset;
	u16 ref_offset;
	u16 len;
	bool to_peer;
};

/**
 * grant_copy_add() - collect a copy; runs the batch first if it is full
 * @batch: the batch
 * @span: what to copy
 * @err: set to -errno if the copy fails, else left alone; must live until
 *	grant_copy_run()
 *
 * Context: may sleep, unless @batch is atomic.
 */
void grant_copy_add(struct grant_copy_batch *batch,
		    const struct grant_copy_span *span, int *err);

/**
 * grant_copy_run() - carry out all collected copies in one hypercall
 * @batch: the batch, empty on return
 *
 * Context: may sleep, unless @batch is atomic.
 */
void grant_copy_run(struct grant_copy_batch *batch);

/**
 * struct grant_map_batch - mappings of a peer's frames
 * @nr: operations collected
 * @ops: the hypercall's argument
 * @pages: own page structures that the frames appear under
 * @handle: where the handle of each mapping goes
 * @err: where the error of each mapping goes
 */
struct grant_map_batch {
	unsigned int nr;
	struct gnttab_map_grant_ref ops[GRANT_BATCH_MAX];
	struct page *pages[GRANT_BATCH_MAX];
	grant_handle_t *handle[GRANT_BATCH_MAX];
	int *err[GRANT_BATCH_MAX];
};

/**
 * struct grant_map_frame - one frame to map
 * @domid: the peer
 * @ref: its grant reference
 * @page: a page of gnttab_alloc_pages() or gnttab_page_cache_get()
 * @readonly: whether this domain only reads it
 */
struct grant_map_frame {
	domid_t domid;
	grant_ref_t ref;
	struct page *page;
	bool readonly;
};

/**
 * grant_map_add() - collect a mapping; runs the batch first if it is full
 * @batch: the batch
 * @frame: what to map
 * @handle: set to the mapping's handle, INVALID_GRANT_HANDLE if it fails
 * @err: set to -errno if the mapping fails, else left alone; both must live
 *	until grant_map_run()
 *
 * Context: may sleep.
 */
void grant_map_add(struct grant_map_batch *batch,
		   const struct grant_map_frame *frame, grant_handle_t *handle,
		   int *err);

/**
 * grant_map_run() - carry out all collected mappings in one hypercall
 * @batch: the batch, empty on return
 *
 * Context: may sleep.
 */
void grant_map_run(struct grant_map_batch *batch);

/**
 * struct grant_unmap_batch - mappings to be undone
 * @cache: where pages go once they are unmapped
 * @nr: operations collected
 * @ops: the hypercall's argument
 * @pages: the pages that the frames appear under
 */
struct grant_unmap_batch {
	struct gnttab_page_cache *cache;
	unsigned int nr;
	struct gnttab_unmap_grant_ref ops[GRANT_BATCH_MAX];
	struct page *pages[GRANT_BATCH_MAX];
};

/**
 * grant_unmap_add() - collect an unmapping; runs the batch first if it is full
 * @batch: the batch
 * @page: the page that a frame is mapped under, with no user left
 * @handle: the mapping's handle
 *
 * Context: any.
 */
void grant_unmap_add(struct grant_unmap_batch *batch, struct page *page,
		     grant_handle_t handle);

/**
 * grant_unmap_run() - carry out all collected unmappings in one hypercall
 * @batch: the batch, empty on return
 *
 * A page whose unmapping the hypervisor refused is not reused.
 *
 * Context: any.
 */
void grant_unmap_run(struct grant_unmap_batch *batch);

#endif /* XSPLIT_GRANT_BATCH_H */

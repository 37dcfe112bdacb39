// SPDX-License-Identifier: GPL-2.0
#include "batch.h"

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <xen/page.h>
#include <asm/xen/hypercall.h>

/* A frame that the peer has paged out is asked for again this often. */
#define COPY_RETRIES	100

static int grant_status_errno(s16 status)
{
	switch (status) {
	case GNTST_okay:
		return 0;
	case GNTST_eagain:
		return -EAGAIN;
	case GNTST_no_space:
	case GNTST_no_device_space:
		return -ENOSPC;
	default:
		return -EFAULT;
	}
}

/* File systems use the same flag on pages of files for a purpose of theirs. */
static const struct xen_page_foreign *foreign_grant(struct page *page)
{
	if (likely(!PageForeign(page)) || page->mapping || !PagePrivate(page))
		return NULL;
	return xen_page_foreign(page);
}

/* What is mapped from a third domain can only be copied as its grant. */
static void set_own_side(struct gnttab_copy *op, struct gnttab_copy_ptr *own,
			 struct page *page)
{
	const struct xen_page_foreign *foreign = foreign_grant(page);

	if (foreign && own == &op->source) {
		own->domid = foreign->domid;
		own->u.ref = foreign->gref;
		op->flags |= GNTCOPY_source_gref;
		return;
	}
	own->domid = DOMID_SELF;
	own->u.gmfn = xen_page_to_gfn(page);
}

void grant_copy_add(struct grant_copy_batch *batch,
		    const struct grant_copy_span *span, int *err)
{
	struct gnttab_copy_ptr *own, *peer;
	struct gnttab_copy *op;

	if (batch->nr == GRANT_BATCH_MAX)
		grant_copy_run(batch);

	op = &batch->ops[batch->nr];
	own = span->to_peer ? &op->source : &op->dest;
	peer = span->to_peer ? &op->dest : &op->source;

	op->flags = span->to_peer ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	set_own_side(op, own, span->page);
	own->offset = span->page_offset;
	peer->u.ref = span->ref;
	peer->domid = span->domid;
	peer->offset = span->ref_offset;
	op->len = span->len;
	/* Not a status that the hypervisor returns: the copy was not tried. */
	op->status = 1;

	batch->err[batch->nr++] = err;
}
EXPORT_SYMBOL_NS_GPL(grant_copy_add, XSPLIT);

static void retry_copy(struct gnttab_copy *op)
{
	int i;

	for (i = 0; i < COPY_RETRIES && op->status == GNTST_eagain; i++) {
		usleep_range(1000, 2000);
		if (HYPERVISOR_grant_table_op(GNTTABOP_copy, op, 1))
			return;
	}
}

void grant_copy_run(struct grant_copy_batch *batch)
{
	unsigned int i;
	int err;

	if (!batch->nr)
		return;

	/* A failure of the whole call shows as ops that were not tried. */
	if (HYPERVISOR_grant_table_op(GNTTABOP_copy, batch->ops, batch->nr))
		pr_err_ratelimited("grant copy of %u frames refused\n",
				   batch->nr);

	for (i = 0; i < batch->nr; i++) {
		if (likely(batch->ops[i].status == GNTST_okay))
			continue;
		if (!batch->atomic)
			retry_copy(&batch->ops[i]);
		err = grant_status_errno(batch->ops[i].status);
		if (err)
			*batch->err[i] = err;
	}
	batch->nr = 0;
}
EXPORT_SYMBOL_NS_GPL(grant_copy_run, XSPLIT);

static unsigned long page_kaddr(struct page *page)
{
	return (unsigned long)page_address(page);
}

void grant_map_add(struct grant_map_batch *batch,
		   const struct grant_map_frame *frame, grant_handle_t *handle,
		   int *err)
{
	u32 flags = GNTMAP_host_map;

	if (batch->nr == GRANT_BATCH_MAX)
		grant_map_run(batch);
	if (frame->readonly)
		flags |= GNTMAP_readonly;

	/* Also sets a status that says that the mapping was not tried. */
	gnttab_set_map_op(&batch->ops[batch->nr], page_kaddr(frame->page),
			  flags, frame->ref, frame->domid);
	batch->pages[batch->nr] = frame->page;
	batch->handle[batch->nr] = handle;
	batch->err[batch->nr++] = err;
}
EXPORT_SYMBOL_NS_GPL(grant_map_add, XSPLIT);

void grant_map_run(struct grant_map_batch *batch)
{
	unsigned int i;

	if (!batch->nr)
		return;

	/* Every failure shows in the status of the operations it concerns. */
	gnttab_map_refs(batch->ops, NULL, batch->pages, batch->nr);

	for (i = 0; i < batch->nr; i++) {
		const struct gnttab_map_grant_ref *op = &batch->ops[i];

		if (likely(op->status == GNTST_okay)) {
			*batch->handle[i] = op->handle;
			continue;
		}
		*batch->handle[i] = INVALID_GRANT_HANDLE;
		*batch->err[i] = grant_status_errno(op->status) ?: -EFAULT;
	}
	batch->nr = 0;
}
EXPORT_SYMBOL_NS_GPL(grant_map_run, XSPLIT);

void grant_unmap_add(struct grant_unmap_batch *batch, struct page *page,
		     grant_handle_t handle)
{
	if (batch->nr == GRANT_BATCH_MAX)
		grant_unmap_run(batch);

	gnttab_set_unmap_op(&batch->ops[batch->nr], page_kaddr(page),
			    GNTMAP_host_map, handle);
	/* Not a status that the hypervisor returns. */
	batch->ops[batch->nr].status = 1;
	batch->pages[batch->nr++] = page;
}
EXPORT_SYMBOL_NS_GPL(grant_unmap_add, XSPLIT);

void grant_unmap_run(struct grant_unmap_batch *batch)
{
	unsigned int i, unmapped = 0;

	if (!batch->nr)
		return;

	gnttab_unmap_refs(batch->ops, NULL, batch->pages, batch->nr);

	for (i = 0; i < batch->nr; i++)
		if (likely(batch->ops[i].status == GNTST_okay))
			batch->pages[unmapped++] = batch->pages[i];

	if (unmapped < batch->nr)
		pr_err("%u frames could not be unmapped, their pages are lost\n",
		       batch->nr - unmapped);
	gnttab_page_cache_put(batch->cache, batch->pages, unmapped);
	batch->nr = 0;
}
EXPORT_SYMBOL_NS_GPL(grant_unmap_run, XSPLIT);

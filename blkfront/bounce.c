// SPDX-License-Identifier: GPL-2.0
/* The copy between a request's own pages and those of its grants. */
#include "blkfront.h"

#include <linux/bvec.h>
#include <xen/page.h>

static __always_inline void copy_frames(struct request *rq,
					const struct grant *g, bool in)
{
	void *frame = page_address(g->page), *data;
	size_t left = XEN_PAGE_SIZE, len, n;
	struct req_iterator iter;
	struct bio_vec bv;

	rq_for_each_bvec(bv, rq, iter) {
		data = bvec_virt(&bv);
		for (len = bv.bv_len; len; len -= n) {
			if (!left) {
				g = g->next;
				frame = page_address(g->page);
				left = XEN_PAGE_SIZE;
			}
			n = min(len, left);
			if (in)
				copy_data(frame, data, n);
			else
				copy_data(data, frame, n);
			frame += n;
			data += n;
			left -= n;
		}
	}
}

/**
 * blkfront_copy_in() - copy what a request writes into frames for the backend
 * @rq: a request with data
 * @g: the first of its grants, all with pages, filled one after the other
 *
 * What this leaves of an earlier I/O's data at the end of the last frame went to
 * or came from the same backend.
 *
 * Context: any; @rq is not in the ring.
 */
void blkfront_copy_in(struct request *rq, const struct grant *g)
{
	copy_frames(rq, g, true);
}

/**
 * blkfront_copy_out() - copy what a backend has read to where a request wants it
 * @rq: a request with data
 * @g: as for blkfront_copy_in()
 *
 * Context: any; @rq is not in the ring.
 */
void blkfront_copy_out(struct request *rq, const struct grant *g)
{
	copy_frames(rq, g, false);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Only found where the kernel has no such header.
 *
 * 6.6: page pools have a directory of headers (a9ca9f9ceff3); 6.4: a page pool
 * knows the NAPI that it is used in (8c48eea3adf3).
 */
#ifndef XSPLIT_COMPAT_PAGE_POOL_TYPES_H
#define XSPLIT_COMPAT_PAGE_POOL_TYPES_H

#include <net/page_pool.h>

struct compat_page_pool_params {
	unsigned int flags;
	unsigned int order;
	unsigned int pool_size;
	int nid;
	struct device *dev;
	struct napi_struct *napi;
	enum dma_data_direction dma_dir;
	unsigned int max_len;
	unsigned int offset;
};

static inline struct page_pool *
compat_page_pool_create(const struct compat_page_pool_params *params)
{
	struct page_pool_params old = {
		.flags = params->flags,
		.order = params->order,
		.pool_size = params->pool_size,
		.nid = params->nid,
		.dev = params->dev,
		.dma_dir = params->dma_dir,
		.max_len = params->max_len,
		.offset = params->offset,
	};

	return page_pool_create(&old);
}

#define page_pool_params	compat_page_pool_params
#define page_pool_create	compat_page_pool_create

#endif /* XSPLIT_COMPAT_PAGE_POOL_TYPES_H */

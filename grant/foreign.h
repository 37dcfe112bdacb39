/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent mappings of a peer's frames, found by grant reference.
 *
 * The peer promises not to reuse a reference for another frame while it is
 * mapped (blkif.h, "feature-persistent"); one that does so harms only itself.
 */
#ifndef XSPLIT_GRANT_FOREIGN_H
#define XSPLIT_GRANT_FOREIGN_H

#include <linux/list.h>
#include <linux/types.h>
#include <xen/grant_table.h>

/* As many chains as a ring may have frames: references come in series. */
#define FOREIGN_CHAINS	1024

/* Pages taken at a time: as many as there are in most frontends' large requests. */
#define FOREIGN_RUN	16

/**
 * struct foreign_frame - one frame that stays mapped
 * @node: in its table
 * @list: in its table, in the order in which frames were added
 * @prev: the frame of which this is @next
 * @next: the frame that follows this one, under the next page and in the machine,
 *	so that a device can take both as one piece (XSA-229); NULL if not known
 * @page: what the frame appears under
 * @ref: the peer's grant reference
 * @handle: of the mapping; INVALID_GRANT_HANDLE until it is mapped
 * @err: why it could not be mapped, 0 if it could
 * @age: the table's age when it was used last
 */
struct foreign_frame {
	struct hlist_node node;
	struct list_head list;
	struct foreign_frame *prev;
	struct foreign_frame *next;
	struct page *page;
	grant_ref_t ref;
	grant_handle_t handle;
	int err;
	u32 age;
};

/**
 * struct foreign_table - the persistent mappings of one ring
 * @heads: hash chains, NULL until the first frame is added
 * @frames: all frames; valid if @heads is
 * @run: pages for the next frames, the next one last
 * @nr_run: how many
 * @nr: frames in the table
 * @max: how many it may hold
 * @age: advanced by the owner from time to time
 *
 * Used by one context at a time.
 */
struct foreign_table {
	struct hlist_head *heads;
	struct list_head frames;
	struct page *run[FOREIGN_RUN];
	unsigned int nr_run;
	unsigned int nr;
	unsigned int max;
	u32 age;
};

/**
 * foreign_lookup() - find a frame and note that it is used
 * @table: the table
 * @ref: the peer's grant reference
 *
 * Return: the frame, or NULL.
 */
static inline struct foreign_frame *foreign_lookup(struct foreign_table *table,
						   grant_ref_t ref)
{
	struct foreign_frame *frame;

	if (!table->heads)
		return NULL;
	hlist_for_each_entry(frame, &table->heads[ref % FOREIGN_CHAINS],
			     node) {
		if (frame->ref == ref) {
			frame->age = table->age;
			return frame;
		}
	}
	return NULL;
}

/**
 * foreign_link() - note that a frame follows another, if it does in the machine
 * @prev: the frame before
 * @frame: the frame, under the page after that of @prev
 */
void foreign_link(struct foreign_frame *prev, struct foreign_frame *frame);

/**
 * foreign_after() - find a frame that may follow another
 * @table: the table
 * @prev: the frame before in the same request, or NULL
 * @ref: the peer's grant reference
 *
 * Return: as foreign_lookup(); @prev->next is that frame if it follows.
 */
static inline struct foreign_frame *foreign_after(struct foreign_table *table,
						  struct foreign_frame *prev,
						  grant_ref_t ref)
{
	struct foreign_frame *frame = prev ? prev->next : NULL;

	if (frame && frame->ref == ref) {
		frame->age = table->age;
		return frame;
	}
	frame = foreign_lookup(table, ref);
	if (frame && prev && frame->page == prev->page + 1)
		foreign_link(prev, frame);
	return frame;
}

/**
 * foreign_add() - make room for a frame that is about to be mapped
 * @table: the table
 * @cache: where its page comes from
 * @ref: the peer's grant reference, not in the table
 *
 * The caller maps @ref on the new frame's page.
 *
 * Context: may sleep.
 * Return: the frame, or NULL if the table is full or there is no memory.
 */
struct foreign_frame *foreign_add(struct foreign_table *table,
				  struct gnttab_page_cache *cache,
				  grant_ref_t ref);

/**
 * foreign_drop_failed() - take out all frames that could not be mapped
 * @table: the table
 * @cache: where their pages go
 */
void foreign_drop_failed(struct foreign_table *table,
			 struct gnttab_page_cache *cache);

/**
 * foreign_purge() - unmap frames that were not used for some time
 * @table: the table, no frame of which is in use
 * @cache: where pages go
 * @age: unmap frames last used at least this many ages ago; 0 for all
 *
 * A frame whose page somebody still holds stays, for another time.
 *
 * Context: may sleep.
 */
void foreign_purge(struct foreign_table *table,
		   struct gnttab_page_cache *cache, u32 age);

#endif /* XSPLIT_GRANT_FOREIGN_H */

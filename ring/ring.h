/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared ring core: index arithmetic, private slot copies, notification.
 *
 * Everything here is a pure function of its arguments. Shared memory is
 * touched only by the accessors below, each byte a peer wrote is read once,
 * and no value of a peer is used as an index or a loop bound before it was
 * checked. The file also builds in user space (tests/host).
 *
 * Protocol: xen/interface/io/ring.h.
 */
#ifndef XSPLIT_RING_H
#define XSPLIT_RING_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

/* Memory that a peer domain can change at any time: only for accessors. */
#ifdef __CHECKER__
# define __peer	__attribute__((noderef, address_space(__peer)))
#else
# define __peer
#endif

/* Layout of a shared ring's first 64 bytes; the slots follow. */
struct ring_shared {
	u32 req_prod;
	u32 req_event;
	u32 rsp_prod;
	u32 rsp_event;
	u8 pad[48];
	u8 slots[];
};

/**
 * ring_entries() - number of slots in a ring
 * @bytes: size of all ring pages
 * @slot_size: size of the larger of request and response, bytes
 *
 * Return: the largest power of two of slots that fit, 0 if none does.
 */
static inline u32 ring_entries(size_t bytes, size_t slot_size)
{
	size_t room = bytes - sizeof(struct ring_shared);
	u32 entries = 1;

	if (bytes <= sizeof(struct ring_shared) || room < slot_size)
		return 0;
	while ((size_t)entries * 2 * slot_size <= room)
		entries *= 2;
	return entries;
}

static inline u32 ring_load(const u32 __peer *index)
{
	return READ_ONCE(*(const u32 __force *)index);
}

static inline void ring_store(u32 __peer *index, u32 val)
{
	WRITE_ONCE(*(u32 __force *)index, val);
}

static inline void ring_copy_in(void *dst, const void __peer *src, size_t len)
{
	memcpy(dst, (const void __force *)src, len);
	/* The compiler must not fetch from @src again behind our back. */
	barrier();
}

static inline void ring_copy_out(void __peer *dst, const void *src, size_t len)
{
	memcpy((void __force *)dst, src, len);
}

static inline void __peer *ring_slot(struct ring_shared __peer *shared,
				     u32 entries, u32 slot_size, u32 index)
{
	return &shared->slots[(size_t)(index & (entries - 1)) * slot_size];
}

/*
 * Whether publishing [old, prod) crosses the index at which the peer asked
 * for an event. Unsigned arithmetic makes this right across the wrap.
 */
static inline bool ring_event_crossed(u32 old, u32 prod, u32 event)
{
	return prod - event < prod - old;
}

/**
 * struct ring_front - a frontend's private view of a ring
 * @shared: the shared pages
 * @entries: number of slots, a power of two
 * @slot_size: bytes per slot
 * @req_prod: requests filled, published by ring_front_push()
 * @req_published: requests published
 * @rsp_cons: responses consumed
 *
 * Requests are written by one context at a time, responses by one; the two may
 * differ. ring_front_free() is for the writer of requests.
 */
struct ring_front {
	struct ring_shared __peer *shared;
	u32 entries;
	u32 slot_size;

	u32 req_prod;
	u32 req_published;

	u32 rsp_cons;
};

/**
 * ring_front_init() - format new shared pages and start at index 0
 * @ring: the private view
 * @shared: zeroed ring pages
 * @bytes: their size
 * @slot_size: bytes per slot
 */
static inline void ring_front_init(struct ring_front *ring,
				   struct ring_shared __peer *shared,
				   size_t bytes, u32 slot_size)
{
	*ring = (struct ring_front) {
		.shared = shared,
		.entries = ring_entries(bytes, slot_size),
		.slot_size = slot_size,
	};
	ring_store(&shared->req_prod, 0);
	ring_store(&shared->rsp_prod, 0);
	ring_store(&shared->req_event, 1);
	ring_store(&shared->rsp_event, 1);
}

/**
 * ring_front_free() - slots that can take a request
 * @ring: the ring
 *
 * Return: number of free slots, counting consumed responses as free.
 */
static inline u32 ring_front_free(const struct ring_front *ring)
{
	/* Pairs with the release in ring_front_skip(): slots were read. */
	u32 cons = smp_load_acquire(&ring->rsp_cons);

	return ring->entries - (ring->req_prod - cons);
}

/**
 * ring_front_put() - fill the next request slot; the peer does not see it yet
 * @ring: a ring with a free slot
 * @req: the request
 * @len: its size, at most the slot size
 */
static inline void ring_front_put(struct ring_front *ring, const void *req,
				  size_t len)
{
	ring_copy_out(ring_slot(ring->shared, ring->entries, ring->slot_size,
				ring->req_prod), req, len);
	ring->req_prod++;
}

/**
 * ring_front_push() - publish all filled requests
 * @ring: the ring
 *
 * Return: true if the backend asked for an event.
 */
static inline bool ring_front_push(struct ring_front *ring)
{
	u32 old = ring->req_published;

	if (old == ring->req_prod)
		return false;

	/* First: who takes responses compares with it. */
	WRITE_ONCE(ring->req_published, ring->req_prod);
	/* Slots before index; pairs with virt_rmb() in ring_back_pending(). */
	virt_wmb();
	ring_store(&ring->shared->req_prod, ring->req_prod);

	/* Index before event; pairs with virt_mb() in ring_back_arm(). */
	virt_mb();
	return ring_event_crossed(old, ring->req_prod,
				  ring_load(&ring->shared->req_event));
}

/**
 * ring_front_pending() - responses that the backend has published
 * @ring: the ring
 *
 * Return: their number, or -EPROTO if the backend claims more responses than
 * requests were published.
 */
static inline int ring_front_pending(const struct ring_front *ring)
{
	u32 prod = ring_load(&ring->shared->rsp_prod);

	/*
	 * Index before slots, and before what was published by then; pairs
	 * with virt_wmb() in ring_back_push().
	 */
	virt_rmb();
	if (prod - ring->rsp_cons >
	    READ_ONCE(ring->req_published) - ring->rsp_cons)
		return -EPROTO;
	return prod - ring->rsp_cons;
}

/**
 * ring_front_skip() - free the slots of responses that were looked at
 * @ring: a ring with at least @nr pending responses
 * @nr: how many
 */
static inline void ring_front_skip(struct ring_front *ring, u32 nr)
{
	/* Pairs with the acquire in ring_front_free(). */
	smp_store_release(&ring->rsp_cons, ring->rsp_cons + nr);
}

/**
 * ring_front_get() - copy the next response and free its slot
 * @ring: a ring with a pending response
 * @rsp: private copy
 * @len: its size
 */
static inline void ring_front_get(struct ring_front *ring, void *rsp,
				  size_t len)
{
	ring_copy_in(rsp, ring_slot(ring->shared, ring->entries,
				    ring->slot_size, ring->rsp_cons), len);
	ring_front_skip(ring, 1);
}

/**
 * ring_front_peek() - copy a pending response without freeing its slot
 * @ring: a ring with more than @ahead pending responses
 * @ahead: how many responses to pass over
 * @rsp: private copy
 * @len: its size
 *
 * For responses that only make sense together with those that follow.
 */
static inline void ring_front_peek(const struct ring_front *ring, u32 ahead,
				   void *rsp, size_t len)
{
	ring_copy_in(rsp, ring_slot(ring->shared, ring->entries,
				    ring->slot_size, ring->rsp_cons + ahead),
		     len);
}

/**
 * ring_front_arm() - ask for an event after some more responses
 * @ring: the ring
 * @after: how many responses from now, at least 1
 *
 * Return: as ring_front_pending(); if at least @after responses are there
 * already, no event will come for them.
 */
static inline int ring_front_arm(struct ring_front *ring, u32 after)
{
	ring_store(&ring->shared->rsp_event, ring->rsp_cons + after);
	/* Event before index; pairs with virt_mb() in ring_back_push(). */
	virt_mb();
	return ring_front_pending(ring);
}

/**
 * ring_front_disarm() - ask for no event
 * @ring: the ring
 *
 * One that was asked for before may still come. This may undo what ring_front_arm()
 * does at the same time, so that has to be called again afterwards.
 *
 * Context: any; responses may be consumed at the same time.
 */
static inline void ring_front_disarm(struct ring_front *ring)
{
	ring_store(&ring->shared->rsp_event, READ_ONCE(ring->rsp_cons));
}

/**
 * struct ring_back - a backend's private view of a ring
 * @shared: the mapped pages
 * @entries: number of slots, a power of two
 * @slot_size: bytes per slot
 * @req_cons: requests consumed
 * @rsp_prod: responses filled, published by ring_back_push()
 * @rsp_published: responses published
 *
 * Requests are consumed by one context at a time and responses written by one;
 * the two may differ.
 */
struct ring_back {
	struct ring_shared __peer *shared;
	u32 entries;
	u32 slot_size;

	u32 req_cons;

	u32 rsp_prod;
	u32 rsp_published;
};

/**
 * ring_back_attach() - take over a ring that a frontend has formatted
 * @ring: the private view
 * @shared: mapped ring pages
 * @bytes: their size
 * @slot_size: bytes per slot
 *
 * The indices are taken from the ring, not set: after a backend was replaced
 * the ring does not begin at 0, and requests may be waiting in it.
 *
 * Return: 0, or -EPROTO if the indices cannot be those of a ring.
 */
static inline int ring_back_attach(struct ring_back *ring,
				   struct ring_shared __peer *shared,
				   size_t bytes, u32 slot_size)
{
	u32 prod = ring_load(&shared->rsp_prod);

	*ring = (struct ring_back) {
		.shared = shared,
		.entries = ring_entries(bytes, slot_size),
		.slot_size = slot_size,
		.req_cons = prod,
		.rsp_prod = prod,
		.rsp_published = prod,
	};
	if (ring_load(&shared->req_prod) - prod > ring->entries)
		return -EPROTO;
	return 0;
}

/**
 * ring_back_pending() - requests that the frontend has published
 * @ring: the ring
 *
 * Return: their number, or -EPROTO if the frontend claims more requests than
 * the ring holds besides those it has no response for.
 */
static inline int ring_back_pending(const struct ring_back *ring)
{
	u32 prod = ring_load(&ring->shared->req_prod);

	/*
	 * Index before slots, and before what was answered by then; pairs with
	 * virt_wmb() in ring_front_push().
	 */
	virt_rmb();
	if (prod - READ_ONCE(ring->rsp_prod) > ring->entries ||
	    prod - ring->req_cons > ring->entries)
		return -EPROTO;
	return prod - ring->req_cons;
}

/**
 * ring_back_get() - copy the next request
 * @ring: a ring with a pending request
 * @req: private copy
 * @len: its size, at most the slot size
 */
static inline void ring_back_get(struct ring_back *ring, void *req, size_t len)
{
	ring_copy_in(req, ring_slot(ring->shared, ring->entries,
				    ring->slot_size, ring->req_cons), len);
	ring->req_cons++;
}

/**
 * ring_back_unget() - leave the requests copied last to a later time
 * @ring: the ring
 * @nr: how many, none of them answered
 */
static inline void ring_back_unget(struct ring_back *ring, u32 nr)
{
	ring->req_cons -= nr;
}

/**
 * ring_back_arm() - ask for an event after some more requests
 * @ring: the ring
 * @after: how many requests from now, at least 1
 *
 * Return: as ring_back_pending(); if at least @after requests are there
 * already, no event will come for them.
 */
static inline int ring_back_arm(struct ring_back *ring, u32 after)
{
	ring_store(&ring->shared->req_event, ring->req_cons + after);
	/* Event before index; pairs with virt_mb() in ring_front_push(). */
	virt_mb();
	return ring_back_pending(ring);
}

/**
 * ring_back_put() - fill the next response slot; the peer does not see it yet
 * @ring: a ring with an unanswered request
 * @rsp: the response, every byte initialised (XSA-216)
 * @len: its size, at most the slot size
 */
static inline void ring_back_put(struct ring_back *ring, const void *rsp,
				 size_t len)
{
	ring_copy_out(ring_slot(ring->shared, ring->entries, ring->slot_size,
				ring->rsp_prod), rsp, len);
	WRITE_ONCE(ring->rsp_prod, ring->rsp_prod + 1);
}

/**
 * ring_back_push() - publish all filled responses
 * @ring: the ring
 *
 * Return: true if the frontend asked for an event.
 */
static inline bool ring_back_push(struct ring_back *ring)
{
	u32 old = ring->rsp_published;

	if (old == ring->rsp_prod)
		return false;

	/* Slots before index; pairs with virt_rmb() in ring_front_pending(). */
	virt_wmb();
	ring_store(&ring->shared->rsp_prod, ring->rsp_prod);
	WRITE_ONCE(ring->rsp_published, ring->rsp_prod);

	/* Index before event; pairs with virt_mb() in ring_front_arm(). */
	virt_mb();
	return ring_event_crossed(old, ring->rsp_prod,
				  ring_load(&ring->shared->rsp_event));
}

/**
 * ring_back_waited() - whether the frontend still waits for what is published
 * @ring: a ring of which ring_back_push() has asked for an event
 *
 * Context: any; other responses may be published meanwhile.
 * Return: false if the frontend has seen it, and waits for more.
 */
static inline bool ring_back_waited(const struct ring_back *ring)
{
	u32 event = ring_load(&ring->shared->rsp_event);

	return (s32)(READ_ONCE(ring->rsp_published) - event) >= 0;
}

#endif /* XSPLIT_RING_H */

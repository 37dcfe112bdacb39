/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of a kernel as the data paths of the drivers need, for one thread in
 * user space. Every kernel header that they include is this one; headers of wire
 * formats are the kernel's own. Memory, pages and locks are checked: what is not
 * given back at the end of an input is a leak, a lock that is taken twice hangs.
 */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

#include <stdarg.h>
#include <stdlib.h>

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/array_size.h>
#include <linux/stddef.h>
#include <asm/barrier.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/sched.h>

typedef uint16_t __le16;
typedef uint16_t __be16;
typedef uint32_t __le32;
typedef uint32_t __be32;
typedef uint16_t __sum16;
typedef int8_t s8;
typedef unsigned int gfp_t;
typedef u64 sector_t;

#define ____cacheline_aligned_in_smp
#define __init
#define __maybe_unused	__attribute__((unused))
#define __must_check
#define U16_MAX		0xffff
#define BIT(n)		(1UL << (n))
#define IFNAMSIZ	16
#define HZ		250
#define NSEC_PER_USEC	1000L
#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define XEN_PAGE_SIZE	4096UL
#define NUMA_NO_NODE	(-1)
#define XENBUS_MAX_RING_GRANTS	16
#define MAX_SCHEDULE_TIMEOUT	0x7fffffffffffffffL
#define EXPORT_SYMBOL_GPL(x)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define struct_size(p, member, n) \
	(sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define min(a, b) ({ __typeof__((void)0, (a)) a_ = (a);			\
	__typeof__((void)0, (b)) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__((void)0, (a)) a_ = (a);			\
	__typeof__((void)0, (b)) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define min3(a, b, c)		min(min(a, b), c)
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))
#define msecs_to_jiffies(ms)	((ms) * HZ / 1000)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	((long)((a) - (b)) < 0)
#define cpu_to_le32(x)		(x)
#define copy_data(to, from, n)	memcpy(to, from, n)
#define htons(x)		((__be16)__builtin_bswap16(x))
#define ntohs(x)		((u16)__builtin_bswap16(x))
#define htonl(x)		((__be32)__builtin_bswap32(x))

#define smp_mb()		memory_barrier(MEMORY_MB)
#undef smp_store_release
#undef smp_load_acquire
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define xchg(p, v) ({ __typeof__((void)0, *(p)) old_ = *(p); *(p) = (v); old_; })
#define set_bit(nr, p)		((void)(*(p) |= BIT(nr)))
#define cmpxchg(p, o, n) ({ __typeof__((void)0, *(p)) old_ = *(p);		\
	if (old_ == (o)) *(p) = (n); old_; })

/* Messages: their arguments are looked at. */
void kernel_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct device {
	int unused;
};

#define dev_name(dev)			"device"
#define dev_err(dev, ...)		kernel_log(__VA_ARGS__)
#define dev_alert(dev, ...)		kernel_log(__VA_ARGS__)
#define dev_warn(dev, ...)		kernel_log(__VA_ARGS__)
#define dev_err_ratelimited(dev, ...)	kernel_log(__VA_ARGS__)
#define net_warn_ratelimited(...)	kernel_log(__VA_ARGS__)
#define netdev_warn(dev, ...)		kernel_log(__VA_ARGS__)
#define netdev_err(dev, ...)		kernel_log(__VA_ARGS__)
#define net_ratelimit()			true

/* Lists. */
struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }
#define list_entry(p, type, member)	container_of(p, type, member)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *item, struct list_head *list)
{
	item->prev = list->prev;
	item->next = list;
	list->prev->next = item;
	list->prev = item;
}

static inline void list_del(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

#define list_for_each_entry(pos, list, member)				\
	for (pos = container_of((list)->next, __typeof__(*pos), member);	\
	     &pos->member != (list);					\
	     pos = container_of(pos->member.next, __typeof__(*pos), member))

#define hlist_for_each_entry(pos, head, member)				\
	for (struct hlist_node *n_ = (head)->first;			\
	     n_ && (pos = container_of(n_, __typeof__(*pos), member), true); \
	     n_ = n_->next)

#define hlist_for_each_entry_rcu(pos, head, member, cond)		\
	hlist_for_each_entry(pos, head, member)

#define hlist_for_each_entry_safe(pos, n, head, member)			\
	for (struct hlist_node *n_ = (head)->first;			\
	     n_ && (pos = container_of(n_, __typeof__(*pos), member),	\
		    n = n_->next, true);				\
	     n_ = n)

static inline void hlist_add_head_rcu(struct hlist_node *node,
				      struct hlist_head *head)
{
	node->next = head->first;
	node->pprev = &head->first;
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
}

static inline u32 hash_32(u32 val, unsigned int bits)
{
	return val * 0x61C88647 >> (32 - bits);
}

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	node->next = head->first;
	head->first = node;
	return !node->next;
}

static inline bool llist_add_batch(struct llist_node *first,
				   struct llist_node *last,
				   struct llist_head *head)
{
	bool was_empty = !head->first;

	last->next = head->first;
	head->first = first;
	return was_empty;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

static inline bool llist_empty(const struct llist_head *head)
{
	return !head->first;
}

static inline struct llist_node *llist_del_first(struct llist_head *head)
{
	struct llist_node *first = head->first;

	if (first)
		head->first = first->next;
	return first;
}

struct llist_node *llist_reverse_order(struct llist_node *node);

#define llist_entry(p, type, member)	container_of(p, type, member)
#define llist_for_each_entry(pos, node, member)				\
	for (struct llist_node *n_ = (node);				\
	     n_ && (pos = container_of(n_, __typeof__(*pos), member), true); \
	     n_ = n_->next)
#define llist_for_each_entry_safe(pos, n, node, member)			\
	for (struct llist_node *n_ = (node), *next_;			\
	     n_ && (pos = container_of(n_, __typeof__(*pos), member),	\
		    (void)(n), next_ = n_->next, true);			\
	     n_ = next_)

/* One thread: atomic is what it is anyway. */
typedef struct {
	int counter;
} atomic_t;

#define atomic_read(a)			((a)->counter)
#define atomic_set(a, v)		((a)->counter = (v))
#define atomic_add(n, a)		((void)((a)->counter += (n)))
#define atomic_sub(n, a)		((void)((a)->counter -= (n)))
#define atomic_inc(a)			atomic_add(1, a)
#define atomic_dec(a)			atomic_sub(1, a)
#define atomic_sub_and_test(n, a)	(!((a)->counter -= (n)))
#define atomic_dec_and_test(a)		atomic_sub_and_test(1, a)

typedef struct {
	bool held;
} spinlock_t;

struct mutex {
	bool held;
};

#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l) do {						\
	MUST(!(l)->held);						\
	(l)->held = true;						\
} while (0)
#define spin_unlock(l) do {						\
	MUST((l)->held);						\
	(l)->held = false;						\
} while (0)
#define spin_lock_bh(l)		spin_lock(l)
#define spin_unlock_bh(l)	spin_unlock(l)
#define lockdep_assert_held(l)	MUST((l)->held)

/* Work, timers and threads are run by the target. */
struct work_struct {
	void (*func)(struct work_struct *work);
	bool queued;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct;

static inline bool queue_work(struct workqueue_struct *wq,
			      struct work_struct *work)
{
	(void)wq;
	work->queued = true;
	return true;
}

#define INIT_WORK(w, f)	(*(w) = (struct work_struct) { .func = (f) })
#define mod_delayed_work(wq, dw, delay)	queue_work(wq, &(dw)->work)
#define cancel_work_sync(w)	((w)->queued = false)

struct tasklet_struct {
	bool scheduled;
};

#define tasklet_schedule(t)	((void)((t)->scheduled = true))
#define from_tasklet(var, t, field) \
	container_of(t, __typeof__(*(var)), field)

struct task_struct {
	bool woken;
};

typedef struct {
	int unused;
} wait_queue_head_t;

struct completion {
	bool done;
};

#define init_completion(c)	((void)((c)->done = false))

static inline void complete(struct completion *c)
{
	c->done = true;
}

/* By the target. */
unsigned long wait_for_completion_timeout(struct completion *done,
					  unsigned long timeout);

#define TASK_RUNNING		0
#define TASK_INTERRUPTIBLE	1
#define TASK_UNINTERRUPTIBLE	2
#define set_current_state(s)	((void)(s))
#define __set_current_state(s)	((void)(s))
#define wake_up_process(t)	((void)((t)->woken = true))
#define wake_up(w)		((void)(w))
#define cond_resched()		target_yield()
#define local_bh_disable()	((void)0)
#define local_bh_enable()	((void)0)
#define single_task_running()	true
#define in_task()		true
#define irqs_disabled()		false

/* By the target: the code under test lets others run. */
void target_yield(void);

bool kthread_should_stop(void);
long schedule_timeout(long timeout);
u64 local_clock(void);
u64 ktime_get_ns(void);
extern unsigned long jiffies;

typedef s64 ktime_t;

enum hrtimer_restart {
	HRTIMER_NORESTART,
};

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	bool armed;
};

struct timer_list {
	void (*function)(struct timer_list *timer);
	bool armed;
};

#define CLOCK_MONOTONIC			1
#define HRTIMER_MODE_REL		0
#define HRTIMER_MODE_REL_PINNED		1
#define ns_to_ktime(ns)			((ktime_t)(ns))
#define hrtimer_init(t, clock, mode)	((t)->armed = false)
#define hrtimer_cancel(t)		((t)->armed = false)
#define hrtimer_start(t, when, mode)	((void)(when), (t)->armed = true)
#define timer_setup(t, f, flags)	((t)->function = (f))
#define timer_pending(t)		((t)->armed)
#define timer_delete_sync(t)		((t)->armed = false)
#define TIMER_DEFERRABLE		1
#define mod_timer(t, when)		((void)(when), (t)->armed = true)
#define from_timer(var, t, field) \
	container_of(t, __typeof__(*(var)), field)

/* Memory, which may be short, by the input. */
#define GFP_KERNEL	1U
#define GFP_ATOMIC	2U
#define GFP_NOIO	4U
#define __GFP_NOWARN	8U
#define __GFP_NOFAIL	16U
#define __GFP_ZERO	32U

struct kmem_cache {
	size_t size;
};

void *kmalloc(size_t size, gfp_t gfp);
void *kmemdup(const void *src, size_t size, gfp_t gfp);
void kfree(const void *p);

#define kzalloc(size, gfp)		kmalloc(size, (gfp) | __GFP_ZERO)
#define kcalloc(n, size, gfp)		kzalloc((n) * (size), gfp)
#define kvzalloc(size, gfp)		kzalloc(size, gfp)
#define kvfree(p)			kfree(p)
#define kmalloc_array(n, size, gfp)	kmalloc((n) * (size), gfp)
#define kmem_cache_alloc(c, gfp)	kmalloc((c)->size, gfp)
#define kmem_cache_free(c, p)		kfree(p)

/**
 * struct page - a page
 * @addr: its memory
 * @refs: users
 * @granted: a peer may write to it, so it must not be looked at
 * @borrowed: somebody else's memory
 * @next: with an address like this
 */
struct page {
	u8 *addr;
	struct page *next;
	int refs;
	bool granted;
	bool borrowed;
};

struct page *alloc_page(gfp_t gfp);
void get_page(struct page *page);
void put_page(struct page *page);
/* The page that an address of the kernel's own memory is in. */
struct page *virt_to_page(const void *addr);

#define page_address(p)		((void *)(p)->addr)
#define __free_page(p)		put_page(p)
#define clear_page(p)		memset(p, 0, PAGE_SIZE)

/* What is allocated and not freed. */
extern int kernel_objects;
/* The next inputs start with this. */
void kernel_reset(void);

/* RCU: nothing reads while something changes. */
struct rcu_head {
	int unused;
};

#define rcu_dereference(p)			(p)
#define rcu_dereference_bh(p)			(p)
#define rcu_dereference_protected(p, cond)	(p)
#define rcu_assign_pointer(p, v)		((p) = (v))
#define RCU_INIT_POINTER(p, v)			((p) = (v))
#define rcu_read_lock()				((void)0)
#define rcu_read_unlock()			((void)0)
#define kfree_rcu(p, member)			kfree(p)
#define synchronize_rcu()			((void)0)
#define synchronize_net()			((void)0)

/* Xen. */
typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *data);

#define IRQ_HANDLED		1
#define XEN_EOI_FLAG_SPURIOUS	1

extern unsigned int kernel_notified, kernel_eois;

static inline void xen_irq_lateeoi(int irq, unsigned int flags)
{
	(void)irq;
	(void)flags;
	kernel_eois++;
}

static inline void notify_remote_via_irq(int irq)
{
	(void)irq;
	kernel_notified++;
}

static inline int HYPERVISOR_sched_op(int op, void *arg)
{
	(void)op;
	(void)arg;
	target_yield();
	return 0;
}

#define INVALID_GRANT_HANDLE	((grant_handle_t)-1)

struct gnttab_page_cache {
	int unused;
};

/* By the target: pages that frames of the peer appear under. */
int gnttab_page_cache_get(struct gnttab_page_cache *cache, struct page **page);
void gnttab_page_cache_put(struct gnttab_page_cache *cache, struct page **page,
			   unsigned int num);
#define gnttab_page_cache_init(c)	((c)->unused = 0)
#define gnttab_page_cache_shrink(c, n)	((void)(c))

/* False, by the input: the peer still maps the page. */
int gnttab_end_foreign_access_ref(grant_ref_t ref);
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page);
void gnttab_page_grant_foreign_access_ref_one(grant_ref_t ref, domid_t domid,
					      struct page *page, int readonly);
/* What the peer does with a page that it may write to. */
void kernel_peer_writes(grant_ref_t ref, u16 offset, const void *src, u16 len);
/* A reference that grants nothing, for targets. */
grant_ref_t kernel_ref(void);

enum xenbus_state {
	XenbusStateUnknown,
	XenbusStateInitialising,
	XenbusStateInitWait,
	XenbusStateInitialised,
	XenbusStateConnected,
	XenbusStateClosing,
	XenbusStateClosed,
};

struct xenbus_transaction {
	u32 id;
};

struct xenbus_device {
	struct device dev;
	domid_t otherend_id;
	const char *otherend;
	const char *nodename;
};

struct xenbus_watch {
	const char *node;
};

#define XBT_NIL	((struct xenbus_transaction) {})
#define disable_irq(irq)	((void)(irq))

bool xenbus_exists(struct xenbus_transaction xbt, const char *dir,
		   const char *key);
unsigned int xenbus_read_unsigned(const char *dir, const char *key,
				  unsigned int absent);
void xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *addr);
int xenbus_setup_ring(struct xenbus_device *dev, gfp_t gfp, void **shared,
		      unsigned int nr, grant_ref_t *refs);
void xenbus_teardown_ring(void **shared, unsigned int nr, grant_ref_t *refs);

void frontend_error(struct xenbus_device *dev, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void frontend_fatal(struct xenbus_device *dev, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define xenbus_dev_error(dev, err, ...)	((void)(err), kernel_log(__VA_ARGS__))
#define xenbus_dev_fatal(dev, err, ...)	((void)(err), kernel_log(__VA_ARGS__))

struct attribute_group;

/* Block devices. */
struct bio {
	int unused;
};

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct block_device;
struct file;

typedef u8 blk_status_t;

#define BLK_STS_OK	0
#define BLK_STS_NOTSUPP	1
#define BLK_STS_IOERR	10

struct request_queue {
	int unused;
};

struct gendisk {
	struct request_queue *queue;
};

struct blk_mq_hw_ctx {
	void *driver_data;
};

struct blk_mq_tag_set {
	int unused;
};

struct blk_mq_ops;

/**
 * struct request - a request, with the driver's part behind it
 * @vec: pages of its data
 * @nr: how many
 * @ended: how often it was ended
 * @status: with what
 */
struct request {
	struct bio_vec vec[4];
	unsigned int nr;
	unsigned int ended;
	blk_status_t status;
};

struct req_iterator {
	unsigned int at;
};

struct io_comp_batch {
	struct request *rqs[64];
	unsigned int nr;
	void (*complete)(struct io_comp_batch *batch);
};

#define DEFINE_IO_COMP_BATCH(name)	struct io_comp_batch name = {}
#define blk_mq_rq_to_pdu(rq)		((void *)((rq) + 1))
#define rq_for_each_bvec(bv, rq, iter)					\
	for ((iter).at = 0; (iter).at < (rq)->nr &&			\
	     (bv = (rq)->vec[(iter).at], true); (iter).at++)
#define bvec_virt(bv)	((void *)((bv)->bv_page->addr + (bv)->bv_offset))
#define blk_queue_disable_discard(q)		((void)(q))
#define blk_queue_disable_secure_erase(q)	((void)(q))
#define queue_for_each_hw_ctx(q, hctx, i)				\
	for (i = 0; (void)(q), i < 1 && (hctx = kernel_hctx); i++)

extern struct blk_mq_hw_ctx *kernel_hctx;

void blk_mq_end_request(struct request *rq, blk_status_t status);
void blk_mq_end_request_batch(struct io_comp_batch *batch);
void blk_mq_start_stopped_hw_queue(struct blk_mq_hw_ctx *hctx, bool async);

static inline bool blk_mq_add_to_batch(struct request *rq,
				       struct io_comp_batch *batch, bool error,
				       void (*complete)(struct io_comp_batch *))
{
	if (error || batch->nr == ARRAY_SIZE(batch->rqs))
		return false;
	batch->complete = complete;
	batch->rqs[batch->nr++] = rq;
	return true;
}

#include "skbuff.h"

#endif /* FUZZ_KERNEL_H */

// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

struct sk_buff *netdev_alloc_skb(struct net_device *netdev, unsigned int len)
{
	struct sk_buff *skb = kmalloc(sizeof(*skb), GFP_ATOMIC | __GFP_ZERO);

	(void)netdev;
	if (!skb)
		return NULL;
	skb->size = NET_PAD + len;
	skb->head = malloc(skb->size);
	skb->data = skb->head + NET_PAD;
	peer_is_not_set(skb->head, skb->size);
	return skb;
}

void *skb_put(struct sk_buff *skb, unsigned int len)
{
	u8 *tail = skb_tail_pointer(skb);

	MUST(!skb->data_len);
	MUST(tail + len <= skb->head + skb->size);
	skb->len += len;
	return tail;
}

void skb_put_data(struct sk_buff *skb, const void *data, unsigned int len)
{
	kernel_copy_granted(skb_put(skb, len), data, len);
}

void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, u32 offset,
		     u32 size, unsigned int truesize)
{
	(void)truesize;
	MUST(i == skb->info.nr_frags && i < MAX_SKB_FRAGS);
	MUST(offset + size <= PAGE_SIZE && !page->granted);
	skb->info.frags[i] = (skb_frag_t) { page, offset, size };
	skb->info.nr_frags++;
	skb->len += size;
	skb->data_len += size;
}

void skb_coalesce_rx_frag(struct sk_buff *skb, int i, u32 size,
			  unsigned int truesize)
{
	skb_frag_t *frag = &skb->info.frags[i];

	(void)truesize;
	MUST(i >= 0 && i < skb->info.nr_frags);
	frag->size += size;
	MUST(frag->offset + frag->size <= PAGE_SIZE);
	skb->len += size;
	skb->data_len += size;
}

static void drop_frags(struct sk_buff *skb)
{
	unsigned int i;

	for (i = 0; i < skb->info.nr_frags; i++)
		put_page(skb->info.frags[i].page);
	skb->info.nr_frags = 0;
	skb->data_len = 0;
}

void kfree_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	drop_frags(skb);
	free(skb->head);
	kfree(skb);
}

/* Moves all of it, which is one way to have enough. */
static void linearize(struct sk_buff *skb)
{
	u32 front = skb->data - skb->head, at = skb_headlen(skb), i;
	u8 *head = malloc(front + skb->len);

	__builtin_memcpy(head, skb->head, front + at);
	for (i = 0; i < skb->info.nr_frags; i++) {
		skb_frag_t *frag = &skb->info.frags[i];

		__builtin_memcpy(head + front + at,
				 frag->page->addr + frag->offset, frag->size);
		at += frag->size;
	}
	MUST(at == skb->len);
	drop_frags(skb);
	free(skb->head);
	skb->head = head;
	skb->data = head + front;
	skb->size = front + skb->len;
}

bool pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	if (len <= skb_headlen(skb))
		return true;
	if (len > skb->len)
		return false;
	linearize(skb);
	return true;
}

static __be16 be16_at(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static void pull(struct sk_buff *skb, unsigned int len)
{
	MUST(len <= skb_headlen(skb));
	skb->data += len;
	skb->len -= len;
}

__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	(void)dev;
	/* The kernel's own does not look whether it is there. */
	MUST(skb_headlen(skb) >= ETH_HLEN);
	skb->network = skb->data - skb->head;
	pull(skb, ETH_HLEN);
	return be16_at(skb->data - 2);
}

struct sk_buff *skb_vlan_untag(struct sk_buff *skb)
{
	if (!pskb_may_pull(skb, VLAN_HLEN)) {
		kfree_skb(skb);
		return NULL;
	}
	skb->protocol = be16_at(skb->data + 2);
	pull(skb, VLAN_HLEN);
	skb_reset_network_header(skb);
	return skb;
}

int skb_checksum_setup(struct sk_buff *skb, bool recalculate)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	u32 len = v4 ? 20 : 40, at = skb->network;
	u8 proto;

	(void)recalculate;
	if (!v4 && skb->protocol != htons(ETH_P_IPV6))
		return -EPROTO;
	MUST(at == skb->data - skb->head);
	if (!pskb_may_pull(skb, len))
		return -EPROTO;
	proto = skb->head[at + (v4 ? 9 : 6)];
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return -EPROTO;
	if (!pskb_may_pull(skb, len + (proto == IPPROTO_TCP ? 18 : 8)))
		return -EPROTO;
	skb->transport = at + len;
	skb->csum_offset = proto == IPPROTO_TCP ?
			   offsetof(struct tcphdr, check) : 6;
	skb->ip_summed = CHECKSUM_PARTIAL;
	return 0;
}

unsigned int eth_get_headlen(const struct net_device *dev, const void *data,
			     unsigned int len)
{
	const u8 *bytes = data;

	(void)dev;
	MUST(len);
	/* It looks at the packet, which must not be the peer's any more. */
	return min(len, 14U + (*(volatile const u8 *)bytes) % 80);
}

void kernel_check_skb(const struct sk_buff *skb)
{
	unsigned int i, len = skb_headlen(skb);

	peer_must_be_set(skb->data, len);
	for (i = 0; i < skb->info.nr_frags; i++) {
		const skb_frag_t *frag = &skb->info.frags[i];

		MUST(!frag->page->granted && frag->size);
		peer_must_be_set(frag->page->addr + frag->offset, frag->size);
		len += frag->size;
	}
	MUST(len == skb->len);
}

unsigned int skb_seq_read(unsigned int done, const u8 **data,
			  struct skb_seq_state *st)
{
	const struct sk_buff *skb = st->skb;
	u32 at = skb_headlen(skb);
	unsigned int i;

	if (done < at) {
		*data = skb->data + done;
		return at - done;
	}
	for (i = 0; i < skb->info.nr_frags; i++) {
		const skb_frag_t *frag = &skb->info.frags[i];

		if (done < at + frag->size) {
			*data = frag->page->addr + frag->offset + done - at;
			return at + frag->size - done;
		}
		at += frag->size;
	}
	return 0;
}

void __skb_queue_head_init(struct sk_buff_head *list)
{
	*list = (struct sk_buff_head) {};
}

void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb)
{
	skb->next = NULL;
	if (list->first)
		list->last->next = skb;
	else
		list->first = skb;
	list->last = skb;
	list->qlen++;
}

struct sk_buff *__skb_dequeue(struct sk_buff_head *list)
{
	struct sk_buff *skb = list->first;

	if (!skb)
		return NULL;
	list->first = skb->next;
	list->qlen--;
	return skb;
}

void __skb_queue_purge(struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		kfree_skb(skb);
}

void netdev_tx_completed_queue(struct netdev_queue *txq, unsigned int packets,
			       unsigned int bytes)
{
	/* The kernel stops with a BUG() where this is not so. */
	MUST(packets <= txq->packets && bytes <= txq->bytes);
	txq->packets -= packets;
	txq->bytes -= bytes;
}

void netdev_tx_reset_queue(struct netdev_queue *txq)
{
	txq->packets = 0;
	txq->bytes = 0;
}

struct page_pool *page_pool_create(const struct page_pool_params *params)
{
	static struct page_pool pool;

	(void)params;
	return &pool;
}

void page_pool_destroy(struct page_pool *pool)
{
	(void)pool;
}

bool skb_flow_dissect_flow_keys(const struct sk_buff *skb,
				struct flow_keys *keys, unsigned int flags)
{
	unsigned int i;

	(void)skb;
	(void)flags;
	keys->control.addr_type = peer_below(3);
	keys->control.flags = peer_below(2);
	keys->basic.ip_proto = peer_below(2) ? IPPROTO_UDP : IPPROTO_TCP;
	for (i = 0; i < sizeof(keys->addrs); i++)
		keys->addrs.v6addrs[i] = i * 37;
	return peer_u8() < 0xf0;
}

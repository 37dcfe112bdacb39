/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets and network devices, included by kernel.h. A packet's linear part has
 * memory of just its size; what it is given but not filled is seen by MSan.
 */
#ifndef FUZZ_SKBUFF_H
#define FUZZ_SKBUFF_H

#define ETH_ALEN		6
#define ETH_HLEN		14
#define VLAN_HLEN		4
#define VLAN_ETH_HLEN		18
#define ETH_P_IP		0x0800
#define ETH_P_IPV6		0x86dd
#define ETH_P_8021Q		0x8100
#define IPPROTO_TCP		6
#define IPPROTO_UDP		17
#define MAX_SKB_FRAGS		17
#define GSO_LEGACY_MAX_SIZE	65536U
#define NAPI_POLL_WEIGHT	64
#define XDP_PACKET_HEADROOM	256
#define NETIF_F_RXHASH		1
#define CHECKSUM_NONE		0
#define CHECKSUM_UNNECESSARY	1
#define CHECKSUM_PARTIAL	3
#define SKB_GSO_DODGY		1
#define SKB_GSO_TCPV4		2
#define SKB_GSO_TCPV6		4
#define NET_PAD			64
#define SKB_DATA_ALIGN(n)	(((n) + 63) & ~63UL)

struct page_pool {
	int unused;
};

typedef struct skb_frag {
	struct page *page;
	u32 offset;
	u32 size;
} skb_frag_t;

struct skb_shared_info {
	u8 nr_frags;
	u16 gso_size;
	u16 gso_segs;
	u32 gso_type;
	skb_frag_t frags[MAX_SKB_FRAGS];
};

/**
 * struct sk_buff - a packet
 * @next: in a queue
 * @head: its memory, of @size bytes
 * @data: where it begins
 * @len: its bytes, of which @data_len are in pages
 * @network: offset of the network header in @head
 * @transport: the same of the transport header, 0 if it was not found
 */
struct sk_buff {
	struct sk_buff *next;
	u8 *head, *data;
	u32 size;
	u32 len, data_len;
	u32 network, transport;
	u8 cb[48] __aligned(8);
	__be16 protocol;
	u8 ip_summed;
	bool l4_hash, sw_hash;
	u32 hash;
	u16 queue;
	u16 csum_offset;
	struct skb_shared_info info;
};

struct sk_buff_head {
	struct sk_buff *first, *last;
	u32 qlen;
};

struct ethhdr {
	u8 h_dest[ETH_ALEN], h_source[ETH_ALEN];
	__be16 h_proto;
} __packed;

struct iphdr {
	u8 version_ihl, tos;
	__be16 tot_len, id, frag_off;
	u8 ttl, protocol;
	__sum16 check;
	__be32 saddr, daddr;
} __packed;

struct ipv6hdr {
	__be32 version_class_flow;
	__be16 payload_len;
	u8 nexthdr, hop_limit;
	u8 saddr[16], daddr[16];
} __packed;

struct udphdr {
	__be16 source, dest, len;
	__sum16 check;
};

struct tcphdr {
	__be16 source, dest;
	__be32 seq, ack_seq;
	u8 doff, flags;
	__be16 window;
	__sum16 check;
	__be16 urg_ptr;
} __packed;

#define skb_tx_timestamp(skb)		((void)(skb))
#define skb_shinfo(skb)			(&(skb)->info)
#define skb_frag_page(frag)		((frag)->page)
#define skb_headlen(skb)		((skb)->len - (skb)->data_len)
#define skb_tail_pointer(skb)		((skb)->data + skb_headlen(skb))
#define skb_is_gso(skb)			((skb)->info.gso_size != 0)
#define skb_is_gso_v6(skb)		((skb)->info.gso_type & SKB_GSO_TCPV6)
#define skb_mark_for_recycle(skb)	((void)(skb))
#define skb_reset_network_header(skb)	((skb)->network = (skb)->data - (skb)->head)
#define skb_transport_offset(skb) \
	((int)((skb)->transport - ((skb)->data - (skb)->head)))
#define skb_record_rx_queue(skb, nr)	((skb)->queue = (nr))
#define skb_protocol(skb, vlan)		((skb)->protocol)
#define ip_hdr(skb)	((struct iphdr *)((skb)->head + (skb)->network))
#define tcp_hdr(skb)	((struct tcphdr *)((skb)->head + (skb)->transport))
#define tcp_hdrlen(skb)			(tcp_hdr(skb)->doff / 16 * 4)
#define eth_type_vlan(proto)		((proto) == htons(ETH_P_8021Q))

#define PKT_HASH_TYPE_L3	1
#define PKT_HASH_TYPE_L4	2

static inline void skb_set_hash(struct sk_buff *skb, u32 hash, int type)
{
	skb->hash = hash;
	skb->sw_hash = false;
	skb->l4_hash = type == PKT_HASH_TYPE_L4;
}

static inline void __skb_set_sw_hash(struct sk_buff *skb, u32 hash, bool l4)
{
	skb->hash = hash;
	skb->sw_hash = true;
	skb->l4_hash = l4;
}

#define skb_clear_hash(skb)	((skb)->hash = 0, (skb)->sw_hash = false)
#define skb_get_hash_raw(skb)	((skb)->hash)

struct netdev_queue {
	spinlock_t _xmit_lock;
	bool stopped;
	/* What netdev_tx_completed_queue() may not exceed. */
	unsigned int packets, bytes;
};

#define NETIF_F_GRO_FRAGLIST	BIT(0)
#define NETIF_F_GRO_UDP_FWD	BIT(1)

struct net_device {
	char name[IFNAMSIZ];
	unsigned int mtu;
	unsigned int real_num_tx_queues;
	unsigned long features, wanted_features;
	struct netdev_queue _tx[4];
};

struct napi_struct {
	bool scheduled;
};

typedef int netdev_tx_t;

#define NETDEV_TX_OK	0
#define NETDEV_TX_BUSY	1

#define netdev_get_tx_queue(net, i)	(&(net)->_tx[i])
#define netif_tx_queue_stopped(q)	((q)->stopped)
#define netif_xmit_stopped(q)		((q)->stopped)
#define netif_tx_stop_queue(q)		((void)((q)->stopped = true))
#define netif_tx_start_queue(q)		((void)((q)->stopped = false))
#define netif_tx_wake_queue(q)		((void)((q)->stopped = false))
#define __netif_tx_lock(q, cpu)		spin_lock(&(q)->_xmit_lock)
#define __netif_tx_unlock(q)		spin_unlock(&(q)->_xmit_lock)
#define netif_tx_lock_bh(dev)		spin_lock(&(dev)->_tx->_xmit_lock)
#define netif_tx_unlock_bh(dev)		spin_unlock(&(dev)->_tx->_xmit_lock)
#define __netif_tx_lock_bh(q)		spin_lock(&(q)->_xmit_lock)
#define __netif_tx_unlock_bh(q)		spin_unlock(&(q)->_xmit_lock)
#define smp_processor_id()		0
#define napi_schedule(n)		((void)((n)->scheduled = true))
#define napi_complete_done(n, done)	((n)->scheduled = false, true)
#define netif_napi_add(net, n, poll)	((void)(poll))
#define netif_napi_del(n)		((void)(n))
#define rtnl_lock()			((void)0)
#define rtnl_unlock()			((void)0)

void netdev_tx_completed_queue(struct netdev_queue *txq, unsigned int packets,
			       unsigned int bytes);
void netdev_tx_reset_queue(struct netdev_queue *txq);

/* By the target: the stack gets a packet. It is to be freed. */
void target_receive(struct sk_buff *skb);

#define napi_gro_receive(napi, skb)	target_receive(skb)
#define netif_receive_skb(skb)		target_receive(skb)

struct sk_buff *netdev_alloc_skb(struct net_device *netdev, unsigned int len);
void *skb_put(struct sk_buff *skb, unsigned int len);
void skb_put_data(struct sk_buff *skb, const void *data, unsigned int len);
void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, u32 offset,
		     u32 size, unsigned int truesize);
void skb_coalesce_rx_frag(struct sk_buff *skb, int i, u32 size,
			  unsigned int truesize);
void kfree_skb(struct sk_buff *skb);

#define consume_skb(skb)		kfree_skb(skb)
#define napi_consume_skb(skb, budget)	kfree_skb(skb)
#define dev_consume_skb_any(skb)	kfree_skb(skb)
#define dev_kfree_skb_any(skb)		kfree_skb(skb)

bool pskb_may_pull(struct sk_buff *skb, unsigned int len);
__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);
struct sk_buff *skb_vlan_untag(struct sk_buff *skb);
int skb_checksum_setup(struct sk_buff *skb, bool recalculate);
unsigned int eth_get_headlen(const struct net_device *dev, const void *data,
			     unsigned int len);
/* All of its bytes have a value. */
void kernel_check_skb(const struct sk_buff *skb);

void __skb_queue_head_init(struct sk_buff_head *list);
void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb);
struct sk_buff *__skb_dequeue(struct sk_buff_head *list);
void __skb_queue_purge(struct sk_buff_head *list);

#define skb_queue_empty(list)	(!(list)->first)
#define skb_queue_len(list)	((list)->qlen)
#define skb_queue_walk(list, skb) \
	for (skb = (list)->first; skb; skb = skb->next)

struct skb_seq_state {
	struct sk_buff *skb;
};

#define skb_prepare_seq_read(s, from, to, st)	((st)->skb = (s))
unsigned int skb_seq_read(unsigned int done, const u8 **data,
			  struct skb_seq_state *st);

/* Pages for packets. */
struct page_pool_params {
	unsigned int pool_size;
	int nid;
	struct napi_struct *napi;
};

#define IS_ERR(p)	false
#define PTR_ERR(p)	0

struct page_pool *page_pool_create(const struct page_pool_params *params);
void page_pool_destroy(struct page_pool *pool);

#define page_pool_alloc_pages(pool, gfp)		alloc_page(gfp)
#define page_pool_dev_alloc_pages(pool)			alloc_page(GFP_ATOMIC)
#define page_pool_put_full_page(pool, page, direct)	put_page(page)
#define page_pool_recycle_direct(pool, page)		put_page(page)

/* Counters. */
struct u64_stats_sync {
	int unused;
};

typedef struct {
	u64 v;
} u64_stats_t;

#define u64_stats_update_begin(s)	((void)(s))
#define u64_stats_update_end(s)		((void)(s))
#define u64_stats_inc(p)		((void)(p)->v++)
#define u64_stats_add(p, n)		((void)((p)->v += (n)))
#define u64_stats_read(p)		((p)->v)

#define this_cpu_ptr(p)			(p)

/* What packets are hashed by. */
#define FLOW_DISSECTOR_KEY_IPV4_ADDRS	1
#define FLOW_DISSECTOR_KEY_IPV6_ADDRS	2
#define FLOW_DIS_IS_FRAGMENT		1
#define FLOW_DISSECTOR_F_STOP_AT_ENCAP	1

struct flow_keys {
	struct {
		u16 addr_type;
		u32 flags;
	} control;
	struct {
		u8 ip_proto;
	} basic;
	struct {
		u32 ports;
	} ports;
	union {
		u8 v4addrs[8];
		u8 v6addrs[32];
	} addrs;
};

bool skb_flow_dissect_flow_keys(const struct sk_buff *skb,
				struct flow_keys *keys, unsigned int flags);

/* XDP, as far as netfront's headers name it. */
struct bpf_prog {
	int unused;
};

struct xdp_rxq_info {
	int unused;
};

struct xdp_frame {
	struct page *page;
};

struct netdev_bpf;
struct ethtool_ops;

#define ethtool_rxfh_indir_default(i, n)	((i) % (n))
void xdp_return_frame(struct xdp_frame *frame);
#define xdp_rxq_info_unreg(q)	((void)(q))

#endif /* FUZZ_SKBUFF_H */

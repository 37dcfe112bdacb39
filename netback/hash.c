// SPDX-License-Identifier: GPL-2.0
/*
 * The hash of packets to the guest, and the queue that it selects.
 */
#include "netback.h"

#include <linux/if_vlan.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <net/flow_dissector.h>

#define FLAGS_IPV4	(XEN_NETIF_CTRL_HASH_TYPE_IPV4 | \
			 XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP)
#define FLAGS_IPV6	(XEN_NETIF_CTRL_HASH_TYPE_IPV6 | \
			 XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
#define FLAGS_ALL	(FLAGS_IPV4 | FLAGS_IPV6)

/**
 * struct netback_hash_config - all that a frontend has set; never changed
 * @algorithm: XEN_NETIF_CTRL_HASH_ALGORITHM_*
 * @flags: XEN_NETIF_CTRL_HASH_TYPE_* that are wanted
 * @map_size: entries of @map, 0 for no map
 * @map: queues
 * @toeplitz: the key
 */
struct netback_hash_config {
	u32 algorithm;
	u32 flags;
	u32 map_size;
	u32 map[NETBACK_HASH_MAP_MAX];
	struct toeplitz toeplitz;
};

/* Only the one context that changes it reads it without RCU. */
static struct netback_hash_config *writer_config(const struct netback_hash *hash)
{
	return rcu_dereference_protected(hash->config, true);
}

/* Begin a change: a copy of what is in force. */
static struct netback_hash_config *change(const struct netback_hash *hash)
{
	const struct netback_hash_config *old = writer_config(hash);

	if (!old)
		return kzalloc(sizeof(*old), GFP_KERNEL);
	return kmemdup(old, sizeof(*old), GFP_KERNEL);
}

static void publish(struct netback_hash *hash, struct netback_hash_config *new)
{
	struct netback_hash_config *old = writer_config(hash);

	rcu_assign_pointer(hash->config, new);
	if (!old)
		return;
	/* Wait, so that a frontend cannot make more of them than are freed. */
	synchronize_rcu();
	kfree(old);
}

static bool has_algorithm(const struct netback_hash *hash)
{
	const struct netback_hash_config *config = writer_config(hash);

	return config && config->algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE;
}

u32 netback_hash_set_algorithm(struct netback_hash *hash, u32 algorithm)
{
	struct netback_hash_config *new;

	if (algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE &&
	    algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;

	new = change(hash);
	if (!new)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	new->algorithm = algorithm;
	publish(hash, new);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

u32 netback_hash_get_flags(const struct netback_hash *hash, u32 *flags)
{
	if (!has_algorithm(hash))
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	*flags = FLAGS_ALL;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

u32 netback_hash_set_flags(struct netback_hash *hash, u32 flags)
{
	struct netback_hash_config *new;

	if (flags & ~FLAGS_ALL || !has_algorithm(hash))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;

	new = change(hash);
	if (!new)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	new->flags = flags;
	publish(hash, new);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

u32 netback_hash_set_key(struct netback_hash *hash, const u8 *key, u32 len)
{
	struct netback_hash_config *new = change(hash);

	if (!new)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	toeplitz_set_key(&new->toeplitz, key, len);
	publish(hash, new);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

u32 netback_hash_set_map_size(struct netback_hash *hash, u32 size)
{
	struct netback_hash_config *new;

	if (size > NETBACK_HASH_MAP_MAX)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;

	new = change(hash);
	if (!new)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	new->map_size = size;
	memset(new->map, 0, sizeof(new->map));
	publish(hash, new);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

u32 netback_hash_check_map(const struct netback_hash *hash, u32 len, u32 offset)
{
	const struct netback_hash_config *config = writer_config(hash);
	u32 size = config ? config->map_size : 0;

	if (len > NETBACK_HASH_MAP_MAX)
		return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
	if (offset > size || len > size - offset)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

u32 netback_hash_set_map(struct netback_hash *hash, const u32 *map, u32 len,
			 u32 offset, u32 nr_queues)
{
	struct netback_hash_config *new;
	u32 i;

	for (i = 0; i < len; i++)
		if (map[i] >= nr_queues)
			return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;

	new = change(hash);
	if (!new)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	memcpy(&new->map[offset], map, len * sizeof(*map));
	publish(hash, new);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

void netback_hash_clear(struct netback_hash *hash)
{
	publish(hash, NULL);
}

static const struct netback_hash_config *in_force(struct netback_vif *vif)
{
	const struct netback_hash_config *config;

	config = rcu_dereference(vif->hash.config);
	if (!config || !config->flags ||
	    config->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
		return NULL;
	return config;
}

/*
 * What is hashed of a packet, in the order of netif.h: addresses, then ports if
 * it is TCP and that is wanted.
 */
static u32 hash_input(const struct flow_keys *flow, u32 flags, u8 *input,
		      bool *tcp)
{
	bool v4 = flow->control.addr_type == FLOW_DISSECTOR_KEY_IPV4_ADDRS;
	u32 wanted_tcp = v4 ? XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP :
			      XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;
	u32 wanted_ip = v4 ? XEN_NETIF_CTRL_HASH_TYPE_IPV4 :
			     XEN_NETIF_CTRL_HASH_TYPE_IPV6;
	u32 len = v4 ? sizeof(flow->addrs.v4addrs) :
		       sizeof(flow->addrs.v6addrs);

	if (!v4 && flow->control.addr_type != FLOW_DISSECTOR_KEY_IPV6_ADDRS)
		return 0;
	*tcp = flags & wanted_tcp && flow->basic.ip_proto == IPPROTO_TCP &&
	       !(flow->control.flags & FLOW_DIS_IS_FRAGMENT);
	if (!*tcp && !(flags & wanted_ip))
		return 0;

	if (v4)
		memcpy(input, &flow->addrs.v4addrs, len);
	else
		memcpy(input, &flow->addrs.v6addrs, len);
	if (!*tcp)
		return len;
	memcpy(input + len, &flow->ports.ports, sizeof(flow->ports.ports));
	return len + sizeof(flow->ports.ports);
}

static void set_hash(const struct netback_hash_config *config,
		     struct sk_buff *skb)
{
	u8 input[TOEPLITZ_INPUT_MAX];
	struct flow_keys flow;
	bool tcp = false;
	u32 len = 0;

	memset(&flow, 0, sizeof(flow));
	if (skb_flow_dissect_flow_keys(skb, &flow,
				       FLOW_DISSECTOR_F_STOP_AT_ENCAP))
		len = hash_input(&flow, config->flags, input, &tcp);
	if (len)
		__skb_set_sw_hash(skb, toeplitz_hash(&config->toeplitz, input,
						     len), tcp);
	else
		skb_clear_hash(skb);
}

int netback_hash_select(struct netback_vif *vif, struct sk_buff *skb)
{
	const struct netback_hash_config *config;
	int queue = -1;

	rcu_read_lock();
	config = in_force(vif);
	if (config) {
		set_hash(config, skb);
		if (config->map_size)
			queue = config->map[skb_get_hash_raw(skb) %
					    config->map_size];
		else
			queue = skb_get_hash_raw(skb) %
				vif->net->real_num_tx_queues;
	}
	rcu_read_unlock();
	return queue;
}

static int hash_type(const struct sk_buff *skb)
{
	switch (skb_protocol(skb, true)) {
	case htons(ETH_P_IP):
		return skb->l4_hash ? _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP :
				      _XEN_NETIF_CTRL_HASH_TYPE_IPV4;
	case htons(ETH_P_IPV6):
		return skb->l4_hash ? _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP :
				      _XEN_NETIF_CTRL_HASH_TYPE_IPV6;
	default:
		return -1;
	}
}

/* Where there is one queue, the stack has asked nobody to choose it. */
static bool has_hash(struct netback_vif *vif, struct sk_buff *skb)
{
	const struct netback_hash_config *config;

	rcu_read_lock();
	config = in_force(vif);
	if (config && vif->nr_queues == 1)
		set_hash(config, skb);
	rcu_read_unlock();
	return config && skb->sw_hash;
}

bool netback_hash_extra(struct netback_vif *vif, struct sk_buff *skb,
			struct xen_netif_extra_info *extra)
{
	__le32 hash;
	int type;

	if (!has_hash(vif, skb))
		return false;
	/* Its type depends on the hash. */
	type = hash_type(skb);
	if (type < 0)
		return false;
	hash = cpu_to_le32(skb_get_hash_raw(skb));

	*extra = (struct xen_netif_extra_info) {
		.type = XEN_NETIF_EXTRA_TYPE_HASH,
		.u.hash.type = type,
		.u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ,
	};
	memcpy(extra->u.hash.value, &hash, sizeof(hash));
	return true;
}

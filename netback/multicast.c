// SPDX-License-Identifier: GPL-2.0
/*
 * Multicast packets that the guest wants.
 *
 * Protocol: netif.h, "feature-multicast-control".
 */
#include "netback.h"

#include <linux/etherdevice.h>
#include <linux/rculist.h>
#include <linux/slab.h>

struct netback_mcast_addr {
	struct list_head list;
	struct rcu_head rcu;
	u8 addr[ETH_ALEN];
};

void netback_mcast_init(struct netback_vif *vif)
{
	spin_lock_init(&vif->mcast.lock);
	INIT_LIST_HEAD(&vif->mcast.list);
}

static struct netback_mcast_addr *find(struct netback_mcast *mcast,
				       const u8 *addr)
{
	struct netback_mcast_addr *entry;

	list_for_each_entry_rcu(entry, &mcast->list, list,
				lockdep_is_held(&mcast->lock))
		if (ether_addr_equal(entry->addr, addr))
			return entry;
	return NULL;
}

static int add(struct netback_mcast *mcast, const u8 *addr)
{
	struct netback_mcast_addr *entry;

	lockdep_assert_held(&mcast->lock);

	if (find(mcast, addr))
		return 0;
	if (mcast->nr == NETBACK_MAX_MCAST)
		return -ENOSPC;
	entry = kmalloc(sizeof(*entry), GFP_ATOMIC);
	if (!entry)
		return -ENOMEM;
	ether_addr_copy(entry->addr, addr);
	list_add_tail_rcu(&entry->list, &mcast->list);
	mcast->nr++;
	return 0;
}

int netback_mcast_add(struct netback_vif *vif, const u8 *addr)
{
	u8 aligned[ETH_ALEN] __aligned(2);
	int ret;

	memcpy(aligned, addr, ETH_ALEN);
	spin_lock(&vif->mcast.lock);
	ret = add(&vif->mcast, aligned);
	spin_unlock(&vif->mcast.lock);
	return ret;
}

static void del(struct netback_mcast *mcast, struct netback_mcast_addr *entry)
{
	list_del_rcu(&entry->list);
	mcast->nr--;
	kfree_rcu(entry, rcu);
}

void netback_mcast_del(struct netback_vif *vif, const u8 *addr)
{
	u8 aligned[ETH_ALEN] __aligned(2);
	struct netback_mcast_addr *entry;

	memcpy(aligned, addr, ETH_ALEN);
	spin_lock(&vif->mcast.lock);
	entry = find(&vif->mcast, aligned);
	if (entry)
		del(&vif->mcast, entry);
	spin_unlock(&vif->mcast.lock);
}

bool netback_mcast_wanted(struct netback_vif *vif, const u8 *addr)
{
	bool wanted;

	if (!READ_ONCE(vif->mcast.filter) || !is_multicast_ether_addr(addr) ||
	    is_broadcast_ether_addr(addr))
		return true;

	rcu_read_lock();
	wanted = find(&vif->mcast, addr);
	rcu_read_unlock();
	return wanted;
}

void netback_mcast_clear(struct netback_vif *vif)
{
	struct netback_mcast_addr *entry, *next;

	spin_lock_bh(&vif->mcast.lock);
	list_for_each_entry_safe(entry, next, &vif->mcast.list, list)
		del(&vif->mcast, entry);
	spin_unlock_bh(&vif->mcast.lock);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Toeplitz hash of received packets and the queue that it selects, as a
 * frontend configures it on the control ring.
 *
 * Protocol: netif.h, "Hash types", "Hash algorithms", "Control messages".
 */
#ifndef NETBACK_HASH_H
#define NETBACK_HASH_H

#include <linux/types.h>

#include "toeplitz.h"

#define NETBACK_HASH_MAP_MAX	128

struct netback_hash_config;

/**
 * struct netback_hash - the hash in force
 * @config: RCU, NULL for none
 *
 * Changed by one context at a time. What changes it returns
 * XEN_NETIF_CTRL_STATUS_*, checks all that the frontend says, and may sleep.
 */
struct netback_hash {
	struct netback_hash_config __rcu *config;
};

/**
 * netback_hash_set_algorithm() - choose how to hash
 * @hash: the hash
 * @algorithm: XEN_NETIF_CTRL_HASH_ALGORITHM_*
 *
 * Return: status for the frontend.
 */
u32 netback_hash_set_algorithm(struct netback_hash *hash, u32 algorithm);

/**
 * netback_hash_get_flags() - what can be hashed
 * @hash: the hash
 * @flags: XEN_NETIF_CTRL_HASH_TYPE_*, set on success
 *
 * Return: status for the frontend.
 */
u32 netback_hash_get_flags(const struct netback_hash *hash, u32 *flags);

/**
 * netback_hash_set_flags() - choose what to hash
 * @hash: the hash
 * @flags: XEN_NETIF_CTRL_HASH_TYPE_*, 0 for nothing
 *
 * Return: status for the frontend.
 */
u32 netback_hash_set_flags(struct netback_hash *hash, u32 flags);

/**
 * netback_hash_set_key() - choose the key
 * @hash: the hash
 * @key: the key
 * @len: its bytes, at most TOEPLITZ_KEY_MAX
 *
 * Return: status for the frontend.
 */
u32 netback_hash_set_key(struct netback_hash *hash, const u8 *key, u32 len);

/**
 * netback_hash_set_map_size() - make a table of queues, all of them queue 0
 * @hash: the hash
 * @size: entries, 0 for the remainder of the hash by the number of queues
 *
 * Return: status for the frontend.
 */
u32 netback_hash_set_map_size(struct netback_hash *hash, u32 size);

/**
 * netback_hash_check_map() - whether a part of the table can be set
 * @hash: the hash
 * @len: entries of the part
 * @offset: its first entry
 *
 * Return: status for the frontend.
 */
u32 netback_hash_check_map(const struct netback_hash *hash, u32 len,
			   u32 offset);

/**
 * netback_hash_set_map() - set a part of the table
 * @hash: the hash
 * @map: private copy of the part
 * @len: its entries, which have passed netback_hash_check_map()
 * @offset: its first entry, the same
 * @nr_queues: what each entry must be less than
 *
 * Return: status for the frontend.
 */
u32 netback_hash_set_map(struct netback_hash *hash, const u32 *map, u32 len,
			 u32 offset, u32 nr_queues);

/**
 * netback_hash_clear() - forget all that a frontend has set
 * @hash: the hash
 */
void netback_hash_clear(struct netback_hash *hash);

#endif /* NETBACK_HASH_H */

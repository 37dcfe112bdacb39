/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Toeplitz hash. Pure arithmetic, also built in user space.
 *
 * Protocol: netif.h, "XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ".
 */
#ifndef NETBACK_TOEPLITZ_H
#define NETBACK_TOEPLITZ_H

#include <linux/types.h>

#define TOEPLITZ_KEY_MAX	40
/* Two IPv6 addresses and two ports: all that a key of that size covers. */
#define TOEPLITZ_INPUT_MAX	36
#define TOEPLITZ_PARTS		(TOEPLITZ_INPUT_MAX * 2)

/**
 * struct toeplitz - a key, prepared for hashing
 * @part: what each value of each four bits of the input adds to the hash
 */
struct toeplitz {
	u32 part[TOEPLITZ_PARTS][16];
};

/**
 * toeplitz_set_key() - prepare a key
 * @hash: filled
 * @key: the key
 * @len: its bytes, at most TOEPLITZ_KEY_MAX; what is missing is zero
 */
void toeplitz_set_key(struct toeplitz *hash, const u8 *key, u32 len);

/**
 * toeplitz_hash() - hash some bytes
 * @hash: the key
 * @input: what to hash, most significant byte first
 * @len: bytes, at most TOEPLITZ_INPUT_MAX
 *
 * Return: the hash.
 */
u32 toeplitz_hash(const struct toeplitz *hash, const u8 *input, u32 len);

#endif /* NETBACK_TOEPLITZ_H */

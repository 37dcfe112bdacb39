// SPDX-License-Identifier: GPL-2.0
#include "toeplitz.h"

#include <linux/string.h>

/* The 32 bits of the key that begin with bit number @bit. */
static u32 key_bits(const u8 *key, u32 bit)
{
	const u8 *from = key + bit / 8;
	u64 bits = (u64)from[0] << 32 | (u64)from[1] << 24 |
		   (u64)from[2] << 16 | (u64)from[3] << 8 | from[4];

	return bits >> (8 - bit % 8);
}

void toeplitz_set_key(struct toeplitz *hash, const u8 *key, u32 len)
{
	u8 padded[TOEPLITZ_KEY_MAX] = {};
	u32 i, bit, val;

	memcpy(padded, key, len);
	for (i = 0; i < TOEPLITZ_PARTS; i++) {
		hash->part[i][0] = 0;
		/* Each value is one with its lowest set bit cleared, and that bit. */
		for (val = 1; val < 16; val++) {
			bit = __builtin_ctz(val);
			hash->part[i][val] = hash->part[i][val & (val - 1)] ^
					     key_bits(padded, i * 4 + 3 - bit);
		}
	}
}

u32 toeplitz_hash(const struct toeplitz *hash, const u8 *input, u32 len)
{
	u32 i, val = 0;

	for (i = 0; i < len; i++)
		val ^= hash->part[i * 2][input[i] >> 4] ^
		       hash->part[i * 2 + 1][input[i] & 15];
	return val;
}

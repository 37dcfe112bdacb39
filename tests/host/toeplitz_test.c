// SPDX-License-Identifier: GPL-2.0
/*
 * The Toeplitz hash, against the vectors that Microsoft publishes for receive
 * side scaling and against its definition in netif.h, bit by bit.
 */
#include "netback/toeplitz.h"

#include <arpa/inet.h>
#include <linux/array_size.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

static const u8 key[TOEPLITZ_KEY_MAX] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
	0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
	0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
	0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
	0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct vector {
	int family;
	const char *dst;
	u16 dst_port;
	const char *src;
	u16 src_port;
	u32 ip;
	u32 tcp;
};

static const struct vector vectors[] = {
	{ AF_INET, "161.142.100.80", 1766, "66.9.149.187", 2794,
	  0x323e8fc2, 0x51ccc178 },
	{ AF_INET, "65.69.140.83", 4739, "199.92.111.2", 14230,
	  0xd718262a, 0xc626b0ea },
	{ AF_INET, "12.22.207.184", 38024, "24.19.198.95", 12898,
	  0xd2d0a5de, 0x5c2b394a },
	{ AF_INET, "209.142.163.6", 2217, "38.27.205.30", 48228,
	  0x82989176, 0xafc7327f },
	{ AF_INET, "202.188.127.2", 1303, "153.39.163.191", 44251,
	  0x5d1809c5, 0x10e828a2 },
	{ AF_INET6, "3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794,
	  0x2cc18cd5, 0x40207d3d },
	{ AF_INET6, "ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230,
	  0x0f0c461c, 0xdde51bbf },
	{ AF_INET6, "fe80::200:f8ff:fe21:67cf", 38024,
	  "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251,
	  0x4b61e985, 0x02d1feef },
};

static void run_vector(const void *arg)
{
	const struct vector *vector = arg;
	size_t len = vector->family == AF_INET ? 4 : 16;
	u8 input[TOEPLITZ_INPUT_MAX];
	struct toeplitz hash;
	u16 port;

	CHECK_EQ(inet_pton(vector->family, vector->src, input), 1);
	CHECK_EQ(inet_pton(vector->family, vector->dst, input + len), 1);
	port = htons(vector->src_port);
	memcpy(input + 2 * len, &port, sizeof(port));
	port = htons(vector->dst_port);
	memcpy(input + 2 * len + 2, &port, sizeof(port));

	toeplitz_set_key(&hash, key, sizeof(key));
	CHECK_EQ(toeplitz_hash(&hash, input, 2 * len), vector->ip);
	CHECK_EQ(toeplitz_hash(&hash, input, 2 * len + 4), vector->tcp);
}

static bool key_bit(const u8 *bytes, u32 len, u32 bit)
{
	return bit / 8 < len && bytes[bit / 8] & 0x80 >> bit % 8;
}

static u32 model(const u8 *bytes, u32 key_len, const u8 *input, u32 len)
{
	u32 bit, i, window, val = 0;

	for (bit = 0; bit < len * 8; bit++) {
		window = 0;
		for (i = 0; i < 32; i++)
			window = window << 1 | key_bit(bytes, key_len, bit + i);
		if (input[bit / 8] & 0x80 >> bit % 8)
			val ^= window;
	}
	return val;
}

static void any_key_and_input(const void *arg)
{
	u8 bytes[TOEPLITZ_KEY_MAX], input[TOEPLITZ_INPUT_MAX];
	unsigned int seed = 1, n, i;
	struct toeplitz hash;
	u32 key_len, len;

	(void)arg;
	for (n = 0; n < 3000; n++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = rand_r(&seed);
		for (i = 0; i < sizeof(input); i++)
			input[i] = rand_r(&seed);
		key_len = rand_r(&seed) % (sizeof(bytes) + 1);
		len = rand_r(&seed) % (sizeof(input) + 1);
		memset(&hash, 0xa5, sizeof(hash));
		toeplitz_set_key(&hash, bytes, key_len);
		CHECK_EQ(toeplitz_hash(&hash, input, len),
			 model(bytes, key_len, input, len));
	}
}

static void no_key(const void *arg)
{
	u8 input[TOEPLITZ_INPUT_MAX];
	struct toeplitz hash;

	(void)arg;
	memset(input, 0xff, sizeof(input));
	toeplitz_set_key(&hash, key, 0);
	CHECK_EQ(toeplitz_hash(&hash, input, sizeof(input)), 0);
}

void toeplitz_tests(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		case_run("net toeplitz", vectors[i].src, run_vector,
			 &vectors[i]);
	case_run("net toeplitz", "any_key_and_input", any_key_and_input, NULL);
	case_run("net toeplitz", "no_key", no_key, NULL);
}

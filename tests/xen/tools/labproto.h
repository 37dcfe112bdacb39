/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands to a guest travel over its PV console, which it shares with kernel messages, so
 * every line is framed, data is base64 and the end carries a checksum:
 *
 *	dom0 -> guest	@R ID BASE64		run a shell command
 *			@A ID			send the answer to ID again
 *			@S			an interactive shell until it exits
 *	guest -> dom0	@READY
 *			@D ID BASE64		a piece of the output
 *			@E ID RC LENGTH SUM	end of the answer
 */
#ifndef LABPROTO_H
#define LABPROTO_H

#include <stddef.h>
#include <stdint.h>

#define PIECE 54	/* bytes of output per @D line */

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static inline size_t b64_encode(char *out, const unsigned char *in, size_t len)
{
	char *p = out;
	size_t i;

	for (i = 0; i < len; i += 3) {
		uint32_t v = in[i] << 16;

		if (i + 1 < len)
			v |= in[i + 1] << 8;
		if (i + 2 < len)
			v |= in[i + 2];
		*p++ = b64[v >> 18];
		*p++ = b64[v >> 12 & 63];
		*p++ = i + 1 < len ? b64[v >> 6 & 63] : '=';
		*p++ = i + 2 < len ? b64[v & 63] : '=';
	}
	*p = 0;
	return p - out;
}

/* Decodes up to the first character that is not base64; returns the number of bytes. */
static inline size_t b64_decode(unsigned char *out, const char *in)
{
	unsigned char *p = out;
	uint32_t v = 0;
	int bits = 0;

	for (; *in; in++) {
		int c = *in;

		if (c >= 'A' && c <= 'Z')
			c -= 'A';
		else if (c >= 'a' && c <= 'z')
			c -= 'a' - 26;
		else if (c >= '0' && c <= '9')
			c -= '0' - 52;
		else if (c == '+')
			c = 62;
		else if (c == '/')
			c = 63;
		else
			break;
		v = v << 6 | c;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*p++ = v >> bits;
		}
	}
	return p - out;
}

static inline uint32_t labsum(uint32_t sum, const unsigned char *p, size_t len)
{
	while (len--)
		sum = sum * 31 + *p++;
	return sum;
}

#endif

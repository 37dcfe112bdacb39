/* SPDX-License-Identifier: GPL-2.0 */
/* Slots of network rings. */
#ifndef ROGUE_NET_H
#define ROGUE_NET_H

#include "rogue.h"

#define NET_SLOTS	256
#define CTRL_SLOTS	128

enum { TX_CSUM = 1, TX_VALID = 2, TX_MORE = 4, TX_EXTRA = 8 };
enum { RX_VALID = 1, RX_CSUM = 2, RX_MORE = 4, RX_EXTRA = 8 };
enum { EXTRA_GSO = 1, EXTRA_ADD, EXTRA_DEL, EXTRA_HASH, EXTRA_XDP };
enum { NET_OKAY = 0, NET_ERROR = -1, NET_DROPPED = -2, NET_NULL = 1 };

struct extra {
	uint8_t type, flags, val[2], kind, pad, features[2];
};

union tx_slot {
	struct { uint32_t gref; uint16_t offset, flags, id, size; } req;
	struct extra extra;
	struct { uint16_t id; int16_t status; } rsp;
	uint8_t bytes[12];
};

union rx_slot {
	struct { uint16_t id, pad; uint32_t gref; } req;
	struct { uint16_t id, offset, flags; int16_t status; } rsp;
	struct extra extra;
};

enum {
	CTRL_SET_KEY = 3, CTRL_SET_MAPPING = 6, CTRL_SET_ALGORITHM,
	CTRL_GET_GREFS, CTRL_ADD_GREFS, CTRL_DEL_GREFS,
};
enum { CTRL_SUCCESS = 0, CTRL_NOT_SUPPORTED, CTRL_INVALID, CTRL_OVERFLOW };

struct ctrl_req {
	uint16_t id, type;
	uint32_t data[3];
};

struct ctrl_rsp {
	uint16_t id, type;
	uint32_t status, data;
};

#endif

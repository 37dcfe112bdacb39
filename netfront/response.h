/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Responses of the receive ring. PURE: takes private copies of slots, touches
 * nothing else; also builds in user space.
 */
#ifndef XSPLIT_NETFRONT_RESPONSE_H
#define XSPLIT_NETFRONT_RESPONSE_H

#include <linux/types.h>
#include "ring/net_wire.h"

/* Slots with data that a packet may have: every peer can send that many. */
#define NETFRONT_MAX_PARTS	XEN_NETIF_NR_SLOTS_MIN
/* And with those that describe it, each kind once and some to spare. */
#define NETFRONT_MAX_CHAIN	(NETFRONT_MAX_PARTS + 8)
/* An Ethernet header; the largest IP packet behind one with two tags. */
#define NETFRONT_MIN_LEN	14
#define NETFRONT_MAX_LEN	(65535 + 14 + 2 * 4)

/* What is wrong with a packet. */
enum netfront_flaw {
	NETFRONT_OK,
	NETFRONT_BAD_STATUS,	/* the backend says that it failed */
	NETFRONT_BAD_RANGE,	/* data beyond the page */
	NETFRONT_BAD_LENGTH,	/* shorter than a header, or too long */
	NETFRONT_BAD_EXTRA,	/* unknown, twice, or misplaced */
	NETFRONT_BAD_GSO,	/* values that segmentation cannot have */
	NETFRONT_TOO_MANY,	/* slots */
	NETFRONT_BAD_ID,	/* a response to another slot's request */
};

/**
 * struct netfront_part - data of a packet in one slot
 * @at: which response of the packet it is
 * @offset: first byte in the page
 * @len: bytes
 */
struct netfront_part {
	u16 at;
	u16 offset;
	u16 len;
};

/**
 * struct netfront_packet - a packet, or the beginning of one
 * @flaw: the first thing that is wrong with it
 * @slots: responses looked at
 * @len: bytes of all parts
 * @nr: number of parts with data
 * @flags: XEN_NETRXF_ flags of the first response
 * @more_data: another part follows
 * @more_extra: an extra follows, before that part
 * @gso_type: XEN_NETIF_GSO_TYPE_, 0 if it is not to be segmented
 * @gso_size: payload per segment, bytes
 * @hashed: there is a hash
 * @hash_type: kind of hash, number of a XEN_NETIF_CTRL_HASH_TYPE_* bit
 * @hash: its value
 * @headroom: bytes before the data that the backend has left for XDP
 * @seen: bit for each type of extra
 * @part: the parts
 */
struct netfront_packet {
	enum netfront_flaw flaw;
	u16 slots;
	u16 nr;
	u32 len;
	u16 flags;
	bool more_data;
	bool more_extra;
	u8 gso_type;
	u16 gso_size;
	bool hashed;
	u8 hash_type;
	u8 seen;
	u16 headroom;
	u32 hash;
	struct netfront_part part[NETFRONT_MAX_PARTS];
};

/**
 * netfront_packet_init() - begin a packet
 * @pkt: the packet
 */
static inline void netfront_packet_init(struct netfront_packet *pkt)
{
	pkt->flaw = NETFRONT_OK;
	pkt->slots = 0;
	pkt->nr = 0;
	pkt->len = 0;
	pkt->flags = 0;
	pkt->more_data = true;
	pkt->more_extra = false;
	pkt->gso_type = XEN_NETIF_GSO_TYPE_NONE;
	pkt->gso_size = 0;
	pkt->hashed = false;
	pkt->hash_type = 0;
	pkt->seen = 0;
	pkt->headroom = 0;
	pkt->hash = 0;
}

/**
 * netfront_packet_ended() - whether the packet is complete
 * @pkt: the packet
 *
 * Return: whether no more responses belong to it.
 */
static inline bool netfront_packet_ended(const struct netfront_packet *pkt)
{
	return !pkt->more_data && !pkt->more_extra;
}

/**
 * netfront_packet_add() - take the next response of a packet
 * @pkt: a packet that has not ended
 * @slot: private copy of the response
 * @id: that the request in this slot had
 *
 * A packet with a flaw is followed to its end, too, so that the next one
 * begins where the backend thinks it does; but never beyond
 * NETFRONT_MAX_CHAIN responses. When it ends, all of it has been checked.
 */
void netfront_packet_add(struct netfront_packet *pkt,
			 const union net_rx_slot *slot, u16 id);

#endif /* XSPLIT_NETFRONT_RESPONSE_H */

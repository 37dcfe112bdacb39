/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From slots of the transmit ring to validated packets. Pure: no kernel
 * services, works on private copies only, also built in user space. All that a
 * frontend can say wrongly about slots is rejected here; what comes after
 * trusts struct net_tx_packet and the slots that it covers.
 *
 * Protocol: netif.h, "Guest transmit".
 */
#ifndef NETBACK_PARSE_H
#define NETBACK_PARSE_H

#include <linux/types.h>

#include "ring/net_wire.h"

/* Room for the padding that a frontend may add to the protocol's minimum. */
#define NETBACK_MAX_SEGS	20

/**
 * struct net_tx_packet - a packet, in host terms
 * @first: index of its first slot
 * @nr_slots: slots to be answered
 * @nr_extras: slots after the first that hold no data
 * @head: bytes of data in the first slot
 * @len: bytes of the packet
 * @csum_blank: the transport checksum is to be filled in
 * @validated: the guest vouches for the checksums
 * @gso_type: XEN_NETIF_GSO_TYPE_*
 * @gso_size: payload of each segment, bytes; not 0 if @gso_type is set
 * @mcast: XEN_NETIF_EXTRA_TYPE_MCAST_ADD, _DEL or 0: what to do with
 *	@mcast_addr, instead of sending a packet
 * @mcast_addr: multicast address
 * @hash_type: bit number of XEN_NETIF_CTRL_HASH_TYPE_* if @hashed
 * @hashed: @hash is valid
 * @hash: hash of the flow
 *
 * Data segments are in the slots that begin with @first, without the @nr_extras
 * slots that follow it.
 */
struct net_tx_packet {
	u16 first;
	u16 nr_slots;
	u16 nr_extras;
	u16 head;
	u16 len;
	bool csum_blank;
	bool validated;
	u8 gso_type;
	u16 gso_size;
	u8 mcast;
	u8 mcast_addr[6];
	u8 hash_type;
	bool hashed;
	u32 hash;
};

enum net_tx_reject {
	NET_TX_ACCEPT,
	NET_TX_UNFINISHED,
	NET_TX_TOO_SHORT,
	NET_TX_TOO_MANY_SEGMENTS,
	NET_TX_BAD_SIZE,
	NET_TX_CROSSES_FRAME,
	NET_TX_BAD_EXTRA,
	NET_TX_BAD_GSO,
};

/**
 * net_tx_parse() - decode and check the packet that begins at a slot
 * @slots: private copies of slots
 * @nr: how many there are
 * @first: index of the packet's first slot, less than @nr
 * @packet: the result; the number of slots is valid also when the packet is
 *	rejected, except for NET_TX_UNFINISHED
 *
 * Return: NET_TX_ACCEPT or why not. NET_TX_UNFINISHED says that the packet does
 * not end within the slots.
 */
enum net_tx_reject net_tx_parse(const union net_tx_slot *slots, u32 nr,
				u32 first, struct net_tx_packet *packet);

/**
 * net_tx_reject_text() - what to tell the administrator
 * @reject: a reason
 *
 * Return: a constant string.
 */
const char *net_tx_reject_text(enum net_tx_reject reject);

#endif /* NETBACK_PARSE_H */

// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <linux/array_size.h>
#include <linux/string.h>

/* Ethernet addresses and type. */
#define MIN_PACKET	14

static const char * const reject_text[] = {
	[NET_TX_ACCEPT]			= "accepted",
	[NET_TX_UNFINISHED]		= "packet does not end in the ring",
	[NET_TX_TOO_SHORT]		= "shorter than an Ethernet header",
	[NET_TX_TOO_MANY_SEGMENTS]	= "too many segments",
	[NET_TX_BAD_SIZE]		= "segments larger than the packet",
	[NET_TX_CROSSES_FRAME]		= "segment crosses the end of its frame",
	[NET_TX_BAD_EXTRA]		= "unknown type of extra info",
	[NET_TX_BAD_GSO]		= "bad segmentation type or size",
};

const char *net_tx_reject_text(enum net_tx_reject reject)
{
	return reject_text[reject];
}

/* The chain of slots is what must be known even of a bad packet. */
static bool find_end(const union net_tx_slot *slots, u32 nr,
		     struct net_tx_packet *packet)
{
	u32 last = packet->first;
	bool extra = slots[last].req.flags & XEN_NETTXF_extra_info;
	bool more = slots[last].req.flags & XEN_NETTXF_more_data;

	while (extra) {
		if (++last == nr)
			return false;
		extra = slots[last].extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
		packet->nr_extras++;
	}
	while (more) {
		if (++last == nr)
			return false;
		more = slots[last].req.flags & XEN_NETTXF_more_data;
	}
	packet->nr_slots = last - packet->first + 1;
	return true;
}

static enum net_tx_reject take_gso(const struct xen_netif_extra_info *extra,
				   struct net_tx_packet *packet)
{
	if (!extra->u.gso.size)
		return NET_TX_BAD_GSO;
	if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
	    extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6)
		return NET_TX_BAD_GSO;
	packet->gso_type = extra->u.gso.type;
	packet->gso_size = extra->u.gso.size;
	return NET_TX_ACCEPT;
}

/* A hash of a kind that nobody defined is no reason to lose the packet. */
static void take_hash(const struct xen_netif_extra_info *extra,
		      struct net_tx_packet *packet)
{
	if (extra->u.hash.algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ ||
	    extra->u.hash.type > _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
		return;
	packet->hashed = true;
	packet->hash_type = extra->u.hash.type;
	memcpy(&packet->hash, extra->u.hash.value, sizeof(packet->hash));
}

static enum net_tx_reject take_extra(const struct xen_netif_extra_info *extra,
				     struct net_tx_packet *packet)
{
	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		return take_gso(extra, packet);
	case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
	case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
		packet->mcast = extra->type;
		memcpy(packet->mcast_addr, extra->u.mcast.addr,
		       sizeof(packet->mcast_addr));
		return NET_TX_ACCEPT;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		take_hash(extra, packet);
		return NET_TX_ACCEPT;
	case XEN_NETIF_EXTRA_TYPE_XDP:
		/* Has a meaning in the other direction only. */
		return NET_TX_ACCEPT;
	default:
		return NET_TX_BAD_EXTRA;
	}
}

static enum net_tx_reject take_extras(const union net_tx_slot *slots,
				      struct net_tx_packet *packet)
{
	enum net_tx_reject reject = NET_TX_ACCEPT;
	u32 i;

	for (i = 1; i <= packet->nr_extras && !reject; i++)
		reject = take_extra(&slots[packet->first + i].extra, packet);
	return reject;
}

static bool crosses_frame(u32 offset, u32 size)
{
	return offset + size > NET_FRAME_SIZE;
}

/* The first slot has the size of the packet, the others have their own. */
static enum net_tx_reject take_sizes(const union net_tx_slot *slots,
				     struct net_tx_packet *packet)
{
	const struct xen_netif_tx_request *req = &slots[packet->first].req;
	u32 end = packet->first + packet->nr_slots;
	u32 i = packet->first + packet->nr_extras + 1;
	u32 rest = 0;

	packet->len = req->size;
	if (packet->len < MIN_PACKET)
		return NET_TX_TOO_SHORT;
	if (packet->nr_slots - packet->nr_extras > NETBACK_MAX_SEGS)
		return NET_TX_TOO_MANY_SEGMENTS;

	for (; i < end; i++) {
		if (crosses_frame(slots[i].req.offset, slots[i].req.size))
			return NET_TX_CROSSES_FRAME;
		rest += slots[i].req.size;
	}
	if (rest > packet->len)
		return NET_TX_BAD_SIZE;
	packet->head = packet->len - rest;
	if (crosses_frame(req->offset, packet->head))
		return NET_TX_CROSSES_FRAME;
	return NET_TX_ACCEPT;
}

enum net_tx_reject net_tx_parse(const union net_tx_slot *slots, u32 nr,
				u32 first, struct net_tx_packet *packet)
{
	const struct xen_netif_tx_request *req = &slots[first].req;
	enum net_tx_reject reject;

	*packet = (struct net_tx_packet) {
		.first = first,
		.csum_blank = req->flags & XEN_NETTXF_csum_blank,
		.validated = req->flags & XEN_NETTXF_data_validated,
	};
	if (!find_end(slots, nr, packet))
		return NET_TX_UNFINISHED;
	reject = take_extras(slots, packet);
	/* What comes with an address is no packet, so its size says nothing. */
	if (reject || packet->mcast)
		return reject;
	return take_sizes(slots, packet);
}

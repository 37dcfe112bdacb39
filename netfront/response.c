// SPDX-License-Identifier: GPL-2.0
#include "response.h"

/* Linux gives this value a meaning of its own (GSO_BY_FRAGS). */
#define NO_GSO_SIZE	0xffff

static void flaw(struct netfront_packet *pkt, enum netfront_flaw what)
{
	if (!pkt->flaw)
		pkt->flaw = what;
}

static void add_gso(struct netfront_packet *pkt,
		    const struct xen_netif_extra_info *extra)
{
	u8 type = extra->u.gso.type;
	u16 size = extra->u.gso.size;

	if ((type != XEN_NETIF_GSO_TYPE_TCPV4 &&
	     type != XEN_NETIF_GSO_TYPE_TCPV6) || !size || size == NO_GSO_SIZE)
		flaw(pkt, NETFRONT_BAD_GSO);
	pkt->gso_type = type;
	pkt->gso_size = size;
}

static void add_hash(struct netfront_packet *pkt,
		     const struct xen_netif_extra_info *extra)
{
	const u8 *value = extra->u.hash.value;

	pkt->hashed = true;
	pkt->hash_type = extra->u.hash.type;
	pkt->hash = value[0] | value[1] << 8 | value[2] << 16 |
		    (u32)value[3] << 24;
}

static void add_extra(struct netfront_packet *pkt,
		      const struct xen_netif_extra_info *extra)
{
	pkt->more_extra = extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
	if (extra->type >= XEN_NETIF_EXTRA_TYPE_MAX ||
	    pkt->seen & 1 << extra->type) {
		flaw(pkt, NETFRONT_BAD_EXTRA);
		return;
	}
	pkt->seen |= 1 << extra->type;

	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		add_gso(pkt, extra);
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		add_hash(pkt, extra);
		break;
	case XEN_NETIF_EXTRA_TYPE_XDP:
		pkt->headroom = extra->u.xdp.headroom;
		break;
	default:
		flaw(pkt, NETFRONT_BAD_EXTRA);
	}
}

static void add_part(struct netfront_packet *pkt, u16 offset, s16 status)
{
	if (status < 0) {
		flaw(pkt, NETFRONT_BAD_STATUS);
		return;
	}
	if (offset > NET_FRAME_SIZE || status > NET_FRAME_SIZE - offset) {
		flaw(pkt, NETFRONT_BAD_RANGE);
		return;
	}
	/* Nothing is there, which is only worth a slot to some backends. */
	if (!status)
		return;
	if (pkt->nr == NETFRONT_MAX_PARTS) {
		flaw(pkt, NETFRONT_TOO_MANY);
		return;
	}
	pkt->part[pkt->nr++] = (struct netfront_part) {
		.at = pkt->slots,
		.offset = offset,
		.len = status,
	};
	pkt->len += status;
}

static void add_data(struct netfront_packet *pkt,
		     const struct xen_netif_rx_response *rsp, u16 id)
{
	bool extra = rsp->flags & XEN_NETRXF_extra_info;

	if (rsp->id != id)
		flaw(pkt, NETFRONT_BAD_ID);
	add_part(pkt, rsp->offset, rsp->status);
	pkt->more_data = rsp->flags & XEN_NETRXF_more_data;

	if (!pkt->slots) {
		pkt->flags = rsp->flags;
		pkt->more_extra = extra;
	} else if (extra) {
		/* Nobody can tell what the next slot holds. */
		flaw(pkt, NETFRONT_BAD_EXTRA);
	}
}

/*
 * A backend that leaves headroom for XDP tells so in an extra. Linux's own
 * counts it as data, too, and does not say so in the offset.
 */
static void correct_headroom(struct netfront_packet *pkt)
{
	struct netfront_part *part = &pkt->part[0];

	if (!pkt->headroom || !pkt->nr || part->at || part->offset)
		return;
	if (part->len <= pkt->headroom) {
		flaw(pkt, NETFRONT_BAD_LENGTH);
		return;
	}
	part->offset = pkt->headroom;
	part->len -= pkt->headroom;
	pkt->len -= pkt->headroom;
}

static void finish(struct netfront_packet *pkt)
{
	correct_headroom(pkt);
	if (pkt->len < NETFRONT_MIN_LEN || pkt->len > NETFRONT_MAX_LEN)
		flaw(pkt, NETFRONT_BAD_LENGTH);
	/* What fits one segment is one. */
	if (pkt->gso_size >= pkt->len)
		flaw(pkt, NETFRONT_BAD_GSO);
}

void netfront_packet_add(struct netfront_packet *pkt,
			 const union net_rx_slot *slot, u16 id)
{
	if (pkt->more_extra)
		add_extra(pkt, &slot->extra);
	else
		add_data(pkt, &slot->rsp, id);
	pkt->slots++;

	if (pkt->slots == NETFRONT_MAX_CHAIN && !netfront_packet_ended(pkt)) {
		flaw(pkt, NETFRONT_TOO_MANY);
		pkt->more_data = false;
		pkt->more_extra = false;
	}
	if (netfront_packet_ended(pkt))
		finish(pkt);
}

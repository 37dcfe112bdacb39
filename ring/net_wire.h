/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wire formats of network rings. Only layout and what its values mean.
 *
 * Protocol: xen/interface/io/netif.h.
 */
#ifndef XSPLIT_NET_WIRE_H
#define XSPLIT_NET_WIRE_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/io/netif.h>

/* What a grant gives access to. */
#define NET_FRAME_SIZE		4096

/* Transmit and receive rings have one page each. */
#define NET_RING_SLOTS		256
#define NET_TX_SLOT_SIZE	12
#define NET_RX_SLOT_SIZE	8
#define NET_CTRL_SLOT_SIZE	16

/*
 * Static grants: frames that a backend keeps mapped, asked for on the control
 * ring. Linux's netif.h lacks them; they are XEN_NETIF_CTRL_TYPE_*_GREF_MAPPING
 * and struct xen_netif_gref in Xen's, "Static Grants" and "Control messages".
 */
enum net_ctrl_gref_type {
	NET_CTRL_GET_GREF_MAPPING_SIZE = 8,
	NET_CTRL_ADD_GREF_MAPPING = 9,
	NET_CTRL_DEL_GREF_MAPPING = 10,
};

/* The backend only reads the frame. */
#define NET_GREF_READONLY	1

/* An entry of the list that such a request refers to. */
struct net_gref {
	grant_ref_t ref;
	u16 flags;
	u16 status;
};

#define NET_GREFS_PER_FRAME	(NET_FRAME_SIZE / sizeof(struct net_gref))

/* A slot of the transmit ring: what the flags of the slot before it say. */
union net_tx_slot {
	struct xen_netif_tx_request req;
	struct xen_netif_extra_info extra;
};

/* xen_netif_tx_response over the whole slot, so that it can be initialised. */
struct net_tx_response {
	u16 id;
	s16 status;
	u8 pad[8];
};

/* What a backend writes into a slot of the receive ring. */
union net_rx_slot {
	struct xen_netif_rx_response rsp;
	struct xen_netif_extra_info extra;
};

/**
 * net_hash_is_l4() - whether a hash is over ports, too
 * @type: one of _XEN_NETIF_CTRL_HASH_TYPE_*
 *
 * Return: false if it is over addresses alone.
 */
static inline bool net_hash_is_l4(u8 type)
{
	return type == _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP ||
	       type == _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;
}

static_assert(sizeof(union net_tx_slot) == NET_TX_SLOT_SIZE);
static_assert(sizeof(struct xen_netif_extra_info) == NET_RX_SLOT_SIZE);
static_assert(sizeof(struct net_tx_response) == NET_TX_SLOT_SIZE);
static_assert(offsetof(struct net_tx_response, status) ==
	      offsetof(struct xen_netif_tx_response, status));
static_assert(sizeof(union net_rx_slot) == NET_RX_SLOT_SIZE);
static_assert(sizeof(struct xen_netif_rx_request) == NET_RX_SLOT_SIZE);
static_assert(sizeof(struct xen_netif_ctrl_request) == NET_CTRL_SLOT_SIZE);
static_assert(sizeof(struct xen_netif_ctrl_response) <= NET_CTRL_SLOT_SIZE);
static_assert(sizeof(struct net_gref) == 8);
static_assert(offsetof(struct net_gref, status) == 6);

#endif /* XSPLIT_NET_WIRE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Working memory of passes over rings. A pass begins and ends with BH disabled,
 * so all queues share one for each CPU and direction; what a guest transmits may
 * be on its way into another's receive ring while the first pass goes on.
 */
#ifndef NETBACK_PASS_H
#define NETBACK_PASS_H

#include <linux/netdevice.h>
#include <linux/percpu.h>

#include "grant/batch.h"
#include "parse.h"

/* Packets to a guest that wait for each other at most. */
#define NETBACK_BACKLOG_MAX	64

/**
 * struct netback_packet - a packet on its way from ring to network
 * @wire: what the parser made of it
 * @skb: the packet, NULL if there is nothing to deliver
 * @err: -errno if it could not be copied
 * @status: XEN_NETIF_RSP_*
 * @nr_mapped: its slots that were copied from frames that stay mapped
 */
struct netback_packet {
	struct net_tx_packet wire;
	struct sk_buff *skb;
	int err;
	s16 status;
	u16 nr_mapped;
};

/**
 * struct netback_tx_pass - one pass over a transmit ring
 * @slots: private copies of requests
 * @nr_slots: how many of them were taken
 * @packets: packets made of them
 * @nr_packets: how many
 * @copies: data to be copied
 */
struct netback_tx_pass {
	union net_tx_slot slots[NET_RING_SLOTS];
	unsigned int nr_slots;
	struct netback_packet packets[NAPI_POLL_WEIGHT];
	unsigned int nr_packets;
	struct grant_copy_batch copies;
};

/**
 * struct netback_rx_packet - a packet on its way from network to ring
 * @first: index of its first slot in the pass
 * @nr_slots: how many slots it has
 * @nr_extras: slots after the first that hold no data
 * @err: -errno if it could not be copied
 */
struct netback_rx_packet {
	u16 first;
	u16 nr_slots;
	u16 nr_extras;
	int err;
};

/**
 * struct netback_rx_pass - a backlog of packets put into a receive ring
 * @slots: responses
 * @nr_slots: how many
 * @packets: what they are of
 * @nr_packets: how many
 * @nr_mapped: slots that are copied to frames that stay mapped
 * @copies: data to be copied
 */
struct netback_rx_pass {
	union net_rx_slot slots[NET_RING_SLOTS];
	unsigned int nr_slots;
	struct netback_rx_packet packets[NETBACK_BACKLOG_MAX];
	unsigned int nr_packets;
	unsigned int nr_mapped;
	struct grant_copy_batch copies;
};

/**
 * struct netback_passes - working memory of a CPU
 * @tx: of guest transmit
 * @rx: of guest receive
 */
struct netback_passes {
	struct netback_tx_pass tx;
	struct netback_rx_pass rx;
};

extern struct netback_passes * __percpu *netback_passes;

/* Context of both: BH disabled until the end of the pass. */
static inline struct netback_tx_pass *netback_tx_pass(void)
{
	return &(*this_cpu_ptr(netback_passes))->tx;
}

static inline struct netback_rx_pass *netback_rx_pass(void)
{
	return &(*this_cpu_ptr(netback_passes))->rx;
}

/**
 * netback_passes_alloc() - allocate working memory for all CPUs
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM with nothing left allocated.
 */
int netback_passes_alloc(void);

/**
 * netback_passes_free() - undo netback_passes_alloc()
 */
void netback_passes_free(void);

#endif /* NETBACK_PASS_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * XDP programs on received packets, and frames to be sent.
 *
 * A program sees a packet in one page with headroom and with its checksum. So
 * a connection that is made while there is a program asks the backend for
 * headroom and for nothing that makes longer packets or leaves the checksum
 * out. The protocol can change the headroom alone without a new connection
 * (Reconfiguring), but then local TCP of the other side would go on to send
 * packets that no program can be shown, and stall.
 */
#include "netfront.h"

#include <linux/bpf.h>
#include <linux/bpf_trace.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/page_pool/helpers.h>

#define TAILROOM	SKB_DATA_ALIGN(sizeof(struct skb_shared_info))
#define MAX_END		(PAGE_SIZE - TAILROOM)

static struct sk_buff *build(struct xdp_buff *xdp)
{
	unsigned int meta = xdp->data - xdp->data_meta;
	struct sk_buff *skb;

	skb = napi_build_skb(xdp->data_hard_start, PAGE_SIZE);
	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	skb_reserve(skb, xdp->data - xdp->data_hard_start);
	skb_put(skb, xdp->data_end - xdp->data);
	if (meta)
		skb_metadata_set(skb, meta);
	return skb;
}

static bool send_back(struct netfront_queue *queue, struct xdp_buff *xdp)
{
	struct xdp_frame *frame = xdp_convert_buff_to_frame(xdp);
	int ret;

	if (unlikely(!frame))
		return false;
	__netif_tx_lock(queue->txq, smp_processor_id());
	ret = netfront_tx_frame(queue, frame);
	__netif_tx_unlock(queue->txq);
	if (ret)
		return false;
	netfront_count(queue, NETFRONT_RX_XDP_TX);
	queue->xdp_sent = true;
	return true;
}

static bool redirect(struct netfront_queue *queue, struct xdp_buff *xdp,
		     struct bpf_prog *prog)
{
	if (unlikely(xdp_do_redirect(queue->info->netdev, xdp, prog)))
		return false;
	netfront_count(queue, NETFRONT_RX_XDP_REDIRECT);
	queue->xdp_redirected = true;
	return true;
}

/**
 * netfront_xdp_fits() - whether a packet can be shown to a program
 * @part: its only part
 */
bool netfront_xdp_fits(const struct netfront_part *part)
{
	return part->offset + part->len <= MAX_END;
}

/**
 * netfront_xdp_run() - let a program decide on a packet
 * @queue: the queue
 * @prog: the program
 * @page: the packet's page, which the backend has no access to any more
 * @part: where it is
 *
 * Context: NAPI; the page is consumed.
 * Return: the packet if it is to be received, else NULL.
 */
struct sk_buff *netfront_xdp_run(struct netfront_queue *queue,
				 struct bpf_prog *prog, struct page *page,
				 const struct netfront_part *part)
{
	struct net_device *netdev = queue->info->netdev;
	struct sk_buff *skb;
	struct xdp_buff xdp;
	u32 act;

	xdp_init_buff(&xdp, PAGE_SIZE, &queue->xdp_rxq);
	xdp_prepare_buff(&xdp, page_address(page), part->offset, part->len,
			 true);
	act = bpf_prog_run_xdp(prog, &xdp);
	switch (act) {
	case XDP_PASS:
		skb = build(&xdp);
		if (likely(skb))
			return skb;
		netfront_count(queue, NETFRONT_RX_NO_MEMORY);
		goto drop;
	case XDP_TX:
		if (send_back(queue, &xdp))
			return NULL;
		break;
	case XDP_REDIRECT:
		if (redirect(queue, &xdp, prog))
			return NULL;
		break;
	case XDP_DROP:
		netfront_count(queue, NETFRONT_RX_XDP_DROP);
		goto drop;
	case XDP_ABORTED:
		break;
	default:
		bpf_warn_invalid_xdp_action(netdev, prog, act);
	}
	trace_xdp_exception(netdev, prog, act);
	netfront_count(queue, NETFRONT_RX_XDP_ERROR);
drop:
	page_pool_put_full_page(queue->pool, page, true);
	return NULL;
}

/**
 * netfront_xdp_flush() - send on what programs have sent somewhere
 * @queue: the queue
 *
 * Context: NAPI, at the end of a poll.
 */
void netfront_xdp_flush(struct netfront_queue *queue)
{
	if (queue->xdp_redirected)
		xdp_do_flush();
	if (queue->xdp_sent) {
		__netif_tx_lock(queue->txq, smp_processor_id());
		if (queue->live)
			netfront_tx_push(queue);
		__netif_tx_unlock(queue->txq);
	}
	queue->xdp_redirected = false;
	queue->xdp_sent = false;
}

/**
 * netfront_xdp_xmit() - send frames that were redirected here
 * @netdev: the interface
 * @nr: how many
 * @frames: the frames
 * @flags: XDP_XMIT_
 *
 * Context: softirq.
 * Return: how many were taken, the first ones, or -errno.
 */
int netfront_xdp_xmit(struct net_device *netdev, int nr,
		      struct xdp_frame **frames, u32 flags)
{
	struct netfront *info = netdev_priv(netdev);
	struct netfront_queue *queue;
	unsigned int cpu = smp_processor_id();
	int i;

	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;
	queue = netfront_get_queue(info, cpu %
				   max(READ_ONCE(info->nr_queues), 1U));
	if (unlikely(!queue))
		return -ENETDOWN;

	__netif_tx_lock(queue->txq, cpu);
	for (i = 0; i < nr; i++)
		if (netfront_tx_frame(queue, frames[i]))
			break;
	if (flags & XDP_XMIT_FLUSH && queue->live)
		netfront_tx_push(queue);
	netfront_add(queue, NETFRONT_TX_XDP_REFUSED, nr - i);
	__netif_tx_unlock(queue->txq);
	return i;
}

static int check_program(const struct netfront *info,
			 struct netlink_ext_ack *extack)
{
	if (!info->features.xdp) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the backend has no feature-xdp-headroom");
		return -EOPNOTSUPP;
	}
	if (info->netdev->mtu > NETFRONT_XDP_MAX_MTU) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the MTU is too large for XDP: a packet must fit a page");
		return -EINVAL;
	}
	return 0;
}

static int set_program(struct netfront *info, struct bpf_prog *prog,
		       struct netlink_ext_ack *extack)
{
	struct bpf_prog *old = rtnl_dereference(info->xdp_prog);
	int ret;

	if (prog && !old) {
		ret = check_program(info, extack);
		if (ret)
			return ret;
	}
	/* From here on no packet passes it by, whatever it looks like. */
	rcu_assign_pointer(info->xdp_prog, prog);
	if (old)
		bpf_prog_put(old);
	if (!old != !prog) {
		WRITE_ONCE(info->renew, true);
		netfront_kick(info);
	}
	return 0;
}

/**
 * netfront_bpf() - attach or detach a program
 * @netdev: the interface
 * @bpf: the command
 *
 * Waits for nothing: packets flow again when the new connection is there.
 *
 * Return: 0 or -errno.
 */
int netfront_bpf(struct net_device *netdev, struct netdev_bpf *bpf)
{
	if (bpf->command != XDP_SETUP_PROG)
		return -EINVAL;
	return set_program(netdev_priv(netdev), bpf->prog, bpf->extack);
}

/**
 * netfront_xdp_init() - make a queue known as a source of frames
 * @queue: a queue with its page pool
 *
 * Return: 0 or -errno.
 */
int netfront_xdp_init(struct netfront_queue *queue)
{
	int ret;

	ret = xdp_rxq_info_reg(&queue->xdp_rxq, queue->info->netdev,
			       queue->index, queue->napi.napi_id);
	if (ret)
		return ret;
	ret = xdp_rxq_info_reg_mem_model(&queue->xdp_rxq, MEM_TYPE_PAGE_POOL,
					 queue->pool);
	if (ret)
		xdp_rxq_info_unreg(&queue->xdp_rxq);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Life of queues. All of them are made for a connection and freed after it.
 */
#include "netfront.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <xen/page.h>

/*
 * NAPI may not be enabled yet, or any more: then the event waits, and its
 * channel with it, until somebody schedules NAPI.
 */
static irqreturn_t interrupt(int irq, void *data)
{
	struct netfront_queue *queue = data;

	if (irq == queue->tx_channel.ec.irq)
		queue->tx_channel.pending = true;
	else
		queue->rx_channel.pending = true;
	napi_schedule(&queue->napi);
	return IRQ_HANDLED;
}

static int create_channel(struct netfront_queue *queue,
			  struct netfront_channel *channel, const char *name)
{
	struct xenbus_device *xbdev = queue->info->xbdev;

	snprintf(channel->name, sizeof(channel->name), "%s-q%u%s",
		 dev_name(&xbdev->dev), queue->index, name);
	return event_channel_alloc(&channel->ec, xbdev, interrupt,
				   channel->name, queue);
}

static int create_channels(struct netfront_queue *queue)
{
	bool split = queue->info->split;
	int ret;

	ret = create_channel(queue, &queue->tx_channel, split ? "-tx" : "");
	if (ret || !split)
		return ret;
	ret = create_channel(queue, &queue->rx_channel, "-rx");
	if (ret)
		event_channel_free(&queue->tx_channel.ec, queue);
	return ret;
}

static int create_ring(struct netfront_queue *queue, void **shared,
		       grant_ref_t *ref, struct ring_front *front,
		       u32 slot_size)
{
	int ret;

	ret = xenbus_setup_ring(queue->info->xbdev, GFP_NOIO, shared, 1, ref);
	if (ret)
		return ret;
	ring_front_init(front, (struct ring_shared __peer __force *)*shared,
			XEN_PAGE_SIZE, slot_size);
	return 0;
}

static int create_rings(struct netfront_queue *queue)
{
	int ret;

	ret = create_ring(queue, &queue->tx_shared, &queue->tx_ring_ref,
			  &queue->tx, NET_TX_SLOT_SIZE);
	if (ret)
		return ret;
	ret = create_ring(queue, &queue->rx_shared, &queue->rx_ring_ref,
			  &queue->rx, NET_RX_SLOT_SIZE);
	if (ret)
		xenbus_teardown_ring(&queue->tx_shared, 1, &queue->tx_ring_ref);
	return ret;
}

static void destroy_rings(struct netfront_queue *queue)
{
	xenbus_teardown_ring(&queue->tx_shared, 1, &queue->tx_ring_ref);
	xenbus_teardown_ring(&queue->rx_shared, 1, &queue->rx_ring_ref);
}

static void free_channels(struct netfront_queue *queue)
{
	event_channel_free(&queue->tx_channel.ec, queue);
	event_channel_free(&queue->rx_channel.ec, queue);
}

static int create(struct netfront_queue *queue)
{
	int ret;

	ret = create_rings(queue);
	if (ret)
		return ret;
	netif_napi_add(queue->info->netdev, &queue->napi, netfront_poll);
	ret = netfront_rx_init(queue);
	if (ret)
		goto err_napi;
	netfront_tx_init(queue);
	ret = create_channels(queue);
	if (ret)
		goto err_rx;
	return 0;

err_rx:
	netfront_rx_free(queue);
err_napi:
	netif_napi_del(&queue->napi);
	destroy_rings(queue);
	return ret;
}

/* The queue is stopped, and the backend does not use it any more, or is bad. */
static void destroy(struct netfront_queue *queue)
{
	free_channels(queue);
	netfront_tx_drop_all(queue);
	netfront_rx_free(queue);
	netif_napi_del(&queue->napi);
	destroy_rings(queue);
}

/**
 * netfront_queues_create() - allocate what the backend needs to connect
 * @info: the device, without a connection
 * @nr: how many queues
 *
 * Context: may sleep.
 * Return: the queues, or an ERR_PTR with nothing left allocated.
 */
struct netfront_queue *netfront_queues_create(struct netfront *info,
					      unsigned int nr)
{
	struct netfront_queue *queues;
	unsigned int i;
	int ret;

	queues = kvcalloc(nr, sizeof(*queues), GFP_KERNEL);
	if (!queues)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < nr; i++) {
		queues[i].info = info;
		queues[i].index = i;
		queues[i].stats = &info->stats[i];
		queues[i].txq = netdev_get_tx_queue(info->netdev, i);
		ret = create(&queues[i]);
		if (ret)
			goto err_queues;
	}
	return queues;

err_queues:
	while (i--)
		destroy(&queues[i]);
	kvfree(queues);
	return ERR_PTR(ret);
}

/**
 * netfront_queues_destroy() - free all queues
 * @info: a device whose queues are stopped; it may have none
 *
 * Context: RTNL held.
 */
void netfront_queues_destroy(struct netfront *info)
{
	struct netfront_queue *queues = info->queues;
	unsigned int nr = info->nr_queues, i;

	ASSERT_RTNL();
	if (!queues)
		return;
	/* Who finds a queue finds it dead, and none when this is over. */
	WRITE_ONCE(info->nr_queues, 0);
	for (i = 0; i < nr; i++)
		destroy(&queues[i]);
	synchronize_net();
	info->queues = NULL;
	kvfree(queues);
}

static void start(struct netfront_queue *queue)
{
	netfront_bufs_post(queue);
	__netif_tx_lock_bh(queue->txq);
	queue->live = true;
	__netif_tx_unlock_bh(queue->txq);

	napi_enable(&queue->napi);
	/* Events may have come before. */
	local_bh_disable();
	napi_schedule(&queue->napi);
	local_bh_enable();
	netif_tx_start_queue(queue->txq);
}

/**
 * netfront_queues_start() - let packets flow
 * @info: a device whose interface is up and whose queues do not run
 *
 * Context: RTNL held.
 */
void netfront_queues_start(struct netfront *info)
{
	unsigned int i;

	ASSERT_RTNL();
	for (i = 0; i < info->nr_queues; i++)
		start(&info->queues[i]);
}

/**
 * netfront_queues_stop() - end all use of the queues
 * @info: a device whose queues run
 *
 * What is in the rings stays there.
 *
 * Context: RTNL held, may sleep.
 */
void netfront_queues_stop(struct netfront *info)
{
	struct netfront_queue *queue;
	unsigned int i;

	ASSERT_RTNL();
	for (i = 0; i < info->nr_queues; i++) {
		queue = &info->queues[i];
		/* A running poll ends, after which nobody wakes the queue ... */
		napi_disable(&queue->napi);
		del_timer_sync(&queue->refill_timer);
		hrtimer_cancel(&queue->rx_timer);
		/* ... and a running transmission, after which there is none. */
		__netif_tx_lock_bh(queue->txq);
		queue->live = false;
		netif_tx_stop_queue(queue->txq);
		__netif_tx_unlock_bh(queue->txq);
	}
}

/**
 * netfront_offend() - the backend has violated the protocol
 * @queue: where
 * @what: it has done
 * @id: request id or index that it concerns
 *
 * The queue is dead; the state machine makes a new connection.
 *
 * Context: NAPI, or the lock of the stack's queue held.
 */
void netfront_offend(struct netfront_queue *queue, const char *what,
		     unsigned int id)
{
	struct netfront *info = queue->info;

	WRITE_ONCE(queue->live, false);
	if (xchg(&info->offence, true))
		return;
	dev_alert(&info->xbdev->dev, "queue %u: backend %s (%u): disabled\n",
		  queue->index, what, id);
	netfront_kick(info);
}

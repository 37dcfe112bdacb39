// SPDX-License-Identifier: GPL-2.0
/*
 * What happens when a connection ends: requests in flight are replayed through
 * the next one, or fail together with the disk.
 */
#include "blkfront.h"

/*
 * Time for the backend to finish what is in flight when the disk is detached.
 * The toolstack gives up after 10 s.
 */
#define DRAIN_TIMEOUT	(5 * HZ)

/* Idle grants are released after one to two of these. */
#define SHRINK_INTERVAL	(10 * HZ)

/**
 * blkfront_quiesce() - end all use of the rings, keep what is in flight
 * @info: the device
 */
void blkfront_quiesce(struct blkfront *info)
{
	unsigned int i;

	/* Submitters: a running queue_rq has put its parts on return. */
	if (info->disk && !info->quiesced) {
		blk_mq_quiesce_queue(info->disk->queue);
		info->quiesced = true;
	}
	if (info->state == BLKFRONT_LIVE)
		WRITE_ONCE(info->state, BLKFRONT_WAITING);

	/* Interrupts and completions. */
	for (i = 0; i < info->max_rings; i++)
		blkfront_ring_stop(&info->rings[i]);

	/* Shrinking, which only those start. */
	cancel_delayed_work_sync(&info->shrink_work);
	WRITE_ONCE(info->shrinking, false);
}

/**
 * blkfront_release() - free the rings
 * @info: a quiesced device
 * @replay: whether to keep requests in flight for the next connection, else
 *	they fail
 *
 * With @replay the backend must have unmapped their pages, or be gone.
 */
void blkfront_release(struct blkfront *info, bool replay)
{
	unsigned int i;

	for (i = 0; i < info->max_rings; i++)
		blkfront_ring_destroy(&info->rings[i], replay);
}

/**
 * blkfront_unquiesce() - let requests flow, into the rings or to their end
 * @info: a device that is live or dead
 */
void blkfront_unquiesce(struct blkfront *info)
{
	struct request_queue *q;

	if (!info->quiesced)
		return;
	q = info->disk->queue;
	info->quiesced = false;
	blk_mq_unquiesce_queue(q);
	blk_mq_kick_requeue_list(q);
	blk_mq_start_stopped_hw_queues(q, true);
}

/* Hold new requests back and give the backend time for those in flight. */
static void drain(struct blkfront *info)
{
	struct request_queue *q = info->disk->queue;

	blk_freeze_queue_start(q);
	if (blk_mq_freeze_queue_wait_timeout(q, DRAIN_TIMEOUT) <= 0)
		dev_warn(&info->xbdev->dev, "requests in flight abandoned\n");
}

/**
 * blkfront_close() - end the disk and tell the backend
 * @info: the device; one that is dead is left alone
 *
 * A backend that is alive finishes what is in flight; all else fails. The disk
 * goes away even if someone has it open. The block layer and file systems are
 * told only when every request fails at once, because they may wait for some.
 */
void blkfront_close(struct blkfront *info)
{
	bool alive = info->state == BLKFRONT_LIVE && !info->offence;

	if (info->state == BLKFRONT_DEAD)
		return;

	if (alive)
		drain(info);
	WRITE_ONCE(info->state, BLKFRONT_DEAD);
	blkfront_quiesce(info);
	blkfront_release(info, false);
	blkfront_unquiesce(info);
	if (alive)
		blk_mq_unfreeze_queue(info->disk->queue);

	if (info->disk)
		blkfront_disk_remove(info);
	xenbus_frontend_closed(info->xbdev);
}

/**
 * blkfront_suspend() - prepare for save or migration
 * @xbdev: the xenbus device
 *
 * Nothing is torn down, because the suspension may be cancelled, and then
 * nobody tells. Changes seen so far are dealt with while xenstore answers.
 *
 * Return: 0.
 */
int blkfront_suspend(struct xenbus_device *xbdev)
{
	struct blkfront *info = dev_get_drvdata(&xbdev->dev);

	flush_delayed_work(&info->work);
	return 0;
}

/**
 * blkfront_resume() - note that the domain was restored
 * @xbdev: the xenbus device, whose backend is another one
 *
 * Return: 0.
 */
int blkfront_resume(struct xenbus_device *xbdev)
{
	struct blkfront *info = dev_get_drvdata(&xbdev->dev);

	WRITE_ONCE(info->replaced, true);
	mod_delayed_work(blkfront_wq, &info->work, 0);
	return 0;
}

/**
 * blkfront_shrink() - release idle grants
 * @work: blkfront.shrink_work, deferrable: it does not wake an idle CPU
 */
void blkfront_shrink(struct work_struct *work)
{
	struct blkfront *info = container_of(to_delayed_work(work),
					     struct blkfront, shrink_work);
	bool again = false;
	unsigned int i;

	WRITE_ONCE(info->shrinking, false);
	for (i = 0; i < info->nr_rings; i++)
		again |= grant_pool_shrink(&info->rings[i].pool);
	if (again)
		blkfront_schedule_shrink(info);
}

/**
 * blkfront_schedule_shrink() - release idle grants soon
 * @info: a live device, some pool of which has grown
 */
void blkfront_schedule_shrink(struct blkfront *info)
{
	WRITE_ONCE(info->shrinking, true);
	queue_delayed_work(system_unbound_wq, &info->shrink_work,
			   SHRINK_INTERVAL);
}

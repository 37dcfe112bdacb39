// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs of a vbd. Names and formats are those that xenstat and xentop read.
 */
#include "blkback.h"

#include <linux/sysfs.h>

#define BLKBACK_COUNTER(_name)						\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct blkback_vbd *vbd = dev_get_drvdata(dev);			\
	unsigned int i;							\
	u64 sum = 0;							\
									\
	for (i = 0; i < blkback_max_queues; i++)			\
		sum += READ_ONCE(vbd->stats[i]._name);			\
	return sysfs_emit(buf, "%llu\n", sum);				\
}									\
static DEVICE_ATTR_RO(_name)

BLKBACK_COUNTER(oo_req);
BLKBACK_COUNTER(rd_req);
BLKBACK_COUNTER(wr_req);
BLKBACK_COUNTER(f_req);
BLKBACK_COUNTER(ds_req);
BLKBACK_COUNTER(rd_sect);
BLKBACK_COUNTER(wr_sect);

static struct attribute *counter_attrs[] = {
	&dev_attr_oo_req.attr,
	&dev_attr_rd_req.attr,
	&dev_attr_wr_req.attr,
	&dev_attr_f_req.attr,
	&dev_attr_ds_req.attr,
	&dev_attr_rd_sect.attr,
	&dev_attr_wr_sect.attr,
	NULL
};

static const struct attribute_group counter_group = {
	.name = "statistics",
	.attrs = counter_attrs,
};

static ssize_t physical_device_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	struct blkback_vbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%x:%x\n", READ_ONCE(vbd->major),
			  READ_ONCE(vbd->minor));
}
static DEVICE_ATTR_RO(physical_device);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct blkback_vbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", vbd->mode);
}
static DEVICE_ATTR_RO(mode);

static struct attribute *device_attrs[] = {
	&dev_attr_physical_device.attr,
	&dev_attr_mode.attr,
	NULL
};

static const struct attribute_group device_group = {
	.attrs = device_attrs,
};

const struct attribute_group *blkback_groups[] = {
	&device_group,
	&counter_group,
	NULL
};

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef XSPLIT_PARAM_H
#define XSPLIT_PARAM_H

#include <linux/errno.h>
#include <linux/printk.h>

/**
 * param_check() - whether a module parameter is in its range
 * @name: of the parameter
 * @val: its value
 * @lo: least value
 * @hi: greatest value
 *
 * Says so in the kernel log if it is not.
 *
 * Return: 0 or -EINVAL, with which the module must not load.
 */
static inline int param_check(const char *name, unsigned int val,
			      unsigned int lo, unsigned int hi)
{
	if (val >= lo && val <= hi)
		return 0;
	pr_err("%s=%u: must be %u to %u\n", name, val, lo, hi);
	return -EINVAL;
}

#endif /* XSPLIT_PARAM_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The core module: event channels, grants and xenstore for all split drivers.
 */
#include <linux/module.h>
#include <linux/printk.h>
#include <xen/xen.h>

static int __init xsplit_init(void)
{
	if (xen_domain())
		return 0;
	pr_err("not running on Xen\n");
	return -ENODEV;
}
module_init(xsplit_init);

static void __exit xsplit_exit(void)
{
}
module_exit(xsplit_exit);

MODULE_DESCRIPTION("Xen split drivers: core");
MODULE_AUTHOR("The xsplit authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(XSPLIT_VERSION);

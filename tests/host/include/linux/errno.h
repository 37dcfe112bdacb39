/* SPDX-License-Identifier: GPL-2.0 */
/* Also what libc includes under this name. */
#include_next <linux/errno.h>

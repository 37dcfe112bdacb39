/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_BUILD_BUG_H
#define HOST_LINUX_BUILD_BUG_H

#define static_assert(cond)	_Static_assert(cond, #cond)

#endif /* HOST_LINUX_BUILD_BUG_H */

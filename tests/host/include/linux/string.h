/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_STRING_H
#define HOST_LINUX_STRING_H

#include <string.h>

#include "memory.h"

#undef memcpy
#define memcpy(dst, src, len)	memory_copy(dst, src, len)

#endif /* HOST_LINUX_STRING_H */

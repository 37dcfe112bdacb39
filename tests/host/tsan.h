/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_TSAN_H
#define HOST_TSAN_H

#include <stdint.h>
#include <string.h>

#ifndef __SANITIZE_THREAD__
#define __SANITIZE_THREAD__
#endif
#include "memory.h"

/* Which memory holds indices that two sides share; before threads start. */
void tsan_share(const void *addr, size_t len);

#endif /* HOST_TSAN_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_ASM_BARRIER_H
#define HOST_ASM_BARRIER_H

#include "memory.h"

#define virt_mb()	memory_barrier(MEMORY_MB)
#define virt_rmb()	memory_barrier(MEMORY_RMB)
#define virt_wmb()	memory_barrier(MEMORY_WMB)

#define smp_load_acquire(p)	memory_load_acquire(p)
#define smp_store_release(p, v)	memory_store_release(p, v)

#endif /* HOST_ASM_BARRIER_H */

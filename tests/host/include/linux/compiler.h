/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_COMPILER_H
#define HOST_LINUX_COMPILER_H

#include "memory.h"

#define __force
#define __packed	__attribute__((packed))
#define __aligned(n)	__attribute__((aligned(n)))
#define barrier()	__asm__ __volatile__("" : : : "memory")

/* The code under test only has 32-bit indices to read and write once. */
#define READ_ONCE(x)		memory_load(&(x))
#define WRITE_ONCE(x, val)	memory_store(&(x), val)

#endif /* HOST_LINUX_COMPILER_H */

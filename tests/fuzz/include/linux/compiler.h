/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_LINUX_COMPILER_H
#define FUZZ_LINUX_COMPILER_H

#include "memory.h"
#include "peer.h"

#define __force
#define __iomem
#define __rcu
#define __percpu
#define __packed	__attribute__((packed))
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __aligned(n)	__attribute__((aligned(n)))
#define barrier()	__asm__ __volatile__("" : : : "memory")
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define fallthrough	__attribute__((fallthrough))

/* Of any size and type. The comma takes const away. */
#define READ_ONCE(x) ({							\
	__typeof__((void)0, (x)) once_;					\
									\
	peer_read_once(&once_, &(x), sizeof(once_));			\
	once_;								\
})

#define WRITE_ONCE(x, val) do {						\
	__typeof__((void)0, (x)) once_ = (val);				\
									\
	peer_write_once(&(x), &once_, sizeof(once_));			\
} while (0)

#endif /* FUZZ_LINUX_COMPILER_H */

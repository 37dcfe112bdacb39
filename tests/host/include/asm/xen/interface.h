/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel's Xen headers expect of an architecture; nothing is used. */
#ifndef HOST_ASM_XEN_INTERFACE_H
#define HOST_ASM_XEN_INTERFACE_H

#include <linux/types.h>

#define DEFINE_GUEST_HANDLE_STRUCT(name) \
	typedef struct name *__guest_handle_##name
#define DEFINE_GUEST_HANDLE(name)	typedef name *__guest_handle_##name
#define GUEST_HANDLE(name)		__guest_handle_##name

#define MAX_VIRT_CPUS	1

typedef unsigned long xen_pfn_t;
typedef unsigned long xen_ulong_t;
typedef long xen_long_t;

DEFINE_GUEST_HANDLE(void);
DEFINE_GUEST_HANDLE(uint64_t);
DEFINE_GUEST_HANDLE(xen_pfn_t);

struct arch_vcpu_info {
	int unused;
};

struct arch_shared_info {
	int unused;
};

struct pvclock_vcpu_time_info {
	int unused;
};

struct pvclock_wall_clock {
	int unused;
};

#endif /* HOST_ASM_XEN_INTERFACE_H */

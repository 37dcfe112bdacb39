/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for asm/xen/hypercall.h, whose guard it takes: hypercalls of the
 * code under test end in fake_grant.c, as does the question where in the machine
 * a page is. Included before any other header.
 */
#ifndef _ASM_X86_XEN_HYPERCALL_H
#define _ASM_X86_XEN_HYPERCALL_H

#include <linux/types.h>

int HYPERVISOR_grant_table_op(unsigned int cmd, void *uop, unsigned int count);
int HYPERVISOR_sched_op(int cmd, void *arg);
int HYPERVISOR_event_channel_op(int cmd, void *arg);
int HYPERVISOR_memory_op(unsigned int cmd, void *arg);

#include <asm/xen/page.h>
#undef pfn_to_bfn
#define pfn_to_bfn(pfn) fake_machine_frame(pfn)

unsigned long fake_machine_frame(unsigned long pfn);

#endif /* _ASM_X86_XEN_HYPERCALL_H */

// SPDX-License-Identifier: GPL-2.0
#include "pass.h"

#include <linux/slab.h>

struct netback_passes * __percpu *netback_passes;

void netback_passes_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(*per_cpu_ptr(netback_passes, cpu));
	free_percpu(netback_passes);
}

int netback_passes_alloc(void)
{
	struct netback_passes *passes;
	int cpu;

	netback_passes = alloc_percpu(struct netback_passes *);
	if (!netback_passes)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		passes = kvzalloc_node(sizeof(*passes), GFP_KERNEL,
				       cpu_to_node(cpu));
		if (!passes) {
			netback_passes_free();
			return -ENOMEM;
		}
		passes->tx.copies.atomic = true;
		passes->rx.copies.atomic = true;
		*per_cpu_ptr(netback_passes, cpu) = passes;
	}
	return 0;
}

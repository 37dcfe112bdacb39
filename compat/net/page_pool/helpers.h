/* SPDX-License-Identifier: GPL-2.0 */
/* 6.6: one header became several (a9ca9f9ceff3). Newer kernels find their own first. */
#include <net/page_pool.h>

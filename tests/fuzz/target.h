/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

/* Carry out one input; each target has one. */
void target_run(void);

#endif /* FUZZ_TARGET_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * A small XDP program on a device until SIGTERM, written in instructions so that neither
 * a BPF compiler nor a loader library is needed.
 *
 *	netxdp DEV ACTION [frags] [all]
 *
 * ACTION for netgen's frames (ethertype 88b5): pass, drop, aborted, tx (back to where it came
 * from), redirect:DEV2 (the same, out of another device). All others pass. frags: the program
 * can take frames in several buffers. all: every frame is one of netgen's. Prints "attached" or why not and, at the end,
 * "matched N bytes N others N" (bytes of first buffers). SIGUSR1: counts anew.
 */
#include <err.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

enum { MATCHED, BYTES, OTHERS, COUNTERS };

static struct bpf_insn prog[128];
static int len, map;

static int emit(int code, int dst, int src, int off, int32_t imm)
{
	prog[len] = (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src,
				       .off = off, .imm = imm };
	return len++;
}

static void mov(int dst, int32_t imm)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void copy(int dst, int src)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void load(int size, int dst, int src, int off)
{
	emit(BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void store(int size, int dst, int src, int off)
{
	emit(BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

static void call(int helper)
{
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void lands_here(int jump)
{
	prog[jump].off = len - jump - 1;
}

/* counter += register 9; registers 0 to 5 are lost. */
static void add(int counter)
{
	int none;

	emit(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, counter);
	emit(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map);
	emit(0, 0, 0, 0, 0);
	copy(BPF_REG_2, BPF_REG_10);
	emit(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4);
	call(BPF_FUNC_map_lookup_elem);
	none = emit(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_9, 0, BPF_ADD);
	lands_here(none);
}

static void swap_addresses(void)
{
	load(BPF_W, BPF_REG_2, BPF_REG_7, 0);
	load(BPF_H, BPF_REG_3, BPF_REG_7, 4);
	load(BPF_W, BPF_REG_4, BPF_REG_7, 6);
	load(BPF_H, BPF_REG_5, BPF_REG_7, 10);
	store(BPF_W, BPF_REG_7, BPF_REG_4, 0);
	store(BPF_H, BPF_REG_7, BPF_REG_5, 4);
	store(BPF_W, BPF_REG_7, BPF_REG_2, 6);
	store(BPF_H, BPF_REG_7, BPF_REG_3, 10);
}

static void verdict(const char *action)
{
	if (!strcmp(action, "drop")) {
		mov(BPF_REG_0, XDP_DROP);
	} else if (!strcmp(action, "pass")) {
		mov(BPF_REG_0, XDP_PASS);
	} else if (!strcmp(action, "aborted")) {
		mov(BPF_REG_0, XDP_ABORTED);
	} else if (!strcmp(action, "tx")) {
		swap_addresses();
		mov(BPF_REG_0, XDP_TX);
	} else if (!strncmp(action, "redirect:", 9)) {
		int to = if_nametoindex(action + 9);

		if (!to)
			err(2, "%s", action + 9);
		swap_addresses();
		mov(BPF_REG_1, to);
		mov(BPF_REG_2, 0);
		call(BPF_FUNC_redirect);
	} else {
		errx(2, "action %s", action);
	}
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void assemble(const char *action, bool all)
{
	int small, other = -1;

	copy(BPF_REG_6, BPF_REG_1);
	load(BPF_W, BPF_REG_7, BPF_REG_6, 0);	/* data */
	load(BPF_W, BPF_REG_8, BPF_REG_6, 4);	/* its end */
	copy(BPF_REG_2, BPF_REG_7);
	emit(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, 14);
	small = emit(BPF_JMP | BPF_JGT | BPF_X, BPF_REG_2, BPF_REG_8, 0, 0);
	load(BPF_H, BPF_REG_3, BPF_REG_7, 12);
	if (!all)
		other = emit(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, 0, 0xb588);
	mov(BPF_REG_9, 1);
	add(MATCHED);
	copy(BPF_REG_9, BPF_REG_8);
	emit(BPF_ALU64 | BPF_SUB | BPF_X, BPF_REG_9, BPF_REG_7, 0, 0);
	add(BYTES);
	verdict(action);
	lands_here(small);
	if (!all)
		lands_here(other);
	mov(BPF_REG_9, 1);
	add(OTHERS);
	mov(BPF_REG_0, XDP_PASS);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static void make_map(void)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
			     .max_entries = COUNTERS };

	map = bpf(BPF_MAP_CREATE, &a);
	if (map < 0)
		err(2, "map");
}

static unsigned long long counter(uint32_t which)
{
	uint64_t v = 0;
	union bpf_attr a = { .map_fd = map, .key = (uintptr_t)&which, .value = (uintptr_t)&v };

	if (bpf(BPF_MAP_LOOKUP_ELEM, &a))
		err(2, "counter");
	return v;
}

static void count_anew(void)
{
	uint64_t v = 0;
	uint32_t which;
	union bpf_attr a = { .map_fd = map, .key = (uintptr_t)&which, .value = (uintptr_t)&v };

	for (which = 0; which < COUNTERS; which++)
		if (bpf(BPF_MAP_UPDATE_ELEM, &a))
			err(2, "counter");
}

static int load_prog(bool frags)
{
	static char log[65536];
	union bpf_attr a = { .prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)prog,
			     .insn_cnt = len, .license = (uintptr_t)"GPL", .log_level = 1,
			     .log_buf = (uintptr_t)log, .log_size = sizeof(log),
			     .expected_attach_type = BPF_XDP,
			     .prog_flags = frags ? BPF_F_XDP_HAS_FRAGS : 0 };
	int fd = bpf(BPF_PROG_LOAD, &a);

	if (fd < 0)
		err(2, "program: %s", log);
	return fd;
}

int main(int argc, char **argv)
{
	bool frags = false, all = false;
	union bpf_attr a = { 0 };
	sigset_t set;
	int i, sig;

	if (argc < 3)
		errx(2, "usage: netxdp DEV ACTION [frags] [all]");
	for (i = 3; i < argc; i++) {
		frags |= !strcmp(argv[i], "frags");
		all |= !strcmp(argv[i], "all");
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	make_map();
	assemble(argv[2], all);
	a.link_create.prog_fd = load_prog(frags);
	a.link_create.target_ifindex = if_nametoindex(argv[1]);
	a.link_create.attach_type = BPF_XDP;
	a.link_create.flags = XDP_FLAGS_DRV_MODE;
	/* The program stays as long as this descriptor is open. */
	if (bpf(BPF_LINK_CREATE, &a) < 0) {
		printf("refused: %s\n", strerror(errno));
		return 1;
	}
	printf("attached\n");
	fflush(stdout);
	while (!sigwait(&set, &sig) && sig == SIGUSR1)
		count_anew();
	printf("matched %llu bytes %llu others %llu\n", counter(MATCHED), counter(BYTES),
	       counter(OTHERS));
	return 0;
}

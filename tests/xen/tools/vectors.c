// SPDX-License-Identifier: GPL-2.0
/*
 * Does a program keep its vector registers while others run? vectors ROUNDS: exit code 1
 * when a register changed. Run several at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE 32

static void rest(void)
{
	volatile int i;

	for (i = 0; i < 200; i++)
		;
}

/* System calls without libc, which would use the registers. */
static void give_way(int sleep)
{
	static const long tenth_ms[2] = { 0, 100000 };
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(sleep ? 35 /* nanosleep */ : 24 /* sched_yield */),
			   "D"(tenth_ms), "S"(0)
			 : "rcx", "r11", "memory");
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 10000, i;
	unsigned char mine[SIZE], now[3][SIZE];
	long changed = 0;

	if (!__builtin_cpu_supports("avx"))
		return 0;
	for (i = 0; i < SIZE; i++)
		mine[i] = getpid() ^ i * 7;

	for (i = 0; i < rounds; i++) {
		__asm__ volatile("vmovdqu %0, %%ymm0\n"
				 "vmovdqa %%ymm0, %%ymm7\n"
				 "vmovdqa %%ymm0, %%ymm15\n"
				 : : "m"(mine) : "xmm0", "xmm7", "xmm15");
		give_way(i % 16 == 0);
		rest();
		__asm__ volatile("vmovdqu %%ymm0, %0\n"
				 "vmovdqu %%ymm7, %1\n"
				 "vmovdqu %%ymm15, %2\n"
				 : "=m"(now[0]), "=m"(now[1]), "=m"(now[2]));
		changed += memcmp(now[0], mine, SIZE) || memcmp(now[1], mine, SIZE) ||
			   memcmp(now[2], mine, SIZE);
	}
	if (changed)
		printf("%d: changed in %ld of %d rounds\n", getpid(), changed, rounds);
	return changed != 0;
}

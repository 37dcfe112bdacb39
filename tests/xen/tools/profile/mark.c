// SPDX-License-Identifier: GPL-2.0
/*
 * mark ORDER [WORD]... - tell the profile plugin something, from dom0 or from a guest. What it may
 * be told is in plugin/profile.c. Without the plugin this does nothing.
 */
#include <stdio.h>
#include <sys/mman.h>

/*
 * An instruction that does nothing and that nobody else has, in a page with what is said: the
 * plugin sees the instruction, and where the emulator keeps its page.
 */
asm(".pushsection .text.mark, \"ax\"\n"
	".balign 4096\n"
	"mark_instruction: nopl 0x58534d4b(%rax)\n"
	"ret\n"
	".balign 16\n"
	"mark_text: .fill 240, 1, 0\n"
	".balign 4096\n"
	".popsection\n");
extern char mark_text[240];
extern void mark_instruction(void);

int main(int argc, char **argv)
{
	size_t used = 0;

	if (mprotect((void *)mark_instruction, 4096, PROT_READ | PROT_WRITE | PROT_EXEC)) {
		perror("mark");
		return 1;
	}
	for (int i = 1; i < argc; i++)
		used += snprintf(mark_text + used, used < sizeof(mark_text) ? sizeof(mark_text) - used : 0,
				 i > 1 ? " %s" : "%s", argv[i]);
	mark_instruction();
	return used >= sizeof(mark_text);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's TCG that counts every instruction, by the domain that was running. In the
 * lab's virtual time this costs the machine nothing: rates are the same with it.
 *
 * Programs in the machine give it orders with tools/profile/mark.c:
 *	on ADDRESS	count from now on; Xen's context_switch() is there
 *	domain NAME	who says this is domain NAME
 *	begin		all counts are zero; nothing when that was said since the last end
 *	end NAME	write them to DIRECTORY/NAME.profile, if they were counted
 *	off		stop counting
 *
 * The file has lines "domain NUMBER NAME", "strays COUNT", and for each piece of code without a jump
 * in it "ADDRESS DOMAIN INSTRUCTIONS TIMES BYTES": bytes are those stored by string moves. What
 * Xen does between a switch of domains and the first instruction of the new one is domain 0's.
 *
 * What happens to a piece in the middle (a page fault) is counted as if it had run to its end.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* QEMU's interface, version 1; Debian does not package its header. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0 };
enum { STORES = 2 };
void qemu_plugin_reset(plugin_id id, void (*done)(plugin_id id));
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*call)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*call)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*call)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*call)(unsigned int cpu, uint32_t info, uint64_t address,
						   void *data),
				      int flags, int kind, void *data);
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define MAX_DOMAINS	8
#define MAX_CPUS	16
#define BUCKETS		(1 << 18)
#define XEN_BEGIN	0xffff820000000000
#define XEN_END		0xffff830000000000
#define MARK		"\x0f\x1f\x80KMSX"
#define MARK_TEXT	16	/* from the instruction */

/* A page of memory that code was run in: whose it is, once that is known. */
struct page {
	struct page *next;
	uintptr_t at;
	unsigned int domain;
};

struct block {
	struct block *next;
	struct page *page;	/* NULL: Xen's */
	uint64_t address;
	unsigned int insns;
	struct {
		uint64_t times, bytes;
	} by[MAX_DOMAINS];
};

static struct page *pages[BUCKETS];
static struct block *blocks[BUCKETS];
static unsigned int current[MAX_CPUS];
static char names[MAX_DOMAINS][64];
static uint64_t strays, switch_address;
static const char *directory = ".";
static plugin_id self;
static bool counting, begun;

static size_t bucket_of(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15 >> 46;
}

static struct page *page_of(const void *code)
{
	uintptr_t at = (uintptr_t)code >> 12;
	struct page **head = &pages[bucket_of(at)], *p = *head;

	while (p && p->at != at)
		p = p->next;
	if (!p) {
		p = calloc(1, sizeof(*p));
		p->at = at;
		p->next = *head;
		*head = p;
	}
	return p;
}

static struct block *block_of(uint64_t address, const void *code, unsigned int insns)
{
	bool xen = address >= XEN_BEGIN && address < XEN_END;
	struct page *page = xen ? NULL : page_of(code);
	struct block **head = &blocks[bucket_of(address)], *b = *head;

	while (b && (b->address != address || b->page != page || b->insns != insns))
		b = b->next;
	if (!b) {
		b = calloc(1, sizeof(*b));
		b->address = address;
		b->page = page;
		b->insns = insns;
		b->next = *head;
		*head = b;
	}
	return b;
}

static void forget(bool whose)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct block *b = blocks[i]; b; b = b->next)
			memset(b->by, 0, sizeof(b->by));
		for (struct page *p = pages[i]; whose && p; p = p->next)
			p->domain = 0;
	}
	strays = 0;
	if (whose) {
		memset(names, 0, sizeof(names));
		memset(current, 0, sizeof(current));
	}
}

static void save(const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.profile", directory, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		return;
	}
	for (int d = 1; d < MAX_DOMAINS && names[d][0]; d++)
		fprintf(f, "domain %d %s\n", d, names[d]);
	fprintf(f, "strays %llu\n", (unsigned long long)strays);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			for (int d = 0; d < MAX_DOMAINS; d++)
				if (b->by[d].times)
					fprintf(f, "%llx %d %u %llu %llu\n", (unsigned long long)b->address, d,
						b->insns, (unsigned long long)b->by[d].times,
						(unsigned long long)b->by[d].bytes);
	fclose(f);
}

static void introduce(unsigned int cpu, const char *name)
{
	int d = 1;

	while (d < MAX_DOMAINS - 1 && names[d][0] && strcmp(names[d], name))
		d++;
	snprintf(names[d], sizeof(names[d]), "%s", name);
	current[cpu] = d;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb);
static void installed(plugin_id id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
}

/* All code is translated again, with or without calls to count it. */
static void count(bool on)
{
	if (counting == on)
		return;
	counting = on;
	qemu_plugin_reset(self, installed);
}

static void obey(unsigned int cpu, void *mark)
{
	char order[256], *word;

	snprintf(order, sizeof(order), "%s", (char *)mark + MARK_TEXT);
	word = order + strcspn(order, " ");
	if (*word)
		*word++ = 0;
	if (!strcmp(order, "on")) {
		switch_address = strtoull(word, NULL, 16);
		forget(true);
		count(true);
	} else if (!strcmp(order, "domain")) {
		introduce(cpu, word);
	} else if (!strcmp(order, "begin")) {
		if (!begun)
			forget(false);
		begun = true;
	} else if (!strcmp(order, "end")) {
		if (counting)
			save(word);
		begun = false;
	} else if (!strcmp(order, "off")) {
		count(false);
	}
}

static void executed(unsigned int cpu, void *data)
{
	struct block *b = data;
	unsigned int *domain = &current[cpu];

	if (!b->page) {
		if (b->address == switch_address)
			*domain = 0;
	} else if (!*domain) {
		*domain = b->page->domain;
	} else if (!b->page->domain) {
		b->page->domain = *domain;
	} else if (b->page->domain != *domain) {
		strays++;
		*domain = b->page->domain;
	}
	b->by[*domain].times++;
}

static void stored(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	struct block *b = data;

	(void)address;
	/* QEMU 7.2 also reports the load of an instruction that does both. */
	if (qemu_plugin_mem_is_store(info))
		b->by[current[cpu]].bytes += 1ull << qemu_plugin_mem_size_shift(info);
}

/* movs with a repeat prefix, and maybe one for the size of its operand. */
static bool is_string_move(const struct qemu_plugin_insn *insn)
{
	const uint8_t *code = qemu_plugin_insn_data(insn);
	size_t n = qemu_plugin_insn_size(insn);

	return n >= 2 && code[0] == 0xf3 && (code[n - 1] == 0xa4 || code[n - 1] == 0xa5);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b = NULL;

	(void)id;
	if (counting) {
		b = block_of(qemu_plugin_tb_vaddr(tb), qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0)), n);
		qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, NO_REGISTERS, b);
	}
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_size(insn) == strlen(MARK) &&
		    !memcmp(qemu_plugin_insn_data(insn), MARK, strlen(MARK)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, obey, NO_REGISTERS,
							       qemu_plugin_insn_haddr(insn));
		if (b && is_string_move(insn))
			qemu_plugin_register_vcpu_mem_cb(insn, stored, NO_REGISTERS, STORES, b);
	}
}

/* One argument: out=DIRECTORY. */
__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	self = id;
	if (argc > 0 && !strncmp(argv[0], "out=", 4))
		directory = strdup(argv[0] + 4);
	installed(id);
	return 0;
}

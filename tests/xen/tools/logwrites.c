// SPDX-License-Identifier: GPL-2.0
/*
 * Reads what dm-log-writes has recorded.
 *
 *	logwrites list LOG			a line per entry: number, flags (F flush, U fua,
 *						D discard, M mark, - none), sector, sectors, text
 *	logwrites replay LOG COUNT TARGET	write the first COUNT entries to TARGET
 *
 * A write is in the log before a flush when it had completed before the flush was issued.
 */
#define _FILE_OFFSET_BITS 64
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	0x6a736677736872ULL
#define FLUSH	1
#define FUA	2
#define DISCARD	4
#define MARK	8

struct super {
	uint64_t magic, version, nr_entries;
	uint32_t sectorsize;
};

struct entry {
	uint64_t sector, nr_sectors, flags, data_len;
};

static int in, out = -1;
static uint32_t ss;

static void get(void *buf, size_t len, off_t pos)
{
	if (pread(in, buf, len, pos) != (ssize_t)len)
		err(1, "reading the log at %lld", (long long)pos);
}

static void show(uint64_t n, const struct entry *e, const char *text)
{
	printf("%llu %s%s%s%s%s %llu %llu %.*s\n", (unsigned long long)n,
	       e->flags & FLUSH ? "F" : "", e->flags & FUA ? "U" : "",
	       e->flags & DISCARD ? "D" : "", e->flags & MARK ? "M" : "",
	       e->flags & (FLUSH | FUA | DISCARD | MARK) ? "" : "-",
	       (unsigned long long)e->sector, (unsigned long long)e->nr_sectors,
	       e->flags & MARK ? (int)e->data_len : 0, text);
}

static void replay(const struct entry *e, off_t from)
{
	size_t len = e->nr_sectors * ss;
	char *buf = calloc(1, len + 1);

	if (!buf)
		err(1, "memory");
	if (!(e->flags & DISCARD))
		get(buf, len, from);
	if (pwrite(out, buf, len, (off_t)e->sector * ss) != (ssize_t)len)
		err(1, "writing %zu bytes to sector %llu", len, (unsigned long long)e->sector);
	free(buf);
}

int main(int argc, char **argv)
{
	int list = argc == 3 && !strcmp(argv[1], "list");
	uint64_t n, count;
	struct super s;
	char head[4096];
	off_t pos;

	if (!list && !(argc == 5 && !strcmp(argv[1], "replay")))
		errx(2, "usage: logwrites list LOG | replay LOG COUNT TARGET");
	in = open(argv[2], O_RDONLY);
	if (in < 0)
		err(1, "%s", argv[2]);
	get(&s, sizeof(s), 0);
	if (s.magic != MAGIC)
		errx(1, "%s: no log of dm-log-writes", argv[2]);
	ss = s.sectorsize;
	if (ss < 512 || ss > sizeof(head))
		errx(1, "%s: sector size %u", argv[2], ss);
	count = s.nr_entries;
	if (!list) {
		uint64_t want = strtoull(argv[3], NULL, 10);

		if (want > count)
			errx(1, "the log has only %llu entries", (unsigned long long)count);
		count = want;
		out = open(argv[4], O_WRONLY);
		if (out < 0)
			err(1, "%s", argv[4]);
	}

	pos = ss;
	for (n = 0; n < count; n++) {
		struct entry e;

		get(head, ss, pos);
		memcpy(&e, head, sizeof(e));
		if (e.data_len > ss - sizeof(e))
			errx(1, "entry %llu makes no sense", (unsigned long long)n);
		pos += ss;
		if (list)
			show(n, &e, head + sizeof(e));
		else if (e.nr_sectors)
			replay(&e, pos);
		if (!(e.flags & DISCARD))
			pos += (off_t)e.nr_sectors * ss;
	}
	if (out >= 0 && fsync(out))
		err(1, "fsync");
	return 0;
}

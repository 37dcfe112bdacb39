// SPDX-License-Identifier: GPL-2.0
/* xenstore, by the kernel's connection: one request, one reply. */
#include "rogue.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { XS_READ = 2, XS_WRITE = 11, XS_RM = 13, XS_ERROR = 16 };

char own[64], peer[128];
unsigned int peer_id;

static int fd = -1;
static char reply[4097];

static int get(void *to, size_t len)
{
	size_t done = 0;
	ssize_t n;

	for (; done < len; done += n) {
		n = read(fd, (char *)to + done, len - done);
		if (n <= 0)
			return -1;
	}
	return 0;
}

/* Return: whether the daemon did it. */
static bool call(uint32_t type, const void *arg, uint32_t len)
{
	struct { uint32_t type, req_id, tx_id, len; } head = { type, 1, 0, len };
	char out[sizeof(head) + 4096];

	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), arg, len);
	/* The kernel refuses what is not allowed anyway. */
	if (write(fd, out, sizeof(head) + len) < 0)
		return false;
	if (get(&head, sizeof(head)) || head.len >= sizeof(reply) || get(reply, head.len))
		die("xenstore");
	reply[head.len] = 0;
	return head.type != XS_ERROR;
}

const char *store_read(const char *dir, const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return call(XS_READ, path, strlen(path) + 1) ? reply : NULL;
}

uint32_t store_number(const char *dir, const char *key, uint32_t fallback)
{
	const char *text = store_read(dir, key);

	return text ? strtoul(text, NULL, 10) : fallback;
}

void store_write(const char *key, const char *fmt, ...)
{
	char arg[3000];
	va_list args;
	int len = snprintf(arg, sizeof(arg), "%s/%s", own, key) + 1;

	va_start(args, fmt);
	len += vsnprintf(arg + len, sizeof(arg) - len, fmt, args);
	va_end(args);
	call(XS_WRITE, arg, len);
}

void store_rm(const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", own, key);
	call(XS_RM, path, strlen(path) + 1);
}

void set_state(unsigned int state)
{
	store_write("state", "%u", state);
}

unsigned int peer_state(void)
{
	return store_number(peer, "state", UNKNOWN);
}

bool await_state(unsigned int mask, unsigned int ms)
{
	unsigned int waited, pause = 1;
	long since = now_us();
	bool there;

	for (waited = 0;; waited += pause) {
		there = mask & 1U << (peer_state() & 31);
		if (there || waited >= ms)
			break;
		/* Looking is what costs. */
		if (waited > 10 * pause && pause < 100)
			pause *= 2;
		usleep(pause * 1000);
	}
	waited_since(since);
	return there;
}

void store_open(const char *dir)
{
	bool back = strstr(dir, "backend/");
	const char *path;

	fd = open("/dev/xen/xenbus", O_RDWR);
	if (fd < 0)
		die("/dev/xen/xenbus");
	snprintf(own, sizeof(own), "%s", dir);
	path = store_read(own, back ? "frontend" : "backend");
	if (!path)
		die("%s: no peer", own);
	snprintf(peer, sizeof(peer), "%.*s", (int)sizeof(peer) - 1, path);
	peer_id = store_number(own, back ? "frontend-id" : "backend-id", 0);
}

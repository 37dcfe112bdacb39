// SPDX-License-Identifier: GPL-2.0
/*
 * dom0's side of labproto.h.
 *
 *	labguest -w SECONDS TTY			wait until the guest's agent answers
 *	labguest -t SECONDS TTY COMMAND		run COMMAND: its output, its exit code
 *
 * TTY is the pty that xenconsoled made for the guest's console. Exit code 124: no answer in
 * time; 125: the console is gone or the answer stayed garbled.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "labproto.h"

static char in[64 << 10], *body;
static size_t in_len, body_len, body_room;
static int tty;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "labguest: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void send_line(const char *s)
{
	size_t len = strlen(s);

	while (len) {
		ssize_t n = write(tty, s, len);

		if (n < 0 && errno != EINTR)
			die("write to console");
		if (n > 0) {
			s += n;
			len -= n;
		}
	}
}

/* The next line from the console, or NULL when the deadline passes. */
static char *next_line(double deadline)
{
	static char line[64 << 10];

	for (;;) {
		char *nl = memchr(in, '\n', in_len);
		struct pollfd p = { .fd = tty, .events = POLLIN };
		double left = deadline - now();
		ssize_t n;

		if (nl || in_len == sizeof(in)) {
			size_t len = nl ? (size_t)(nl - in) : in_len;

			memcpy(line, in, len);
			line[len] = 0;
			len += !!nl;
			in_len -= len;
			memmove(in, in + len, in_len);
			return line;
		}
		if (left <= 0 || !poll(&p, 1, left * 1000 + 1))
			return NULL;
		n = read(tty, in + in_len, sizeof(in) - in_len);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			die("read from console");
		if (n > 0)
			in_len += n;
	}
}

static void add_body(const char *code)
{
	if (body_len + strlen(code) + 1 > body_room) {
		body_room = (body_len + strlen(code)) * 2 + 65536;
		body = realloc(body, body_room);
		if (!body)
			die("memory");
	}
	body_len += b64_decode((unsigned char *)body + body_len, code);
}

static int call(const char *cmd, double timeout)
{
	char *msg = malloc(strlen(cmd) * 2 + 128), id[32], again[64];
	double deadline = now() + timeout;
	int tries = 0, n;
	char *l;

	if (!msg)
		die("memory");
	snprintf(id, sizeof(id), "%d.%lx", getpid(), (long)(now() * 1e6));
	snprintf(again, sizeof(again), "@A %s\n", id);
	n = sprintf(msg, "@R %s ", id);
	n += b64_encode(msg + n, (const unsigned char *)cmd, strlen(cmd));
	strcpy(msg + n, "\n");
	send_line(msg);
	free(msg);
	while ((l = next_line(deadline))) {
		char *mark = strstr(l, "@D "), *got, *rest;
		size_t len;
		unsigned int sum;
		int rc;

		if (mark) {
			got = strtok(mark + 3, " ");
			rest = strtok(NULL, " ");
			if (got && rest && !strcmp(got, id))
				add_body(rest);
			continue;
		}
		mark = strstr(l, "@E ");
		if (!mark)
			continue;
		got = strtok(mark + 3, " ");
		rest = strtok(NULL, "");
		if (!got || strcmp(got, id))
			continue;
		if (rest && sscanf(rest, "%d %zu %u", &rc, &len, &sum) == 3 && len == body_len &&
		    sum == labsum(0, (unsigned char *)body, body_len)) {
			fwrite(body, 1, body_len, stdout);
			fflush(stdout);
			return rc;
		}
		if (++tries == 5) {
			fprintf(stderr, "labguest: answer garbled\n");
			return 125;
		}
		body_len = 0;
		send_line(again);
	}
	return 124;
}

static int wait_ready(double timeout)
{
	double deadline = now() + timeout;
	double ping = now() + 5;
	char *l;

	while (now() < deadline) {
		while ((l = next_line(ping < deadline ? ping : deadline)))
			if (strstr(l, "@READY"))
				return 0;
		if (now() >= deadline)
			break;
		/* A guest that has been up for long said so long ago. */
		if (!call("true", 2))
			return 0;
		ping = now() + 5;
	}
	return 124;
}

int main(int argc, char **argv)
{
	double timeout = 60;
	struct termios t;
	int c, ready = 0;

	while ((c = getopt(argc, argv, "+w:t:")) != -1) {
		timeout = atof(optarg);
		ready |= c == 'w';
	}
	if (argc - optind != 2 - ready) {
		fprintf(stderr, "usage: labguest -w SECONDS TTY | -t SECONDS TTY COMMAND\n");
		return 125;
	}
	tty = open(argv[optind], O_RDWR | O_NOCTTY);
	if (tty < 0)
		die(argv[optind]);
	flock(tty, LOCK_EX);
	if (!tcgetattr(tty, &t)) {
		cfmakeraw(&t);
		tcsetattr(tty, TCSANOW, &t);
	}
	if (ready)
		return wait_ready(timeout);
	return call(argv[optind + 1], timeout);
}

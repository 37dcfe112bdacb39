// SPDX-License-Identifier: GPL-2.0
/* The guest's side of labproto.h: PID 1 of a lab guest once its init script is done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "labproto.h"

#define OUTPUT "/run/agent.out"

static char line[256 << 10], last_id[64];
static int last_rc;

static void put(const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(1, p, len);

		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return;
		}
		p += n;
		len -= n;
	}
}

/* When the leader of a session with this terminal exits, the kernel hangs it up for all. */
static void reopen(void)
{
	int i, fd = open("/dev/hvc0", O_RDWR | O_NOCTTY);

	if (fd < 0)
		return;
	for (i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void raw(void)
{
	struct termios t;

	if (tcgetattr(0, &t))
		return;
	cfmakeraw(&t);
	tcsetattr(0, TCSANOW, &t);
}

static int reap(pid_t child)
{
	int status;
	pid_t p;

	/* As PID 1 we also inherit what background commands leave behind. */
	do {
		p = wait(&status);
	} while (p != child && !(p < 0 && errno == ECHILD));
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static void answer(void)
{
	unsigned char buf[PIECE];
	char out[PIECE * 2 + 128];
	size_t total = 0, len;
	uint32_t sum = 0;
	FILE *f = fopen(OUTPUT, "r");

	while (f && (len = fread(buf, 1, sizeof(buf), f)) > 0) {
		int n = sprintf(out, "@D %s ", last_id);

		n += b64_encode(out + n, buf, len);
		out[n++] = '\n';
		put(out, n);
		total += len;
		sum = labsum(sum, buf, len);
	}
	if (f)
		fclose(f);
	/* A kernel message may have left the cursor inside a line. */
	put(out, sprintf(out, "\n@E %s %d %zu %u\n", last_id, last_rc, total, sum));
}

static void run(const char *id, const char *code)
{
	char *cmd = malloc(strlen(code) + 1);
	pid_t pid;

	if (!cmd)
		return;
	cmd[b64_decode((unsigned char *)cmd, code)] = 0;
	snprintf(last_id, sizeof(last_id), "%s", id);
	unlink(OUTPUT);
	pid = fork();
	if (!pid) {
		int fd = open(OUTPUT, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		close(fd);
		close(null);
		execl("/bin/sh", "sh", "-c", cmd, NULL);
		_exit(127);
	}
	last_rc = pid < 0 ? 126 : reap(pid);
	free(cmd);
	answer();
}

static void shell(void)
{
	pid_t pid = fork();

	if (!pid) {
		int fd;

		setsid();
		fd = open("/dev/hvc0", O_RDWR);
		ioctl(fd, TIOCSCTTY, 1);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execl("/bin/sh", "sh", "-c",
		      "stty sane; echo; echo \"guest shell, 'exit' leaves it\"; exec sh -i", NULL);
		_exit(127);
	}
	if (pid > 0)
		reap(pid);
	reopen();
	raw();
}

int main(void)
{
	raw();
	put("\n@READY\n", 8);
	for (;;) {
		size_t n = 0;
		char *id, *code;

		for (;;) {
			ssize_t got = read(0, line + n, 1);

			if (got == 1 && line[n] != '\n' && line[n] != '\r') {
				if (n < sizeof(line) - 2)
					n++;
			} else if (got == 1) {
				break;
			} else if (got == 0 || errno != EINTR) {
				sleep(1);
				reopen();
				raw();
			}
		}
		line[n] = 0;
		if (!strncmp(line, "@R ", 3)) {
			id = strtok(line + 3, " ");
			code = strtok(NULL, " ");
			if (id && code)
				run(id, code);
		} else if (!strncmp(line, "@A ", 3)) {
			if (!strcmp(line + 3, last_id))
				answer();
		} else if (!strcmp(line, "@S") || !strcmp(line, "sh")) {
			shell();
		}
		/* Anything else is an echo of our own output or line noise. */
	}
}

// SPDX-License-Identifier: GPL-2.0
#include "case.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HOST_COVERAGE
/* What _exit() does not write. */
void __gcov_dump(void);
#else
#define __gcov_dump()
#endif

/* Far more than any case takes: of CPU time, and for one that sleeps of real time. */
#define CASE_SECONDS	60
#define CASE_REAL_SECONDS	(CASE_SECONDS * 20)

static char *reason;
static const size_t reason_size = 4096;
static int passed, failed;

void case_fail(const char *file, int line, const char *why, ...)
{
	static bool failing;
	const char *base = strrchr(file, '/');
	va_list args;
	int len;

	/* The first of the threads tells. */
	if (__atomic_test_and_set(&failing, __ATOMIC_SEQ_CST))
		for (;;)
			pause();

	len = snprintf(reason, reason_size, "%s:%d: ", base ? base + 1 : file,
		       line);
	va_start(args, why);
	vsnprintf(reason + len, reason_size - len, why, args);
	va_end(args);
	_exit(1);
}

static void explain(int status)
{
	if (reason[0])
		return;
	if (!WIFSIGNALED(status))
		snprintf(reason, reason_size, "a sanitizer stopped it");
	else if (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU)
		snprintf(reason, reason_size, "not done in %d s", CASE_SECONDS);
	else
		snprintf(reason, reason_size, "died of signal %d",
			 WTERMSIG(status));
}

void case_run(const char *suite, const char *name, void (*run)(const void *arg),
	      const void *arg)
{
	const struct rlimit limit = { CASE_SECONDS, RLIM_INFINITY };
	int status = 0;
	pid_t pid;

	reason[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CPU, &limit);
		alarm(CASE_REAL_SECONDS);
		run(arg);
		__gcov_dump();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		snprintf(reason, reason_size, "cannot run it");

	if (!status && !reason[0]) {
		printf("ok %s: %s\n", suite, name);
		passed++;
	} else {
		explain(status);
		printf("fail %s: %s: %s\n", suite, name, reason);
		failed++;
	}
}

int main(void)
{
	reason = mmap(NULL, reason_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reason == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	ring_tests();
	order_tests();
	exhaustive_tests();
	parse_tests();
	response_tests();
	net_response_tests();
	net_parse_tests();
	credit_tests();
	toeplitz_tests();
	moderation_tests();
	handover_tests();
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}

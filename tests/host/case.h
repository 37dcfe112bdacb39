/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test cases. Each runs in a child process of its own, so that a crash, a
 * sanitizer's report or a hang fails one case and no more.
 */
#ifndef HOST_CASE_H
#define HOST_CASE_H

#include <stdbool.h>

/* Run one case and print the verdict. */
void case_run(const char *suite, const char *name, void (*run)(const void *arg),
	      const void *arg);

/* End the case that runs, from any of its threads. */
void case_fail(const char *file, int line, const char *why, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define FAIL(...)	case_fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(cond) do {						\
	if (!(cond))							\
		FAIL("%s", #cond);					\
} while (0)

#define CHECK_EQ(have, want) do {					\
	long long have_ = (have), want_ = (want);			\
									\
	if (have_ != want_)						\
		FAIL("%s is %lld, not %lld", #have, have_, want_);	\
} while (0)

void ring_tests(void);
void order_tests(void);
void exhaustive_tests(void);
void parse_tests(void);
void response_tests(void);
void net_response_tests(void);
void net_parse_tests(void);
void credit_tests(void);
void toeplitz_tests(void);
void moderation_tests(void);
void handover_tests(void);

#endif /* HOST_CASE_H */

// SPDX-License-Identifier: GPL-2.0
/* What a neighbour does, one after the other for some time; prints how often it could. */
#define _GNU_SOURCE
#include "rogue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned int reads(const char *device, long until)
{
	int fd = open(device, O_RDONLY | O_DIRECT);
	unsigned int n = 0;
	void *buf;

	if (fd < 0 || posix_memalign(&buf, FRAME, FRAME))
		die("%s", device);
	for (; now_ms() < until; n++)
		if (pread(fd, buf, FRAME, (n * 37 % 1024) * FRAME) != FRAME)
			die("reading %s", device);
	return n;
}

static uint16_t checksum(const void *at, size_t len)
{
	const uint16_t *p = at;
	uint32_t sum = 0;

	for (; len; len -= 2)
		sum += *p++;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static unsigned int pings(const char *address, long until)
{
	struct { struct icmphdr icmp; uint8_t data[512]; } out = { .icmp = { .type = ICMP_ECHO } };
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct timeval patience = { .tv_usec = 200000 };
	struct { struct iphdr ip; struct icmphdr icmp; uint8_t data[512]; } in;
	unsigned int n = 0, tries;

	if (fd < 0 || !inet_aton(address, &to.sin_addr) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("ping %s", address);
	out.icmp.un.echo.id = getpid();
	for (tries = 0; now_ms() < until; tries++) {
		out.icmp.un.echo.sequence = tries;
		out.icmp.checksum = 0;
		out.icmp.checksum = checksum(&out, sizeof(out));
		sendto(fd, &out, sizeof(out), 0, (struct sockaddr *)&to, sizeof(to));
		while (recv(fd, &in, sizeof(in), 0) > 0) {
			if (in.icmp.type == ICMP_ECHOREPLY && in.icmp.un.echo.sequence == (uint16_t)tries) {
				n++;
				break;
			}
		}
	}
	return n;
}

int load(int argc, char **argv)
{
	long until = now_ms() + (argc > 2 ? atoi(argv[2]) : 100);

	printf("%u\n", strcmp(argv[0], "blk") ? pings(argv[1], until) : reads(argv[1], until));
	return 0;
}

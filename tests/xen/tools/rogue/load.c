// SPDX-License-Identifier: GPL-2.0
/*
 * What a neighbour can do: reads and pings, one after the other, some of either in turn and then a
 * pause. While /run/measure exists each turn is a line of ITS TIME, READS, IN US, PINGS, IN US.
 */
#define _GNU_SOURCE
#include "rogue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_US		4000
#define PAUSE_US	30000

struct echo {
	struct icmphdr icmp;
	uint8_t data[512];
};

static void read_one(int fd, unsigned int n)
{
	static uint8_t buf[FRAME] __attribute__((aligned(FRAME)));

	if (pread(fd, buf, FRAME, (n * 37 % 1024) * FRAME) != FRAME)
		die("reading");
}

static int open_ping(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct timeval patience = { .tv_usec = 200000 };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	if (fd < 0 || !inet_aton(address, &to.sin_addr) || connect(fd, (void *)&to, sizeof(to)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("ping %s", address);
	return fd;
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

/* Return: whether there was an answer in time. */
static bool ping_one(int fd, unsigned int n)
{
	struct echo out = { .icmp = { .type = ICMP_ECHO, .un.echo = { .id = getpid(), .sequence = n } } };
	struct { struct iphdr ip; struct echo echo; } in;

	out.icmp.checksum = checksum(&out, sizeof(out));
	if (send(fd, &out, sizeof(out), 0) < 0)
		return false;
	while (recv(fd, &in, sizeof(in), 0) > 0)
		if (in.echo.icmp.type == ICMP_ECHOREPLY && in.echo.icmp.un.echo.sequence == (uint16_t)n)
			return true;
	return false;
}

int load(const char *device, const char *address)
{
	int disk = open(device, O_RDONLY | O_DIRECT), icmp = open_ping(address);
	unsigned int n = 0, reads, pings;
	long start, between, end;

	if (disk < 0)
		die("%s", device);
	/* Who uses a rogue in the same guest may be as busy as it likes. */
	nice(-19);
	while (access("/run/stop", F_OK)) {
		usleep(PAUSE_US);
		if (access("/run/measure", F_OK))
			continue;
		start = now_us();
		for (reads = 0; (between = now_us()) - start < TURN_US; reads++)
			read_one(disk, n++);
		for (pings = 0; (end = now_us()) - between < TURN_US;)
			pings += ping_one(icmp, n++);
		printf("%ld %u %ld %u %ld\n", start, reads, between - start, pings, end - between);
	}
	return 0;
}

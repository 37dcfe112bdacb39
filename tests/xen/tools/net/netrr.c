// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and responses, one at a time: how many of them in a second.
 *
 *	netrr tcp|udp PORT [BYTES]			answer, until a TCP peer has gone or one of
 *							UDP was silent for two seconds
 *	netrr tcp|udp PORT BYTES ADDRESS COUNT		ask; prints the rate
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buf[65536];
static size_t size = 64;

static bool receive(int fd, struct sockaddr_in *peer)
{
	socklen_t len = sizeof(*peer);

	return recvfrom(fd, buf, size, MSG_WAITALL, (void *)peer, peer ? &len : NULL) == (ssize_t)size;
}

static void answer(int fd, bool tcp)
{
	struct timeval limit = { .tv_sec = 2 };
	struct sockaddr_in peer = { 0 };

	if (tcp) {
		fd = listen(fd, 1) ? -1 : accept(fd, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		while (receive(fd, NULL) && send(fd, buf, size, 0) > 0)
			;
		return;
	}
	while (receive(fd, &peer)) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		sendto(fd, buf, size, 0, (void *)&peer, sizeof(peer));
	}
}

static void ask(int fd, const struct sockaddr_in *to, int count)
{
	struct timespec t0, t1;
	int one = 1;

	if (connect(fd, (void *)to, sizeof(*to)))
		err(1, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int i = 0; i < count; i++)
		if (send(fd, buf, size, 0) < 0 || !receive(fd, NULL))
			err(1, "request %d", i);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	printf("%.0f\n", count / (t1.tv_sec - t0.tv_sec + (t1.tv_nsec - t0.tv_nsec) / 1e9));
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	bool tcp = argc > 1 && !strcmp(argv[1], "tcp");
	int one = 1, fd;

	if (argc < 3)
		errx(2, "usage: netrr tcp|udp PORT [BYTES [ADDRESS COUNT]]");
	at.sin_port = htons(atoi(argv[2]));
	if (argc > 3)
		size = atoi(argv[3]);
	if (size < 1 || size > sizeof(buf))
		errx(2, "%zu bytes", size);
	fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (argc > 5) {
		if (inet_pton(AF_INET, argv[4], &at.sin_addr) != 1)
			errx(2, "address %s", argv[4]);
		ask(fd, &at, atoi(argv[5]));
		return 0;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&at, sizeof(at)))
		err(1, "bind");
	answer(fd, tcp);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* Event channels. Events are never waited for: memory tells as much. */
#include "rogue.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned int ports[MAX_PORTS], nr_ports;

static int fd = -1;

static void dev_open(void)
{
	if (fd < 0)
		fd = open("/dev/xen/evtchn", O_RDWR);
	if (fd < 0)
		die("evtchn");
}

unsigned int channel_alloc(void)
{
	unsigned int remote = peer_id;
	int port;

	dev_open();
	port = ioctl(fd, _IOC(_IOC_NONE, 'E', 2, sizeof(remote)), &remote);
	if (port < 0 || nr_ports == MAX_PORTS)
		die("event channel");
	ports[nr_ports++] = port;
	return port;
}

bool channel_bind(unsigned int remote)
{
	struct { unsigned int domain, port; } arg = { peer_id, remote };
	int port;

	dev_open();
	port = ioctl(fd, _IOC(_IOC_NONE, 'E', 1, sizeof(arg)), &arg);
	if (port < 0 || nr_ports == MAX_PORTS)
		return false;
	ports[nr_ports++] = port;
	return true;
}

void channels_drop(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	nr_ports = 0;
}

void notify(unsigned int port)
{
	ioctl(fd, _IOC(_IOC_NONE, 'E', 4, sizeof(port)), &port);
}

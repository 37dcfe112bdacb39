// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic of which the receiver knows every byte. Both ends derive the same plan from a seed:
 * sizes, kinds, contents and, for the sender, how the kernel's buffers are to be made up.
 *
 *	netgen recv DEV [OPTIONS]		frames: what came and what did not; 1 when something
 *						was lost, changed or not in the plan
 *	netgen send DEV MAC [OPTIONS]
 *	netgen stream-recv PORT [OPTIONS]	one TCP connection
 *	netgen stream-send ADDRESS PORT [OPTIONS]
 *	netgen udp-recv PORT [OPTIONS]		datagrams
 *	netgen udp-send ADDRESS PORT [OPTIONS]
 *	netgen arp DEV SECONDS			print the gratuitous ARPs that arrive
 *
 *	-s SEED  -n COUNT (stream: bytes)  -m MIN  -x MAX (frame or datagram, bytes)
 *	-t STEP		sizes in order, MIN, MIN + STEP, ...; without it random ones
 *	-u MTU		frames beyond it are TCP segments for the kernel to cut
 *	-k KINDS	of raw,vlan,tcp4,tcp6,udp4,udp6,gso4,gso6; default all
 *	-w BYTES	at most so much on its way; 0: no answers are expected
 *	-g US		pause between frames, or pieces of a stream
 *	-i SECONDS	the receiver ends after so long without a frame
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define ETH_DATA	0x88b5		/* local experimental */
#define ETH_CONTROL	0x88b6
#define PORT		47819
#define MAX_FRAME	(65535 + 22)
#define PERIOD		262139		/* of the contents; prime */
#define COPIES		5		/* of the contents, at different places in a page */
#define PIECES		12		/* of a message, at most */

enum kind { RAW, VLAN, TCP4, TCP6, UDP4, UDP6, GSO4, GSO6, KINDS };

static const char *const kind_name[KINDS] = {
	"raw", "vlan", "tcp4", "tcp6", "udp4", "udp6", "gso4", "gso6"
};

/* Headers of a kind, without contents. */
static const unsigned int kind_header[KINDS] = { 14, 18, 54, 74, 42, 62, 54, 74 };

static struct {
	uint64_t seed, count;
	unsigned int min, max, step, mtu, kinds;
	unsigned int window, gap, port;
	double idle;
	const char *dev, *peer;
	unsigned char mac[6];
} o = {
	.seed = 1, .min = 14, .max = 1514, .mtu = 1500, .kinds = (1 << KINDS) - 1,
	.window = 192 << 10, .idle = 5,
};

struct frame {
	enum kind kind;
	unsigned int size, header, payload, gso;
	uint64_t pos;			/* of its contents */
	uint64_t rnd;
	bool partial;			/* the checksum is left to the next who needs it */
};

/* Of an expected frame. */
struct seen {
	uint32_t bytes, pad;
	uint64_t sum;			/* of the positions of its bytes */
};

struct control {
	uint32_t magic, what;
	uint64_t plan, bytes;
};

enum { HELLO = 1, END, ANSWER, BYE };
#define MAGIC 0x786e6574

static unsigned char *contents[COPIES];

/* --- the plan ------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static uint64_t rnd(uint64_t *state, uint64_t below)
{
	*state = mix(*state);
	return below ? (*state >> 11) % below : 0;
}

static void make_contents(void)
{
	size_t len = PERIOD + MAX_FRAME, i;
	uint64_t x = o.seed;
	unsigned char *p;

	for (i = 0; i < COPIES; i++) {
		p = aligned_alloc(4096, (len + 8191) & ~4095UL);
		if (!p)
			err(2, "memory");
		contents[i] = p + (i ? 1 + i * 797 : 0);
	}
	p = contents[0];
	for (i = 0; i + 8 <= PERIOD; i += 8) {
		x = mix(x);
		memcpy(p + i, &x, 8);
	}
	x = mix(x);
	memcpy(p + i, &x, PERIOD - i);
	memcpy(p + PERIOD, p, MAX_FRAME);
	for (i = 1; i < COPIES; i++)
		memcpy(contents[i], p, len);
}

static const unsigned char *content(uint64_t pos)
{
	return contents[0] + pos % PERIOD;
}

static uint64_t plan_id(void)
{
	return mix(o.seed ^ mix(o.count ^ mix(o.min ^ (uint64_t)o.max << 20 ^
					      (uint64_t)o.step << 40 ^ mix(o.mtu ^ o.kinds << 20))));
}

static unsigned int random_size(uint64_t *s)
{
	unsigned int span = o.max - o.min + 1, v;

	switch (rnd(s, 4)) {
	case 0:		/* around the ends of pages */
		v = rnd(s, 16) * 4096 + rnd(s, 80) - 40;
		break;
	case 1:		/* small */
		v = o.min + rnd(s, span < 300 ? span : 300);
		break;
	default:
		v = o.min + rnd(s, span);
	}
	return v < o.min || v > o.max ? o.min + rnd(s, span) : v;
}

static bool can_be(unsigned int kind, unsigned int size)
{
	unsigned int header = kind_header[kind];

	if (!(o.kinds & 1 << kind))
		return false;
	/* Datagrams carry their number, what is to be cut gives two segments at least. */
	if (kind == UDP4 || kind == UDP6)
		header += 4;
	if (kind == TCP4 || kind == TCP6)
		header++;
	/* Linux drops a tagged frame that has nothing to follow the type. */
	if (kind == VLAN)
		header += 2;
	if (kind == GSO4 || kind == GSO6)
		return size >= header + 600 && size <= 65535u + 14 && o.mtu >= 640;
	return size >= header && size <= o.mtu + (kind == VLAN ? 18 : 14);
}

static struct frame plan(uint64_t n)
{
	uint64_t s = mix(o.seed) ^ mix(n * 2 + 1);
	struct frame f = { .size = o.step ? o.min + n * o.step % (o.max - o.min + 1) :
						random_size(&s) };
	unsigned int tries, kind;

	kind = rnd(&s, KINDS);
	for (tries = 0; tries < KINDS && !can_be(kind, f.size); tries++)
		kind = (kind + 1) % KINDS;
	if (tries == KINDS)
		errx(2, "no kind of frame for %u bytes", f.size);
	f.kind = kind;
	f.header = kind_header[kind];
	f.payload = f.size - f.header;
	f.pos = rnd(&s, PERIOD);
	f.partial = rnd(&s, 2);
	if (kind == GSO4 || kind == GSO6) {
		unsigned int most = o.mtu - (f.header - 14);

		if (most > f.payload - 1)
			most = f.payload - 1;
		f.gso = most - rnd(&s, most > 1000 ? 400 : most - 500);
		f.partial = true;
	}
	f.rnd = s;
	return f;
}

/* Frames too small for a number are told by their size. */
static uint64_t tiny_pos(unsigned int size)
{
	return mix(o.seed ^ size * 77777) % PERIOD;
}

/* --- headers -------------------------------------------------------------------------- */

static uint32_t sum16(const void *data, size_t len, uint32_t sum)
{
	const unsigned char *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Both protocols' pseudo header; for ip4 from the addresses at byte 26 on, for ip6 at 22. */
static uint32_t pseudo(const unsigned char *frame, bool six, unsigned int proto, unsigned int len)
{
	return sum16(frame + (six ? 22 : 26), six ? 32 : 8, proto + (len & 0xffff) + (len >> 16));
}

static void put16(unsigned char *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(unsigned char *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static unsigned int get16(const unsigned char *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static unsigned int put_ip(unsigned char *p, const struct frame *f, unsigned int proto)
{
	static const unsigned char four[8] = { 198, 51, 100, 1, 198, 51, 100, 2 };
	static const unsigned char six[32] = { 0x20, 1, 0xd, 0xb8, [15] = 1, 0x20, 1, 0xd, 0xb8, [31] = 2 };
	bool v6 = f->header == 74 || f->header == 62;

	if (v6) {
		put16(p + 12, ETHERTYPE_IPV6);
		put32(p + 14, 6u << 28);
		put16(p + 18, f->size - 54);
		p[20] = proto;
		p[21] = 64;
		memcpy(p + 22, six, 32);
		return 54;
	}
	put16(p + 12, ETHERTYPE_IP);
	memset(p + 14, 0, 20);
	p[14] = 0x45;
	put16(p + 16, f->size - 14);
	p[20] = 0x40;		/* don't fragment */
	p[22] = 64;
	p[23] = proto;
	memcpy(p + 26, four, 8);
	put16(p + 24, ~sum16(p + 14, 20, 0));
	return 34;
}

/* All of a frame but its checksum offload, at p. */
static void build(unsigned char *p, const struct frame *f, uint32_t n, const unsigned char *from,
		  struct virtio_net_hdr *v)
{
	bool tcp = f->kind == TCP4 || f->kind == TCP6 || f->gso;
	unsigned int proto = tcp ? IPPROTO_TCP : IPPROTO_UDP, l4, at;
	uint32_t sum;

	memset(v, 0, sizeof(*v));
	memcpy(p, o.mac, 6);
	memcpy(p + 6, from, 6);
	memcpy(p + f->header, content(f->pos), f->payload);
	if (f->kind == RAW || f->kind == VLAN) {
		if (f->kind == VLAN) {
			put16(p + 12, 0x8100);
			put16(p + 14, 5 << 13 | 77);
		}
		put16(p + f->header - 2, ETH_DATA);
		if (f->payload >= 4)
			put32(p + f->header, n);
		else
			memcpy(p + f->header, content(tiny_pos(f->size)), f->payload);
		return;
	}
	l4 = put_ip(p, f, proto);
	put16(p + l4, PORT);
	put16(p + l4 + 2, PORT);
	at = l4 + (tcp ? 16 : 6);
	if (tcp) {
		/* The upper bits of the sequence number are the frame's, the lower its bytes'. */
		put32(p + l4 + 4, n << 17);
		put32(p + l4 + 8, 1);
		put32(p + l4 + 12, 0x50101000);
		put32(p + l4 + 16, 0);
	} else {
		put16(p + l4 + 4, f->size - l4);
		put16(p + l4 + 6, 0);
		put32(p + f->header, n);
	}
	sum = pseudo(p, l4 == 54, proto, f->size - l4);
	if (f->partial) {
		v->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		v->csum_start = l4;
		v->csum_offset = at - l4;
		put16(p + at, sum);
	} else {
		sum = ~sum16(p + l4, f->size - l4, sum) & 0xffff;
		put16(p + at, sum || tcp ? sum : 0xffff);
	}
	if (f->gso) {
		v->gso_type = f->kind == GSO4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		v->gso_size = f->gso;
		v->hdr_len = f->header;
	}
}

/* --- sockets -------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void option(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(2, "%s", what);
}

static int packet_socket(unsigned int proto)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(proto));
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(proto) };

	a.sll_ifindex = if_nametoindex(o.dev);
	if (fd < 0 || !a.sll_ifindex)
		err(2, "%s", o.dev);
	if (proto) {
		option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "ignore outgoing");
		option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 192 << 20, "receive buffer");
	}
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(2, "bind to %s", o.dev);
	return fd;
}

static void own_mac(unsigned char *mac)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strncpy(r.ifr_name, o.dev, sizeof(r.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &r))
		err(2, "address of %s", o.dev);
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	close(fd);
}

static void send_control(int fd, const unsigned char *to, const unsigned char *from, int what,
			 uint64_t bytes)
{
	unsigned char p[64] = { 0 };
	struct control c = { MAGIC, what, plan_id(), bytes };

	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
	put16(p + 12, ETH_CONTROL);
	memcpy(p + 14, &c, sizeof(c));
	if (send(fd, p, sizeof(p), 0) < 0 && errno != ENOBUFS && errno != ENETDOWN)
		err(2, "send");
}

/* The next control frame within so many seconds; 0: none. */
static int get_control(int fd, double wait, struct control *c, unsigned char *from)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char buf[128];

	if (poll(&p, 1, wait * 1000) <= 0 || recv(fd, buf, sizeof(buf), 0) < 14 + (int)sizeof(*c))
		return 0;
	memcpy(c, buf + 14, sizeof(*c));
	if (c->magic != MAGIC)
		return 0;
	if (from)
		memcpy(from, buf + 6, 6);
	return c->what;
}

/* --- sending frames ------------------------------------------------------------------- */

#define RING_FRAME	(128u << 10)
#define RING_FRAMES	8u

struct sender {
	int plain, ring, control;
	unsigned char *map, mac[6];
	unsigned int next;
	uint64_t bytes, answered, lost;
};

static void open_ring(struct sender *s)
{
	struct tpacket_req r = { RING_FRAME, RING_FRAMES, RING_FRAME, RING_FRAMES };

	s->ring = packet_socket(0);
	option(s->ring, SOL_PACKET, PACKET_VERSION, TPACKET_V2, "packet version");
	option(s->ring, SOL_PACKET, PACKET_VNET_HDR, 1, "vnet header");
	option(s->ring, SOL_PACKET, PACKET_TX_HAS_OFF, 1, "offsets in the ring");
	if (setsockopt(s->ring, SOL_PACKET, PACKET_TX_RING, &r, sizeof(r)))
		err(2, "transmit ring");
	s->map = mmap(NULL, RING_FRAME * RING_FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, s->ring, 0);
	if (s->map == MAP_FAILED)
		err(2, "mapping the ring");
}

/* From the ring's pages, so that fragments are pieces of them from an odd place on. */
static void send_ring(struct sender *s, const struct frame *f, const unsigned char *p,
		      struct virtio_net_hdr *v)
{
	struct tpacket2_hdr *h = (void *)(s->map + s->next * RING_FRAME);
	unsigned int off = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll), i;

	off += f->rnd % 5000;
	for (i = 0; *(volatile uint32_t *)&h->tp_status != TP_STATUS_AVAILABLE; i++) {
		if (*(volatile uint32_t *)&h->tp_status & TP_STATUS_WRONG_FORMAT)
			errx(2, "frame of %u bytes refused by the ring", f->size);
		if (i > 5000)
			errx(2, "a frame of the ring does not come back");
		usleep(1000);
	}
	/* The headers have to be linear, for the kernel looks at them. */
	v->hdr_len = f->header + (f->rnd >> 20) % (f->payload < 200 ? f->payload + 1 : 200);
	memcpy((unsigned char *)h + off, v, sizeof(*v));
	memcpy((unsigned char *)h + off + sizeof(*v), p, f->size);
	h->tp_len = f->size + sizeof(*v);
	h->tp_mac = off;
	*(volatile uint32_t *)&h->tp_status = TP_STATUS_SEND_REQUEST;
	s->next = (s->next + 1) % RING_FRAMES;
	while (send(s->ring, NULL, 0, 0) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			err(2, "frame of %u bytes from the ring", f->size);
		usleep(1000);
		if (*(volatile uint32_t *)&h->tp_status == TP_STATUS_AVAILABLE)
			break;
	}
}

/* Copied by the kernel: linear, or a linear part of some length and large pages. */
static void send_plain(struct sender *s, const struct frame *f, unsigned char *p,
		       struct virtio_net_hdr *v)
{
	struct iovec io[2] = { { v, sizeof(*v) }, { p, f->size } };

	if (f->size > 200 && f->rnd & 1)
		v->hdr_len = f->header + (f->rnd >> 20) % 120;
	while (writev(s->plain, io, 2) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN)
			err(2, "frame of %u bytes, %s", f->size, kind_name[f->kind]);
		usleep(1000);
	}
}

/* Wait until no more than the window is on its way, or give that up as lost. */
static void hold_back(struct sender *s)
{
	struct control c;

	while (o.window && s->bytes - s->answered > o.window) {
		if (get_control(s->control, 0.3, &c, NULL) == ANSWER) {
			if (c.bytes > s->answered)
				s->answered = c.bytes;
		} else {
			s->lost += s->bytes - s->answered;
			s->answered = s->bytes;
		}
	}
}

static void meet(struct sender *s, int what, int answer, int tries)
{
	struct control c;
	int got;

	while (tries--) {
		send_control(s->control, o.mac, s->mac, what, 0);
		do {
			got = get_control(s->control, 0.1, &c, NULL);
			if (got && c.plan != plan_id())
				errx(2, "the receiver has another plan");
			if (got == answer)
				return;
		} while (got);
	}
	errx(2, "no answer from the receiver");
}

static int send_frames(void)
{
	static unsigned char p[MAX_FRAME];
	struct sender s = { .plain = packet_socket(0), .control = packet_socket(ETH_CONTROL) };
	struct virtio_net_hdr v;
	uint64_t n;

	option(s.plain, SOL_PACKET, PACKET_VNET_HDR, 1, "vnet header");
	open_ring(&s);
	own_mac(s.mac);
	if (o.window)
		meet(&s, HELLO, ANSWER, 100);
	for (n = 0; n < o.count; n++) {
		struct frame f = plan(n);

		build(p, &f, n, s.mac, &v);
		if (f.rnd & 2)
			send_ring(&s, &f, p, &v);
		else
			send_plain(&s, &f, p, &v);
		s.bytes += f.size;
		hold_back(&s);
		if (o.gap)
			usleep(o.gap);
	}
	if (o.window)
		meet(&s, END, BYE, 50);
	printf("sent %llu frames, %llu bytes; waited in vain for %llu bytes\n",
	       (unsigned long long)o.count, (unsigned long long)s.bytes,
	       (unsigned long long)s.lost);
	return 0;
}

/* --- receiving frames ----------------------------------------------------------------- */

struct receiver {
	int fd, control;
	unsigned char mac[6], peer[6];
	struct seen *seen;
	unsigned int tiny[18];
	uint64_t bytes, told;
	unsigned long packets, cut, corrupt, extra, sums, said;
	bool greeted;
};

static void complain(struct receiver *r, const char *what, const unsigned char *p, size_t len,
		     uint64_t n, long at)
{
	size_t i;

	if (r->said++ > 10)
		return;
	fprintf(stderr, "%s: frame %llu, %zu bytes", what, (unsigned long long)n, len);
	if (n < o.count) {
		struct frame f = plan(n);

		fprintf(stderr, " (planned: %s, %u bytes, gso %u)", kind_name[f.kind], f.size, f.gso);
	}
	if (at >= 0)
		fprintf(stderr, ", first at byte %ld", at);
	fprintf(stderr, ":");
	for (i = 0; i < len && i < 74; i++)
		fprintf(stderr, "%s%02x", i % 2 ? "" : " ", p[i]);
	fprintf(stderr, "\n");
}

static long differ(const unsigned char *a, const unsigned char *b, size_t len)
{
	size_t i;

	if (!memcmp(a, b, len))
		return -1;
	for (i = 0; a[i] == b[i]; i++)
		;
	return i;
}

/* A piece of frame n's contents, at p + at, from byte off of them on; skip bytes are checked already. */
static void got_piece(struct receiver *r, const unsigned char *p, size_t len, unsigned int at,
		      uint64_t n, unsigned int off, unsigned int skip)
{
	struct frame f;
	size_t piece = len - at;
	long bad;

	if (n >= o.count) {
		r->extra++;
		complain(r, "not in the plan", p, len, n, -1);
		return;
	}
	f = plan(n);
	if (f.header != at || off + piece > f.payload || (!f.gso && piece != f.payload)) {
		r->corrupt++;
		complain(r, "wrong size", p, len, n, -1);
		return;
	}
	bad = differ(p + at + skip, content(f.pos + off) + skip, piece - skip);
	if (bad >= 0) {
		r->corrupt++;
		complain(r, "wrong contents", p, len, n, at + skip + bad);
		return;
	}
	r->cut += f.gso && piece != f.payload;
	r->seen[n].bytes += piece;
	r->seen[n].sum += (uint64_t)piece * off + (uint64_t)piece * (piece - 1) / 2;
	r->bytes += piece;
	/* As the sender counts: headers of a frame that was cut are counted once. */
	if (r->seen[n].bytes == f.payload)
		r->bytes += f.header;
}

static void got_raw(struct receiver *r, const unsigned char *p, size_t len, unsigned int header)
{
	/* What is shorter than Ethernet's least may have been padded on its way. */
	size_t real = len;

	if (len - header < 4 && header == 14) {
		if (differ(p + 14, content(tiny_pos(len)), len - 14) >= 0) {
			r->corrupt++;
			complain(r, "wrong contents", p, len, ~0ULL, -1);
			return;
		}
		r->tiny[len]++;
		r->bytes += len;
		return;
	}
	if (len - header < 4) {
		r->tiny[len - 4]++;
		r->bytes += len;
		return;
	}
	got_piece(r, p, real, header, get32(p + header), 0, 4);
}

static bool good_sums(const unsigned char *p, size_t len, unsigned int l4, unsigned int proto,
		      const struct virtio_net_hdr *v)
{
	bool tcp = proto == IPPROTO_TCP;
	uint32_t sum = pseudo(p, l4 == 54, proto, len - l4);
	unsigned int field = l4 + (tcp ? 16 : 6);

	if (l4 == 34 && sum16(p + 14, 20, 0) != 0xffff)
		return false;
	if (v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return v->csum_start == l4 && v->csum_start + v->csum_offset == field &&
		       get16(p + field) == sum;
	if (v->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		return true;
	return sum16(p + l4, len - l4, sum) == 0xffff;
}

static void got_ip(struct receiver *r, const unsigned char *p, size_t len,
		   const struct virtio_net_hdr *v)
{
	bool six = get16(p + 12) == ETHERTYPE_IPV6;
	unsigned int l4 = six ? 54 : 34, proto, total;
	uint64_t n;

	if (len < l4 + 12)
		return;
	proto = six ? p[20] : p[23];
	if ((proto != IPPROTO_TCP && proto != IPPROTO_UDP) || get16(p + l4) != PORT ||
	    get16(p + l4 + 2) != PORT)
		return;
	total = six ? 54 + get16(p + 18) : 14 + get16(p + 16);
	n = proto == IPPROTO_TCP ? get32(p + l4 + 4) >> 17 : get32(p + l4 + 8);
	if (total != len) {
		r->corrupt++;
		complain(r, "wrong length in IP's header", p, len, n, -1);
		return;
	}
	if (!good_sums(p, len, l4, proto, v)) {
		r->sums++;
		complain(r, "wrong checksum", p, len, n, -1);
	}
	if (proto == IPPROTO_TCP)
		got_piece(r, p, len, l4 + 20, n, get32(p + l4 + 4) & 0x1ffff, 0);
	else
		got_piece(r, p, len, l4 + 8, n, 0, 4);
	r->packets++;
}

/* VLAN tags come beside the frame; put this one back. */
static size_t put_tag(struct msghdr *m, unsigned char *p, size_t len)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct tpacket_auxdata *a = (void *)CMSG_DATA(c);

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
		    !(a->tp_status & TP_STATUS_VLAN_VALID))
			continue;
		memmove(p + 16, p + 12, len - 12);
		put16(p + 12, 0x8100);
		put16(p + 14, a->tp_vlan_tci);
		return len + 4;
	}
	return len;
}

static void got_frame(struct receiver *r)
{
	static unsigned char p[MAX_FRAME + 4096];
	struct virtio_net_hdr v;
	char aux[256];
	struct iovec io[2] = { { &v, sizeof(v) }, { p, sizeof(p) - 64 } };
	struct msghdr m = { .msg_iov = io, .msg_iovlen = 2, .msg_control = aux,
			    .msg_controllen = sizeof(aux) };
	ssize_t got = recvmsg(r->fd, &m, MSG_DONTWAIT | MSG_TRUNC);
	size_t len;

	if (got < (ssize_t)sizeof(v) + 14) {
		if (got < 0 && errno != EAGAIN && errno != ENETDOWN && errno != EINVAL)
			err(2, "recvmsg");
		return;
	}
	len = put_tag(&m, p, got - sizeof(v));
	switch (get16(p + 12)) {
	case ETH_DATA:
		r->packets++;
		got_raw(r, p, len, 14);
		break;
	case 0x8100:
		if (len < 18 || get16(p + 16) != ETH_DATA)
			break;
		r->packets++;
		if (get16(p + 14) != (5 << 13 | 77)) {
			r->corrupt++;
			complain(r, "wrong tag", p, len, ~0ULL, -1);
		}
		got_raw(r, p, len, 18);
		break;
	case ETHERTYPE_IP:
	case ETHERTYPE_IPV6:
		got_ip(r, p, len, &v);
		break;
	}
}

static void count_tiny(unsigned int *want)
{
	uint64_t n;

	for (n = 0; n < o.count; n++) {
		struct frame f = plan(n);

		if ((f.kind == RAW || f.kind == VLAN) && f.payload < 4)
			want[f.header == 18 ? f.size - 4 : f.size]++;
	}
}

static int report(struct receiver *r)
{
	unsigned long lost = 0, part = 0, twice = 0;
	unsigned int want[18] = { 0 }, i;
	uint64_t n;

	count_tiny(want);
	for (i = 14; i < 18; i++) {
		if (r->tiny[i] < want[i])
			lost += want[i] - r->tiny[i];
		else
			twice += r->tiny[i] - want[i];
	}
	for (n = 0; n < o.count; n++) {
		struct frame f = plan(n);

		if ((f.kind == RAW || f.kind == VLAN) && f.payload < 4)
			continue;
		if (!r->seen[n].bytes && lost++ < 5)
			fprintf(stderr, "lost: frame %llu: %s, %u bytes, gso %u\n",
				(unsigned long long)n, kind_name[f.kind], f.size, f.gso);
		else if (r->seen[n].bytes && r->seen[n].bytes < f.payload)
			part++;
		else if (r->seen[n].bytes > f.payload ||
			 (r->seen[n].bytes && r->seen[n].sum != (uint64_t)f.payload * (f.payload - 1) / 2))
			twice++;
	}
	printf("frames %llu packets %lu bytes %llu cut %lu lost %lu partly %lu corrupt %lu checksum %lu extra %lu\n",
	       (unsigned long long)o.count, r->packets, (unsigned long long)r->bytes, r->cut,
	       lost, part, r->corrupt, r->sums, r->extra + twice);
	return lost || part || twice || r->corrupt || r->extra || r->sums;
}

/* Returns true at the end. */
static bool got_control(struct receiver *r)
{
	struct control c;

	switch (get_control(r->control, 0, &c, r->peer)) {
	case HELLO:
		if (c.plan != plan_id())
			errx(2, "the sender has another plan");
		r->greeted = true;
		send_control(r->control, r->peer, r->mac, ANSWER, r->bytes);
		return false;
	case END:
		return true;
	}
	return false;
}

static int recv_frames(void)
{
	struct receiver r = { .fd = packet_socket(ETH_P_ALL), .control = packet_socket(ETH_CONTROL) };
	struct pollfd p[2] = { { .fd = r.fd, .events = POLLIN }, { .fd = r.control, .events = POLLIN } };
	/* Before the first frame there is more patience, as the sender has yet to come. */
	double last = now() + (o.window ? 10 : 1);
	bool end = false;

	option(r.fd, SOL_PACKET, PACKET_AUXDATA, 1, "aux data");
	option(r.fd, SOL_PACKET, PACKET_VNET_HDR, 1, "vnet header");
	own_mac(r.mac);
	r.seen = calloc(o.count, sizeof(*r.seen));
	if (!r.seen)
		err(2, "memory");
	while (now() - last < (end ? 0.2 : o.idle)) {
		unsigned long before = r.packets;

		/* Frames of other queues may come after the end. */
		if (poll(p, 2, end ? 50 : o.idle * 1000) > 0) {
			if (p[0].revents)
				got_frame(&r);
			if (p[1].revents)
				end |= got_control(&r);
		}
		if (r.packets != before)
			last = now();
		if (r.greeted && r.bytes - r.told > o.window / 4) {
			send_control(r.control, r.peer, r.mac, ANSWER, r.bytes);
			r.told = r.bytes;
		}
	}
	if (r.greeted)
		send_control(r.control, r.peer, r.mac, BYE, r.bytes);
	return report(&r);
}

/* --- streams -------------------------------------------------------------------------- */

static int connect_to(int type)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(o.port) };
	char mapped[64];
	int fd, tries;

	snprintf(mapped, sizeof(mapped), "::ffff:%s", o.peer);
	if (!inet_pton(AF_INET6, o.peer, &a.sin6_addr) && !inet_pton(AF_INET6, mapped, &a.sin6_addr))
		errx(2, "%s is no address", o.peer);
	for (tries = 0; tries < 100; tries++) {
		fd = socket(AF_INET6, type, 0);
		if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
		close(fd);
		usleep(50000);
	}
	err(2, "connecting to %s port %u", o.peer, o.port);
}

static int listen_on(int type)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(o.port) };
	int fd = socket(AF_INET6, type, 0);

	option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "reuse");
	option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0, "both protocols");
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || (type == SOCK_STREAM && listen(fd, 1)))
		err(2, "port %u", o.port);
	return fd;
}

/* Cut [pos, pos + len) into pieces at odd places of several pages; returns their number. */
static int pieces(struct iovec *io, uint64_t pos, size_t len, int most, uint64_t *s)
{
	int n = 0;

	while (len) {
		size_t piece = n == most - 1 ? len : 1 + rnd(s, rnd(s, 3) ? 5000 : 60);

		if (piece > len)
			piece = len;
		io[n].iov_base = contents[(n + rnd(s, COPIES - 1)) % COPIES] + pos % PERIOD;
		io[n++].iov_len = piece;
		pos += piece;
		len -= piece;
	}
	return n;
}

static void drain_errors(int fd)
{
	char buf[256];
	struct msghdr m = { .msg_control = buf, .msg_controllen = sizeof(buf) };

	while (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		m.msg_controllen = sizeof(buf);
}

static ssize_t send_file(int fd, uint64_t pos, size_t len)
{
	static int file = -1;
	off_t off = 3 + pos % PERIOD;

	if (file < 0) {
		file = memfd_create("contents", 0);
		/* Not at the start of a page. */
		if (file < 0 || write(file, "...", 3) != 3 ||
		    write(file, contents[0], PERIOD + MAX_FRAME) != PERIOD + MAX_FRAME)
			err(2, "memfd");
	}
	return sendfile(fd, file, &off, len);
}

static ssize_t send_spliced(int fd, uint64_t pos, size_t len, uint64_t *s)
{
	static int pipes[2] = { -1, -1 };
	struct iovec io[PIECES];
	ssize_t put, got, all = 0;
	int n;

	if (pipes[0] < 0 && (pipe(pipes) || fcntl(pipes[1], F_SETPIPE_SZ, 64 << 12) < 0))
		err(2, "pipe");
	n = pieces(io, pos, len, PIECES, s);
	put = vmsplice(pipes[1], io, n, 0);
	if (put < 0)
		return put;
	while (all < put) {
		got = splice(pipes[0], NULL, fd, NULL, put - all, rnd(s, 2) ? SPLICE_F_MORE : 0);
		if (got <= 0)
			err(2, "splice");
		all += got;
	}
	return all;
}

static ssize_t send_pieces(int fd, uint64_t pos, size_t len, int flags, uint64_t *s)
{
	struct iovec io[PIECES];
	struct msghdr m = { .msg_iov = io };
	ssize_t done;

	m.msg_iovlen = pieces(io, pos, len, PIECES, s);
	done = sendmsg(fd, &m, flags);
	if (done < 0 && errno == ENOBUFS && flags & MSG_ZEROCOPY) {
		drain_errors(fd);
		done = sendmsg(fd, &m, flags & ~MSG_ZEROCOPY);
	}
	return done;
}

static int send_stream(void)
{
	int fd = connect_to(SOCK_STREAM), on;
	uint64_t pos = 0, s = mix(o.seed), back = 0;

	option(fd, SOL_SOCKET, SO_ZEROCOPY, 1, "zerocopy");
	while (pos < o.count) {
		size_t len = 1 + rnd(&s, rnd(&s, 3) ? 60000 : 2000);
		int more = rnd(&s, 2) ? MSG_MORE : 0;
		ssize_t done;

		if (len > o.count - pos)
			len = o.count - pos;
		on = rnd(&s, 2);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		switch (rnd(&s, 4)) {
		case 0:
			done = send_pieces(fd, pos, len, more, &s);
			break;
		case 1:
			done = send_file(fd, pos, len);
			break;
		case 2:
			done = send_spliced(fd, pos, len, &s);
			break;
		default:
			done = send_pieces(fd, pos, len, more | MSG_ZEROCOPY, &s);
		}
		if (done < 0)
			err(2, "after %llu bytes", (unsigned long long)pos);
		pos += done;
		drain_errors(fd);
		if (o.gap)
			usleep(o.gap);
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, &back, sizeof(back)) != sizeof(back) || back != pos)
		errx(1, "%llu bytes sent, %llu received", (unsigned long long)pos,
		     (unsigned long long)back);
	printf("sent %llu bytes\n", (unsigned long long)pos);
	return 0;
}

static int recv_stream(void)
{
	static unsigned char p[MAX_FRAME];
	int l = listen_on(SOCK_STREAM), fd = accept(l, NULL, NULL);
	uint64_t pos = 0, s = mix(o.seed + 1);
	ssize_t got;
	long bad;

	if (fd < 0)
		err(2, "accept");
	while ((got = read(fd, p, 1 + rnd(&s, MAX_FRAME - 1))) > 0) {
		bad = differ(p, content(pos), got);
		if (bad >= 0)
			errx(1, "wrong contents at byte %llu", (unsigned long long)pos + bad);
		pos += got;
	}
	if (got < 0)
		err(1, "after %llu bytes", (unsigned long long)pos);
	if (write(fd, &pos, sizeof(pos)) != sizeof(pos))
		warn("answer");
	printf("received %llu bytes\n", (unsigned long long)pos);
	return o.count && pos != o.count;
}

/* --- datagrams ------------------------------------------------------------------------ */

struct datagram {
	uint32_t n, len;
};

static unsigned int datagram_size(uint64_t n, uint64_t *s)
{
	*s = mix(o.seed) ^ mix(n * 2 + 1);
	if (o.step)
		return o.min + n * o.step % (o.max - o.min + 1);
	return random_size(s);
}

static void hold_back_datagrams(int fd, uint64_t bytes, uint64_t *answered)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t got;

	while (o.window && bytes - *answered > o.window) {
		if (poll(&p, 1, 300) <= 0)
			*answered = bytes;
		else if (recv(fd, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got))
			*answered = got > *answered ? got : *answered;
		drain_errors(fd);
	}
}

static int send_datagrams(void)
{
	int fd = connect_to(SOCK_DGRAM), tries;
	uint64_t n, bytes = 0, answered = 0, s;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct datagram head = { 0 };

	option(fd, SOL_SOCKET, SO_ZEROCOPY, 1, "zerocopy");
	option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20, "send buffer");
	/* The first ones wait for the receiver. */
	for (tries = 0; tries < 100; tries++) {
		head.n = ~0u;
		if (send(fd, &head, sizeof(head), 0) > 0 && poll(&p, 1, 100) > 0 && !(p.revents & POLLERR))
			break;
		drain_errors(fd);
		usleep(50000);
	}
	for (n = 0; n < o.count; n++) {
		unsigned int size = datagram_size(n, &s);
		struct iovec io[PIECES + 1] = { { &head, sizeof(head) } };
		struct msghdr m = { .msg_iov = io };
		bool zero = rnd(&s, 2);

		head.n = n;
		head.len = size;
		/* Its number is on the stack, which must not change before it is sent. */
		if (size > sizeof(head))
			m.msg_iovlen = pieces(io + 1, n * 7919, size - sizeof(head), PIECES - 2, &s);
		m.msg_iovlen++;
		while (sendmsg(fd, &m, zero ? MSG_ZEROCOPY : 0) < 0) {
			if (errno != ENOBUFS && errno != EMSGSIZE && errno != EAGAIN &&
			    errno != ECONNREFUSED)
				err(2, "datagram of %u bytes", size);
			zero = false;
			drain_errors(fd);
			usleep(1000);
		}
		bytes += size;
		hold_back_datagrams(fd, bytes, &answered);
		if (zero) {
			struct pollfd e = { .fd = fd };

			poll(&e, 1, 1000);
			drain_errors(fd);
		}
	}
	for (tries = 0; tries < 5; tries++) {
		head.n = ~1u;
		if (send(fd, &head, sizeof(head), 0) < 0)
			break;
		usleep(20000);
	}
	printf("sent %llu datagrams, %llu bytes\n", (unsigned long long)n, (unsigned long long)bytes);
	return 0;
}

static int recv_datagrams(void)
{
	static unsigned char p[MAX_FRAME], *seen;
	int fd = listen_on(SOCK_DGRAM);
	struct pollfd pf = { .fd = fd, .events = POLLIN };
	uint64_t n, bytes = 0, told = 0, s;
	unsigned long lost = 0, bad = 0, extra = 0;
	struct sockaddr_in6 from;
	double wait = 30;

	option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 128 << 20, "receive buffer");
	seen = calloc(o.count, 1);
	while (poll(&pf, 1, wait * 1000) > 0) {
		socklen_t flen = sizeof(from);
		ssize_t got = recvfrom(fd, p, sizeof(p), 0, (struct sockaddr *)&from, &flen);
		struct datagram h;

		if (got < (ssize_t)sizeof(h))
			continue;
		memcpy(&h, p, sizeof(h));
		if (h.n == ~1u) {
			wait = 0.2;
			continue;
		}
		if (h.n == ~0u) {
			wait = o.idle;
			sendto(fd, &bytes, sizeof(bytes), 0, (struct sockaddr *)&from, flen);
			continue;
		}
		if (h.n >= o.count || seen[h.n]++) {
			extra++;
			continue;
		}
		if (got != datagram_size(h.n, &s) || h.len != got ||
		    differ(p + sizeof(h), content(h.n * 7919ULL), got - sizeof(h)) >= 0) {
			bad++;
			fprintf(stderr, "wrong datagram %u of %zd bytes\n", h.n, got);
		}
		bytes += got;
		if (bytes - told > o.window / 4) {
			sendto(fd, &bytes, sizeof(bytes), 0, (struct sockaddr *)&from, flen);
			told = bytes;
		}
	}
	for (n = 0; n < o.count; n++)
		if (!seen[n] && lost++ < 5)
			fprintf(stderr, "lost: datagram %llu of %u bytes\n", (unsigned long long)n,
				datagram_size(n, &s));
	printf("datagrams %llu bytes %llu lost %lu corrupt %lu extra %lu\n",
	       (unsigned long long)o.count, (unsigned long long)bytes, lost, bad, extra);
	return lost || bad || extra;
}

/* --- announcements -------------------------------------------------------------------- */

static int watch_arp(double seconds)
{
	int fd = packet_socket(ETH_P_ARP), seen = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double end = now() + seconds;
	unsigned char b[128];

	while (now() < end) {
		if (poll(&p, 1, (end - now()) * 1000 + 1) <= 0 || recv(fd, b, sizeof(b), 0) < 42)
			continue;
		/* Sender's and target's protocol addresses are the same. */
		if (memcmp(b + 28, b + 38, 4))
			continue;
		printf("%02x:%02x:%02x:%02x:%02x:%02x %u.%u.%u.%u\n", b[22], b[23], b[24], b[25],
		       b[26], b[27], b[28], b[29], b[30], b[31]);
		fflush(stdout);
		seen++;
	}
	return !seen;
}

/* --- command line --------------------------------------------------------------------- */

static unsigned int parse_kinds(char *list)
{
	unsigned int kinds = 0, i;
	char *word;

	for (word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		for (i = 0; i < KINDS && strcmp(word, kind_name[i]); i++)
			;
		if (i == KINDS)
			errx(2, "kind %s", word);
		kinds |= 1 << i;
	}
	return kinds;
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:m:x:t:u:k:w:g:i:")) != -1) {
		switch (c) {
		case 's': o.seed = strtoull(optarg, NULL, 0); break;
		case 'n': o.count = strtoull(optarg, NULL, 0); break;
		case 'm': o.min = atoi(optarg); break;
		case 'x': o.max = atoi(optarg); break;
		case 't': o.step = atoi(optarg); break;
		case 'u': o.mtu = atoi(optarg); break;
		case 'k': o.kinds = parse_kinds(optarg); break;
		case 'w': o.window = atoi(optarg); break;
		case 'g': o.gap = atoi(optarg); break;
		case 'i': o.idle = atof(optarg); break;
		default: exit(2);
		}
	}
	if (o.min > o.max)
		errx(2, "%u is more than %u", o.min, o.max);
	if (!o.count && o.step)
		o.count = (o.max - o.min) / o.step + 1;
	if (o.count > 32768 && o.kinds & (1 << TCP4 | 1 << TCP6 | 1 << GSO4 | 1 << GSO6) && o.dev)
		errx(2, "no more than 32768 frames with TCP");
}

static void parse_mac(const char *s)
{
	unsigned char *m = o.mac;

	if (sscanf(s, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
		errx(2, "%s is no MAC address", s);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	bool frames = !strcmp(what, "send") || !strcmp(what, "recv");
	bool sends = strstr(what, "send") && argc > 3;

	if (!strcmp(what, "arp") && argc == 4) {
		o.dev = argv[2];
		return watch_arp(atof(argv[3]));
	}
	if (frames)
		o.dev = argv[2];
	else if (sends)
		o.peer = argv[2];
	if (frames && sends)
		parse_mac(argv[3]);
	else if (!frames)
		o.port = atoi(argv[sends ? 3 : 2]);
	parse(argc - 1 - sends, argv + 1 + sends);
	if (frames && !o.count)
		errx(2, "how many?");
	make_contents();
	if (frames)
		return sends ? send_frames() : recv_frames();
	if (!strncmp(what, "stream-", 7))
		return sends ? send_stream() : recv_stream();
	if (!strncmp(what, "udp-", 4))
		return sends ? send_datagrams() : recv_datagrams();
	fprintf(stderr, "usage: see the top of netgen.c\n");
	return 2;
}

/* Datagrams: each client of a port has a socket before the container, until it is silent. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/forward.h"
#include "sys/fd.h"

#define DATAGRAMS 32			/* in a row */
#define SILENT_S 120
#define UNANSWERED_S 30

/* --- the table */

static uint32_t *bucket_of(struct forwarder *f, uint32_t port, const union forward_name *client)
{
	const uint8_t *p = (const uint8_t *)client;
	uint32_t hash = 2166136261u ^ port;

	for (size_t i = 0; i < sizeof(*client); i++)
		hash = (hash ^ p[i]) * 16777619u;
	return &f->bucket[(hash ^ hash >> 16) % EXCHANGE_BUCKETS];
}

static struct exchange *find(struct forwarder *f, uint32_t port, const union forward_name *client)
{
	for (uint32_t i = *bucket_of(f, port, client); i != NOBODY; i = f->exchange[i].next)
		if (f->exchange[i].port == port && memcmp(&f->exchange[i].client, client, sizeof(*client)) == 0)
			return &f->exchange[i];
	return NULL;
}

static void end(struct forwarder *f, struct exchange *x)
{
	uint32_t index = (uint32_t)(x - f->exchange), *link = bucket_of(f, x->port, &x->client);

	while (*link != index)
		link = &f->exchange[*link].next;
	*link = x->next;
	fd_close(&x->fd);
	x->next = f->free_exchange;
	f->free_exchange = index;
	f->exchanges--;
}

static void end_oldest(struct forwarder *f)
{
	struct exchange *oldest = NULL;

	for (uint32_t i = 0; i < f->exchanges_touched; i++)
		if (f->exchange[i].fd >= 0 && (!oldest || f->exchange[i].used_s < oldest->used_s))
			oldest = &f->exchange[i];
	if (oldest)
		end(f, oldest);
}

static struct exchange *take(struct forwarder *f)
{
	uint32_t index;

	if (f->exchanges == EXCHANGES)
		end_oldest(f);
	index = f->free_exchange;
	if (index != NOBODY)
		f->free_exchange = f->exchange[index].next;
	else
		index = f->exchanges_touched++;
	return &f->exchange[index];
}

/* The client whose silence is longest makes room when there is none, in the table or for a descriptor. */
static struct exchange *begin(struct forwarder *f, uint32_t port, const union forward_name *client)
{
	union forward_name name = *client;
	uint32_t index, *bucket = bucket_of(f, port, client);
	struct exchange *x;
	int fd;

	forward_normalize(&name);
	fd = forward_reach(f->plan, SOCK_DGRAM, &name, f->plan->port[port].target);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		end_oldest(f);
	if (fd < 0)
		return NULL;		/* datagrams may be lost */
	x = take(f);
	index = (uint32_t)(x - f->exchange);
	*x = (struct exchange){ .fd = fd, .port = port, .client = *client, .next = *bucket };
	*bucket = index;
	f->exchanges++;
	forward_watch(f->epoll, fd, EPOLLIN, forward_number(FORWARD_EXCHANGE, index));
	return x;
}

void forward_expire(struct forwarder *f)
{
	for (uint32_t i = 0; i < f->exchanges_touched; i++) {
		struct exchange *x = &f->exchange[i];

		if (x->fd >= 0 && f->now_s - x->used_s > (x->answered ? SILENT_S : UNANSWERED_S))
			end(f, x);
	}
}

/* --- both ways */

/* To which of the host's addresses the datagram was sent. IPv6 sockets tell it of IPv4 datagrams, too. */
static struct in6_pktinfo destination(struct msghdr *message)
{
	struct in6_pktinfo to = { 0 };
	struct in_pktinfo v4;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&to, CMSG_DATA(c), sizeof(to));
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			memcpy(to.ipi6_addr.s6_addr + 12, &v4.ipi_spec_dst, 4);
		}
	}
	/* Where the answer leaves is the routes' matter, but for link-local addresses. */
	if (!IN6_IS_ADDR_LINKLOCAL(&to.ipi6_addr))
		to.ipi6_ifindex = 0;
	return to;
}

static bool pass_datagram(struct forwarder *f, uint32_t port)
{
	union forward_name client = { 0 };
	struct iovec data = { f->data, sizeof(f->data) };
	_Alignas(struct cmsghdr) char control[256];
	struct msghdr message = { .msg_name = &client, .msg_namelen = sizeof(client), .msg_iov = &data, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(f->first_socket + (int)port, &message, 0);
	struct exchange *x;

	if (n < 0)
		return false;
	x = find(f, port, &client);
	if (!x)
		x = begin(f, port, &client);
	if (!x)
		return true;
	x->to = destination(&message);
	x->used_s = f->now_s;
	/* The first failure may be the refusal of an earlier datagram. */
	if (send(x->fd, f->data, (size_t)n, 0) < 0 && errno == ECONNREFUSED)
		send(x->fd, f->data, (size_t)n, 0);
	return true;
}

void forward_datagrams(struct forwarder *f, uint32_t port)
{
	for (int i = 0; i < DATAGRAMS && pass_datagram(f, port); i++)
		;
}

/* Puts the sender's address into the control data; answers its size. */
static size_t set_source(const struct exchange *x, char *control, size_t size)
{
	struct msghdr message = { .msg_control = control, .msg_controllen = size };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	struct in_pktinfo v4 = { 0 };

	if (IN6_IS_ADDR_UNSPECIFIED(&x->to.ipi6_addr))
		return 0;
	if (x->client.any.sa_family == AF_INET6) {
		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO,
				       .cmsg_len = CMSG_LEN(sizeof(x->to)) };
		memcpy(CMSG_DATA(c), &x->to, sizeof(x->to));
		return CMSG_SPACE(sizeof(x->to));
	}
	memcpy(&v4.ipi_spec_dst, x->to.ipi6_addr.s6_addr + 12, 4);
	*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(v4)) };
	memcpy(CMSG_DATA(c), &v4, sizeof(v4));
	return CMSG_SPACE(sizeof(v4));
}

static bool pass_answer(struct forwarder *f, struct exchange *x)
{
	struct iovec data = { f->data, 0 };
	_Alignas(struct cmsghdr) char control[64] = { 0 };
	struct msghdr message = { .msg_name = &x->client, .msg_iov = &data, .msg_iovlen = 1, .msg_control = control };
	ssize_t n = recv(x->fd, f->data, sizeof(f->data), 0);

	if (n < 0)
		return false;
	data.iov_len = (size_t)n;
	message.msg_namelen = x->client.any.sa_family == AF_INET ? sizeof(x->client.v4) : sizeof(x->client.v6);
	message.msg_controllen = set_source(x, control, sizeof(control));
	x->used_s = f->now_s;
	x->answered = true;
	sendmsg(f->first_socket + (int)x->port, &message, 0);
	return true;
}

void forward_answers(struct forwarder *f, uint32_t index)
{
	struct exchange *x = &f->exchange[index];

	for (int i = 0; i < DATAGRAMS && x->fd >= 0 && pass_answer(f, x); i++)
		;
}

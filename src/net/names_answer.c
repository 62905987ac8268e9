/* net/names_answer - does aardvark-dns know a name already?
 *
 * While it reads its directory anew nobody listens, for some milliseconds. A container whose first act is to ask for a name
 * must not meet that: it is started when its own name is answered. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/names.h"
#include "sys/clock.h"
#include "sys/errand.h"
#include "sys/fd.h"

#define PATIENCE_MS 2000
#define TRY_MS 20
#define HEADER 12

/* A standard query with one question; name is a single label. Answers its length. */
static size_t make_query(const char *name, unsigned type, uint8_t ret[HEADER + 70])
{
	static const uint8_t header[HEADER] = { 0x62, 0x72, 0x01, 0x00, 0x00, 0x01 };
	size_t n = strlen(name);

	memcpy(ret, header, HEADER);
	ret[HEADER] = (uint8_t)n;
	memcpy(ret + HEADER + 1, name, n);
	memcpy(ret + HEADER + 1 + n, (uint8_t[]){ 0, 0, (uint8_t)type, 0, 1 }, 5);
	return HEADER + 1 + n + 5;
}

static bool is_answer(const uint8_t *reply, ssize_t n)
{
	return n > HEADER && reply[0] == 0x62 && reply[1] == 0x72 && (reply[3] & 0x0f) == 0 && (reply[6] || reply[7]);
}

struct place {
	int ns, family;
};

/* In a child, which does not come back from there. */
static int socket_there(void *context, struct error *err)
{
	const struct place *p = context;
	int fd = setns(p->ns, CLONE_NEWNET) < 0 ? -1 : socket(p->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? error_errno(err, "open a socket in the rootless network namespace") : fd;
}

static int connect_to(int fd, const struct ip_address *a)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(53) };

	memcpy(&in6.sin6_addr, a->bytes, sizeof(in6.sin6_addr));
	memcpy(&in.sin_addr, a->bytes, sizeof(in.sin_addr));
	return a->family == IP_V4 ? connect(fd, (struct sockaddr *)&in, sizeof(in)) : connect(fd, (struct sockaddr *)&in6, sizeof(in6));
}

/* One question; a refusal comes back at once. */
static bool ask(int fd, const uint8_t *query, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const struct timespec pause = { .tv_nsec = 300000 };
	uint8_t reply[512];

	if (send(fd, query, n, MSG_NOSIGNAL) == (ssize_t)n && poll(&p, 1, TRY_MS) == 1 &&
	    is_answer(reply, recv(fd, reply, sizeof(reply), MSG_DONTWAIT)))
		return true;
	nanosleep(&pause, NULL);
	return false;
}

int names_await(const struct rootless *r, const struct network *n, const struct bridge_endpoint *e, const char *name, struct error *err)
{
	const struct ip_address *server = NULL;
	uint8_t query[HEADER + 70];
	_cleanup_fd_ int fd = -1;
	int64_t end = clock_now_ms() + PATIENCE_MS;
	size_t length;

	for (size_t i = 0; i < n->subnets.n && !server; i++)
		if (n->subnets.v[i].gateway_ip.family != IP_NONE)
			server = &n->subnets.v[i].gateway_ip;
	if (!server || !e->addresses.n || strlen(name) > 63)
		return 0;
	fd = errand_fd(socket_there, &(struct place){ r->ns, server->family == IP_V4 ? AF_INET : AF_INET6 }, err);
	if (fd < 0)
		return -1;
	if (connect_to(fd, server) < 0)
		return error_errno(err, "ask aardvark-dns");
	length = make_query(name, bridge_address_of(e, IP_V4) ? 1 : 28, query);
	do {
		if (ask(fd, query, length))
			return 0;
	} while (clock_now_ms() < end);
	return error_set(err, ERROR_FAILED, "aardvark-dns does not answer");
}

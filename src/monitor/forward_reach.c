/* The way from the forwarder to the container, with the client's address or without. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/forward.h"

/* How much of the client's address is kept; one after the other is tried. */
enum guise { AS_CLIENT, AS_ADDRESS, AS_OURSELVES };	/* address and port; the address, any port; the bridge's address */

static const void *bytes_of(const union forward_name *name)
{
	return name->any.sa_family == AF_INET ? (const void *)&name->v4.sin_addr : (const void *)&name->v6.sin6_addr;
}

static socklen_t size_of(const union forward_name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

void forward_normalize(union forward_name *name)
{
	union forward_name v4 = { .v4 = { .sin_family = AF_INET, .sin_port = name->v6.sin6_port } };

	if (name->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&name->v6.sin6_addr))
		return;
	memcpy(&v4.v4.sin_addr, name->v6.sin6_addr.s6_addr + 12, 4);
	*name = v4;
}

static bool is_in(const struct forward_address *subnet, const union forward_name *name)
{
	const uint8_t *a = subnet->bytes, *b = bytes_of(name);
	unsigned whole = subnet->prefix / 8, rest = subnet->prefix % 8;

	if (subnet->family != name->any.sa_family || memcmp(a, b, whole) != 0)
		return false;
	return !rest || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

static bool is_local(const union forward_name *name)
{
	const struct in6_addr *v6 = &name->v6.sin6_addr;

	if (name->any.sa_family == AF_INET)
		return ntohl(name->v4.sin_addr.s_addr) >> 24 == 127 || !name->v4.sin_addr.s_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_LINKLOCAL(v6) || IN6_IS_ADDR_UNSPECIFIED(v6);
}

bool forward_is_answerable(const struct forward_plan *plan, const union forward_name *client)
{
	if (!plan->keeps_client[client->any.sa_family == AF_INET6] || is_local(client))
		return false;
	for (int i = 0; i < FORWARD_SUBNETS && plan->subnet[i].family; i++)
		if (is_in(&plan->subnet[i], client))
			return false;
	return true;
}

/* The container's address of the client's family, or the one that it has. */
static bool find_target(const struct forward_plan *plan, const union forward_name *client, uint16_t port,
			union forward_name *ret)
{
	int wanted = client->any.sa_family == AF_INET6;
	const struct forward_address *a = plan->target[wanted].family ? &plan->target[wanted] : &plan->target[!wanted];

	*ret = (union forward_name){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
	if (a->family == AF_INET6)
		memcpy(&ret->v6.sin6_addr, a->bytes, 16);
	if (a->family != AF_INET)
		return a->family != 0;
	*ret = (union forward_name){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
	memcpy(&ret->v4.sin_addr, a->bytes, 4);
	return true;
}

static int wear(int fd, const union forward_name *client, enum guise guise)
{
	static const int on = 1;
	bool v4 = client->any.sa_family == AF_INET;
	union forward_name name = *client;

	if (guise == AS_OURSELVES)
		return 0;
	if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (guise == AS_ADDRESS) {
		if (v4)
			name.v4.sin_port = 0;
		else
			name.v6.sin6_port = 0;
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	}
	return bind(fd, &name.any, size_of(&name));
}

static int reach_as(enum guise guise, int type, const union forward_name *client, const union forward_name *target)
{
	static const int on = 1;
	int fd = socket(target->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), number;

	if (fd < 0)
		return -1;
	if (wear(fd, client, guise) == 0) {
		if (type == SOCK_STREAM)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (connect(fd, &target->any, size_of(target)) == 0 || errno == EINPROGRESS)
			return fd;
	}
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

int forward_reach(const struct forward_plan *plan, int type, const union forward_name *client, uint16_t port)
{
	union forward_name target;
	enum guise guise;

	if (!find_target(plan, client, port, &target)) {
		errno = EHOSTUNREACH;
		return -1;
	}
	guise = AS_OURSELVES;
	if (target.any.sa_family == client->any.sa_family && forward_is_answerable(plan, client))
		guise = AS_CLIENT;
	for (;; guise++) {
		int fd = reach_as(guise, type, client, &target);

		/* The same client may be connected to the same port of the container by another port of the host. */
		if (fd >= 0 || guise == AS_OURSELVES ||
		    (errno != EADDRINUSE && errno != EADDRNOTAVAIL && errno != EPERM && errno != EACCES))
			return fd;
	}
}

void forward_ease(int fd)
{
	union forward_name own, peer;
	socklen_t own_size = sizeof(own), peer_size = sizeof(peer);

	if (getsockname(fd, &own.any, &own_size) < 0 || getpeername(fd, &peer.any, &peer_size) < 0 ||
	    own.any.sa_family != peer.any.sa_family)
		return;
	if (memcmp(bytes_of(&own), bytes_of(&peer), own.any.sa_family == AF_INET ? 4 : 16) == 0)
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", strlen("reno"));
}

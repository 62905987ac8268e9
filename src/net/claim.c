/* net/claim - are the published ports free and allowed? The question is put to the kernel by binding them
 *
 * pasta and slirp4netns bind for themselves, so the sockets are let go again. Ports that the monitor forwards are had from
 * the moment of the question: their sockets are kept. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/claim.h"
#include "net/net.h"
#include "sys/fd.h"

#define RANDOM_TRIES 32
#define BACKLOG 4096			/* cut by the kernel to net.core.somaxconn */
#define KEEPALIVE_S 60			/* clients that vanish without a word are noticed after ten such times */

/* --- binding */

/* The address to bind; port 0 lets the kernel choose. Any address may mean those of both families by one socket. */
static socklen_t make_address(const char *ip, bool any_family, unsigned port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){ 0 };
	if (strchr(ip, ':') || (!*ip && any_family)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		if (*ip)
			inet_pton(AF_INET6, ip, &in6->sin6_addr);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	if (*ip)
		inet_pton(AF_INET, ip, &in->sin_addr);
	return sizeof(*in);
}

static unsigned port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
					     : ((const struct sockaddr_in *)a)->sin_port);
}

/* A range may need more descriptors than a login has; its hard limit is far above. */
static int open_socket(int family, int type)
{
	int sock = socket(family, type | SOCK_CLOEXEC, 0);

	if (sock >= 0 || errno != EMFILE)
		return sock;
	fd_raise_limit();
	return socket(family, type | SOCK_CLOEXEC, 0);
}

static void set_options(const struct net_port *p, bool keep, int family, int sock)
{
	static const int on = 1, idle = KEEPALIVE_S;
	bool tcp = str_eq(p->protocol, "tcp"), v6_only = *p->host_ip;

	if (tcp)	/* connections of the last owner in TIME_WAIT do not matter, as for the helpers themselves */
		setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ v6_only }, sizeof(int));
	if (!keep)
		return;
	if (!tcp) {	/* answers come from the address that was asked */
		setsockopt(sock, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
			   family == AF_INET6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof(on));
		return;
	}
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));	/* connections have these from the socket */
	setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(sock, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(sock, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
}

/* A socket that has the port, or -1 with errno. The port that was bound goes to *ret_port. */
static int bind_port(const struct net_port *p, bool keep, bool any_family, unsigned port, unsigned *ret_port)
{
	bool tcp = str_eq(p->protocol, "tcp");
	struct sockaddr_storage address;
	socklen_t n = make_address(p->host_ip, any_family, port, &address);
	_cleanup_fd_ int sock = open_socket(address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | (keep ? SOCK_NONBLOCK : 0));

	if (sock < 0)
		return -1;
	set_options(p, keep, address.ss_family, sock);
	if (bind(sock, (struct sockaddr *)&address, n) < 0 || (tcp && listen(sock, keep ? BACKLOG : 1) < 0) ||
	    getsockname(sock, (struct sockaddr *)&address, &n) < 0)
		return -1;
	*ret_port = port_of(&address);
	return fd_take(&sock);
}

static int try_port(const struct net_port *p, unsigned port, unsigned *ret_port)
{
	bool keep = p->sockets != NULL;
	int sock = bind_port(p, keep, keep, port, ret_port);

	if (sock < 0 && keep && !*p->host_ip && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))	/* no IPv6 */
		sock = bind_port(p, true, false, port, ret_port);
	return sock;
}

/* Binds the next port of a range, and keeps the socket or lets it go. */
static int claim_one(struct net_port *p, unsigned offset, unsigned port, unsigned *ret_port)
{
	int sock = try_port(p, port, ret_port);

	if (sock < 0)
		return -1;
	if (p->sockets)
		p->sockets[offset] = sock;
	else
		close(sock);
	return 0;
}

static void let_go(struct net_port *p)
{
	for (unsigned i = 0; p->sockets && i < p->range; i++)
		fd_close(&p->sockets[i]);
}

void net_close_sockets(struct net_request *r)
{
	for (size_t i = 0; i < r->ports.n; i++)
		let_go(&r->ports.v[i]);
}

static int forbidden(unsigned port, struct error *err)
{
	error_code(err, "port-forbidden");
	error_hint(err, "ports below 1024 are for root by default; publish a higher port, such as %u, or have them opened to all", port + 8000);
	return error_fix_admin(err, "sysctl net.ipv4.ip_unprivileged_port_start=%u", port);
}

static int refused(struct arena *arena, const struct net_request *r, const struct net_port *p, unsigned port,
		   struct error *err)
{
	bool tcp = str_eq(p->protocol, "tcp");
	int number = errno;
	char *owner;

	/* The kind gives exit code 126, as in Podman. */
	error_set(err, ERROR_NOT_EXECUTABLE, "cannot listen on the %s port: listen %s%s %s:%u: bind: %s",
		  tcp ? "TCP" : "UDP", p->protocol, strchr(p->host_ip, ':') ? "6" : "4", p->host_ip, port,
		  number == EADDRINUSE ? "address already in use" : number == EACCES ? "permission denied" :
		  number == EADDRNOTAVAIL ? "cannot assign requested address" : strerror(number));
	if (err)
		err->sys = number;
	if (number == EACCES)
		return forbidden(port, err);
	if (number == EADDRNOTAVAIL) {
		error_code(err, "no-such-address");
		return error_hint(err, "no interface of this host has the address %s: see ip address", p->host_ip);
	}
	if (number != EADDRINUSE)
		return -1;
	error_code(err, "port-taken");
	owner = r->find_container ? r->find_container(r->context, port, p->protocol) : NULL;
	if (owner)
		return error_hint(err, "the port is published by the container %s", owner);
	owner = claim_owner(arena, port, tcp);
	if (owner)
		return error_hint(err, "the port is held by %s", owner);
	error_hint(err, "publish another port, or see who has it:");
	return error_fix(err, "ss -l%snp 'sport = :%u'", tcp ? "t" : "u", port);
}

static int claim_given(struct arena *arena, const struct net_request *r, struct net_port *p, struct error *err)
{
	unsigned got;

	if (p->host_port + p->range - 1 > 65535)
		return error_set(err, ERROR_USAGE, "the host port range beginning at %u ends above 65535", p->host_port);
	for (unsigned i = 0; i < p->range; i++)
		if (claim_one(p, i, p->host_port + i, &got) < 0)
			return refused(arena, r, p, p->host_port + i, err);
	return 0;
}

static bool is_taken_before(const struct net_request *r, size_t index, unsigned first)
{
	const struct net_port *p = &r->ports.v[index];

	for (size_t i = 0; i < r->ports.n; i++) {
		const struct net_port *q = &r->ports.v[i];

		if (i != index && q->host_port && str_eq(q->protocol, p->protocol) && first < q->host_port + q->range &&
		    q->host_port < first + p->range)
			return true;
	}
	return false;
}

/* A port of the kernel's choice, and as many after it as the range needs. */
static int claim_random(struct arena *arena, struct net_request *r, size_t index, struct error *err)
{
	struct net_port *p = &r->ports.v[index];

	for (int try = 0; try < RANDOM_TRIES; try++) {
		unsigned first, got, n = 1;

		if (claim_one(p, 0, 0, &first) < 0)
			return refused(arena, r, p, 0, err);
		while (n < p->range && first + n <= 65535 && claim_one(p, n, first + n, &got) == 0)
			n++;
		if (n == p->range && !is_taken_before(r, index, first)) {
			p->host_port = (uint16_t)first;
			return 0;
		}
		let_go(p);
	}
	return error_set(err, ERROR_FAILED, "found no %u consecutive free %s ports", p->range, p->protocol);
}

static bool overlap(const struct net_port *a, const struct net_port *b)
{
	return a->host_port && b->host_port && str_eq(a->protocol, b->protocol) &&
	       (str_eq(a->host_ip, b->host_ip) || !*a->host_ip || !*b->host_ip) &&
	       a->host_port < b->host_port + b->range && b->host_port < a->host_port + a->range;
}

static int check_conflicts(const struct net_request *r, struct error *err)
{
	for (size_t i = 0; i < r->ports.n; i++)
		for (size_t j = 0; j < i; j++)
			if (overlap(&r->ports.v[i], &r->ports.v[j]))
				return error_set(err, ERROR_USAGE, "conflicting port mappings for host port %u (protocol %s)",
						 r->ports.v[i].host_port, r->ports.v[i].protocol);
	return 0;
}

/* --- from the last run of a container that is restarted */

static bool is_of(const struct net_port *p, int sock, unsigned *ret_port)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof(address), type_size = sizeof(int);
	int type;

	if (getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0 ||
	    type != (str_eq(p->protocol, "tcp") ? SOCK_STREAM : SOCK_DGRAM) ||
	    getsockname(sock, (struct sockaddr *)&address, &n) < 0)
		return false;
	*ret_port = port_of(&address);
	return true;
}

static bool take_over_port(struct net_port *p, int *sockets)
{
	unsigned first = 0, got;

	for (unsigned i = 0; i < p->range; i++) {
		if (!is_of(p, sockets[i], i ? &got : &first) || (i && got != first + i) ||
		    (p->host_port && first != p->host_port))
			return false;
		fd_set_cloexec(sockets[i], true);
	}
	p->host_port = (uint16_t)first;
	for (unsigned i = 0; i < p->range; i++)
		p->sockets[i] = fd_take(&sockets[i]);
	return true;
}

/* All of them or none: the same ports in the same order. */
static bool take_over(struct net_request *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->ports.n; i++)
		n += r->ports.v[i].range;
	if (!r->inherited.n || n != r->inherited.n)
		return false;
	n = 0;
	for (size_t i = 0; i < r->ports.n; n += r->ports.v[i++].range)
		if (!take_over_port(&r->ports.v[i], r->inherited.v + n)) {
			net_close_sockets(r);
			return false;
		}
	return true;
}

/* --- all */

static int claim_all(struct arena *arena, struct net_request *r, struct error *err)
{
	for (size_t i = 0; i < r->ports.n; i++)
		if (r->ports.v[i].host_port && claim_given(arena, r, &r->ports.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < r->ports.n; i++)
		if (!r->ports.v[i].host_port && claim_random(arena, r, i, err) < 0)
			return -1;
	return 0;
}

/* Only those of bridges are kept. */
static void make_places(struct arena *arena, enum net_mode mode, struct net_port *p)
{
	p->sockets = mode == NET_BRIDGE ? arena_new_array(arena, int, p->range) : NULL;
	for (unsigned i = 0; p->sockets && i < p->range; i++)
		p->sockets[i] = -1;
}

int net_claim_ports(struct arena *arena, struct net_request *r, struct error *err)
{
	if (r->mode != NET_PASTA && r->mode != NET_SLIRP4NETNS && r->mode != NET_BRIDGE)
		return 0;
	if (check_conflicts(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->ports.n; i++)
		make_places(arena, r->mode, &r->ports.v[i]);
	if (r->mode == NET_BRIDGE && take_over(r))
		return 0;
	for (size_t i = 0; i < r->inherited.n; i++)	/* they do not fit, and may be in the way */
		fd_close(&r->inherited.v[i]);
	if (claim_all(arena, r, err) == 0)
		return 0;
	net_close_sockets(r);
	return -1;
}

/* net/claim - are the published ports free and allowed? The question is put to the kernel by binding them */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/claim.h"
#include "net/net.h"
#include "sys/fd.h"

#define PROC_MAX ((size_t)8 << 20)
#define RANDOM_TRIES 32

/* --- whose is it? */

uint64_t claim_find_inode(struct arena *arena, const char *text, unsigned port, bool tcp)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 1; i < lines.n; i++) {
		unsigned local, state;
		unsigned long long inode;

		if (sscanf(lines.v[i], " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %llu", &local, &state, &inode) != 3)
			continue;
		if (local == port && state == (tcp ? 0x0a : 0x07))	/* LISTEN; an unconnected UDP socket */
			return inode;
	}
	return 0;
}

static uint64_t find_inode(struct arena *arena, unsigned port, bool tcp)
{
	static const char *const files[][2] = { { "/proc/net/udp", "/proc/net/udp6" }, { "/proc/net/tcp", "/proc/net/tcp6" } };

	for (int i = 0; i < 2; i++) {
		const char *text = fd_read_file(arena, AT_FDCWD, files[tcp][i], PROC_MAX, NULL);
		uint64_t inode = text ? claim_find_inode(arena, text, port, tcp) : 0;

		if (inode)
			return inode;
	}
	return 0;
}

static bool has_socket(int proc, const char *pid, uint64_t inode)
{
	char path[300], link[64], wanted[64];
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/fd", pid);
	snprintf(wanted, sizeof(wanted), "socket:[%llu]", (unsigned long long)inode);
	dir = fd_opendir(proc, path);
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (n > 0 && (link[n] = '\0', str_eq(link, wanted)))
			return true;
	}
	return false;
}

/* "NAME (pid N)" of a process that has the port; NULL when it cannot be seen. */
static char *find_owner(struct arena *arena, unsigned port, bool tcp)
{
	uint64_t inode = find_inode(arena, port, tcp);
	_cleanup_dir_ DIR *proc = inode ? fd_opendir(AT_FDCWD, "/proc") : NULL;
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char *name;

		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(dirfd(proc), entry->d_name, inode))
			continue;
		name = fd_read_file(arena, dirfd(proc), arena_printf(arena, "%s/comm", entry->d_name), 64, NULL);
		if (name)
			name[strcspn(name, "\n")] = '\0';
		return arena_printf(arena, "%s (pid %s)", name ? name : "a process", entry->d_name);
	}
	return NULL;
}

/* --- binding */

/* The address to bind; port 0 lets the kernel choose. */
static socklen_t make_address(const char *ip, unsigned port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){ 0 };
	if (strchr(ip, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, ip, &in6->sin6_addr);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	if (*ip)
		inet_pton(AF_INET, ip, &in->sin_addr);
	return sizeof(*in);
}

/* Binds once and lets go: 0, or -1 with errno. The port that was bound goes to *ret_port. */
static int try_port(const struct net_port *p, unsigned port, unsigned *ret_port)
{
	bool tcp = str_eq(p->protocol, "tcp");
	struct sockaddr_storage address;
	socklen_t n = make_address(p->host_ip, port, &address);
	_cleanup_fd_ int sock = socket(address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	int on = 1;

	if (sock < 0)
		return -1;
	if (tcp)	/* connections of the last owner in TIME_WAIT do not matter, as for the helpers themselves */
		setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(sock, (struct sockaddr *)&address, n) < 0 || (tcp && listen(sock, 1) < 0) ||
	    getsockname(sock, (struct sockaddr *)&address, &n) < 0)
		return -1;
	*ret_port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						       : ((struct sockaddr_in *)&address)->sin_port);
	return 0;
}

static int refused(struct arena *arena, const struct net_port *p, unsigned port, struct error *err)
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
		return error_hint(err, "ports below 1024 are for root by default. As root: sysctl net.ipv4."
				  "ip_unprivileged_port_start=%u; or publish a higher port, such as %u", port, port + 8000);
	if (number == EADDRNOTAVAIL)
		return error_hint(err, "no interface of this host has the address %s: see ip address", p->host_ip);
	if (number != EADDRINUSE)
		return -1;
	owner = find_owner(arena, port, tcp);
	if (owner)
		return error_hint(err, "the port is held by %s", owner);
	return error_hint(err, "see who has it: ss -l%snp 'sport = :%u'; or publish another port", tcp ? "t" : "u", port);
}

static int claim_given(struct arena *arena, const struct net_port *p, struct error *err)
{
	unsigned got;

	if (p->host_port + p->range - 1 > 65535)
		return error_set(err, ERROR_USAGE, "the host port range beginning at %u ends above 65535", p->host_port);
	for (unsigned i = 0; i < p->range; i++)
		if (try_port(p, p->host_port + i, &got) < 0)
			return refused(arena, p, p->host_port + i, err);
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

		if (try_port(p, 0, &first) < 0)
			return refused(arena, p, 0, err);
		while (n < p->range && first + n <= 65535 && try_port(p, first + n, &got) == 0)
			n++;
		if (n == p->range && !is_taken_before(r, index, first)) {
			p->host_port = (uint16_t)first;
			return 0;
		}
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

int net_claim_ports(struct arena *arena, struct net_request *r, struct error *err)
{
	if (r->mode != NET_PASTA && r->mode != NET_SLIRP4NETNS)
		return 0;
	if (check_conflicts(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->ports.n; i++)
		if (r->ports.v[i].host_port && claim_given(arena, &r->ports.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < r->ports.n; i++)
		if (!r->ports.v[i].host_port && claim_random(arena, r, i, err) < 0)
			return -1;
	return 0;
}

#include "gateway/facts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/policy.h"
#include "sys/fd.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define TEXT_MAX 16384
#define DNS_PORT 53

/* --- name servers */

static bool parse_server(char *text, union address *ret)
{
	char *scope = strchr(text, '%');

	*ret = (union address){ 0 };
	if (inet_pton(AF_INET, text, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(DNS_PORT);
		return true;
	}
	if (scope)
		*scope = '\0';
	if (inet_pton(AF_INET6, text, &ret->in6.sin6_addr) != 1)
		return false;
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(DNS_PORT);
	ret->in6.sin6_scope_id = scope ? if_nametoindex(scope + 1) : 0;
	return true;
}

static void parse_line(const char *line, size_t n, struct facts *ret)
{
	static const char blanks[] = " \t\r";
	size_t word;
	char copy[128], *at = copy;

	if (n >= sizeof(copy) || ret->servers_n == FACTS_SERVERS)
		return;
	memcpy(copy, line, n);
	copy[n] = '\0';
	if (strncmp(at, "nameserver", 10) != 0 || !strchr(blanks, at[10]))
		return;
	at += 10 + strspn(at + 10, blanks);
	word = strcspn(at, blanks);
	at[word] = '\0';
	ret->servers_n += parse_server(at, &ret->servers[ret->servers_n]);
}

void facts_parse_servers(const char *text, struct facts *ret)
{
	ret->servers_n = 0;
	while (*text) {
		size_t n = strcspn(text, "\n");

		parse_line(text, n, ret);
		text += n + (text[n] == '\n');
	}
	if (ret->servers_n == 0) {
		char loopback[] = "127.0.0.1";

		ret->servers_n += parse_server(loopback, &ret->servers[0]);
	}
}

static void read_servers(struct facts *ret)
{
	_cleanup_fd_ int fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[TEXT_MAX + 1];
	ssize_t n = fd < 0 ? 0 : fd_read_all(fd, text, TEXT_MAX);

	text[n < 0 ? 0 : n] = '\0';
	facts_parse_servers(text, ret);
}

/* --- the host's addresses */

static bool take_address(const struct sockaddr *a, struct in6_addr *ret)
{
	const union address *address = (const void *)a;
	struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (a->sa_family == AF_INET)
		memcpy(mapped.s6_addr + 12, &address->in.sin_addr, 4);
	else
		mapped = address->in6.sin6_addr;
	if (policy_judge(&mapped) != POLICY_OUT)
		return false;
	*ret = mapped;
	return true;
}

/* The address from which this host would speak to the world; nothing is sent. The targets are documentation's. */
static bool ask_route(int family, struct in6_addr *ret)
{
	_cleanup_fd_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address a = { 0 };
	socklen_t n = sizeof(a);
	bool v4 = family == AF_INET;

	a.any.sa_family = (sa_family_t)family;
	a.in.sin_port = htons(DNS_PORT);
	inet_pton(family, v4 ? "203.0.113.1" : "2001:db8::1", v4 ? (void *)&a.in.sin_addr : (void *)&a.in6.sin6_addr);
	return fd >= 0 && connect(fd, &a.any, v4 ? sizeof(a.in) : sizeof(a.in6)) == 0 &&
	       getsockname(fd, &a.any, &n) == 0 && take_address(&a.any, ret);
}

static void ask_interfaces(struct facts *ret, const bool known[2])
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		bool v6 = i->ifa_addr && i->ifa_addr->sa_family == AF_INET6;

		if (!i->ifa_addr || (!v6 && i->ifa_addr->sa_family != AF_INET) || known[v6] || !(i->ifa_flags & IFF_UP) ||
		    !IN6_IS_ADDR_UNSPECIFIED(&ret->host[v6]))
			continue;
		take_address(i->ifa_addr, &ret->host[v6]);
	}
	freeifaddrs(all);
}

void facts_read(struct facts *ret)
{
	bool known[2];

	*ret = (struct facts){ 0 };
	read_servers(ret);
	known[0] = ask_route(AF_INET, &ret->host[0]);
	known[1] = ask_route(AF_INET6, &ret->host[1]);
	if (!known[0] || !known[1])
		ask_interfaces(ret, known);
}

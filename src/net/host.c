#include "net/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "sys/fd.h"

#define PROC_MAX ((size_t)1 << 20)

bool host_parse_route(struct arena *arena, const char *text, char **ret_interface, char **ret_gateway)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 1; i < lines.n; i++) {
		unsigned destination, gateway, flags, mask;
		char name[32], buf[INET_ADDRSTRLEN];

		if (sscanf(lines.v[i], "%31s %x %x %x %*s %*s %*s %x", name, &destination, &gateway, &flags, &mask) != 5)
			continue;
		if (destination || mask || !(flags & 1))
			continue;
		*ret_interface = arena_strdup(arena, name);
		*ret_gateway = gateway ? arena_strdup(arena, inet_ntop(AF_INET, &gateway, buf, sizeof(buf))) : NULL;
		return true;
	}
	return false;
}

bool host_parse_route6(struct arena *arena, const char *text, char **ret_interface)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 0; i < lines.n; i++) {
		unsigned flags, length;
		char name[32], destination[33];

		if (sscanf(lines.v[i], "%32s %x %*s %*s %*s %*s %*s %*s %x %31s", destination, &length, &flags, name) != 4)
			continue;
		if (length || !(flags & 1) || (flags & 0x200) || str_eq(name, "lo"))	/* 0x200: reject route */
			continue;
		*ret_interface = arena_strdup(arena, name);
		return true;
	}
	return false;
}

static void take_address(struct arena *arena, const struct ifaddrs *a, struct host_net *ret)
{
	bool ours = str_eq(a->ifa_name, ret->interface);
	char buf[INET6_ADDRSTRLEN];

	if (a->ifa_addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a->ifa_addr;
		char **where = ours && !ret->ip ? &ret->ip : !ours && !ret->other_ip ? &ret->other_ip : NULL;

		if (where && inet_ntop(AF_INET, &in->sin_addr, buf, sizeof(buf)))
			*where = arena_strdup(arena, buf);
	} else if (a->ifa_addr->sa_family == AF_INET6 && ours && !ret->ip6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)a->ifa_addr;

		if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && inet_ntop(AF_INET6, &in6->sin6_addr, buf, sizeof(buf)))
			ret->ip6 = arena_strdup(arena, buf);
	}
}

void host_net_read(struct arena *arena, struct host_net *ret)
{
	const char *text = fd_read_file(arena, AT_FDCWD, "/proc/net/route", PROC_MAX, NULL);
	struct ifaddrs *list;

	*ret = (struct host_net){ 0 };
	if (!text || !host_parse_route(arena, text, &ret->interface, &ret->gateway)) {
		text = fd_read_file(arena, AT_FDCWD, "/proc/net/ipv6_route", PROC_MAX, NULL);
		if (text)
			host_parse_route6(arena, text, &ret->interface);
	}
	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *a = list; a; a = a->ifa_next)
		if (a->ifa_addr && (a->ifa_flags & IFF_UP) && !(a->ifa_flags & IFF_LOOPBACK))
			take_address(arena, a, ret);
	freeifaddrs(list);
}

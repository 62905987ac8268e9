/* net/host_prefixes - the networks that the host is on or has routes to */
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "net/host.h"
#include "sys/fd.h"

#define PROC_MAX ((size_t)1 << 20)

static void add(struct arena *arena, struct host_prefixes *list, const struct ip_prefix *p, const char *interface,
		bool connected)
{
	if (p->length > 0 && !ip_is_loopback(&p->address) && !ip_is_multicast(&p->address) && !ip_is_link_local(&p->address))
		*ARRAY_ADD(arena, list) = (struct host_prefix){ *p, arena_strdup(arena, interface), connected };
}

void host_parse_routes(struct arena *arena, const char *text, struct host_prefixes *ret)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 1; i < lines.n; i++) {
		struct ip_prefix p = { .address.family = IP_V4 };
		unsigned destination, flags, mask;
		char name[32];

		if (sscanf(lines.v[i], "%31s %x %*s %x %*s %*s %*s %x", name, &destination, &flags, &mask) != 4 || !(flags & 1))
			continue;
		memcpy(p.address.bytes, &destination, 4);	/* both are written as the machine reads the kernel's bytes */
		p.length = (unsigned)__builtin_popcount(mask);
		add(arena, ret, &p, name, false);
	}
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool parse_bytes(const char *hex, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex[2 * i]), low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void host_parse_routes6(struct arena *arena, const char *text, struct host_prefixes *ret)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 0; i < lines.n; i++) {
		struct ip_prefix p = { .address.family = IP_V6 };
		char name[32], destination[33];
		unsigned flags;

		if (sscanf(lines.v[i], "%32s %x %*s %*s %*s %*s %*s %*s %x %31s", destination, &p.length, &flags, name) != 4)
			continue;
		if (!(flags & 1) || (flags & 0x200) || p.length > 128 || str_eq(name, "lo"))	/* 0x200: reject route */
			continue;
		if (parse_bytes(destination, p.address.bytes, 16))
			add(arena, ret, &p, name, false);
	}
}

static unsigned bits_of(const uint8_t *mask, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (unsigned)__builtin_popcount(mask[i]);
	return bits;
}

static bool take(const struct ifaddrs *a, struct ip_prefix *ret)
{
	*ret = (struct ip_prefix){ 0 };
	if (!a->ifa_addr || !a->ifa_netmask || (a->ifa_flags & IFF_LOOPBACK))
		return false;
	if (a->ifa_addr->sa_family == AF_INET) {
		ret->address.family = IP_V4;
		memcpy(ret->address.bytes, &((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr, 4);
		ret->length = bits_of((uint8_t *)&((struct sockaddr_in *)(void *)a->ifa_netmask)->sin_addr, 4);
	} else if (a->ifa_addr->sa_family == AF_INET6) {
		ret->address.family = IP_V6;
		memcpy(ret->address.bytes, &((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr, 16);
		ret->length = bits_of((uint8_t *)&((struct sockaddr_in6 *)(void *)a->ifa_netmask)->sin6_addr, 16);
	}
	return ret->address.family != IP_NONE;
}

void host_prefixes_read(struct arena *arena, struct host_prefixes *ret)
{
	const char *text = fd_read_file(arena, AT_FDCWD, "/proc/net/route", PROC_MAX, NULL);
	struct ifaddrs *list;
	struct ip_prefix p;

	*ret = (struct host_prefixes){ 0 };
	if (text)
		host_parse_routes(arena, text, ret);
	text = fd_read_file(arena, AT_FDCWD, "/proc/net/ipv6_route", PROC_MAX, NULL);
	if (text)
		host_parse_routes6(arena, text, ret);
	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *a = list; a; a = a->ifa_next)
		if (take(a, &p))
			add(arena, ret, &p, a->ifa_name, true);
	freeifaddrs(list);
}

/* net/host - what the host's network looks like: the default route, addresses, name servers
 *
 * Read from /proc/net and the kernel's address list of the caller's network namespace; nothing is changed. */
#ifndef BRYO_NET_HOST_H
#define BRYO_NET_HOST_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/string.h"
#include "spec/ip.h"

struct host_net {
	char *interface;	/* of the first default route, IPv4 before IPv6; NULL without one */
	char *ip, *gateway;	/* IPv4; NULL */
	char *ip6;		/* global IPv6 address of the interface; NULL */
	char *other_ip;		/* an IPv4 address of another interface (not loopback); NULL */
};

void host_net_read(struct arena *arena, struct host_net *ret);
/* Pure parts, for the tests: the first default route in the text of /proc/net/route. */
bool host_parse_route(struct arena *arena, const char *text, char **ret_interface, char **ret_gateway);
bool host_parse_route6(struct arena *arena, const char *text, char **ret_interface);

/* The networks that the host is on (connected) and those it has routes to; without loopback, link-local addresses, multicast
 * and default routes. One may appear more than once. */
struct host_prefix { struct ip_prefix prefix; char *interface; bool connected; };
struct host_prefixes { struct host_prefix *v; size_t n; };
void host_prefixes_read(struct arena *arena, struct host_prefixes *ret);
/* Pure parts: what /proc/net/route and /proc/net/ipv6_route say; they add to the list. */
void host_parse_routes(struct arena *arena, const char *text, struct host_prefixes *ret);
void host_parse_routes6(struct arena *arena, const char *text, struct host_prefixes *ret);

#endif

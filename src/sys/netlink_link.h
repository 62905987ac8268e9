/* sys/netlink_link - interfaces that are made, and what they are given: addresses and routes
 *
 * Each call is one request to the network namespace of the socket (sys/netlink). Answers -1 with the kernel's errno and its
 * words in err. */
#ifndef BRYO_SYS_NETLINK_LINK_H
#define BRYO_SYS_NETLINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct netlink_link {
	unsigned index;			/* 0: there is none */
	unsigned other;			/* of a pair: the other end's number in its own namespace */
	bool is_up;
	uint8_t mac[6];			/* zeros: none of this kind */
};

/* One that does not exist is no error. */
int netlink_link_find(int socket, const char *name, struct netlink_link *ret, struct error *err);
int netlink_link_at(int socket, unsigned index, struct netlink_link *ret, struct error *err);
/* Has the kernel interfaces of this kind ("bridge"), if need be from a module? None is made. */
int netlink_link_check_kind(int socket, const char *kind, struct error *err);
/* A bridge, not up. vlan: the one to which it and all its ports belong, without tags, while frames of others are dropped; 0:
 * it has none. EOPNOTSUPP where the kernel's bridges know none. */
int netlink_link_add_bridge(int socket, const char *name, unsigned mtu, const uint8_t mac[6], unsigned vlan, struct error *err);

/* A pair whose one end, up and with a name of the kernel's choice, is a port of a bridge, and whose other end lies in another
 * namespace, not up. */
struct netlink_pair {
	unsigned bridge, mtu;
	int other_ns;
	const char *other_name;
	const uint8_t *other_mac;
};
int netlink_link_add_pair(int socket, const struct netlink_pair *pair, struct error *err);
int netlink_link_set_up(int socket, unsigned index, struct error *err);
int netlink_link_delete(int socket, unsigned index, struct error *err);

struct netlink_address {
	int family;			/* AF_INET, AF_INET6 */
	const uint8_t *bytes;		/* in network order */
	unsigned length;		/* of the prefix */
};

/* Nobody is asked whether an IPv6 address is free: it can be used at once. */
int netlink_link_add_address(int socket, unsigned index, const struct netlink_address *a, struct error *err);
/* To a network (length 0: everywhere) by a gateway; beside others to the same network. */
int netlink_link_add_route(int socket, unsigned index, const struct netlink_address *to, const uint8_t *gateway,
			   uint32_t metric, struct error *err);

#endif

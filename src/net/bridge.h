/* net/bridge - networks as bridges in the rootless network namespace, and the containers on them
 *
 * A network has one bridge, made by the first container that joins it, with the gateway's addresses; a container has a
 * veth pair a network. Nobody takes a pair away: it goes with the container's network namespace (deleting one costs
 * tens of milliseconds), and bridges go with the whole. */
#ifndef BRYO_NET_BRIDGE_H
#define BRYO_NET_BRIDGE_H

#include <stdint.h>

#include "net/rootless.h"
#include "spec/network.h"

/* What the user asks of one network, in his words: --network NAME:ip=...,mac=...,alias=...,interface_name=... */
struct bridge_request {
	char *network;			/* name or id */
	char *interface;		/* inside; never NULL once the engine has named those that the user did not */
	struct strings ips;		/* at most one a subnet; of the other subnets they are chosen */
	char *mac;			/* NULL: made from the address */
	struct strings aliases;
	bool bypass;			/* of the container, on whatever network it was said */
};

/* "NAME" or "NAME:option,option"; one more option, such as "ip=10.88.0.5". */
int bridge_request_parse(struct arena *arena, const char *text, struct bridge_request *ret, struct error *err);
int bridge_request_option(struct arena *arena, struct bridge_request *q, const char *option, struct error *err);
/* Names those that the user did not: eth0, eth1 ..., in order, none of the taken ones. */
void bridge_request_name_interfaces(struct arena *arena, struct bridge_request *v, size_t n, const struct strings *taken);

struct bridge_address {
	char *ip, *gateway;		/* "10.88.0.5"; gateway NULL: none */
	int64_t prefix;			/* its length */
};

/* A container on a network, as it became; kept in the container's state. */
struct bridge_endpoint {
	char *network, *network_id;
	char *interface, *mac;
	ARRAY(struct bridge_address) addresses;
	struct strings aliases;
	bool has_routes;		/* a way out: a gateway in a network that is not internal */
	int64_t index;			/* of the pair's end at the bridge, in the rootless namespace; 0 before bridge_attach */
};
extern const struct json_shape bridge_endpoint_shape;

/* The first address of a family, NULL when it has none. */
const struct bridge_address *bridge_address_of(const struct bridge_endpoint *e, enum ip_family family);

/* Takes the addresses (net/lease): all that is in *ret but index is known then, before the container exists. r may be held
 * alone afterwards. */
int bridge_join(struct arena *arena, struct rootless *r, const struct network *n, const struct bridge_request *request,
		const char *id, struct bridge_endpoint *ret, struct error *err);
/* Gives the addresses back. */
void bridge_leave(const struct rootless_home *home, const struct bridge_endpoint *e, const char *id);
/* Connects the network namespace ns (its netlink socket: inside) to the network's bridge, which is made when it is not there:
 * the pair, addresses, routes. A lease keeps all of it there, so no lock is needed, but r may be held alone afterwards.
 * position: of the network among the container's, for the order of default routes. */
int bridge_attach(struct arena *arena, struct rootless *r, const struct network *n, int ns, int inside, size_t position,
		  struct bridge_endpoint *e, struct error *err);
/* Attaches one again whose pair is lost, and with it the namespace at its other end. 1: it was; 0: all is there. */
int bridge_reattach(struct arena *arena, struct rootless *r, const struct network *n, int ns, int inside, size_t position,
		    struct bridge_endpoint *e, struct error *err);
/* Takes the pair away from a namespace that goes on living. */
int bridge_detach(struct rootless *r, const struct bridge_endpoint *e, struct error *err);
/* Loads all rules of the firewall anew: these are all networks that there are. r is held alone. */
int bridge_reload(struct arena *arena, struct rootless *r, const struct network *v, size_t n, struct error *err);
/* Takes away the bridge of a network that nobody is on; nothing happens when there is none. r is held alone. */
int bridge_remove(struct arena *arena, struct rootless *r, const struct network *n, struct error *err);

#endif

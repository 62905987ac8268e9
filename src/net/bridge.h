/* net/bridge - networks as bridges in the rootless network namespace, and the containers on them
 *
 * A network has one bridge, made by the first container that joins it, with the gateway's addresses; a container has a
 * veth pair a network. Nobody takes a pair away: it goes with the container's network namespace (deleting one costs
 * tens of milliseconds), and bridges go with the whole. */
#ifndef BRYO_NET_BRIDGE_H
#define BRYO_NET_BRIDGE_H

#include <stdint.h>

#include "base/json.h"
#include "net/rootless.h"

struct network;

/* What the user asks of one network, in his words: --network NAME:ip=...,mac=...,alias=...,interface_name=... */
struct bridge_request {
	char *network;			/* name or id */
	char *interface;		/* NULL: ethN, the first that is free */
	char *ip, *ip6, *mac;		/* NULL: chosen */
	struct strings aliases;
};

/* A container on a network, as it became; kept in the container's state. */
struct bridge_endpoint {
	char *network, *network_id;
	char *bridge;			/* the bridge's interface */
	char *interface;		/* inside */
	char *ip, *ip6;			/* "10.88.0.5", NULL without one */
	int64_t prefix, prefix6;	/* lengths */
	char *gateway, *gateway6;	/* NULL: none */
	char *mac;
	struct strings aliases;
	int64_t mtu;
	int64_t index;			/* of the pair's end at the bridge, in the rootless namespace; 0 before bridge_attach */
};
extern const struct json_shape bridge_endpoint_shape;

/* The network's bridge stands when this returns; r is held alone when it had to be made. */
int bridge_open(struct arena *arena, struct rootless *r, const struct network *n, struct error *err);
/* Takes the addresses (net/lease): all that is in *ret but index is known then, before the container exists. */
int bridge_join(struct arena *arena, struct rootless *r, const struct network *n, const struct bridge_request *request,
		const char *id, struct bridge_endpoint *ret, struct error *err);
/* Connects the network namespace ns to the bridge: the pair, addresses, routes. No lock is needed: a lease is held. */
int bridge_attach(struct arena *arena, struct rootless *r, const struct network *n, int ns, struct bridge_endpoint *e,
		  struct error *err);
/* Takes the pair away from a container that goes on living. */
int bridge_detach(struct rootless *r, const struct bridge_endpoint *e, struct error *err);
/* Takes away the bridge of a network that nobody is on; nothing happens when there is none. r is held alone. */
int bridge_remove(struct rootless *r, const struct network *n, struct error *err);

#endif

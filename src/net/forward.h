/* net/forward - published ports of a container on bridges, as a plan for the monitor (sys/forward.h) */
#ifndef BRYO_NET_FORWARD_H
#define BRYO_NET_FORWARD_H

#include "net/net.h"

/* The plan of the claimed ports in a file in memory: where the container is, and who has no need to be imitated before it. */
int net_forward_plan(struct arena *arena, const struct net_request *r, const struct bridge_endpoint *endpoints, size_t n,
		     struct error *err);
/* How many sockets there are: of all ports, in the order of the plan. */
size_t net_forward_count(const struct net_request *r);
int net_forward_socket(const struct net_request *r, size_t index);

#endif

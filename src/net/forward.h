/* net/forward - published ports of a container on bridges, as a plan for the monitor (sys/forward.h)
 *
 * The plan is the file "forward" of the container's runtime directory, which the monitor has mapped: what is written there
 * holds for the next client. */
#ifndef BRYO_NET_FORWARD_H
#define BRYO_NET_FORWARD_H

#include "net/net.h"

/* Makes the plan of the claimed ports, in place of another's; answers its descriptor. */
int net_forward_plan(struct arena *arena, const struct net_request *r, const struct bridge_endpoint *endpoints, size_t n,
		     int run_dir, struct error *err);
/* The container has come to other networks; nothing happens when no ports are published. */
int net_forward_update(const struct bridge_endpoint *endpoints, size_t n, int run_dir, struct error *err);
/* Has the container with this runtime directory a plan? */
bool net_forward_is_planned(int run_dir);
/* How many sockets there are: of all ports, in the order of the plan. */
size_t net_forward_count(const struct net_request *r);
int net_forward_socket(const struct net_request *r, size_t index);

#endif

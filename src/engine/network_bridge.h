/* engine/network_bridge - a container on networks: what the store knows of them joined with what net/bridge does
 *
 * network_bridge_join finds the networks, makes what of them is missing and takes the addresses, all before the container
 * exists; network_bridge_attach connects it while it sets itself up; network_bridge_release takes back what it had, and,
 * with the last container, everything. */
#ifndef BRYO_ENGINE_NETWORK_BRIDGE_H
#define BRYO_ENGINE_NETWORK_BRIDGE_H

#include "engine/container.h"
#include "net/net.h"

struct network_bridge {
	struct engine *e;
	const char *id;			/* of the container */
	size_t position;		/* how many networks it has already */
	struct rootless rootless;	/* its lock is free */
	ARRAY(struct network) networks;
	ARRAY(struct bridge_endpoint) endpoints;	/* in the same order */
};

/* Where the rootless network namespace is, for net/rootless. */
const struct rootless_home *network_bridge_home(struct engine *e);

/* The networks that a request names exist, and each is named once. Their names become canonical. */
int network_bridge_check(struct engine *e, struct net_request *r, struct error *err);
/* Fills *result as net_plan does. *ret is to be closed; on an error nothing is held. */
int network_bridge_join(struct engine *e, const char *id, const struct net_request *r, struct network_bridge *ret,
			struct net_result *result, struct error *err);
/* The result from the endpoints alone. */
void network_bridge_result(struct engine *e, const struct network_bridge *b, struct net_result *ret);
/* The network namespace of pid. */
int network_bridge_attach(struct network_bridge *b, pid_t pid, struct error *err);
/* Gives the addresses back, when nothing came of it. */
void network_bridge_leave(struct network_bridge *b);
/* The same for those of a running container's networks whose pair was lost; those that are there stay. 1: there were some. */
int network_bridge_reattach(struct network_bridge *b, pid_t pid, struct error *err);
void network_bridge_close(struct network_bridge *b);
/* Takes a running container from a network. */
int network_bridge_detach(struct engine *e, const struct bridge_endpoint *endpoint, const char *id, struct error *err);
/* Takes away what a network has, which is removed. */
int network_bridge_forget(struct engine *e, const struct network *n, struct error *err);

/* The caller enters the rootless network namespace for good. -1 with an empty error when there is none. */
int network_bridge_enter(struct engine *e, struct error *err);

/* Another container joins the network namespace of this one: it may live longer. */
void network_bridge_mark_joined(struct engine *e, const struct container *c, const struct container_state *s);
/* Takes back what a container has that does not run any more. */
void network_bridge_release(struct engine *e, const struct container *c, const struct container_state *s);
/* The same for one whose start failed, whatever its state says. */
void network_bridge_undo(struct engine *e, const char *id);
/* All that containers have of networks, at once: they do not run, and their user namespace ends. */
void network_bridge_end(struct engine *e);
/* What containers left that nobody cleaned up after; cheap when there is nothing. thorough: for those who look at all
 * containers anyway; what living ones have lost is made good, too. */
void network_bridge_sweep(struct engine *e, bool thorough);

#endif

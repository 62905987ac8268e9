/* engine/network_names - how a container on networks learns the names of others, and they its own
 *
 * Where aardvark-dns is installed it answers on each network that has DNS. Where it is not, /etc/hosts of the containers
 * names those that are on the same networks. */
#ifndef BRYO_ENGINE_NETWORK_NAMES_H
#define BRYO_ENGINE_NETWORK_NAMES_H

#include "engine/network_bridge.h"

/* Before the container exists: whom its resolv.conf names. */
void network_names_plan(struct engine *e, const struct network_bridge *b, struct net_result *result);
/* The lines of others for its hosts file. */
void network_names_others(struct engine *e, const char *id, const struct net_request *r, struct strings *ret);
/* It is connected: from now on it is known by its names. A failure is told in a warning. */
void network_names_add(struct engine *e, const struct container *c, const struct network_bridge *b);
void network_names_remove(struct engine *e, const char *id);

/* What it is called on a network: its name, its short id, its aliases. */
struct strings network_names_of(struct arena *arena, const struct container *c, const struct bridge_endpoint *endpoint);

#endif

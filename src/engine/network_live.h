/* engine/network_live - what a running container is told of its networks: hosts and resolv.conf, and all of it anew
 *
 * The state says what is, and was written before anybody is told. */
#ifndef BRYO_ENGINE_NETWORK_LIVE_H
#define BRYO_ENGINE_NETWORK_LIVE_H

#include "engine/network_bridge.h"

/* The endpoint has come (add), or is gone: it is in the state, or no more. */
int network_live_tell(struct engine *e, const struct container *c, const struct container_state *s,
		      const struct bridge_endpoint *endpoint, bool add, struct error *err);
/* It has another name: the old one is answered no more. Best effort. */
void network_live_rename(struct engine *e, const struct container *c);
/* The firewall's rules, the way out, the names and the container's interfaces, whatever became of them. */
int network_live_reload(struct engine *e, const struct container *c, struct container_state *s, struct error *err);

#endif

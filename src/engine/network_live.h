/* engine/network_live - networks of a container that runs: connected, disconnected, set up again
 *
 * The caller holds the container's lock. The state says what is; it is written before anybody is told. */
#ifndef BRYO_ENGINE_NETWORK_LIVE_H
#define BRYO_ENGINE_NETWORK_LIVE_H

#include "engine/network_bridge.h"

/* text: as in the container's request, "NETWORK:ip=...,alias=...". */
int network_live_connect(struct engine *e, const struct container *c, struct container_state *s, const struct network *n,
			 const char *text, struct error *err);
int network_live_disconnect(struct engine *e, const struct container *c, struct container_state *s, const struct network *n,
			    struct error *err);
/* The firewall's rules of its networks, the way out and the names, whatever became of them. */
int network_live_reload(struct engine *e, const struct container *c, const struct container_state *s, struct error *err);

#endif

/* engine/network_default - the network of a container for which none was named
 *
 * It is the default bridge, so that the container has an address and others reach it. Where bridges do not work
 * (net/ability) it gets a helper of its own instead. config.json keeps what was asked, which is nothing, and the state what
 * became of it, so that each start decides anew. */
#ifndef BRYO_ENGINE_NETWORK_DEFAULT_H
#define BRYO_ENGINE_NETWORK_DEFAULT_H

#include "engine/container.h"
#include "net/net.h"

/* The words after --network; "default" when there are none. */
struct strings network_words(struct arena *arena, const struct container *c);
/* By what is remembered; for a container that runs, by its state. */
void network_default_choose(struct engine *e, const struct container_state *s, struct net_request *r);
/* After the networks could not be joined: true when a helper takes their place, and the error is over. */
bool network_default_replace(struct engine *e, struct net_request *r, struct error *err);
/* Do bridges work? Tried, whatever is remembered, unless a container is on one. */
int network_default_try(struct engine *e, struct error *err);

#endif

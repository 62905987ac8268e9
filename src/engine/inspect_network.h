/* engine/inspect_network - what `inspect` says about a container's networks and ports */
#ifndef BRYO_ENGINE_INSPECT_NETWORK_H
#define BRYO_ENGINE_INSPECT_NETWORK_H

#include "engine/container.h"

struct json *inspect_network(struct engine *e, const struct container *c, const struct container_state *s);
/* For HostConfig: its mode in a word, and the ports as they were asked for while it does not run. */
const char *inspect_network_mode(struct engine *e, const struct container *c, const struct container_state *s);
struct json *inspect_network_bindings(struct engine *e, const struct container *c, const struct container_state *s);

#endif

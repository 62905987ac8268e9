/* engine/network_connect - a container that exists goes on a network, or leaves one
 *
 * Both hold for its later starts. A running one is connected or disconnected at once: interface, address, names. */
#ifndef BRYO_ENGINE_NETWORK_CONNECT_H
#define BRYO_ENGINE_NETWORK_CONNECT_H

#include "engine/container.h"

struct network_connect_request {
	char *ip, *ip6, *mac;		/* NULL: chosen */
	struct strings aliases;
};

int network_connect(struct engine *e, const char *network, const char *container, const struct network_connect_request *r,
		    struct error *err);
/* force: what cannot be taken from the running container is left to its end. */
int network_disconnect(struct engine *e, const char *network, const char *container, bool force, struct error *err);

#endif

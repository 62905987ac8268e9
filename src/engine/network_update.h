/* engine/network_update - what can be changed of a network that is there */
#ifndef BRYO_ENGINE_NETWORK_UPDATE_H
#define BRYO_ENGINE_NETWORK_UPDATE_H

#include "engine/engine.h"

struct network_update_request {
	struct strings dns_add, dns_drop;	/* servers that names outside are asked from */
};

int network_update(struct engine *e, const char *name, const struct network_update_request *r, struct error *err);

#endif

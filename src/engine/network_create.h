/* engine/network_create - a new network: what the user left open is chosen, what does not fit is refused */
#ifndef BRYO_ENGINE_NETWORK_CREATE_H
#define BRYO_ENGINE_NETWORK_CREATE_H

#include "engine/engine.h"
#include "store/network.h"

struct network_create_request {
	char *name, *driver, *interface, *ipam_driver;	/* NULL: chosen */
	struct strings subnets, gateways, ip_ranges;	/* an --ip-range is CIDR or FIRST-LAST */
	struct strings routes;				/* "DESTINATION,GATEWAY[,METRIC]" */
	struct strings dns, labels, options;
	bool internal, ipv6, disable_dns, ignore;
};

/* ret: the network, also the existing one with `ignore`. */
int network_create(struct engine *e, const struct network_create_request *r, struct network *ret, struct error *err);

#endif

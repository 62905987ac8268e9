/* gateway/setup - what the gateway has in the rootless network namespace: its interface, routes and listening sockets
 *
 * An ordinary user's process that enters that namespace can never come back into the host's. So a child goes there, with
 * the same table of descriptors, opens everything and ends; what it opened stays. */
#ifndef BRYO_GATEWAY_SETUP_H
#define BRYO_GATEWAY_SETUP_H

#include "gateway/link.h"

struct setup {
	struct link link;
	int listener[2];		/* IPv4, IPv6 (-1: there is no IPv6 here); transparent, non-blocking */
};

/* without_tun: as if there were no /dev/net/tun. */
int setup_make(int netns, bool without_tun, struct setup *ret, struct error *err);

#endif

/* gateway/facts - what the gateway must know of the host: its name servers and its own addresses
 *
 * They change: a laptop goes from one network to another. The supervisor reads them, because the worker can open no file;
 * the worker asks when its knowledge has become old and is needed, and goes on with what it has until the answer comes. */
#ifndef BRYO_GATEWAY_FACTS_H
#define BRYO_GATEWAY_FACTS_H

#include <netinet/in.h>
#include <stddef.h>

#define FACTS_SERVERS 3			/* as many as resolvers ask */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct facts {
	union address servers[FACTS_SERVERS];
	size_t servers_n;
	struct in6_addr host[2];		/* IPv4 (mapped), IPv6; unspecified where the host has none but loopback */
};

void facts_read(struct facts *ret);
/* The pure part: name servers of a resolv.conf. One without any means the host's own loopback, as for every resolver. */
void facts_parse_servers(const char *text, struct facts *ret);

#endif

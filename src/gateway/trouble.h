/* gateway/trouble - what the host's network says about a packet of ours, as a message to the container that sent it */
#ifndef BRYO_GATEWAY_TROUBLE_H
#define BRYO_GATEWAY_TROUBLE_H

#include "gateway/gateway.h"

/* Reports of routers and hosts are kept for trouble_read. */
void trouble_want(int fd, bool v6, bool want);
/* The next report that waits at the socket: who said it, what, and about which data (at most room bytes). */
struct trouble_report {
	struct in6_addr by;
	struct packet_trouble trouble;
	size_t n;
};
bool trouble_read(int fd, bool v6, void *data, size_t room, struct trouble_report *ret);
/* What an errno of connect or send means to whoever sent the packet; false when it means nothing to him. */
bool trouble_of_errno(int number, enum trouble *ret);

#endif

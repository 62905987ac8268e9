/* gateway/link - the interface out0, and the gateway's end of it, where whole IP packets are read and written
 *
 * A TUN device where /dev/net/tun can be opened; else a veth pair whose other end, out1, is read by a packet socket:
 * Ethernet headers are put on and taken off here. Both end with the network namespace; a TUN device also when the last
 * descriptor is closed. */
#ifndef BRYO_GATEWAY_LINK_H
#define BRYO_GATEWAY_LINK_H

#include <net/ethernet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define LINK_MTU 65535			/* larger than the containers': what they send needs no fragments here */

struct link {
	int fd;				/* non-blocking */
	bool is_pair;
	struct ether_header header;	/* of what is written to a pair, but its type */
};

/* In the caller's network namespace; what was there under these names is taken away first. The interface is not up. */
int link_open(int netlink, bool without_tun, struct link *ret, struct error *err);
/* The size of one packet; 0 when none waits, or what waits is not a packet. */
size_t link_read(const struct link *link, uint8_t *packet, size_t room);
/* A packet that cannot be taken is lost, as on any link. */
void link_write(const struct link *link, const uint8_t *packet, size_t n);

#endif

/* sys/forward - published ports, as the engine hands them to bryo-monitor
 *
 * monitor_config names a row of descriptors: the plan (this block, in a file that is mapped), the network namespace from which
 * the container is reached, and one socket a port, bound in the host's network, not blocking, and listening if it is TCP. */
#ifndef BRYO_SYS_FORWARD_H
#define BRYO_SYS_FORWARD_H

#include <stdint.h>

#define FORWARD_MAGIC 0x62727066u
#define FORWARD_SUBNETS 32
#define FORWARD_PORTS_MAX 65535

enum { FORWARD_PLAN, FORWARD_NETNS, FORWARD_FIRST_SOCKET };	/* places in the row */

struct forward_address {
	uint8_t family;			/* AF_INET, AF_INET6; 0: none */
	uint8_t prefix;			/* of a subnet: how many bits count */
	uint8_t bytes[16];
};

struct forward_port {
	uint16_t target;		/* the container's port */
	uint8_t protocol;		/* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t reserved;
};

struct forward_plan {
	uint32_t magic, size;		/* FORWARD_MAGIC, of the whole block */
	struct forward_address target[2];	/* the container's addresses: IPv4, IPv6 */
	/* Who comes from one of these is the container's neighbour, to whom it would answer directly and not by the way that
	 * the question took: it is shown the gateway's address instead. */
	struct forward_address subnet[FORWARD_SUBNETS];
	uint8_t keeps_client[2];	/* IPv4, IPv6: what is sent to a client's address comes to a socket that has it, too */
	uint8_t reserved[2];
	uint32_t ports;
	struct forward_port port[];
};

#endif

/* gateway/packet - IP packets: read strictly, and made
 *
 * Pure. Everything that is read here was written by a container and is hostile. Addresses have 16 bytes; those of IPv4
 * stand as ::ffff:a.b.c.d, and no IPv6 packet with such an address is taken. Fragments and extension headers of IPv6
 * are not taken either: the kernel puts fragments together before it routes packets here. */
#ifndef BRYO_GATEWAY_PACKET_H
#define BRYO_GATEWAY_PACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 65535
#define PACKET_HEADERS_MAX 64			/* of what is made here, without the data: IPv6 and TCP */
#define PACKET_ERROR_MAX 1280			/* an ICMP error with what it quotes */

/* Who talks to whom: the key of all tables, compared as bytes. */
struct tuple {
	struct in6_addr from, to;
	uint16_t from_port, to_port;		/* of an echo: its identifier, and 0 */
	uint32_t protocol;			/* IPPROTO_TCP, _UDP, _ICMP (also for ICMPv6) */
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct packet {
	struct tuple tuple;
	bool v6;
	uint8_t hops;				/* time to live */
	uint8_t flags;				/* TCP_* */
	uint32_t sequence, acknowledged;	/* of TCP; of an echo the sequence */
	const uint8_t *bytes, *data;		/* the whole packet; what stands after its headers */
	size_t size, data_size;
};

/* False for everything that is not TCP, UDP or an echo request, whole and with lengths that agree. */
bool packet_parse(const uint8_t *bytes, size_t n, struct packet *ret);
bool packet_is_v4(const struct in6_addr *address);
struct tuple packet_reverse(const struct tuple *tuple);

/* These answer the size of what they wrote to ret, or 0 when it would be larger than a packet can be. A tuple says from
 * whom to whom the packet goes. */
size_t packet_make_udp(const struct tuple *tuple, const void *data, size_t n, uint8_t ret[PACKET_MAX]);
size_t packet_make_echo(const struct tuple *tuple, bool reply, uint16_t sequence, const void *data, size_t n,
			uint8_t ret[PACKET_MAX]);
/* The answer of a host that does not have this connection. 0 for a reset, which is never answered. */
size_t packet_make_reset(const struct packet *p, uint8_t ret[PACKET_HEADERS_MAX]);

/* Why a packet did not arrive; each is one type and code of ICMP and of ICMPv6. */
enum trouble { TROUBLE_NO_NETWORK, TROUBLE_NO_HOST, TROUBLE_NO_PORT, TROUBLE_PROHIBITED };

struct packet_trouble {
	uint8_t type, code;			/* of the family of the packet that is quoted */
	uint32_t rest;				/* the third field: an MTU */
};

struct packet_trouble packet_trouble(bool v6, enum trouble trouble);
/* The ICMP error about a packet (its beginning is enough), sent by `by` to whoever sent it. */
size_t packet_make_trouble(const struct in6_addr *by, struct packet_trouble trouble, const uint8_t *packet, size_t n,
			   uint8_t ret[PACKET_ERROR_MAX]);

#endif

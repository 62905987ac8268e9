#include "gateway/packet.h"

#include <string.h>

#include "base/string.h"

#define IP4_SIZE 20
#define IP6_SIZE 40
#define UDP_SIZE 8
#define ICMP_SIZE 8
#define TCP_SIZE 20
#define HOPS 64

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

bool packet_is_v4(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address);
}

static struct in6_addr mapped(const uint8_t *v4)
{
	struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(a.s6_addr + 12, v4, 4);
	return a;
}

struct tuple packet_reverse(const struct tuple *t)
{
	return (struct tuple){ .from = t->to, .to = t->from, .from_port = t->to_port, .to_port = t->from_port,
			       .protocol = t->protocol };
}

/* --- reading */

static bool parse_tcp(const uint8_t *p, size_t n, struct packet *ret)
{
	size_t header;

	if (n < TCP_SIZE)
		return false;
	header = (size_t)(p[12] >> 4) * 4;
	if (header < TCP_SIZE || header > n)
		return false;
	ret->tuple.from_port = get16(p);
	ret->tuple.to_port = get16(p + 2);
	ret->sequence = get32(p + 4);
	ret->acknowledged = get32(p + 8);
	ret->flags = p[13];
	ret->data = p + header;
	ret->data_size = n - header;
	return ret->tuple.from_port && ret->tuple.to_port;
}

static bool parse_udp(const uint8_t *p, size_t n, struct packet *ret)
{
	if (n < UDP_SIZE || get16(p + 4) < UDP_SIZE || get16(p + 4) > n)
		return false;
	ret->tuple.from_port = get16(p);
	ret->tuple.to_port = get16(p + 2);
	ret->data = p + UDP_SIZE;
	ret->data_size = get16(p + 4) - (size_t)UDP_SIZE;
	return ret->tuple.from_port && ret->tuple.to_port;
}

static bool parse_echo(const uint8_t *p, size_t n, struct packet *ret)
{
	if (n < ICMP_SIZE || p[0] != (ret->v6 ? ECHO6_REQUEST : ECHO_REQUEST) || p[1] != 0)
		return false;
	ret->tuple.from_port = get16(p + 4);
	ret->sequence = get16(p + 6);
	ret->data = p + ICMP_SIZE;
	ret->data_size = n - ICMP_SIZE;
	return true;
}

static bool parse_transport(unsigned protocol, const uint8_t *p, size_t n, struct packet *ret)
{
	switch (protocol) {
	case IPPROTO_TCP:
		ret->tuple.protocol = IPPROTO_TCP;
		return parse_tcp(p, n, ret);
	case IPPROTO_UDP:
		ret->tuple.protocol = IPPROTO_UDP;
		return parse_udp(p, n, ret);
	default:
		ret->tuple.protocol = IPPROTO_ICMP;
		return protocol == (ret->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) && parse_echo(p, n, ret);
	}
}

static bool parse4(const uint8_t *p, size_t n, struct packet *ret)
{
	size_t header = (size_t)(p[0] & 15) * 4;

	if (n < IP4_SIZE || header < IP4_SIZE || get16(p + 2) < header || get16(p + 2) > n)
		return false;
	if (get16(p + 6) & 0x3fff)	/* more fragments, or not the first one */
		return false;
	ret->size = get16(p + 2);
	ret->hops = p[8];
	ret->tuple.from = mapped(p + 12);
	ret->tuple.to = mapped(p + 16);
	return parse_transport(p[9], p + header, ret->size - header, ret);
}

static bool parse6(const uint8_t *p, size_t n, struct packet *ret)
{
	if (n < IP6_SIZE || (size_t)get16(p + 4) + IP6_SIZE > n)
		return false;
	ret->v6 = true;
	ret->size = (size_t)get16(p + 4) + IP6_SIZE;
	ret->hops = p[7];
	memcpy(&ret->tuple.from, p + 8, 16);
	memcpy(&ret->tuple.to, p + 24, 16);
	if (packet_is_v4(&ret->tuple.from) || packet_is_v4(&ret->tuple.to))
		return false;
	return parse_transport(p[6], p + IP6_SIZE, ret->size - IP6_SIZE, ret);
}

bool packet_parse(const uint8_t *bytes, size_t n, struct packet *ret)
{
	*ret = (struct packet){ .bytes = bytes };
	if (n < 1)
		return false;
	switch (bytes[0] >> 4) {
	case 4:
		return parse4(bytes, n, ret);
	case 6:
		return parse6(bytes, n, ret);
	default:
		return false;
	}
}

/* --- checksums (RFC 1071) */

/* Adds words in the machine's order: the sum of swapped words is the swapped sum. */
static uint64_t sum(const uint8_t *p, size_t n, uint64_t s)
{
	uint32_t word;
	uint8_t tail[4] = { 0 };

	for (; n >= 4; n -= 4, p += 4) {
		memcpy(&word, p, 4);
		s += word;
	}
	memcpy(tail, p, n);
	memcpy(&word, tail, 4);
	return s + word;
}

static void put_checksum(uint8_t *p, uint64_t s)
{
	uint16_t result;

	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	result = (uint16_t)~s;
	memcpy(p, &result, 2);
}

/* Of the transport header and data at p, with the pseudo header where the protocol has one. */
static uint64_t sum_transport(const struct tuple *t, unsigned protocol, const uint8_t *p, size_t n)
{
	uint8_t rest[8] = { [7] = (uint8_t)protocol };
	uint64_t s = 0;

	put32(rest, (uint32_t)n);
	if (protocol != IPPROTO_ICMP) {
		size_t skip = packet_is_v4(&t->from) ? 12 : 0;

		s = sum(t->from.s6_addr + skip, 16 - skip, s);
		s = sum(t->to.s6_addr + skip, 16 - skip, s);
		s = sum(rest, sizeof(rest), s);
	}
	return sum(p, n, s);
}

/* --- making */

static size_t header_size(const struct tuple *t)
{
	return packet_is_v4(&t->from) ? IP4_SIZE : IP6_SIZE;
}

/* The header of a packet with n bytes after it. It may be fragmented on its way: its identification is its own. */
static void put_header4(const struct tuple *t, unsigned protocol, size_t n, uint8_t *p)
{
	static uint16_t identification;

	memset(p, 0, IP4_SIZE);
	p[0] = 0x45;
	put16(p + 2, IP4_SIZE + n);
	put16(p + 4, ++identification);
	p[8] = HOPS;
	p[9] = (uint8_t)protocol;
	memcpy(p + 12, t->from.s6_addr + 12, 4);
	memcpy(p + 16, t->to.s6_addr + 12, 4);
	put_checksum(p + 10, sum(p, IP4_SIZE, 0));
}

static void put_header6(const struct tuple *t, unsigned protocol, size_t n, uint8_t *p)
{
	memset(p, 0, 8);
	p[0] = 0x60;
	put16(p + 4, n);
	p[6] = (uint8_t)protocol;
	p[7] = HOPS;
	memcpy(p + 8, &t->from, 16);
	memcpy(p + 24, &t->to, 16);
}

/* Puts the IP header in front of n bytes, and their checksum at its place among them. */
static size_t complete(const struct tuple *t, unsigned protocol, size_t n, size_t checksum_at, uint8_t *p)
{
	size_t header = header_size(t);
	uint8_t *transport = p + header;

	if (packet_is_v4(&t->from))
		put_header4(t, protocol, n, p);
	else
		put_header6(t, protocol, n, p);
	put_checksum(transport + checksum_at, sum_transport(t, protocol, transport, n));
	return header + n;
}

size_t packet_make_udp(const struct tuple *t, const void *data, size_t n, uint8_t ret[PACKET_MAX])
{
	uint8_t *p = ret + header_size(t);
	size_t size;

	if (n > PACKET_MAX - UDP_SIZE - header_size(t))
		return 0;
	put16(p, t->from_port);
	put16(p + 2, t->to_port);
	put16(p + 4, UDP_SIZE + n);
	put16(p + 6, 0);
	memcpy(p + UDP_SIZE, data, n);
	size = complete(t, IPPROTO_UDP, UDP_SIZE + n, 6, ret);
	if (!p[6] && !p[7])		/* that would mean: no checksum */
		put16(p + 6, 0xffff);
	return size;
}

size_t packet_make_echo(const struct tuple *t, bool reply, uint16_t sequence, const void *data, size_t n,
			uint8_t ret[PACKET_MAX])
{
	static const uint8_t types[2][2] = { { ECHO6_REQUEST, ECHO6_REPLY }, { ECHO_REQUEST, ECHO_REPLY } };
	bool v4 = packet_is_v4(&t->from);
	uint8_t *p = ret + header_size(t);

	if (n > PACKET_MAX - ICMP_SIZE - header_size(t))
		return 0;
	memset(p, 0, ICMP_SIZE);
	p[0] = types[v4][reply];
	put16(p + 4, reply ? t->to_port : t->from_port);
	put16(p + 6, sequence);
	memcpy(p + ICMP_SIZE, data, n);
	return complete(t, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, ICMP_SIZE + n, 2, ret);
}

/* RFC 9293, 3.10.7.1: a segment for a connection that does not exist. */
size_t packet_make_reset(const struct packet *packet, uint8_t ret[PACKET_HEADERS_MAX])
{
	struct tuple t = packet_reverse(&packet->tuple);
	uint8_t *p = ret + header_size(&t);
	uint32_t length = (uint32_t)packet->data_size + !!(packet->flags & TCP_SYN) + !!(packet->flags & TCP_FIN);
	bool acknowledges = packet->flags & TCP_ACK;

	if (packet->flags & TCP_RST)
		return 0;
	memset(p, 0, TCP_SIZE);
	put16(p, t.from_port);
	put16(p + 2, t.to_port);
	put32(p + 4, acknowledges ? packet->acknowledged : 0);
	put32(p + 8, acknowledges ? 0 : packet->sequence + length);
	p[12] = TCP_SIZE / 4 << 4;
	p[13] = acknowledges ? TCP_RST : TCP_RST | TCP_ACK;
	return complete(&t, IPPROTO_TCP, TCP_SIZE, 16, ret);
}

struct packet_trouble packet_trouble(bool v6, enum trouble trouble)
{
	static const struct packet_trouble v4[] = {
		[TROUBLE_NO_NETWORK] = { 3, 0, 0 }, [TROUBLE_NO_HOST] = { 3, 1, 0 },
		[TROUBLE_NO_PORT] = { 3, 3, 0 }, [TROUBLE_PROHIBITED] = { 3, 13, 0 },
	}, of_v6[] = {
		[TROUBLE_NO_NETWORK] = { 1, 0, 0 }, [TROUBLE_NO_HOST] = { 1, 3, 0 },
		[TROUBLE_NO_PORT] = { 1, 4, 0 }, [TROUBLE_PROHIBITED] = { 1, 1, 0 },
	};

	return v6 ? of_v6[trouble] : v4[trouble];
}

size_t packet_make_trouble(const struct in6_addr *by, struct packet_trouble trouble, const uint8_t *packet, size_t n,
			   uint8_t ret[PACKET_ERROR_MAX])
{
	bool v4 = packet_is_v4(by);
	struct tuple t = { .from = *by };
	size_t most = v4 ? 576 - IP4_SIZE - ICMP_SIZE : PACKET_ERROR_MAX - IP6_SIZE - ICMP_SIZE;
	uint8_t *p = ret + (v4 ? IP4_SIZE : IP6_SIZE);

	if (n < (v4 ? IP4_SIZE : IP6_SIZE) || packet[0] >> 4 != (v4 ? 4 : 6))
		return 0;
	if (v4)
		t.to = mapped(packet + 12);
	else
		memcpy(&t.to, packet + 8, 16);
	if (n > most)
		n = most;
	memset(p, 0, ICMP_SIZE);
	p[0] = trouble.type;
	p[1] = trouble.code;
	put32(p + 4, trouble.rest);
	memcpy(p + ICMP_SIZE, packet, n);
	return complete(&t, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, ICMP_SIZE + n, 2, ret);
}

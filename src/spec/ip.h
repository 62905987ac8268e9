/* spec/ip - Internet addresses, prefixes and ranges: text, order, arithmetic
 *
 * Addresses are bytes in network order, so that they compare and count alike in both families. Text is accepted as
 * RFC 4291 and dotted decimals without leading zeros write it, without a scope ("%eth0"); an IPv4 address that is
 * mapped into IPv6 (::ffff:10.0.0.1) is taken for the IPv4 address that it means, so that no check can be gone around. */
#ifndef BRYO_SPEC_IP_H
#define BRYO_SPEC_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum ip_family { IP_NONE, IP_V4, IP_V6 };	/* IP_NONE: no address was given */

struct ip_address {
	enum ip_family family;
	uint8_t bytes[16];		/* the first four of an IPv4 address; the others are zero */
};

struct ip_prefix {
	struct ip_address address;	/* as it was written: bits after the prefix may be set */
	unsigned length;
};

struct ip_range {
	struct ip_address first, last;	/* both belong to it */
};

struct ip_prefixes {
	struct ip_prefix *v;
	size_t n;
};

#define IP_TEXT_SIZE 46		/* of the longest address, with NUL */

/* Anything else than one address and nothing around it answers false; *ret is then untouched. */
bool ip_parse(const char *text, struct ip_address *ret);
/* "10.88.0.0/16"; the length is needed. */
bool ip_parse_prefix(const char *text, struct ip_prefix *ret);
/* The canonical text: RFC 5952 for IPv6; "" of IP_NONE. */
const char *ip_print(const struct ip_address *a, char ret[IP_TEXT_SIZE]);
char *ip_text(struct arena *arena, const struct ip_address *a);
char *ip_prefix_text(struct arena *arena, const struct ip_prefix *p);

/* The number of bits, or bytes, of the family's addresses. */
unsigned ip_bits(enum ip_family family);
unsigned ip_size(enum ip_family family);

/* By family, then by number: < 0, 0, > 0. */
int ip_compare(const struct ip_address *a, const struct ip_address *b);
bool ip_is_unspecified(const struct ip_address *a);	/* 0.0.0.0, :: */
bool ip_is_loopback(const struct ip_address *a);
bool ip_is_link_local(const struct ip_address *a);
bool ip_is_multicast(const struct ip_address *a);	/* of IPv4 also 240.0.0.0/4 and above: reserved, broadcast */
/* fc00::/7; 10/8, 172.16/12, 192.168/16 */
bool ip_is_private(const struct ip_address *a);

/* The addresses of a prefix: the first has no bit after it set, the last has all. */
struct ip_address ip_first(const struct ip_prefix *p);
struct ip_address ip_last(const struct ip_prefix *p);
bool ip_is_network(const struct ip_prefix *p);		/* written without bits after the prefix */
bool ip_has(const struct ip_prefix *p, const struct ip_address *a);
bool ip_overlap(const struct ip_prefix *a, const struct ip_prefix *b);	/* never of two families */
bool ip_range_has(const struct ip_range *r, const struct ip_address *a);
/* How many addresses, UINT64_MAX when they are more. */
uint64_t ip_range_count(const struct ip_range *r);

/* The address that is n after a; false when there is none. */
bool ip_add(const struct ip_address *a, uint64_t n, struct ip_address *ret);
/* The nth network of this length, counted from the prefix's first address; false when it is outside of the prefix. */
bool ip_nth_network(const struct ip_prefix *p, unsigned length, uint64_t n, struct ip_prefix *ret);

#endif

/* spec/network_pool - subnets for networks whose user names none
 *
 * IPv4: the first /24 that overlaps nothing, of 10.89.0.0/16, 10.90.0.0/15, 10.92.0.0/14, 10.96.0.0/11 and 10.128.0.0/9:
 * Podman's pools. IPv6: a /64 of the unique local addresses (RFC 4193), whose 56 bits are random. */
#ifndef BRYO_SPEC_NETWORK_POOL_H
#define BRYO_SPEC_NETWORK_POOL_H

#include "spec/ip.h"

/* False when every subnet of the pools overlaps one of these. */
bool network_pool_ipv4(const struct ip_prefixes *used, struct ip_prefix *ret);
struct ip_prefix network_pool_ipv6(const uint8_t random[7]);
/* The prefix that overlaps p, or NULL. */
const struct ip_prefix *network_pool_overlap(const struct ip_prefixes *used, const struct ip_prefix *p);

#endif

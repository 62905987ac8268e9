#include "spec/network_pool.h"

#include <string.h>

#include "base/string.h"

#define POOL_LENGTH 24

static const char *const pools[] = { "10.89.0.0/16", "10.90.0.0/15", "10.92.0.0/14", "10.96.0.0/11", "10.128.0.0/9" };

const struct ip_prefix *network_pool_overlap(const struct ip_prefixes *used, const struct ip_prefix *p)
{
	for (size_t i = 0; i < used->n; i++)
		if (ip_overlap(&used->v[i], p))
			return &used->v[i];
	return NULL;
}

/* How many subnets of the pool's size follow `from` until `used` ends, itself counted. */
static uint64_t skip(const struct ip_prefix *from, const struct ip_prefix *used)
{
	struct ip_range r = { from->address, ip_last(used) };

	return (ip_range_count(&r) >> (32 - POOL_LENGTH)) + (ip_range_count(&r) % (1u << (32 - POOL_LENGTH)) != 0);
}

bool network_pool_ipv4(const struct ip_prefixes *used, struct ip_prefix *ret)
{
	for (size_t i = 0; i < ELEMENTS(pools); i++) {
		struct ip_prefix pool, subnet;

		if (!ip_parse_prefix(pools[i], &pool))
			continue;
		for (uint64_t n = 0; ip_nth_network(&pool, POOL_LENGTH, n, &subnet);) {
			const struct ip_prefix *other = network_pool_overlap(used, &subnet);

			if (!other) {
				*ret = subnet;
				return true;
			}
			n += skip(&subnet, other);
		}
	}
	return false;
}

struct ip_prefix network_pool_ipv6(const uint8_t random[7])
{
	struct ip_prefix p = { .address = { .family = IP_V6, .bytes = { 0xfd } }, .length = 64 };

	memcpy(p.address.bytes + 1, random, 7);
	return p;
}

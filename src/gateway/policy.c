#include "gateway/policy.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/string.h"
#include "sys/gateway.h"

struct rule {
	const char *network;
	unsigned bits;			/* of IPv4: 96 and those of the prefix */
	enum policy policy;
};

/* The first that contains the address decides. */
static const struct rule rules[] = {
	{ "::ffff:" GATEWAY_DNS,	128,	POLICY_DNS },
	{ "::ffff:" GATEWAY_HOST,	128,	POLICY_HOST },
	{ GATEWAY_DNS6,		128,	POLICY_DNS },
	{ GATEWAY_HOST6,		128,	POLICY_HOST },
	{ GATEWAY_OWN_NET6,	48,	POLICY_REFUSE },
	{ "::ffff:0.0.0.0",	96 + 8,	POLICY_REFUSE },	/* 0.0.0.0 is this host */
	{ "::ffff:127.0.0.0",	96 + 8,	POLICY_REFUSE },
	{ "::ffff:169.254.0.0",	96 + 16, POLICY_REFUSE },
	{ "::ffff:224.0.0.0",	96 + 4,	POLICY_IGNORE },
	{ "::ffff:240.0.0.0",	96 + 4,	POLICY_IGNORE },
	{ "::ffff:0:0",		96,	POLICY_OUT },
	{ "::",			96,	POLICY_REFUSE },	/* unspecified, loopback, and IPv4-compatible addresses */
	{ "fe80::",		10,	POLICY_REFUSE },
	{ "ff00::",		8,	POLICY_IGNORE },
};

static bool contains(const struct in6_addr *network, unsigned bits, const struct in6_addr *a)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(network, a, bytes) != 0)
		return false;
	return !rest || (network->s6_addr[bytes] ^ a->s6_addr[bytes]) >> (8 - rest) == 0;
}

enum policy policy_judge(const struct in6_addr *to)
{
	static struct in6_addr networks[ELEMENTS(rules)];
	static bool parsed;

	for (size_t i = 0; i < ELEMENTS(rules) && !parsed; i++)
		inet_pton(AF_INET6, rules[i].network, &networks[i]);
	parsed = true;
	for (size_t i = 0; i < ELEMENTS(rules); i++)
		if (contains(&networks[i], rules[i].bits, to))
			return rules[i].policy;
	return POLICY_OUT;
}

bool policy_is_source(const struct in6_addr *from)
{
	static const char *const own[] = { GATEWAY_OWN, GATEWAY_OWN6 };
	struct in6_addr a;

	for (size_t i = 0; i < ELEMENTS(own); i++)
		if (policy_address(own[i], &a) && memcmp(&a, from, sizeof(a)) == 0)
			return true;
	return policy_judge(from) == POLICY_OUT;
}

bool policy_address(const char *text, struct in6_addr *ret)
{
	char v4[INET_ADDRSTRLEN + 8] = "::ffff:";

	if (strchr(text, ':'))
		return inet_pton(AF_INET6, text, ret) == 1;
	if (strlen(text) >= INET_ADDRSTRLEN)
		return false;
	memcpy(v4 + 7, text, strlen(text) + 1);
	return inet_pton(AF_INET6, v4, ret) == 1;
}

#include "spec/network_option.h"

enum driver { BRIDGE = 1, MACVLAN = 2, IPVLAN = 4, ALL = BRIDGE | MACVLAN | IPVLAN };

static const struct { const char *name; enum driver driver; } drivers[] = {
	{ "bridge", BRIDGE }, { "macvlan", MACVLAN }, { "ipvlan", IPVLAN },
};

/* A value is one of the words, or a number from min to max where there are none. */
static const struct option {
	const char *name;
	int drivers;
	const char *words;
	unsigned min, max;
} options[] = {
	{ "mtu", ALL, .max = 65535 },
	{ "metric", ALL, .max = UINT32_MAX },
	{ "no_default_route", ALL, "true|1|false|0" },
	{ "isolate", BRIDGE, "true|1|false|0|strict" },
	{ "vlan", BRIDGE, .max = 4094 },
	{ "mode", MACVLAN, "bridge|private|vepa|passthru" },
	{ "mode", IPVLAN, "l2|l3|l3s" },
	{ "bclim", MACVLAN, .max = INT32_MAX },
};

static enum driver driver_of(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return drivers[i].driver;
	return 0;
}

bool network_driver_is_known(const char *driver)
{
	return driver_of(driver) != 0;
}

static bool is_among(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (n && strncmp(at, word, n) == 0 && (at[n] == '|' || !at[n]))
			return true;
	}
	return false;
}

static int check_option(const struct network *n, const char *name, const char *value, struct error *err)
{
	const struct option *o = options, *end = options + ELEMENTS(options);
	unsigned number;

	while (o < end && !((o->drivers & (int)driver_of(n->driver)) && strcmp(o->name, name) == 0))
		o++;
	if (o == end)
		return error_set(err, ERROR_INVALID, "unsupported %s network option %.100s", n->driver, name);
	if (o->words && !is_among(o->words, value))
		return error_set(err, ERROR_INVALID, "%s \"%.100s\" of %s network %s is none of %s", name, value, n->driver, n->name,
				 o->words);
	if (!o->words && (str_to_u32(value, &number) < 0 || number < o->min || number > o->max))
		return error_set(err, ERROR_INVALID, "%s \"%.100s\" must be between %u and %u", name, value, o->min, o->max);
	return 0;
}

static bool has_ipv6(const struct network *n)
{
	for (size_t i = 0; i < n->subnets.n; i++)
		if (n->subnets.v[i].prefix.address.family == IP_V6)
			return true;
	return false;
}

static int check_mtu(const struct network *n, struct error *err)
{
	unsigned mtu = network_mtu(n), least = has_ipv6(n) ? 1280 : 68;

	if (mtu == 0 || mtu >= least)
		return 0;
	return error_set(err, ERROR_INVALID, "mtu \"%u\" is too small: %s needs %u", mtu, has_ipv6(n) ? "IPv6" : "IPv4", least);
}

static int check_ipam(const struct network *n, struct error *err)
{
	const char *driver = network_ipam_driver(n);

	if (!is_among("host-local|dhcp|none", driver))
		return error_set(err, ERROR_INVALID, "unsupported ipam driver \"%.100s\"", driver);
	if (strcmp(driver, "host-local") != 0 && n->subnets.n)
		return error_set(err, ERROR_INVALID, "%s ipam driver is set but subnets are given", driver);
	return 0;
}

int network_check_options(const struct network *n, struct error *err)
{
	for (size_t i = 0; i < n->options.n; i++)
		if (check_option(n, n->options.v[i].key, n->options.v[i].value, err) < 0)
			return -1;
	return check_mtu(n, err) < 0 ? -1 : check_ipam(n, err);
}

/* --- values */

static unsigned number(const struct network *n, const char *name)
{
	const char *value = map_get(&n->options, name);
	unsigned u = 0;

	if (value)
		str_to_u32(value, &u);
	return u;
}

static bool is_true(const char *value)
{
	return value && is_among("true|1", value);
}

unsigned network_mtu(const struct network *n)
{
	return number(n, "mtu");
}

unsigned network_vlan(const struct network *n)
{
	return number(n, "vlan");
}

enum network_isolation network_isolation(const struct network *n)
{
	const char *value = map_get(&n->options, "isolate");

	if (value && strcmp(value, "strict") == 0)
		return NETWORK_STRICT;
	return is_true(value) ? NETWORK_ISOLATED : NETWORK_OPEN;
}

bool network_has_default_route(const struct network *n)
{
	return !n->internal && !is_true(map_get(&n->options, "no_default_route"));
}

const char *network_ipam_driver(const struct network *n)
{
	const char *driver = map_get(&n->ipam_options, "driver");

	return str_is_empty(driver) ? "host-local" : driver;
}

#include "engine/network_create.h"

#include <net/if.h>
#include <sys/random.h>

#include "base/units.h"
#include "engine/events.h"
#include "engine/network_describe.h"
#include "net/host.h"
#include "spec/network_pool.h"
#include "sys/fd.h"

static bool is_bridge(const struct network *n)
{
	return strcmp(n->driver, "bridge") == 0;
}

/* --- among the others */

struct others {
	struct arena *arena;
	struct networks networks;
	struct host_prefixes host;
};

static int refuse(const struct network_subnet *s, struct error *err)
{
	return error_set(err, ERROR_IN_USE, "subnet %s is already used on the host or by another config", s->subnet);
}

static int check_against_networks(const struct others *o, const struct network_subnet *s, struct error *err)
{
	for (size_t i = 0; i < o->networks.n; i++) {
		const struct network *other = &o->networks.v[i];

		for (size_t k = 0; is_bridge(other) && k < other->subnets.n; k++) {
			if (!ip_overlap(&other->subnets.v[k].prefix, &s->prefix))
				continue;
			refuse(s, err);
			return error_hint(err, "network %s has %s; without --subnet a free one is chosen", other->name,
					  other->subnets.v[k].subnet);
		}
	}
	return 0;
}

/* What the host is on could no more be reached. What it only has a route to is the user's to decide. */
static int check_against_host(const struct others *o, const struct network_subnet *s, struct error *err)
{
	for (size_t i = 0; i < o->host.n; i++) {
		const struct host_prefix *h = &o->host.v[i];

		if (!h->connected || !ip_overlap(&h->prefix, &s->prefix))
			continue;
		refuse(s, err);
		return error_hint(err, "the host has %s on %s; without --subnet a free one is chosen", ip_prefix_text(o->arena, &h->prefix),
				  h->interface);
	}
	return 0;
}

static int check_subnets(const struct others *o, const struct network *n, struct error *err)
{
	for (size_t i = 0; is_bridge(n) && i < n->subnets.n; i++)
		if (check_against_networks(o, &n->subnets.v[i], err) < 0 || check_against_host(o, &n->subnets.v[i], err) < 0)
			return -1;
	return 0;
}

/* What a subnet of the pools must not overlap. */
static struct ip_prefixes used_prefixes(const struct others *o, const struct network *n, bool routes)
{
	struct ip_prefixes used = { 0 };

	for (size_t i = 0; i < n->subnets.n; i++)
		*ARRAY_ADD(o->arena, &used) = n->subnets.v[i].prefix;
	for (size_t i = 0; i < o->networks.n; i++)
		for (size_t k = 0; k < o->networks.v[i].subnets.n; k++)
			*ARRAY_ADD(o->arena, &used) = o->networks.v[i].subnets.v[k].prefix;
	for (size_t i = 0; i < o->host.n; i++)
		if (o->host.v[i].connected || routes)
			*ARRAY_ADD(o->arena, &used) = o->host.v[i].prefix;
	return used;
}

static int choose_ipv4(const struct others *o, const struct network *n, struct ip_prefix *ret, struct error *err)
{
	struct ip_prefixes used = used_prefixes(o, n, true), needed;

	if (network_pool_ipv4(&used, ret))
		return 0;
	/* A route to 10.0.0.0/8, as of a VPN, would leave nothing. */
	needed = used_prefixes(o, n, false);
	if (network_pool_ipv4(&needed, ret))
		return 0;
	error_set(err, ERROR_FAILED, "could not find free subnet from subnet pools");
	return error_hint(err, "remove networks that are not needed (bryo network prune), or choose one: --subnet 192.168.77.0/24");
}

static int choose_ipv6(const struct others *o, const struct network *n, struct ip_prefix *ret, struct error *err)
{
	struct ip_prefixes used = used_prefixes(o, n, true);
	uint8_t random[7];

	do {
		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return error_errno(err, "random numbers");
		*ret = network_pool_ipv6(random);
	} while (network_pool_overlap(&used, ret));
	return 0;
}

static bool has_family(const struct network *n, enum ip_family family)
{
	for (size_t i = 0; i < n->subnets.n; i++)
		if (n->subnets.v[i].prefix.address.family == family)
			return true;
	return false;
}

static int add_chosen(const struct others *o, struct network *n, enum ip_family family, struct error *err)
{
	struct ip_prefix p;

	if ((family == IP_V4 ? choose_ipv4 : choose_ipv6)(o, n, &p, err) < 0)
		return -1;
	*ARRAY_ADD(o->arena, &n->subnets) = (struct network_subnet){ .subnet = ip_prefix_text(o->arena, &p), .prefix = p };
	return 0;
}

/* --ipv6 means both families. */
static int complete_subnets(const struct others *o, struct network *n, struct error *err)
{
	bool wants = is_bridge(n) && strcmp(network_ipam_driver(n), "host-local") == 0;

	if (wants && (!n->subnets.n || (n->ipv6_enabled && !has_family(n, IP_V4))) && add_chosen(o, n, IP_V4, err) < 0)
		return -1;
	if (wants && n->ipv6_enabled && !has_family(n, IP_V6) && add_chosen(o, n, IP_V6, err) < 0)
		return -1;
	n->ipv6_enabled |= has_family(n, IP_V6);
	return 0;
}

/* The bridge of an internal network needs an address for its name server only. */
static void complete_gateways(struct arena *arena, struct network *n)
{
	for (size_t i = 0; i < n->subnets.n && (!n->internal || n->dns_enabled); i++) {
		struct network_subnet *s = &n->subnets.v[i];
		struct ip_address first = ip_first(&s->prefix);

		if (s->gateway)
			continue;
		if (s->prefix.length + 1 < ip_bits(first.family))	/* the network itself, or all routers */
			ip_add(&first, 1, &first);
		s->gateway = ip_text(arena, &first);
	}
}

/* --- interfaces */

static const struct network *user_of(const struct others *o, const char *interface)
{
	for (size_t i = 0; i < o->networks.n; i++)
		if (is_bridge(&o->networks.v[i]) && str_eq(o->networks.v[i].interface, interface))
			return &o->networks.v[i];
	return NULL;
}

static void choose_interface(const struct others *o, struct network *n)
{
	for (unsigned i = 1; !n->interface || user_of(o, n->interface); i++)
		n->interface = arena_printf(o->arena, "br%u", i);
}

static int check_bridge_interface(const struct others *o, const struct network *n, struct error *err)
{
	const struct network *other = user_of(o, n->interface);

	if (other) {
		error_set(err, ERROR_EXISTS, "bridge name %s already in use", n->interface);
		return error_hint(err, "network %s has it; without a name one is chosen", other->name);
	}
	if (strcmp(n->interface, "lo") == 0 || strcmp(n->interface, "out0") == 0 || str_starts(n->interface, "veth"))
		return error_set(err, ERROR_USAGE, "bridge name %s is reserved", n->interface);
	return 0;
}

static int complete_interface(const struct others *o, struct network *n, struct error *err)
{
	if (is_bridge(n) && !n->interface) {
		choose_interface(o, n);
		return 0;
	}
	if (is_bridge(n))
		return check_bridge_interface(o, n, err);
	if (n->interface && network_interface_is_valid(n->interface) && !if_nametoindex(n->interface))
		return error_set(err, ERROR_USAGE, "parent interface %s does not exist", n->interface);
	return 0;
}

/* --- all of it */

static int complete_identity(struct engine *e, struct network *n, struct error *err)
{
	char id[65];

	if (fd_random_hex(id, 32) < 0)
		return error_errno(err, "random numbers");
	n->id = arena_strdup(e->arena, id);
	n->created = units_format_time(e->arena, units_now());
	if (!n->name)
		n->name = n->interface;
	return 0;
}

/* A placeholder serves the first check, which tells what is wrong with the user's own words. */
static int check_words(struct network *n, struct error *err)
{
	static char nobody[] = "0000000000000000000000000000000000000000000000000000000000000000";
	static char name[] = "unnamed";
	struct network copy = *n;

	copy.id = nobody;
	if (!copy.name)
		copy.name = name;
	if (network_name_is_mode(copy.name))
		return error_set(err, ERROR_USAGE, "cannot create network with name \"%s\" because it conflicts with a valid network mode",
				 copy.name);
	return network_check(&copy, err);	/* it fills the numbers of the subnets, which both share */
}

static int check_drivers(const struct network *n, struct error *err)
{
	if (strcmp(network_ipam_driver(n), "dhcp") == 0)
		return error_set(err, ERROR_UNSUPPORTED, "ipam driver dhcp is not offered: there is nobody to ask for addresses");
	if (!is_bridge(n) && !n->subnets.n && strcmp(network_ipam_driver(n), "none") != 0)
		return error_set(err, ERROR_USAGE, "%s driver needs at least one subnet specified when the default ipam driver is used",
				 n->driver);
	return 0;
}

static int complete(struct engine *e, struct network *n, struct error *err)
{
	struct others o = { .arena = e->arena };

	if (network_list(e->arena, &e->store, &o.networks, err) < 0)
		return -1;
	host_prefixes_read(e->arena, &o.host);
	if (check_subnets(&o, n, err) < 0 || complete_subnets(&o, n, err) < 0 || complete_interface(&o, n, err) < 0)
		return -1;
	complete_gateways(e->arena, n);
	return complete_identity(e, n, err);
}

/* 1: it exists, and that is no failure. */
static int check_exists(struct engine *e, const struct network_create_request *r, struct network *ret, struct error *err)
{
	struct error why = { 0 };

	if (str_is_empty(r->name) || (network_read(e->arena, &e->store, r->name, ret, &why) < 0 && error_is(&why, ERROR_NOT_FOUND)))
		return 0;
	if (r->ignore && error_is(&why, ERROR_NONE))
		return 1;
	error_set(err, ERROR_EXISTS, "network name %s already used: network already exists", r->name);
	return error_code(err, "name-taken");
}

int network_create(struct engine *e, const struct network_create_request *r, struct network *ret, struct error *err)
{
	_cleanup_fd_ int lock = -1;
	struct network n;
	int exists;

	if (network_describe(e->arena, r, &n, err) < 0 || check_words(&n, err) < 0 || check_drivers(&n, err) < 0)
		return -1;
	lock = network_lock(&e->store, LOCK_EXCLUSIVE, err);
	exists = lock < 0 ? -1 : check_exists(e, r, ret, err);
	if (exists)
		return exists < 0 ? -1 : 0;
	if (complete(e, &n, err) < 0 || network_write(e->arena, &e->store, &n, err) < 0)
		return -1;
	event_add(e, "network", "create", n.id, n.name, NULL, NULL);
	*ret = n;
	return 0;
}

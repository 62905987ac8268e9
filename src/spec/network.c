#include "spec/network.h"

#include "spec/network_option.h"
#include "spec/reference.h"

#define F JSON_FIELD

JSON_SHAPE(network_lease_range,
	F(network_lease_range, start_ip, "start_ip", T_STRING),
	F(network_lease_range, end_ip, "end_ip", T_STRING));

JSON_SHAPE(network_subnet,
	F(network_subnet, subnet, "subnet", T_STRING, .required = true),
	F(network_subnet, gateway, "gateway", T_STRING),
	F(network_subnet, lease_range, "lease_range", T_OBJECT, .shape = &network_lease_range_shape));

JSON_SHAPE(network_route,
	F(network_route, destination, "destination", T_STRING, .required = true),
	F(network_route, gateway, "gateway", T_STRING, .required = true),
	F(network_route, metric, "metric", T_OPT_UINT));

JSON_SHAPE(network,
	F(network, name, "name", T_STRING, .required = true),
	F(network, id, "id", T_STRING, .required = true),
	F(network, driver, "driver", T_STRING, .required = true),
	F(network, interface, "network_interface", T_STRING),
	F(network, created, "created", T_STRING),
	F(network, subnets, "subnets", T_OBJECTS, .shape = &network_subnet_shape),
	F(network, routes, "routes", T_OBJECTS, .shape = &network_route_shape),
	F(network, ipv6_enabled, "ipv6_enabled", T_BOOL, .always = true),
	F(network, internal, "internal", T_BOOL, .always = true),
	F(network, dns_enabled, "dns_enabled", T_BOOL, .always = true),
	F(network, dns_servers, "network_dns_servers", T_STRINGS),
	F(network, labels, "labels", T_MAP),
	F(network, options, "options", T_MAP),
	F(network, ipam_options, "ipam_options", T_MAP));

int network_decode(struct arena *arena, const char *text, size_t len, const char *where, struct network *ret,
		   struct error *err)
{
	struct network n;

	if (json_decode(arena, &network_shape, &n, text, len, where, err) < 0)
		return -1;
	if (network_check(&n, err) < 0)
		return error_frame(err, "%s", where);
	*ret = n;
	return 0;
}

char *network_print(struct arena *arena, const struct network *n)
{
	return arena_printf(arena, "%s\n", json_print(arena, json_encode(arena, &network_shape, n), 2));
}

/* --- names */

bool network_name_is_mode(const char *name)
{
	static const char *const modes[] = { "bridge", "none", "host", "container", "ns", "private", "default", "pasta",
					     "slirp4netns" };

	for (size_t i = 0; i < ELEMENTS(modes); i++)
		if (strcmp(name, modes[i]) == 0)
			return true;
	return false;
}

int network_check_name(const char *name, struct error *err)
{
	if (!reference_is_object_name(name))
		return error_set(err, ERROR_INVALID, "network name %.300s invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: "
				 "invalid argument", name);
	if (strlen(name) > NETWORK_NAME_MAX)
		return error_set(err, ERROR_INVALID, "network name %.20s... invalid: it has more than %d characters", name,
				 NETWORK_NAME_MAX);
	return 0;
}

bool network_interface_is_valid(const char *name)
{
	return strlen(name) <= NETWORK_INTERFACE_MAX && reference_is_object_name(name);
}

static bool is_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int check_words(const struct network *n, struct error *err)
{
	if (network_check_name(n->name, err) < 0)
		return -1;
	if (!is_id(n->id))
		return error_set(err, ERROR_INVALID, "the id of network %s is not 64 hexadecimal digits", n->name);
	if (!network_driver_is_known(n->driver))
		return error_set(err, ERROR_INVALID, "unsupported driver %.100s: invalid argument", n->driver);
	if (n->interface && !network_interface_is_valid(n->interface))
		return error_set(err, ERROR_INVALID, "%.100s is no name for a network interface: at most %d of "
				 "[a-zA-Z0-9][a-zA-Z0-9_.-]*", n->interface, NETWORK_INTERFACE_MAX);
	return 0;
}

/* --- subnets */

/* What a subnet cannot take: it means something else everywhere. */
static const struct { const char *prefix, *what; } reserved[] = {
	{ "0.0.0.0/8", "this host" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link-local addresses" },
	{ "224.0.0.0/3", "multicast and reserved addresses" },
	{ "::/8", "loopback and mapped addresses" },
	{ "fe80::/10", "link-local addresses" },
	{ "ff00::/8", "multicast" },
};

static int check_reserved(const struct network_subnet *s, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(reserved); i++) {
		struct ip_prefix p;

		if (ip_parse_prefix(reserved[i].prefix, &p) && ip_overlap(&p, &s->prefix))
			return error_set(err, ERROR_INVALID, "subnet %s cannot be used: %s is for %s", s->subnet, reserved[i].prefix,
					 reserved[i].what);
	}
	return 0;
}

/* What an interface may have: of IPv4 neither the network's nor the broadcast address, of IPv6 not that of all routers;
 * two addresses are a link between two (RFC 3021, RFC 6164). */
static struct ip_range usable(const struct ip_prefix *p)
{
	struct ip_range r = { ip_first(p), ip_last(p) };
	unsigned bits = ip_bits(p->address.family);

	if (p->length + 1 < bits)
		ip_add(&r.first, 1, &r.first);
	if (p->length + 1 < bits && p->address.family == IP_V4)
		r.last.bytes[3]--;
	return r;
}

static int check_gateway(struct network_subnet *s, struct error *err)
{
	struct ip_range fit = usable(&s->prefix);

	s->gateway_ip = (struct ip_address){ 0 };
	if (!s->gateway)
		return 0;
	if (!ip_parse(s->gateway, &s->gateway_ip))
		return error_set(err, ERROR_INVALID, "gateway %.100s is not an IP address", s->gateway);
	if (!ip_has(&s->prefix, &s->gateway_ip))
		return error_set(err, ERROR_INVALID, "gateway %s not in subnet %s", s->gateway, s->subnet);
	if (!ip_range_has(&fit, &s->gateway_ip))
		return error_set(err, ERROR_INVALID, "gateway %s cannot be used: it is the network or broadcast address of %s",
				 s->gateway, s->subnet);
	return 0;
}

static int take_end(const struct network_subnet *s, const char *text, const char *which, struct ip_address *ret,
		    struct error *err)
{
	if (!text)
		return 0;
	if (!ip_parse(text, ret))
		return error_set(err, ERROR_INVALID, "lease range %s %.100s is not an IP address", which, text);
	if (!ip_has(&s->prefix, ret))
		return error_set(err, ERROR_INVALID, "lease range %s ip %s not in subnet %s", which, text, s->subnet);
	return 0;
}

static int check_lease(struct network_subnet *s, struct error *err)
{
	struct ip_range fit = usable(&s->prefix), r = fit;

	if (s->lease_range && (take_end(s, s->lease_range->start_ip, "start", &r.first, err) < 0 ||
			       take_end(s, s->lease_range->end_ip, "end", &r.last, err) < 0))
		return -1;
	if (ip_compare(&r.first, &r.last) > 0)
		return error_set(err, ERROR_INVALID, "lease range of subnet %s ends before it starts", s->subnet);
	s->lease.first = ip_compare(&r.first, &fit.first) < 0 ? fit.first : r.first;
	s->lease.last = ip_compare(&r.last, &fit.last) > 0 ? fit.last : r.last;
	if (ip_range_count(&s->lease) > 1 || (ip_range_count(&s->lease) == 1 && ip_compare(&s->lease.first, &s->gateway_ip)))
		return 0;
	return error_set(err, ERROR_INVALID, "lease range of subnet %s has no address for a container", s->subnet);
}

static int check_subnet(struct network_subnet *s, struct error *err)
{
	if (!ip_parse_prefix(s->subnet, &s->prefix))
		return error_set(err, ERROR_INVALID, "invalid CIDR address: %.100s", s->subnet);
	if (!ip_is_network(&s->prefix)) {
		struct ip_address first = ip_first(&s->prefix);
		char text[IP_TEXT_SIZE];

		error_set(err, ERROR_INVALID, "subnet %s has bits set after its prefix", s->subnet);
		return error_hint(err, "write %s/%u", ip_print(&first, text), s->prefix.length);
	}
	if (s->prefix.length == ip_bits(s->prefix.address.family))
		return error_set(err, ERROR_INVALID, "subnet %s is too small: a gateway and a container need an address each",
				 s->subnet);
	if (check_reserved(s, err) < 0 || check_gateway(s, err) < 0)
		return -1;
	return check_lease(s, err);
}

static int check_subnets(struct network *n, struct error *err)
{
	if (n->subnets.n > NETWORK_SUBNETS_MAX)
		return error_set(err, ERROR_INVALID, "network %s has %zu subnets: at most %d are possible", n->name, n->subnets.n,
				 NETWORK_SUBNETS_MAX);
	for (size_t i = 0; i < n->subnets.n; i++) {
		struct network_subnet *s = &n->subnets.v[i];

		if (check_subnet(s, err) < 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (ip_overlap(&s->prefix, &n->subnets.v[j].prefix))
				return error_set(err, ERROR_INVALID, "subnets %s and %s overlap", n->subnets.v[j].subnet, s->subnet);
	}
	return 0;
}

/* --- routes, name servers */

static bool is_on_link(const struct network *n, const struct ip_address *a)
{
	for (size_t i = 0; i < n->subnets.n; i++)
		if (ip_has(&n->subnets.v[i].prefix, a))
			return true;
	return false;
}

static int check_route(const struct network *n, struct network_route *r, struct error *err)
{
	if (!ip_parse_prefix(r->destination, &r->prefix) || !ip_is_network(&r->prefix))
		return error_set(err, ERROR_INVALID, "route destination %.100s is not a network", r->destination);
	if (!ip_parse(r->gateway, &r->gateway_ip))
		return error_set(err, ERROR_INVALID, "route gateway %.100s is not an IP address", r->gateway);
	if (r->gateway_ip.family != r->prefix.address.family)
		return error_set(err, ERROR_INVALID, "route %s via %s: IPv4 and IPv6 cannot be mixed", r->destination, r->gateway);
	if (n->subnets.n && !is_on_link(n, &r->gateway_ip))
		return error_set(err, ERROR_INVALID, "route %s via %s: the gateway is in no subnet of the network", r->destination,
				 r->gateway);
	if (r->metric && *r->metric > UINT32_MAX)
		return error_set(err, ERROR_INVALID, "route %s: the metric %llu is larger than 32 bits", r->destination,
				 (unsigned long long)*r->metric);
	return 0;
}

static int check_routes(struct network *n, struct error *err)
{
	if (n->routes.n > NETWORK_ROUTES_MAX)
		return error_set(err, ERROR_INVALID, "network %s has %zu routes: at most %d are possible", n->name, n->routes.n,
				 NETWORK_ROUTES_MAX);
	for (size_t i = 0; i < n->routes.n; i++)
		if (check_route(n, &n->routes.v[i], err) < 0)
			return -1;
	return 0;
}

static int check_dns_servers(const struct network *n, struct error *err)
{
	struct ip_address a;

	for (size_t i = 0; i < n->dns_servers.n; i++)
		if (!ip_parse(n->dns_servers.v[i], &a))
			return error_set(err, ERROR_INVALID, "unable to parse ip %.100s", n->dns_servers.v[i]);
	return 0;
}

int network_check(struct network *n, struct error *err)
{
	if (check_words(n, err) < 0 || check_subnets(n, err) < 0 || check_routes(n, err) < 0 || check_dns_servers(n, err) < 0)
		return -1;
	return network_check_options(n, err);
}

/* --- MAC addresses */

bool network_parse_mac(const char *text, uint8_t ret[6])
{
	static const char digits[] = "0123456789abcdefABCDEF";
	uint8_t mac[6], any = 0;

	for (int i = 0; i < 6; i++, text += 3) {
		if (strspn(text, digits) != 2 || !(i == 5 ? text[2] == '\0' : text[2] == ':' || text[2] == '-'))
			return false;
		for (int j = 0; j < 2; j++) {
			size_t digit = (size_t)(strchr(digits, text[j]) - digits);

			mac[i] = (uint8_t)(mac[i] << 4 | (digit < 16 ? digit : digit - 6));
		}
		any |= mac[i];
	}
	if (mac[0] & 1 || !any)		/* a group of hosts, or nobody */
		return false;
	memcpy(ret, mac, sizeof(mac));
	return true;
}

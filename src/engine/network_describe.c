#include "engine/network_describe.h"

static bool is_bridge(const struct network *n)
{
	return strcmp(n->driver, "bridge") == 0;
}

static int add_labels(struct arena *arena, const struct strings *texts, struct string_map *ret, struct error *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->v[i];

		if (!*text || *text == '=')
			return error_set(err, ERROR_USAGE, "failed to parse labels: invalid label format: \"%s\"", text);
	}
	map_add_pairs(arena, ret, texts);
	return 0;
}

/* Docker's names of options, and those that are members of the record. */
static void add_option(struct arena *arena, const char *key, const char *value, struct network *ret)
{
	bool names_interface = is_bridge(ret) ? strcmp(key, "com.docker.network.bridge.name") == 0 : strcmp(key, "parent") == 0;

	if (names_interface)
		ret->interface = arena_strdup(arena, value);
	else
		map_set(arena, &ret->options, strcmp(key, "com.docker.network.driver.mtu") == 0 ? "mtu" : key, value);
}

static void add_options(struct arena *arena, const struct strings *texts, struct network *ret)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct pair p = pair_split(arena, texts->v[i]);

		add_option(arena, p.key, p.value, ret);
	}
}

static int add_routes(struct arena *arena, const struct strings *texts, struct network *ret, struct error *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct strings parts = strings_split(arena, texts->v[i], ",");
		struct network_route *r = ARRAY_ADD(arena, &ret->routes);
		unsigned metric;

		if (parts.n < 2 || parts.n > 3 || (parts.n == 3 && str_to_u32(parts.v[2], &metric) < 0)) {
			error_set(err, ERROR_USAGE, "invalid route: %s", texts->v[i]);
			return error_hint(err, "a route is DESTINATION,GATEWAY or DESTINATION,GATEWAY,METRIC: 192.0.2.0/24,10.89.0.5");
		}
		r->destination = parts.v[0];
		r->gateway = parts.v[1];
		if (parts.n == 3) {
			r->metric = arena_new_one(arena, uint64_t);
			*r->metric = metric;
		}
	}
	return 0;
}

static int parse_range(struct arena *arena, const char *text, struct network_lease_range *ret, struct ip_address *ret_first,
		       struct error *err)
{
	struct strings ends = strings_split(arena, text, "-");
	struct ip_prefix p;

	if (ends.n == 2) {
		*ret = (struct network_lease_range){ ends.v[0], ends.v[1] };
		if (ip_parse(ends.v[0], ret_first))
			return 0;
		return error_set(err, ERROR_USAGE, "range start ip \"%s\" is not a ip address", ends.v[0]);
	}
	if (!ip_parse_prefix(text, &p)) {
		error_set(err, ERROR_USAGE, "invalid CIDR address: %s", text);
		return error_hint(err, "a range is a network as 10.89.0.128/25, or FIRST-LAST");
	}
	*ret_first = ip_last(&p);
	ret->end_ip = ip_text(arena, ret_first);
	*ret_first = ip_first(&p);
	ip_add(ret_first, 1, ret_first);	/* as in Podman the range's own name is not given */
	ret->start_ip = ip_text(arena, ret_first);
	return 0;
}

/* The subnet that an address belongs to; the one of the same place when it belongs to none: the check will say so. */
static struct network_subnet *subnet_of(const struct network *n, const struct ip_address *a, size_t place)
{
	for (size_t i = 0; i < n->subnets.n; i++) {
		struct ip_prefix p;

		if (ip_parse_prefix(n->subnets.v[i].subnet, &p) && ip_has(&p, a))
			return &n->subnets.v[i];
	}
	return &n->subnets.v[place];
}

static int add_gateways(const struct network_create_request *r, struct network *ret, struct error *err)
{
	for (size_t i = 0; i < r->gateways.n; i++) {
		const char *text = r->gateways.v[i];
		struct network_subnet *s;
		struct ip_address a;

		if (!ip_parse(text, &a))
			return error_set(err, ERROR_USAGE, "invalid argument \"%s\" for \"--gateway\" flag: invalid string being converted to "
					 "IP address: %s", text, text);
		s = subnet_of(ret, &a, i);
		if (s->gateway)
			return error_set(err, ERROR_USAGE, "subnet %s cannot have two gateways: %s and %s", s->subnet, s->gateway, text);
		s->gateway = r->gateways.v[i];
	}
	return 0;
}

static int add_ranges(struct arena *arena, const struct network_create_request *r, struct network *ret, struct error *err)
{
	for (size_t i = 0; i < r->ip_ranges.n; i++) {
		struct network_lease_range *range = arena_new_one(arena, struct network_lease_range);
		struct network_subnet *s;
		struct ip_address first;

		if (parse_range(arena, r->ip_ranges.v[i], range, &first, err) < 0)
			return -1;
		s = subnet_of(ret, &first, i);
		if (s->lease_range)
			return error_set(err, ERROR_USAGE, "subnet %s cannot have two ranges", s->subnet);
		s->lease_range = range;
	}
	return 0;
}

/* "10.89.7.5/24" means 10.89.7.0/24, as for Podman. What cannot be read is left for the check. */
static char *canonical(struct arena *arena, char *text)
{
	struct ip_prefix p;

	if (!ip_parse_prefix(text, &p))
		return text;
	p.address = ip_first(&p);
	return ip_prefix_text(arena, &p);
}

static int add_subnets(struct arena *arena, const struct network_create_request *r, struct network *ret, struct error *err)
{
	if (!r->subnets.n && (r->gateways.n || r->ip_ranges.n))
		return error_set(err, ERROR_USAGE, "cannot set gateway or range without subnet");
	if (r->gateways.n > r->subnets.n)
		return error_set(err, ERROR_USAGE, "cannot set more gateways than subnets");
	if (r->ip_ranges.n > r->subnets.n)
		return error_set(err, ERROR_USAGE, "cannot set more ranges than subnets");
	for (size_t i = 0; i < r->subnets.n; i++)
		ARRAY_ADD(arena, &ret->subnets)->subnet = canonical(arena, r->subnets.v[i]);
	return add_gateways(r, ret, err) < 0 ? -1 : add_ranges(arena, r, ret, err);
}

int network_describe(struct arena *arena, const struct network_create_request *r, struct network *ret, struct error *err)
{
	*ret = (struct network){
		.name = str_is_empty(r->name) ? NULL : r->name,
		.driver = str_is_empty(r->driver) ? arena_strdup(arena, "bridge") : r->driver,
		.interface = str_is_empty(r->interface) ? NULL : r->interface, .internal = r->internal, .ipv6_enabled = r->ipv6, .dns_servers = r->dns,
	};
	map_set(arena, &ret->ipam_options, "driver", str_is_empty(r->ipam_driver) || strcmp(r->ipam_driver, "default") == 0 ?
		"host-local" : r->ipam_driver);
	ret->dns_enabled = !r->disable_dns && is_bridge(ret) && strcmp(network_ipam_driver(ret), "none") != 0;
	if (r->dns.n && !ret->dns_enabled)
		return error_set(err, ERROR_USAGE, "cannot set DNS servers if DNS is not enabled for the network: invalid argument");
	if (add_labels(arena, &r->labels, &ret->labels, err) < 0 || add_routes(arena, &r->routes, ret, err) < 0)
		return -1;
	add_options(arena, &r->options, ret);
	return add_subnets(arena, r, ret, err);
}

#include "net/bridge.h"

#include <errno.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "net/firewall.h"
#include "net/gateway.h"
#include "net/host.h"
#include "net/lease.h"
#include "sys/errand.h"
#include "sys/netlink_link.h"

#define METRIC 100

JSON_SHAPE(bridge_address,
	JSON_FIELD(bridge_address, ip, "ip", T_STRING, .required = true),
	JSON_FIELD(bridge_address, gateway, "gateway", T_STRING),
	JSON_FIELD(bridge_address, prefix, "prefix", T_INT, .required = true));

JSON_SHAPE(bridge_endpoint,
	JSON_FIELD(bridge_endpoint, network, "network", T_STRING, .required = true),
	JSON_FIELD(bridge_endpoint, network_id, "networkId", T_STRING),
	JSON_FIELD(bridge_endpoint, interface, "interface", T_STRING, .required = true),
	JSON_FIELD(bridge_endpoint, mac, "mac", T_STRING),
	JSON_FIELD(bridge_endpoint, addresses, "addresses", T_OBJECTS, .shape = &bridge_address_shape),
	JSON_FIELD(bridge_endpoint, aliases, "aliases", T_STRINGS),
	JSON_FIELD(bridge_endpoint, has_routes, "hasRoutes", T_BOOL),
	JSON_FIELD(bridge_endpoint, index, "index", T_INT));

static int family_of(const struct ip_address *a)
{
	return a->family == IP_V4 ? AF_INET : AF_INET6;
}

static unsigned mtu_of(const struct network *n)
{
	unsigned mtu = network_mtu(n);

	return mtu ? mtu : GATEWAY_MTU;
}

/* A locally administered one that goes with the address, so that one that is given again leads no neighbour astray;
 * without an address a random one. */
static void make_mac(const struct ip_address *a, uint8_t ret[6])
{
	ret[0] = 'b';
	ret[1] = a->family == IP_V4 ? '4' : a->family == IP_V6 ? '6' : '0';
	if (a->family != IP_NONE)
		memcpy(ret + 2, a->bytes + ip_size(a->family) - 4, 4);
	else if (getrandom(ret + 2, 4, 0) < 0)
		memset(ret + 2, 0, 4);
}

/* The cure, when there is one. */
static void explain(struct error *err)
{
	if (err && err->sys == EOPNOTSUPP)
		error_hint(err, "this kernel has no bridges or no veth pairs; as root: modprobe -a bridge veth; or use --network "
			   "slirp4netns, pasta, host or none");
}

/* --- the bridge */

static int add_gateways(const struct rootless *r, const struct network *n, unsigned index, struct error *err)
{
	for (size_t i = 0; i < n->subnets.n; i++) {
		const struct network_subnet *s = &n->subnets.v[i];
		struct netlink_address a = { family_of(&s->gateway_ip), s->gateway_ip.bytes, s->prefix.length };

		if (s->gateway_ip.family != IP_NONE && netlink_link_add_address(r->socket, index, &a, err) < 0)
			return -1;
	}
	return 0;
}

struct preparation {
	struct arena *arena;
	int ns;
	const struct network *n;	/* whose addresses must be free; NULL: nobody's */
	const char *rules;		/* NULL: none */
};

/* In the namespace: does anybody have one of these addresses already? Networks of one store do not overlap; but stores may
 * share a runtime directory. */
static int check_free(struct arena *arena, const struct network *n, struct error *err)
{
	struct host_prefixes taken;

	host_prefixes_read(arena, &taken);
	for (size_t i = 0; i < taken.n; i++)
		for (size_t k = 0; k < n->subnets.n; k++) {
			if (!ip_overlap(&taken.v[i].prefix, &n->subnets.v[k].prefix))
				continue;
			error_set(err, ERROR_EXISTS, "subnet %s overlaps %s, which the bridge %s has", n->subnets.v[k].subnet,
				  ip_prefix_text(arena, &taken.v[i].prefix), taken.v[i].interface);
			return error_hint(err, "that bridge belongs to containers of another store with the same XDG_RUNTIME_DIR; "
					  "make a network with another --subnet");
		}
	return 0;
}

/* In a child: the rules, if there are any. */
static int prepare_there(void *context, struct error *err)
{
	const struct preparation *p = context;

	if (setns(p->ns, CLONE_NEWNET) < 0)
		return error_errno(err, "enter the rootless network namespace");
	if (p->n && check_free(p->arena, p->n, err) < 0)
		return -1;
	return p->rules ? firewall_load(p->arena, p->rules, err) : 0;
}

static void bridge_mac(const struct network *n, uint8_t ret[6])
{
	make_mac(n->subnets.n ? &n->subnets.v[0].gateway_ip : &(struct ip_address){ 0 }, ret);
}

/* Up comes last: a bridge that is up is complete. */
static int make(struct arena *arena, const struct rootless *r, const struct network *n, unsigned *ret_index, struct error *err)
{
	struct preparation p = { arena, r->ns, n, firewall_add(arena, n) };
	struct netlink_link link;
	uint8_t mac[6];

	bridge_mac(n, mac);
	if (errand_run(prepare_there, &p, err) < 0)
		return -1;
	if (netlink_link_add_bridge(r->socket, n->interface, mtu_of(n), mac, network_vlan(n), err) < 0) {
		if (network_vlan(n) && err && err->sys == EOPNOTSUPP)
			error_hint(err, "this kernel's bridges know no VLANs (CONFIG_BRIDGE_VLAN_FILTERING): make the network without -o vlan");
		return -1;
	}
	if (netlink_link_find(r->socket, n->interface, &link, err) < 0)
		return -1;
	*ret_index = link.index;
	if (add_gateways(r, n, link.index, err) == 0 && netlink_link_set_up(r->socket, link.index, err) == 0)
		return 0;
	netlink_link_delete(r->socket, link.index, NULL);
	return -1;
}

static int load(struct arena *arena, const struct rootless *r, const char *rules, struct error *err)
{
	struct preparation p = { arena, r->ns, NULL, rules };

	return rules ? errand_run(prepare_there, &p, err) : 0;
}

/* Its hardware address goes with the gateway's. */
static int check_owner(const struct network *n, const struct netlink_link *link, struct error *err)
{
	uint8_t mac[6];

	bridge_mac(n, mac);
	if (!n->subnets.n || n->subnets.v[0].gateway_ip.family == IP_NONE || memcmp(mac, link->mac, sizeof(mac)) == 0)
		return 0;
	error_set(err, ERROR_EXISTS, "its bridge %s is another network's", n->interface);
	return error_hint(err, "that belongs to containers of another store with the same XDG_RUNTIME_DIR; make the network with "
			  "another --interface-name");
}

static int open_bridge(struct arena *arena, struct rootless *r, const struct network *n, unsigned *ret_index, struct error *err)
{
	struct netlink_link link;

	if (rootless_socket(r, err) < 0 || netlink_link_find(r->socket, n->interface, &link, err) < 0)
		return -1;
	*ret_index = link.index;
	if (link.is_up)
		return check_owner(n, &link, err);
	if (rootless_alone(arena, r, err) < 0 || rootless_socket(r, err) < 0 ||
	    netlink_link_find(r->socket, n->interface, &link, err) < 0)
		return -1;
	*ret_index = link.index;
	if (link.is_up)		/* somebody else was faster */
		return check_owner(n, &link, err);
	if (link.index && netlink_link_delete(r->socket, link.index, err) < 0)	/* its maker was killed */
		return -1;
	return make(arena, r, n, ret_index, err) < 0 ? error_frame(err, "make the bridge of network %s", n->name) : 0;
}

int bridge_reload(struct arena *arena, struct rootless *r, const struct network *v, size_t n, struct error *err)
{
	struct strings rules = { 0 };

	strings_add(arena, &rules, firewall_table());
	strings_add(arena, &rules, gateway_rules());
	for (size_t i = 0; i < n; i++) {
		const char *own = v[i].interface ? firewall_add(arena, &v[i]) : NULL;

		if (own)
			strings_add(arena, &rules, own);
	}
	return load(arena, r, strings_join(arena, &rules, ""), err);
}

int bridge_remove(struct arena *arena, struct rootless *r, const struct network *n, struct error *err)
{
	struct netlink_link link;

	if (!n->interface)
		return 0;
	if (rootless_socket(r, err) < 0 || netlink_link_find(r->socket, n->interface, &link, err) < 0)
		return -1;
	if (!link.index)
		return 0;
	if (load(arena, r, firewall_remove(arena, n), err) < 0)
		return -1;
	return netlink_link_delete(r->socket, link.index, err);
}

/* --- addresses */

const struct bridge_address *bridge_address_of(const struct bridge_endpoint *e, enum ip_family family)
{
	struct ip_address a;

	for (size_t i = 0; i < e->addresses.n; i++)
		if (ip_parse(e->addresses.v[i].ip, &a) && a.family == family)
			return &e->addresses.v[i];
	return NULL;
}

/* The one that is asked for in this subnet; false when none is. */
static bool find_wanted(const struct bridge_request *q, const struct network_subnet *s, struct ip_address *ret)
{
	for (size_t i = 0; i < q->ips.n; i++)
		if (ip_parse(q->ips.v[i], ret) && ip_has(&s->prefix, ret))
			return true;
	return false;
}

static int check_driver(const struct network *n, struct error *err)
{
	if (str_eq(n->driver, "bridge") && n->interface)
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "network %s has the driver %s", n->name, n->driver);
	return error_hint(err, "it needs an interface of the host, which an unprivileged user cannot share; networks of the "
			  "driver bridge are for containers");
}

static int check_request(const struct network *n, const struct bridge_request *q, struct error *err)
{
	struct ip_address a;
	uint8_t mac[6];

	for (size_t i = 0; i < q->ips.n; i++) {
		bool found = false;

		if (!ip_parse(q->ips.v[i], &a))
			return error_set(err, ERROR_USAGE, "\"%.100s\" is not an ip address", q->ips.v[i]);
		for (size_t j = 0; j < n->subnets.n; j++)
			found = found || ip_has(&n->subnets.v[j].prefix, &a);
		if (!found)
			return error_set(err, ERROR_USAGE, "requested static ip %s not in any subnet on network %s", q->ips.v[i], n->name);
	}
	if (q->mac && !network_parse_mac(q->mac, mac))
		return error_set(err, ERROR_USAGE, "invalid MAC address \"%.100s\"", q->mac);
	return 0;
}

/* What belongs to the dead may be in the way. */
static int take(struct arena *arena, struct rootless *r, const struct network *n, const struct network_subnet *s,
		const struct ip_address *wanted, const char *id, struct ip_address *ret, struct error *err)
{
	const struct rootless_home *home = r->home;
	const struct lease_search search = { .lives = home->lives, .context = home->context };
	struct error failure = { 0 };

	if (lease_take(home->run_fd, n->name, s, wanted, id, ret, &failure) == 0)
		return 0;
	if (error_is(&failure, ERROR_USAGE) || !lease_count(home->run_fd, &search).dead) {
		if (err)
			*err = failure;
		return -1;
	}
	if (rootless_alone(arena, r, err) < 0)
		return -1;
	lease_collect(home->run_fd, &search);
	return lease_take(home->run_fd, n->name, s, wanted, id, ret, err);
}

static char *mac_text(struct arena *arena, const uint8_t m[6])
{
	return arena_printf(arena, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void set_mac(struct arena *arena, const struct bridge_request *q, const struct ip_address *first,
		    struct bridge_endpoint *e)
{
	uint8_t mac[6];

	if (!q->mac || !network_parse_mac(q->mac, mac))
		make_mac(first, mac);
	e->mac = mac_text(arena, mac);
}

void bridge_leave(const struct rootless_home *home, const struct bridge_endpoint *e, const char *id)
{
	for (size_t i = 0; i < e->addresses.n; i++)
		lease_give_back(home->run_fd, e->network, e->addresses.v[i].ip, id);
}

int bridge_join(struct arena *arena, struct rootless *r, const struct network *n, const struct bridge_request *q,
		const char *id, struct bridge_endpoint *ret, struct error *err)
{
	struct ip_address wanted, got = { .family = IP_NONE };

	*ret = (struct bridge_endpoint){ .network = n->name, .network_id = n->id, .interface = q->interface,
					 .aliases = q->aliases };
	if (check_driver(n, err) < 0 || check_request(n, q, err) < 0)
		return error_frame(err, "network %s", n->name);
	for (size_t i = 0; i < n->subnets.n; i++) {
		const struct network_subnet *s = &n->subnets.v[i];
		bool has_wanted = find_wanted(q, s, &wanted), has_gateway = s->gateway_ip.family != IP_NONE;
		struct bridge_address *a;

		if (take(arena, r, n, s, has_wanted ? &wanted : NULL, id, &got, err) < 0) {
			bridge_leave(r->home, ret, id);
			return error_frame(err, "network %s", n->name);
		}
		a = ARRAY_ADD(arena, &ret->addresses);
		*a = (struct bridge_address){ .ip = ip_text(arena, &got), .prefix = s->prefix.length,
					      .gateway = has_gateway ? ip_text(arena, &s->gateway_ip) : NULL };
		ret->has_routes = ret->has_routes || (has_gateway && network_has_default_route(n));
		if (i == 0)
			set_mac(arena, q, &got, ret);
	}
	if (!ret->mac)
		set_mac(arena, q, &got, ret);
	return 0;
}

/* --- the container's end */

static unsigned metric_of(const struct network *n, size_t position)
{
	const char *text = map_get(&n->options, "metric");
	unsigned metric;

	return text && str_to_u32(text, &metric) == 0 ? metric : METRIC + (unsigned)position;
}

static int add_addresses(const struct bridge_endpoint *e, int inside, unsigned index, struct error *err)
{
	for (size_t i = 0; i < e->addresses.n; i++) {
		struct ip_address a;

		if (!ip_parse(e->addresses.v[i].ip, &a))
			return error_set(err, ERROR_INVALID, "malformed address %s", e->addresses.v[i].ip);
		if (netlink_link_add_address(inside, index,
					     &(struct netlink_address){ family_of(&a), a.bytes, (unsigned)e->addresses.v[i].prefix },
					     err) < 0)
			return -1;
	}
	return 0;
}

/* One default route a family, by the first subnet that has a gateway. */
static int add_default_routes(const struct network *n, int inside, unsigned index, size_t position, struct error *err)
{
	bool done[3] = { false };

	for (size_t i = 0; i < n->subnets.n && network_has_default_route(n); i++) {
		const struct ip_address *gateway = &n->subnets.v[i].gateway_ip;
		struct netlink_address everywhere = { .family = family_of(gateway) };

		if (gateway->family == IP_NONE || done[gateway->family])
			continue;
		if (netlink_link_add_route(inside, index, &everywhere, gateway->bytes, metric_of(n, position), err) < 0)
			return -1;
		done[gateway->family] = true;
	}
	return 0;
}

static int add_routes(const struct network *n, int inside, unsigned index, struct error *err)
{
	for (size_t i = 0; i < n->routes.n; i++) {
		const struct network_route *route = &n->routes.v[i];
		struct ip_address first = ip_first(&route->prefix);
		struct netlink_address to = { family_of(&first), first.bytes, route->prefix.length };

		if (netlink_link_add_route(inside, index, &to, route->gateway_ip.bytes,
					   route->metric ? (uint32_t)*route->metric : METRIC, err) < 0)
			return error_frame(err, "route to %s", route->destination);
	}
	return 0;
}

static int attach(struct arena *arena, struct rootless *r, const struct network *n, int ns, int inside, size_t position,
		  struct bridge_endpoint *e, struct error *err)
{
	struct netlink_link own;
	uint8_t mac[6];
	struct netlink_pair pair = { .mtu = mtu_of(n), .other_ns = ns, .other_name = e->interface, .other_mac = mac };

	if (open_bridge(arena, r, n, &pair.bridge, err) < 0)
		return -1;
	if (!network_parse_mac(e->mac, mac))
		return error_set(err, ERROR_INVALID, "malformed MAC address %s", e->mac);
	if (netlink_link_add_pair(r->socket, &pair, err) < 0 || netlink_link_find(inside, e->interface, &own, err) < 0)
		return -1;
	e->index = own.other;
	if (netlink_link_set_up(inside, own.index, err) < 0 || add_addresses(e, inside, own.index, err) < 0)
		return -1;
	if (add_default_routes(n, inside, own.index, position, err) < 0)
		return -1;
	return add_routes(n, inside, own.index, err);
}

int bridge_attach(struct arena *arena, struct rootless *r, const struct network *n, int ns, int inside, size_t position,
		  struct bridge_endpoint *e, struct error *err)
{
	if (attach(arena, r, n, ns, inside, position, e, err) == 0)
		return 0;
	explain(err);
	return error_frame(err, "connect the container to network %s", n->name);
}

int bridge_reattach(struct arena *arena, struct rootless *r, const struct network *n, int ns, int inside, size_t position,
		    struct bridge_endpoint *e, struct error *err)
{
	struct netlink_link own, other = { 0 };

	if (rootless_socket(r, err) < 0 || netlink_link_find(inside, e->interface, &own, err) < 0 ||
	    (own.other && netlink_link_at(r->socket, own.other, &other, err) < 0))
		return -1;
	if (own.index && other.other == own.index)
		return 0;
	if (own.index && netlink_link_delete(inside, own.index, err) < 0)	/* something keeps the lost namespace alive */
		return -1;
	return bridge_attach(arena, r, n, ns, inside, position, e, err) < 0 ? -1 : 1;
}

int bridge_detach(struct rootless *r, const struct bridge_endpoint *e, struct error *err)
{
	if (e->index == 0)
		return 0;
	if (rootless_socket(r, err) == 0 && (netlink_link_delete(r->socket, (unsigned)e->index, err) == 0 || errno == ENODEV))
		return 0;
	return error_frame(err, "disconnect the container from network %s", e->network);
}

#include "engine/inspect_network.h"

#include "engine/network.h"
#include "engine/state.h"
#include "store/network.h"

#define SET(name, value) json_set(a, j, name, value)
#define TEXT(s) json_new_string(a, (s) ? (s) : "")
#define INT(n) json_new_int(a, (int64_t)(n))

/* --- ports */

static struct json *bindings_json(struct arena *a, const struct strings *ports)
{
	struct json *j = json_new_object(a);

	for (size_t i = 0; i < ports->n; i++) {
		struct json *binding = json_new_object(a), *list;
		struct port_text p;
		char *port;

		if (network_port_parse(a, ports->v[i], &p) < 0)
			continue;
		json_set(a, binding, "HostIp", TEXT(p.host_ip));
		json_set(a, binding, "HostPort", TEXT(arena_printf(a, "%u", p.host_port)));
		port = arena_printf(a, "%u/%s", p.container_port, p.protocol);
		list = (struct json *)json_get(j, port);	/* one port may be published at several addresses */
		if (!list)
			SET(port, list = json_new_list(a));
		json_append(a, list, binding);
	}
	return j;
}

/* As they are while it runs, else as they were asked for. */
static struct strings wanted_ports(struct engine *e, const struct container *c, const struct container_state *s)
{
	struct strings ports = s->ports;
	struct error ignored = { 0 };
	struct net_request r;

	if (!ports.n && network_request(e, c, s, &r, &ignored) == 0)
		network_port_texts(e->arena, &r, &ports);
	return ports;
}

struct json *inspect_network_bindings(struct engine *e, const struct container *c, const struct container_state *s)
{
	struct strings ports = wanted_ports(e, c, s);

	return bindings_json(e->arena, &ports);
}

/* --- networks */

/* What was asked for, as far as it can be told: a network may be gone. */
static struct net_request asked(struct engine *e, const struct container *c, const struct container_state *s)
{
	struct error ignored = { 0 };
	struct net_request r;

	if (network_request(e, c, s, &r, &ignored) == 0)
		return r;
	r = (struct net_request){ 0 };
	for (size_t i = 0; i < c->request.network.n; i++)
		if (net_parse_mode(e->arena, c->request.network.v[i], &r, &ignored) < 0)
			break;
	return r;
}

static const char *mode_text(const struct container *c, const struct container_state *s, const struct net_request *r)
{
	if (!c->request.network.n && state_is_live(s) && s->network_mode)
		return s->network_mode;
	return r->mode == NET_BRIDGE || !c->request.network.n ? net_mode_name(r->mode) : c->request.network.v[0];
}

const char *inspect_network_mode(struct engine *e, const struct container *c, const struct container_state *s)
{
	struct net_request r = asked(e, c, s);

	return mode_text(c, s, &r);
}

static void set_addresses(struct arena *a, struct json *j, const struct bridge_endpoint *endpoint)
{
	static const struct { enum ip_family family; const char *ip, *prefix, *gateway; } names[] = {
		{ IP_V4, "IPAddress", "IPPrefixLen", "Gateway" },
		{ IP_V6, "GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPv6Gateway" },
	};

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		const struct bridge_address *address = endpoint ? bridge_address_of(endpoint, names[i].family) : NULL;

		SET(names[i].ip, TEXT(address ? address->ip : NULL));
		SET(names[i].prefix, INT(address ? address->prefix : 0));
		SET(names[i].gateway, TEXT(address ? address->gateway : NULL));
	}
	SET("MacAddress", TEXT(endpoint ? endpoint->mac : NULL));
}

/* The short id is an alias everywhere, as in Podman. */
static struct json *aliases_json(struct arena *a, const struct container *c, const struct strings *aliases)
{
	struct strings all = { 0 };

	strings_add_all(a, &all, aliases);
	strings_add(a, &all, arena_strndup(a, c->id, 12));
	return json_new_strings(a, &all);
}

static struct json *endpoint_json(struct arena *a, const struct container *c, const char *name,
				  const struct strings *aliases, const struct bridge_endpoint *endpoint)
{
	struct json *j = json_new_object(a);

	SET("EndpointID", TEXT(""));
	set_addresses(a, j, endpoint);
	SET("NetworkID", TEXT(endpoint && endpoint->network_id ? endpoint->network_id : name));
	SET("DriverOpts", json_new_null(a));
	SET("IPAMConfig", json_new_null(a));
	SET("Links", json_new_null(a));
	SET("Aliases", aliases_json(a, c, aliases));
	return j;
}

/* One of the user-mode stack, for clients that look for an address here. */
static struct json *helper_json(struct arena *a, const struct container_state *s, const char *mode)
{
	struct json *networks = json_new_object(a), *j = json_new_object(a);

	SET("EndpointID", TEXT(""));
	SET("Gateway", TEXT(s->gateway));
	SET("IPAddress", TEXT(s->ip));
	SET("MacAddress", TEXT(s->mac));
	SET("NetworkID", TEXT(mode));
	SET("Aliases", json_new_list(a));
	json_set(a, networks, arena_strndup(a, mode, strcspn(mode, ":")), j);
	return networks;
}

static const struct bridge_endpoint *find_endpoint(const struct container_state *s, const char *network)
{
	for (size_t i = 0; i < s->networks.n && state_is_live(s); i++)
		if (str_eq(s->networks.v[i].network, network))
			return &s->networks.v[i];
	return NULL;
}

/* {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} is what scripts ask. */
static struct json *networks_json(struct arena *a, const struct container *c, const struct container_state *s,
				  const struct net_request *r)
{
	struct json *j = json_new_object(a);

	for (size_t i = 0; i < r->networks.n; i++) {
		const struct bridge_request *q = &r->networks.v[i];

		SET(q->network, endpoint_json(a, c, q->network, &q->aliases, find_endpoint(s, q->network)));
	}
	return j;
}

/* As in Podman the addresses stand here too when the default network is the only one. */
static const struct bridge_endpoint *only_default(const struct container_state *s)
{
	return s->networks.n == 1 ? find_endpoint(s, NETWORK_DEFAULT) : NULL;
}

/* The container whose network this one shares; false when it has one of its own or the other is gone. */
static bool load_shared(struct engine *e, const struct net_request *r, struct container *ret,
			struct container_state *ret_state)
{
	struct error ignored = { 0 };

	return r->mode == NET_CONTAINER && container_load(e, r->target, ret, &ignored) == 0 &&
	       container_load_state(e, ret, ret_state, &ignored) == 0 && asked(e, ret, ret_state).mode != NET_CONTAINER;
}

struct json *inspect_network(struct engine *e, const struct container *c, const struct container_state *s)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);
	struct net_request r = asked(e, c, s);
	const char *mode = mode_text(c, s, &r);
	struct container other;
	struct container_state other_state;

	if (load_shared(e, &r, &other, &other_state))
		return inspect_network(e, &other, &other_state);
	if (r.mode == NET_BRIDGE || r.mode == NET_NONE) {
		set_addresses(a, j, only_default(s));
	} else {
		SET("IPAddress", TEXT(s->ip));
		SET("Gateway", TEXT(s->gateway));
		SET("MacAddress", TEXT(s->mac));
	}
	SET("Ports", bindings_json(a, &s->ports));
	SET("SandboxKey", TEXT(state_is_live(s) ? arena_printf(a, "/proc/%lld/ns/net", (long long)s->pid) : NULL));
	SET("Networks", r.mode == NET_BRIDGE ? networks_json(a, c, s, &r) :
			r.mode == NET_NONE || str_is_empty(s->ip) ? json_new_object(a) : helper_json(a, s, mode));
	return j;
}

#include "engine/network_names.h"

#include "engine/state.h"
#include "net/names.h"
#include "store/network.h"

struct strings network_names_of(struct arena *arena, const struct container *c, const struct bridge_endpoint *endpoint)
{
	struct strings names = { 0 };

	strings_add(arena, &names, c->name);
	strings_addf(arena, &names, "%.12s", c->id);
	for (size_t i = 0; i < endpoint->aliases.n; i++)
		if (!strings_has(&names, endpoint->aliases.v[i]))
			strings_add(arena, &names, endpoint->aliases.v[i]);
	return names;
}

static bool is_served(const struct network_bridge *b)
{
	for (size_t i = 0; i < b->networks.n; i++)
		if (names_are_served(&b->networks.v[i]))
			return true;
	return false;
}

void network_names_plan(struct engine *e, const struct network_bridge *b, struct net_result *result)
{
	struct strings servers = { 0 };

	if (!is_served(b))
		return;
	if (!names_program(e->arena)) {
		engine_warn(e, "aardvark-dns is not installed: containers on the same network know each other by /etc/hosts only, from "
			    "their start on (Debian, Ubuntu: apt install aardvark-dns)");
		return;
	}
	for (size_t i = 0; i < b->networks.n; i++)
		for (size_t k = 0; names_are_served(&b->networks.v[i]) && k < b->networks.v[i].subnets.n; k++)
			if (b->networks.v[i].subnets.v[k].gateway)
				strings_add(e->arena, &servers, b->networks.v[i].subnets.v[k].gateway);
	result->dns = servers;
	result->dns_only = true;
	strings_add(e->arena, &result->search, NAMES_DOMAIN);
}

void network_names_add(struct engine *e, const struct container *c, const struct network_bridge *b)
{
	struct error err = { 0 };

	for (size_t i = 0; i < b->networks.n; i++) {
		struct strings names = network_names_of(e->arena, c, &b->endpoints.v[i]);
		const struct names_entry entry = { .id = c->id, .endpoint = &b->endpoints.v[i], .names = &names,
						   .servers = &c->request.dns };

		if (!names_are_served(&b->networks.v[i]) || !names_program(e->arena))
			continue;
		if (names_add(e->arena, &b->rootless, &b->networks.v[i], &entry, &err) == 0 &&
		    names_await(&b->rootless, &b->networks.v[i], entry.endpoint, arena_printf(e->arena, "%.12s", c->id), &err) == 0)
			continue;
		engine_warn(e, "the names of containers are not resolved on network %s: %s", b->networks.v[i].name, err.text);
		error_clear(&err);
	}
}

void network_names_remove(struct engine *e, const char *id)
{
	names_remove(e->arena, network_bridge_home(e), NULL, id);
}

/* --- without aardvark-dns */

static bool shares(const struct net_request *r, const char *network)
{
	for (size_t i = 0; i < r->networks.n; i++)
		if (str_eq(r->networks.v[i].network, network))
			return true;
	return false;
}

static void add_other(struct engine *e, const struct container *c, const struct net_request *r, struct strings *ret)
{
	struct container_state s;

	state_load_present(e, c, &s, NULL);
	for (size_t i = 0; state_is_live(&s) && i < s.networks.n; i++) {
		struct strings names = network_names_of(e->arena, c, &s.networks.v[i]);
		struct network n;

		if (!shares(r, s.networks.v[i].network) ||
		    network_read(e->arena, &e->store, s.networks.v[i].network, &n, NULL) < 0 || !n.dns_enabled)
			continue;
		for (size_t k = 0; k < s.networks.v[i].addresses.n; k++)
			strings_addf(e->arena, ret, "%s %s", s.networks.v[i].addresses.v[k].ip, strings_join(e->arena, &names, " "));
	}
}

void network_names_others(struct engine *e, const char *id, const struct net_request *r, struct strings *ret)
{
	struct containers all;

	*ret = (struct strings){ 0 };
	if (r->mode != NET_BRIDGE || names_program(e->arena) || container_load_all(e, &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.n; i++)
		if (!str_eq(all.v[i].id, id))
			add_other(e, &all.v[i], r, ret);
}

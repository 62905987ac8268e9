/* One network with the containers that are on it */
#include "engine/network_list.h"
#include "engine/state.h"

static struct json *subnets_json(struct arena *arena, const struct bridge_endpoint *endpoint)
{
	struct json *list = json_new_list(arena);

	for (size_t i = 0; i < endpoint->addresses.n; i++) {
		const struct bridge_address *a = &endpoint->addresses.v[i];
		struct json *one = json_new_object(arena);

		json_set(arena, one, "ipnet", json_new_string(arena, arena_printf(arena, "%s/%lld", a->ip, (long long)a->prefix)));
		if (a->gateway)
			json_set(arena, one, "gateway", json_new_string(arena, a->gateway));
		json_append(arena, list, one);
	}
	return list;
}

static struct json *container_json(struct arena *arena, const struct container *c, const struct bridge_endpoint *endpoint)
{
	struct json *j = json_new_object(arena), *interfaces = json_new_object(arena), *one = json_new_object(arena);

	json_set(arena, one, "subnets", subnets_json(arena, endpoint));
	json_set(arena, one, "mac_address", json_new_string(arena, endpoint->mac ? endpoint->mac : ""));
	json_set(arena, interfaces, endpoint->interface, one);
	json_set(arena, j, "name", json_new_string(arena, c->name));
	json_set(arena, j, "interfaces", interfaces);
	return j;
}

/* As in Podman those that run. */
static int containers_json(struct engine *e, const struct network *n, struct json **ret, struct error *err)
{
	struct json *j = json_new_object(e->arena);
	struct containers all;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		struct container_state s;

		state_load_present(e, &all.v[i], &s, NULL);
		for (size_t k = 0; state_is_live(&s) && k < s.networks.n; k++)
			if (str_eq(s.networks.v[k].network, n->name))
				json_set(e->arena, j, all.v[i].id, container_json(e->arena, &all.v[i], &s.networks.v[k]));
	}
	*ret = j;
	return 0;
}

int network_inspect(struct engine *e, const char *name, struct json **ret, struct error *err)
{
	struct json *containers;
	struct network n;

	if (network_find(e->arena, &e->store, name, &n, err) < 0 || containers_json(e, &n, &containers, err) < 0)
		return -1;
	*ret = json_encode(e->arena, &network_shape, &n);
	json_set(e->arena, *ret, "containers", containers);
	return 0;
}

#include "engine/network_connect.h"

#include "engine/events.h"
#include "engine/network.h"
#include "engine/network_list.h"
#include "engine/network_live.h"
#include "engine/state.h"
#include "store/container.h"
#include "sys/fd.h"

/* --- the container's request */

static void add_option(struct arena *arena, char **text, const char *option, const char *value)
{
	if (!str_is_empty(value))
		*text = arena_printf(arena, "%s%c%s=%s", *text, strchr(*text, ':') ? ',' : ':', option, value);
}

/* --ip and its kin belong to the networks that were there when they were said. */
static void fold_options(struct arena *arena, struct create_request *r)
{
	for (size_t i = 0; i < r->network.n; i++)
		for (size_t k = 0; k < r->network_alias.n; k++)
			add_option(arena, &r->network.v[i], "alias", r->network_alias.v[k]);
	if (r->network.n == 1) {
		add_option(arena, &r->network.v[0], "ip", r->ip);
		add_option(arena, &r->network.v[0], "ip6", r->ip6);
		add_option(arena, &r->network.v[0], "mac", r->mac_address);
	}
	r->network_alias = (struct strings){ 0 };
	r->ip = r->ip6 = r->mac_address = NULL;
}

static char *describe(struct arena *arena, const struct network *n, const struct network_connect_request *r)
{
	char *text = n->name;

	add_option(arena, &text, "ip", r->ip);
	add_option(arena, &text, "ip6", r->ip6);
	add_option(arena, &text, "mac", r->mac);
	for (size_t i = 0; i < r->aliases.n; i++)
		add_option(arena, &text, "alias", r->aliases.v[i]);
	return text;
}

/* Those but this network; none at all is a mode of its own. */
static void drop(struct arena *arena, struct create_request *r, const struct network *n)
{
	struct strings kept = { 0 };

	for (size_t i = 0; i < r->network.n; i++)
		if (!network_is_named(n, r->network.v[i]))
			strings_add(arena, &kept, r->network.v[i]);
	if (!kept.n)
		strings_add(arena, &kept, "none");
	r->network = kept;
}

/* --- both */

struct subject {
	struct network network;
	struct container container;
	struct container_state state;
	bool is_live;
	int lock;			/* nobody starts it meanwhile */
};

static int open_subject(struct engine *e, const char *network, const char *container, struct subject *ret, struct error *err)
{
	*ret = (struct subject){ .lock = -1 };
	if (network_find(e->arena, &e->store, network, &ret->network, err) < 0 ||
	    container_load(e, container, &ret->container, err) < 0)
		return -1;
	ret->lock = container_store_open(&e->store, ret->container.id, LOCK_EXCLUSIVE, err);
	if (ret->lock < 0 || container_load(e, ret->container.id, &ret->container, err) < 0 ||
	    container_load_state(e, &ret->container, &ret->state, err) < 0) {
		fd_close(&ret->lock);
		return -1;
	}
	ret->is_live = state_is_live(&ret->state);
	return 0;
}

static int close_subject(struct engine *e, struct subject *s, int result, const char *status, struct error *err)
{
	struct string_map attributes = { 0 };

	if (result == 0)
		result = container_save(e, &s->container, err);
	fd_close(&s->lock);
	if (result < 0)
		return -1;
	map_set(e->arena, &attributes, "container", s->container.id);
	event_add(e, "network", status, s->network.id, s->network.name, NULL, &attributes);
	return 0;
}

/* --- connect */

/* The other modes have a network of another kind, or somebody else's. */
static int check_mode(struct engine *e, const struct subject *s, struct error *err)
{
	static const char *const modes[] = { [NET_HOST] = "host", [NET_CONTAINER] = "container", [NET_PATH] = "ns",
					     [NET_PASTA] = "pasta", [NET_SLIRP4NETNS] = "slirp4netns" };
	struct net_request r;

	if (network_request(e, &s->container, &r, err) < 0)
		return -1;
	if (r.mode == NET_BRIDGE || r.mode == NET_NONE)
		return 0;
	error_set(err, ERROR_STATE, "\"%s\" is not supported: invalid network mode", modes[r.mode]);
	return error_hint(err, "only a container that was made with --network NETWORK (or none) can be connected to others");
}

static bool is_on(const struct subject *s)
{
	return network_is_used_by(&s->network, &s->container);
}

static int connect_one(struct engine *e, struct subject *s, const struct network_connect_request *r, struct error *err)
{
	struct create_request *q = &s->container.request;
	char *text = describe(e->arena, &s->network, r);
	struct net_request checked;

	if (check_mode(e, s, err) < 0)
		return -1;
	if (is_on(s))
		return error_set(err, ERROR_EXISTS, "container %s is already connected to network \"%s\": network is already connected",
				 s->container.id, s->network.name);
	fold_options(e->arena, q);
	if (q->network.n == 1 && strcmp(q->network.v[0], "none") == 0)
		q->network = (struct strings){ 0 };
	strings_add(e->arena, &q->network, text);
	if (network_request(e, &s->container, &checked, err) < 0)
		return -1;
	return s->is_live ? network_live_connect(e, &s->container, &s->state, &s->network, text, err) : 0;
}

int network_connect(struct engine *e, const char *network, const char *container, const struct network_connect_request *r,
		    struct error *err)
{
	struct subject s;

	if (open_subject(e, network, container, &s, err) < 0)
		return -1;
	return close_subject(e, &s, connect_one(e, &s, r, err), "connect", err);
}

/* --- disconnect */

static int disconnect_one(struct engine *e, struct subject *s, bool force, struct error *err)
{
	struct error why = { 0 };

	if (!is_on(s))
		return error_set(err, ERROR_STATE, "container %s is not connected to network %s", s->container.id, s->network.name);
	if (s->is_live && network_live_disconnect(e, &s->container, &s->state, &s->network, &why) < 0 && !force) {
		if (err)
			*err = why;
		return -1;
	}
	fold_options(e->arena, &s->container.request);
	drop(e->arena, &s->container.request, &s->network);
	return 0;
}

int network_disconnect(struct engine *e, const char *network, const char *container, bool force, struct error *err)
{
	struct subject s;

	if (open_subject(e, network, container, &s, err) < 0)
		return -1;
	return close_subject(e, &s, disconnect_one(e, &s, force, err), "disconnect", err);
}

#include "engine/network_change.h"

#include "engine/network.h"
#include "engine/events.h"
#include "engine/network_live.h"
#include "engine/network_names.h"
#include "engine/state.h"
#include "net/names.h"
#include "store/container.h"
#include "store/network.h"
#include "sys/fd.h"

/* The container under its lock, and what of its networks is true now. */
struct change {
	struct engine *e;
	struct container c;
	struct container_state s;
	struct net_request asked;
	struct network network;		/* that comes or goes */
	int lock;
};

static int begin(struct change *x, struct engine *e, const char *container, const char *network, struct error *err)
{
	*x = (struct change){ .e = e, .lock = -1 };
	if (network_find(e->arena, &e->store, network, &x->network, err) < 0 || container_load(e, container, &x->c, err) < 0)
		return -1;
	x->lock = container_store_open(&e->store, x->c.id, LOCK_EXCLUSIVE, err);
	if (x->lock < 0 || container_load(e, x->c.id, &x->c, err) < 0 || container_load_state(e, &x->c, &x->s, err) < 0)
		return -1;
	return network_request(e, &x->c, &x->s, &x->asked, err);
}

/* One without any network may get one; the other modes have a network of another kind. */
static int check_mode(const struct change *x, struct error *err)
{
	if (x->asked.mode == NET_BRIDGE || x->asked.mode == NET_NONE)
		return 0;
	error_set(err, ERROR_STATE, "\"%s\" is not supported: invalid network mode",
		  x->c.request.network.n ? x->c.request.network.v[0] : net_mode_name(x->asked.mode));
	if (!x->c.request.network.n)
		return error_hint(err, "networks did not work here when it was started, for a reason that `bryo info` knows; start it again "
				  "when they do");
	return error_hint(err, "only a container that was made with a network, or none, can be connected to others");
}

static bool is_asked(const struct change *x)
{
	for (size_t i = 0; i < x->asked.networks.n; i++)
		if (str_eq(x->asked.networks.v[i].network, x->network.name))
			return true;
	return false;
}

static int save_state(struct change *x, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(x->e, x->c.id, false, err);

	return run_dir < 0 ? -1 : state_write(x->e, run_dir, &x->s, err);
}

static void add_option(struct arena *arena, char **text, const char *option, const char *value)
{
	if (!str_is_empty(value))
		*text = arena_printf(arena, "%s%c%s=%s", *text, strchr(*text, ':') ? ',' : ':', option, value);
}

/* --ip and its kin belong to the networks that were there when they were said. */
static void fold_options(struct arena *arena, struct create_request *r)
{
	if (!r->network.n)
		strings_add(arena, &r->network, NETWORK_DEFAULT);
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

static void tell(struct change *x, const char *status)
{
	struct string_map attributes = { 0 };

	map_set(x->e->arena, &attributes, "container", x->c.id);
	event_add(x->e, "network", status, x->network.id, x->network.name, NULL, &attributes);
}

/* --- connect */

static struct strings taken_interfaces(const struct change *x)
{
	struct strings taken = { 0 };

	strings_add(x->e->arena, &taken, "lo");
	for (size_t i = 0; i < x->s.networks.n; i++)
		strings_add(x->e->arena, &taken, x->s.networks.v[i].interface);
	return taken;
}

static int connect_running(struct change *x, struct bridge_request *q, struct error *err)
{
	struct net_request one = { .mode = NET_BRIDGE, .networks = { q, 1 } };
	struct strings taken = taken_interfaces(x);
	struct network_bridge b;
	struct net_result ignored;
	int result;

	if (q->interface && strings_has(&taken, q->interface))
		return error_set(err, ERROR_EXISTS, "container %s has an interface \"%s\" already", x->c.name, q->interface);
	bridge_request_name_interfaces(x->e->arena, q, 1, &taken);
	if (network_bridge_join(x->e, x->c.id, &one, &b, &ignored, err) < 0)
		return -1;
	b.position = x->s.networks.n;
	result = network_bridge_attach(&b, (pid_t)x->s.pid, err);
	if (result == 0) {
		*ARRAY_ADD(x->e->arena, &x->s.networks) = b.endpoints.v[0];
		result = save_state(x, err);
	}
	if (result < 0) {
		network_bridge_leave(&b);
		return -1;
	}
	network_names_add(x->e, &x->c, &b);
	network_bridge_close(&b);
	return network_live_tell(x->e, &x->c, &x->s, &b.endpoints.v[0], true, err);
}

static int do_connect(struct change *x, const char *text, struct error *err)
{
	struct create_request *r = &x->c.request;
	struct bridge_request q;

	if (check_mode(x, err) < 0 || bridge_request_parse(x->e->arena, text, &q, err) < 0)
		return -1;
	if (is_asked(x))
		return error_set(err, ERROR_EXISTS, "container %s is already connected to network \"%s\": network is already connected",
				 x->c.id, x->network.name);
	if (state_is_live(&x->s) && connect_running(x, &q, err) < 0)
		return -1;
	fold_options(x->e->arena, r);
	if (x->asked.mode == NET_NONE)
		r->network = (struct strings){ 0 };
	strings_add(x->e->arena, &r->network, text);
	return container_save(x->e, &x->c, err);
}

int network_connect(struct engine *e, const char *container, const char *text, struct error *err)
{
	const char *name = arena_strndup(e->arena, text, strcspn(text, ":"));
	struct change x;
	int result = begin(&x, e, container, name, err);

	if (result == 0)
		result = do_connect(&x, text, err);
	if (result == 0)
		tell(&x, "connect");
	fd_close(&x.lock);
	return result;
}

/* --- disconnect */

static int disconnect_running(struct change *x, struct error *err)
{
	struct bridge_endpoint gone;

	for (size_t i = 0; i < x->s.networks.n; i++) {
		if (!str_eq(x->s.networks.v[i].network, x->network.name))
			continue;
		gone = x->s.networks.v[i];
		names_remove(x->e->arena, network_bridge_home(x->e), gone.network, x->c.id);
		if (network_bridge_detach(x->e, &gone, x->c.id, err) < 0)
			return -1;
		memmove(x->s.networks.v + i, x->s.networks.v + i + 1, (x->s.networks.n - i - 1) * sizeof(x->s.networks.v[0]));
		x->s.networks.n--;
		return save_state(x, err) < 0 ? -1 : network_live_tell(x->e, &x->c, &x->s, &gone, false, err);
	}
	return 0;
}

/* What is left when the network is gone; "none" when nothing is. */
static void forget(struct change *x)
{
	struct create_request *r = &x->c.request;
	struct strings left = { 0 };

	fold_options(x->e->arena, r);
	for (size_t i = 0; i < x->asked.networks.n; i++)
		if (!str_eq(x->asked.networks.v[i].network, x->network.name))
			strings_add(x->e->arena, &left, r->network.v[i]);
	if (!left.n)
		strings_add(x->e->arena, &left, "none");
	r->network = left;
}

static int do_disconnect(struct change *x, bool force, struct error *err)
{
	if (x->asked.mode != NET_BRIDGE && check_mode(x, err) < 0)
		return -1;
	if (!is_asked(x))
		return error_set(err, ERROR_STATE, "container %s is not connected to network \"%s\"", x->c.id, x->network.name);
	if (state_is_live(&x->s) && disconnect_running(x, err) < 0 && !force)
		return -1;
	error_clear(err);
	forget(x);
	return container_save(x->e, &x->c, err);
}

int network_disconnect(struct engine *e, const char *container, const char *network, bool force, struct error *err)
{
	struct change x;
	int result = begin(&x, e, container, network, err);

	if (result == 0)
		result = do_disconnect(&x, force, err);
	if (result == 0)
		tell(&x, "disconnect");
	fd_close(&x.lock);
	return result;
}

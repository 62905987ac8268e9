#include "engine/network_bridge.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/network_default.h"
#include "engine/network_names.h"
#include "engine/state.h"
#include "net/gateway.h"
#include "store/network.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/netlink.h"
#include "sys/ns.h"
#include "sys/trace.h"

#define JOINED "joined"		/* in the runtime directory: the network namespace is shared */

/* --- who lives */

/* From the moment that its start has taken it until its monitor has ended; one whose monitor was killed lives as long as
 * its first process. */
static bool lives(void *context, const char *id)
{
	struct engine *e = context;
	const struct container c = { .id = (char *)id };
	struct container_state s;
	char path[128];

	snprintf(path, sizeof(path), "containers/%s/monitor.lock", id);
	if (lock_is_held(e->run_fd, path))
		return true;
	return state_load_present(e, &c, &s, NULL) < 0 || state_is_live(&s);	/* what cannot be told keeps its address */
}

/* Its end is recorded, or there is nothing of it: a start forgets the record first. The monitor may still be there. */
static bool has_ended(struct engine *e, const struct container *c)
{
	struct container_state s;

	return state_load_present(e, c, &s, NULL) == 0 && !state_is_live(&s) && s.status != CONTAINER_INITIALIZED && (s.status != CONTAINER_CREATED || !lives(e, c->id));
}

static int open_holder(void *context)
{
	const struct engine *e = context;

	return userns_holder(&e->identity);
}

const struct rootless_home *network_bridge_home(struct engine *e)
{
	struct rootless_home *home = arena_new_one(e->arena, struct rootless_home);

	*home = (struct rootless_home){ .run_fd = e->run_fd, .run_path = e->run_path, .lives = lives, .context = e,
					.open_holder = e->identity.own_mounts ? open_holder : NULL };
	return home;
}

/* --- which networks */

int network_bridge_check(struct engine *e, struct net_request *r, struct error *err)
{
	struct network n;

	for (size_t i = 0; i < r->networks.n; i++) {
		if (network_find(e->arena, &e->store, r->networks.v[i].network, &n, err) < 0)
			return -1;
		r->networks.v[i].network = n.name;
		for (size_t j = 0; j < i; j++)
			if (str_eq(r->networks.v[j].network, n.name))
				return error_set(err, ERROR_USAGE, "network %s is given twice", n.name);
	}
	bridge_request_name_interfaces(e->arena, r->networks.v, r->networks.n, &(struct strings){ 0 });
	return 0;
}

/* --- joining */

static int join_all(struct network_bridge *b, const struct net_request *r, struct error *err)
{
	struct arena *arena = b->e->arena;

	for (size_t i = 0; i < r->networks.n; i++) {
		struct network *n = ARRAY_ADD(arena, &b->networks);
		struct bridge_endpoint endpoint;

		if (network_find(arena, &b->e->store, r->networks.v[i].network, n, err) < 0 ||
		    bridge_join(arena, &b->rootless, n, &r->networks.v[i], b->id, &endpoint, err) < 0)
			return -1;
		*ARRAY_ADD(arena, &b->endpoints) = endpoint;
	}
	return 0;
}

static void fill_result(struct arena *arena, const struct network_bridge *b, struct net_result *ret)
{
	const struct bridge_endpoint *first = b->endpoints.n ? &b->endpoints.v[0] : NULL;
	const struct bridge_address *a = first ? bridge_address_of(first, IP_V4) : NULL;
	bool has_routes = false;

	if (first && !a)
		a = bridge_address_of(first, IP_V6);
	*ret = (struct net_result){ .keep_fd = -1, .ip = a ? a->ip : NULL, .gateway = a ? a->gateway : NULL,
				    .mac = first ? first->mac : NULL, .interface = first ? first->interface : NULL };
	for (size_t i = 0; i < b->endpoints.n; i++)
		for (size_t j = 0; j < b->endpoints.v[i].addresses.n; j++)
			strings_add(arena, &ret->ips, b->endpoints.v[i].addresses.v[j].ip);
	for (size_t i = 0; i < b->endpoints.n; i++)
		has_routes = has_routes || b->endpoints.v[i].has_routes;
	if (!has_routes)
		return;
	ret->host_ip = arena_strdup(arena, GATEWAY_HOST);
	strings_add(arena, &ret->dns, GATEWAY_DNS);
}

void network_bridge_result(struct engine *e, const struct network_bridge *b, struct net_result *ret)
{
	fill_result(e->arena, b, ret);
	network_names_plan(e, b, ret);
}

int network_bridge_join(struct engine *e, const char *id, const struct net_request *r, struct network_bridge *ret,
			struct net_result *result, struct error *err)
{
	const struct rootless_home *home = network_bridge_home(e);
	_cleanup_trace_ struct trace_span span = trace_begin("join the networks");

	*ret = (struct network_bridge){ .e = e, .id = id };
	network_bridge_sweep(e, false);
	if (rootless_open(e->arena, home, LOCK_SHARED, &ret->rootless, err) < 0)
		return -1;
	if (join_all(ret, r, err) < 0) {
		network_bridge_leave(ret);
		return -1;
	}
	rootless_unlock(&ret->rootless);
	network_bridge_result(e, ret, result);
	return 0;
}

/* What is done with each endpoint answers whether it was attached. */
static int attach(struct network_bridge *b, pid_t pid, int (*one)(struct arena *arena, struct rootless *r, const struct network *n,
		  int ns, int inside, size_t position, struct bridge_endpoint *e, struct error *err), struct error *err)
{
	_cleanup_fd_ int ns = ns_open_network(pid), inside = -1;
	int sockets[2], attached = 0;

	if (ns < 0)
		return error_errno(err, "open the container's network namespace");
	if (netlink_open_in((int[]){ b->rootless.ns, ns }, 2, sockets, err) < 0)
		return -1;
	b->rootless.socket = sockets[0];
	inside = sockets[1];
	for (size_t i = 0; i < b->endpoints.n; i++) {
		int result = one(b->e->arena, &b->rootless, &b->networks.v[i], ns, inside, b->position + i, &b->endpoints.v[i], err);

		if (result < 0)
			return -1;
		attached |= result;
	}
	rootless_unlock(&b->rootless);
	return attached;
}

int network_bridge_attach(struct network_bridge *b, pid_t pid, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("connect to the networks");

	return attach(b, pid, bridge_attach, err);
}

int network_bridge_reattach(struct network_bridge *b, pid_t pid, struct error *err)
{
	return attach(b, pid, bridge_reattach, err);
}

void network_bridge_close(struct network_bridge *b)
{
	if (b->rootless.home)
		rootless_close(&b->rootless);
}

void network_bridge_leave(struct network_bridge *b)
{
	for (size_t i = 0; i < b->endpoints.n; i++)
		bridge_leave(b->rootless.home, &b->endpoints.v[i], b->id);
	network_bridge_close(b);
	rootless_settle(b->e->arena, network_bridge_home(b->e));
}

/* --- changes */

int network_bridge_detach(struct engine *e, const struct bridge_endpoint *endpoint, const char *id, struct error *err)
{
	const struct rootless_home *home = network_bridge_home(e);
	struct error failure = { 0 };
	struct rootless r;
	int result = rootless_find(e->arena, home, LOCK_SHARED, &r, &failure);

	if (result == 0) {
		result = bridge_detach(&r, endpoint, &failure);
		rootless_close(&r);
	} else if (error_is(&failure, ERROR_NONE)) {
		result = 0;
	}
	if (result < 0) {
		if (err)
			*err = failure;
		return -1;
	}
	bridge_leave(home, endpoint, id);
	rootless_settle(e->arena, home);
	return 0;
}

int network_bridge_forget(struct engine *e, const struct network *n, struct error *err)
{
	const struct rootless_home *home = network_bridge_home(e);
	struct rootless r;
	int result;

	if (rootless_find(e->arena, home, LOCK_EXCLUSIVE, &r, err) < 0)
		return error_is(err, ERROR_NONE) ? 0 : -1;
	result = bridge_remove(e->arena, &r, n, err);
	rootless_close(&r);
	return result;
}

int network_bridge_enter(struct engine *e, struct error *err)
{
	struct rootless r;
	int result;

	if (rootless_find(e->arena, network_bridge_home(e), LOCK_SHARED, &r, err) < 0)
		return -1;
	result = setns(r.ns, CLONE_NEWNET) < 0 ? error_errno(err, "enter the rootless network namespace") : 0;
	rootless_close(&r);
	return result;
}

/* --- the end */

/* What its state says; when that is lost, what it asked for. */
static bool is_on_bridges(const struct container *c, const struct container_state *s)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	struct net_request r = { 0 };

	if (s->networks.n || s->network_mode)
		return s->networks.n;
	return net_parse_mode(scratch, network_words(scratch, c).v[0], &r, NULL) == 0 && r.mode == NET_BRIDGE;
}

void network_bridge_undo(struct engine *e, const char *id)
{
	if (id)
		network_names_remove(e, id);
	rootless_release(e->arena, network_bridge_home(e), id);
}

void network_bridge_mark_joined(struct engine *e, const struct container *c, const struct container_state *s)
{
	_cleanup_fd_ int run_dir = s->networks.n ? container_run_dir(e, c->id, false, NULL) : -1;

	if (run_dir >= 0)
		state_mark(run_dir, JOINED, true);
}

/* May somebody still be in its network namespace? Who joined it; and those of its processes that neither the end of a
 * process namespace nor a cgroup has killed. */
static bool may_be_inhabited(struct engine *e, const struct container *c, const struct container_state *s)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	const char *pid = c->request.pid;

	if (run_dir >= 0 && unlinkat(run_dir, JOINED, 0) == 0)
		return true;
	return !s->cgroup && !str_is_empty(pid) && !str_eq(pid, "private");
}

/* The addresses are free when this container has ended, so others who are still in its namespace must not have them. */
static void take_from_survivors(struct engine *e, const struct container *c, const struct container_state *s)
{
	if (!s->networks.n || !may_be_inhabited(e, c, s))
		return;
	for (size_t i = 0; i < s->networks.n; i++)
		network_bridge_detach(e, &s->networks.v[i], c->id, NULL);
}

void network_bridge_release(struct engine *e, const struct container *c, const struct container_state *s)
{
	const struct rootless_home *home = network_bridge_home(e);

	if (!is_on_bridges(c, s) || !has_ended(e, c))	/* what somebody has started again meanwhile is his */
		return;
	take_from_survivors(e, c, s);
	if (!s->networks.n) {			/* its state is lost */
		network_bridge_undo(e, c->id);
		return;
	}
	network_names_remove(e, c->id);
	for (size_t i = 0; i < s->networks.n; i++)
		bridge_leave(home, &s->networks.v[i], c->id);
	rootless_settle(e->arena, home);
}

void network_bridge_end(struct engine *e)
{
	rootless_end(e->arena, network_bridge_home(e));
}

void network_bridge_sweep(struct engine *e, bool thorough)
{
	const struct rootless_home *home = network_bridge_home(e);

	if (rootless_is_littered(home, thorough))
		rootless_release(e->arena, home, NULL);
	if (thorough)
		rootless_heal(e->arena, home);
}

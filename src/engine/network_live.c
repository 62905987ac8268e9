#include "engine/network_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/network.h"
#include "engine/network_names.h"
#include "engine/state.h"
#include "net/lease.h"
#include "net/names.h"
#include "store/network.h"
#include "sys/fd.h"
#include "sys/netlink.h"

#define HOST_FILE_MAX ((size_t)1 << 20)

/* --- hosts and resolv.conf of a running container: they are mounted there, so they are written in place */

static int rewrite(int run_dir, const char *name, const char *text, struct error *err)
{
	_cleanup_fd_ int fd = openat(run_dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)		/* --no-hosts, --dns none */
		return 0;
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || ftruncate(fd, (off_t)strlen(text)) < 0)
		return error_errno(err, "write the container's %s", name);
	return 0;
}

static bool is_of(const char *line, const struct bridge_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->addresses.n; i++) {
		const char *rest = str_after(line, endpoint->addresses.v[i].ip);

		if (rest && (*rest == '\t' || *rest == ' '))
			return true;
	}
	return false;
}

/* The lines of the endpoint's addresses go, or come. Whatever else is there stays: the container may have written it. */
static int change_hosts(struct engine *e, const struct container *c, int run_dir, const struct bridge_endpoint *endpoint, bool add,
			struct error *err)
{
	const char *text = fd_read_file(e->arena, run_dir, "hosts", HOST_FILE_MAX, NULL);
	struct strings lines = strings_split(e->arena, text ? text : "", "\n"), kept = { 0 };

	if (!text)
		return 0;
	for (size_t i = 0; i < lines.n; i++)
		if (!is_of(lines.v[i], endpoint) && (*lines.v[i] || i + 1 < lines.n))
			strings_add(e->arena, &kept, lines.v[i]);
	for (size_t i = 0; add && i < endpoint->addresses.n; i++)
		strings_addf(e->arena, &kept, "%s\t%s %s", endpoint->addresses.v[i].ip, c->hostname, c->name);
	return rewrite(run_dir, "hosts", arena_printf(e->arena, "%s\n", strings_join(e->arena, &kept, "\n")), err);
}

/* What the state says, as network_bridge_join would have answered it. */
static void describe(struct engine *e, const struct container_state *s, struct network_bridge *ret, struct net_result *result)
{
	*ret = (struct network_bridge){ .arena = e->arena, .rootless = { .ns = -1, .socket = -1, .lock = -1 } };
	for (size_t i = 0; i < s->networks.n; i++) {
		struct network n;

		if (network_read(e->arena, &e->store, s->networks.v[i].network, &n, NULL) < 0)
			continue;
		*ARRAY_ADD(e->arena, &ret->networks) = n;
		*ARRAY_ADD(e->arena, &ret->endpoints) = s->networks.v[i];
	}
	network_bridge_result(e, ret, result);
}

static int change_files(struct engine *e, const struct container *c, const struct container_state *s, int run_dir,
			const struct bridge_endpoint *endpoint, bool add, struct error *err)
{
	struct network_bridge b;
	struct net_result result;
	char *text;

	describe(e, s, &b, &result);
	if (change_hosts(e, c, run_dir, endpoint, add, err) < 0)
		return -1;
	text = network_resolv_conf(e, c, &(struct net_request){ .mode = s->networks.n ? NET_BRIDGE : NET_NONE }, &result, err);
	if (!text)
		return error_is(err, ERROR_NONE) ? 0 : -1;
	return rewrite(run_dir, "resolv.conf", text, err);
}

/* --- connect */

static int open_sockets(const struct container_state *s, struct rootless *r, int *ret_ns, int *ret_inside, struct error *err)
{
	_cleanup_fd_ int process = state_open_process(s);
	char path[64];
	int sockets[2];

	snprintf(path, sizeof(path), "/proc/%lld/ns/net", (long long)s->pid);
	*ret_ns = process < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_ns < 0)
		return error_errno(err, "open the container's network namespace");
	if (netlink_open_in((int[]){ r->ns, *ret_ns }, 2, sockets, err) < 0)
		return -1;
	fd_close(&r->socket);
	r->socket = sockets[0];
	*ret_inside = sockets[1];
	return 0;
}

static void name_interface(struct engine *e, const struct container_state *s, struct bridge_request *q)
{
	struct strings taken = { 0 };

	for (size_t i = 0; i < s->networks.n; i++)
		strings_add(e->arena, &taken, s->networks.v[i].interface);
	bridge_request_name_interfaces(e->arena, q, 1, &taken);
}

/* Takes the addresses and connects; what was taken is given back when that fails. */
static int join(struct engine *e, const struct container *c, const struct container_state *s, const struct network *n,
		const struct bridge_request *q, struct rootless *r, struct bridge_endpoint *ret, struct error *err)
{
	_cleanup_fd_ int ns = -1, inside = -1;

	if (bridge_join(e->arena, r, n, q, c->id, ret, err) < 0)
		return -1;
	if (open_sockets(s, r, &ns, &inside, err) == 0 &&
	    bridge_attach(e->arena, r, n, ns, inside, s->networks.n, ret, err) == 0)
		return 0;
	for (size_t i = 0; i < ret->addresses.n; i++)
		lease_give_back(e->run_fd, n->name, ret->addresses.v[i].ip, c->id);
	return -1;
}

static int record(struct engine *e, const struct container *c, const struct container_state *s, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, err);

	return run_dir < 0 ? -1 : state_write(e, run_dir, s, err);
}

static int tell(struct engine *e, const struct container *c, const struct container_state *s,
		const struct bridge_endpoint *endpoint, bool add, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, err);

	return run_dir < 0 ? -1 : change_files(e, c, s, run_dir, endpoint, add, err);
}

int network_live_connect(struct engine *e, const struct container *c, struct container_state *s, const struct network *n,
			 const char *text, struct error *err)
{
	struct network_bridge b = { .arena = e->arena };
	struct bridge_request q;
	int result;

	if (bridge_request_parse(e->arena, text, &q, err) < 0 ||
	    rootless_open(e->arena, network_bridge_home(e), LOCK_SHARED, &b.rootless, err) < 0)
		return -1;
	name_interface(e, s, &q);
	*ARRAY_ADD(e->arena, &b.networks) = *n;
	result = join(e, c, s, n, &q, &b.rootless, ARRAY_ADD(e->arena, &b.endpoints), err);
	rootless_unlock(&b.rootless);
	if (result == 0) {
		*ARRAY_ADD(e->arena, &s->networks) = b.endpoints.v[0];
		result = record(e, c, s, err);
	}
	if (result == 0)
		network_names_add(e, c, &b);
	network_bridge_close(&b);
	return result < 0 ? -1 : tell(e, c, s, &b.endpoints.v[0], true, err);
}

/* --- disconnect */

static struct bridge_endpoint *endpoint_of(struct container_state *s, const struct network *n)
{
	for (size_t i = 0; i < s->networks.n; i++)
		if (str_eq(s->networks.v[i].network, n->name))
			return &s->networks.v[i];
	return NULL;
}

static int detach(struct engine *e, const struct bridge_endpoint *endpoint, struct error *err)
{
	struct rootless r;
	int result;

	if (rootless_find(e->arena, network_bridge_home(e), LOCK_SHARED, &r, err) < 0)
		return error_is(err, ERROR_NONE) ? 0 : -1;
	result = bridge_detach(&r, endpoint, err);
	rootless_close(&r);
	return result;
}

int network_live_disconnect(struct engine *e, const struct container *c, struct container_state *s, const struct network *n,
			    struct error *err)
{
	struct bridge_endpoint *endpoint = endpoint_of(s, n), gone;

	if (!endpoint)
		return 0;
	gone = *endpoint;
	if (detach(e, &gone, err) < 0)
		return -1;
	names_remove(e->arena, network_bridge_home(e), n->name, c->id);
	for (size_t i = 0; i < gone.addresses.n; i++)
		lease_give_back(e->run_fd, n->name, gone.addresses.v[i].ip, c->id);
	memmove(endpoint, endpoint + 1, (size_t)(s->networks.v + s->networks.n - endpoint - 1) * sizeof(*endpoint));
	s->networks.n--;
	if (record(e, c, s, err) < 0)
		return -1;
	return tell(e, c, s, &gone, false, err);
}

/* --- reload */

int network_live_reload(struct engine *e, const struct container *c, const struct container_state *s, struct error *err)
{
	struct network_bridge b;
	struct net_result ignored;
	struct networks all;
	int result;

	describe(e, s, &b, &ignored);
	if (!b.endpoints.n)
		return 0;
	if (network_list(e->arena, &e->store, &all, err) < 0 ||
	    rootless_open(e->arena, network_bridge_home(e), LOCK_EXCLUSIVE, &b.rootless, err) < 0)
		return -1;
	result = bridge_reload(e->arena, &b.rootless, all.v, all.n, err);
	rootless_unlock(&b.rootless);
	if (result == 0)
		network_names_add(e, c, &b);
	network_bridge_close(&b);
	return result;
}

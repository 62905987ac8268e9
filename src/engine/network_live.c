#include "engine/network_live.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/network.h"
#include "engine/network_names.h"
#include "engine/state.h"
#include "net/forward.h"
#include "store/container.h"
#include "store/network.h"
#include "sys/fd.h"

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
static void describe(struct engine *e, const struct container_state *s, const char *id, struct network_bridge *ret,
		     struct net_result *result)
{
	*ret = (struct network_bridge){ .e = e, .id = id, .rootless = { .ns = -1, .socket = -1, .lock = -1 } };
	for (size_t i = 0; i < s->networks.n; i++) {
		struct network n;

		if (network_read(e->arena, &e->store, s->networks.v[i].network, &n, NULL) < 0)
			continue;
		*ARRAY_ADD(e->arena, &ret->networks) = n;
		*ARRAY_ADD(e->arena, &ret->endpoints) = s->networks.v[i];
	}
	network_bridge_result(e, ret, result);
}

int network_live_tell(struct engine *e, const struct container *c, const struct container_state *s,
		      const struct bridge_endpoint *endpoint, bool add, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, err);
	struct network_bridge b;
	struct net_result result;
	char *text;

	if (run_dir < 0 || change_hosts(e, c, run_dir, endpoint, add, err) < 0 ||
	    net_forward_update(s->networks.v, s->networks.n, run_dir, err) < 0)
		return -1;
	describe(e, s, c->id, &b, &result);
	text = network_resolv_conf(e, c, &(struct net_request){ .mode = s->networks.n ? NET_BRIDGE : NET_NONE }, &result, err);
	if (!text)
		return error_is(err, ERROR_NONE) ? 0 : -1;
	return rewrite(run_dir, "resolv.conf", text, err);
}

/* --- rename */

void network_live_rename(struct engine *e, const struct container *c)
{
	struct container_state s;
	struct net_result ignored;
	struct network_bridge b;

	state_load_present(e, c, &s, NULL);
	if (!state_is_live(&s) || !s.networks.n)
		return;
	describe(e, &s, c->id, &b, &ignored);
	if (rootless_find(e->arena, network_bridge_home(e), LOCK_SHARED, &b.rootless, NULL) < 0)
		return;
	rootless_unlock(&b.rootless);
	network_names_add(e, c, &b);
	network_bridge_close(&b);
}

/* --- reload */

/* Its pairs are gone when the rootless namespace was lost with all that knew it. */
static int connect_again(struct engine *e, const struct container *c, struct container_state *s, struct network_bridge *b,
			 struct error *err)
{
	_cleanup_fd_ int lock = container_store_open(&e->store, c->id, LOCK_EXCLUSIVE, err);
	_cleanup_fd_ int run_dir = lock < 0 ? -1 : container_run_dir(e, c->id, false, err);
	int result;

	if (run_dir < 0 || container_load_state(e, c, s, err) < 0 || state_need_running(c, s, "reload the networks of", err) < 0)
		return -1;
	result = network_bridge_reattach(b, (pid_t)s->pid, err);
	if (result <= 0)
		return result;
	for (size_t i = 0; i < b->endpoints.n; i++)
		for (size_t k = 0; k < s->networks.n; k++)
			if (str_eq(s->networks.v[k].network, b->endpoints.v[i].network))
				s->networks.v[k].index = b->endpoints.v[i].index;
	return state_write(e, run_dir, s, err);
}

int network_live_reload(struct engine *e, const struct container *c, struct container_state *s, struct error *err)
{
	struct network_bridge b;
	struct net_result ignored;
	struct networks all;
	int result;

	describe(e, s, c->id, &b, &ignored);
	if (!b.endpoints.n)
		return 0;
	if (network_list(e->arena, &e->store, &all, err) < 0 ||
	    rootless_open(e->arena, network_bridge_home(e), LOCK_EXCLUSIVE, &b.rootless, err) < 0)
		return -1;
	result = bridge_reload(e->arena, &b.rootless, all.v, all.n, err);
	rootless_unlock(&b.rootless);
	if (result == 0)
		result = connect_again(e, c, s, &b, err);
	if (result == 0)
		network_names_add(e, c, &b);
	network_bridge_close(&b);
	return result;
}

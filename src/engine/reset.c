#include "engine/reset.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

#include "engine/container.h"
#include "engine/network_bridge.h"
#include "store/destroy.h"
#include "sys/fd.h"

/* Of the runtime directory; the rest of it belongs to the OCI runtime's containers. */
static const char *const runtime_entries[] = { "containers", "cache", "trees", "netns", "networks", "holder.lock" };

void reset_paths(struct engine *e, char **ret_store, char **ret_runtime)
{
	*ret_store = engine_store_path(e);
	*ret_runtime = engine_runtime_path(e);
}

int reset_check(struct engine *e, struct error *err)
{
	return destroy_look(engine_store_path(e), err);
}

/* --- containers */

static int remove_container(struct engine *e, struct container *c, struct error *err)
{
	const struct rm_options how = { .force = true, .volumes = true, .ignore = true, .timeout_s = 0 };

	return container_rm(e, c, &how, err) < 0 ? error_frame(err, "remove container %.12s", c->id) : 0;
}

static int remove_containers(struct engine *e, struct error *err)
{
	struct strings damaged = { 0 };
	struct containers all;

	if (container_list_damaged(e, &damaged, err) < 0 || container_load_all(e, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (remove_container(e, &all.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < damaged.n; i++) {
		struct container c = { 0 };

		if (container_load_damaged(e, damaged.v[i], &c, err) < 0 || remove_container(e, &c, err) < 0)
			return -1;
	}
	return 0;
}

/* --- mounts */

static bool is_below(const char *path, const char *directory)
{
	const char *rest = str_after(path, directory);

	return rest && *rest == '/';
}

/* Later mounts first: they may lie in earlier ones. */
static int unmount_all(struct engine *e, struct error *err)
{
	struct mount_table table;

	if (mount_read_table(e->arena, "/proc/self/mountinfo", &table, err) < 0)
		return -1;
	for (size_t i = table.n; i > 0; i--) {
		const char *point = table.v[i - 1].point;

		if ((is_below(point, e->store.path) || is_below(point, e->run_path)) &&
		    umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
			return error_errno(err, "unmount %s", point);
	}
	return 0;
}

/* --- */

static int remove_runtime(struct engine *e, struct error *err)
{
	if (userns_migrate(&e->identity, err) < 0)
		return -1;
	for (size_t i = 0; i < ELEMENTS(runtime_entries); i++)
		if (fd_remove_tree(e->run_fd, runtime_entries[i]) < 0)
			return error_errno(err, "remove %s/%s", e->run_path, runtime_entries[i]);
	fd_close(&e->run_fd);
	if (rmdir(e->run_path) < 0 && errno != ENOTEMPTY && errno != ENOENT && errno != EBUSY)
		return error_errno(err, "remove %s", e->run_path);
	return 0;
}

int reset_everything(struct engine *e, struct strings *ret_left, struct error *err)
{
	_cleanup_fd_ int lock = -1;

	if (remove_containers(e, err) < 0)
		return -1;
	network_bridge_end(e);
	if (unmount_all(e, err) < 0)
		return -1;
	lock = store_lock(&e->store, LOCK_EXCLUSIVE, false, err);
	if (lock < 0)
		return -1;
	if (e->events_fd > 0)
		fd_close(&e->events_fd);
	e->store_is_open = false;
	return destroy_store(e->arena, &e->store, ret_left, err) < 0 ? -1 : remove_runtime(e, err);
}

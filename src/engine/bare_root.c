#include "engine/bare_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/copy.h"
#include "engine/state.h"
#include "engine/userns_mode.h"
#include "spec/passwd.h"
#include "sys/errand.h"
#include "sys/fd.h"

static int join_mounts(int pidfd, pid_t pid)
{
	char path[64];
	_cleanup_fd_ int ns = -1;

	if (setns(pidfd, CLONE_NEWNS) == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	return ns < 0 ? -1 : setns(ns, CLONE_NEWNS);
}

/* In a child. */
static int borrow(void *context, struct error *err)
{
	const struct container_state *s = context;
	_cleanup_fd_ int pidfd = state_open_process(s);
	int tree;

	if (pidfd < 0 || join_mounts(pidfd, (pid_t)s->pid) < 0)
		return error_errno(err, "enter the container's mounts");
	tree = mount_clone(AT_FDCWD, "/", false);
	return tree < 0 ? error_errno(err, "borrow the container's root") : tree;
}

int bare_root_borrow(const struct container_state *s, struct error *err)
{
	return errand_fd(borrow, (void *)(uintptr_t)s, err);
}

/* The mount is let go; the open directory keeps it. */
static int open_running(const struct container_state *s, struct error *err)
{
	_cleanup_fd_ int tree = bare_root_borrow(s, err);
	int root = tree < 0 ? -1 : openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree >= 0 && root < 0)
		error_errno(err, "open the container's root");
	return root;
}

int bare_root_open(struct engine *e, const struct container *c, struct error *err)
{
	struct container_state s;
	int root;

	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s))
		return open_running(&s, err);
	return container_root(e, c, &root, err) < 0 ? -1 : root;
}

static void add_triples(struct arena *arena, void *triples, const struct id_map *map)
{
	ARRAY(int64_t) *list = triples;

	for (size_t i = 0; i < map->n; i++) {
		*ARRAY_ADD(arena, list) = map->v[i].inside;
		*ARRAY_ADD(arena, list) = map->v[i].outside;
		*ARRAY_ADD(arena, list) = map->v[i].count;
	}
}

int bare_root_maps(struct engine *e, const struct container *c, struct id_maps *maps, struct transfer_request *ret,
		   struct error *err)
{
	struct userns_user kept = { 0 };

	*maps = (struct id_maps){ 0 };
	if (userns_mode_maps(e, c, maps, &kept, err) < 0)
		return -1;
	add_triples(e->arena, &ret->uid_map, &maps->uid);
	add_triples(e->arena, &ret->gid_map, &maps->gid);
	return 0;
}

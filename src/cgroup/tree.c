#include "cgroup/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup/control.h"
#include "cgroup/leaf.h"
#include "sys/fd.h"

void tree_done(struct tree *t)
{
	int number = errno;

	while (t->n > 0)
		fd_close(&t->fds[--t->n]);
	errno = number;
}

static int descend(struct tree *t, const char *name)
{
	int parent = tree_fd(t), fd;

	if (t->n > TREE_DEPTH) {
		errno = ENAMETOOLONG;
		return -1;
	}
	t->made = mkdirat(parent, name, 0755) == 0;
	if (!t->made && errno != EEXIST)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		t->fds[t->n++] = fd;
	return fd < 0 ? -1 : 0;
}

int tree_make(struct arena *arena, const char *start, const char *path, struct tree *ret)
{
	struct strings parts = strings_split(arena, path, "/");

	*ret = (struct tree){ .n = 0 };
	ret->fds[0] = control_open_dir(start);
	if (ret->fds[0] < 0)
		return -1;
	ret->n = 1;
	for (size_t i = 0; i < parts.n; i++)
		if (*parts.v[i] && descend(ret, parts.v[i]) < 0) {
			tree_done(ret);
			return -1;
		}
	return 0;
}

/* --- unified */
static int enable(struct arena *arena, int dirfd, const char *controller, bool may_empty)
{
	const char *text = arena_printf(arena, "+%s", controller);

	if (control_write(dirfd, "cgroup.subtree_control", text) == 0)
		return 0;
	if (errno != EBUSY || !may_empty || leaf_move_all(arena, dirfd) < 0)
		return -1;
	return control_write(dirfd, "cgroup.subtree_control", text);
}

/* Together when that works: the kernel takes all or none, so then one by one. */
static void enable_level(struct arena *arena, int dirfd, const struct strings *needed, bool own)
{
	struct strings available, enabled, lacking = { 0 };

	control_read_words(arena, dirfd, "cgroup.controllers", &available);
	control_read_words(arena, dirfd, "cgroup.subtree_control", &enabled);
	for (size_t i = 0; i < available.n; i++)
		if (!strings_has(&enabled, available.v[i]))
			strings_addf(arena, &lacking, "+%s", available.v[i]);
	if (lacking.n == 0 || control_write(dirfd, "cgroup.subtree_control", strings_join(arena, &lacking, " ")) == 0)
		return;
	for (size_t i = 0; i < lacking.n; i++) {
		bool is_needed = strings_has(needed, lacking.v[i] + 1);

		/* Refused for the processes in it: so are the others. */
		if (errno != EBUSY || is_needed)
			enable(arena, dirfd, lacking.v[i] + 1, own && is_needed);
	}
}

void tree_enable_controllers(struct arena *arena, const struct tree *t, const struct strings *needed, int own)
{
	for (size_t i = 0; i + 1 < t->n; i++)
		enable_level(arena, t->fds[i], needed, (int)i == own);
}

/* --- v1 */
static int inherit(struct arena *arena, int parent, int child, const char *file)
{
	char *text = control_read(arena, child, file);

	if (!text || *text > ' ')
		return text || errno == ENOENT ? 0 : -1;
	text = control_read(arena, parent, file);
	return !text || control_write(child, file, text) < 0 ? -1 : 0;
}

int tree_init_cpuset(struct arena *arena, const struct tree *t)
{
	for (size_t i = 0; i + 1 < t->n; i++)
		if (inherit(arena, t->fds[i], t->fds[i + 1], "cpuset.cpus") < 0 ||
		    inherit(arena, t->fds[i], t->fds[i + 1], "cpuset.mems") < 0)
			return -1;
	return 0;
}

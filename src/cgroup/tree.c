#include "cgroup/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	if (fd < 0) {
		int number = errno;

		if (t->made)
			unlinkat(parent, name, AT_REMOVEDIR);
		errno = number;
		return -1;
	}
	t->fds[t->n++] = fd;
	return 0;
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
static bool has_processes(int dirfd)
{
	_cleanup_fd_ int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1;
}

/* A cgroup with processes in it may not hand controllers to its children ("no internal processes"). Of cpu, cpuset and
 * pids the kernel takes the write all the same, but then makes a threaded domain of it, in whose children nothing can
 * be started. The hierarchy's root, which alone has no cgroup.type, is free of that rule. */
static bool may_hand_on(int dirfd)
{
	return faccessat(dirfd, "cgroup.type", F_OK, 0) < 0 || !has_processes(dirfd);
}

static bool has_any(const struct strings *list, const struct strings *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (strings_has(list, wanted->v[i]))
			return true;
	return false;
}

/* Together when that works: the kernel takes all or none, so then one by one. own: its processes may be moved, which is
 * done for what is needed only. */
static void enable_level(struct arena *arena, int dirfd, const struct strings *needed, bool own)
{
	struct strings available, enabled, lacking = { 0 }, texts = { 0 };

	control_read_words(arena, dirfd, "cgroup.controllers", &available);
	control_read_words(arena, dirfd, "cgroup.subtree_control", &enabled);
	for (size_t i = 0; i < available.n; i++)
		if (!strings_has(&enabled, available.v[i])) {
			strings_add(arena, &lacking, available.v[i]);
			strings_addf(arena, &texts, "+%s", available.v[i]);
		}
	if (lacking.n == 0)
		return;
	if (!may_hand_on(dirfd) && (!own || !has_any(&lacking, needed) || leaf_move_all(arena, dirfd) < 0))
		return;
	if (control_write(dirfd, "cgroup.subtree_control", strings_join(arena, &texts, " ")) == 0)
		return;
	for (size_t i = 0; i < texts.n; i++)
		control_write(dirfd, "cgroup.subtree_control", texts.v[i]);
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

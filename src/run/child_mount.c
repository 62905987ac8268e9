#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/lsm.h"
#include "sys/mount.h"

#define MODE_DIRECTORY 0755

static int apply_options(int mount, const struct mount_options *o)
{
	/* One call when nothing distinguishes the mount from its tree. */
	if (o->propagation_tree && !o->set && !o->clear)
		return mount_set_allowed(mount, o->set_tree, o->clear_tree, o->propagation, true);
	if (mount_set_allowed(mount, o->set, o->clear, o->propagation_tree ? 0 : o->propagation, false) < 0)
		return -1;
	return mount_set_allowed(mount, o->set_tree, o->clear_tree, o->propagation_tree ? o->propagation : 0, true);
}

/* An entry of the /dev that this process mounted: nothing in it can lead elsewhere, so the name is enough. NULL for
 * another path. */
static const char *name_in_dev(const struct child *c, const char *path)
{
	const char *name = c->dev < 0 ? NULL : str_after(path, "/dev/");

	return name && *name && !strchr(name, '/') && strcmp(name, "..") != 0 && strcmp(name, ".") != 0 ? name : NULL;
}

static int mountpoint_in_dev(struct child *c, const char *name, bool directory)
{
	int fd;

	if (directory) {
		if (mkdirat(c->dev, name, MODE_DIRECTORY) < 0 && errno != EEXIST)
			return -1;
		return openat(c->dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	fd = openat(c->dev, name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	return fd < 0 && errno == EEXIST ? openat(c->dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : fd;
}

static int open_mountpoint(struct child *c, const char *target, bool directory, const char **ret_what)
{
	const char *name = name_in_dev(c, target);
	int fd = name ? mountpoint_in_dev(c, name, directory) : inroot_mountpoint(c->root, target, directory);

	if (fd < 0)
		*ret_what = "the mount point";
	return fd;
}

/* What was known by its own descriptor is covered; its mounter may keep the new one. */
static void forget_covered(struct child *c, const char *target)
{
	if (strcmp(target, "/dev") == 0)
		fd_close(&c->dev);
	if (strcmp(target, "/proc") == 0)
		fd_close(&c->proc);
}

int child_attach(struct child *c, int mount, const char *target, bool directory, const char **ret_what)
{
	int result, fd = open_mountpoint(c, target, directory, ret_what);

	if (fd < 0)
		return -1;
	result = mount_attach(mount, fd);
	close(fd);
	forget_covered(c, target);
	return result;
}

/* A source that is a link is made again; what is there already must be the same link. */
static int copy_symlink(struct child *c, const struct op *op, const char **ret_what)
{
	char text[4096], old[4096];
	ssize_t n = readlink(op->source, text, sizeof(text) - 1), old_n;
	const char *name;
	int dir, result;

	if (n < 0)
		return -1;
	text[n] = '\0';
	dir = child_open_parent(c, op->target, &name);
	if (dir < 0) {
		*ret_what = "the directory of the link";
		return -1;
	}
	result = symlinkat(text, dir, name);
	if (result < 0 && errno == EEXIST) {
		old_n = readlinkat(dir, name, old, sizeof(old));
		result = old_n == n && memcmp(old, text, (size_t)n) == 0 ? 0 : -1;
		errno = EEXIST;
	}
	if (dir != c->dev)
		close(dir);
	return result;
}

static int bind(struct child *c, const struct op *op, const char **ret_what)
{
	int mount = c->fds[op->slot];
	struct stat st;

	if (mount < 0)		/* it was left closed because it is a link */
		return copy_symlink(c, op, ret_what);
	if (fstat(mount, &st) < 0)
		return -1;
	*ret_what = "mount options";
	if (apply_options(mount, &op->mount) < 0)
		return -1;
	*ret_what = NULL;
	return child_attach(c, mount, op->target, S_ISDIR(st.st_mode), ret_what);
}

/* --- new file systems */

/* What the host has in place of a file system that this user may not mount anew: its namespace belongs to the host. */
static const char *host_instead(const struct child *c, const char *fstype)
{
	if (strcmp(fstype, "sysfs") == 0)
		return "/sys";
	if (strcmp(fstype, "cgroup2") == 0)
		return "/sys/fs/cgroup";
	if (strcmp(fstype, "mqueue") == 0)
		return "/dev/mqueue";
	if (strcmp(fstype, "proc") == 0 && !(c->plan->clone_flags & CLONE_NEWPID) && c->plan->pid_namespace < 0)
		return "/proc";
	return NULL;
}

static int mount_host_instead(struct child *c, const struct op *op)
{
	const char *path = host_instead(c, op->fstype);
	int mount, number = errno;

	if (!path)
		return -1;
	mount = mount_clone(AT_FDCWD, path, true);
	if (mount < 0 && strcmp(op->fstype, "cgroup2") == 0 && errno == ENOENT)
		mount = mount_new("tmpfs", NULL, NULL, MOUNT_ATTR_RDONLY, NULL);
	if (mount < 0) {
		errno = number;
		return -1;
	}
	if (mount_set_allowed(mount, op->mount.set & ~(uint64_t)MOUNT_ATTR__ATIME, 0, MS_PRIVATE, true) < 0) {
		close(mount);
		return -1;
	}
	return mount;
}

/* devpts with the group tty, where that group exists in this user namespace: without it otherwise. */
static int mount_without_gid(const struct op *op)
{
	const char *options[8];
	size_t n = 0;

	for (size_t i = 0; i < op->mount.data.n && n < ELEMENTS(options) - 1; i++)
		if (strncmp(op->mount.data.v[i], "gid=", 4) != 0)
			options[n++] = op->mount.data.v[i];
	options[n] = NULL;
	return mount_new(op->fstype, op->source, options, op->mount.set, NULL);
}

static bool has_mode(const struct op *op)
{
	for (size_t i = 0; i < op->mount.data.n; i++)
		if (strncmp(op->mount.data.v[i], "mode=", 5) == 0)
			return true;
	return false;
}

/* "mode=1777", as the directory that is there has it. */
static bool mode_below(const struct child *c, const struct op *op, char *mode)
{
	int fd = inroot_open(c->root, op->target, O_PATH | O_DIRECTORY, 0);
	struct stat st;
	bool known = fd >= 0 && fstat(fd, &st) == 0;

	fd_close(&fd);
	for (int i = 0; known && i < 4; i++)
		mode[8 - i] = (char)('0' + (st.st_mode >> 3 * i & 7));
	return known;
}

/* A tmpfs looks like the directory that it covers, unless another mode is asked for or its content brings one. */
static int new_tmpfs(const struct child *c, const struct op *op, const char **ret_what)
{
	size_t n = op->mount.data.n;
	const char *options[32];
	char mode[] = "mode=0000";

	if (op->mount.copy_up || has_mode(op) || n > ELEMENTS(options) - 2 || !mode_below(c, op, mode))
		return mount_new(op->fstype, op->source, (const char *const *)op->mount.data.v, op->mount.set, ret_what);
	for (size_t i = 0; i < n; i++)
		options[i] = op->mount.data.v[i];
	options[n] = mode;
	options[n + 1] = NULL;
	return mount_new(op->fstype, op->source, options, op->mount.set, ret_what);
}

static int new_mount(struct child *c, const struct op *op, const char **ret_what)
{
	int mount = strcmp(op->fstype, "tmpfs") == 0 ? new_tmpfs(c, op, ret_what) :
		    mount_new(op->fstype, op->source, (const char *const *)op->mount.data.v, op->mount.set, ret_what);

	if (mount < 0 && errno == EINVAL && strcmp(op->fstype, "devpts") == 0)
		mount = mount_without_gid(op);
	if (mount < 0 && errno != E2BIG)
		mount = mount_host_instead(c, op);
	return mount;
}

/* These are used again: they are what they claim to be, whatever the paths lead to. */
static void remember(struct child *c, const struct op *op, int *mount)
{
	if (strcmp(op->fstype, "proc") == 0 && c->proc < 0 && strcmp(op->target, "/proc") == 0)
		c->proc = fd_take(mount);
	else if (strcmp(op->fstype, "devpts") == 0 && c->devpts < 0)
		c->devpts = fd_take(mount);
	else if (strcmp(op->fstype, "tmpfs") == 0 && strcmp(op->target, "/dev") == 0)
		c->dev = fd_take(mount);
}

/* A label has commas between its categories. */
static bool is_context(const char *option)
{
	size_t n = strcspn(option, "=");

	return option[n] && n >= 7 && strncmp(option + n - 7, "context", 7) == 0 && option[n + 1] != '"';
}

static int join_data(const struct strings *list, char *to, size_t size)
{
	char *end = to + size, *at = to;

	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(list->v[i]), key = is_context(list->v[i]) ? strcspn(list->v[i], "=") + 1 : 0;

		if (n + 4 > (size_t)(end - at)) {
			errno = E2BIG;
			return -1;
		}
		if (i)
			*at++ = ',';
		/* "context=LABEL" in quotes: there is no other way to say its commas here. */
		at = mempcpy(at, list->v[i], key);
		if (key)
			*at++ = '"';
		at = mempcpy(at, list->v[i] + key, n - key);
		if (key)
			*at++ = '"';
	}
	*at = '\0';
	return 0;
}

/* mount(2) takes longer options, right at the place, which it gets as a descriptor too. */
static int mount_long(struct child *c, const struct op *op, const char **ret_what)
{
	char data[4096], name[32];
	int mounted, result, target = open_mountpoint(c, op->target, true, ret_what);

	if (target < 0)
		return -1;
	*ret_what = "mount";
	result = join_data(&op->mount.data, data, sizeof(data));
	if (result == 0)
		result = mount(op->source ? op->source : op->fstype, fd_path(target, name), op->fstype, 0, data);
	close(target);
	if (result < 0)
		return -1;
	forget_covered(c, op->target);
	mounted = inroot_open(c->root, op->target, O_PATH, 0);
	if (mounted < 0)
		return -1;
	result = apply_options(mounted, &op->mount);
	close(mounted);
	return result;
}

static int mount_filesystem(struct child *c, const struct op *op, const char **ret_what)
{
	const char *step = NULL;
	int result, mount = new_mount(c, op, &step);

	if (mount < 0 && errno == E2BIG)
		return mount_long(c, op, ret_what);
	if (mount < 0) {
		*ret_what = step;
		return -1;
	}
	if (op->label && lsm_label_mount(mount, op->label) < 0) {
		*ret_what = "label it";
		return -1;
	}
	if (op->mount.copy_up && child_copy_up(c, op, mount, ret_what) < 0)
		return -1;
	if (mount_set(mount, op->mount.set_tree, 0, op->mount.propagation, true) < 0)
		return -1;
	result = child_attach(c, mount, op->target, true, ret_what);
	remember(c, op, &mount);
	fd_close(&mount);
	return result;
}

/* The mount on top of a path gets other flags. */
static int remount(struct child *c, const struct op *op)
{
	int result, target = inroot_open(c->root, op->target, O_PATH, 0);

	if (target < 0)
		return -1;
	result = apply_options(target, &op->mount);
	close(target);
	return result;
}

/* --- cgroup v1: a small file system with a directory for each hierarchy, which shows the container's part of it */

static int attach_hierarchy(int top, const struct run_hierarchy *h, int mount)
{
	int result, target;

	if (mkdirat(top, h->name, MODE_DIRECTORY) < 0 && errno != EEXIST)
		return -1;
	target = openat(top, h->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	result = target < 0 ? -1 : mount_attach(mount, target);
	if (target >= 0)
		close(target);
	for (size_t i = 0; i < h->links.n && result == 0; i++)
		if (symlinkat(h->name, top, h->links.v[i]) < 0 && errno != EEXIST)
			result = -1;
	return result;
}

/* With a cgroup namespace a new mount shows its root; without one the container's directory is bound. */
static int open_hierarchy(const struct child *c, const struct run_hierarchy *h, const struct mount_options *o)
{
	const char *words[2] = { h->options, NULL };
	int mount = -1;

	if (c->plan->cgroup_namespace)
		mount = mount_new(h->options ? "cgroup" : "cgroup2", "cgroup", words, o->set, NULL);
	return mount < 0 ? mount_clone(AT_FDCWD, h->path, false) : mount;
}

static int mount_hierarchy(struct child *c, int top, const struct run_hierarchy *h, const struct mount_options *o)
{
	int result, mount = open_hierarchy(c, h, o);

	if (mount < 0)
		return errno == ENOENT ? 0 : -1;
	result = apply_options(mount, o) < 0 ? -1 : attach_hierarchy(top, h, mount);
	close(mount);
	return result;
}

static int mount_cgroup_v1(struct child *c, const struct op *op, const char **ret_what)
{
	static const char *const options[] = { "mode=755", NULL };
	struct mount_options each = op->mount;
	int result = 0, top = mount_new("tmpfs", "cgroup", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
					ret_what);

	if (top < 0)
		return -1;
	result = child_attach(c, top, op->target, true, ret_what);
	each.data.n = 0;
	for (size_t i = 0; i < op->hierarchies->n && result == 0; i++) {
		*ret_what = op->hierarchies->v[i].name;
		result = mount_hierarchy(c, top, &op->hierarchies->v[i], &each);
	}
	if (result == 0)
		result = mount_set(top, op->mount.set, 0, 0, false);
	close(top);
	return result;
}

int child_mount_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_MOUNT:		return mount_filesystem(c, op, ret_what);
	case OP_CGROUP_V1:	return mount_cgroup_v1(c, op, ret_what);
	case OP_BIND:		return bind(c, op, ret_what);
	case OP_REMOUNT:	return remount(c, op);
	default:		errno = ENOSYS; return -1;
	}
}

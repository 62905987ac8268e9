#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/mount.h"

#define MODE_DIRECTORY 0755

/* Flags that a host mount carries and an ordinary user may not take away are left as they are. */
static int set_flags(int mount, uint64_t set, uint64_t clear, uint64_t propagation, bool tree)
{
	uint64_t atime = clear & MOUNT_ATTR__ATIME;

	if (mount_set(mount, set, clear, propagation, tree) == 0)
		return 0;
	if (errno != EPERM || !clear)
		return -1;
	if (mount_set(mount, set, atime, propagation, tree) == 0)
		return 0;
	return atime ? mount_set(mount, set & ~(uint64_t)MOUNT_ATTR__ATIME, 0, propagation, tree) : -1;
}

static int apply_options(int mount, const struct mount_options *o)
{
	/* One call when nothing distinguishes the mount from its tree. */
	if (o->propagation_tree && !o->set && !o->clear)
		return set_flags(mount, o->set_tree, o->clear_tree, o->propagation, true);
	if (set_flags(mount, o->set, o->clear, o->propagation_tree ? 0 : o->propagation, false) < 0)
		return -1;
	return set_flags(mount, o->set_tree, o->clear_tree, o->propagation_tree ? o->propagation : 0, true);
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

/* Attaches at a path in the new root, made when it is missing. */
static int attach(struct child *c, int mount, const char *target, bool directory, const char **ret_what)
{
	const char *name = name_in_dev(c, target);
	int fd = name ? mountpoint_in_dev(c, name, directory) : inroot_mountpoint(c->root, target, directory), result;

	if (fd < 0) {
		*ret_what = "the mount point";
		return -1;
	}
	result = mount_attach(mount, fd);
	close(fd);
	if (strcmp(target, "/dev") == 0)
		fd_close(&c->dev);	/* covered; its mounter may keep the new one */
	return result;
}

static int bind(struct child *c, const struct op *op, const char **ret_what)
{
	int mount = c->fds[op->slot];
	struct stat st;

	if (fstat(mount, &st) < 0)
		return -1;
	*ret_what = "mount options";
	if (apply_options(mount, &op->mount) < 0)
		return -1;
	*ret_what = NULL;
	return attach(c, mount, op->target, S_ISDIR(st.st_mode), ret_what);
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
		mount = mount_new("tmpfs", NULL, MOUNT_ATTR_RDONLY, NULL);
	if (mount < 0) {
		errno = number;
		return -1;
	}
	if (set_flags(mount, op->mount.set & ~(uint64_t)MOUNT_ATTR__ATIME, 0, MS_PRIVATE, true) < 0) {
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
	return mount_new(op->fstype, options, op->mount.set, NULL);
}

static int new_mount(struct child *c, const struct op *op, const char **ret_what)
{
	int mount = mount_new(op->fstype, (const char *const *)op->mount.data.v, op->mount.set, ret_what);

	if (mount < 0 && errno == EINVAL && strcmp(op->fstype, "devpts") == 0)
		mount = mount_without_gid(op);
	if (mount < 0)
		mount = mount_host_instead(c, op);
	return mount;
}

static int mount_filesystem(struct child *c, const struct op *op, const char **ret_what)
{
	const char *step = NULL;
	int result, mount = new_mount(c, op, &step);

	if (mount < 0) {
		*ret_what = step;
		return -1;
	}
	if (op->mount.copy_up && child_copy_up(c, op, mount, ret_what) < 0)
		return -1;
	if (mount_set(mount, op->mount.set_tree, 0, op->mount.propagation, true) < 0)
		return -1;
	result = attach(c, mount, op->target, true, ret_what);
	/* These are used again: they are what they claim to be, whatever the paths lead to. */
	if (strcmp(op->fstype, "proc") == 0 && c->proc < 0)
		c->proc = fd_take(&mount);
	else if (strcmp(op->fstype, "devpts") == 0 && c->devpts < 0)
		c->devpts = fd_take(&mount);
	else if (strcmp(op->fstype, "tmpfs") == 0 && strcmp(op->target, "/dev") == 0)
		c->dev = fd_take(&mount);
	fd_close(&mount);
	return result;
}

/* --- root */

/* The new root covers the old one without a directory of the host being needed for it. */
static int take_root(struct child *c, int mount)
{
	int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), result;

	if (mount < 0 || old < 0)
		return -1;
	result = mount_attach(mount, old);
	close(old);
	c->root = mount;
	return result;
}

static int root_overlay(struct child *c, const struct op *op, const char **ret_what)
{
	int mount = c->fds[op->slot];

	if (mount < 0)
		mount = mount_overlay_by_string(c->plan->rootfs, ret_what);
	return take_root(c, mount);
}

static int root_bind(struct child *c, const struct op *op)
{
	if (set_flags(c->fds[op->slot], 0, 0, MS_PRIVATE, true) < 0)
		return -1;
	return take_root(c, c->fds[op->slot]);
}

static int pivot(struct child *c, const char **ret_what)
{
	if (fchdir(c->root) < 0)
		return -1;
	*ret_what = "pivot_root";
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -1;
	/* Now "." is the old root, on top of the new one. */
	*ret_what = "detach the old root";
	if (umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

/* --- paths of the container */

static int make_symlink(struct child *c, const struct op *op)
{
	bool in_dev = c->dev >= 0 && strcmp(op->target, "/dev") == 0;
	int result, dir = in_dev ? c->dev : inroot_mkdirs(c->root, op->target, MODE_DIRECTORY);

	if (dir < 0)
		return -1;
	result = symlinkat(op->source, dir, op->fstype);
	if (result < 0 && errno == EEXIST)
		result = 0;
	if (!in_dev)
		close(dir);
	return result;
}

static int make_fifo(struct child *c, const struct op *op)
{
	const char *slash = strrchr(op->target, '/');
	char parent[4096];
	size_t n = slash ? (size_t)(slash - op->target) : 0;
	int result, dir;

	if (!slash || n >= sizeof(parent)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(parent, op->target, n);
	parent[n] = '\0';
	dir = inroot_mkdirs(c->root, n ? parent : "/", MODE_DIRECTORY);
	if (dir < 0)
		return -1;
	result = mkfifoat(dir, slash + 1, (mode_t)op->flags);
	close(dir);
	return result < 0 && errno == EEXIST ? 0 : result;
}

static int is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* An empty read-only directory: one tmpfs serves all masked directories of the container. */
static int empty_directory(struct child *c)
{
	static const char *const options[] = { "size=0k", NULL };

	if (c->tmpfs >= 0)
		return mount_clone(c->tmpfs, "", false);
	return mount_new("tmpfs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			 NULL);
}

/* /dev/null of the host, still reachable as the old root is there; never the container's own path. */
static int null_file(void)
{
	int fd = mount_clone(AT_FDCWD, "/dev/null", false);

	if (fd >= 0 && !is_null_device(fd)) {
		close(fd);
		errno = ENODEV;
		return -1;
	}
	return fd;
}

static int mask(struct child *c, const struct op *op)
{
	int result, mount, target = inroot_open(c->root, op->target, O_PATH, 0);
	struct stat st;

	if (target < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (fstat(target, &st) < 0)
		return -1;
	mount = S_ISDIR(st.st_mode) ? empty_directory(c) : null_file();
	result = mount < 0 ? -1 : mount_attach(mount, target);
	close(target);
	if (S_ISDIR(st.st_mode) && c->tmpfs < 0)
		c->tmpfs = fd_take(&mount);
	fd_close(&mount);
	return result;
}

static int make_readonly(struct child *c, const struct op *op)
{
	int result, mount, target = inroot_open(c->root, op->target, O_PATH, 0);

	if (target < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	mount = mount_clone(target, "", true);
	if (mount < 0) {
		close(target);
		return -1;
	}
	result = mount_set(mount, MOUNT_ATTR_RDONLY, 0, 0, true);
	if (result == 0)
		result = mount_attach(mount, target);
	close(mount);
	close(target);
	return result;
}

static int make_directory(struct child *c, const struct op *op)
{
	int fd = inroot_open(c->root, op->target, O_PATH | O_DIRECTORY, 0);

	if (fd < 0 && errno == ENOENT)
		fd = inroot_mkdirs(c->root, op->target, MODE_DIRECTORY);
	if (fd < 0)
		return errno == EACCES ? 0 : -1;	/* chdir as the user tells */
	close(fd);
	return 0;
}

/* --- sysctl */

/* A procfs by birth or by a look at it, never by its path alone. */
static int open_proc(struct child *c)
{
	struct statfs fs;
	int fd;

	if (c->proc >= 0)
		return c->proc;
	fd = inroot_open(c->root, "/proc", O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return -1;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
		close(fd);
		errno = ENODEV;
		return -1;
	}
	return c->proc = fd;
}

static int set_sysctl(struct child *c, const struct op *op)
{
	struct open_how how = { .flags = O_WRONLY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
	char path[256] = "sys/";
	int fd, result, proc = open_proc(c);

	if (proc < 0)
		return -1;
	if (strlen(op->source) >= sizeof(path) - 4) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path + 4, op->source, strlen(op->source) + 1);
	fd = (int)syscall(SYS_openat2, proc, path, &how, sizeof(how));
	if (fd < 0)
		return -1;
	result = fd_write_all(fd, op->fstype, strlen(op->fstype));
	close(fd);
	return result;
}

int child_mount_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_PRIVATE:	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	case OP_ROOT_OVERLAY:	return root_overlay(c, op, ret_what);
	case OP_ROOT_BIND:	return root_bind(c, op);
	case OP_MOUNT:		return mount_filesystem(c, op, ret_what);
	case OP_BIND: case OP_DEVICE:
				return bind(c, op, ret_what);
	case OP_FIFO:		return make_fifo(c, op);
	case OP_SYMLINK:	return make_symlink(c, op);
	case OP_MASK:		return mask(c, op);
	case OP_READONLY_PATH:	return make_readonly(c, op);
	case OP_MKDIR:		return make_directory(c, op);
	case OP_PIVOT:		return pivot(c, ret_what);
	case OP_ROOT_FLAGS:	return mount_set(c->root, op->mount.set, 0, op->mount.propagation, false);
	case OP_SYSCTL:		return set_sysctl(c, op);
	default:		errno = ENOSYS; return -1;
	}
}

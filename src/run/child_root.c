#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
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

/* --- root */

/* The new root covers the old one without a directory of the host being needed for it; in a mount namespace of others
 * it covers its own directory only. */
static int take_root(struct child *c, int mount, const char *place)
{
	int old = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC), result;

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
	return take_root(c, mount, "/");
}

static int root_bind(struct child *c, const struct op *op)
{
	if (mount_set(c->fds[op->slot], 0, 0, op->mount.propagation, true) < 0)
		return -1;
	return take_root(c, c->fds[op->slot], op->target);
}

/* After pivot_root, which refuses a shared root. */
static int root_flags(struct child *c, const struct op *op)
{
	const struct mount_options *o = &op->mount;

	if (mount_set(c->root, o->set, 0, o->propagation_tree ? 0 : o->propagation, false) < 0)
		return -1;
	return mount_set(c->root, 0, 0, o->propagation_tree ? o->propagation : 0, true);
}

static int change_root(struct child *c, const char **ret_what)
{
	*ret_what = "chroot";
	return fchdir(c->root) < 0 || chroot(".") < 0 ? -1 : 0;
}

/* The old root stays below. A whole procfs or sysfs in it would let a user namespace inside mount them without the
 * container's masks. */
static int cover_old_root(struct child *c, const char **ret_what)
{
	static const char *const revealing[] = { "/proc", "/sys" };

	*ret_what = "detach the host's /proc and /sys";
	for (size_t i = 0; i < ELEMENTS(revealing); i++)
		if (umount2(revealing[i], MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
			return -1;
	return change_root(c, ret_what);
}

static int pivot(struct child *c, const struct op *op, const char **ret_what)
{
	if (op->flags & CHROOT_ONLY)
		return change_root(c, ret_what);
	if (fchdir(c->root) < 0)
		return -1;
	*ret_what = "pivot_root";
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return op->flags & CHROOT_ELSE ? cover_old_root(c, ret_what) : -1;
	/* Now "." is the old root, on top of the new one. */
	*ret_what = "detach the old root";
	if (umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

/* --- paths of the container */

/* What lies below the /proc that this process mounted is found from there, whatever a path may lead to by now. */
static int open_path(const struct child *c, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	const char *below = c->proc < 0 ? NULL : str_after(path, "/proc/");

	if (!below || !*below)
		return inroot_open(c->root, path, O_PATH, 0);
	return (int)syscall(SYS_openat2, c->proc, below, &how, sizeof(how));
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
	return mount_new("tmpfs", NULL, options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
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
	int result, mount, target = open_path(c, op->target);
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
	int result, mount, target = open_path(c, op->target);

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

int child_root_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_PRIVATE:	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	case OP_ROOT_OVERLAY:	return root_overlay(c, op, ret_what);
	case OP_ROOT_BIND:	return root_bind(c, op);
	case OP_MASK:		return mask(c, op);
	case OP_READONLY_PATH:	return make_readonly(c, op);
	case OP_MKDIR:		return make_directory(c, op);
	case OP_PIVOT:		return pivot(c, op, ret_what);
	case OP_ROOT_FLAGS:	return root_flags(c, op);
	case OP_SYSCTL:		return set_sysctl(c, op);
	default:		errno = ENOSYS; return -1;
	}
}

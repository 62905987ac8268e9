#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/mount.h"

#define MODE_DIRECTORY 0755

/* An entry of the /dev that this process mounted: nothing in it can lead elsewhere, so the name is enough. */
static bool is_in_own_dev(const struct child *c, const char *path)
{
	const char *name = c->dev < 0 ? NULL : str_after(path, "/dev/");

	return name && !strchr(name, '/');
}

int child_open_parent(struct child *c, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];
	size_t n = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	if (!**ret_name || strcmp(*ret_name, ".") == 0 || strcmp(*ret_name, "..") == 0 || n >= sizeof(parent)) {
		errno = EINVAL;
		return -1;
	}
	if (is_in_own_dev(c, path))
		return c->dev;
	memcpy(parent, path, n);
	parent[n] = '\0';
	return inroot_mkdirs(c->root, n ? parent : "/", MODE_DIRECTORY);
}

static void close_parent(const struct child *c, int dir)
{
	if (dir != c->dev)
		close(dir);
}

static bool is_device(const struct stat *st, const struct plan_device *d)
{
	return (st->st_mode & S_IFMT) == (d->mode & S_IFMT) && (!d->has_number || st->st_rdev == d->number);
}

/* What lies there already is it, or an error. */
static int check_existing(int dir, const char *name, const struct plan_device *d, const char **ret_what)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (is_device(&st, d))
		return 0;
	*ret_what = "another file is there";
	errno = EEXIST;
	return -1;
}

static int make_node(int dir, const char *name, const struct plan_device *d, const char **ret_what)
{
	mode_t mask = umask(0);
	int result = mknodat(dir, name, d->mode, d->number);

	umask(mask);
	if (result < 0)
		return errno == EEXIST ? check_existing(dir, name, d, ret_what) : -1;
	if (!d->uid && !d->gid)
		return 0;
	*ret_what = "the owner";
	return fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW);
}

/* The only file of a detached file system as a mount of its own. For that the file system must be mounted for a moment,
 * where nothing is hidden by it: at the container's root. */
static int take_out(struct child *c, int fs)
{
	int mount = -1, number;

	if (mount_attach(fs, c->root) < 0)
		return -1;
	mount = mount_clone(fs, PLAN_DEVICE_NAME, false);
	number = errno;
	if (fchdir(fs) < 0 || umount2(".", MNT_DETACH) < 0) {
		fd_close(&mount);
		return -1;
	}
	errno = number;
	return mount;
}

/* The host's node of the same name, which must be the device that was meant, or one that was made apart. */
static int bind_node(struct child *c, const struct op *op, const char **ret_what)
{
	int mount = op->slot >= 0 ? c->fds[op->slot] : mount_clone(AT_FDCWD, op->source, false);
	struct stat st;
	int result;

	if (mount >= 0 && op->device->apart && fstat(mount, &st) == 0 && S_ISDIR(st.st_mode)) {
		int fs = mount;

		mount = take_out(c, fs);
		close(fs);
	}
	if (mount < 0 || fstat(mount, &st) < 0)
		return -1;
	if (!is_device(&st, op->device)) {
		*ret_what = "the host has another file of that name";
		errno = ENODEV;
		result = -1;
	} else {
		/* A clone made by the parent is a peer of the host's mount: what is mounted on one appears on the other. */
		result = mount_set(mount, 0, 0, MS_PRIVATE, false);
		if (result == 0)
			result = child_attach(c, mount, op->target, false, ret_what);
	}
	close(mount);
	if (op->slot >= 0)
		c->fds[op->slot] = -1;
	return result;
}

static int make_device(struct child *c, const struct op *op, const char **ret_what)
{
	const char *name;
	int dir, result;

	if (op->slot >= 0)
		return bind_node(c, op, ret_what);
	dir = child_open_parent(c, op->target, &name);
	if (dir < 0) {
		*ret_what = "its directory";
		return -1;
	}
	result = make_node(dir, name, op->device, ret_what);
	close_parent(c, dir);
	/* Root without the right to make nodes, as in another container. */
	if (result < 0 && errno == EPERM && !S_ISFIFO(op->device->mode))
		return bind_node(c, op, ret_what);
	return result;
}

static int make_symlink(struct child *c, const struct op *op)
{
	bool in_dev = c->dev >= 0 && strcmp(op->target, "/dev") == 0;
	int result, dir = in_dev ? c->dev : inroot_mkdirs(c->root, op->target, MODE_DIRECTORY);

	if (dir < 0)
		return -1;
	result = symlinkat(op->source, dir, op->fstype);
	if (result < 0 && errno == EEXIST)
		result = 0;
	close_parent(c, dir);
	return result;
}

int child_device_op(struct child *c, const struct op *op, const char **ret_what)
{
	return op->kind == OP_SYMLINK ? make_symlink(c, op) : make_device(c, op, ret_what);
}

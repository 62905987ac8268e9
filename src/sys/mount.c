#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

/* fsconfig takes strings of at most 256 bytes, the NUL included. */
#define FSCONFIG_STRING_MAX 255
#define OVERLAY_DATA_MAX 4096

static int fail_at(const char **ret_step, const char *step)
{
	if (ret_step)
		*ret_step = step;
	return -1;
}

/* Closes without touching the errno of the failure that made it useless. */
static int close_failed(int fd)
{
	int number = errno;

	close(fd);
	errno = number;
	return -1;
}

/* Gives a directory to a file system that is being configured; a path that is too long for fsconfig goes by a
 * descriptor's name in /proc. */
static int set_path(int fs, const char *key, const char *path)
{
	char name[32];
	int fd, result;

	if (strlen(path) <= FSCONFIG_STRING_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = fsconfig(fs, FSCONFIG_SET_STRING, key, fd_path(fd, name), 0);
	if (result < 0)
		return close_failed(fd);
	close(fd);
	return result;
}

static int set_lower(int fs, const struct rootfs *rootfs, const char **ret_step)
{
	if (rootfs->tree > 0 && fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, rootfs->tree) < 0)
		return fail_at(ret_step, "lowerdir+ of the tree");
	for (size_t i = 0; i < rootfs->lower.n; i++)
		if (set_path(fs, "lowerdir+", rootfs->lower.v[i]) < 0)
			return fail_at(ret_step, "lowerdir+");
	if (rootfs->data && set_path(fs, "datadir+", rootfs->data) < 0)
		return fail_at(ret_step, "datadir+");
	/* Files of the tree and copies of them in the upper layer are of two file systems: with xino each keeps one inode
	 * number, and all of them one device number, as programs that stay on one file system need it. */
	if (rootfs->tree > 0 && fsconfig(fs, FSCONFIG_SET_STRING, "xino", "on", 0) < 0)
		return fail_at(ret_step, "xino");
	return 0;
}

static int configure_overlay(int fs, const struct rootfs *rootfs, const char **ret_step)
{
	if (set_lower(fs, rootfs, ret_step) < 0)
		return -1;
	if (rootfs->upper && set_path(fs, "upperdir", rootfs->upper) < 0)
		return fail_at(ret_step, "upperdir");
	if (rootfs->upper && set_path(fs, "workdir", rootfs->work) < 0)
		return fail_at(ret_step, "workdir");
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return fail_at(ret_step, "userxattr");
	if (rootfs->label && fsconfig(fs, FSCONFIG_SET_STRING, "context", rootfs->label, 0) < 0)
		return fail_at(ret_step, "context");
	if (rootfs->upper && rootfs->volatile_upper && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return fail_at(ret_step, "volatile");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_at(ret_step, "create");
	return 0;
}

int mount_overlay(const struct rootfs *rootfs, const char **ret_step)
{
	int mount_fd, fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0)
		return fail_at(ret_step, "fsopen");
	fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
	if (configure_overlay(fs, rootfs, ret_step) < 0)
		return close_failed(fs);
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0) {
		fail_at(ret_step, "fsmount");
		return close_failed(fs);
	}
	close(fs);
	return mount_fd;
}

/* Appends text to the option string; in paths the separators of overlay's parser are escaped. */
static char *append(char *at, const char *end, const char *text, bool escape)
{
	for (; at && *text; text++) {
		if (escape && strchr(":,\\", *text) && at < end)
			*at++ = '\\';
		if (at >= end)
			return NULL;
		*at++ = *text;
	}
	return at;
}

static int overlay_string(const struct rootfs *rootfs, char data[OVERLAY_DATA_MAX])
{
	const char *end = data + OVERLAY_DATA_MAX - 1;
	char *at = append(data, end, "userxattr,lowerdir=", false);

	for (size_t i = 0; i < rootfs->lower.n; i++) {
		at = i ? append(at, end, ":", false) : at;
		at = append(at, end, rootfs->lower.v[i], true);
	}
	if (rootfs->upper) {
		at = append(at, end, ",upperdir=", false);
		at = append(at, end, rootfs->upper, true);
		at = append(at, end, ",workdir=", false);
		at = append(at, end, rootfs->work, true);
		at = append(at, end, rootfs->volatile_upper ? ",volatile" : "", false);
	}
	if (rootfs->label) {	/* which has commas */
		at = append(at, end, ",context=\"", false);
		at = append(at, end, rootfs->label, false);
		at = append(at, end, "\"", false);
	}
	if (!at) {
		errno = E2BIG;
		return -1;
	}
	*at = '\0';
	return 0;
}

int mount_overlay_by_string(const struct rootfs *rootfs, const char **ret_step)
{
	char data[OVERLAY_DATA_MAX];
	const char *point = rootfs->lower.v[0];
	int mount_fd;

	if (overlay_string(rootfs, data) < 0)
		return fail_at(ret_step, "options");
	if (mount("overlay", point, "overlay", 0, data) < 0)
		return fail_at(ret_step, "mount");
	mount_fd = mount_clone(AT_FDCWD, point, false);
	if (mount_fd < 0)
		fail_at(ret_step, "open_tree");
	umount2(point, MNT_DETACH);
	return mount_fd;
}

static int set_option(int fs, const char *option)
{
	char key[64];
	const char *equals = strchr(option, '=');
	size_t n;

	if (!equals)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	n = (size_t)(equals - option);
	if (n >= sizeof(key) || strlen(equals + 1) > FSCONFIG_STRING_MAX) {
		errno = n >= sizeof(key) ? EINVAL : E2BIG;
		return -1;
	}
	memcpy(key, option, n);
	key[n] = '\0';
	return fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
}

int mount_new(const char *fstype, const char *source, const char *const *options, unsigned long attr_flags,
	      const char **ret_step)
{
	int mount_fd, fs = fsopen(fstype, FSOPEN_CLOEXEC);

	if (fs < 0)
		return fail_at(ret_step, "fsopen");
	fsconfig(fs, FSCONFIG_SET_STRING, "source", source ? source : fstype, 0);
	for (; options && *options; options++)
		if (set_option(fs, *options) < 0) {
			fail_at(ret_step, *options);
			return close_failed(fs);
		}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		fail_at(ret_step, "create");
		return close_failed(fs);
	}
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr_flags);
	if (mount_fd < 0) {
		fail_at(ret_step, "fsmount");
		return close_failed(fs);
	}
	close(fs);
	return mount_fd;
}

int mount_clone(int dirfd, const char *path, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT;

	return open_tree(dirfd, path, flags | (*path ? 0 : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0));
}

bool mount_is_point(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) == 0 &&
	       st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

int mount_attach(int mount_fd, int target_fd)
{
	return move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int mount_set(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };

	if (!set && !clear && !propagation)
		return 0;
	return mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

int mount_set_allowed(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive)
{
	uint64_t atime = clear & MOUNT_ATTR__ATIME;

	if (mount_set(mount_fd, set, clear, propagation, recursive) == 0)
		return 0;
	if (errno != EPERM || !clear)
		return -1;
	if (mount_set(mount_fd, set, atime, propagation, recursive) == 0)
		return 0;
	if (!atime)
		return -1;
	return mount_set(mount_fd, set & ~(uint64_t)MOUNT_ATTR__ATIME, 0, propagation, recursive);
}

int mount_set_idmap(int mount_fd, int user_namespace, bool recursive)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace };

	return mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

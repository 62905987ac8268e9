#include "sys/whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"

#define XATTR "user.bryo.whiteout"
#define XATTR_OPAQUE "user.bryo.opaque"

/* Does the failure tell that the file system cannot have it, or that something else is wrong? */
static bool is_refused(int number)
{
	static const int refusals[] = { EPERM, EACCES, EOPNOTSUPP, EINVAL, ENOSYS, ENOENT, ENAMETOOLONG };

	for (size_t i = 0; i < ELEMENTS(refusals); i++)
		if (number == refusals[i])
			return true;
	return false;
}

static bool has_attribute(int fd, const char *attribute)
{
	char value[2];

	return fgetxattr(fd, attribute, value, sizeof(value)) == 1 && value[0] == 'y';
}

static int make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int make_mark(int dir, const char *name)
{
	char mark[NAME_MAX + 8];

	if (snprintf(mark, sizeof(mark), WHITEOUT_MARK "%s", name) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return make_file(dir, mark);
}

static int make_attribute(int dir, const char *name)
{
	_cleanup_fd_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int number;

	if (fd < 0)
		return -1;
	if (fsetxattr(fd, XATTR, "y", 1, 0) == 0)
		return 0;
	number = errno;
	unlinkat(dir, name, 0);
	errno = number;
	return -1;
}

/* fuse-overlayfs makes the device, hides it, and loses sight of what else is in the directory: it must not be tried there. It
 * gives itself away by refusing the mark. */
static bool is_inside_fuse_overlayfs(int dir, const char *name)
{
	struct statfs fs;

	if (fstatfs(dir, &fs) < 0 || fs.f_type != FUSE_SUPER_MAGIC)
		return false;
	if (make_mark(dir, name) < 0)
		return is_refused(errno);
	whiteout_unmark(dir, name);
	return false;
}

int whiteout_make(int dir, const char *name)
{
	struct stat st;

	if (is_inside_fuse_overlayfs(dir, name))
		return make_attribute(dir, name) < 0 ? -1 : 1;
	if (mknodat(dir, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (!is_refused(errno))
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return make_mark(dir, name) < 0 ? -1 : 1;
}

/* fuse-overlayfs takes overlay's attribute and shows it to nobody. */
static int set_attribute(int dir, const char *attribute)
{
	if (fsetxattr(dir, attribute, "y", 1, 0) < 0)
		return -1;
	if (has_attribute(dir, attribute))
		return 0;
	errno = EOPNOTSUPP;
	return -1;
}

int whiteout_set_opaque(int dir)
{
	if (set_attribute(dir, "user.overlay.opaque") == 0)
		return 0;
	if (is_refused(errno) && make_file(dir, WHITEOUT_MARK_OPAQUE) == 0)
		return 0;
	return is_refused(errno) ? set_attribute(dir, XATTR_OPAQUE) : -1;
}

bool whiteout_unmark(int dir, const char *name)
{
	char mark[NAME_MAX + 8];

	snprintf(mark, sizeof(mark), WHITEOUT_MARK "%.*s", NAME_MAX, name);
	return unlinkat(dir, mark, 0) == 0;
}

/* --- reading */

bool whiteout_is(int dir, const char *name, const struct stat *st)
{
	_cleanup_fd_ int fd = -1;

	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	if (!S_ISREG(st->st_mode) || st->st_size)
		return false;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && has_attribute(fd, XATTR);
}

const char *whiteout_marked(const char *name, const struct stat *st)
{
	const char *hidden = S_ISREG(st->st_mode) ? str_after(name, WHITEOUT_MARK) : NULL;

	return hidden && str_eq(name, WHITEOUT_MARK_OPAQUE) ? "" : hidden;
}

bool whiteout_is_opaque(int dir)
{
	static const char *const names[] = {
		"user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque", XATTR_OPAQUE,
	};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (has_attribute(dir, names[i]))
			return true;
	return faccessat(dir, WHITEOUT_MARK_OPAQUE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#include "engine/relabel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "engine/host_place.h"
#include "engine/own.h"
#include "spec/selinux.h"
#include "sys/fd.h"

#define ATTRIBUTE "security.selinux"
#define LABEL_MAX 4096
#define DEPTH_MAX 512

/* "/proc/self/fd/N/name": the entry itself, whatever it is, of a directory that is open. */
static int entry_path(int dirfd, const char *name, char path[512])
{
	int n = snprintf(path, 512, "/proc/self/fd/%d/%s", dirfd, name);

	if (n > 0 && n < 512)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static bool has_label(const char *path, const char *label)
{
	char now[LABEL_MAX];
	ssize_t n = lgetxattr(path, ATTRIBUTE, now, sizeof(now) - 1);

	if (n <= 0)
		return false;
	now[n] = '\0';
	return strcmp(now, label) == 0;
}

static int set_label(const char *path, const char *label)
{
	return has_label(path, label) ? 0 : lsetxattr(path, ATTRIBUTE, label, strlen(label) + 1, 0);
}

static int label_entry(int dirfd, const char *name, const char *label)
{
	char path[512];

	return entry_path(dirfd, name, path) < 0 ? -1 : set_label(path, label);
}

int relabel_entry(int dirfd, const char *name, const char *label, struct error *err)
{
	if (label_entry(dirfd, name, label) == 0 || errno == ENOENT || errno == ENOTSUP)
		return 0;
	return error_errno(err, "label %s as %s", name, label);
}

/* Consumes dir_fd. */
static int walk(int dir_fd, const char *label, int depth, struct error *err)
{
	_cleanup_dir_ DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		error_errno(err, "read a directory");
		close(dir_fd);
		return -1;
	}
	while ((entry = fd_next_entry(dir))) {
		const char *name = entry->d_name;
		struct stat st;

		if (label_entry(dirfd(dir), name, label) < 0 && errno != ENOENT && errno != ENOTSUP)
			return error_errno(err, "%s", name);
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			continue;
		int child = fd_open_dir(dirfd(dir), name);
		if (child < 0 || depth >= DEPTH_MAX) {
			fd_close(&child);
			return error_set(err, ERROR_DENIED, "%s: cannot be entered", name);
		}
		if (walk(child, label, depth + 1, err) < 0)
			return error_frame(err, "%s", name);
	}
	return errno ? error_errno(err, "list a directory") : 0;
}

static int refused(struct engine *e, const char *path, const char *label, struct error *err)
{
	int number = errno;

	if (number == ENOTSUP) {
		engine_warn(e, "%s keeps no SELinux labels: its mount decides which containers may use it", path);
		return 0;
	}
	error_errno(err, "label %s as %s", path, label);
	if (number != EPERM && number != EACCES)
		return -1;
	error_hint(err, "it belongs to another user, or the policy keeps its type");
	return error_fix_admin(err, "chcon -R %s %s", label, str_quote(e->arena, path));
}

int relabel_tree(struct engine *e, const char *path, const char *label, struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	char name[32];

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "open %s", path);
	if (S_ISDIR(st.st_mode)) {
		int inside = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (inside < 0)
			return error_errno(err, "open %s", path);
		if (walk(inside, label, 0, err) < 0)
			return error_frame(err, "label %s as %s", path, label);
	}
	/* The top at last: with its label all have theirs. */
	if (setxattr(fd_path(fd, name), ATTRIBUTE, label, strlen(label) + 1, 0) < 0)
		return refused(e, path, label, err);
	return 0;
}

/* With another label nobody could log in any more, and what only half got it would serve nobody. */
int relabel_check(struct engine *e, const char *path, struct error *err)
{
	_cleanup_fd_ int top = open(path, O_PATH | O_CLOEXEC);
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st, other;

	if (top < 0)
		return error_errno(err, "open %s", path);
	if (!host_place_is_system(top) && !host_place_of_user(e, top) &&
	    !(runtime && fstat(top, &st) == 0 && stat(runtime, &other) == 0 && st.st_dev == other.st_dev && st.st_ino == other.st_ino))
		return own_check(e, top, path, err) < 0 ? error_frame(err, "SELinux relabeling of %s", path) : 0;
	error_set(err, ERROR_USAGE, "SELinux relabeling of %s is not allowed", path);
	return error_hint(err, "mount a directory below it, or leave z and Z out and use --security-opt label=disable");
}

static bool keeps_labels(const char *path)
{
	return lgetxattr(path, ATTRIBUTE, NULL, 0) >= 0 || errno != ENOTSUP;
}

int relabel_volume(struct engine *e, const char *path, const char *label, struct error *err)
{
	return keeps_labels(path) && relabel_check(e, path, err) < 0 ? -1 : relabel_tree(e, path, label, err);
}

bool relabel_has_label(const char *path, const char *label)
{
	return has_label(path, label);
}

bool relabel_has_type(struct engine *e, const char *path, const char *label)
{
	struct selinux_context wanted, now;
	char text[LABEL_MAX];
	ssize_t n = getxattr(path, ATTRIBUTE, text, sizeof(text) - 1);

	if (n <= 0)
		return n < 0 && errno == ENOTSUP;
	text[n] = '\0';
	return selinux_parse(e->arena, text, &now, NULL) == 0 && selinux_parse(e->arena, label, &wanted, NULL) == 0 &&
	       str_eq(now.type, wanted.type);
}

#include "transfer/tree_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/whiteout.h"

#define STEP_MAX ((size_t)4000)		/* bytes that one openat2 walks, below PATH_MAX */

void tree_note_owner(struct tree *t, const struct tree_entry *e)
{
	if (e->uid > t->max_uid)
		t->max_uid = e->uid;
	if (e->gid > t->max_gid)
		t->max_gid = e->gid;
}

bool tree_must_chown(const struct tree *t, const struct tree_entry *e)
{
	return t->parent.sets_gid || (!t->options.squash_owner && (e->uid || e->gid));
}

static int walk_step(int dirfd, const char *path, size_t n, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	char part[STEP_MAX + 2];

	memcpy(part, n ? path : ".", n ? n : 1);
	part[n ? n : 1] = '\0';
	return (int)syscall(SYS_openat2, dirfd, part, &how, sizeof(how));
}

/* The first n bytes of path, in as many steps as their length needs. */
static int open_dir(int dirfd, const char *path, size_t n, int flags)
{
	int fd = -1;

	while (n > STEP_MAX) {
		size_t part = STEP_MAX;
		int next;

		while (part > 0 && path[part] != '/')
			part--;
		if (!part) {
			fd_close(&fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		next = walk_step(fd >= 0 ? fd : dirfd, path, part, O_PATH);
		fd_close(&fd);
		if (next < 0)
			return -1;
		fd = next;
		path += part + 1;
		n -= part + 1;
	}
	if (fd < 0)
		return walk_step(dirfd, path, n, flags);
	dirfd = walk_step(fd, path, n, flags);
	close(fd);
	return dirfd;
}

int tree_open_dir(int dirfd, const char *path, int flags)
{
	return open_dir(dirfd, path, strlen(path), flags);
}

static int open_top(struct tree *t)
{
	return tree_open_dir(t->root, t->prefix, O_PATH);
}

/* An existing directory, links inside the root followed: archives made of several parts have `lib -> usr/lib` and
 * `lib/x`. The kernel keeps this below the root whatever the links say. */
static int follow_in_root(struct tree *t, const char *path, size_t n)
{
	char *full;
	int fd;

	if (asprintf(&full, "/%s/%.*s", t->prefix, (int)n, path) < 0)
		return -1;
	fd = inroot_open(t->root, full, O_PATH | O_DIRECTORY, 0);
	free(full);
	return fd;
}

static int open_parent(struct tree *t, const char *path, size_t n)
{
	_cleanup_fd_ int top = -1;
	int fd;

	if (!*t->prefix)
		return open_dir(t->root, path, n, O_PATH);
	top = open_top(t);
	if (top < 0)
		return -1;
	fd = open_dir(top, path, n, O_PATH);
	return fd;
}

int tree_set_opaque(int dirfd, struct error *err)
{
	return whiteout_set_opaque(dirfd) < 0 ? error_errno(err, "mark a directory opaque") : 0;
}

bool tree_unmark(const struct tree *t, int parent, const char *name)
{
	return t->marks && whiteout_unmark(parent, name);
}

/* A directory in place of what stands under a parent's name: nothing, a whiteout, or a file of an earlier entry. */
static int make_parent(struct tree *t, int dirfd, const char *name, bool hides, struct error *err)
{
	int fd;

	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make the directory %s", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open the directory %s", name);
	if (hides && tree_set_opaque(fd, err) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One component on the way to path[0..end). */
static int step_into(struct tree *t, int dirfd, const char *path, size_t end, const char *name, struct error *err)
{
	bool hides;
	struct stat st;
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return make_parent(t, dirfd, name, tree_unmark(t, dirfd, name), err);
	if ((errno != ENOTDIR && errno != ELOOP) || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "open the directory %s", name);
	if (S_ISLNK(st.st_mode)) {
		fd = follow_in_root(t, path, end);
		return fd >= 0 ? fd : error_errno(err, "follow the link /%.*s", (int)end, path);
	}
	if (t->options.keep_kind)
		return error_set(err, ERROR_INVALID, "cannot overwrite the file /%.*s with a directory", (int)end, path);
	hides = whiteout_is(dirfd, name, &st);
	if (unlinkat(dirfd, name, 0) < 0)
		return error_errno(err, "replace /%.*s", (int)end, path);
	return make_parent(t, dirfd, name, hides, err);
}

static int walk_and_make(struct tree *t, const char *path, size_t n, struct error *err)
{
	char name[NAME_MAX + 1];
	int fd = open_top(t);
	size_t at = 0;

	if (fd < 0)
		return error_errno(err, "open the root of the tree");
	while (at < n) {
		size_t end = at;
		int next;

		while (end < n && path[end] != '/')
			end++;
		if (end - at > NAME_MAX) {
			close(fd);
			return error_set(err, ERROR_INVALID, "a part of the name /%.*s... is longer than %d bytes", 80, path,
					 NAME_MAX);
		}
		memcpy(name, path + at, end - at);
		name[end - at] = '\0';
		next = step_into(t, fd, path, end, name, err);
		close(fd);
		if (next < 0)
			return -1;
		fd = next;
		at = end + 1;
	}
	return fd;
}

void tree_forget_parent(struct tree *t)
{
	free(t->parent.path);
	t->parent.path = NULL;
	fd_close(&t->parent.fd);
}

static int keep_parent(struct tree *t, const char *path, size_t n, int fd, struct error *err)
{
	struct stat st;

	t->parent.fd = fd;
	t->parent.path = strndup(path, n);
	if (!t->parent.path || fstat(fd, &st) < 0) {
		error_errno(err, "open the directory /%.*s", (int)n, path);
		tree_forget_parent(t);
		return -1;
	}
	t->parent.sets_gid = st.st_mode & S_ISGID;
	return fd;
}

int tree_enter(struct tree *t, const char *path, const char **ret_name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (t->parent.fd >= 0 && strlen(t->parent.path) == n && memcmp(t->parent.path, path, n) == 0)
		return t->parent.fd;
	tree_forget_parent(t);
	fd = open_parent(t, path, n);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		fd = walk_and_make(t, path, n, err);
		if (fd < 0)
			return -1;
	}
	if (fd < 0)
		return error_errno(err, "open the directory /%.*s", (int)n, path);
	return keep_parent(t, path, n, fd, err);
}

int tree_enter_existing(struct tree *t, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int fd = open_parent(t, path, n);

	*ret_name = slash ? slash + 1 : path;
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		fd = follow_in_root(t, path, n);
	return fd;
}

int tree_open_made(struct tree *t, const char *path)
{
	_cleanup_fd_ int parent = -1;
	const char *name;

	if (!*path)
		return tree_open_dir(t->root, t->prefix, O_RDONLY);
	parent = tree_enter_existing(t, path, &name);
	return parent < 0 ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int tree_clear(struct tree *t, const char *path, const char *name, bool want_directory, bool *ret_hides,
	       struct error *err)
{
	int parent = t->parent.fd;
	struct stat st;
	bool is_directory;

	*ret_hides = false;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, "look at /%s", path);
	is_directory = S_ISDIR(st.st_mode);
	if (is_directory && want_directory)
		return 0;
	if (t->options.keep_kind && is_directory != want_directory)
		return error_set(err, ERROR_INVALID, is_directory ? "cannot overwrite the directory /%s with a file" :
				 "cannot overwrite the file /%s with a directory", path);
	*ret_hides = whiteout_is(parent, name, &st);
	if ((is_directory ? fd_remove_tree(parent, name) : unlinkat(parent, name, 0)) < 0)
		return error_errno(err, "replace /%s", path);
	return 0;
}

/* The layer brings what it whites out: of a directory nothing of the lower layers may show. */
static int whiteout_over(int parent, const char *name, const struct stat *st, const char *path, struct error *err)
{
	_cleanup_fd_ int fd = -1;

	if (!S_ISDIR(st->st_mode))
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open the directory of the whiteout /%s", path);
	return tree_set_opaque(fd, err);
}

int tree_whiteout(struct tree *t, const char *path, struct error *err)
{
	const char *marker, *name;
	int parent = tree_enter(t, path, &marker, err), made, number;
	struct stat st;

	if (parent < 0)
		return -1;
	name = marker + strlen(WHITEOUT_MARK);
	made = whiteout_make(parent, name);
	number = errno;
	if (made < 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return whiteout_over(parent, name, &st, path, err);
	errno = number;
	t->marks |= made > 0;
	return made < 0 ? error_errno(err, "make the whiteout /%s", path) : 0;
}

int tree_opaque(struct tree *t, const char *path, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	const char *marker;
	int parent = tree_enter(t, path, &marker, err);

	if (parent < 0)
		return -1;
	fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open the directory of /%s", path);
	return tree_set_opaque(fd, err);
}

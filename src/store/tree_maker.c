#include "store/tree_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/string.h"
#include "store/tree.h"
#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/whiteout.h"

#define OPEN_MAX_LEVELS 128	/* directories whose descriptors stay open; deeper ones are left and come back to by ".." */

/* A directory that is being filled, and what it gets at the end. */
struct tree_level {
	int fd;				/* -1: closed, as it lies too deep */
	size_t path_n;			/* of its path */
	uint32_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	struct layer_xattr *xattrs;
	size_t xattrs_n;
};

static int failed(struct tree_maker *m, const char *what, const char *path)
{
	return error_errno(m->err, "%s /%s", what, path);
}

static int damaged(struct tree_maker *m, const char *path)
{
	return error_set(m->err, ERROR_INVALID, "the layer's index is damaged: /%.300s is out of place", path);
}

/* --- attributes */

/* As for unpacked layers: what a file system cannot keep is left out. */
static bool xattr_error_is_fine(const char *name)
{
	return errno == EOPNOTSUPP || (errno == EPERM && str_starts(name, "security."));
}

static int set_xattrs(struct tree_maker *m, int fd, const struct layer_xattr *xattrs, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (str_starts(xattrs[i].name, "user.overlay.") || str_starts(xattrs[i].name, "trusted."))
			continue;
		if (fsetxattr(fd, xattrs[i].name, xattrs[i].value, xattrs[i].size, 0) < 0 &&
		    !xattr_error_is_fine(xattrs[i].name))
			return failed(m, "set the extended attributes of", path);
	}
	return 0;
}

static bool has_owner(const struct tree_maker *m, uid_t uid, gid_t gid)
{
	return !m->single_id && (uid || gid);
}

/* --- directories */

static int finish_level(struct tree_maker *m, struct tree_level *l)
{
	const struct timespec times[2] = { l->mtime, l->mtime };
	const char *path = l->path_n ? m->path : "";

	if (has_owner(m, l->uid, l->gid) && fchown(l->fd, l->uid, l->gid) < 0)
		return failed(m, "set the owner of", path);
	/* A set-group-id bit would have given its group to all that was made inside. */
	if (((l->mode & 07000) || l->path_n == 0) && fchmod(l->fd, l->mode) < 0)
		return failed(m, "set the mode of", path);
	if (l->xattrs_n && set_xattrs(m, l->fd, l->xattrs, l->xattrs_n, path) < 0)
		return -1;
	return futimens(l->fd, times) < 0 ? failed(m, "set the time of", path) : 0;
}

static int leave(struct tree_maker *m)
{
	struct tree_level *l = &m->levels[m->depth - 1], *parent = m->depth > 1 ? l - 1 : NULL;
	int result = finish_level(m, l);

	if (parent && parent->fd < 0)
		parent->fd = openat(l->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (result == 0 && parent && parent->fd < 0)
		result = failed(m, "go back from", m->path);
	if (parent) {
		close(l->fd);
		m->path[m->path_n = parent->path_n] = '\0';
	}
	m->depth--;
	return result;
}

/* A level for e, whose directory is fd. */
static void push(struct tree_maker *m, const struct layer_entry *e, int fd)
{
	struct tree_level *l;

	if (m->depth == m->room) {
		struct tree_level *more = arena_new_array(m->arena, struct tree_level, m->room * 2);

		memcpy(more, m->levels, m->depth * sizeof(*more));
		m->levels = more;
		m->room *= 2;
	}
	if (m->depth > OPEN_MAX_LEVELS)
		fd_close(&m->levels[m->depth - 1].fd);
	l = &m->levels[m->depth++];
	*l = (struct tree_level){ fd, m->path_n, e->mode, e->uid, e->gid, e->mtime, NULL, e->xattrs_n };
	if (e->xattrs_n)
		l->xattrs = arena_memdup(m->arena, e->xattrs, e->xattrs_n * sizeof(*e->xattrs));
}

static int mark_opaque(struct tree_maker *m, const struct layer_entry *e, int fd)
{
	return e->opaque && whiteout_set_opaque(fd) < 0 ? failed(m, "mark as opaque", e->path) : 0;
}

static int enter(struct tree_maker *m, int parent, const char *name, const struct layer_entry *e)
{
	int fd;

	if (mkdirat(parent, name, e->mode & 0777) < 0)
		return failed(m, "make the directory", e->path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failed(m, "open the directory", e->path);
	m->path_n = strlen(e->path);
	memcpy(m->path, e->path, m->path_n + 1);
	push(m, e, fd);
	return mark_opaque(m, e, fd);
}

/* The root is there. */
static int enter_root(struct tree_maker *m, const struct layer_entry *e)
{
	m->depth = 0;
	push(m, e, m->root);
	return mark_opaque(m, e, m->root);
}

/* --- files */

static int make_stub(struct tree_maker *m, int fd, const struct layer_entry *e)
{
	char redirect[1 + OBJECT_NAME_SIZE] = "/";

	object_name(e->digest, redirect + 1);
	if (fsetxattr(fd, "user.overlay.metacopy", "", 0, 0) < 0 ||
	    fsetxattr(fd, "user.overlay.redirect", redirect, OBJECT_NAME_SIZE, 0) < 0 || ftruncate(fd, e->size) < 0)
		return failed(m, "make the file", e->path);
	return 0;
}

static int copy_contents(struct tree_maker *m, int fd, const struct layer_entry *e)
{
	char name[OBJECT_NAME_SIZE];
	_cleanup_fd_ int object = -1;
	struct stat st;

	object_name(e->digest, name);
	object = openat(m->objects, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (object < 0 || fstat(object, &st) < 0)
		return failed(m, "open the contents of", e->path);
	if (!S_ISREG(st.st_mode) || st.st_size != e->size)
		return error_set(m->err, ERROR_INVALID, "the contents of /%s are damaged: objects/%s has %lld bytes instead of "
				 "%lld", e->path, name, (long long)st.st_size, (long long)e->size);
	return tree_copy_data(object, fd, st.st_size) < 0 ? failed(m, "copy the contents of", e->path) : 0;
}

static int make_file(struct tree_maker *m, int parent, const char *name, const struct layer_entry *e)
{
	const struct timespec times[2] = { e->mtime, e->mtime };
	_cleanup_fd_ int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, e->mode & 0777);

	if (fd < 0)
		return failed(m, "make the file", e->path);
	if (e->size && (m->objects < 0 ? make_stub(m, fd, e) : copy_contents(m, fd, e)) < 0)
		return -1;
	if (has_owner(m, e->uid, e->gid) && fchown(fd, e->uid, e->gid) < 0)
		return failed(m, "set the owner of", e->path);
	if ((e->mode & 07000) && fchmod(fd, e->mode) < 0)
		return failed(m, "set the mode of", e->path);
	if (e->xattrs_n && set_xattrs(m, fd, e->xattrs, e->xattrs_n, e->path) < 0)
		return -1;
	return futimens(fd, times) < 0 ? failed(m, "set the time of", e->path) : 0;
}

/* --- what else there is */

static int dress(struct tree_maker *m, int parent, const char *name, const struct layer_entry *e)
{
	const struct timespec times[2] = { e->mtime, e->mtime };

	if (has_owner(m, e->uid, e->gid) && fchownat(parent, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(m, "set the owner of", e->path);
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? failed(m, "set the time of", e->path) : 0;
}

static int make_symlink(struct tree_maker *m, int parent, const char *name, const struct layer_entry *e)
{
	return symlinkat(e->target, parent, name) < 0 ? failed(m, "make the link", e->path) : dress(m, parent, name, e);
}

static int make_fifo(struct tree_maker *m, int parent, const char *name, const struct layer_entry *e)
{
	return mkfifoat(parent, name, e->mode & 0777) < 0 ? failed(m, "make the FIFO", e->path) : dress(m, parent, name, e);
}

/* What the target names in this tree, whatever the index says: nothing outside can be linked to. */
static int make_hardlink(struct tree_maker *m, int parent, const char *name, const struct layer_entry *e)
{
	_cleanup_fd_ int fd = inroot_open(m->root, e->target, O_PATH | O_NOFOLLOW, 0);
	char path[32];

	if (fd < 0 || linkat(AT_FDCWD, fd_path(fd, path), parent, name, AT_SYMLINK_FOLLOW) < 0)
		return failed(m, "make the hard link", e->path);
	return 0;
}

/* --- entries */

/* Is path directly or deeper below the directory? */
static bool is_below(const struct tree_maker *m, const char *path)
{
	return m->path_n == 0 || (strncmp(path, m->path, m->path_n) == 0 && path[m->path_n] == '/');
}

/* The last name of path, whose directory is now the last level; NULL when it is no name there. */
static const char *name_in_level(const struct tree_maker *m, const char *path)
{
	const char *name = m->path_n ? path + m->path_n + 1 : path;

	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 ? name : NULL;
}

int tree_maker_add(struct tree_maker *m, const struct layer_entry *e)
{
	const char *name;
	int parent;

	if (!*e->path)
		return enter_root(m, e);
	while (m->depth > 1 && !is_below(m, e->path))
		if (leave(m) < 0)
			return -1;
	name = name_in_level(m, e->path);
	if (!name)
		return damaged(m, e->path);
	parent = m->levels[m->depth - 1].fd;
	switch (e->type) {
	case LAYER_DIRECTORY:	return enter(m, parent, name, e);
	case LAYER_FILE:	return make_file(m, parent, name, e);
	case LAYER_SYMLINK:	return make_symlink(m, parent, name, e);
	case LAYER_HARDLINK:	return make_hardlink(m, parent, name, e);
	case LAYER_FIFO:	return make_fifo(m, parent, name, e);
	case LAYER_WHITEOUT:	return whiteout_make(parent, name) < 0 ? failed(m, "make the whiteout", e->path) : 0;
	case LAYER_DEVICE:	return 0;
	}
	return damaged(m, e->path);
}

void tree_maker_begin(struct tree_maker *m, struct error *err)
{
	static const struct layer_entry root = { .type = LAYER_DIRECTORY, .path = "", .mode = 0755 };

	m->err = err;
	m->room = 64;
	m->levels = arena_new_array(m->arena, struct tree_level, m->room);
	m->path = arena_alloc(m->arena, LAYER_PATH_MAX + 1);
	m->path_n = m->depth = 0;
	push(m, &root, m->root);
	m->mask = umask(0);
}

int tree_maker_end(struct tree_maker *m, bool gave_up)
{
	int result = gave_up ? -1 : 0;

	while (m->depth > 0 && result == 0)
		result = leave(m);
	while (m->depth > 1)
		fd_close(&m->levels[--m->depth].fd);
	umask(m->mask);
	return result;
}

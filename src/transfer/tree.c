#include "transfer/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/whiteout.h"
#include "transfer/tree_place.h"

int tree_init(struct tree *t, int root, const char *prefix, const struct tree_options *options, int scratch_fd,
	      struct error *err)
{
	memset(t, 0, sizeof(*t));
	t->parent.fd = t->file = -1;
	t->options = *options;
	t->root = root;
	t->fixups = fdopen(scratch_fd, "w+");
	if (!t->fixups) {
		error_errno(err, "open a scratch file");
		close(scratch_fd);
		return -1;
	}
	t->prefix = strdup(prefix);
	if (!t->prefix) {
		tree_done(t);
		return error_errno(err, "allocate a name");
	}
	umask(0);
	return 0;
}

void tree_done(struct tree *t)
{
	tree_forget_parent(t);
	fd_close(&t->file);
	if (t->fixups)
		fclose(t->fixups);
	t->fixups = NULL;
	free(t->prefix);
	t->prefix = NULL;
}

static int entry_failed(const struct tree_entry *e, const char *what, struct error *err)
{
	return error_errno(err, "%s /%s", what, e->path);
}

/* The rest of a new non-directory that has no descriptor. */
static int own(struct tree *t, const struct tree_entry *e, int parent, const char *name, struct error *err)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, e->mtime };

	if (tree_must_chown(t, e) && fchownat(parent, name, tree_uid(t, e), tree_gid(t, e), AT_SYMLINK_NOFOLLOW) < 0)
		return entry_failed(e, "change the owner of", err);
	if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_failed(e, "set the time of", err);
	return 0;
}

static int set_xattrs(const struct tree_entry *e, int fd, bool is_directory, struct error *err)
{
	for (size_t i = 0; i < e->xattrs_n; i++) {
		const struct tree_xattr *x = &e->xattrs[i];

		/* A default ACL changes the modes of what is made below: tree_finish sets it. */
		if (!tree_xattr_is_kept(x->name) || (is_directory && strcmp(x->name, "system.posix_acl_default") == 0))
			continue;
		if (fsetxattr(fd, x->name, x->value, x->size, 0) < 0 && !tree_xattr_may_fail(x->name, errno))
			return error_errno(err, "set the extended attribute %s of /%s", x->name, e->path);
	}
	return 0;
}

/* --- directories */

static const struct tree_xattr *default_acl(const struct tree_entry *e)
{
	for (size_t i = 0; i < e->xattrs_n; i++)
		if (strcmp(e->xattrs[i].name, "system.posix_acl_default") == 0)
			return &e->xattrs[i];
	return NULL;
}

/* Kept for tree_finish: what making entries inside would change again. */
static int remember(struct tree *t, const struct tree_entry *e, struct error *err)
{
	const struct tree_xattr *acl = default_acl(e);
	struct tree_fixup f = { .mtime = e->mtime, .path_size = strlen(e->path), .acl_size = acl ? acl->size : 0 };

	if (fwrite(&f, sizeof(f), 1, t->fixups) != 1 || fwrite(e->path, f.path_size + 1, 1, t->fixups) != 1 ||
	    (f.acl_size && fwrite(acl->value, f.acl_size, 1, t->fixups) != 1))
		return entry_failed(e, "keep the time of", err);
	return 0;
}

static int dress_directory(struct tree *t, const struct tree_entry *e, int fd, struct error *err)
{
	if (!t->options.squash_owner && fchown(fd, (uid_t)e->uid, (gid_t)e->gid) < 0)
		return entry_failed(e, "change the owner of", err);
	if (fchmod(fd, e->mode) < 0)
		return entry_failed(e, "set the mode of", err);
	if (set_xattrs(e, fd, true, err) < 0)
		return -1;
	return remember(t, e, err);
}

static int root_directory(struct tree *t, const struct tree_entry *e, struct error *err)
{
	_cleanup_fd_ int fd = tree_open_dir(t->root, *t->prefix ? t->prefix : ".", O_RDONLY);

	if (fd < 0)
		return error_errno(err, "open the root of the tree");
	return dress_directory(t, e, fd, err);
}

int tree_directory(struct tree *t, const struct tree_entry *e, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	const char *name;
	bool hides = false, marked;
	int parent;

	if (tree_check_owner(&t->options, e, err) < 0)
		return -1;
	tree_note_owner(t, e);
	if (!*e->path)
		return root_directory(t, e, err);
	parent = tree_enter(t, e->path, &name, err);
	if (parent < 0)
		return -1;
	marked = tree_unmark(t, parent, name);
	if (mkdirat(parent, name, e->mode & 0777) < 0) {
		if (errno != EEXIST)
			return entry_failed(e, "make the directory", err);
		if (tree_clear(t, e->path, name, true, &hides, err) < 0)
			return -1;
		if (mkdirat(parent, name, e->mode & 0777) < 0 && errno != EEXIST)
			return entry_failed(e, "make the directory", err);
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return entry_failed(e, "open the directory", err);
	if ((hides || marked) && tree_set_opaque(fd, err) < 0)
		return error_frame(err, "/%s", e->path);
	return dress_directory(t, e, fd, err);
}

static int apply_fixup(struct tree *t, const struct tree_fixup *f, const char *path, const void *acl, struct error *err)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, f->mtime };
	_cleanup_fd_ int fd = tree_open_made(t, path);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 :	/* a later entry replaced it */
			error_errno(err, "open the directory /%s", path);
	if (f->acl_size && fsetxattr(fd, "system.posix_acl_default", acl, f->acl_size, 0) < 0 && errno != EOPNOTSUPP)
		return error_errno(err, "set the default ACL of /%s", path);
	if (futimens(fd, times) < 0)
		return error_errno(err, "set the time of /%s", path);
	return 0;
}

int tree_finish(struct tree *t, struct error *err)
{
	struct tree_fixup f;
	char *room = NULL;
	int r = 0;

	tree_forget_parent(t);
	if (fflush(t->fixups) != 0 || fseek(t->fixups, 0, SEEK_SET) != 0)
		return error_errno(err, "read the scratch file");
	while (r == 0 && fread(&f, sizeof(f), 1, t->fixups) == 1) {
		size_t size = f.path_size + 1 + f.acl_size;
		char *more = realloc(room, size);

		if (!more || fread(more, size, 1, t->fixups) != 1)
			r = error_errno(err, "read the scratch file");
		else
			r = apply_fixup(t, &f, more, more + f.path_size + 1, err);
		room = more ? more : room;
	}
	free(room);
	return r;
}

/* --- everything else */

/* The parent's descriptor with nothing under the entry's name any more; the name is in *ret_name. */
static int vacate(struct tree *t, const struct tree_entry *e, const char **ret_name, struct error *err)
{
	bool hides;
	int parent;

	parent = tree_enter(t, e->path, ret_name, err);
	if (parent < 0 || tree_clear(t, e->path, *ret_name, false, &hides, err) < 0)
		return -1;
	return parent;
}

static int begin(struct tree *t, const struct tree_entry *e, const char **ret_name, struct error *err)
{
	int parent;

	if (tree_check_owner(&t->options, e, err) < 0)
		return -1;
	if (!*e->path)
		return error_set(err, ERROR_INVALID, "the root of the archive is not a directory");
	tree_note_owner(t, e);
	parent = tree_enter(t, e->path, ret_name, err);
	if (parent >= 0)
		tree_unmark(t, parent, *ret_name);
	return parent;
}

int tree_open_file(struct tree *t, const struct tree_entry *e, struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const char *name;
	int parent = begin(t, e, &name, err), fd;

	if (parent < 0)
		return -1;
	fd = openat(parent, name, flags, e->mode & 0777);
	if (fd < 0 && errno == EEXIST) {
		parent = vacate(t, e, &name, err);
		if (parent < 0)
			return -1;
		fd = openat(parent, name, flags, e->mode & 0777);
	}
	return fd < 0 ? entry_failed(e, "create", err) : fd;
}

int tree_close_file(struct tree *t, const struct tree_entry *e, int fd_given, int64_t size, struct error *err)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, e->mtime };
	_cleanup_fd_ int fd = fd_given;
	bool chowned = tree_must_chown(t, e);

	if (chowned && fchown(fd, tree_uid(t, e), tree_gid(t, e)) < 0)
		return entry_failed(e, "change the owner of", err);
	if ((e->mode & 07000) && fchmod(fd, e->mode) < 0)
		return entry_failed(e, "set the mode of", err);
	if (set_xattrs(e, fd, false, err) < 0)
		return -1;
	if (futimens(fd, times) < 0)
		return entry_failed(e, "set the time of", err);
	t->size += size;
	return 0;
}

int tree_symlink(struct tree *t, const struct tree_entry *e, const char *target, struct error *err)
{
	const char *name;
	int parent = begin(t, e, &name, err);

	if (parent < 0)
		return -1;
	if (!*target)
		return error_set(err, ERROR_INVALID, "the link /%s points to nothing", e->path);
	if (symlinkat(target, parent, name) < 0) {
		if (errno != EEXIST)
			return entry_failed(e, "make the link", err);
		parent = vacate(t, e, &name, err);
		if (parent < 0)
			return -1;
		if (symlinkat(target, parent, name) < 0)
			return entry_failed(e, "make the link", err);
	}
	return own(t, e, parent, name, err);
}

int tree_fifo(struct tree *t, const struct tree_entry *e, struct error *err)
{
	const char *name;
	int parent = begin(t, e, &name, err);

	if (parent < 0)
		return -1;
	if (mknodat(parent, name, S_IFIFO | (e->mode & 0777), 0) < 0) {
		if (errno != EEXIST)
			return entry_failed(e, "make the FIFO", err);
		parent = vacate(t, e, &name, err);
		if (parent < 0)
			return -1;
		if (mknodat(parent, name, S_IFIFO | (e->mode & 0777), 0) < 0)
			return entry_failed(e, "make the FIFO", err);
	}
	return own(t, e, parent, name, err);
}

/* The link's target as an O_PATH descriptor: what it names in this tree, itself not followed. */
static int open_target(struct tree *t, const struct tree_entry *e, const char *target, struct stat *ret,
		       struct error *err)
{
	_cleanup_fd_ int parent = -1;
	const char *name;
	int fd;

	if (!*target)
		return error_set(err, ERROR_INVALID, "the hard link /%s points to the root", e->path);
	parent = tree_enter_existing(t, target, &name);
	fd = parent < 0 ? -1 : openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, ret) < 0 || whiteout_is(parent, name, ret))) {
		fd_close(&fd);
		errno = ENOENT;
	}
	if (fd < 0)
		return error_set(err, ERROR_INVALID, "the hard link /%s points to /%s, which is not in the same archive",
				 e->path, target);
	if (S_ISDIR(ret->st_mode)) {
		close(fd);
		return error_set(err, ERROR_INVALID, "the hard link /%s points to the directory /%s", e->path, target);
	}
	return fd;
}

int tree_hardlink(struct tree *t, const struct tree_entry *e, const char *target, struct error *err)
{
	struct stat there, here;
	_cleanup_fd_ int fd = -1;
	const char *name;
	char path[32];
	int parent;

	if (!*e->path)
		return error_set(err, ERROR_INVALID, "the root of the archive is not a directory");
	fd = open_target(t, e, target, &there, err);
	if (fd < 0)
		return -1;
	parent = tree_enter(t, e->path, &name, err);
	if (parent < 0)
		return -1;
	tree_unmark(t, parent, name);
	if (linkat(AT_FDCWD, fd_path(fd, path), parent, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return entry_failed(e, "make the hard link", err);
	if (fstatat(parent, name, &here, AT_SYMLINK_NOFOLLOW) == 0 && here.st_ino == there.st_ino &&
	    here.st_dev == there.st_dev)
		return 0;
	parent = vacate(t, e, &name, err);
	if (parent < 0)
		return -1;
	if (linkat(AT_FDCWD, fd_path(fd, path), parent, name, AT_SYMLINK_FOLLOW) < 0)
		return entry_failed(e, "make the hard link", err);
	return 0;
}

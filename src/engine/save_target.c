#include "engine/save_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/tty.h"

#define FILE_MODE 0666		/* less the umask */
#define DIRECTORY_MODE 0777

static int refuse_terminal(const struct save_target *t, struct error *err)
{
	if (!tty_is(t->fd))
		return 0;
	error_set(err, ERROR_USAGE, "refusing to save to terminal. Use -o flag or redirect");
	return -1;
}

/* Opening /dev/stdout anew asks for permissions that whoever made the pipe may not have given. */
static int take_stdout(struct save_target *t, struct error *err)
{
	t->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return t->fd < 0 ? error_errno(err, "standard output") : refuse_terminal(t, err);
}

static int open_directly(const char *path, const struct stat *st, struct save_target *t, struct error *err)
{
	if (S_ISDIR(st->st_mode)) {
		error_set(err, ERROR_USAGE, "%s is a directory", path);
		return error_hint(err, "--format oci-dir or docker-dir fills a directory");
	}
	t->fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return t->fd < 0 ? error_errno(err, "open %s", path) : refuse_terminal(t, err);
}

/* "dir/" and "name" of a path that may be a link to an ordinary file. */
static int open_parent(struct arena *arena, const char *path, struct save_target *t, struct error *err)
{
	char *real = realpath(path, NULL), *copy = arena_strdup(arena, real ? real : path), *slash = strrchr(copy, '/');

	free(real);
	t->name = slash ? slash + 1 : copy;
	if (!*t->name)
		return error_set(err, ERROR_USAGE, "%s names no file", path);
	if (slash)
		*slash = '\0';
	t->parent = open(!slash ? "." : *copy ? copy : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->parent < 0 ? error_errno(err, "open the directory of %s", path) : 0;
}

static int open_file(struct arena *arena, const char *path, struct save_target *t, struct error *err)
{
	char hex[33];

	if (open_parent(arena, path, t, err) < 0)
		return -1;
	if (fd_random_hex(hex, 16) < 0)
		return error_errno(err, "make a name");
	t->temporary = arena_printf(arena, ".%.100s.%s", t->name, hex);
	t->fd = openat(t->parent, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
	if (t->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
		t->fd = openat(t->parent, t->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
		t->named = t->fd >= 0;
	}
	return t->fd < 0 ? error_errno(err, "make %s", path) : 0;
}

int save_target_file(struct arena *arena, const char *path, struct save_target *ret, struct error *err)
{
	struct save_target t = { .fd = -1, .parent = -1 };
	struct stat st;
	bool there;
	int r;

	if (!path || strcmp(path, "/dev/stdout") == 0) {
		r = take_stdout(&t, err);
	} else {
		there = stat(path, &st) == 0;
		if (there && !S_ISREG(st.st_mode))
			r = open_directly(path, &st, &t, err);
		else if (there && access(path, W_OK) < 0)
			r = error_errno(err, "write %s", path);
		else
			r = open_file(arena, path, &t, err);
		if (r == 0 && there && t.parent >= 0)
			fchmod(t.fd, st.st_mode & 0777);
	}
	if (r < 0)
		save_target_done(&t);
	else
		*ret = t;
	return r;
}

int save_target_directory(struct arena *arena, const char *path, struct save_target *ret, struct error *err)
{
	struct save_target t = { .fd = -1, .parent = -1 };
	bool made = mkdir(path, DIRECTORY_MODE) == 0;
	int r;

	if (!made && errno != EEXIST)
		return error_errno(err, "make the directory %s", path);
	r = open_parent(arena, path, &t, err);
	if (r == 0) {
		t.made = made;
		t.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = t.fd < 0 ? error_errno(err, "open the directory %s", path) : 0;
	}
	if (r < 0)
		save_target_done(&t);
	else
		*ret = t;
	return r;
}

int save_target_commit(struct save_target *t, struct error *err)
{
	char path[32];

	t->made = false;
	if (!t->temporary)
		return 0;
	if (!t->named && linkat(AT_FDCWD, fd_path(t->fd, path), t->parent, t->temporary, AT_SYMLINK_FOLLOW) < 0)
		return error_errno(err, "name %s", t->name);
	t->named = true;
	if (renameat(t->parent, t->temporary, t->parent, t->name) < 0)
		return error_errno(err, "name %s", t->name);
	t->named = false;
	return 0;
}

void save_target_done(struct save_target *t)
{
	if (t->named)
		unlinkat(t->parent, t->temporary, 0);
	if (t->made)
		fd_remove_tree(t->parent, t->name);
	t->named = t->made = false;
	fd_close(&t->fd);
	fd_close(&t->parent);
}

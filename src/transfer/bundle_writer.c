#include "transfer/bundle_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

#define FILE_MODE 0644
#define DIRECTORY_MODE 0755

void bundle_writer_init(struct bundle_writer *b, struct arena *arena, int fd)
{
	struct stat st;

	*b = (struct bundle_writer){ .arena = arena, .dir = -1, .fd = -1 };
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		b->dir = fd;
	else
		tar_writer_init(&b->tar, fd);
}

bool bundle_writer_takes_any_size(const struct bundle_writer *b)
{
	return b->dir >= 0 || b->tar.can_seek;
}

bool bundle_writer_has(const struct bundle_writer *b, const char *name)
{
	return strings_has(&b->names, name);
}

/* --- a directory's files */

/* "blobs/sha256/" of "blobs/sha256/<hex>", made when it is not there; "." at the top. */
static const char *make_parent(struct bundle_writer *b, const char *name, struct error *err)
{
	const char *slash = strrchr(name, '/');
	char *parent;

	if (!slash)
		return ".";
	parent = arena_strndup(b->arena, name, (size_t)(slash - name));
	if (fd_mkdirs(b->dir, parent, DIRECTORY_MODE) == 0)
		return parent;
	error_errno(err, "make the directory %s", parent);
	return NULL;
}

static int choose_temporary(struct bundle_writer *b, const char *parent)
{
	char hex[33];

	if (fd_random_hex(hex, 16) < 0)
		return -1;
	b->temporary = arena_printf(b->arena, "%s/.bryo-%s", parent, hex);
	return 0;
}

static int begin_file(struct bundle_writer *b, const char *name, struct error *err)
{
	const char *parent = make_parent(b, name, err);

	if (!parent)
		return -1;
	b->name = arena_strdup(b->arena, name);
	b->temporary = NULL;
	b->fd = openat(b->dir, parent, O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
	if (b->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
		if (choose_temporary(b, parent) < 0)
			return error_errno(err, "make a name");
		b->fd = openat(b->dir, b->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
	}
	return b->fd < 0 ? error_errno(err, "make %s", name) : 0;
}

static int name_file(struct bundle_writer *b, struct error *err)
{
	const char *slash = strrchr(b->name, '/');
	char path[32];

	if (!b->temporary) {
		if (choose_temporary(b, slash ? arena_strndup(b->arena, b->name, (size_t)(slash - b->name)) : ".") < 0)
			return error_errno(err, "make a name");
		if (linkat(AT_FDCWD, fd_path(b->fd, path), b->dir, b->temporary, AT_SYMLINK_FOLLOW) < 0) {
			b->temporary = NULL;
			return error_errno(err, "name %s", b->name);
		}
	}
	if (renameat(b->dir, b->temporary, b->dir, b->name) < 0)
		return error_errno(err, "name %s", b->name);
	b->temporary = NULL;
	fd_close(&b->fd);
	return 0;
}

/* --- either */

/* The directories of a member come before it: some readers make those that are missing with owners they may not give. */
static int begin_member(struct bundle_writer *b, const char *name, int64_t size, struct error *err)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *parent = arena_strndup(b->arena, name, (size_t)(slash + 1 - name));

		if (bundle_writer_has(b, parent))
			continue;
		if (tar_writer_directory(&b->tar, parent, err) < 0)
			return -1;
		strings_add(b->arena, &b->names, parent);
	}
	return tar_writer_begin(&b->tar, name, size, err);
}

int bundle_writer_begin(struct bundle_writer *b, const char *name, int64_t size, struct error *err)
{
	int r = b->dir >= 0 ? begin_file(b, name, err) : begin_member(b, name, size, err);

	if (r == 0)
		strings_add(b->arena, &b->names, name);
	return r;
}

int bundle_writer_data(struct bundle_writer *b, const void *p, size_t n, struct error *err)
{
	if (b->dir < 0)
		return tar_writer_data(&b->tar, p, n, err);
	return fd_write_all(b->fd, p, n) < 0 ? error_errno(err, "write %s", b->name) : 0;
}

int bundle_writer_end(struct bundle_writer *b, struct error *err)
{
	return b->dir >= 0 ? name_file(b, err) : tar_writer_end(&b->tar, err);
}

int bundle_writer_add(struct bundle_writer *b, const char *name, const void *p, size_t n, struct error *err)
{
	if (bundle_writer_has(b, name))
		return 0;
	if (bundle_writer_begin(b, name, (int64_t)n, err) < 0 || bundle_writer_data(b, p, n, err) < 0)
		return -1;
	return bundle_writer_end(b, err);
}

int bundle_writer_finish(struct bundle_writer *b, struct error *err)
{
	return b->dir >= 0 ? 0 : tar_writer_finish(&b->tar, err);
}

void bundle_writer_done(struct bundle_writer *b)
{
	fd_close(&b->fd);
	if (b->temporary)
		unlinkat(b->dir, b->temporary, 0);
	b->temporary = NULL;
}

#include "transfer/untar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/sink.h"
#include "transfer/tar_reader.h"

#define XATTRS_MAX 256
#define FILE_SIZE_MAX ((int64_t)1 << 40)	/* apparent size; sparse login records come near it, attacks go beyond */

struct state {
	const struct untar *u;
	struct tar_reader reader;
	struct tree_name path, target;
	struct tree_xattr xattrs[XATTRS_MAX];
};

static int take_xattrs(struct state *s, struct archive_entry *from, struct tree_entry *e, struct error *err)
{
	const char *name;
	const void *value;
	size_t size;

	e->xattrs = s->xattrs;
	if (archive_entry_xattr_reset(from) > XATTRS_MAX)
		return error_set(err, ERROR_INVALID, "/%s has more than %d extended attributes", e->path, XATTRS_MAX);
	while (archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK)
		if (name && tree_xattr_is_kept(name))
			s->xattrs[e->xattrs_n++] = (struct tree_xattr){ name, value, size };
	return 0;
}

static int take_entry(struct state *s, struct archive_entry *from, struct tree_entry *e, struct error *err)
{
	const char *name = archive_entry_pathname(from);

	memset(e, 0, sizeof(*e));
	if (!name || !*name)
		return error_set(err, ERROR_INVALID, "the archive has an entry without a name");
	e->path = tree_clean(&s->path, name, err);
	if (!e->path)
		return -1;
	e->mode = archive_entry_mode(from) & 07777;
	e->uid = archive_entry_uid(from);
	e->gid = archive_entry_gid(from);
	e->mtime.tv_sec = archive_entry_mtime(from);
	e->mtime.tv_nsec = archive_entry_mtime_nsec(from);
	if (e->mtime.tv_nsec < 0 || e->mtime.tv_nsec > 999999999)
		e->mtime.tv_nsec = 0;
	return take_xattrs(s, from, e, err);
}

static int check_size(const struct tree_entry *e, struct archive_entry *from, int fd, struct error *err)
{
	int64_t size = archive_entry_size(from);
	char what[128];

	if (size < 0 || size > FILE_SIZE_MAX)
		return error_set(err, ERROR_INVALID, "file /%s says it has %lld bytes: more than %lld are refused", e->path,
				 (long long)size, (long long)FILE_SIZE_MAX);
	if (archive_entry_sparse_count(from) > 0)
		return 0;
	snprintf(what, sizeof(what), "file /%.100s", e->path);
	return sink_check_room(fd, size, what, err);
}

static int write_at(int fd, const char *p, size_t n, int64_t offset)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
		offset += done;
	}
	return 0;
}

static int write_data(struct state *s, struct archive_entry *from, const struct tree_entry *e, int fd,
		      struct error *err)
{
	int64_t offset, end = 0, size = archive_entry_size(from);
	const void *p;
	size_t n;
	int more;

	while ((more = tar_reader_data(&s->reader, &p, &n, &offset, err)) > 0) {
		if (offset < 0 || offset > size || (int64_t)n > size - offset)
			return error_set(err, ERROR_INVALID, "file /%s has data beyond its size", e->path);
		if (write_at(fd, p, n, offset) < 0)
			return error_errno(err, "write /%s", e->path);
		end = offset + (int64_t)n > end ? offset + (int64_t)n : end;
		if (s->u->progress)
			s->u->progress(s->u->context, inflate_consumed(s->u->in));
	}
	if (more < 0)
		return error_frame(err, "/%s", e->path);
	if (end < size && ftruncate(fd, size) < 0)
		return error_errno(err, "write /%s", e->path);
	return 0;
}

static int put_file(struct state *s, struct archive_entry *from, const struct tree_entry *e, struct error *err)
{
	_cleanup_fd_ int fd = -1;

	fd = tree_open_file(s->u->tree, e, err);
	if (fd < 0 || check_size(e, from, fd, err) < 0 || write_data(s, from, e, fd, err) < 0)
		return -1;
	return tree_close_file(s->u->tree, e, fd_take(&fd), archive_entry_size(from), err);
}

static int put_link(struct state *s, const struct tree_entry *e, const char *target, struct error *err)
{
	const char *clean = tree_clean(&s->target, target, err);

	return clean ? tree_hardlink(s->u->tree, e, clean, err) : -1;
}

/* 1: the name was a mark and is dealt with; 0: an ordinary entry. */
static int put_mark(struct state *s, const struct tree_entry *e, struct error *err)
{
	if (!s->u->tree->options.layer)
		return 0;
	switch (tree_mark_of(e->path)) {
	case MARK_NONE:
		return 0;
	case MARK_IGNORED:
		return 1;
	case MARK_WHITEOUT:
		return tree_whiteout(s->u->tree, e->path, err) < 0 ? -1 : 1;
	case MARK_OPAQUE:
		return tree_opaque(s->u->tree, e->path, err) < 0 ? -1 : 1;
	default:
		return error_set(err, ERROR_INVALID, "/%s is a whiteout of nothing, or lies below one", e->path);
	}
}

static int put(struct state *s, struct archive_entry *from, const struct tree_entry *e, struct error *err)
{
	const char *link = archive_entry_hardlink(from), *text;
	int marked = put_mark(s, e, err);

	if (marked)
		return marked < 0 ? -1 : 0;
	if (link)
		return put_link(s, e, link, err);
	switch (archive_entry_filetype(from)) {
	case AE_IFREG:
		return put_file(s, from, e, err);
	case AE_IFDIR:
		return tree_directory(s->u->tree, e, err);
	case AE_IFLNK:
		text = archive_entry_symlink(from);
		return tree_symlink(s->u->tree, e, text ? text : "", err);
	case AE_IFIFO:
		return tree_fifo(s->u->tree, e, err);
	case AE_IFCHR:
	case AE_IFBLK:
		s->u->tree->skipped_devices++;		/* nobody without privilege can make them */
		return 0;
	case AE_IFSOCK:
		return 0;
	default:
		return error_set(err, ERROR_INVALID, "/%s is of an unknown type", e->path);
	}
}

static int put_all(struct state *s, struct error *err)
{
	struct archive_entry *from;
	struct tree_entry e;
	int more;

	while ((more = tar_reader_next(&s->reader, &from, err)) > 0) {
		if (take_entry(s, from, &e, err) < 0 || put(s, from, &e, err) < 0)
			return -1;
		if (s->u->progress)
			s->u->progress(s->u->context, inflate_consumed(s->u->in));
	}
	if (more < 0 || tar_reader_drain(&s->reader, err) < 0)
		return -1;
	return tree_finish(s->u->tree, err);
}

int untar(const struct untar *u, struct error *err)
{
	struct state s = { .u = u };
	int r;

	if (tar_reader_open(&s.reader, u->in, u->hash, err) < 0)
		return -1;
	r = put_all(&s, err);
	tar_reader_close(&s.reader);
	free(s.path.data);
	free(s.target.data);
	return r;
}

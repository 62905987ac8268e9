#include "transfer/untar.h"

#include <stdlib.h>
#include <string.h>

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

/* The kernel's three forms (linux/capability.h): where it refuses one only later, the layer could not be used. */
static bool is_capability(const unsigned char *value, size_t size)
{
	static const size_t sizes[] = { [1] = 12, [2] = 20, [3] = 24 };	/* by revision, the highest byte */

	return size >= 12 && value[3] >= 1 && value[3] < ELEMENTS(sizes) && size == sizes[value[3]];
}

static int take_xattrs(struct state *s, struct archive_entry *from, struct tree_entry *e, struct error *err)
{
	const char *name;
	const void *value;
	size_t size;

	e->xattrs = s->xattrs;
	if (archive_entry_xattr_reset(from) > XATTRS_MAX)
		return error_set(err, ERROR_INVALID, "/%s has more than %d extended attributes", e->path, XATTRS_MAX);
	while (archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK)
		if (name && strcmp(name, "security.capability") == 0 && !is_capability(value, size))
			return error_set(err, ERROR_INVALID, "/%s has a malformed security.capability", e->path);
		else if (name && tree_xattr_is_kept(name))
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

static int check_size(const struct state *s, const struct tree_entry *e, struct archive_entry *from,
		      struct error *err)
{
	int64_t size = archive_entry_size(from);
	char what[128];

	if (size < 0 || size > FILE_SIZE_MAX)
		return error_set(err, ERROR_INVALID, "file /%s says it has %lld bytes: more than %lld are refused", e->path,
				 (long long)size, (long long)FILE_SIZE_MAX);
	if (archive_entry_sparse_count(from) > 0)
		return 0;
	snprintf(what, sizeof(what), "file /%.100s", e->path);
	return sink_check_room(s->u->target->room(s->u->to), size, what, err);
}

static int write_data(struct state *s, struct archive_entry *from, const struct tree_entry *e, struct error *err)
{
	int64_t offset, end = 0, size = archive_entry_size(from);
	const void *p;
	size_t n;
	int more;

	while ((more = tar_reader_data(&s->reader, &p, &n, &offset, err)) > 0) {
		if (offset < end || offset > size || (int64_t)n > size - offset)
			return error_set(err, ERROR_INVALID, "file /%s has data beyond its size", e->path);
		if (n && s->u->target->write(s->u->to, p, n, offset, err) < 0)
			return error_frame(err, "write /%s", e->path);
		if (s->u->recipe)
			recipe_maker_part(s->u->recipe, tar_reader_position(&s->reader), p, n, offset);
		end = offset + (int64_t)n;
		if (s->u->progress)
			s->u->progress(s->u->context, inflate_consumed(s->u->in));
	}
	return more < 0 ? error_frame(err, "/%s", e->path) : 0;
}

static int put_file(struct state *s, struct archive_entry *from, const struct tree_entry *e, struct error *err)
{
	const struct untar_target *target = s->u->target;

	if (check_size(s, e, from, err) < 0 || target->open_file(s->u->to, e, archive_entry_size(from), err) < 0 ||
	    write_data(s, from, e, err) < 0)
		return -1;
	return target->close_file(s->u->to, e, archive_entry_size(from), err);
}

static int put_link(struct state *s, const struct tree_entry *e, const char *target, struct error *err)
{
	const char *clean = tree_clean(&s->target, target, err);

	return clean ? s->u->target->hardlink(s->u->to, e, clean, err) : -1;
}

/* 1: the name was a mark and is dealt with; 0: an ordinary entry. */
static int put_mark(struct state *s, const struct tree_entry *e, struct error *err)
{
	enum tree_mark mark = s->u->target->mark ? tree_mark_of(e->path) : MARK_NONE;

	if (mark == MARK_NONE || mark == MARK_IGNORED)
		return mark == MARK_IGNORED;
	if (mark == MARK_INVALID)
		return error_set(err, ERROR_INVALID, "/%s is a whiteout of nothing, or lies below one", e->path);
	return s->u->target->mark(s->u->to, e->path, mark, err) < 0 ? -1 : 1;
}

static int put(struct state *s, struct archive_entry *from, const struct tree_entry *e, struct error *err)
{
	const char *link = archive_entry_hardlink(from), *text;
	const struct untar_target *target = s->u->target;
	int marked = put_mark(s, e, err);

	if (marked)
		return marked < 0 ? -1 : 0;
	if (link)
		return put_link(s, e, link, err);
	switch (archive_entry_filetype(from)) {
	case AE_IFREG:
		return put_file(s, from, e, err);
	case AE_IFDIR:
		return target->directory(s->u->to, e, err);
	case AE_IFLNK:
		text = archive_entry_symlink(from);
		return target->symlink(s->u->to, e, text ? text : "", err);
	case AE_IFIFO:
		return target->fifo(s->u->to, e, err);
	case AE_IFCHR:
	case AE_IFBLK:
		return target->device(s->u->to, e, archive_entry_filetype(from), archive_entry_rdev(from), err);
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
	return s->u->target->finish(s->u->to, err);
}

int untar(const struct untar *u, struct error *err)
{
	struct state s = { .u = u };
	int r;

	if (tar_reader_open(&s.reader, u->in, u->hash, u->recipe, err) < 0)
		return -1;
	r = put_all(&s, err);
	tar_reader_close(&s.reader);
	free(s.path.data);
	free(s.target.data);
	return r;
}

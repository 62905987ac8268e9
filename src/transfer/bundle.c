#include "transfer/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/tar_reader.h"
#include "transfer/tree.h"

#define IN_MEMORY_MAX ((int64_t)256 << 10)
#define MEMORY_TOTAL_MAX ((size_t)64 << 20)
#define MEMBERS_MAX 100000
#define LINKS_MAX 8
#define NAME_LENGTH_MAX 4096

struct member {
	char *name, *link;		/* link: another member's name; NULL */
	char *data;			/* in memory, or NULL */
	struct sink *sink;		/* or a file */
	size_t size;
};

struct bundle {
	struct work *work;
	int dir;			/* OCI directory; -1: an archive */
	ARRAY(struct member) members;
	size_t in_memory;
};

/* --- reading an archive */

static int take_memory(struct bundle *b, struct tar_reader *r, struct member *m, int64_t size, struct error *err)
{
	int64_t offset;
	const void *p;
	size_t n;
	int more;

	m->data = arena_alloc(b->work->arena, (size_t)size + 1);
	m->size = (size_t)size;
	b->in_memory += m->size;
	while ((more = tar_reader_data(r, &p, &n, &offset, err)) > 0) {
		if (offset < 0 || offset > size || (int64_t)n > size - offset)
			return error_set(err, ERROR_INVALID, "the member has data beyond its size");
		memcpy(m->data + offset, p, n);
	}
	return more;
}

static int take_file(struct bundle *b, struct tar_reader *r, struct member *m, int64_t size, struct error *err)
{
	int64_t offset, at = 0;
	const void *p;
	size_t n;
	int more;

	m->sink = arena_new_one(b->work->arena, struct sink);
	m->sink->fd = -1;
	if (sink_open(m->sink, &b->work->places, err) < 0 || sink_check_room(m->sink->fd, size, "the member", err) < 0)
		return -1;
	while ((more = tar_reader_data(r, &p, &n, &offset, err)) > 0) {
		if (offset != at)
			return error_set(err, ERROR_INVALID, "sparse files cannot be layers");
		if (sink_write(m->sink, p, n, err) < 0)
			return -1;
		at += (int64_t)n;
	}
	sink_finish(m->sink);
	m->size = (size_t)at;
	return more;
}

static char *link_name(struct bundle *b, const char *from, const char *target, bool relative, struct error *err)
{
	struct tree_name room = { 0 };
	const char *slash = strrchr(from, '/'), *clean;
	char *name = NULL;

	if (relative && slash && target[0] != '/')
		target = arena_printf(b->work->arena, "%.*s/%s", (int)(slash - from), from, target);
	clean = tree_clean(&room, target, err);
	if (clean)
		name = arena_strdup(b->work->arena, clean);
	free(room.data);
	return name;
}

static int take_member(struct bundle *b, struct tar_reader *r, struct archive_entry *entry, const char *name,
		       struct error *err)
{
	const char *hard = archive_entry_hardlink(entry), *soft = archive_entry_symlink(entry);
	int64_t size = archive_entry_size(entry);
	struct member *m;

	if (!hard && !soft && archive_entry_filetype(entry) != AE_IFREG)
		return 0;
	if (b->members.n >= MEMBERS_MAX)
		return error_set(err, ERROR_INVALID, "more than %d members", MEMBERS_MAX);
	if (size < 0)		/* a sparse file's attribute may say so */
		return error_set(err, ERROR_INVALID, "the member has a negative size");
	m = ARRAY_ADD(b->work->arena, &b->members);
	m->name = arena_strdup(b->work->arena, name);
	if (hard || soft) {
		m->link = link_name(b, name, hard ? hard : soft, !hard, err);
		return m->link ? 0 : -1;
	}
	if (size <= IN_MEMORY_MAX && b->in_memory + (size_t)size <= MEMORY_TOTAL_MAX)
		return take_memory(b, r, m, size, err);
	return take_file(b, r, m, size, err);
}

static int take_all(struct bundle *b, struct tar_reader *r, struct error *err)
{
	struct tree_name room = { 0 };
	struct archive_entry *entry;
	int more;

	while ((more = tar_reader_next(r, &entry, err)) > 0) {
		const char *raw = archive_entry_pathname(entry), *name = raw ? tree_clean(&room, raw, err) : "";

		if (name && strlen(name) > NAME_LENGTH_MAX) {
			error_set(err, ERROR_INVALID, "a name of %zu bytes in the archive is too long", strlen(name));
			name = NULL;
		}
		if (!name || take_member(b, r, entry, name, err) < 0) {
			error_frame(err, "%.200s", raw);
			more = -1;
			break;
		}
	}
	free(room.data);
	return more < 0 ? -1 : tar_reader_drain(r, err);	/* a writer into our pipe is not cut off */
}

static int read_archive(struct bundle *b, int fd, struct error *err)
{
	struct inflate *in = inflate_open(fd, err);
	struct tar_reader r;
	int result;

	if (!in)
		return -1;
	result = tar_reader_open(&r, in, NULL, NULL, err);
	if (result == 0) {
		result = take_all(b, &r, err);
		tar_reader_close(&r);
	}
	inflate_close(in);
	return result < 0 ? error_frame(err, "read the archive") : 0;
}

struct bundle *bundle_open(struct work *w, int fd, struct error *err)
{
	struct bundle *b = arena_new_one(w->arena, struct bundle);
	struct stat st;

	b->work = w;
	b->dir = -1;
	if (fstat(fd, &st) < 0) {
		error_errno(err, "look at the input");
		return NULL;
	}
	if (S_ISDIR(st.st_mode)) {
		b->dir = fd;
		return b;
	}
	if (read_archive(b, fd, err) < 0) {
		bundle_close(b);
		return NULL;
	}
	return b;
}

void bundle_close(struct bundle *b)
{
	for (size_t i = 0; b && i < b->members.n; i++)
		if (b->members.v[i].sink)
			sink_done(b->members.v[i].sink);
}

/* --- finding */

/* The last member of a name is the one that counts; links lead on. */
static struct member *find(struct bundle *b, const char *name)
{
	for (int links = 0; links <= LINKS_MAX; links++) {
		struct member *found = NULL;

		for (size_t i = b->members.n; i > 0 && !found; i--)
			if (strcmp(b->members.v[i - 1].name, name) == 0)
				found = &b->members.v[i - 1];
		if (!found || !found->link)
			return found;
		name = found->link;
	}
	return NULL;
}

static char *clean(struct bundle *b, const char *name)
{
	struct error ignored;

	return link_name(b, "", name, false, &ignored);
}

/* Regular files only: a FIFO would hang, a device would do worse. */
static int open_in_directory(struct bundle *b, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, b->dir, name, &how, sizeof(how));
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

bool bundle_has(struct bundle *b, const char *name)
{
	_cleanup_fd_ int fd = -1;

	if (b->dir < 0)
		return find(b, name) != NULL;
	fd = open_in_directory(b, name);
	return fd >= 0;
}

static int missing(const char *name, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, "%s is not in the archive", name);
}

static int open_file(struct bundle *b, const char *name, struct error *err)
{
	int fd = open_in_directory(b, name);

	if (fd < 0 && errno == ENOENT)
		return missing(name, err);
	return fd < 0 ? error_errno(err, "open %s", name) : fd;
}

static char *read_open(struct bundle *b, int fd, const char *name, size_t limit, size_t *ret_size, struct error *err)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		error_errno(err, "read %s", name);
		return NULL;
	}
	if (st.st_size > (off_t)limit) {
		error_set(err, ERROR_INVALID, "%s has %lld bytes: more than %zu are refused", name, (long long)st.st_size,
			  limit);
		return NULL;
	}
	text = arena_alloc(b->work->arena, (size_t)st.st_size + 1);
	*ret_size = (size_t)fd_read_all(fd, text, (size_t)st.st_size);
	if (*ret_size != (size_t)st.st_size) {
		error_errno(err, "read %s", name);
		return NULL;
	}
	return text;
}

char *bundle_read(struct bundle *b, const char *name, size_t limit, size_t *ret_size, struct error *err)
{
	struct member *m;

	name = clean(b, name);
	if (!name)
		return NULL;
	if (b->dir >= 0) {
		_cleanup_fd_ int fd = open_file(b, name, err);

		return fd < 0 ? NULL : read_open(b, fd, name, limit, ret_size, err);
	}
	m = find(b, name);
	if (!m) {
		missing(name, err);
		return NULL;
	}
	if (!m->data)
		return read_open(b, m->sink->fd, name, limit, ret_size, err);
	if (m->size > limit) {
		error_set(err, ERROR_INVALID, "%s has %zu bytes: more than %zu are refused", name, m->size, limit);
		return NULL;
	}
	*ret_size = m->size;
	return m->data;
}

/* --- keeping */

static enum inflate_kind sniff_file(int fd)
{
	unsigned char first[6];
	ssize_t n = pread(fd, first, sizeof(first), 0);

	return inflate_sniff(first, n > 0 ? (size_t)n : 0);
}

static int keep_sink(struct sink *s, const char *digest, int64_t size, struct bundle_blob *ret, struct error *err)
{
	if (sink_keep(s, digest, size, err) < 0)
		return -1;
	memcpy(ret->digest, s->digest, sizeof(ret->digest));
	ret->size = (int64_t)s->size;
	ret->kind = sniff_file(s->fd);
	return 0;
}

static int keep_memory(struct bundle *b, const struct member *m, const char *digest, int64_t size,
		       struct bundle_blob *ret, struct error *err)
{
	struct sink s;
	int r;

	if (sink_open(&s, &b->work->places, err) < 0)
		return -1;
	r = sink_write(&s, m->data, m->size, err);
	if (r == 0)
		r = keep_sink(&s, digest, size, ret, err);
	sink_done(&s);
	return r;
}

static int copy_to_sink(int fd, int64_t expected, struct sink *s, struct error *err)
{
	enum { BLOCK = 1 << 17 };
	char *block = malloc(BLOCK);
	ssize_t n = -1;
	int r = 0;

	while (block && r == 0 && ((n = read(fd, block, BLOCK)) > 0 || (n < 0 && errno == EINTR))) {
		if (n > 0)
			r = sink_write(s, block, (size_t)n, err);
		if (r == 0 && expected >= 0 && s->size > (uint64_t)expected)
			r = error_set(err, ERROR_INVALID, "it is larger than the %lld bytes of its descriptor",
				      (long long)expected);
	}
	if (r == 0 && n < 0)
		r = error_errno(err, "read");
	free(block);
	return r;
}

static int keep_file(struct bundle *b, const char *name, const char *digest, int64_t size, struct bundle_blob *ret,
		     struct error *err)
{
	_cleanup_fd_ int fd = open_file(b, name, err);
	struct sink s;
	int r;

	if (fd < 0 || sink_open(&s, &b->work->places, err) < 0)
		return -1;
	r = copy_to_sink(fd, size, &s, err);
	if (r == 0)
		r = keep_sink(&s, digest, size, ret, err);
	sink_done(&s);
	return r;
}

int bundle_keep(struct bundle *b, const char *name, const char *digest, int64_t size, struct bundle_blob *ret,
		struct error *err)
{
	struct bundle_blob ignored;
	struct member *m;
	int r;

	name = clean(b, name);
	if (!name)
		return -1;
	if (!ret)
		ret = &ignored;
	if (b->dir >= 0) {
		r = keep_file(b, name, digest, size, ret, err);
	} else {
		m = find(b, name);
		if (!m)
			return missing(name, err);
		r = m->data ? keep_memory(b, m, digest, size, ret, err) : keep_sink(m->sink, digest, size, ret, err);
	}
	return r < 0 && !error_is(err, ERROR_NOT_FOUND) ? error_frame(err, "%s", name) : r;
}

#include "transfer/packer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/tree.h"

enum { BLOCK = PACKER_BLOCK, DEPTH_MAX = 2000 };

#define HOLES_MANY ((int64_t)1 << 30)

static int pack_entry(struct packer *p, int dirfd, const char *name, const char *as, int depth, struct error *err);

static la_ssize_t give_out(struct archive *archive, void *context, const void *data, size_t n)
{
	struct packer *p = context;

	if (p->out(p->context, data, n, &p->error) == 0)
		return (la_ssize_t)n;
	archive_set_error(archive, p->error.sys, "%s", p->error.text);
	return -1;
}

static int failed(struct packer *p, struct error *err)
{
	const char *text = archive_error_string(p->archive);

	if (p->error.kind) {
		if (err)
			*err = p->error;
		return -1;
	}
	return error_set(err, ERROR_FAILED, "write the archive: %s", text ? text : "unknown reason");
}

static void add_xattrs(struct archive_entry *entry, int fd)
{
	char names[4096], value[65536];
	ssize_t size = flistxattr(fd, names, sizeof(names));

	for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (!tree_xattr_is_kept(name))
			continue;
		n = fgetxattr(fd, name, value, sizeof(value));
		if (n >= 0)
			archive_entry_xattr_add_entry(entry, name, value, (size_t)n);
	}
}

static void add_holes(struct archive_entry *entry, int fd, off_t size)
{
	off_t data = lseek(fd, 0, SEEK_DATA), hole;

	if (data < 0 || (data == 0 && lseek(fd, 0, SEEK_HOLE) >= size)) {
		if (data < 0 && errno == ENXIO && size > 0)
			archive_entry_sparse_add_entry(entry, size, 0);
		return;
	}
	while (data >= 0 && data < size) {
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		archive_entry_sparse_add_entry(entry, data, hole - data);
		data = lseek(fd, hole, SEEK_DATA);
	}
}

/* Where readers may not know sparse files, only what would not be written in any sensible time is one. */
static bool is_sparse(const struct packer *p, const struct stat *st)
{
	return !p->plain || st->st_size - (int64_t)st->st_blocks * 512 > HOLES_MANY;
}

static int write_block(struct packer *p, size_t n, struct error *err)
{
	const char *at = p->block;

	while (n) {
		la_ssize_t done = archive_write_data(p->archive, at, n);

		if (done <= 0)
			return failed(p, err);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

/* All bytes, holes too: libarchive leaves out what the entry says is a hole. */
static int write_content(struct packer *p, int fd, off_t size, struct error *err)
{
	off_t at = 0;

	while (at < size) {
		size_t want = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
		off_t data = lseek(fd, at, SEEK_DATA);
		ssize_t n = 0;

		if (data == at || (data < 0 && errno != ENXIO)) {
			n = pread(fd, p->block, want, at);
			if (n < 0)
				return error_errno(err, "read a file");
			if (n > 0)
				want = (size_t)n;
		} else if (data > at && data - at < (off_t)want) {
			want = (size_t)(data - at);
		}
		if (n == 0)
			memset(p->block, 0, want);
		if (write_block(p, want, err) < 0)
			return -1;
		at += (off_t)want;
	}
	return 0;
}

static int write_entry(struct packer *p, struct archive_entry *entry, int fd, off_t size, struct error *err)
{
	struct archive_entry *spare = NULL;
	int code;

	archive_entry_linkify(p->links, &entry, &spare);
	code = archive_write_header(p->archive, entry);
	if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
		return failed(p, err);
	if (fd >= 0 && !archive_entry_hardlink(entry) && S_ISREG(archive_entry_mode(entry)))
		return write_content(p, fd, size, err);
	return 0;
}

static int pack_children(struct packer *p, int fd, const char *as, int depth, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(fd, ".");
	struct dirent *d;

	if (!dir)
		return error_errno(err, "read the directory %s", as);
	while ((d = fd_next_entry(dir))) {
		char *name;
		int r;

		if (asprintf(&name, "%s%s%s", as, *as ? "/" : "", d->d_name) < 0)
			return error_errno(err, "allocate a name");
		r = pack_entry(p, fd, d->d_name, name, depth + 1, err);
		free(name);
		if (r < 0)
			return -1;
	}
	return errno ? error_errno(err, "read the directory %s", as) : 0;
}

static int describe(struct packer *p, struct archive_entry *entry, int dirfd, const char *name, const struct stat *st,
		    int fd)
{
	char target[PATH_MAX];
	ssize_t n;

	archive_entry_copy_stat(entry, st);
	archive_entry_unset_atime(entry);
	archive_entry_unset_ctime(entry);
	archive_entry_unset_birthtime(entry);
	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dirfd, name, target, sizeof(target) - 1);
		if (n < 0)
			return -1;
		target[n] = '\0';
		archive_entry_copy_symlink(entry, target);
	}
	if (fd >= 0)
		add_xattrs(entry, fd);
	if (fd >= 0 && S_ISREG(st->st_mode) && is_sparse(p, st))
		add_holes(entry, fd, st->st_size);
	return 0;
}

/* From "inside, outside, count" triples; without any, ids stay. -1: nobody of the container's. */
static int64_t inside_id(const int64_t *v, size_t n, int64_t id)
{
	for (size_t i = 0; i + 2 < n; i += 3)
		if (id >= v[i + 1] && id - v[i + 1] < v[i + 2])
			return v[i] + id - v[i + 1];
	return n ? -1 : id;
}

static int set_owner(const struct packer *p, struct archive_entry *entry, const struct stat *st, struct error *err)
{
	int64_t uid = st->st_uid, gid = st->st_gid;

	if (p->ids) {
		uid = inside_id(p->ids->uid_map.v, p->ids->uid_map.n, uid);
		gid = inside_id(p->ids->gid_map.v, p->ids->gid_map.n, gid);
	}
	if (uid < 0 || gid < 0)
		return error_set(err, ERROR_DENIED, "it belongs to %u:%u, which are no ids of the container", st->st_uid,
				 st->st_gid);
	archive_entry_set_uid(entry, uid);
	archive_entry_set_gid(entry, gid);
	return 0;
}

static int pack_opened(struct packer *p, int dirfd, const char *name, const char *as, struct stat *st, int fd,
		       struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r = 0;

	if (!entry)
		return error_errno(err, "allocate an entry");
	archive_entry_copy_pathname(entry, as);
	if (describe(p, entry, dirfd, name, st, fd) == 0)
		r = set_owner(p, entry, st, err) < 0 ? -1 : write_entry(p, entry, fd, st->st_size, err);
	archive_entry_free(entry);
	return r < 0 ? error_frame(err, "%s", as) : 0;
}

/* Opens what has contents: 1, or 0 when there is nothing to be packed. */
static int look(int dirfd, const char *name, const char *as, struct stat *st, int *ret_fd, struct error *err)
{
	if (fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, "%s", as);
	if (S_ISSOCK(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 1;
	*ret_fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0 && errno != ENOENT && errno != ELOOP)
		return error_errno(err, "open %s", as);
	/* Replaced meanwhile? */
	return *ret_fd >= 0 && fstat(*ret_fd, st) == 0 && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode));
}

static int pack_entry(struct packer *p, int dirfd, const char *name, const char *as, int depth, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int there = look(dirfd, name, as, &st, &fd, err);

	if (there <= 0)
		return there;
	if (depth > DEPTH_MAX)
		return error_set(err, ERROR_INVALID, "%s: the tree is too deep", as);
	if (*as && pack_opened(p, dirfd, name, as, &st, fd, err) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? pack_children(p, fd, as, depth, err) : 0;
}

int packer_add_tree(struct packer *p, int dirfd, const char *name, const char *as, struct error *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "%s", as);
	return pack_entry(p, dirfd, name, as, 0, err);
}

int packer_add(struct packer *p, int dirfd, const char *name, const char *as, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int there = look(dirfd, name, as, &st, &fd, err);

	return there <= 0 ? there : pack_opened(p, dirfd, name, as, &st, fd, err);
}

int packer_add_empty(struct packer *p, const char *as, struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		return error_errno(err, "allocate an entry");
	archive_entry_copy_pathname(entry, as);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, 0);
	r = write_entry(p, entry, -1, 0, err);
	archive_entry_free(entry);
	return r;
}

int packer_open(struct packer *p, packer_out *out, void *context, struct error *err)
{
	p->out = out;
	p->context = context;
	p->archive = archive_write_new();
	p->links = archive_entry_linkresolver_new();
	if (!p->archive || !p->links || archive_write_set_format_pax(p->archive) != ARCHIVE_OK) {
		errno = ENOMEM;
		return error_errno(err, "start the tar writer");
	}
	archive_entry_linkresolver_set_strategy(p->links, archive_format(p->archive));
	archive_write_set_bytes_per_block(p->archive, BLOCK / 2);
	archive_write_set_bytes_in_last_block(p->archive, 512);
	if (archive_write_open(p->archive, p, NULL, give_out, NULL) != ARCHIVE_OK)
		return failed(p, err);
	return 0;
}

int packer_finish(struct packer *p, struct error *err)
{
	return archive_write_close(p->archive) == ARCHIVE_OK ? 0 : failed(p, err);
}

void packer_done(struct packer *p)
{
	archive_write_free(p->archive);
	archive_entry_linkresolver_free(p->links);
	p->archive = NULL;
	p->links = NULL;
}

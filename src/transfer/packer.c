/* The operation `pack`: a tar of a file or directory of a container. Descriptors: the root, the output.
 *
 * Walks by descriptors and follows no link; what it meets may change while it is read (the container runs): a file that
 * shrinks is filled with zeros, one that vanishes is left out. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"
#include "transfer/tree.h"
#include "transfer/work.h"

enum { BLOCK = 1 << 17, DEPTH_MAX = 2000 };

struct packer {
	struct archive *archive;
	struct archive_entry_linkresolver *links;
	int out;
	char block[BLOCK];
	struct error error;		/* of the output */
};

static int pack_entry(struct packer *p, int dirfd, const char *name, const char *as, int depth, struct error *err);

static la_ssize_t give_out(struct archive *archive, void *context, const void *data, size_t n)
{
	struct packer *p = context;

	if (fd_write_all(p->out, data, n) == 0)
		return (la_ssize_t)n;
	archive_set_error(archive, errno, "write the archive: %s", strerror(errno));
	error_errno(&p->error, "write the archive");
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
	while ((d = readdir(dir))) {
		char *name;
		int r;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (asprintf(&name, "%s%s%s", as, *as ? "/" : "", d->d_name) < 0)
			return error_errno(err, "allocate a name");
		r = pack_entry(p, fd, d->d_name, name, depth + 1, err);
		free(name);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int describe(struct archive_entry *entry, int dirfd, const char *name, const struct stat *st, int fd)
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
	if (fd >= 0 && S_ISREG(st->st_mode))
		add_holes(entry, fd, st->st_size);
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
	if (describe(entry, dirfd, name, st, fd) == 0)
		r = write_entry(p, entry, fd, st->st_size, err);
	archive_entry_free(entry);
	return r < 0 ? error_frame(err, "%s", as) : 0;
}

static int pack_entry(struct packer *p, int dirfd, const char *name, const char *as, int depth, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return depth && errno == ENOENT ? 0 : error_errno(err, "%s", as);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (depth > DEPTH_MAX)
		return error_set(err, ERROR_INVALID, "%s: the tree is too deep", as);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT && errno != ELOOP)
			return error_errno(err, "open %s", as);
		if (fd < 0 || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
			return 0;	/* replaced meanwhile */
	}
	if (*as && pack_opened(p, dirfd, name, as, &st, fd, err) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? pack_children(p, fd, as, depth, err) : 0;
}

static int open_archive(struct packer *p, int out, struct error *err)
{
	p->out = out;
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

int op_pack(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct packer *p = arena_new_one(w->arena, struct packer);
	const char *path = str_is_empty(r->root) ? "/" : r->root, *name, *as;
	_cleanup_fd_ int parent = inroot_parent(w->arena, w->channel->fds[0], path, false, &name);
	int result;

	if (parent < 0)
		return error_errno(err, "%s", path);
	as = r->contents_only ? "" : r->rename_to ? r->rename_to : strcmp(name, ".") == 0 ? "" : name;
	result = open_archive(p, w->channel->fds[1], err);
	if (result == 0)
		result = pack_entry(p, parent, name, as, 0, err);
	if (result == 0 && archive_write_close(p->archive) != ARCHIVE_OK)
		result = failed(p, err);
	archive_write_free(p->archive);
	archive_entry_linkresolver_free(p->links);
	return result;
}

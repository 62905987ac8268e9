/* The operation `index`: a layer that lies there as a directory tree becomes objects and an index. Descriptor: the
 * tree.
 *
 * The tree is one of another driver (diff/) or a container's upper directory: whiteouts are 0:0 character devices, or
 * files .wh.NAME where the file system could not make devices; opaque directories have an attribute or the file
 * .wh..wh..opq. Overlay's own attributes are dropped like an image's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/whiteout.h"
#include "transfer/layer_maker.h"
#include "transfer/tree_place.h"
#include "transfer/work.h"

#define DEPTH_MAX 1000		/* two descriptors each */
#define XATTRS_MAX 256
#define XATTRS_SIZE_MAX ((size_t)1 << 20)	/* the values of one file */

/* Files with several names, by device and inode: a list of the first names, in a table. */
struct link { struct link *next; dev_t device; ino_t inode; char path[]; };

struct walk {
	struct work *work;
	struct layer_maker maker;
	struct link *links[4096];
	struct tree_xattr xattrs[XATTRS_MAX];	/* of the entry at hand, with their names and values */
	char names[XATTR_LIST_MAX];
	struct buffer values;
	struct buffer path;
};

static int walk_directory(struct walk *w, int fd, const struct stat *st, int depth, struct error *err);

/* --- attributes */

static int add_xattr(struct walk *w, int fd, const char *name, struct tree_entry *e, struct error *err)
{
	ssize_t n;

	if (e->xattrs_n == XATTRS_MAX || buffer_reserve(&w->values, XATTR_SIZE_MAX) < 0)
		return error_set(err, ERROR_INVALID, "/%s has too many extended attributes", e->path);
	n = fgetxattr(fd, name, w->values.data + w->values.size, XATTR_SIZE_MAX);
	if (n < 0)
		return errno == ENODATA ? 0 : error_errno(err, "read the extended attribute %s of /%s", name, e->path);
	/* The values move when their buffer grows: sizes now, places when all are there. */
	w->xattrs[e->xattrs_n++] = (struct tree_xattr){ name, NULL, (size_t)n };
	w->values.size += (size_t)n;
	return 0;
}

static int take_xattrs(struct walk *w, int fd, struct tree_entry *e, struct error *err)
{
	ssize_t size = flistxattr(fd, w->names, sizeof(w->names));
	size_t at = 0;

	w->values.size = 0;
	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : error_errno(err, "list the extended attributes of /%s", e->path);
	for (char *name = w->names; name < w->names + size; name += strlen(name) + 1)
		if (tree_xattr_is_kept(name) && add_xattr(w, fd, name, e, err) < 0)
			return -1;
	for (size_t i = 0; i < e->xattrs_n; at += w->xattrs[i++].size)
		w->xattrs[i].value = w->values.data + at;
	e->xattrs = w->xattrs;
	return 0;
}

static struct tree_entry entry_of(const struct walk *w, const struct stat *st)
{
	return (struct tree_entry){ .path = w->path.data ? w->path.data : "", .mode = st->st_mode & 07777,
				    .uid = st->st_uid, .gid = st->st_gid, .mtime = st->st_mtim };
}

/* --- names */

static struct link **link_place(struct walk *w, const struct stat *st)
{
	struct link **place = &w->links[(st->st_ino ^ st->st_ino >> 12) % ELEMENTS(w->links)];

	while (*place && ((*place)->inode != st->st_ino || (*place)->device != st->st_dev))
		place = &(*place)->next;
	return place;
}

/* 1: the file is in the layer under another name, and this one is a link to it now. */
static int try_link(struct walk *w, const struct stat *st, struct error *err)
{
	const struct tree_entry e = entry_of(w, st);
	struct link **place;
	size_t size = strlen(e.path) + 1;

	if (st->st_nlink < 2)
		return 0;
	place = link_place(w, st);
	if (*place)
		return layer_tree_hardlink(w->maker.tree, &e, (*place)->path, err) < 0 ? -1 : 1;
	*place = arena_alloc(w->work->arena, sizeof(**place) + size);
	(*place)->device = st->st_dev;
	(*place)->inode = st->st_ino;
	memcpy((*place)->path, e.path, size);
	return 0;
}

static int add_file(struct walk *w, int fd, const struct stat *st, struct error *err)
{
	unsigned char digest[OBJECT_DIGEST_SIZE];
	struct tree_entry e = entry_of(w, st);
	int linked = try_link(w, st, err);
	int64_t size;

	if (linked)
		return linked < 0 ? -1 : 0;
	if (layer_tree_check(w->maker.tree, &e, err) < 0 || take_xattrs(w, fd, &e, err) < 0)
		return -1;
	if (objects_copy(&w->maker.objects, fd, digest, &size, err) < 0)
		return error_frame(err, "/%s", e.path);
	return layer_tree_file(w->maker.tree, &e, size, digest, err);
}

static int add_symlink(struct walk *w, int dirfd, const char *name, const struct stat *st, struct error *err)
{
	const struct tree_entry e = entry_of(w, st);
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (n < 0)
		return error_errno(err, "read the link /%s", e.path);
	target[n] = '\0';
	return layer_tree_symlink(w->maker.tree, &e, target, err);
}

static int add_other(struct walk *w, int dirfd, const char *name, const struct stat *st, struct error *err)
{
	const struct tree_entry e = entry_of(w, st);
	int linked;

	linked = try_link(w, st, err);
	if (linked)
		return linked < 0 ? -1 : 0;
	switch (st->st_mode & S_IFMT) {
	case S_IFLNK:
		return add_symlink(w, dirfd, name, st, err);
	case S_IFIFO:
		return layer_tree_fifo(w->maker.tree, &e, err);
	case S_IFCHR:
	case S_IFBLK:
		return layer_tree_device(w->maker.tree, &e, st->st_mode & S_IFMT, st->st_rdev, err);
	default:
		return 0;		/* a socket has no meaning without its process */
	}
}

/* 1: the file's name is a mark. */
static int add_mark(struct walk *w, struct error *err)
{
	enum tree_mark mark = tree_mark_of(w->path.data);

	if (mark == MARK_WHITEOUT || mark == MARK_OPAQUE)
		return layer_tree_mark(w->maker.tree, w->path.data, mark, err) < 0 ? -1 : 1;
	return mark != MARK_NONE;
}

static int add_opened(struct walk *w, int fd, int depth, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "look at /%s", w->path.data);
	if (S_ISDIR(st.st_mode))
		return walk_directory(w, fd, &st, depth, err);
	return S_ISREG(st.st_mode) ? add_file(w, fd, &st, err) : 0;	/* replaced meanwhile */
}

static int add_name(struct walk *w, int dirfd, const char *name, int depth, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int marked;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, "look at /%s", w->path.data);
	marked = S_ISREG(st.st_mode) ? add_mark(w, err) : 0;
	if (marked)
		return marked < 0 ? -1 : 0;
	if (whiteout_is(dirfd, name, &st))
		return layer_tree_whiteout(w->maker.tree, w->path.data, err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return add_other(w, dirfd, name, &st, err);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : error_errno(err, "open /%s", w->path.data);
	return add_opened(w, fd, depth, err);
}

static int walk_directory(struct walk *w, int fd, const struct stat *st, int depth, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(fd, ".");
	struct tree_entry e = entry_of(w, st);
	size_t length = w->path.size;
	struct dirent *d;
	int r = 0;

	if (!dir)
		return error_errno(err, "read the directory /%s", e.path);
	if (depth > DEPTH_MAX)
		return error_set(err, ERROR_INVALID, "/%.100s...: the tree is too deep", e.path);
	if (take_xattrs(w, fd, &e, err) < 0 || layer_tree_directory(w->maker.tree, &e, err) < 0 ||
	    (whiteout_is_opaque(fd) && layer_tree_opaque(w->maker.tree, e.path, err) < 0))
		return -1;
	while (r == 0 && (d = fd_next_entry(dir))) {
		if (buffer_printf(&w->path, "%s%s", length ? "/" : "", d->d_name) < 0)
			return error_set(err, ERROR_INVALID, "a name in the tree is longer than %zu bytes",
					 w->path.limit);
		r = add_name(w, dirfd(dir), d->d_name, depth + 1, err);
		w->path.size = length;
		w->path.data[length] = '\0';
	}
	return r == 0 && errno ? error_errno(err, "read the directory /%s", w->path.data) : r;
}

static int index_tree(struct walk *w, int root, const char *stage, struct transfer_unpacked *ret, struct error *err)
{
	_cleanup_fd_ int dir = tree_open_dir(w->work->places.tmp, stage, O_RDONLY);
	const struct layer_tree_totals *totals = layer_tree_totals(w->maker.tree);
	struct stat st;

	if (dir < 0)
		return error_errno(err, "open the stage %s", stage);
	if (fstat(root, &st) < 0)
		return error_errno(err, "look at the tree");
	if (walk_directory(w, root, &st, 0, err) < 0 || layer_maker_finish(&w->maker, dir, err) < 0)
		return -1;
	*ret = (struct transfer_unpacked){ NULL, totals->size, totals->max_uid, totals->max_gid };
	return 0;
}

int op_index(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	const struct tree_options options = { .squash_owner = r->squash_owner,
					      .uids = { r->uid_ranges.v, r->uid_ranges.n },
					      .gids = { r->gid_ranges.v, r->gid_ranges.n },
					      .user = r->user, .free_id = r->free_id };
	struct walk *walk = arena_new_one(w->arena, struct walk);
	struct transfer_unpacked done;
	int result;

	if (r->layers.n != 1 || str_is_empty(r->layers.v[0].stage))
		return error_set(err, ERROR_USAGE, "the request index names one layer with its stage");
	walk->work = w;
	walk->values = BUFFER(XATTRS_SIZE_MAX);
	walk->path = BUFFER(LAYER_PATH_MAX);
	if (layer_maker_init(&walk->maker, &w->places, &options, err) < 0)
		return -1;
	result = index_tree(walk, w->channel->fds[0], r->layers.v[0].stage, &done, err);
	if (result == 0)
		*ARRAY_ADD(w->arena, &ret->unpacked) = done;
	layer_maker_done(&walk->maker);
	buffer_done(&walk->values);
	buffer_done(&walk->path);
	return result;
}

#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/tree_attributes.h"
#include "base/arena.h"
#include "base/string.h"
#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/whiteout.h"

#define DEPTH_MAX 400		/* two descriptors a level */
#define PATH_MAX_BYTES 65536
#define LINK_BUCKETS 1024

/* A file with several names that was copied once: the next name becomes a link. */
struct copied {
	dev_t dev, target_dev;
	ino_t ino, target_ino;
	char *path;
	struct copied *next;
};

struct copy {
	const struct tree_copy *how;
	struct arena *arena;
	int top;			/* target directory that paths are relative to */
	struct stat top_stat;
	struct copied *links[LINK_BUCKETS];
	char *path;			/* of the current entry, below top */
	size_t path_n;
	int depth;
	struct error *err;
};

/* Where an entry comes from and goes to. */
struct entry {
	int source_dir, target_dir;
	const char *source, *target;
	struct stat st;
};

static int copy_entry(struct copy *c, struct entry *e);

static int failed(struct copy *c, const char *what)
{
	return error_errno(c->err, "%s %s", what, c->path_n ? c->path : ".");
}

/* --- data */

static int copy_by_buffer(int source, int target, off_t from, off_t n)
{
	char chunk[65536];

	while (n > 0) {
		ssize_t got = pread(source, chunk, n < (off_t)sizeof(chunk) ? (size_t)n : sizeof(chunk), from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : 0;
		for (ssize_t done = 0; done < got;) {
			ssize_t put = pwrite(target, chunk + done, (size_t)(got - done), from + done);

			if (put < 0 && errno == EINTR)
				continue;
			if (put < 0)
				return -1;
			done += put;
		}
		from += got;
		n -= got;
	}
	return 0;
}

static int copy_extent(int source, int target, off_t from, off_t n)
{
	off_t out = from;

	while (n > 0) {
		ssize_t done = copy_file_range(source, &from, target, &out, (size_t)n, 0);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			return 0;
		if (done < 0)
			return errno == ENOSPC || errno == EDQUOT || errno == EIO ? -1 :
				copy_by_buffer(source, target, from, n);
		n -= done;
	}
	return 0;
}

int tree_copy_data(int source, int target, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(source, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			data = at;
		hole = lseek(source, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		if (hole > data && copy_extent(source, target, data, hole - data) < 0)
			return -1;
		at = hole > at ? hole : size;
	}
	return ftruncate(target, size);
}

/* --- hard links */

static struct copied *find_link(struct copy *c, const struct stat *st)
{
	struct copied *l = c->links[st->st_ino % LINK_BUCKETS];

	while (l && (l->ino != st->st_ino || l->dev != st->st_dev))
		l = l->next;
	return l;
}

static void remember_link(struct copy *c, const struct stat *st, int target)
{
	struct copied *l = arena_new_one(c->arena, struct copied);
	struct stat made;

	if (fstat(target, &made) < 0)
		return;
	*l = (struct copied){ st->st_dev, made.st_dev, st->st_ino, made.st_ino, arena_strdup(c->arena, c->path),
			      c->links[st->st_ino % LINK_BUCKETS] };
	c->links[st->st_ino % LINK_BUCKETS] = l;
}

/* The first name is looked up in the root of the copy, and must still be the file that was made. */
static bool make_link(struct copy *c, const struct entry *e)
{
	struct copied *l = find_link(c, &e->st);
	_cleanup_fd_ int fd = l ? inroot_open(c->top, l->path, O_PATH | O_NOFOLLOW, 0) : -1;
	struct stat st;
	char path[32];

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != l->target_ino || st.st_dev != l->target_dev)
		return false;
	return linkat(AT_FDCWD, fd_path(fd, path), e->target_dir, e->target, AT_SYMLINK_FOLLOW) == 0;
}

/* --- kinds of entries */

/* Whom the copy belongs to. */
static int choose_owner(struct copy *c, const struct stat *st, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct tree_copy *how = c->how;

	*ret_uid = how->set_owner ? how->uid : how->shift ? idmap_to_outside(&how->shift->uid, st->st_uid) : st->st_uid;
	*ret_gid = how->set_owner ? how->gid : how->shift ? idmap_to_outside(&how->shift->gid, st->st_gid) : st->st_gid;
	if (*ret_uid == ID_NONE || *ret_gid == ID_NONE)
		return error_set(c->err, ERROR_DENIED, "%s belongs to %u:%u, which the id map does not have", c->path,
				 st->st_uid, st->st_gid);
	return 0;
}

static int finish(struct copy *c, int fd, int source, const struct stat *st)
{
	struct tree_attributes a = { .mode = st->st_mode & 07777, .atime = st->st_atim, .mtime = st->st_mtim };

	if (choose_owner(c, st, &a.uid, &a.gid) < 0)
		return -1;
	return tree_attributes_set(fd, source, &a) < 0 ? failed(c, "set the attributes of") : 0;
}

static int copy_file(struct copy *c, const struct entry *e)
{
	_cleanup_fd_ int source = -1, target = -1;
	struct stat st;

	if (e->st.st_nlink > 1 && make_link(c, e))
		return 0;
	source = openat(e->source_dir, e->source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) < 0)
		return failed(c, "open");
	if (!S_ISREG(st.st_mode))
		return error_set(c->err, ERROR_FAILED, "%s changed while it was copied", c->path);
	target = openat(e->target_dir, e->target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0)
		return failed(c, "make");
	if (tree_copy_data(source, target, st.st_size) < 0)
		return failed(c, "copy");
	if (e->st.st_nlink > 1)
		remember_link(c, &e->st, target);
	return finish(c, target, source, &st);
}

static int copy_symlink(struct copy *c, const struct entry *e)
{
	const struct timespec times[2] = { e->st.st_atim, e->st.st_mtim };
	char text[4097];
	ssize_t n = readlinkat(e->source_dir, e->source, text, sizeof(text) - 1);
	uid_t uid;
	gid_t gid;

	if (n < 0)
		return failed(c, "read the link");
	if (choose_owner(c, &e->st, &uid, &gid) < 0)
		return -1;
	text[n] = '\0';
	if (symlinkat(text, e->target_dir, e->target) < 0)
		return failed(c, "make the link");
	if (fchownat(e->target_dir, e->target, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, "set the owner of");
	utimensat(e->target_dir, e->target, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int copy_fifo(struct copy *c, const struct entry *e)
{
	uid_t uid;
	gid_t gid;

	if (choose_owner(c, &e->st, &uid, &gid) < 0)
		return -1;
	if (mkfifoat(e->target_dir, e->target, e->st.st_mode & 0777) < 0)
		return failed(c, "make the FIFO");
	if (fchownat(e->target_dir, e->target, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, "set the owner of");
	return 0;
}

/* Takes source. */
static int copy_contents(struct copy *c, int source, int target)
{
	_cleanup_dir_ DIR *dir = fdopendir(source);
	struct dirent *entry;
	size_t n = c->path_n;

	if (!dir) {
		close(source);
		return failed(c, "read");
	}
	while ((entry = fd_next_entry(dir))) {
		struct entry e = {
			.source_dir = dirfd(dir), .target_dir = target, .source = entry->d_name, .target = entry->d_name,
		};
		size_t name_n = strlen(entry->d_name);

		if (n + name_n + 2 > PATH_MAX_BYTES)
			return error_set(c->err, ERROR_FAILED, "%.200s...: the path is too long", c->path);
		if (n > 0)
			c->path[c->path_n++] = '/';
		memcpy(c->path + c->path_n, entry->d_name, name_n + 1);
		c->path_n += name_n;
		if (copy_entry(c, &e) < 0)
			return -1;
		c->path[c->path_n = n] = '\0';
	}
	return errno ? failed(c, "list") : 0;
}

static bool is_target_top(const struct copy *c, const struct stat *st)
{
	return st->st_dev == c->top_stat.st_dev && st->st_ino == c->top_stat.st_ino;
}

static int copy_directory(struct copy *c, const struct entry *e)
{
	_cleanup_fd_ int source = fd_open_dir(e->source_dir, e->source), target = -1;
	struct stat st;
	int contents;

	if (source < 0 || fstat(source, &st) < 0)
		return failed(c, "open");
	if (is_target_top(c, &st))	/* a copy into itself ends here */
		return 0;
	if (c->depth == DEPTH_MAX)
		return error_set(c->err, ERROR_FAILED, "%.200s...: more than %d directories deep", c->path, DEPTH_MAX);
	if (c->how->whiteouts && whiteout_is_opaque(source) && fd_remove_tree(e->target_dir, e->target) < 0)
		return failed(c, "replace");
	if (mkdirat(e->target_dir, e->target, 0700) < 0 && errno != EEXIST)
		return failed(c, "make");
	target = fd_open_dir(e->target_dir, e->target);
	if (target < 0)
		return failed(c, "open");
	contents = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (contents < 0)
		return failed(c, "open");
	c->depth++;
	if (copy_contents(c, contents, target) < 0)
		return -1;
	c->depth--;
	return finish(c, target, source, &st);
}

/* What is in the way of e? Another kind of entry, or any entry where a new one has to be made. */
static int clear_target(struct copy *c, const struct entry *e)
{
	struct stat old;

	if (fstatat(e->target_dir, e->target, &old, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : failed(c, "look at");
	if (S_ISDIR(old.st_mode) && S_ISDIR(e->st.st_mode))
		return 0;
	if (S_ISDIR(old.st_mode) && !c->how->replace && !c->how->whiteouts)
		return error_set(c->err, ERROR_FAILED, "cannot overwrite directory \"/%s\" with non-directory", c->path);
	if (S_ISDIR(e->st.st_mode) && !c->how->replace && !c->how->whiteouts)
		return error_set(c->err, ERROR_FAILED, "cannot overwrite non-directory \"/%s\" with directory", c->path);
	return fd_remove_tree(e->target_dir, e->target) < 0 ? failed(c, "replace") : 0;
}

/* What an entry of a layer takes away from the copies of lower ones: a name, or "" when it is another mark; NULL when it is
 * an entry. */
static const char *hidden_name(const struct entry *e)
{
	const char *marked = whiteout_marked(e->source, &e->st);

	return marked ? marked : whiteout_is(e->source_dir, e->source, &e->st) ? e->target : NULL;
}

static int copy_entry(struct copy *c, struct entry *e)
{
	const char *hidden;

	if (fstatat(e->source_dir, e->source, &e->st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, "look at");
	hidden = c->how->whiteouts ? hidden_name(e) : NULL;
	if (hidden)
		return *hidden && fd_remove_tree(e->target_dir, hidden) < 0 ? failed(c, "remove") : 0;
	if (S_ISCHR(e->st.st_mode) || S_ISBLK(e->st.st_mode) || S_ISSOCK(e->st.st_mode))
		return 0;
	if (clear_target(c, e) < 0)
		return -1;
	switch (e->st.st_mode & S_IFMT) {
	case S_IFDIR:	return copy_directory(c, e);
	case S_IFREG:	return copy_file(c, e);
	case S_IFLNK:	return copy_symlink(c, e);
	case S_IFIFO:	return copy_fifo(c, e);
	default:	return 0;
	}
}

static int begin(struct copy *c, int top)
{
	if (fstat(top, &c->top_stat) < 0)
		return error_errno(c->err, "look at the target directory");
	c->top = top;
	c->arena = arena_new();
	c->path = arena_alloc(c->arena, PATH_MAX_BYTES);
	return 0;
}

int tree_copy(int source, int target, const struct tree_copy *how, struct error *err)
{
	struct copy c = { .how = how, .err = err };
	struct stat st;
	int contents, result;

	if (fstat(source, &st) < 0 || begin(&c, target) < 0)
		return error_errno(err, "look at the source directory");
	contents = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = contents < 0 ? failed(&c, "open") : copy_contents(&c, contents, target);
	if (result == 0 && !how->keep_top)
		result = finish(&c, target, source, &st);
	arena_free(c.arena);
	return result;
}

int tree_copy_entry(int source_dir, const char *source_name, int target_dir, const char *target_name,
		    const struct tree_copy *how, struct error *err)
{
	struct entry e = {
		.source_dir = source_dir, .target_dir = target_dir, .source = source_name, .target = target_name,
	};
	struct copy c = { .how = how, .err = err };
	int result;

	if (begin(&c, target_dir) < 0)
		return -1;
	c.path_n = (size_t)snprintf(c.path, PATH_MAX_BYTES, "%s", target_name);
	/* The target directory itself may be what is copied into a child of it. */
	result = copy_entry(&c, &e);
	arena_free(c.arena);
	return result;
}

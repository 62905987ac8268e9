#include "store/tree_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"

#define BLOCK ((size_t)256 << 10)
#define XATTR_MAX ((size_t)128 << 10)
#define PERMISSIONS 07777

struct comparison {
	struct arena *arena;
	struct tree_difference *ret;
	char *blocks[2];
};

struct pair_of_entries { int is, ought; const char *name, *path; };	/* directories, and a name in both */

static int differs(struct comparison *c, const char *path, const char *what)
{
	*c->ret = (struct tree_difference){ arena_strdup(c->arena, *path ? path : "/"), what };
	return 1;
}

/* What cannot be read is damaged, not a failure of the comparison; the other tree was made just now. */
static int unreadable(struct comparison *c, const char *path)
{
	return differs(c, path, errno == ENOENT ? "it is missing" : "it cannot be read");
}

/* --- one entry */

static int compare_bytes(struct comparison *c, int is, int ought, const char *path, struct error *err)
{
	ssize_t a, b;

	do {
		b = fd_read_all(ought, c->blocks[1], BLOCK);
		if (b < 0)
			return error_errno(err, "read %s as it was unpacked", path);
		a = fd_read_all(is, c->blocks[0], BLOCK);
		if (a < 0)
			return unreadable(c, path);
		if (a != b || memcmp(c->blocks[0], c->blocks[1], (size_t)a) != 0)
			return differs(c, path, "its contents differ");
	} while (a > 0);
	return 0;
}

static int compare_contents(struct comparison *c, const struct pair_of_entries *p, struct error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_fd_ int is = openat(p->is, p->name, flags);
	_cleanup_fd_ int ought = openat(p->ought, p->name, flags);

	if (ought < 0)
		return error_errno(err, "open %s as it was unpacked", p->path);
	return is < 0 ? unreadable(c, p->path) : compare_bytes(c, is, ought, p->path, err);
}

static int compare_link(struct comparison *c, const struct pair_of_entries *p)
{
	ssize_t a = readlinkat(p->is, p->name, c->blocks[0], BLOCK), b = readlinkat(p->ought, p->name, c->blocks[1], BLOCK);

	if (a < 0)
		return unreadable(c, p->path);
	return a != b || memcmp(c->blocks[0], c->blocks[1], (size_t)a) != 0 ? differs(c, p->path, "it points elsewhere") : 0;
}

/* The l-calls take paths alone: the entry through its directory's descriptor. */
static ssize_t list_xattrs(int dir, const char *name, char *buf, char path[4200])
{
	char number[32];

	snprintf(path, 4200, "%s/%s", fd_path(dir, number), name);
	return llistxattr(path, buf, XATTR_MAX);
}

static bool has_same_value(struct comparison *c, const char *is, const char *ought, const char *name)
{
	char *a = c->blocks[0] + XATTR_MAX, *b = c->blocks[1] + XATTR_MAX;
	ssize_t n = lgetxattr(is, name, a, XATTR_MAX);

	return n == lgetxattr(ought, name, b, XATTR_MAX) && (n <= 0 || memcmp(a, b, (size_t)n) == 0);
}

static int compare_xattrs(struct comparison *c, const struct pair_of_entries *p)
{
	char is[4200], ought[4200];
	ssize_t a = list_xattrs(p->is, p->name, c->blocks[0], is), b = list_xattrs(p->ought, p->name, c->blocks[1], ought);

	if (a < 0 || b < 0)
		return errno == ENOTSUP ? 0 : unreadable(c, p->path);
	if (a != b)
		return differs(c, p->path, "its extended attributes differ");
	for (ssize_t at = 0; at < b; at += (ssize_t)strlen(c->blocks[1] + at) + 1)
		if (!has_same_value(c, is, ought, c->blocks[1] + at))
			return differs(c, p->path, "its extended attributes differ");
	return 0;
}

static int compare_attributes(struct comparison *c, const struct pair_of_entries *p, const struct stat *is,
			      const struct stat *ought)
{
	if ((is->st_mode & S_IFMT) != (ought->st_mode & S_IFMT))
		return differs(c, p->path, "it is of another kind");
	if (!S_ISLNK(is->st_mode) && (is->st_mode & PERMISSIONS) != (ought->st_mode & PERMISSIONS))
		return differs(c, p->path, "its permissions differ");
	if (is->st_uid != ought->st_uid || is->st_gid != ought->st_gid)
		return differs(c, p->path, "its owner differs");
	if (S_ISREG(is->st_mode) && is->st_size != ought->st_size)
		return differs(c, p->path, "its size differs");
	if ((S_ISCHR(is->st_mode) || S_ISBLK(is->st_mode)) && is->st_rdev != ought->st_rdev)
		return differs(c, p->path, "it is another device");
	return 0;
}

static int compare_directories(struct comparison *c, int is, int ought, const char *path, struct error *err);

static int compare_below(struct comparison *c, const struct pair_of_entries *p, struct error *err)
{
	_cleanup_fd_ int is = fd_open_dir(p->is, p->name), ought = fd_open_dir(p->ought, p->name);

	if (ought < 0)
		return error_errno(err, "open %s as it was unpacked", p->path);
	return is < 0 ? unreadable(c, p->path) : compare_directories(c, is, ought, p->path, err);
}

static int compare_entry(struct comparison *c, const struct pair_of_entries *p, struct error *err)
{
	struct stat is, ought;
	int r;

	if (fstatat(p->ought, p->name, &ought, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "look at %s as it was unpacked", p->path);
	if (fstatat(p->is, p->name, &is, AT_SYMLINK_NOFOLLOW) < 0)
		return unreadable(c, p->path);
	r = compare_attributes(c, p, &is, &ought);
	if (r == 0)
		r = compare_xattrs(c, p);
	if (r == 0 && S_ISREG(is.st_mode))
		r = compare_contents(c, p, err);
	if (r == 0 && S_ISLNK(is.st_mode))
		r = compare_link(c, p);
	if (r == 0 && S_ISDIR(is.st_mode))
		r = compare_below(c, p, err);
	return r;
}

/* --- directories */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(struct arena *arena, int fd, struct strings *ret)
{
	_cleanup_dir_ DIR *dir = fd_opendir(fd, ".");
	struct dirent *entry;

	*ret = (struct strings){ 0 };
	if (!dir)
		return -1;
	while ((entry = fd_next_entry(dir)))
		strings_add(arena, ret, entry->d_name);
	if (errno)
		return -1;
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_names);
	return 0;
}

static int compare_directories(struct comparison *c, int is, int ought, const char *path, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct strings there, wanted;

	if (list(arena, ought, &wanted) < 0)
		return error_errno(err, "list %s as it was unpacked", path);
	if (list(arena, is, &there) < 0)
		return unreadable(c, path);
	for (size_t i = 0; i < there.n || i < wanted.n; i++) {
		const char *a = i < there.n ? there.v[i] : NULL, *b = i < wanted.n ? wanted.v[i] : NULL;
		const char *name = !a || (b && strcmp(b, a) < 0) ? b : a;
		const struct pair_of_entries p = { is, ought, name, arena_printf(arena, "%s/%s", path, name) };
		int r = !a || !b || strcmp(a, b) != 0 ?
			differs(c, p.path, name == b ? "it is missing" : "it does not belong there") :
			compare_entry(c, &p, err);

		if (r)
			return r;
	}
	return 0;
}

int tree_compare(struct arena *arena, int is, int ought, struct tree_difference *ret, struct error *err)
{
	struct comparison c = { .arena = arena, .ret = ret };
	struct stat a, b;
	int r = -1;

	c.blocks[0] = malloc(BLOCK);
	c.blocks[1] = malloc(BLOCK);
	if (!c.blocks[0] || !c.blocks[1])
		arena_exhausted();
	if (fstat(is, &a) < 0 || fstat(ought, &b) < 0)
		error_errno(err, "look at the trees");
	else
		r = compare_attributes(&c, &(struct pair_of_entries){ .path = "" }, &a, &b);
	if (r == 0)
		r = compare_directories(&c, is, ought, "", err);
	free(c.blocks[0]);
	free(c.blocks[1]);
	return r;
}

#include "store/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/whiteout.h"

#define DEPTH_MAX 2000

struct walk {
	struct arena *arena;
	const struct changes_how *how;
	struct changes *out;
	struct error *err;
	bool opaque;			/* the directory or one above it hides the older tree */
};

static int walk_upper(struct walk *w, int lower, int upper, const char *path, int depth);
static int walk_both(struct walk *w, int older, int newer, const char *path, int depth);

/* --- entries */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* -1 for a directory: none. */
static int read_names(struct walk *w, int fd, const char *path, struct strings *ret)
{
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fd_opendir(fd, ".");
	struct dirent *entry;

	*ret = (struct strings){ 0 };
	if (fd >= 0 && !dir)
		return error_errno(w->err, "read the directory %s", *path ? path : "/");
	while (dir && (entry = fd_next_entry(dir)))
		strings_add(w->arena, ret, entry->d_name);
	if (dir && errno)
		return error_errno(w->err, "read the directory %s", *path ? path : "/");
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return 0;
}

static void add(struct walk *w, enum change_kind kind, const char *path)
{
	*ARRAY_ADD(w->arena, w->out) = (struct change){ kind, arena_strdup(w->arena, path) };
}

static char *below(struct walk *w, const char *path, const char *name)
{
	return arena_printf(w->arena, "%s/%s", path, name);
}

static bool look(int dirfd, const char *name, struct stat *ret)
{
	return dirfd >= 0 && fstatat(dirfd, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What programs of a container make themselves is none, but a device, which they cannot make. */
static bool is_whiteout(const struct walk *w, int upper, const char *name, const struct stat *st)
{
	return (w->how->marks || S_ISCHR(st->st_mode)) && whiteout_is(upper, name, st);
}

static bool has_xattr(int fd, const char *name)
{
	char value[2];

	return fgetxattr(fd, name, value, sizeof(value)) == 1 && value[0] == 'y';
}

static bool is_opaque(const struct walk *w, int fd)
{
	return w->how->marks ? whiteout_is_opaque(fd) : has_xattr(fd, "user.overlay.opaque");
}

/* --- comparing */

static bool same_owner(const struct walk *w, const struct stat *older, const struct stat *newer)
{
	const struct id_maps *maps = w->how->maps;

	if (!maps || !maps->uid.n)
		return older->st_uid == newer->st_uid && older->st_gid == newer->st_gid;
	return older->st_uid == idmap_to_inside(&maps->uid, newer->st_uid) &&
	       older->st_gid == idmap_to_inside(&maps->gid, newer->st_gid);
}

static bool same_attributes(const struct walk *w, const struct stat *older, const struct stat *newer)
{
	return older->st_mode == newer->st_mode && same_owner(w, older, newer) && older->st_rdev == newer->st_rdev;
}

/* Layers that went through other programs have lost the fractions of their times. */
static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && (a->tv_nsec == b->tv_nsec || !a->tv_nsec || !b->tv_nsec);
}

static bool same_target(int older, int newer, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlinkat(older, name, a, sizeof(a)), m = readlinkat(newer, name, b, sizeof(b));

	return n >= 0 && n == m && memcmp(a, b, (size_t)n) == 0;
}

static bool same_bytes(int a, int b)
{
	char one[16384], other[16384];
	ssize_t n;

	do {
		n = fd_read_all(a, one, sizeof(one));
		if (n < 0 || fd_read_all(b, other, sizeof(other)) != n || memcmp(one, other, (size_t)n) != 0)
			return false;
	} while (n > 0);
	return true;
}

static bool same_contents(const struct walk *w, int older, int newer, const char *name, const struct stat *a,
			  const struct stat *b)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_fd_ int one = -1, other = -1;

	if (a->st_size != b->st_size || !same_time(&a->st_mtim, &b->st_mtim))
		return false;
	if (!w->how->contents || a->st_ino == b->st_ino)	/* of layers that both trees have */
		return true;
	one = openat(older, name, flags);
	other = openat(newer, name, flags);
	return one >= 0 && other >= 0 && same_bytes(one, other);
}

static bool is_same(const struct walk *w, int older, int newer, const char *name, const struct stat *a,
		    const struct stat *b)
{
	if (!same_attributes(w, a, b))
		return false;
	if (S_ISLNK(a->st_mode))
		return same_target(older, newer, name);
	return !S_ISREG(a->st_mode) || same_contents(w, older, newer, name, a, b);
}

/* --- into a directory of both trees */

static int open_both(struct walk *w, int older, int newer, const char *name, const char *path, int depth, int ret[2])
{
	ret[0] = ret[1] = -1;
	if (depth > DEPTH_MAX)
		return error_set(w->err, ERROR_INVALID, "%s: the tree is too deep", path);
	ret[1] = fd_open_dir(newer, name);
	if (ret[1] < 0)
		return error_errno(w->err, "open %s", path);
	if (older >= 0)
		ret[0] = fd_open_dir(older, name);	/* -1: there is none below */
	return 0;
}

typedef int walk_step(struct walk *w, int older, int newer, const char *path, int depth);

/* A directory is told when it is new or another, or when something in it is. */
static int enter(struct walk *w, walk_step *step, int older, int newer, const char *name, const char *path, int depth,
		 enum change_kind kind, bool is_same)
{
	size_t at = w->out->n;
	int fds[2], result;

	if (open_both(w, older, newer, name, path, depth, fds) < 0)
		return -1;
	add(w, kind, path);
	result = step(w, fds[0], fds[1], path, depth + 1);
	if (result == 0 && is_same && w->out->n == at + 1)
		w->out->n = at;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return result;
}

/* --- an upper directory */

static int upper_entry(struct walk *w, int lower, int upper, const char *name, const char *path, int depth)
{
	enum change_kind kind;
	struct stat was, is;
	bool there;

	if (!look(upper, name, &is))
		return errno == ENOENT ? 0 : error_errno(w->err, "%s", path);	/* it went meanwhile */
	there = look(lower, name, &was);
	if (is_whiteout(w, upper, name, &is)) {
		if (there)
			add(w, CHANGE_DELETED, path);
		return 0;
	}
	kind = there ? CHANGE_MODIFIED : CHANGE_ADDED;
	if (S_ISDIR(is.st_mode)) {
		bool same = there && S_ISDIR(was.st_mode) && same_attributes(w, &was, &is) &&
			    same_time(&was.st_mtim, &is.st_mtim);

		return enter(w, walk_upper, there && S_ISDIR(was.st_mode) ? lower : -1, upper, name, path, depth, kind, same);
	}
	add(w, kind, path);
	return 0;
}

/* What an opaque directory hides of the tree below. */
static int tell_hidden(struct walk *w, int lower, int upper, const char *path)
{
	struct strings names;
	struct stat st;

	if (read_names(w, lower, path, &names) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (!look(upper, names.v[i], &st))
			add(w, CHANGE_DELETED, below(w, path, names.v[i]));
	return 0;
}

/* `.wh.NAME`: 1 when the entry was one. */
static int mark_entry(struct walk *w, int lower, const char *name, const char *path)
{
	const char *hidden = w->how->marks ? str_after(name, WHITEOUT_MARK) : NULL;
	struct stat was;

	if (!hidden)
		return 0;
	if (strcmp(name, WHITEOUT_MARK_OPAQUE) != 0 && look(lower, hidden, &was))
		add(w, CHANGE_DELETED, below(w, path, hidden));
	return 1;
}

static int upper_entries(struct walk *w, int lower, int upper, const char *path, int depth)
{
	struct strings names;

	if (read_names(w, upper, path, &names) < 0 || (w->opaque && tell_hidden(w, lower, upper, path) < 0))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (!mark_entry(w, lower, names.v[i], path) &&
		    upper_entry(w, lower, upper, names.v[i], below(w, path, names.v[i]), depth) < 0)
			return -1;
	return 0;
}

/* An opaque directory hides what is below all of its subdirectories, too. */
static int walk_upper(struct walk *w, int lower, int upper, const char *path, int depth)
{
	bool before = w->opaque;
	int result;

	w->opaque = before || is_opaque(w, upper);
	result = upper_entries(w, lower, upper, path, depth);
	w->opaque = before;
	return result;
}

/* By path, component by component: '/' comes before every other byte. */
static int compare_paths(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)((const struct change *)a)->path;
	const unsigned char *y = (const unsigned char *)((const struct change *)b)->path;

	while (*x && *x == *y)
		x++, y++;
	return (*x == '/' ? 1 : *x) - (*y == '/' ? 1 : *y);
}

int changes_of_upper(struct arena *arena, int lower, int upper, const struct changes_how *how, struct changes *ret,
		     struct error *err)
{
	struct walk w = { .arena = arena, .how = how, .out = ret, .err = err };

	*ret = (struct changes){ 0 };
	if (walk_upper(&w, lower, upper, "", 0) < 0)
		return -1;
	if (ret->n > 1)		/* what opaque directories hide was told first */
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_paths);
	return 0;
}

/* --- two trees */

static int both_entry(struct walk *w, int older, int newer, const char *name, const char *path, int depth)
{
	struct stat was, is;
	bool there = look(older, name, &was), same;

	if (!look(newer, name, &is)) {
		if (there)
			add(w, CHANGE_DELETED, path);
		return 0;
	}
	same = there && is_same(w, older, newer, name, &was, &is);
	if (S_ISDIR(is.st_mode))
		return enter(w, walk_both, there && S_ISDIR(was.st_mode) ? older : -1, newer, name, path, depth,
			     there ? CHANGE_MODIFIED : CHANGE_ADDED, same);
	if (!same)
		add(w, there ? CHANGE_MODIFIED : CHANGE_ADDED, path);
	return 0;
}

/* Both lists are sorted: one pass names every entry of either once. */
static int walk_both(struct walk *w, int older, int newer, const char *path, int depth)
{
	struct strings a, b;
	size_t i = 0, j = 0;

	if (read_names(w, older, path, &a) < 0 || read_names(w, newer, path, &b) < 0)
		return -1;
	while (i < a.n || j < b.n) {
		int order = i == a.n ? 1 : j == b.n ? -1 : strcmp(a.v[i], b.v[j]);
		const char *name = order <= 0 ? a.v[i] : b.v[j];

		if (both_entry(w, older, newer, name, below(w, path, name), depth) < 0)
			return -1;
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

int changes_between(struct arena *arena, int older, int newer, const struct changes_how *how, struct changes *ret,
		    struct error *err)
{
	struct walk w = { .arena = arena, .how = how, .out = ret, .err = err };

	*ret = (struct changes){ 0 };
	return walk_both(&w, older, newer, "", 0);
}

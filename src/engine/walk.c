#include "engine/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/string.h"
#include "sys/fd.h"
#include "sys/inroot.h"

#define DEPTH_MAX 512
#define WORKERS_MAX 8
#define ALONE_MAX 1500		/* entries that are visited before it is worth while to start processes */
#define UNITS_ENOUGH 16		/* directories to share out */

/* What the processes share. */
struct worker { struct walk_counts counts; struct error err; size_t unit; bool failed, done; };
struct pool {
	size_t next;			/* the first directory that nobody has taken */
	bool stop;
	struct worker workers[WORKERS_MAX];
};

struct walk {
	int top;
	walk_visit visit;
	const void *context;
	int flags;
	struct walk_counts *counts;
	struct error *err;
	char path[PATH_MAX];		/* of the directory that is being read */
	uint64_t visited;
	struct arena *arena;		/* while directories are collected */
	struct strings *later;		/* to be read afterwards; NULL: they are entered */
};

static int enter(struct walk *w, int dir, const char *name, int depth);

/* "a/b" + "c"; the length of the old path, or -1. */
static ssize_t push(struct walk *w, const char *name)
{
	size_t old = strlen(w->path), n = strlen(name);

	if (old + n + 2 > sizeof(w->path))
		return error_set(w->err, ERROR_DENIED, "%.200s...: its path is too long", w->path);
	if (old)
		w->path[old] = '/';
	memcpy(w->path + old + (old > 0), name, n + 1);
	return (ssize_t)old;
}

static int look_at(const struct walk *w, struct walk_entry *entry)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*entry->name ? 0 : AT_EMPTY_PATH);

	return statx(entry->dir, entry->name, flags, STATX_TYPE | STATX_UID | STATX_GID, &entry->st);
}

static int visit_one(struct walk *w, int dir, const struct dirent *d, int depth)
{
	struct walk_entry entry = { .dir = dir, .name = d->d_name, .path = w->path };
	bool is_directory = d->d_type == DT_DIR;
	ssize_t old = push(w, d->d_name);
	int result = 0;

	if (old < 0)
		return -1;
	if (w->flags & WALK_STAT || d->d_type == DT_UNKNOWN) {
		result = look_at(w, &entry) == 0 ? 0 : errno == ENOENT ? 1 : error_errno(w->err, "stat %s", w->path);
		is_directory = result == 0 && S_ISDIR(entry.st.stx_mode);
	}
	w->visited++;
	if (result == 0)
		result = w->visit(w->context, &entry, w->counts, w->err);
	if (result == 0 && is_directory)
		result = enter(w, dir, d->d_name, depth);
	w->path[old] = '\0';
	return result < 0 ? -1 : 0;
}

/* Consumes fd. */
static int read_directory(struct walk *w, int fd, int depth)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		error_errno(w->err, "read %s", w->path);
		close(fd);
		return -1;
	}
	while ((d = fd_next_entry(dir)))
		if (visit_one(w, dirfd(dir), d, depth) < 0)
			return -1;
	return errno ? error_errno(w->err, "read %s", w->path) : 0;
}

static int enter(struct walk *w, int dir, const char *name, int depth)
{
	int fd;

	if (w->later) {
		strings_add(w->arena, w->later, w->path);
		return 0;
	}
	if (depth >= DEPTH_MAX)
		return error_set(w->err, ERROR_DENIED, "%.200s...: more than %d directories deep", w->path, DEPTH_MAX);
	fd = fd_open_dir(dir, name);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : error_errno(w->err, "open %s", w->path);
	return read_directory(w, fd, depth + 1);
}

static int read_unit(struct walk *w, const char *path)
{
	int fd = inroot_open(w->top, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : error_errno(w->err, "open %s", path);
	memcpy(w->path, path, strlen(path) + 1);
	return read_directory(w, fd, 0);
}

/* --- by several processes */

static void work(struct walk *w, struct pool *pool, struct worker *self, const struct strings *units)
{
	w->later = NULL;
	w->counts = &self->counts;
	w->err = &self->err;
	while (!__atomic_load_n(&pool->stop, __ATOMIC_RELAXED)) {
		self->unit = __atomic_fetch_add(&pool->next, 1, __ATOMIC_RELAXED);
		if (self->unit >= units->n)
			break;
		if (read_unit(w, units->v[self->unit]) < 0) {
			self->failed = true;
			__atomic_store_n(&pool->stop, true, __ATOMIC_RELAXED);
		}
		if (self->failed)
			break;
	}
	self->done = true;
}

static size_t count_workers(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n > WORKERS_MAX ? WORKERS_MAX : (size_t)n;
}

/* Takes over what the workers found: sums, and the failure that is first in the walk's order. */
static int sum_up(const struct pool *pool, size_t n, struct walk_counts *counts, struct error *err)
{
	const struct worker *first = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct worker *one = &pool->workers[i];

		if (!one->done)
			return error_set(err, ERROR_FAILED, "a process that walked the tree was killed");
		if (one->failed && (!first || one->unit < first->unit))
			first = one;
		for (size_t j = 0; j < ELEMENTS(counts->n); j++)
			counts->n[j] += one->counts.n[j];
	}
	if (first && err)
		*err = first->err;
	return first ? -1 : 0;
}

static int share_out(struct walk *w, const struct strings *units, struct walk_counts *counts, struct error *err)
{
	struct pool *pool = mmap(NULL, sizeof(*pool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t n = count_workers();
	pid_t pids[WORKERS_MAX];
	int result;

	if (pool == MAP_FAILED)
		return error_errno(err, "get memory");
	for (size_t i = 1; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			work(w, pool, &pool->workers[i], units);
			_exit(0);
		}
		if (pids[i] < 0)		/* fewer hands */
			pool->workers[i].done = true;
	}
	work(w, pool, &pool->workers[0], units);
	for (size_t i = 1; i < n; i++)
		while (pids[i] > 0 && waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
	result = sum_up(pool, n, counts, err);
	munmap(pool, sizeof(*pool));
	return result;
}

static int visit_top(struct walk *w, bool *ret_directory)
{
	struct walk_entry entry = { .dir = w->top, .name = "", .path = "" };

	if (look_at(w, &entry) < 0)
		return error_errno(w->err, "stat the top of a tree");
	*ret_directory = S_ISDIR(entry.st.stx_mode);
	return w->visit(w->context, &entry, w->counts, w->err);
}

/* Level by level, until there are enough directories for all. */
static int walk_levels(struct walk *w, struct strings *queue, size_t *at)
{
	bool alone = w->flags & WALK_ALONE || count_workers() < 2;

	w->later = alone ? NULL : queue;
	while (*at < queue->n) {
		if (!alone && w->visited > ALONE_MAX && queue->n - *at >= UNITS_ENOUGH)
			break;
		if (read_unit(w, queue->v[(*at)++]) < 0)
			return -1;
	}
	return 0;
}

int walk_tree(int top, walk_visit visit, const void *context, int flags, struct walk_counts *ret, struct error *err)
{
	struct arena *arena = arena_new();
	struct walk *w = arena_new_one(arena, struct walk);
	struct strings queue = { 0 };
	bool is_directory = false;
	size_t at = 0;
	int result;

	*ret = (struct walk_counts){ 0 };
	*w = (struct walk){ .top = top, .visit = visit, .context = context, .flags = flags, .counts = ret, .err = err, .arena = arena };
	result = visit_top(w, &is_directory);
	if (result == 0 && is_directory) {
		strings_add(arena, &queue, "");
		result = walk_levels(w, &queue, &at);
	}
	if (result == 0 && at < queue.n) {
		struct strings rest = { queue.v + at, queue.n - at };

		result = share_out(w, &rest, ret, err);
	}
	arena_free(arena);
	return result;
}

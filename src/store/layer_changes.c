#include "store/layer_changes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spec/layer_merge.h"
#include "store/layer_indexes.h"
#include "sys/fd.h"

struct layer_walk {
	struct arena *arena;
	int lower;
	struct strings paths;		/* of the layer, in the index's order */
	struct changes *out;
	ARRAY(bool) same;		/* for each change: a directory that is told only with something in it */
	const char *opaque;		/* the directory that hides what is below; NULL */
	struct error *err;
};

/* --- looking */

static int open_lower(const struct layer_walk *w, const char *path, size_t n, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, w->lower, n ? arena_strndup(w->arena, path, n) : ".", &how, sizeof(how));
}

static bool look(const struct layer_walk *w, const char *path, struct stat *ret)
{
	const char *slash = strrchr(path, '/');
	_cleanup_fd_ int parent = open_lower(w, path, slash ? (size_t)(slash - path) : 0, O_PATH);

	return parent >= 0 && fstatat(parent, slash ? slash + 1 : path, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static int compare(const void *a, const void *b)
{
	return layer_index_compare(*(char *const *)a, *(char *const *)b);
}

static bool has_path(const struct layer_walk *w, const char *path)
{
	return w->paths.n && bsearch(&path, w->paths.v, w->paths.n, sizeof(*w->paths.v), compare);
}

static bool is_below(const char *path, const char *directory)
{
	const char *rest = !*directory ? path : str_after(path, directory);

	return rest && (!*directory || *rest == '/');
}

/* --- telling */

static void add(struct layer_walk *w, enum change_kind kind, const char *path, bool same)
{
	*ARRAY_ADD(w->arena, w->out) = (struct change){ kind, arena_printf(w->arena, "/%s", path) };
	*ARRAY_ADD(w->arena, &w->same) = same;
}

static int tell_hidden(struct layer_walk *w, const char *path)
{
	int fd = open_lower(w, path, strlen(path), O_RDONLY);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return fd < 0 ? 0 : error_errno(w->err, "read the directory /%s", path);
	while ((entry = readdir(dir))) {
		char *below = arena_printf(w->arena, "%s%s%s", path, *path ? "/" : "", entry->d_name);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !has_path(w, below))
			add(w, CHANGE_DELETED, below, false);
	}
	return 0;
}

static bool is_same_directory(const struct layer_entry *e, const struct stat *was)
{
	if (!S_ISDIR(was->st_mode))
		return false;
	return e->implied || (e->mode == (was->st_mode & 07777) && e->uid == was->st_uid && e->gid == was->st_gid &&
			      e->mtime.tv_sec == was->st_mtim.tv_sec);
}

static int take(struct layer_walk *w, const struct layer_entry *e)
{
	struct stat was;
	bool there;

	if (w->opaque && !is_below(e->path, w->opaque))
		w->opaque = NULL;
	if (e->type == LAYER_DIRECTORY && e->opaque && !w->opaque)
		w->opaque = arena_strdup(w->arena, e->path);
	if (!*e->path)
		return e->opaque ? tell_hidden(w, "") : 0;
	there = look(w, e->path, &was);
	if (e->type == LAYER_WHITEOUT) {
		if (there)
			add(w, CHANGE_DELETED, e->path, false);
		return 0;
	}
	add(w, there ? CHANGE_MODIFIED : CHANGE_ADDED, e->path,
	    e->type == LAYER_DIRECTORY && there && is_same_directory(e, &was));
	return w->opaque && e->type == LAYER_DIRECTORY && there && S_ISDIR(was.st_mode) ? tell_hidden(w, e->path) : 0;
}

/* --- reading */

static int each(struct layer_index *index, struct layer_walk *w, bool paths_only)
{
	const struct layer_entry *e;
	int more;

	layer_index_rewind(index);
	while ((more = layer_index_next(index, &e, w->err)) > 0) {
		if (paths_only && e->type != LAYER_WHITEOUT)
			strings_add(w->arena, &w->paths, e->path);
		if (!paths_only && take(w, e) < 0)
			return -1;
	}
	return more;
}

/* --- order */

struct ordered { struct change change; bool same; };

static int compare_ordered(const void *a, const void *b)
{
	return layer_index_compare(((const struct ordered *)a)->change.path, ((const struct ordered *)b)->change.path);
}

/* Into the order of paths, and without directories in which nothing changed. */
static void settle(struct layer_walk *w)
{
	struct ordered *all = arena_new_array(w->arena, struct ordered, w->out->n + 1);
	size_t n = w->out->n, kept = n;

	for (size_t i = 0; i < n; i++)
		all[i] = (struct ordered){ w->out->v[i], w->same.v[i] };
	if (n > 1)
		qsort(all, n, sizeof(*all), compare_ordered);
	for (size_t i = n; i > 0; i--) {
		const struct ordered *o = &all[i - 1];

		if (!o->same || (kept < n && is_below(w->out->v[kept].path, o->change.path)))
			w->out->v[--kept] = o->change;
	}
	w->out->v += kept;
	w->out->n = n - kept;
}

int layer_changes(struct arena *arena, const struct store *s, int lower, char *chain_id, struct changes *ret,
		  struct error *err)
{
	const struct strings one = { &chain_id, 1 };
	struct layer_walk w = { .arena = arena, .lower = lower, .out = ret, .err = err };
	struct layer_indexes indexes;
	int result;

	*ret = (struct changes){ 0 };
	if (layer_indexes_open(arena, s, &one, &indexes, err) < 0)
		return -1;
	result = each(indexes.v[0], &w, true);
	if (result == 0)
		result = each(indexes.v[0], &w, false);
	layer_indexes_close(&indexes);
	if (result == 0)
		settle(&w);
	return result;
}

/* --- two images */

struct side {
	struct layer_indexes indexes;
	struct layer_merge *merge;
	const struct layer_entry *entry;	/* NULL at the end */
};

static int advance(struct side *side, struct error *err)
{
	int more = layer_merge_next(side->merge, &side->entry, NULL, err);

	if (more == 0)
		side->entry = NULL;
	return more;
}

static bool same_xattrs(const struct layer_entry *a, const struct layer_entry *b)
{
	if (a->xattrs_n != b->xattrs_n)
		return false;
	for (size_t i = 0; i < a->xattrs_n; i++)
		if (strcmp(a->xattrs[i].name, b->xattrs[i].name) != 0 || a->xattrs[i].size != b->xattrs[i].size ||
		    memcmp(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].size) != 0)
			return false;
	return true;
}

/* Of directories the time does not count: it changes with what is in them. */
static bool is_same(const struct layer_entry *a, const struct layer_entry *b)
{
	if (a->type != b->type || a->mode != b->mode || a->uid != b->uid || a->gid != b->gid || !same_xattrs(a, b))
		return false;
	return a->type == LAYER_DIRECTORY ||
	       (a->mtime.tv_sec == b->mtime.tv_sec && a->size == b->size && str_eq(a->target, b->target) &&
		a->device == b->device && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0);
}

/* With a directory goes what is in it: that is not told. */
static void tell_deleted(struct layer_walk *w, const char *path)
{
	const struct change *last = w->out->n ? &w->out->v[w->out->n - 1] : NULL;

	if (!last || last->kind != CHANGE_DELETED || !is_below(path, last->path + 1))
		add(w, CHANGE_DELETED, path, false);
}

static int step(struct layer_walk *w, struct side *older, struct side *newer)
{
	int order = !older->entry ? 1 : !newer->entry ? -1 : layer_index_compare(older->entry->path, newer->entry->path);

	if (order < 0)
		tell_deleted(w, older->entry->path);
	else if (order > 0)
		add(w, CHANGE_ADDED, newer->entry->path, false);
	else if (*newer->entry->path && (newer->entry->type == LAYER_DIRECTORY || !is_same(older->entry, newer->entry)))
		add(w, CHANGE_MODIFIED, newer->entry->path, is_same(older->entry, newer->entry));
	if (order <= 0 && advance(older, w->err) < 0)
		return -1;
	return order >= 0 ? advance(newer, w->err) : 0;
}

static int compare_sides(struct layer_walk *w, struct side *older, struct side *newer)
{
	older->merge = layer_merge_open(w->arena, older->indexes.v, older->indexes.n);
	newer->merge = layer_merge_open(w->arena, newer->indexes.v, newer->indexes.n);
	if (advance(older, w->err) < 0 || advance(newer, w->err) < 0)
		return -1;
	while (older->entry || newer->entry)
		if (step(w, older, newer) < 0)
			return -1;
	settle(w);
	return 0;
}

int layer_changes_between(struct arena *arena, const struct store *s, const struct strings *older,
			  const struct strings *newer, struct changes *ret, struct error *err)
{
	struct layer_walk w = { .arena = arena, .out = ret, .err = err };
	struct side old = { 0 }, new = { 0 };
	int result = -1;

	*ret = (struct changes){ 0 };
	if (layer_indexes_open(arena, s, older, &old.indexes, err) < 0)
		return -1;
	if (layer_indexes_open(arena, s, newer, &new.indexes, err) == 0) {
		result = compare_sides(&w, &old, &new);
		layer_indexes_close(&new.indexes);
	}
	layer_indexes_close(&old.indexes);
	return result;
}

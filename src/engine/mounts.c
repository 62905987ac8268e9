#include "engine/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/image.h"
#include "engine/volume.h"
#include "sys/fd.h"

static struct container_mount *at_destination(struct mount_list *list, const char *destination)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i].destination, destination) == 0)
			return &list->v[i];
	return NULL;
}

/* --- type=glob: a mount for each path that the pattern finds */

static void add_found(struct engine *e, const struct container_mount *pattern, const char *path, struct mount_list *ret)
{
	struct container_mount m = *pattern;

	m.type = "bind";
	m.source = arena_strdup(e->arena, path);
	m.destination = m.destination ? arena_printf(e->arena, "%s/%s", m.destination, strrchr(path, '/') + 1) : m.source;
	*ARRAY_ADD(e->arena, ret) = m;
}

static int expand_glob(struct engine *e, const struct container_mount *m, struct mount_list *ret, struct error *err)
{
	glob_t found = { 0 };
	int result = glob(m->source, GLOB_NOSORT, NULL, &found);

	if (result == GLOB_NOSPACE)
		return error_set(err, ERROR_FAILED, "find %s: out of memory", m->source);
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_found(e, m, found.gl_pathv[i], ret);
	globfree(&found);
	return result == 0 ? 0 : error_set(err, ERROR_USAGE, "no path matches the pattern %s", m->source);
}

static int expand_globs(struct engine *e, struct mount_list *list, struct error *err)
{
	struct mount_list expanded = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i].type, "glob") != 0)
			*ARRAY_ADD(e->arena, &expanded) = list->v[i];
		else if (expand_glob(e, &list->v[i], &expanded, err) < 0)
			return -1;
	}
	*list = expanded;
	return 0;
}

/* --- what was asked for, once a destination */

static bool is_same(const struct container_mount *a, const struct container_mount *b)
{
	if (a->options.n != b->options.n)
		return false;
	for (size_t i = 0; i < a->options.n; i++)
		if (strcmp(a->options.v[i], b->options.v[i]) != 0)
			return false;
	return str_eq(a->type, b->type) && str_eq(a->name, b->name) && str_eq(a->source, b->source) &&
	       a->read_only == b->read_only && a->chown == b->chown && a->overlay == b->overlay && str_eq(a->relabel, b->relabel) &&
	       str_eq(a->subpath, b->subpath) && str_eq(a->upper, b->upper);
}

static const char *whence(const struct container_mount *m)
{
	return m->name ? m->name : m->source && *m->source == '/' ? m->source : m->type;
}

/* The same said twice is no contradiction. */
static int unite(struct engine *e, struct mount_list *list, struct error *err)
{
	struct mount_list once = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		const struct container_mount *m = &list->v[i], *other = at_destination(&once, m->destination);

		if (!other) {
			*ARRAY_ADD(e->arena, &once) = *m;
		} else if (!is_same(m, other)) {
			error_set(err, ERROR_USAGE, "%s: duplicate mount destination", m->destination);
			return error_hint(err, "both %s and %s are to be mounted there: leave one out, or give it another place",
					  whence(other), whence(m));
		}
	}
	*list = once;
	return 0;
}

static int parse_all(struct engine *e, const struct create_request *r, struct mount_list *ret, struct error *err)
{
	for (size_t i = 0; i < r->volumes.n; i++)
		if (mounts_parse_volume(e->arena, r->volumes.v[i], e->identity.cwd, ret, err) < 0)
			return error_where(err, "%s", r->volumes.v[i]);
	for (size_t i = 0; i < r->mounts.n; i++)
		if (mounts_parse_mount(e->arena, r->mounts.v[i], e->identity.cwd, ret, err) < 0)
			return error_where(err, "%s", r->mounts.v[i]);
	for (size_t i = 0; i < r->tmpfs.n; i++)
		if (mounts_parse_tmpfs(e->arena, r->tmpfs.v[i], ret, err) < 0)
			return error_where(err, "%s", r->tmpfs.v[i]);
	return expand_globs(e, ret, err) < 0 ? -1 : unite(e, ret, err);
}

/* --- of other containers, and of the image */

/* "ro", "rw", "z", at most one of the first two. */
static int parse_from_options(const struct strings *parts, bool *ret_read_only, bool *ret_shared, struct error *err)
{
	bool access = false;

	for (size_t i = 1; i < parts->n; i++) {
		const char *option = parts->v[i];
		bool ro = strcmp(option, "ro") == 0;

		if (!ro && strcmp(option, "rw") != 0 && strcmp(option, "z") != 0)
			return error_set(err, ERROR_USAGE, "invalid option \"%s\" specified - volumes from another container can only use "
					 "z,ro,rw options", option);
		if (strcmp(option, "z") == 0) {
			*ret_shared = true;
			continue;
		}
		if (access)
			return error_set(err, ERROR_USAGE, "cannot set ro or rw options more than once");
		access = true;
		*ret_read_only = ro;
	}
	return 0;
}

static int add_volumes_from(struct engine *e, const char *text, struct mount_list *ret, struct error *err)
{
	struct strings parts = strings_split(e->arena, text, ":,");
	bool read_only = false, shared = false;
	struct container other;

	if (parse_from_options(&parts, &read_only, &shared, err) < 0)
		return error_frame(err, "volumes from %s", text);
	if (container_load(e, parts.v[0], &other, err) < 0)
		return error_frame(err, "volumes from %s", parts.v[0]);
	for (size_t i = 0; i < other.mounts.n; i++) {
		struct container_mount m = other.mounts.v[i];

		if (at_destination(ret, m.destination) || (strcmp(m.type, "volume") != 0 && strcmp(m.type, "bind") != 0))
			continue;
		m.anonymous = false;	/* it goes with its first container */
		m.chown = false;	/* as that one wanted it, it is */
		m.read_only |= read_only;
		if (shared)
			m.relabel = "shared";
		*ARRAY_ADD(e->arena, ret) = m;
	}
	return 0;
}

static int add_image_volumes(struct engine *e, const struct create_request *r, const struct image_container_config *image,
			     struct mount_list *ret, struct error *err)
{
	bool tmpfs = str_eq(r->image_volume, "tmpfs");

	if (str_eq(r->image_volume, "ignore"))
		return 0;
	if (r->image_volume && !tmpfs && strcmp(r->image_volume, "anonymous") != 0 && strcmp(r->image_volume, "bind") != 0)
		return error_set(err, ERROR_USAGE, "invalid image volume mode \"%s\": it must be anonymous, tmpfs or ignore",
				 r->image_volume);
	for (size_t i = 0; i < image->volumes.n; i++) {
		struct container_mount m = { .type = tmpfs ? "tmpfs" : "volume", .anonymous = !tmpfs,
					     .source = tmpfs ? "tmpfs" : NULL };

		if (mounts_set_destination(e->arena, &m, image->volumes.v[i], NULL) == 0 && !at_destination(ret, m.destination))
			*ARRAY_ADD(e->arena, ret) = m;
	}
	return 0;
}

/* --- sources */

/* Only named here: it is made once there is a container that it belongs to. */
static int name_anonymous(struct engine *e, struct container_mount *m, struct error *err)
{
	char name[65];

	if (fd_random_hex(name, 32) < 0)
		return error_errno(err, "name a volume");
	m->name = arena_strdup(e->arena, name);
	m->source = arena_printf(e->arena, "%s/volumes/%s/_data", e->store.path, name);
	return 0;
}

static int resolve_volume(struct engine *e, struct container_mount *m, struct error *err)
{
	struct volume_request request = { .name = m->name, .ignore = true };
	struct volume v = { 0 };
	struct error missing = { 0 };

	if (!m->name && m->anonymous)
		return name_anonymous(e, m, err);
	if (m->name && volume_read(e->arena, &e->store, m->name, &v, &missing) == 0) {
		m->source = v.mountpoint;
		return 0;
	}
	if (m->name && missing.kind != ERROR_NOT_FOUND) {
		*err = missing;
		return -1;
	}
	if (volume_new(e, &request, &v, err) < 0)
		return -1;
	m->name = v.name;
	m->source = v.mountpoint;
	return 0;
}

int mounts_make_anonymous(struct engine *e, const struct container *c, struct error *err)
{
	for (size_t i = 0; i < c->mounts.n; i++) {
		struct volume_request request = { .name = c->mounts.v[i].name, .ignore = true, .anonymous = true };
		struct volume v;

		if (c->mounts.v[i].anonymous && strcmp(c->mounts.v[i].type, "volume") == 0 && volume_new(e, &request, &v, err) < 0)
			return error_frame(err, "the volume at %s", c->mounts.v[i].destination);
	}
	return 0;
}

static int unreachable(struct engine *e, const char *path, struct error *err)
{
	error_errno(err, "statfs %s", path);
	if (err && err->sys == ENOENT) {
		error_code(err, "source-missing");
		error_hint(err, "the host path does not exist; create it first");
		error_fix(err, "mkdir -p %s", str_quote(e->arena, path));
	}
	if (err && err->sys == EACCES)
		error_hint(err, "you yourself may not enter one of its directories; see who may: namei -lx %s", path);
	if (err && err->sys == ENOTDIR)
		error_hint(err, "a part of the path is a file; see which: namei -lx %s", path);
	return -1;
}

static int resolve_path(struct engine *e, char **path, struct error *err)
{
	struct stat st;
	char *real;

	if (!*path)
		return 0;
	if (stat(*path, &st) < 0)
		return unreachable(e, *path, err);
	real = realpath(*path, NULL);
	if (real)
		*path = arena_strdup(e->arena, real);
	free(real);
	return 0;
}

static int resolve_image(struct engine *e, const struct create_request *r, struct container_mount *m, struct error *err)
{
	struct pull_request how = { .authfile = r->authfile, .tls_verify = r->tls_verify, .quiet = r->quiet, .retry = 3,
				    .signature_policy = r->signature_policy };
	struct image image;
	char *name;

	if (image_need(e, m->name, r->pull, &how, &image, &name, err) < 0)
		return error_frame(err, "the image to be mounted at %s", m->destination);
	m->source = image.id;
	return 0;
}

static int resolve(struct engine *e, const struct create_request *r, struct container_mount *m, struct error *err)
{
	if (resolve_path(e, &m->upper, err) < 0 || resolve_path(e, &m->work, err) < 0)
		return error_frame(err, "the overlay at %s", m->destination);
	if (strcmp(m->type, "volume") == 0)
		return resolve_volume(e, m, err);
	if (strcmp(m->type, "image") == 0)
		return resolve_image(e, r, m, err);
	return strcmp(m->type, "bind") == 0 ? resolve_path(e, &m->source, err) : 0;
}

static int by_depth(const void *a, const void *b)
{
	const struct container_mount *x = a, *y = b;

	return strcmp(x->destination, y->destination);	/* a parent sorts before what is below it */
}

int mounts_resolve(struct engine *e, const struct create_request *r, const struct image_container_config *image,
		   struct mount_list *ret, struct error *err)
{
	if (parse_all(e, r, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < r->volumes_from.n; i++)
		if (add_volumes_from(e, r->volumes_from.v[i], ret, err) < 0)
			return -1;
	if (add_image_volumes(e, r, image, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->n; i++)
		if (resolve(e, r, &ret->v[i], err) < 0)
			return -1;
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_depth);
	return 0;
}

#include "engine/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/volume.h"
#include "spec/reference.h"
#include "sys/fd.h"

/* Options that go to the runtime as they are, those with a meaning here, and those that do nothing on this host. */
enum option_use { USE_NONE, USE_PASS, USE_READ_ONLY, USE_READ_WRITE, USE_CHOWN, USE_OVERLAY, USE_SHARED, USE_PRIVATE };

static const struct { const char *name; enum option_use use; } volume_options[] = {
	{ "ro", USE_READ_ONLY }, { "rw", USE_READ_WRITE }, { "U", USE_CHOWN }, { "O", USE_OVERLAY },
	{ "z", USE_SHARED }, { "Z", USE_PRIVATE }, { "copy", USE_PASS }, { "nocopy", USE_PASS },
	{ "exec", USE_PASS }, { "noexec", USE_PASS }, { "suid", USE_PASS }, { "nosuid", USE_PASS },
	{ "dev", USE_PASS }, { "nodev", USE_PASS }, { "bind", USE_PASS }, { "rbind", USE_PASS },
	{ "shared", USE_PASS }, { "rshared", USE_PASS }, { "slave", USE_PASS }, { "rslave", USE_PASS },
	{ "private", USE_PASS }, { "rprivate", USE_PASS }, { "unbindable", USE_PASS }, { "runbindable", USE_PASS },
	{ "consistent", USE_NONE }, { "cached", USE_NONE }, { "delegated", USE_NONE },
};

static int add_option(struct arena *arena, struct container_mount *m, const char *option, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(volume_options); i++) {
		if (strcmp(option, volume_options[i].name) != 0)
			continue;
		switch (volume_options[i].use) {
		case USE_READ_ONLY:	m->read_only = true; break;
		case USE_READ_WRITE:	m->read_only = false; break;
		case USE_CHOWN:		m->chown = true; break;
		case USE_OVERLAY:	m->overlay = true; break;
		case USE_PASS:		strings_add(arena, &m->options, option); break;
		case USE_SHARED:	m->relabel = "shared"; break;
		case USE_PRIVATE:	m->relabel = "private"; break;
		case USE_NONE:		break;
		}
		return 0;
	}
	return error_set(err, ERROR_USAGE, "invalid option type \"%s\"", option);
}

static int add_options(struct arena *arena, struct container_mount *m, const char *text, struct error *err)
{
	struct strings options = strings_split(arena, text, ",");

	for (size_t i = 0; i < options.n; i++)
		if (*options.v[i] && add_option(arena, m, options.v[i], err) < 0)
			return -1;
	return 0;
}

/* "/a//b/./c/" is "/a/b/c": destinations are compared and sorted. ".." is resolved by the kernel inside the root. */
static char *clean_path(struct arena *arena, const char *path)
{
	struct strings parts = strings_split(arena, path, "/"), kept = { 0 };

	for (size_t i = 0; i < parts.n; i++)
		if (*parts.v[i] && strcmp(parts.v[i], ".") != 0)
			strings_add(arena, &kept, parts.v[i]);
	return arena_printf(arena, "/%s", strings_join(arena, &kept, "/"));
}

static int set_destination(struct arena *arena, struct container_mount *m, const char *path, struct error *err)
{
	if (*path != '/')
		return error_set(err, ERROR_USAGE, "invalid container path \"%s\", must be an absolute path", path);
	m->destination = clean_path(arena, path);
	if (strcmp(m->destination, "/") == 0)
		return error_set(err, ERROR_USAGE, "invalid container path \"%s\": the root itself cannot be a mount", path);
	return 0;
}

static bool is_host_path(const char *s)
{
	return *s == '/' || *s == '.' || *s == '~';
}

static char *host_path(struct arena *arena, const char *s, const char *cwd)
{
	const char *home = getenv("HOME");

	if (*s == '~' && (s[1] == '/' || !s[1]) && home)
		return arena_printf(arena, "%s%s", home, s + 1);
	return *s == '/' ? arena_strdup(arena, s) : arena_printf(arena, "%s/%s", cwd, s);
}

static int set_source(struct arena *arena, struct container_mount *m, const char *source, const char *cwd,
		      struct error *err)
{
	if (is_host_path(source)) {
		m->type = "bind";
		m->source = host_path(arena, source, cwd);
		return 0;
	}
	if (!reference_is_object_name(source))
		return error_set(err, ERROR_USAGE, "\"%s\" is neither a path nor a volume name: names must match "
				 "[a-zA-Z0-9][a-zA-Z0-9_.-]*", source);
	m->type = "volume";
	m->name = arena_strdup(arena, source);
	return 0;
}

int mounts_parse_volume(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err)
{
	struct strings parts = strings_split(arena, text, ":");
	struct container_mount m = { .type = "volume" };

	if (parts.n > 3 || !*parts.v[0] || (parts.n > 1 && !*parts.v[1]))
		return error_set(err, ERROR_USAGE, "invalid volume \"%s\": it must be [SOURCE:]DESTINATION[:OPTIONS]", text);
	if (parts.n == 1) {
		m.anonymous = true;
		if (set_destination(arena, &m, parts.v[0], err) < 0)
			return -1;
	} else if (set_source(arena, &m, parts.v[0], cwd, err) < 0 || set_destination(arena, &m, parts.v[1], err) < 0) {
		return -1;
	}
	if (parts.n == 3 && add_options(arena, &m, parts.v[2], err) < 0)
		return error_frame(err, "volume %s", text);
	*ARRAY_ADD(arena, ret) = m;
	return 0;
}

/* --- --mount type=bind,src=/a,dst=/b,ro */
static bool is_true(const char *value)
{
	return !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

static int mount_key(struct arena *arena, struct container_mount *m, const char *key, const char *value, const char *cwd,
		     struct error *err)
{
	if (strcmp(key, "type") == 0) {
		m->type = arena_strdup(arena, value ? value : "");
	} else if (strcmp(key, "source") == 0 || strcmp(key, "src") == 0) {
		m->source = arena_strdup(arena, value ? value : "");
	} else if (strcmp(key, "destination") == 0 || strcmp(key, "dst") == 0 || strcmp(key, "target") == 0) {
		return set_destination(arena, m, value ? value : "", err);
	} else if (strcmp(key, "readonly") == 0 || strcmp(key, "ro") == 0) {
		m->read_only = is_true(value);
	} else if (strcmp(key, "rw") == 0) {
		m->read_only = !is_true(value);
	} else if (strcmp(key, "U") == 0 || strcmp(key, "chown") == 0) {
		m->chown = is_true(value);
	} else if (strcmp(key, "bind-propagation") == 0) {
		return add_option(arena, m, value ? value : "", err);
	} else if (strcmp(key, "bind-nonrecursive") == 0) {
		if (is_true(value))
			strings_add(arena, &m->options, "bind");
	} else if (strcmp(key, "tmpfs-size") == 0 || strcmp(key, "tmpfs-mode") == 0) {
		strings_addf(arena, &m->options, "%s=%s", key + 6, value ? value : "");
	} else if (strcmp(key, "relabel") == 0) {
		if (!str_eq(value, "shared") && !str_eq(value, "private"))
			return error_set(err, ERROR_USAGE, "relabel=%s: it must be shared or private", value ? value : "");
		m->relabel = arena_strdup(arena, value);
	} else if (strcmp(key, "consistency") == 0 || strcmp(key, "volume-driver") == 0) {
		return 0;
	} else if (strcmp(key, "volume-nocopy") == 0 || strcmp(key, "nocopy") == 0) {
		if (is_true(value))
			strings_add(arena, &m->options, "nocopy");
	} else if (!value) {
		return add_option(arena, m, key, err);
	} else {
		return error_set(err, ERROR_USAGE, "%s: invalid mount option", key);
	}
	(void)cwd;
	return 0;
}

static int finish_mount(struct arena *arena, struct container_mount *m, const char *text, const char *cwd,
			struct error *err)
{
	if (!m->destination)
		return error_set(err, ERROR_USAGE, "mount \"%s\": must set volume destination", text);
	if (strcmp(m->type, "volume") == 0) {
		m->anonymous = str_is_empty(m->source);
		m->name = m->anonymous ? NULL : m->source;
		m->source = NULL;
		if (m->name && !reference_is_object_name(m->name))
			return error_set(err, ERROR_USAGE, "mount \"%s\": \"%s\" is no volume name", text, m->name);
		return 0;
	}
	if (strcmp(m->type, "bind") == 0) {
		if (str_is_empty(m->source))
			return error_set(err, ERROR_USAGE, "mount \"%s\": must set source of a bind mount", text);
		m->source = host_path(arena, m->source, cwd);
		return 0;
	}
	if (strcmp(m->type, "tmpfs") == 0 || strcmp(m->type, "ramfs") == 0 || strcmp(m->type, "devpts") == 0) {
		m->source = m->type;
		return 0;
	}
	return error_set(err, ERROR_UNSUPPORTED, "mount \"%s\": invalid filesystem type \"%s\"", text, m->type);
}

int mounts_parse_mount(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err)
{
	struct strings parts = strings_split(arena, text, ",");
	struct container_mount m = { .type = "volume" };

	for (size_t i = 0; i < parts.n; i++) {
		char *value = strchr(parts.v[i], '=');

		if (value)
			*value++ = '\0';
		if (*parts.v[i] && mount_key(arena, &m, parts.v[i], value, cwd, err) < 0)
			return error_frame(err, "mount \"%s\"", text);
	}
	if (finish_mount(arena, &m, text, cwd, err) < 0)
		return -1;
	*ARRAY_ADD(arena, ret) = m;
	return 0;
}

int mounts_parse_tmpfs(struct arena *arena, const char *text, struct mount_list *ret, struct error *err)
{
	char *options = strchr(text, ':');
	struct container_mount m = { .type = "tmpfs", .source = "tmpfs" };

	if (set_destination(arena, &m, options ? arena_strndup(arena, text, (size_t)(options - text)) : text, err) < 0)
		return -1;
	if (options)
		m.options = strings_split(arena, options + 1, ",");
	*ARRAY_ADD(arena, ret) = m;
	return 0;
}

int mounts_parse_device(struct arena *arena, const char *text, struct device_list *ret, struct error *err)
{
	struct strings parts = strings_split(arena, text, ":");
	struct device_node d = { .access = "rwm" };

	if (parts.n > 3 || *parts.v[0] != '/')
		return error_set(err, ERROR_USAGE, "invalid device \"%s\": it must be HOST[:CONTAINER[:PERMISSIONS]]", text);
	d.host = d.container = parts.v[0];
	if (parts.n > 1 && *parts.v[1] == '/')
		d.container = parts.v[1];
	if (parts.n > 1 && *parts.v[parts.n - 1] != '/')
		d.access = parts.v[parts.n - 1];
	if (strspn(d.access, "rwm") != strlen(d.access) || !*d.access)
		return error_set(err, ERROR_USAGE, "invalid device mode: %s", d.access);
	*ARRAY_ADD(arena, ret) = d;
	return 0;
}

/* --- resolving */
static struct container_mount *at_destination(struct mount_list *list, const char *destination)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i].destination, destination) == 0)
			return &list->v[i];
	return NULL;
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
	for (size_t i = 0; i < ret->n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(ret->v[i].destination, ret->v[j].destination) == 0)
				return error_set(err, ERROR_USAGE, "%s: duplicate mount destination", ret->v[i].destination);
	return 0;
}

static int add_volumes_from(struct engine *e, const char *text, struct mount_list *ret, struct error *err)
{
	struct strings parts = strings_split(e->arena, text, ":");
	bool read_only = parts.n > 1 && strings_has(&(struct strings){ parts.v + 1, parts.n - 1 }, "ro");
	struct container other;

	if (container_load(e, parts.v[0], &other, err) < 0)
		return error_frame(err, "volumes from %s", parts.v[0]);
	for (size_t i = 0; i < other.mounts.n; i++) {
		struct container_mount m = other.mounts.v[i];

		if (at_destination(ret, m.destination) || strcmp(m.type, "tmpfs") == 0)
			continue;
		m.anonymous = false;	/* it goes with its first container */
		m.read_only |= read_only;
		*ARRAY_ADD(e->arena, ret) = m;
	}
	return 0;
}

static void add_image_volumes(struct engine *e, const struct create_request *r,
			      const struct image_container_config *image, struct mount_list *ret)
{
	bool tmpfs = str_eq(r->image_volume, "tmpfs");

	if (str_eq(r->image_volume, "ignore"))
		return;
	for (size_t i = 0; i < image->volumes.n; i++) {
		struct container_mount m = { .type = tmpfs ? "tmpfs" : "volume", .anonymous = !tmpfs,
					     .source = tmpfs ? "tmpfs" : NULL };

		if (set_destination(e->arena, &m, image->volumes.v[i], NULL) == 0 && !at_destination(ret, m.destination))
			*ARRAY_ADD(e->arena, ret) = m;
	}
}

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

static void missing(const char *source, struct error *err)
{
	error_code(err, "source-missing");
	error_hint(err, "the host path does not exist; create it first");
	error_fix(err, "mkdir -p %s", source);
}

static int resolve(struct engine *e, struct container_mount *m, struct error *err)
{
	struct stat st;

	if (strcmp(m->type, "volume") == 0)
		return resolve_volume(e, m, err);
	if (strcmp(m->type, "bind") != 0)
		return 0;
	if (stat(m->source, &st) < 0) {
		error_errno(err, "statfs %s", m->source);
		if (err && err->sys == ENOENT)
			missing(m->source, err);
		return -1;
	}
	m->source = realpath(m->source, NULL) ?: m->source;
	return 0;
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
	add_image_volumes(e, r, image, ret);
	for (size_t i = 0; i < ret->n; i++)
		if (resolve(e, &ret->v[i], err) < 0)
			return -1;
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_depth);
	return 0;
}

#include "engine/volume.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/units.h"
#include "engine/container.h"
#include "engine/events.h"
#include "engine/volume_options.h"
#include "engine/volume_use.h"
#include "sys/fd.h"

static void event(struct engine *e, const char *status, const char *name)
{
	event_add(e, "volume", status, name, name, NULL, NULL);
}

/* --- create */

/* The user's directory must be there; a new one gets the owner of o=uid=N,gid=N. */
static int check_device(const struct volume_options *o, struct error *err)
{
	struct stat st;

	if (!o->device)
		return 0;
	if (stat(o->device, &st) < 0) {
		error_errno(err, "the volume's device %s", o->device);
		return errno == ENOENT ? error_hint(err, "create it first: mkdir -p %s", o->device) : -1;
	}
	return S_ISDIR(st.st_mode) ? 0 : error_set(err, ERROR_USAGE, "the volume's device %s is not a directory", o->device);
}

static int set_owner(const struct volume *v, const struct volume_options *o, struct error *err)
{
	if (o->tmpfs || (!o->has_uid && !o->has_gid))
		return 0;
	if (chown(v->mountpoint, o->has_uid ? o->uid : (uid_t)-1, o->has_gid ? o->gid : (gid_t)-1) < 0) {
		error_errno(err, "give volume %s to %u:%u", v->name, o->uid, o->gid);
		return errno == EINVAL ? error_hint(err, "such an ID is outside of your subordinate ranges: bryo unshare cat "
						    "/proc/self/uid_map") : -1;
	}
	return 0;
}

static char *random_name(struct engine *e)
{
	char name[65];

	return fd_random_hex(name, 32) < 0 ? NULL : arena_strdup(e->arena, name);
}

int volume_new(struct engine *e, const struct volume_request *r, struct volume *ret, struct error *err)
{
	struct volume v = {
		.name = str_is_empty(r->name) ? random_name(e) : r->name, .driver = "local",
		.created = units_format_time(e->arena, units_now()), .anonymous = r->anonymous || str_is_empty(r->name),
		.needs_copy_up = true, .needs_chown = true,
	};
	struct volume_options options;

	if (!str_is_empty(r->driver) && strcmp(r->driver, "local") != 0)
		return error_set(err, ERROR_UNSUPPORTED, "volume driver \"%s\" is not offered: only local is", r->driver);
	map_add_pairs(e->arena, &v.labels, &r->labels);
	map_add_pairs(e->arena, &v.options, &r->options);
	if (volume_options_parse(e->arena, &v.options, &options, err) < 0 || check_device(&options, err) < 0)
		return -1;
	v.needs_copy_up = !options.no_copy;
	if (volume_create(e->arena, &e->store, &v, err) < 0) {
		if (!r->ignore || !error_is(err, ERROR_EXISTS))
			return -1;
		error_clear(err);
		return volume_read(e->arena, &e->store, v.name, ret, err);
	}
	if (volume_read(e->arena, &e->store, v.name, ret, err) < 0)
		return -1;
	if (set_owner(ret, &options, err) < 0) {
		volume_remove(&e->store, v.name, NULL);
		return -1;
	}
	event(e, "create", v.name);
	return 0;
}

/* --- who uses it */

static struct containers users_of(struct arena *arena, const struct containers *all, const char *name)
{
	struct containers users = { 0 };

	for (size_t i = 0; i < all->n; i++)
		if (volume_use_has(&all->v[i], name))
			*ARRAY_ADD(arena, &users) = all->v[i];
	return users;
}

static int free_of_containers(struct engine *e, const char *name, bool force, struct error *err)
{
	struct rm_options how = { .force = true, .ignore = true, .timeout_s = -1 };
	struct strings ids = { 0 };
	struct containers all, users;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	users = users_of(e->arena, &all, name);
	for (size_t i = 0; i < users.n; i++)
		strings_add(e->arena, &ids, users.v[i].id);
	if (users.n > 0 && !force)
		return error_set(err, ERROR_IN_USE, "volume %s is being used by the following container(s): %s: volume is being "
				 "used", name, strings_join(e->arena, &ids, ", "));
	for (size_t i = 0; i < users.n; i++)
		if (container_rm(e, &users.v[i], &how, err) < 0)
			return error_frame(err, "remove container %.12s, which uses the volume", users.v[i].id);
	return 0;
}

/* --- list, inspect */

static struct json *volume_json(struct engine *e, const struct volume *v, size_t users)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);
	struct volume_options o;

	json_set(a, j, "Name", json_new_string(a, v->name));
	json_set(a, j, "Driver", json_new_string(a, v->driver ? v->driver : "local"));
	json_set(a, j, "Mountpoint", json_new_string(a, v->mountpoint));
	json_set(a, j, "CreatedAt", json_new_string(a, v->created ? v->created : ""));
	json_set(a, j, "Labels", json_new_map(a, &v->labels));
	json_set(a, j, "Scope", json_new_string(a, "local"));
	json_set(a, j, "Options", json_new_map(a, &v->options));
	json_set(a, j, "MountCount", json_new_int(a, (int64_t)users));
	if (volume_options_parse(a, &v->options, &o, NULL) == 0 && (o.has_uid || o.has_gid)) {
		json_set(a, j, "UID", json_new_int(a, o.uid));
		json_set(a, j, "GID", json_new_int(a, o.gid));
	}
	if (v->anonymous)
		json_set(a, j, "Anonymous", json_new_bool(a, true));
	if (v->needs_copy_up)
		json_set(a, j, "NeedsCopyUp", json_new_bool(a, true));
	if (v->needs_chown)
		json_set(a, j, "NeedsChown", json_new_bool(a, true));
	return j;
}

struct volume_filter {
	struct engine *e;
	const struct containers *containers;
	int64_t now;
};

static int64_t created_ns(const struct volume *v)
{
	int64_t ns = 0;

	return v->created && units_parse_time(v->created, 0, &ns) == 0 ? ns : 0;
}

static const char *const filter_keys[] = {
	"after", "all", "anonymous", "dangling", "driver", "label", "label!", "name", "opt", "scope", "since", "until", NULL,
};

static int match_time(const struct volume_filter *f, const struct volume *v, const char *key, const char *value,
		      struct error *err)
{
	int64_t bound;

	if (units_parse_time(value, f->now, &bound) < 0)
		return error_set(err, ERROR_USAGE, "invalid time \"%s\" in the filter %s", value, key);
	return strcmp(key, "until") == 0 ? created_ns(v) < bound : created_ns(v) > bound;
}

static bool is_true(const char *value)
{
	return strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

/* 1, 0, -1. */
static int match_one(const struct volume_filter *f, const struct volume *v, const char *key, const char *value,
		     struct error *err)
{
	if (strcmp(key, "name") == 0)
		return strstr(v->name, value) || glob_match(value, v->name);
	if (strcmp(key, "driver") == 0)
		return str_eq(v->driver, value);
	if (strcmp(key, "scope") == 0)
		return strcmp(value, "local") == 0;
	if (strcmp(key, "label") == 0)
		return map_has_pair(&v->labels, value);
	if (strcmp(key, "label!") == 0)
		return !map_has_pair(&v->labels, value);
	if (strcmp(key, "opt") == 0)
		return map_has_pair(&v->options, value);
	if (strcmp(key, "all") == 0)
		return 1;
	if (strcmp(key, "anonymous") == 0)
		return v->anonymous == is_true(value);
	if (strcmp(key, "dangling") == 0)
		return (users_of(f->e->arena, f->containers, v->name).n == 0) == is_true(value);
	return match_time(f, v, key, value, err);
}

static int check_filter(const char *key, struct error *err)
{
	const char *near;

	for (size_t i = 0; filter_keys[i]; i++)
		if (strcmp(filter_keys[i], key) == 0)
			return 0;
	error_set(err, ERROR_USAGE, "\"%s\" is an invalid volume filter", key);
	near = glob_closest(key, filter_keys);
	return near ? error_hint(err, "did you mean %s?", near) : -1;
}

/* All filters must agree, as in Podman; names are alternatives. */
static int match(const struct volume_filter *f, const struct volume *v, const struct strings *filters,
		 struct error *err)
{
	bool names = false, named = false;

	for (size_t i = 0; i < filters->n; i++) {
		const char *equals = strchr(filters->v[i], '=');
		char *key;
		int result;

		if (!equals)
			return error_set(err, ERROR_USAGE, "invalid filter \"%s\": KEY=VALUE is needed", filters->v[i]);
		key = arena_strndup(f->e->arena, filters->v[i], (size_t)(equals - filters->v[i]));
		if (check_filter(key, err) < 0)
			return -1;
		result = match_one(f, v, key, equals + 1, err);
		if (result < 0)
			return -1;
		if (strcmp(key, "name") == 0) {
			names = true;
			named |= result;
		} else if (!result) {
			return 0;
		}
	}
	return !names || named;
}

static int load(struct engine *e, const struct strings *filters, struct volumes *ret, struct containers *ret_containers,
		struct error *err)
{
	struct volume_filter f = { .e = e, .containers = ret_containers, .now = units_now() };
	static const struct strings none;
	struct volumes all;

	*ret = (struct volumes){ 0 };
	if (volume_list(e->arena, &e->store, &all, err) < 0 || container_load_all(e, ret_containers, err) < 0)
		return -1;
	/* A wrong filter is an error even where there is nothing to filter. */
	if (filters && match(&f, &(struct volume){ .name = "", .driver = "" }, filters, err) < 0)
		return -1;
	ret->broken = all.broken;
	for (size_t i = 0; i < all.n; i++) {
		int matches = match(&f, &all.v[i], filters ? filters : &none, err);

		if (matches < 0)
			return -1;
		if (matches)
			*ARRAY_ADD(e->arena, ret) = all.v[i];
	}
	return 0;
}

int volume_rows(struct engine *e, const struct strings *filters, struct json **ret, struct error *err)
{
	struct json *rows = json_new_list(e->arena);
	struct containers containers;
	struct volumes volumes;

	if (load(e, filters, &volumes, &containers, err) < 0)
		return -1;
	for (size_t i = 0; i < volumes.broken.n; i++)
		engine_warn(e, "the record of volume %s is damaged; mend it with `bryo system check --repair`, or remove it with `bryo "
			    "volume rm %s`", volumes.broken.v[i], volumes.broken.v[i]);
	for (size_t i = 0; i < volumes.n; i++)
		json_append(e->arena, rows, volume_json(e, &volumes.v[i],
							users_of(e->arena, &containers, volumes.v[i].name).n));
	*ret = rows;
	return 0;
}

int volume_inspect(struct engine *e, const char *name, struct json **ret, struct error *err)
{
	struct containers containers;
	struct volume v;

	if (volume_read(e->arena, &e->store, name, &v, err) < 0 || container_load_all(e, &containers, err) < 0)
		return -1;
	*ret = volume_json(e, &v, users_of(e->arena, &containers, name).n);
	return 0;
}

/* --- remove */

int volume_rm(struct engine *e, const char *name, bool force, struct error *err)
{
	struct volume v = { 0 };

	if (volume_read(e->arena, &e->store, name, &v, err) < 0) {
		if (force && error_is(err, ERROR_NOT_FOUND)) {
			error_clear(err);
			return 0;
		}
		if (!error_is(err, ERROR_INVALID))
			return -1;
		error_clear(err);
	}
	if (free_of_containers(e, name, force, err) < 0 || volume_use_unmount(e, &v, err) < 0 ||
	    volume_remove(&e->store, name, err) < 0)
		return -1;
	event(e, "remove", name);
	return 0;
}

/* Whoever creates a container holds the store's lock from before it finds its volumes until it names them. */
void volume_unmake(struct engine *e, const struct strings *names)
{
	_cleanup_fd_ int lock = names->n ? store_lock(&e->store, LOCK_EXCLUSIVE, false, NULL) : -1;

	for (size_t i = 0; lock >= 0 && i < names->n; i++)
		if (free_of_containers(e, names->v[i], false, NULL) == 0)
			volume_remove(&e->store, names->v[i], NULL);
}

/* A container whose record cannot be read may use any volume. */
static int know_all_users(struct engine *e, struct error *err)
{
	struct strings damaged;

	if (container_list_damaged(e, &damaged, err) < 0)
		return -1;
	if (damaged.n == 0)
		return 0;
	error_set(err, ERROR_STATE, "container %.12s is damaged: which volumes it uses cannot be told", damaged.v[0]);
	return error_hint(err, "mend it with `bryo system check --repair`, or remove it: bryo rm -f %.12s", damaged.v[0]);
}

int volume_prune(struct engine *e, const struct strings *filters, struct strings *ret_names, struct error *err)
{
	struct containers containers;
	struct volumes volumes;

	if (know_all_users(e, err) < 0)
		return -1;
	if (load(e, filters, &volumes, &containers, err) < 0)
		return -1;
	for (size_t i = 0; i < volumes.n; i++) {
		if (users_of(e->arena, &containers, volumes.v[i].name).n > 0)
			continue;
		if (volume_use_unmount(e, &volumes.v[i], err) < 0 || volume_remove(&e->store, volumes.v[i].name, err) < 0) {
			if (!error_is(err, ERROR_NOT_FOUND))
				return -1;
			error_clear(err);
			continue;
		}
		event(e, "prune", volumes.v[i].name);
		strings_add(e->arena, ret_names, volumes.v[i].name);
	}
	return 0;
}

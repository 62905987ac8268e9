#include "engine/userns_mode.h"

#include <sys/types.h>

#include "base/glob.h"
#include "engine/userns_auto.h"
#include "engine/userns_given.h"
#include "engine/userns_join.h"
#include "store/image_ids.h"
#include "sys/fd.h"
#include "userns/subid.h"

/* keep-id for one kind of id (U the id to keep, n how many subordinate ones there are):
 * (0,1,U) (U,0,1) (U+1,U+1,n-U), the first range cut to what there is. */
static void keep_id(struct arena *arena, struct id_map *map, uint32_t u, uint64_t n)
{
	uint32_t below = u < n ? u : (uint32_t)n;

	if (below)
		idmap_add(arena, map, 0, 1, below);
	idmap_add(arena, map, u, 0, 1);
	if (n > u)
		idmap_add(arena, map, u + 1, u + 1, (uint32_t)(n - u));
}

static uint64_t subordinate(const struct id_map *map)
{
	uint64_t n = idmap_size(map);

	return n ? n - 1 : 0;
}

struct keep_options { uint32_t uid, gid; uint64_t size; };

static int parse_keep(struct engine *e, const char *text, struct keep_options *ret, struct error *err)
{
	struct strings parts = strings_split(e->arena, text, ",");

	for (size_t i = 0; i < parts.n; i++) {
		char *value = strchr(parts.v[i], '=');
		unsigned n;

		if (!value || str_to_u32(value + 1, &n) < 0 || n == ID_NONE)
			return error_set(err, ERROR_USAGE, "--userns keep-id: \"%s\" is none of uid=N, gid=N, size=N", parts.v[i]);
		*value = '\0';
		if (strcmp(parts.v[i], "uid") == 0)
			ret->uid = n;
		else if (strcmp(parts.v[i], "gid") == 0)
			ret->gid = n;
		else if (strcmp(parts.v[i], "size") == 0 && n > 0)
			ret->size = n - 1;
		else
			return error_set(err, ERROR_USAGE, "--userns keep-id: unknown option \"%s\"", parts.v[i]);
	}
	return 0;
}

static int keep_maps(struct engine *e, const char *options, struct id_maps *ret, struct userns_user *ret_user,
		     struct error *err)
{
	struct keep_options keep = { .uid = e->identity.uid, .gid = e->identity.gid, .size = UINT64_MAX };
	uint64_t uids = subordinate(&e->identity.maps.uid), gids = subordinate(&e->identity.maps.gid);

	if (options && parse_keep(e, options, &keep, err) < 0)
		return -1;
	keep_id(e->arena, &ret->uid, keep.uid, keep.size < uids ? keep.size : uids);
	keep_id(e->arena, &ret->gid, keep.gid, keep.size < gids ? keep.size : gids);
	if (ret_user)
		*ret_user = (struct userns_user){ true, keep.uid, keep.gid };
	return 0;
}

static int nomap_maps(struct engine *e, struct id_maps *ret, struct error *err)
{
	uint64_t uids = subordinate(&e->identity.maps.uid), gids = subordinate(&e->identity.maps.gid);

	if (!uids || !gids) {
		error_set(err, ERROR_DENIED, "--userns nomap needs subordinate ids, and %s has none", e->identity.user);
		error_code(err, "no-subids");
		return userns_grant(e->arena, &e->identity, 1, err);
	}
	idmap_add(e->arena, &ret->uid, 0, 1, (uint32_t)uids);
	idmap_add(e->arena, &ret->gid, 0, 1, (uint32_t)gids);
	return 0;
}

/* A namespace of its own with the ids of the rootless one. */
static struct id_map same_ids(struct arena *arena, const struct id_map *rootless)
{
	struct id_map map = { 0 };

	for (size_t i = 0; i < rootless->n; i++)
		idmap_add(arena, &map, rootless->v[i].inside, rootless->v[i].inside, rootless->v[i].count);
	return map;
}

/* --- maps that are written out */

static int given_maps(struct engine *e, const struct create_request *r, struct id_maps *ret, struct error *err)
{
	const struct strings *users = r->uidmap.n ? &r->uidmap : &r->gidmap, *groups = r->gidmap.n ? &r->gidmap : &r->uidmap;

	if (userns_given_map(e->arena, 'u', users, &e->identity, &ret->uid, err) < 0)
		return -1;
	return userns_given_map(e->arena, 'g', groups, &e->identity, &ret->gid, err);
}

/* The ranges of a name in /etc/subuid or /etc/subgid, from container id 0 on. */
static int named_map(struct engine *e, char kind, const char *name, struct id_map *ret, struct error *err)
{
	const char *file = kind == 'u' ? SUBUID_FILE : SUBGID_FILE;
	struct subid_file entries;
	struct strings texts = { 0 };
	uint64_t inside = 0;

	if (subid_read(e->arena, file, &entries, err) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++) {
		const struct subid_entry *x = &entries.v[i];

		if (strcmp(x->owner, name) != 0)
			continue;
		strings_addf(e->arena, &texts, "%llu:@%u:%u", (unsigned long long)inside, x->first, x->count);
		inside += x->count;
	}
	if (!texts.n)
		return error_set(err, ERROR_USAGE, "--sub%cidname %s: %s has no line for this name", kind, name, file);
	if (userns_given_map(e->arena, kind, &texts, &e->identity, ret, err) == 0)
		return 0;
	error_frame(err, "--sub%cidname %s", kind, name);
	return error_hint(err, "the ranges must be among those that %s has in %s; a range may be given to two names", e->identity.user,
			  file);
}

static int named_maps(struct engine *e, const struct create_request *r, struct id_maps *ret, struct error *err)
{
	const char *users = r->subuidname ? r->subuidname : r->subgidname, *groups = r->subgidname ? r->subgidname : r->subuidname;

	if (r->uidmap.n || r->gidmap.n)
		return error_set(err, ERROR_USAGE, "--subuidname/--subgidname and --uidmap/--gidmap exclude each other");
	return named_map(e, 'u', users, &ret->uid, err) < 0 ? -1 : named_map(e, 'g', groups, &ret->gid, err);
}

/* --- modes */

static const char *const words[] = { "host", "keep-id", "nomap", "auto", "private", NULL };

/* "keep-id" or "keep-id:OPTIONS"; what follows the colon is in *ret_options. */
static bool is_mode(const char *mode, const char *word, const char **ret_options)
{
	const char *rest = str_after(mode, word);

	*ret_options = rest && *rest == ':' && rest[1] ? rest + 1 : NULL;
	return rest && (!*rest || *rest == ':');
}

static int unknown_mode(const char *mode, struct error *err)
{
	const char *closest = glob_closest(mode, words);

	error_set(err, ERROR_USAGE, "--userns %s: it must be host, keep-id[:uid=N,gid=N,size=N], nomap, auto[:size=N,uidmapping=C:I:N,"
		  "gidmapping=C:I:N], container:NAME, ns:PATH or private", mode);
	return closest ? error_hint(err, "did you mean \"%s\"?", closest) : -1;
}

static bool has_maps(const struct create_request *r)
{
	return r->uidmap.n || r->gidmap.n || r->subuidname || r->subgidname;
}

static int maps_of_mode(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
			struct error *err)
{
	const char *mode = c->request.userns, *options;

	if (str_is_empty(mode) || strcmp(mode, "host") == 0)
		return 0;
	if (is_mode(mode, "keep-id", &options))
		return keep_maps(e, options, ret, ret_user, err);
	if (is_mode(mode, "auto", &options))
		return userns_auto_maps(e, c, options, ret, err);
	if (strcmp(mode, "nomap") == 0)
		return nomap_maps(e, ret, err);
	if (userns_join_is(mode))
		return userns_join_maps(e, mode, ret, err);
	if (strcmp(mode, "private") != 0)
		return unknown_mode(mode, err);
	ret->uid = same_ids(e->arena, &e->identity.maps.uid);
	ret->gid = same_ids(e->arena, &e->identity.maps.gid);
	return 0;
}

static int write_out(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
		     struct error *err)
{
	const struct create_request *r = &c->request;

	if (!has_maps(r))
		return maps_of_mode(e, c, ret, ret_user, err);
	if (!str_is_empty(r->userns) && strcmp(r->userns, "private") != 0)
		return error_set(err, ERROR_USAGE, "--userns and --uidmap/--gidmap/--subuidname/--subgidname exclude each other");
	return r->subuidname || r->subgidname ? named_maps(e, r, ret, err) : given_maps(e, r, ret, err);
}

static int choose(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
		  struct error *err)
{
	if (write_out(e, c, ret, ret_user, err) < 0)
		return -1;
	ret->uid = idmap_split(e->arena, &ret->uid, &e->identity.maps.uid);
	ret->gid = idmap_split(e->arena, &ret->gid, &e->identity.maps.gid);
	return 0;
}

/* --- what was chosen */

static int check_range(struct engine *e, const struct container *c, const char *kind, const struct id_map *own,
		       const struct id_map *rootless, struct error *err)
{
	for (size_t i = 0; i < own->n; i++) {
		uint64_t end = (uint64_t)own->v[i].outside + own->v[i].count, size = idmap_size(rootless);

		if (idmap_has(rootless, own->v[i].outside, own->v[i].count))
			continue;
		error_set(err, ERROR_DENIED, "container %s was created with the subordinate %s ids up to %llu, and now %s has %llu", c->name,
			  kind, (unsigned long long)end - 1, e->identity.user, (unsigned long long)(size ? size - 1 : 0));
		error_code(err, "user-out-of-range");
		error_hint(err, "create the container anew, or have the administrator give them back");
		return userns_grant(e->arena, &e->identity, end - size, err);
	}
	return 0;
}

static int recorded_maps(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
			 struct error *err)
{
	struct id_maps ignored = { 0 };
	const char *options;

	if (idmap_parse(e->arena, c->uid_map, &ret->uid, err) < 0 ||
	    idmap_parse(e->arena, c->gid_map ? c->gid_map : "", &ret->gid, err) < 0)
		return error_frame(err, "the record of container %s", c->name);
	if (ret_user && c->request.userns && is_mode(c->request.userns, "keep-id", &options) &&
	    keep_maps(e, options, &ignored, ret_user, err) < 0)
		return -1;
	return check_range(e, c, "user", &ret->uid, &e->identity.maps.uid, err) < 0 ? -1 :
	       check_range(e, c, "group", &ret->gid, &e->identity.maps.gid, err);
}

int userns_mode_maps(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
		     struct error *err)
{
	*ret = (struct id_maps){ 0 };
	if (ret_user)
		*ret_user = (struct userns_user){ 0 };
	return c->uid_map ? recorded_maps(e, c, ret, ret_user, err) : choose(e, c, ret, ret_user, err);
}

static bool is_auto(const struct container *c, const char **ret_options)
{
	return !has_maps(&c->request) && c->request.userns && is_mode(c->request.userns, "auto", ret_options);
}

int userns_mode_check(struct engine *e, const struct container *c, struct error *err)
{
	struct userns_auto ignored;
	const char *options;
	struct id_maps maps;

	if (is_auto(c, &options))
		return userns_auto_parse(e->arena, options, &e->identity, &ignored, err);
	return userns_mode_maps(e, c, &maps, NULL, err);
}

int userns_mode_owners(struct engine *e, const struct container *c, const struct id_maps *own, struct error *err)
{
	const struct id_maps *rootless = &e->identity.maps;
	uint64_t uid, gid, size;

	if (own->uid.n || e->identity.single_id || image_ids_check(e->arena, &e->store, &c->layers, rootless, err) == 0)
		return 0;
	if (!error_is(err, ERROR_DENIED) || image_ids_largest(e->arena, &e->store, &c->layers, &uid, &gid, NULL) < 0)
		return -1;
	size = idmap_size(idmap_has(&rootless->uid, 0, uid + 1) ? &rootless->gid : &rootless->uid);
	uid = uid > gid ? uid : gid;
	error_code(err, "image-out-of-range");
	error_hint(err, "%s has the ids 0..%llu, and %llu more would be needed", e->identity.user, (unsigned long long)size - 1,
		   (unsigned long long)(uid + 1 - size));
	return userns_grant(e->arena, &e->identity, uid + 1 - size, err);
}

int userns_mode_settle(struct engine *e, struct container *c, struct id_maps *ret, int *ret_lock, struct error *err)
{
	const char *options;
	bool own = is_auto(c, &options);

	*ret_lock = -1;
	if (own && (*ret_lock = userns_auto_lock(e, err)) < 0)
		return -1;
	if (userns_mode_maps(e, c, ret, NULL, err) < 0 || (e->store.driver != DRIVER_OBJECTS && userns_mode_owners(e, c, ret, err) < 0) ||
	    (own && userns_auto_claim(e, c, ret, err) < 0)) {
		fd_close(ret_lock);
		return -1;
	}
	/* An empty line is an empty map; an empty text would be left out of the record. */
	c->uid_map = ret->uid.n ? idmap_print(e->arena, &ret->uid) : "\n";
	c->gid_map = ret->gid.n ? idmap_print(e->arena, &ret->gid) : "\n";
	return 0;
}

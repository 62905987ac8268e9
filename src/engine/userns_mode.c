#include "engine/userns_mode.h"

#include <sys/types.h>

#include "engine/userns_given.h"

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

	if (!uids || !gids)
		return error_set(err, ERROR_DENIED, "--userns nomap needs subordinate ids, and this user has none");
	idmap_add(e->arena, &ret->uid, 0, 1, (uint32_t)uids);
	idmap_add(e->arena, &ret->gid, 0, 1, (uint32_t)gids);
	return 0;
}

static int given_maps(struct engine *e, const struct create_request *r, struct id_maps *ret, struct error *err)
{
	const struct strings *users = r->uidmap.n ? &r->uidmap : &r->gidmap, *groups = r->gidmap.n ? &r->gidmap : &r->uidmap;

	if (userns_given_map(e->arena, 'u', users, &e->identity.maps.uid, &ret->uid, err) < 0)
		return -1;
	return userns_given_map(e->arena, 'g', groups, &e->identity.maps.gid, &ret->gid, err);
}

int userns_mode_maps(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
		     struct error *err)
{
	const char *mode = c->request.userns, *options;

	*ret = (struct id_maps){ 0 };
	if (ret_user)
		*ret_user = (struct userns_user){ 0 };
	if (c->request.uidmap.n || c->request.gidmap.n) {
		if (!str_is_empty(mode) && strcmp(mode, "private") != 0)
			return error_set(err, ERROR_USAGE, "--userns and --uidmap/--gidmap exclude each other");
		return given_maps(e, &c->request, ret, err);
	}
	if (str_is_empty(mode) || strcmp(mode, "host") == 0)
		return 0;
	options = str_after(mode, "keep-id");
	if (options && (!*options || *options == ':'))
		return keep_maps(e, *options ? options + 1 : NULL, ret, ret_user, err);
	if (strcmp(mode, "nomap") == 0)
		return nomap_maps(e, ret, err);
	return error_set(err, ERROR_UNSUPPORTED, "--userns %s is not offered: use host, keep-id[:uid=,gid=,size=], nomap, or "
			 "--uidmap and --gidmap", mode);
}

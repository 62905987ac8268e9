#include "explain/unstarted.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/mounts.h"
#include "engine/userns_mode.h"
#include "explain/run_line.h"

static void name_question(struct arena *arena, const struct facts_question *q, struct verdict *v)
{
	v->access = arena_strdup(arena, access_op_name(q->op));
	v->path = q->path;
	v->kind = VERDICT_DENIED;
	v->reason = v->blocks.v[0].reason;
	v->sys = v->blocks.v[0].sys;
}

/* --- sources: the walk of the user himself */
static void keep_the_way(struct verdict *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->blocks.n; i++) {
		struct verdict_block *b = &v->blocks.v[i];

		if (!b->is_parent && b->sys != ENOENT)
			continue;
		b->reason = b->sys == ENOENT ? REASON_SOURCE_MISSING : REASON_SOURCE_UNREACHABLE;
		v->blocks.v[kept++] = *b;
	}
	v->blocks.n = kept;
}

static bool is_bad_source(struct engine *e, const struct outside *o, char *source, struct verdict *v)
{
	const struct facts_question way = { .on_host = true, .op = ACCESS_READ, .path = source };
	struct access_process process;
	struct access_facts facts;
	struct scene scene;

	if (facts_of_user(e, o, &scene, &process, NULL) < 0)
		return false;
	facts_gather(e, &scene, &process, &way, &facts);
	scene_done(&scene);
	access_decide(e->arena, &facts, v);
	keep_the_way(v);
	if (v->blocks.n && v->blocks.v[0].reason == REASON_SOURCE_MISSING)
		*ARRAY_ADD(e->arena, &v->fixes) = (struct verdict_fix){ .id = "make-source", .effect = "an empty directory of yours",
			.host = arena_printf(e->arena, "mkdir -p %s", str_quote(e->arena, source)) };
	return v->blocks.n > 0;
}

static bool find_bad_source(struct engine *e, const struct outside *o, const struct create_request *r, struct verdict *v)
{
	struct mount_list list = { 0 };

	for (size_t i = 0; i < r->volumes.n; i++)
		mounts_parse_volume(e->arena, r->volumes.v[i], e->identity.cwd, &list, NULL);
	for (size_t i = 0; i < r->mounts.n; i++)
		mounts_parse_mount(e->arena, r->mounts.v[i], e->identity.cwd, &list, NULL);
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.v[i].type, "bind") == 0 && is_bad_source(e, o, list.v[i].source, v))
			return true;
	return false;
}

/* --- ids */
static struct verdict_block *add_missing_id(struct engine *e, struct verdict *v, const char *kind, uint32_t id,
					    const struct id_map *map)
{
	struct verdict_block *b = ARRAY_ADD(e->arena, &v->blocks);

	*b = (struct verdict_block){ .reason = REASON_USER_OUT_OF_RANGE, .sys = EINVAL, .certain = true, .host_uid = ID_NONE,
				     .host_gid = ID_NONE, .uid = id, .gid = id };
	b->detail = arena_printf(e->arena, "%s %u has no number outside: the map has %llu ids", kind, id,
				 (unsigned long long)idmap_size(map));
	return b;
}

static void propose_more_ids(struct engine *e, struct verdict *v, uint32_t id)
{
	uint64_t have = idmap_size(&e->identity.maps.uid);

	if (id < have)
		return;
	*ARRAY_ADD(e->arena, &v->fixes) = (struct verdict_fix){ .id = "more-subids",
		.admin = arena_printf(e->arena, "usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST %s", e->identity.user),
		.effect = arena_printf(e->arena, "a range of at least %llu ids that nobody has; then: bryo system migrate",
				       (unsigned long long)(id - have + 1)) };
}

/* --user N[:M] by numbers. */
static bool find_missing_id(struct engine *e, const struct create_request *r, struct verdict *v)
{
	struct container c = { .request = *r };
	struct strings ids = strings_split(e->arena, r->user ? r->user : "", ":");
	struct id_maps maps;
	uint32_t id;

	if (userns_mode_maps(e, &c, &maps, NULL, NULL) < 0)
		return false;
	for (size_t i = 0; i < ids.n && i < 2; i++) {
		const struct id_map *own = i ? &maps.gid : &maps.uid, *all = i ? &e->identity.maps.gid : &e->identity.maps.uid;
		const struct id_map *map = own->n ? own : all;

		if (str_to_u32(ids.v[i], &id) < 0 || idmap_to_outside(map, id) != ID_NONE)
			continue;
		add_missing_id(e, v, i ? "group" : "user", id, map);
		propose_more_ids(e, v, id);
		return true;
	}
	return false;
}

bool unstarted_explain(struct engine *e, const struct outside *o, const struct create_request *r,
		       const struct facts_question *q, struct verdict *ret)
{
	*ret = (struct verdict){ 0 };
	if (!find_bad_source(e, o, r, ret)) {
		*ret = (struct verdict){ 0 };
		if (!find_missing_id(e, r, ret))
			return false;
	}
	name_question(e->arena, q, ret);
	return true;
}

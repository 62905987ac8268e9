#include "explain/verdict.h"

#include <string.h>

static const char *const kinds[] = { "allowed", "denied", "error" };
static const char *const classes[] = { "none", "owner", "acl-user", "group", "acl-group", "other" };

const char *verdict_class_name(enum verdict_class class)
{
	return classes[class];
}

static void set_text(struct arena *a, struct json *j, const char *key, const char *text)
{
	if (text)
		json_set(a, j, key, json_new_string(a, text));
}

static void set_id(struct arena *a, struct json *j, const char *key, uint32_t id)
{
	if (id != ID_NONE)
		json_set(a, j, key, json_new_int(a, id));
}

static struct json *texts(struct arena *a, const struct strings *list)
{
	struct json *j = json_new_list(a);

	for (size_t i = 0; i < list->n; i++)
		json_append(a, j, json_new_string(a, list->v[i]));
	return j;
}

static struct json *ids(struct arena *a, const struct id_list *list)
{
	struct json *j = json_new_list(a);

	for (size_t i = 0; i < list->n; i++)
		json_append(a, j, json_new_int(a, list->v[i]));
	return j;
}

static struct json *block_json(struct arena *a, const struct verdict_block *b)
{
	struct json *j = json_new_object(a);

	json_set(a, j, "reason", json_new_string(a, reason_code(b->reason)));
	json_set(a, j, "errno", json_new_int(a, b->sys));
	set_text(a, j, "errnoName", b->sys ? strerrorname_np(b->sys) : NULL);
	json_set(a, j, "certain", json_new_bool(a, b->certain));
	json_set(a, j, "host", b->host ? json_new_string(a, b->host) : json_new_null(a));
	json_set(a, j, "container", b->container ? json_new_string(a, b->container) : json_new_null(a));
	json_set(a, j, "parent", json_new_bool(a, b->is_parent));
	if (b->mode) {
		set_text(a, j, "mode", arena_printf(a, "%04o", b->mode & 07777));
		set_id(a, j, "hostUid", b->host_uid);
		set_id(a, j, "hostGid", b->host_gid);
		set_id(a, j, "uid", b->uid);
		set_id(a, j, "gid", b->gid);
	}
	if (b->class != CLASS_NONE) {
		set_text(a, j, "class", verdict_class_name(b->class));
		json_set(a, j, "has", json_new_int(a, b->has));
		json_set(a, j, "wants", json_new_int(a, b->wants));
	}
	set_text(a, j, "detail", b->detail);
	set_text(a, j, "text", reason_text(b->reason)->line);
	return j;
}

static struct json *map_json(struct arena *a, const struct id_map *map)
{
	struct json *list = json_new_list(a);

	for (size_t i = 0; i < map->n; i++) {
		struct json *j = json_new_object(a);

		json_set(a, j, "container", json_new_int(a, map->v[i].inside));
		json_set(a, j, "host", json_new_int(a, map->v[i].outside));
		json_set(a, j, "size", json_new_int(a, map->v[i].count));
		json_append(a, list, j);
	}
	return list;
}

static struct json *subject_json(struct arena *a, const struct verdict_subject *s)
{
	struct json *j = json_new_object(a);

	set_id(a, j, "uid", s->uid);
	set_id(a, j, "gid", s->gid);
	set_id(a, j, "hostUid", s->host_uid);
	set_id(a, j, "hostGid", s->host_gid);
	json_set(a, j, "groups", ids(a, &s->groups));
	json_set(a, j, "hostGroups", ids(a, &s->host_groups));
	json_set(a, j, "droppedGroups", ids(a, &s->dropped_groups));
	set_text(a, j, "capabilities", arena_printf(a, "%016llx", (unsigned long long)s->capabilities));
	set_id(a, j, "userUid", s->user_uid);
	set_id(a, j, "userGid", s->user_gid);
	json_set(a, j, "uidMap", map_json(a, &s->maps.uid));
	json_set(a, j, "gidMap", map_json(a, &s->maps.gid));
	return j;
}

static struct json *fix_json(struct arena *a, const struct verdict_fix *f)
{
	struct json *j = json_new_object(a);

	json_set(a, j, "id", json_new_string(a, f->id));
	set_text(a, j, "run", f->run);
	if (f->run_add.n)
		json_set(a, j, "add", texts(a, &f->run_add));
	if (f->run_drop.n)
		json_set(a, j, "drop", texts(a, &f->run_drop));
	set_text(a, j, "host", f->host);
	set_text(a, j, "admin", f->admin);
	set_text(a, j, "effect", f->effect);
	return j;
}

struct json *verdict_json(struct arena *a, const struct verdict *v)
{
	struct json *j = json_new_object(a), *blocks = json_new_list(a), *fixes = json_new_list(a);

	for (size_t i = 0; i < v->blocks.n; i++)
		json_append(a, blocks, block_json(a, &v->blocks.v[i]));
	for (size_t i = 0; i < v->fixes.n; i++)
		json_append(a, fixes, fix_json(a, &v->fixes.v[i]));
	json_set(a, j, "verdict", json_new_string(a, kinds[v->kind]));
	json_set(a, j, "errno", json_new_int(a, v->sys));
	json_set(a, j, "errnoName", v->sys ? json_new_string(a, strerrorname_np(v->sys)) : json_new_null(a));
	json_set(a, j, "reason", v->reason == REASON_NONE ? json_new_null(a) : json_new_string(a, reason_code(v->reason)));
	json_set(a, j, "side", json_new_string(a, v->subject.on_host ? "host" : "container"));
	json_set(a, j, "access", json_new_string(a, v->access));
	json_set(a, j, "path", json_new_string(a, v->path));
	set_text(a, j, "hostPath", v->host_path);
	json_set(a, j, "block", v->blocks.n ? block_json(a, &v->blocks.v[0]) : json_new_null(a));
	json_set(a, j, "blocks", blocks);
	json_set(a, j, "fixes", fixes);
	json_set(a, j, "notFixes", texts(a, &v->not_fixes));
	json_set(a, j, "notes", texts(a, &v->notes));
	json_set(a, j, "subject", subject_json(a, &v->subject));
	if (v->tried) {
		json_set(a, j, "triedErrno", json_new_int(a, v->tried_sys));
		json_set(a, j, "disagrees", json_new_bool(a, v->disagrees));
	}
	return j;
}

#include "world.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sys/caps.h"

#define KEPT 1000

static struct id_map map_of(struct arena *arena, const char *name)
{
	struct id_map m = { 0 };

	if (strcmp(name, "default") == 0) {
		idmap_add(arena, &m, 0, WORLD_USER, 1);
		idmap_add(arena, &m, 1, 100000, 65536);
	} else if (strcmp(name, "keep") == 0) {
		idmap_add(arena, &m, 0, 100000, KEPT);
		idmap_add(arena, &m, KEPT, WORLD_USER, 1);
		idmap_add(arena, &m, KEPT + 1, 100000 + KEPT, 64536);
	} else if (strcmp(name, "nomap") == 0) {
		idmap_add(arena, &m, 0, 100000, 65536);
	}
	return m;
}

static uint64_t caps_of(const struct strings *words)
{
	uint64_t set = 0;

	for (size_t i = 1; i < words->n; i++)
		set |= CAPS_BIT(caps_number(words->v[i]));
	return set;
}

static uint32_t outside(const struct id_map *map, uint32_t id)
{
	return map->n ? idmap_to_outside(map, id) : id;
}

static void process_of(struct arena *arena, const char *text, struct access_process *p)
{
	struct strings words = strings_split(arena, text, " ");
	char *end;

	p->uid = (uint32_t)strtoul(words.v[0], &end, 10);
	p->gid = (uint32_t)strtoul(end + 1, &end, 10);
	while (*end == '+')
		*ARRAY_ADD(arena, &p->host_groups) = (uint32_t)strtoul(end + 1, &end, 10);
	p->host_uid = outside(&p->maps.uid, p->uid);
	p->host_gid = outside(&p->maps.gid, p->gid);
	p->capabilities = caps_of(&words);
}

static struct access_acl acl_of(struct arena *arena, const char *text)
{
	static const struct { const char *name; uint16_t tag; } tags[] = {
		{ "u:", ACL_USER }, { "g:", ACL_GROUP }, { "m:", ACL_MASK }, { "G:", ACL_GROUP_OBJ },
	};
	struct strings entries = strings_split(arena, text, ",");
	struct access_acl acl = { 0 };

	for (size_t i = 0; i < entries.n; i++) {
		struct access_acl_entry *a = ARRAY_ADD(arena, &acl);
		const char *perm = strrchr(entries.v[i], ':') + 1;

		for (size_t k = 0; k < ELEMENTS(tags); k++)
			if (str_starts(entries.v[i], tags[k].name))
				a->tag = tags[k].tag;
		a->id = (uint32_t)strtoul(entries.v[i] + 2, NULL, 10);
		a->perm = (uint8_t)((strchr(perm, 'r') ? 4 : 0) | (strchr(perm, 'w') ? 2 : 0) | (strchr(perm, 'x') ? 1 : 0));
	}
	return acl;
}

static mode_t kind_of(char c)
{
	static const struct { char c; mode_t kind; } kinds[] = {
		{ 'd', S_IFDIR }, { 'f', S_IFREG }, { 's', S_IFSOCK }, { 'l', S_IFLNK }, { 'c', S_IFCHR }, { 'p', S_IFIFO },
	};

	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		if (kinds[i].c == c)
			return kinds[i].kind;
	return 0;
}

static void word_of(struct arena *arena, const char *w, struct access_node *n, struct access_mount *m)
{
	struct { const char *name; bool *flag; } flags[] = {
		{ "i", &n->immutable }, { "a", &n->append_only }, { "covered", &n->covered }, { "unseen", &n->unseen },
		{ "ro", &m->read_only }, { "noexec", &m->no_exec }, { "nodev", &m->no_dev }, { "own", &m->own_ids },
		{ "fuse", &m->fuse }, { "others", &m->fuse_others }, { "nfs", &m->network },
	};

	for (size_t i = 0; i < ELEMENTS(flags); i++)
		if (strcmp(flags[i].name, w) == 0)
			*flags[i].flag = true;
	if (strcmp(w, "locked") == 0) {
		m->read_only = true;
		m->read_only_cause = CAUSE_LOCKED;
	} else if (strcmp(w, "lockednoexec") == 0) {
		m->no_exec = true;
		m->no_exec_cause = CAUSE_LOCKED;
	} else if (strcmp(w, "root") == 0) {
		m->read_only = m->own_ids = true;
		m->read_only_cause = CAUSE_ROOT;
	} else if (str_starts(w, "label=")) {
		n->label = arena_strdup(arena, w + 6);
	} else if (str_starts(w, "acl=")) {
		n->acl = acl_of(arena, w + 4);
	}
}

static struct access_node node_of(struct arena *arena, const char *text, struct access_mount **mount)
{
	struct strings words = strings_split(arena, text, " ");
	struct access_mount *m = *mount = arena_memdup(arena, *mount, sizeof(**mount));
	struct access_node n = { .container = words.v[0], .host = words.v[0], .mount = m };
	char *end;

	if (words.n < 3)
		return n;
	n.uid = (uint32_t)strtoul(words.v[1], &end, 10);
	n.gid = (uint32_t)strtoul(end + 1, NULL, 10);
	n.mode = kind_of(*words.v[2]) | (mode_t)strtoul(words.v[2] + 1, NULL, 8);
	for (size_t i = 3; i < words.n; i++)
		word_of(arena, words.v[i], &n, m);
	return n;
}

struct access_path world_path(struct arena *arena, const char *text)
{
	struct strings nodes = strings_split(arena, text, ";");
	struct access_mount *mount = arena_new_one(arena, struct access_mount);
	struct access_path path = { .text = nodes.v[nodes.n - 1] };

	mount->fuse_uid = mount->fuse_gid = WORLD_USER;
	for (size_t i = 0; i + 1 < nodes.n; i++)
		*ARRAY_ADD(arena, &path.searched) = node_of(arena, nodes.v[i], &mount);
	path.target = node_of(arena, nodes.v[nodes.n - 1], &mount);
	for (size_t i = 0; i < path.searched.n; i++)
		path.searched.v[i].mount = mount;	/* one mount, with all that was said of it */
	return path;
}

struct access_facts world_facts(struct arena *arena, const char *map, const char *process, const char *op, const char *path)
{
	struct access_facts f = { .op = access_op_find(op), .path = world_path(arena, path), .user_uid = WORLD_USER,
				  .user_gid = WORLD_USER, .new_uid = ID_NONE, .new_gid = ID_NONE, .protected_symlinks = true,
				  .protected_hardlinks = true };

	f.on_host = strcmp(map, "host") == 0;
	f.rootless = (struct id_maps){ map_of(arena, "default"), map_of(arena, "default") };
	f.process.maps = (struct id_maps){ map_of(arena, map), map_of(arena, map) };
	*ARRAY_ADD(arena, &f.user_groups) = WORLD_TEAM;
	process_of(arena, process, &f.process);
	return f;
}

static const char *errno_name(int sys)
{
	const char *name = strerrorname_np(sys);

	return name ? name : "?";
}

char *world_verdict(struct arena *arena, const struct verdict *v)
{
	struct strings parts = { 0 };

	for (size_t i = 0; i < v->blocks.n; i++)
		strings_addf(arena, &parts, "%s %s at %s", reason_code(v->blocks.v[i].reason), errno_name(v->blocks.v[i].sys),
			     v->blocks.v[i].container ? v->blocks.v[i].container : "-");
	if (v->kind == VERDICT_UNKNOWN)
		strings_add(arena, &parts, "unknown");
	return parts.n ? strings_join(arena, &parts, ", ") : "allowed";
}

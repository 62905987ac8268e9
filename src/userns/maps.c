#include "userns/maps.h"

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "sys/caps.h"
#include "sys/spawn.h"
#include "userns/subid.h"

int maps_write_with_helper(struct arena *arena, const char *helper, pid_t pid, const struct id_map *map,
			   struct error *err)
{
	struct strings argv = { 0 };
	struct spawn s = { .program = helper };
	char *talk = NULL;
	int code;

	strings_add(arena, &argv, helper);
	strings_addf(arena, &argv, "%d", (int)pid);
	for (size_t i = 0; i < map->n; i++) {
		strings_addf(arena, &argv, "%u", map->v[i].inside);
		strings_addf(arena, &argv, "%u", map->v[i].outside);
		strings_addf(arena, &argv, "%u", map->v[i].count);
	}
	s.argv = argv.v;
	code = spawn_run(arena, &s, NULL, &talk, err);
	if (code < 0)
		return -1;
	if (code > 0) {
		talk[strcspn(talk, "\n")] = '\0';
		return error_set(err, ERROR_DENIED, "%s failed: %s", helper, *talk ? talk : "it said nothing");
	}
	return 0;
}

int maps_rootless(struct arena *arena, const struct identity *id, struct id_maps *ret, struct error *err)
{
	struct id_map uids = { 0 }, gids = { 0 };

	if (subid_ranges(arena, id, false, &uids, err) < 0 || subid_ranges(arena, id, true, &gids, err) < 0)
		return -1;
	if (!uids.n || !gids.n || !spawn_find(arena, "newuidmap") || !spawn_find(arena, "newgidmap"))
		return error_set(err, ERROR_FAILED, "no subordinate ids can be mapped");
	ret->uid = subid_to_map(arena, id->uid, &uids);
	ret->gid = subid_to_map(arena, id->gid, &gids);
	return 0;
}

struct id_maps maps_single(struct arena *arena, const struct identity *id)
{
	struct id_maps maps = { 0 };

	idmap_add(arena, &maps.uid, 0, id->uid, 1);
	idmap_add(arena, &maps.gid, 0, id->gid, 1);
	return maps;
}

static bool is_privileged(void)
{
	const uint64_t needed = CAPS_BIT(CAP_SETUID) | CAPS_BIT(CAP_SETGID);
	uint64_t effective, permitted, inheritable;

	return caps_get(&effective, &permitted, &inheritable) == 0 && (effective & needed) == needed;
}

static bool is_own(const struct id_map *map, uint32_t id)
{
	return map->n == 1 && map->v[0].outside == id && map->v[0].count == 1;
}

static int write_by(struct arena *arena, const char *name, pid_t pid, const struct id_map *map, struct error *err)
{
	char *helper = spawn_find(arena, name);

	if (!helper) {
		error_set(err, ERROR_FAILED, "%s is not installed, and only it may map more than your own id", name);
		return error_hint(err, "install the package uidmap, or map only your own id to one id of the container");
	}
	return maps_write_with_helper(arena, helper, pid, map, err);
}

int maps_write(struct arena *arena, pid_t pid, const struct id_maps *maps, struct error *err)
{
	if (is_privileged())
		return idmap_write(pid, maps, false, err);
	if (is_own(&maps->uid, geteuid()) && is_own(&maps->gid, getegid()))
		return idmap_write(pid, maps, true, err);
	if (write_by(arena, "newuidmap", pid, &maps->uid, err) < 0)
		return -1;
	return write_by(arena, "newgidmap", pid, &maps->gid, err);
}

#include "userns/maps.h"

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"
#include "userns/subid.h"

/* newuidmap or newgidmap at work. */
struct helper {
	const char *program;
	int pidfd, words;		/* what it says, on both its streams */
};

static int start_helper(struct arena *arena, struct helper *h, pid_t pid, const struct id_map *map, struct error *err)
{
	struct strings argv = { 0 };
	int ends[2], stdio[3] = { -1, -1, -1 };
	struct spawn s = { .program = h->program, .stdio = stdio };

	strings_add(arena, &argv, h->program);
	strings_addf(arena, &argv, "%d", (int)pid);
	for (size_t i = 0; i < map->n; i++) {
		strings_addf(arena, &argv, "%u", map->v[i].inside);
		strings_addf(arena, &argv, "%u", map->v[i].outside);
		strings_addf(arena, &argv, "%u", map->v[i].count);
	}
	s.argv = argv.v;
	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	stdio[1] = stdio[2] = ends[1];
	h->pidfd = spawn_start(&s, NULL, err);
	h->words = ends[0];
	close(ends[1]);
	return h->pidfd < 0 ? -1 : 0;
}

static void close_helper(struct helper *h)
{
	fd_close(&h->pidfd);
	fd_close(&h->words);
}

static int end_helper(struct helper *h, struct error *err)
{
	char text[512];
	ssize_t n = fd_read_all(h->words, text, sizeof(text) - 1);
	int code = pidfd_reap(h->pidfd);

	if (code < 0)
		return error_errno(err, "wait for %s", h->program);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (code > 0)
		return error_set(err, ERROR_DENIED, "%s failed: %s", h->program, *text ? text : "it said nothing");
	return 0;
}

/* Both at once: each takes as long to start as all the rest of its work. */
int maps_write_with_helpers(struct arena *arena, const char *newuidmap, const char *newgidmap, pid_t pid,
			    const struct id_maps *maps, struct error *err)
{
	struct helper uid = { newuidmap, -1, -1 }, gid = { newgidmap, -1, -1 };
	int result = start_helper(arena, &uid, pid, &maps->uid, err);

	if (result == 0)
		result = start_helper(arena, &gid, pid, &maps->gid, err);
	/* The first thing that went wrong is told. */
	if (uid.pidfd >= 0 && end_helper(&uid, result < 0 ? NULL : err) < 0)
		result = -1;
	if (gid.pidfd >= 0 && end_helper(&gid, result < 0 ? NULL : err) < 0)
		result = -1;
	close_helper(&uid);
	close_helper(&gid);
	return result;
}

int maps_rootless(struct arena *arena, const struct identity *id, struct id_maps *ret, struct error *err)
{
	struct id_map uids = { 0 }, gids = { 0 };

	if (subid_ranges(arena, id, &uids, &gids, err) < 0)
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

static const char *need_helper(struct arena *arena, const char *name, struct error *err)
{
	const char *helper = spawn_find(arena, name);

	if (helper)
		return helper;
	error_set(err, ERROR_FAILED, "%s is not installed, and only it may map more than your own id", name);
	error_code(err, "newuidmap-missing");
	error_hint(err, "install the package uidmap, or map only your own id to one id of the container");
	return NULL;
}

int maps_write(struct arena *arena, pid_t pid, const struct id_maps *maps, struct error *err)
{
	const char *newuidmap, *newgidmap;

	if (is_privileged())
		return idmap_write(pid, maps, false, err);
	if (is_own(&maps->uid, geteuid()) && is_own(&maps->gid, getegid()))
		return idmap_write(pid, maps, true, err);
	newuidmap = need_helper(arena, "newuidmap", err);
	newgidmap = newuidmap ? need_helper(arena, "newgidmap", err) : NULL;
	return newgidmap ? maps_write_with_helpers(arena, newuidmap, newgidmap, pid, maps, err) : -1;
}

#include "userns/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/string.h"
#include "hostlib/hostlib.h"
#include "sys/fd.h"
#include "userns/nsswitch.h"

#define FILE_MAX_SIZE ((size_t)16 << 20)
#define EXTENTS_MAX 340

static bool parse_line(struct arena *arena, char *line, struct subid_entry *ret)
{
	char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
	size_t n;

	if (!count || first == line)
		return false;
	*first++ = *count++ = '\0';
	for (n = strlen(count); n > 0 && strchr(" \t\r", count[n - 1]); n--)
		count[n - 1] = '\0';
	if (str_to_u32(first, &ret->first) < 0 || str_to_u32(count, &ret->count) < 0 || ret->count == 0)
		return false;
	if ((uint64_t)ret->first + ret->count > UINT32_MAX)	/* the last id, 2^32-1, means "no id" */
		return false;
	ret->owner = arena_strdup(arena, line);
	return true;
}

struct subid_file subid_parse(struct arena *arena, const char *text, size_t *ret_bad)
{
	struct subid_file file = { 0 };
	size_t bad = 0;

	while (*text) {
		size_t n = strcspn(text, "\n"), blank = strspn(text, " \t\r");
		char *line = arena_strndup(arena, text, n);
		struct subid_entry entry;

		if (blank < n && line[blank] != '#') {
			if (parse_line(arena, line, &entry))
				*ARRAY_ADD(arena, &file) = entry;
			else
				bad++;
		}
		text += n + (text[n] == '\n');
	}
	if (ret_bad)
		*ret_bad = bad;
	return file;
}

bool subid_is_owner(const struct subid_entry *entry, const char *user, uid_t uid)
{
	unsigned number;

	if (str_eq(entry->owner, user))
		return true;
	return str_to_u32(entry->owner, &number) == 0 && number == uid;
}

int subid_read(struct arena *arena, const char *path, struct subid_file *ret, struct error *err)
{
	char *text = fd_read_file(arena, AT_FDCWD, path, FILE_MAX_SIZE, NULL);

	if (!text && errno != ENOENT)
		return error_errno(err, "read %s", path);
	*ret = subid_parse(arena, text ? text : "", NULL);
	return 0;
}

uint32_t subid_free_range(const struct subid_file *uids, const struct subid_file *gids, uint32_t count)
{
	const struct subid_file *files[] = { uids, gids };
	uint64_t at = 100000;

	for (size_t k = 0; k < ELEMENTS(files); k++)
		for (size_t i = 0; i < files[k]->n; i++)
			if ((uint64_t)files[k]->v[i].first + files[k]->v[i].count > at)
				at = (uint64_t)files[k]->v[i].first + files[k]->v[i].count;
	return at + count < UINT32_MAX ? (uint32_t)at : 100000;
}

#define GRANT_MIN 65536u	/* what shadow gives a new user */

uint32_t userns_free_id(struct arena *arena)
{
	struct subid_file uids = { 0 }, gids = { 0 };

	subid_read(arena, SUBUID_FILE, &uids, NULL);
	subid_read(arena, SUBGID_FILE, &gids, NULL);
	return subid_free_range(&uids, &gids, GRANT_MIN);
}

int userns_grant(struct arena *arena, const struct identity *id, uint64_t more, struct error *err)
{
	uint32_t first = userns_free_id(arena), count = more <= GRANT_MIN ? GRANT_MIN : more < UINT32_MAX / 2 ? (uint32_t)more : UINT32_MAX / 2;

	if (id->uid == 0)
		return error_hint(err, "start bryo in a user namespace that has more ids");
	return error_fix_admin(err, "usermod --add-subuids %u-%u --add-subgids %u-%u %s", first,
			       first + count - 1, first, first + count - 1, id->user);
}

/* --- the user's */

static int ranges_from_file(struct arena *arena, const struct identity *id, const char *path, struct id_map *ret,
			    struct error *err)
{
	struct subid_file file;

	if (subid_read(arena, path, &file, err) < 0)
		return -1;
	for (size_t i = 0; i < file.n; i++)
		if (subid_is_owner(&file.v[i], id->user, id->uid))
			idmap_add(arena, ret, 0, file.v[i].first, file.v[i].count);
	return 0;
}

static void add_numbers(struct arena *arena, const uint64_t *numbers, size_t n, struct id_map *ret)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint64_t first = numbers[i], count = numbers[i + 1];

		if (count > 0 && first < UINT32_MAX && count <= UINT32_MAX - first)
			idmap_add(arena, ret, 0, (uint32_t)first, (uint32_t)count);
	}
}

static int ranges_from_library(struct arena *arena, const struct identity *id, struct id_map *uids, struct id_map *gids,
			       struct error *err)
{
	struct hostlib_who who = { .name = id->user };
	struct hostlib_ranges ranges;

	if (hostlib_ask(arena, HOSTLIB_SUBORDINATE_IDS, &who, &ranges, NULL, err) < 0)
		return -1;
	add_numbers(arena, ranges.uids.v, ranges.uids.n, uids);
	add_numbers(arena, ranges.gids.v, ranges.gids.n, gids);
	return 0;
}

/* The first is 1 inside, the others follow. */
static void set_inside(struct id_map *ranges)
{
	uint32_t inside = 1;

	for (size_t i = 0; i < ranges->n; i++) {
		ranges->v[i].inside = inside;
		inside += ranges->v[i].count;
	}
}

int subid_ranges(struct arena *arena, const struct identity *id, struct id_map *ret_uids, struct id_map *ret_gids,
		 struct error *err)
{
	struct id_map uids = { 0 }, gids = { 0 };

	if (nsswitch_has_other_ids(arena)) {
		if (ranges_from_library(arena, id, &uids, &gids, err) < 0)
			return -1;
	} else if (ranges_from_file(arena, id, SUBUID_FILE, &uids, err) < 0 ||
		   ranges_from_file(arena, id, SUBGID_FILE, &gids, err) < 0) {
		return -1;
	}
	set_inside(&uids);
	set_inside(&gids);
	*ret_uids = uids;
	*ret_gids = gids;
	return 0;
}

/* --- ranges as a map */

/* The first id from `at` on, below `end`, that is mapped already; end when none is. *ret_after is behind that extent. */
static uint64_t first_taken(const struct id_map *map, uint64_t at, uint64_t end, uint64_t *ret_after)
{
	uint64_t first = end;

	*ret_after = end;
	for (size_t i = 0; i < map->n; i++) {
		uint64_t from = map->v[i].outside, to = from + map->v[i].count;

		if (to <= at || from >= first)
			continue;
		first = from > at ? from : at;
		*ret_after = to;
	}
	return first;
}

struct id_map subid_to_map(struct arena *arena, uint32_t own, const struct id_map *ranges)
{
	struct id_map map = { 0 };
	uint64_t inside = 1;

	idmap_add(arena, &map, 0, own, 1);
	for (size_t i = 0; i < ranges->n; i++) {
		uint64_t at = ranges->v[i].outside, end = at + ranges->v[i].count, after;

		while (at < end && map.n < EXTENTS_MAX) {
			uint64_t stop = first_taken(&map, at, end, &after), count = stop - at;

			if (inside + count > UINT32_MAX)
				count = UINT32_MAX - inside;
			if (count > 0)
				idmap_add(arena, &map, (uint32_t)inside, (uint32_t)at, (uint32_t)count);
			inside += count;
			at = stop < end ? after : end;
		}
	}
	return map;
}

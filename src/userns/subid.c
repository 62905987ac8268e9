#include "userns/subid.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/string.h"
#include "sys/fd.h"

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

bool subid_uses_nss(const char *nsswitch)
{
	while (*nsswitch) {
		size_t n = strcspn(nsswitch, "\n"), blank = strspn(nsswitch, " \t");
		const char *line = nsswitch + blank, *end = nsswitch + n;

		nsswitch = end + (*end == '\n');
		if (line >= end || !str_starts(line, "subid:"))
			continue;
		line += strlen("subid:");
		line += strspn(line, " \t");
		if (line < end && *line != '#' && !(str_starts(line, "files") && line + 5 <= end))
			return true;
	}
	return false;
}

int subid_read(struct arena *arena, const char *path, struct subid_file *ret, struct error *err)
{
	char *text = fd_read_file(arena, AT_FDCWD, path, FILE_MAX_SIZE, NULL);

	if (!text && errno != ENOENT)
		return error_errno(err, "read %s", path);
	*ret = subid_parse(arena, text ? text : "", NULL);
	return 0;
}

/* --- other sources, through libsubid (shadow's), loaded only when configured */

struct subid_range {		/* as in shadow/subid.h */
	unsigned long start, count;
};
typedef int get_ranges(const char *owner, struct subid_range **ret);
typedef bool init_library(const char *program, FILE *log);

static get_ranges *library_function(void *library, bool gid)
{
	void *f = dlsym(library, gid ? "subid_get_gid_ranges" : "subid_get_uid_ranges");

	return (get_ranges *)(f ? f : dlsym(library, gid ? "get_subgid_ranges" : "get_subuid_ranges"));
}

static int ranges_from_nss(struct arena *arena, const struct identity *id, bool gid, struct id_map *ret,
			   struct error *err)
{
	static const char *const names[] = { "libsubid.so.5", "libsubid.so.4", "libsubid.so.3", "libsubid.so" };
	struct subid_range *ranges = NULL;
	void *library = NULL;
	init_library *init;
	get_ranges *get;
	FILE *quiet;
	int n;

	for (size_t i = 0; i < ELEMENTS(names) && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	get = library ? library_function(library, gid) : NULL;
	if (!get) {
		error_set(err, ERROR_UNSUPPORTED, "nsswitch.conf names a source of subordinate ids, and libsubid is missing");
		return error_hint(err, "sudo apt install libsubid4   (or libsubid5; Fedora, RHEL: shadow-utils-subid)");
	}
	quiet = fopen("/dev/null", "we");
	init = (init_library *)dlsym(library, "subid_init");
	if (!init)
		init = (init_library *)dlsym(library, "libsubid_init");
	if (init)
		init("bryo", quiet);
	n = get(id->user, &ranges);
	for (int i = 0; i < n; i++)
		if (ranges[i].count > 0 && ranges[i].start + ranges[i].count <= UINT32_MAX)
			idmap_add(arena, ret, 0, (uint32_t)ranges[i].start, (uint32_t)ranges[i].count);
	free(ranges);
	if (quiet)
		fclose(quiet);
	return 0;	/* the library stays loaded: its sources may have left threads or handlers */
}

int subid_ranges(struct arena *arena, const struct identity *id, bool gid, struct id_map *ret, struct error *err)
{
	char *nsswitch = fd_read_file(arena, AT_FDCWD, "/etc/nsswitch.conf", 1 << 20, NULL);
	struct id_map ranges = { 0 };
	struct subid_file file;
	uint32_t inside = 1;

	if (nsswitch && subid_uses_nss(nsswitch)) {
		if (ranges_from_nss(arena, id, gid, &ranges, err) < 0)
			return -1;
	} else {
		if (subid_read(arena, gid ? SUBGID_FILE : SUBUID_FILE, &file, err) < 0)
			return -1;
		for (size_t i = 0; i < file.n; i++)
			if (subid_is_owner(&file.v[i], id->user, id->uid))
				idmap_add(arena, &ranges, 0, file.v[i].first, file.v[i].count);
	}
	for (size_t i = 0; i < ranges.n; i++) {
		ranges.v[i].inside = inside;
		inside += ranges.v[i].count;
	}
	*ret = ranges;
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

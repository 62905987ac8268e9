/* What users write after -v, --mount and --tmpfs, and what images name as VOLUME. A destination that was accepted is absolute,
 * without empty parts and not the root; ".." in it is resolved below the container's root when it is mounted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mount_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *d = list->v[i].destination;

		if (str_eq(list->v[i].type, "glob") && !d)	/* that of each file is made when it is known */
			continue;
		if (!d || d[0] != '/' || d[1] == '\0' || strstr(d, "//") || strstr(d, "/./"))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct strings lines = strings_split(arena, arena_strndup(arena, (const char *)data, size), "\n");

	for (size_t i = 0; i < lines.n && i < 64; i++) {
		struct mount_list list = { 0 };
		struct container_mount m = { 0 };
		struct error err = { 0 };

		mounts_parse_volume(arena, lines.v[i], "/cwd", &list, &err);
		mounts_parse_mount(arena, lines.v[i], "/cwd", &list, &err);
		mounts_parse_tmpfs(arena, lines.v[i], &list, &err);
		if (mounts_set_destination(arena, &m, lines.v[i], &err) == 0)
			*ARRAY_ADD(arena, &list) = m;
		check(&list);
	}
	return 0;
}

/* /etc/subuid, and the map made of it: no id may be mapped twice. Also nsswitch.conf. */
#include <stdlib.h>

#include "userns/nsswitch.h"
#include "userns/subid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);
	struct subid_file file = subid_parse(arena, text, NULL);
	struct id_map ranges = { 0 }, map;

	for (size_t i = 0; i < file.n; i++)
		idmap_add(arena, &ranges, 0, file.v[i].first, file.v[i].count);
	map = subid_to_map(arena, 1000, &ranges);
	for (size_t i = 0; i < map.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct id_extent *a = &map.v[i], *b = &map.v[k];

			if (a->count == 0 || (a->outside < (uint64_t)b->outside + b->count &&
					      b->outside < (uint64_t)a->outside + a->count))
				abort();
			if (a->inside < (uint64_t)b->inside + b->count && b->inside < (uint64_t)a->inside + a->count)
				abort();
		}
	nsswitch_sources(arena, text, "subid");
	return 0;
}

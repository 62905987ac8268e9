/* The record of the rootless namespace: what can be read is written again as the same. */
#include <stdlib.h>
#include <string.h>

#include "userns/holder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct holder h, again;
	char *first;

	if (holder_parse(arena, arena_strndup(arena, (const char *)data, size), &h, NULL) < 0)
		return 0;
	first = holder_print(arena, &h);
	if (holder_parse(arena, first, &again, NULL) < 0 || strcmp(first, holder_print(arena, &again)) != 0)
		abort();
	return 0;
}

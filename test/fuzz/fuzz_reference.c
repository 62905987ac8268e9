/* A name that is accepted must print to a name that is accepted and means the same. */
#include "spec/reference.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *text = arena_memdup(arena, data, size), *print;
	struct reference first, second;
	struct error err = { 0 };

	reference_is_object_name(text);
	if (reference_parse(arena, text, &first, &err) < 0)
		return 0;
	print = reference_print(arena, &first);
	if (reference_parse(arena, print, &second, &err) < 0 || !str_eq(first.registry, second.registry) ||
	    !str_eq(first.path, second.path) || strstr(first.path, "..") || strcmp(reference_print(arena, &second), print) != 0)
		abort();
	return 0;
}

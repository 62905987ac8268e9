/* The WWW-Authenticate header of a registry. */
#include <stdint.h>
#include <stdlib.h>

#include "transfer/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct challenges list = { 0 };

	challenge_parse(arena, arena_strndup(arena, (const char *)data, size), &list);
	challenge_choose(&list);
	if (list.n > 16)
		abort();
	return 0;
}

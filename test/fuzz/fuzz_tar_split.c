/* A line of a tar-split. */
#include "spec/tar_split.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct tar_split_entry e;
	struct error err = { 0 };

	if (tar_split_read(arena, (const char *)data, size, &e, &err) < 0) {
		if (!err.kind)
			abort();
		return 0;
	}
	if (e.size < 0 || e.is_file != !e.bytes || (!e.is_file && (size_t)e.size > size))
		abort();
	return 0;
}

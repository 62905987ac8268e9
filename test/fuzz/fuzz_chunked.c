/* A table of contents, and the end of a blob: pieces that are accepted cover the blob without gaps. */
#include "spec/chunked.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct chunked_table table = { .offset = 1008, .size = 10, .plain_size = 10, .begin = 1000 };
	const char *text = arena_memdup(arena, data, size);
	struct chunked_pieces pieces;
	struct error err = { 0 };
	int64_t at = 0;

	chunked_position_parse(text, 1 << 20, &table, NULL);
	if (chunked_footer_parse(data, size < CHUNKED_FOOTER_MAX ? size : CHUNKED_FOOTER_MAX, 1 << 20, &table) &&
	    table.size > (1 << 20) - table.offset)
		abort();
	if (chunked_pieces_read(arena, text, size, &table, &pieces, &err) < 0)
		return 0;
	for (size_t i = 0; i < pieces.n; at += pieces.v[i++].size)
		if (pieces.v[i].offset != at || pieces.v[i].size <= 0)
			abort();
	if (at != table.begin)
		abort();
	return 0;
}

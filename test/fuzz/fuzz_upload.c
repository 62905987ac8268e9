/* What a registry says about an upload: one header a line, Location, Range and OCI-Chunk-Min-Length in turn. */
#include <stdint.h>
#include <stdlib.h>

#include "base/string.h"
#include "spec/upload.h"
#include "transfer/url.h"

#define SIZE ((int64_t)100 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(struct arena *arena, const char **base, const char *location)
{
	struct error err = { 0 };
	char *url = url_resolve(arena, *base, location, &err);

	if (!url != !!err.kind)
		abort();
	if (!url)
		return;
	if (!str_starts(url, "http://") && !str_starts(url, "https://"))
		abort();
	if (str_starts(*base, "https://") && !str_starts(url, "https://"))
		abort();
	if (!url_origin(arena, url_add_parameter(arena, url, "digest", "sha256:0")))
		abort();
	*base = url;
}

static void check_piece(const struct upload_pieces *p, int64_t have)
{
	int64_t piece = upload_piece(p, have, SIZE);

	if (piece < 0 || piece > SIZE - have || (piece == 0) != (have == SIZE))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct strings lines = strings_split(arena, arena_strndup(arena, (const char *)data, size < 4096 ? size : 4096), "\n");
	const char *base = "https://registry.example/v2/a/blobs/uploads/";
	struct upload_pieces pieces = { 0 };

	for (size_t i = 0; i < lines.n; i++) {
		int64_t have = upload_received(lines.v[i], SIZE);

		if (have > SIZE || have < -1)
			abort();
		check_address(arena, &base, lines.v[i]);
		upload_take_least(&pieces, lines.v[i]);
		check_piece(&pieces, have < 0 ? 0 : have);
		if (upload_make_smaller(&pieces, upload_piece(&pieces, 0, SIZE)) && pieces.most < 1)
			abort();
	}
	return 0;
}

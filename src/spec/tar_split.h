/* spec/tar_split - a tar without the contents of its files, as the library tar-split writes it
 *
 * One JSON object a line: a segment has bytes of the tar as they are (headers, padding, the end), a file stands where
 * contents belong, with their size. zstd:chunked blobs carry one in a frame of its own. */
#ifndef BRYO_SPEC_TAR_SPLIT_H
#define BRYO_SPEC_TAR_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define TAR_SPLIT_LINE_MAX ((size_t)8 << 20)

struct tar_split_entry {
	bool is_file;
	int64_t size;			/* of the file's contents, or of the bytes */
	const char *bytes;
};

/* A line without its end. */
int tar_split_read(struct arena *arena, const char *line, size_t n, struct tar_split_entry *ret, struct error *err);

#endif

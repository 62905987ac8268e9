/* spec/chunked - zstd:chunked layers: where in the packed bytes which file lies
 *
 * Such a layer's blob is a series of zstd frames that begin anew with each file (large files: with each chunk), followed
 * by a table of contents in a frame that decoders skip, and a footer that says where the table is; the manifest's
 * annotations say it, too. Equal contents packed by the same program have equal frames, so a blob can be put together from
 * pieces of blobs that are here and of what is missing. A further skipped frame has what lies between the files' contents
 * (spec/tar_split): with contents that are here, whatever brought them, it gives the plain tar. The table is a stranger's:
 * all it can do is to make that fail, because the whole must have the blob's digest or the layer's diff ID. */
#ifndef BRYO_SPEC_CHUNKED_H
#define BRYO_SPEC_CHUNKED_H

#include "base/json.h"
#include "spec/object_name.h"

#define CHUNKED_TABLE_MAX ((int64_t)16 << 20)		/* packed */
#define CHUNKED_PLAIN_MAX ((int64_t)32 << 20)		/* some hundred thousand files */
#define CHUNKED_FOOTER_MAX 64				/* the last bytes of a blob */

#define CHUNKED_SPLIT_MAX ((int64_t)64 << 20)		/* packed; unpacked as it is read */
#define CHUNKED_RATIO_MAX 1100				/* contents to the blob; none that is worth it comes near */

/* The packed table in the blob; pieces of files end where its frame begins. */
struct chunked_table { int64_t offset, size, plain_size, begin; };

/* "manifest-position", "manifest-checksum" and "tarsplit-position" of a layer's annotations, by their newer or older names; NULL. */
const char *chunked_annotation(const struct string_map *annotations, const char *word);
/* From the annotation "OFFSET:SIZE:PLAIN SIZE:TYPE". */
int chunked_position_parse(const char *text, int64_t blob_size, struct chunked_table *ret, struct error *err);
/* From the annotation "OFFSET:SIZE:PLAIN SIZE": the frame with the tar's own bytes, behind the table's. */
int chunked_split_parse(const char *text, const struct chunked_table *table, int64_t blob_size, struct chunked_table *ret,
			struct error *err);
/* From the last n bytes of a blob; false when it has no table. */
bool chunked_footer_parse(const unsigned char *end, size_t n, int64_t blob_size, struct chunked_table *ret);

/* What is between two offsets. Pieces with the same key and size are taken to have the same bytes. */
struct chunked_key { uint64_t a, b; };
struct chunked_piece { int64_t offset, size; struct chunked_key key; };
struct chunked_pieces { struct chunked_piece *v; size_t n; };
/* The pieces of a blob from its first byte to table->begin, without gaps, in order. */
int chunked_pieces_read(struct arena *arena, const char *text, size_t n, const struct chunked_table *table,
			struct chunked_pieces *ret, struct error *err);

/* A file's data: frames from offset to end, the plain bytes in them, and their digest where the table has one. */
struct chunked_content { int64_t offset, end, size; bool has_digest; unsigned char digest[OBJECT_DIGEST_SIZE]; };
struct chunked_contents {
	struct chunked_content *v;	/* in the order of the tar, apart from each other, none empty */
	size_t n;
	char *split_digest;		/* of the packed tar_split; NULL */
};
int chunked_contents_read(struct arena *arena, const char *text, size_t n, const struct chunked_table *table,
			  struct chunked_contents *ret, struct error *err);

#endif

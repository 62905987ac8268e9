/* transfer/codec_chunked - the plain tar of a zstd:chunked layer, put together as it is read
 *
 * What lies between the contents comes from the tar-split, or from the frames between those of the contents; contents
 * come from objects, or from frames. Frames are in a file at the offsets that they have in the blob, whose other bytes are
 * never looked at. Each content that is unpacked must have its size and its digest; the whole is the reader's to verify. */
#ifndef BRYO_TRANSFER_CODEC_CHUNKED_H
#define BRYO_TRANSFER_CODEC_CHUNKED_H

#include "spec/chunked.h"
#include "transfer/inflate.h"

struct chunked_source {
	int fd;				/* the blob with holes; nobody writes to it */
	int64_t size;
	int objects;			/* the directory */
	const struct chunked_content *contents;
	const bool *here;		/* contents that are objects */
	size_t n;
	int64_t frames_end;
	struct chunked_table split;	/* size 0: there is none */
	const char *split_digest;	/* NULL */
};

/* The source outlives the stream. */
struct inflate *inflate_open_chunked(const struct chunked_source *source, struct error *err);

#endif

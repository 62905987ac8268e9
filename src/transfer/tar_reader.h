/* transfer/tar_reader - libarchive's tar reader over an inflate stream
 *
 * Only tar is enabled: foreign bytes meet no other parser. */
#ifndef BRYO_TRANSFER_TAR_READER_H
#define BRYO_TRANSFER_TAR_READER_H

#include <archive.h>
#include <archive_entry.h>

#include "transfer/hash.h"
#include "transfer/inflate.h"
#include "transfer/recipe_maker.h"

struct tar_reader {
	struct archive *archive;
	struct inflate *in;
	struct hash *hash;		/* NULL: no digest wanted */
	struct recipe_maker *recipe;	/* NULL */
	char *block;
	struct error error;		/* of the stream below */
};

int tar_reader_open(struct tar_reader *r, struct inflate *in, struct hash *hash, struct recipe_maker *recipe,
		    struct error *err);
/* 1 and an entry valid until the next call, 0 at the end. */
int tar_reader_next(struct tar_reader *r, struct archive_entry **ret, struct error *err);
/* 1 and a block of the entry's data, 0 at its end; holes of sparse files are not given. */
int tar_reader_data(struct tar_reader *r, const void **ret, size_t *ret_size, int64_t *ret_offset, struct error *err);
/* Where in the stream the block of data lies that was given last. */
int64_t tar_reader_position(const struct tar_reader *r);
/* Reads on to the end of the stream. */
int tar_reader_drain(struct tar_reader *r, struct error *err);
void tar_reader_close(struct tar_reader *r);

#endif

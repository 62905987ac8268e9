/* spec/recipe - how the exact tar of a layer is made from the store's objects
 *
 * A tar is the contents of files and what lies between them: headers, padding, the end. Contents are objects; a recipe
 * has everything else, byte for byte and in order, and says which object comes where. So the tar can be made again bit
 * for bit, whatever wrote it, and a layer need not keep the blob that it was unpacked from.
 *
 * The file: a header (magic, version, number of objects, sizes of the tar and of the file, checksum; little-endian),
 * the digests of the objects in the order in which the steps use them, then the steps, packed. This module knows
 * nothing of the packing: steps are given to a sink and taken from a source. A step is a number (7 bits a byte): how
 * many bytes the tar gets, and in the lowest two bits from where: bytes that follow; the next object from its
 * beginning; the next object, or the same one once more, from the offset that follows. The checksum finds damage, not
 * forgery: what comes out is compared with the layer's diff ID. */
#ifndef BRYO_SPEC_RECIPE_H
#define BRYO_SPEC_RECIPE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "spec/object_name.h"

/* --- writing */

/* Takes steps to be packed. */
typedef int recipe_sink(void *context, const void *p, size_t n, struct error *err);

struct recipe_writer {
	recipe_sink *sink;
	void *context;
	struct buffer objects;		/* their digests */
	int64_t size;			/* of the tar so far */
};

/* limit: bytes of all digests. */
void recipe_begin(struct recipe_writer *w, recipe_sink *sink, void *context, size_t limit);
int recipe_add_bytes(struct recipe_writer *w, const void *p, size_t n, struct error *err);
/* Some bytes of an object. What comes next of the same object, if only by chance, counts as the same one. */
int recipe_add_object(struct recipe_writer *w, const unsigned char *digest, int64_t offset, int64_t size,
		      struct error *err);
/* The file around the steps, which are packed by now; ret is empty and has a limit. */
int recipe_end(struct recipe_writer *w, const void *packed, size_t n, struct buffer *ret, struct error *err);
void recipe_writer_done(struct recipe_writer *w);

/* --- reading: over a mapped file or memory, which must outlive the reader */
struct recipe;

/* Checks header and checksum. where: names it in errors. NULL when it is no whole recipe of this version. */
struct recipe *recipe_open(struct arena *arena, const void *p, size_t n, const char *where, struct error *err);
uint64_t recipe_objects(const struct recipe *r);
const unsigned char *recipe_object(const struct recipe *r, uint64_t i);	/* its digest */
int64_t recipe_tar_size(const struct recipe *r);
const void *recipe_packed(const struct recipe *r, size_t *ret_size);

/* Gives unpacked steps: fills up to n bytes, 0 only at the end. */
typedef ssize_t recipe_source(void *context, void *p, size_t n, struct error *err);

struct recipe_step {
	const void *bytes;		/* NULL: they are of an object */
	const unsigned char *digest;
	int64_t offset, size;		/* size > 0 */
};

void recipe_start(struct recipe *r, recipe_source *source, void *context);
/* 1 and a step valid until the next call, 0 when the tar is complete, -1 when the recipe is damaged. */
int recipe_next(struct recipe *r, struct recipe_step *ret, struct error *err);

#endif

/* spec/recipe_format - the bytes of spec/recipe, known to its writer and its reader */
#ifndef BRYO_SPEC_RECIPE_FORMAT_H
#define BRYO_SPEC_RECIPE_FORMAT_H

#include "spec/layer_format.h"
#include "spec/recipe.h"

#define RECIPE_MAGIC "bryorecp"
#define RECIPE_VERSION 1

/* All numbers little-endian. */
struct recipe_header {
	char magic[8];
	uint32_t version, reserved;
	uint64_t objects, tar_size, size;	/* size: of the whole file */
	uint64_t checksum;			/* of the whole file with zeros here */
};

/* The two lowest bits of a step's number. */
enum recipe_kind { RECIPE_BYTES, RECIPE_OBJECT, RECIPE_PART, RECIPE_SAME, RECIPE_KIND = 3 };

#define RECIPE_NUMBER_MAX 10		/* bytes of a number */
#define RECIPE_SIZE_MAX (INT64_MAX >> 2)	/* of the tar */

/* Digests are whole words: the sum over the parts is the sum over the file. */
static inline uint64_t recipe_checksum(struct recipe_header header, const void *body, size_t n)
{
	header.checksum = 0;
	return layer_sum(layer_sum(0, &header, sizeof(header)), body, n);
}

#endif

/* transfer/recipe_maker - the recipe of a layer (spec/recipe), noted down while its tar is read
 *
 * It sees the stream of plain bytes block by block, and is told which of them are contents of a file and, when that ends,
 * which object has them. Everything else goes into the recipe. Contents are compared with the stream, so what the recipe
 * says is what was read, whatever the reader of the tar makes of it. A recipe that would be larger than it may be, or a
 * tar that has its contents in an order of its own, is given up: that is no error, the layer keeps its blob. */
#ifndef BRYO_TRANSFER_RECIPE_MAKER_H
#define BRYO_TRANSFER_RECIPE_MAKER_H

#include "spec/recipe.h"
#include "transfer/deflate.h"

struct recipe_part { int64_t offset, size; };	/* of a file's contents */

struct recipe_maker {
	struct recipe_writer writer;
	struct deflate *deflate;
	struct buffer packed;
	bool lost;			/* given up */

	/* the stream: what came before the block and is not decided yet, and the block */
	struct buffer carry;
	const unsigned char *block;
	size_t block_size;
	int64_t block_at, done;		/* offsets: of the block; up to where it is decided */

	/* the file at hand */
	struct recipe_part *parts;
	size_t parts_n, parts_room;
};

/* limit: bytes of the recipe. */
int recipe_maker_init(struct recipe_maker *m, size_t limit, struct error *err);
void recipe_maker_done(struct recipe_maker *m);

/* The block at hand is about to go away; whose bytes before `consumed` were not claimed, they will not be. */
void recipe_maker_turn(struct recipe_maker *m, int64_t consumed);
/* The stream's next block, valid until the next turn. */
void recipe_maker_block(struct recipe_maker *m, const void *p, size_t n);
/* The stream's bytes from `at` on, which are p, are those of a file from `offset` on. */
void recipe_maker_part(struct recipe_maker *m, int64_t at, const void *p, size_t n, int64_t offset);
/* The file that the parts since the last call belong to is this object. */
void recipe_maker_object(struct recipe_maker *m, const unsigned char *digest);

/* The stream is at its end: writes <stage>/recipe. 1: made; 0: given up. */
int recipe_maker_finish(struct recipe_maker *m, int stage, struct error *err);

#endif

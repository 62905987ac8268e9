/* transfer/untar - the entries of one tar stream, parsed by libarchive, given to who makes something of them
 *
 * That is transfer/tree, which writes them below a directory (untar_to_tree), or a layer's tree in memory and the
 * store's objects (untar_to_layer). The whole stream is read, also what follows the end mark, so that the digest over
 * the plain bytes is the layer's diff ID. */
#ifndef BRYO_TRANSFER_UNTAR_H
#define BRYO_TRANSFER_UNTAR_H

#include "transfer/hash.h"
#include "transfer/inflate.h"
#include "transfer/layer_tree.h"
#include "transfer/objects.h"
#include "transfer/recipe_maker.h"
#include "transfer/tree.h"

/* All answer 0 or -1. Paths and targets of hard links are clean. */
struct untar_target {
	int (*directory)(void *to, const struct tree_entry *e, struct error *err);
	/* A file's contents come between open and close, in order of their offsets; holes are not given. */
	int (*open_file)(void *to, const struct tree_entry *e, int64_t size, struct error *err);
	int (*write)(void *to, const void *p, size_t n, int64_t offset, struct error *err);
	int (*close_file)(void *to, const struct tree_entry *e, int64_t size, struct error *err);
	int (*symlink)(void *to, const struct tree_entry *e, const char *target, struct error *err);
	int (*hardlink)(void *to, const struct tree_entry *e, const char *target, struct error *err);
	int (*fifo)(void *to, const struct tree_entry *e, struct error *err);
	int (*device)(void *to, const struct tree_entry *e, mode_t type, dev_t device, struct error *err);
	/* NULL: names are names. The paths are those of the archive: dir/.wh.NAME, dir/.wh..wh..opq. */
	int (*mark)(void *to, const char *path, enum tree_mark mark, struct error *err);
	int (*finish)(void *to, struct error *err);
	int (*room)(void *to);			/* a descriptor of the file system that gets the contents */
};

struct untar {
	struct inflate *in;
	const struct untar_target *target;
	void *to;
	struct hash *hash;			/* gets all plain bytes; NULL */
	struct recipe_maker *recipe;		/* notes down how the stream is made; NULL */
	void (*progress)(void *context, uint64_t packed_bytes);	/* NULL */
	void *context;
};

int untar(const struct untar *u, struct error *err);

/* Of a struct tree: with whiteouts, and without. */
extern const struct untar_target untar_to_tree, untar_to_plain_tree;

struct untar_layer {
	struct layer_tree *tree;
	struct objects *objects;
	struct recipe_maker *recipe;		/* hears which object a file became; NULL */
	int64_t size, holes;			/* of the file that is being read; of the whole layer */
	bool whole;				/* it came in one piece */
	int scratch;				/* a file to try attributes on; 0: none yet */
	unsigned char digest[OBJECT_DIGEST_SIZE];
};
extern const struct untar_target untar_to_layer;	/* of a struct untar_layer */

#endif

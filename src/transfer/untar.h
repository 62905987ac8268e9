/* transfer/untar - the entries of one tar stream, parsed by libarchive, written by transfer/tree
 *
 * The whole stream is read, also what follows the end mark, so that the digest over the plain bytes is the layer's
 * diff ID. */
#ifndef BRYO_TRANSFER_UNTAR_H
#define BRYO_TRANSFER_UNTAR_H

#include "transfer/hash.h"
#include "transfer/inflate.h"
#include "transfer/tree.h"

struct untar {
	struct inflate *in;
	struct tree *tree;
	struct hash *hash;			/* gets all plain bytes; NULL */
	void (*progress)(void *context, uint64_t packed_bytes);	/* NULL */
	void *context;
};

int untar(const struct untar *u, struct error *err);

#endif

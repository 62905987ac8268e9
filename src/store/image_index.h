/* store/image_index - the indexes of an image's layers, mapped into memory */
#ifndef BRYO_STORE_IMAGE_INDEX_H
#define BRYO_STORE_IMAGE_INDEX_H

#include "spec/layer_index.h"
#include "store/store.h"

struct image_index {
	struct layer_index **v;		/* bottom first, as layer_merge_open takes them */
	struct image_mapping { void *p; size_t n; } *mappings;
	size_t n;
};

/* What is read from it lives until image_index_close. A damaged index is an error that names its layer. */
int image_index_open(struct arena *arena, const struct store *s, const struct strings *layers, struct image_index *ret,
		     struct error *err);
void image_index_close(struct image_index *x);

#endif

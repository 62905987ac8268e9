/* spec/layer_merge - the indexes of an image's layers as one sorted list of what the image shows
 *
 * One pass over all of them, bottom first in the list of readers. An upper entry takes the place of a lower one; two
 * directories are one, with the attributes of the upper, unless it is only implied (opaque or not); a whiteout, an opaque
 * directory and anything that is no directory hide what lower layers have there and below. Whiteouts and opaque marks are
 * not answered. A hard link stays one as long as the entry that it points to is seen; when an upper layer hides that
 * entry, the first link that is seen becomes the file, and further ones point to it. Memory grows only with files that
 * have links and are hidden. */
#ifndef BRYO_SPEC_LAYER_MERGE_H
#define BRYO_SPEC_LAYER_MERGE_H

#include "spec/layer_index.h"

struct layer_merge;

/* Readers that nothing was read from yet; they are the merge's from now on. */
struct layer_merge *layer_merge_open(struct arena *arena, struct layer_index *const *layers, size_t n);
/* 1 and an entry valid until the next call, 0 at the end, -1. *ret_layer (NULL allowed): the layer it came from. */
int layer_merge_next(struct layer_merge *m, const struct layer_entry **ret, size_t *ret_layer, struct error *err);

#endif

/* transfer/layer_maker - one layer on its way into the store: its tree in memory, the sink of its contents, its index
 *
 * Whoever has entries (an archive, a directory) gives them to the tree and contents to the objects; finish writes
 * <stage>/index. A maker that does not finish leaves objects that no layer names: the store sweeps them. */
#ifndef BRYO_TRANSFER_LAYER_MAKER_H
#define BRYO_TRANSFER_LAYER_MAKER_H

#include "transfer/layer_tree.h"
#include "transfer/objects.h"
#include "transfer/sink.h"

struct layer_maker {
	struct layer_tree *tree;
	struct objects objects;
};

int layer_maker_init(struct layer_maker *m, const struct places *places, const struct tree_options *options,
		     struct error *err);
/* stage: the directory that gets the file `index`. */
int layer_maker_finish(struct layer_maker *m, int stage, struct error *err);
void layer_maker_done(struct layer_maker *m);

#endif

/* store/layer_indexes - the indexes of an image's layers, mapped into memory; and a layer's recipe */
#ifndef BRYO_STORE_LAYER_INDEXES_H
#define BRYO_STORE_LAYER_INDEXES_H

#include "spec/layer_index.h"
#include "spec/recipe.h"
#include "store/store.h"

struct layer_indexes {
	struct layer_index **v;		/* bottom first, as layer_merge_open takes them */
	struct layer_mapping { void *p; size_t n; } *mappings;
	size_t n;
};

/* What is read from it lives until layer_indexes_close. A damaged index is an error that names its layer. */
int layer_indexes_open(struct arena *arena, const struct store *s, const struct strings *layers, struct layer_indexes *ret,
		     struct error *err);
void layer_indexes_close(struct layer_indexes *x);

struct layer_recipe { struct recipe *v; struct layer_mapping mapping; };
/* ERROR_NOT_FOUND when the layer has none, ERROR_INVALID when it is damaged. */
int layer_recipe_open(struct arena *arena, const struct store *s, const char *chain_id, struct layer_recipe *ret,
		      struct error *err);
void layer_recipe_close(struct layer_recipe *x);

#endif

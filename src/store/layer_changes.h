/* store/layer_changes - changes between images as their layers' indexes tell them: nothing is read but lists */
#ifndef BRYO_STORE_LAYER_CHANGES_H
#define BRYO_STORE_LAYER_CHANGES_H

#include "store/changes.h"
#include "store/store.h"

/* What one layer changes in the tree below it. lower: a directory descriptor of the layers below. As changes_of_upper. */
int layer_changes(struct arena *arena, const struct store *s, int lower, char *chain_id, struct changes *ret,
		  struct error *err);
/* What the layers `newer` show that `older` do not, by the digests of contents. All have indexes. */
int layer_changes_between(struct arena *arena, const struct store *s, const struct strings *older,
			  const struct strings *newer, struct changes *ret, struct error *err);

#endif

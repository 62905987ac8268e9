/* store/object - contents of files, kept once by their digest
 *
 * Owns objects/<c>/<21 characters> (spec/object_name): files of mode 0444 that belong to the user, written by
 * bryo-transfer, found by names in the indexes of layers and in their recipes, seen by containers as overlay's data-only
 * layer. An object is never changed. What nobody names is removed by object_sweep. */
#ifndef BRYO_STORE_OBJECT_H
#define BRYO_STORE_OBJECT_H

#include "store/store.h"

/* Removes the objects that no layer's index or recipe names. The caller holds the store's lock exclusively: nobody is about to
 * name further ones. With a damaged index nothing is removed, as it may name anything; a damaged recipe is of no
 * use and keeps nothing. */
int object_sweep(struct arena *arena, const struct store *s, struct error *err);
/* What it would remove, as far as it is older than max_age_ns; the same is asked of the caller. */
int object_unneeded(struct arena *arena, const struct store *s, int64_t max_age_ns, struct store_waste *ret,
		    struct error *err);

#endif

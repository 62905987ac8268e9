/* store/image_tree_budget - which trees of images stay in memory although no container runs on them */
#ifndef BRYO_STORE_IMAGE_TREE_BUDGET_H
#define BRYO_STORE_IMAGE_TREE_BUDGET_H

#include "store/store.h"

/* Are all trees together more than what idle ones may be? Then a collection finds out which are idle. */
bool image_tree_is_over_budget(struct arena *arena, const struct store *s);
/* Drops trees whose image is gone, and idle ones, the longest unused first, until the rest of them fits into the budget.
 * Freeing their memory takes its time: for the collector. */
void image_tree_trim(struct arena *arena, const struct store *s);

#endif

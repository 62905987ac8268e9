/* store/image_tree_budget - which trees of images stay in memory although no container runs on them */
#ifndef BRYO_STORE_IMAGE_TREE_BUDGET_H
#define BRYO_STORE_IMAGE_TREE_BUDGET_H

#include "store/store.h"

/* Drops idle trees, the longest unused first, until the rest of them fits into the budget; never that of chain_id. */
void image_tree_trim(struct arena *arena, const struct store *s, const char *chain_id);

#endif

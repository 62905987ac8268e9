/* store/near - what a misspelt name may have meant
 *
 * Asked only when something was not found; names that cannot be listed are not offered. */
#ifndef BRYO_STORE_NEAR_H
#define BRYO_STORE_NEAR_H

#include "store/store.h"

enum near_kind { NEAR_CONTAINER, NEAR_IMAGE, NEAR_VOLUME, NEAR_NETWORK };

/* Adds the hint "did you mean NAME?" when a name is close, and returns -1. Does nothing without an error. */
int near_hint(const struct store *s, enum near_kind kind, const char *name, struct error *err);

#endif

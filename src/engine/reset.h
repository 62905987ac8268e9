/* engine/reset - everything goes: containers, images, volumes, the store and the rootless namespace */
#ifndef BRYO_ENGINE_RESET_H
#define BRYO_ENGINE_RESET_H

#include "engine/engine.h"

/* Refuses a --root that is no store, before anything is made or removed: 1 there is a store, 0 there is none. */
int reset_check(struct engine *e, struct error *err);
/* Where the store and the runtime directory are. */
void reset_paths(struct engine *e, char **ret_store, char **ret_runtime);
/* The engine cannot be used afterwards. What lies in the store's directory and is not the store's goes to *ret_left. */
int reset_everything(struct engine *e, struct strings *ret_left, struct error *err);

#endif

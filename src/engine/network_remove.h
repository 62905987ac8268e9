/* engine/network_remove - networks go: rm, prune */
#ifndef BRYO_ENGINE_NETWORK_REMOVE_H
#define BRYO_ENGINE_NETWORK_REMOVE_H

#include "engine/engine.h"

/* Refuses with ERROR_IN_USE when containers are on it; force removes those. */
int network_rm(struct engine *e, const char *name, bool force, int64_t timeout_s, struct error *err);
int network_prune(struct engine *e, const struct strings *filters, struct strings *ret_names, struct error *err);

#endif

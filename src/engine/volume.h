/* engine/volume - volumes: create, list, inspect, remove, prune */
#ifndef BRYO_ENGINE_VOLUME_H
#define BRYO_ENGINE_VOLUME_H

#include "engine/engine.h"
#include "store/volume.h"

struct volume_request { char *name, *driver; struct strings labels, options; bool ignore, anonymous; };
int volume_new(struct engine *e, const struct volume_request *r, struct volume *ret, struct error *err);
int volume_rows(struct engine *e, const struct strings *filters, struct json **ret, struct error *err);
int volume_inspect(struct engine *e, const char *name, struct json **ret, struct error *err);
/* Refuses with ERROR_IN_USE when containers use it; force removes those. */
int volume_rm(struct engine *e, const char *name, bool force, struct error *err);
/* Removes what was made only to look at it, but for what a container has come to use meanwhile. */
void volume_unmake(struct engine *e, const struct strings *names);
int volume_prune(struct engine *e, const struct strings *filters, struct strings *ret_names, struct error *err);

#endif

/* engine/usage - what a container takes on disk and which namespaces its process is in */
#ifndef BRYO_ENGINE_USAGE_H
#define BRYO_ENGINE_USAGE_H

#include "engine/container.h"

/* Bytes that the container wrote itself, and those with all of its image. What vanishes while it is counted is not
 * counted. */
void usage_size(struct engine *e, const struct container *c, int64_t *ret_rw, int64_t *ret_root);
/* Bytes of the regular files in a tree. */
int64_t usage_tree(const char *path);
/* {"Mnt": "4026531840", ...} of a running process; empty texts for what cannot be read. */
struct json *usage_namespaces(struct arena *arena, int64_t pid);

#endif

/* engine/copy - files into and out of containers, running or not */
#ifndef BRYO_ENGINE_COPY_H
#define BRYO_ENGINE_COPY_H

#include "engine/container.h"

/* The container's root as a directory descriptor: of the running process, or mounted for this call in a private mount
 * namespace of the caller. */
int container_root(struct engine *e, const struct container *c, int *ret_root, struct error *err);
/* src and dst are "CTR:PATH", "PATH" or "-" (a tar on stdin or stdout), with docker cp's rules. */
struct copy_request { char *source, *destination; bool archive, overwrite; };
int container_copy(struct engine *e, const struct copy_request *r, struct error *err);

#endif

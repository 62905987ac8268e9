/* engine/update - other limits and another restart policy for a container that exists */
#ifndef BRYO_ENGINE_UPDATE_H
#define BRYO_ENGINE_UPDATE_H

#include "engine/container.h"

/* Of changes only the limits and the restart policy count, NULL and empty ones not. They are checked together with what the
 * container has, applied to it while it runs, and kept in its configuration. A running container without a cgroup, or
 * without the controller that a limit needs, is an error, and nothing is kept. */
int container_update(struct engine *e, struct container *c, const struct create_request *changes, struct error *err);

#endif

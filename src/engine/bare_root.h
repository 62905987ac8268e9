/* engine/bare_root - a container's file tree without anything that is mounted in it
 *
 * Of a stopped container its root is mounted for this process; of a running one the root mount alone is borrowed from
 * its mount namespace, live. Volumes, /proc and the files of the engine are not in it: their mount points are. */
#ifndef BRYO_ENGINE_BARE_ROOT_H
#define BRYO_ENGINE_BARE_ROOT_H

#include "engine/container.h"

/* A directory descriptor. May give the process a mount namespace of its own; keeps the container from being started
 * until the process ends. */
int bare_root_open(struct engine *e, const struct container *c, struct error *err);
/* A running container's root alone, as a detached mount that can be attached elsewhere. */
int bare_root_borrow(const struct container_state *s, struct error *err);
/* Owners in it as the container numbers them: fills the request's maps. */
int bare_root_maps(struct engine *e, const struct container *c, struct id_maps *maps, struct transfer_request *ret,
		   struct error *err);

#endif

/* userns/maps - the maps of a rootless user's namespaces, and writing them with and without privilege */
#ifndef BRYO_USERNS_MAPS_H
#define BRYO_USERNS_MAPS_H

#include "userns/userns.h"

/* newuidmap and newgidmap (their paths) for a child in a new user namespace. */
int maps_write_with_helpers(struct arena *arena, const char *newuidmap, const char *newgidmap, pid_t pid,
			    const struct id_maps *maps, struct error *err);
/* The caller's own id to 0, his subordinate ids from 1 on. -1 with a reason when he has none, or no helpers. */
int maps_rootless(struct arena *arena, const struct identity *id, struct id_maps *ret, struct error *err);
/* The caller's own id to 0, nothing else. */
struct id_maps maps_single(struct arena *arena, const struct identity *id);
/* Writes any maps for a child in a new user namespace: directly with the privilege or when they are of the caller's own
 * ids only (then setgroups is denied, as the kernel wants it), else through newuidmap and newgidmap. */
int maps_write(struct arena *arena, pid_t pid, const struct id_maps *maps, struct error *err);

#endif

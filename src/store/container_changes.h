/* store/container_changes - what a container's files have that its image has not, and where they can be read */
#ifndef BRYO_STORE_CONTAINER_CHANGES_H
#define BRYO_STORE_CONTAINER_CHANGES_H

#include "store/changes.h"
#include "store/container.h"

/* *ret_root (NULL: not wanted) is a directory that has the changed and added entries under their paths: the
 * overlay's upper directory, or the container's whole tree. maps: the container's own id map, as at its creation.
 * May give the process a mount namespace of its own. */
int container_store_changes(struct arena *arena, struct store *s, const char *id, const struct id_maps *maps,
			    struct changes *ret, int *ret_root, struct error *err);

#endif

/* store/skeleton - the mount points that every container needs, as the lowest layer of all overlays
 *
 * skeleton/ has the empty files and directories that the runtime mounts over (/etc/hosts, /etc/resolv.conf, /proc ...).
 * Where an image lacks them they need not be made in each container's writable layer: starts are quicker, and the
 * writable layer has nothing in it that the container did not write. An image's tree in memory has them itself. */
#ifndef BRYO_STORE_SKELETON_H
#define BRYO_STORE_SKELETON_H

#include "store/store.h"

int skeleton_make(const struct store *s, struct error *err);
/* What is missing of it into the tree of an image, whose directories keep their times. */
int skeleton_add(int root, struct error *err);
/* The absolute path, or NULL when somebody removed it: then the mount points are made where they are needed. */
char *skeleton_path(struct arena *arena, const struct store *s);

#endif

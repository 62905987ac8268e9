/* store/image_tree_view - an image's tree with other owners: an id-mapped mount of it, kept from start to start
 *
 * To make one takes a user namespace that carries the map, and a detached mount, which the kernel needs long to close:
 * together a tenth of a container's start. So it stays mounted, in the tree's own file system beside the tree, and goes
 * with that. A tree keeps a few views; beyond that the longest unused ones are unmounted. */
#ifndef BRYO_STORE_IMAGE_TREE_VIEW_H
#define BRYO_STORE_IMAGE_TREE_VIEW_H

#include "store/store.h"
#include "sys/idmap.h"

/* place: the path of a mounted tree below the runtime directory. maps: container ids to ids of the rootless namespace.
 * A descriptor as overlay takes it; -1 with errno, ENOENT when there is no tree. */
int image_tree_view_open(const struct store *s, const char *place, const struct id_maps *maps);

#endif

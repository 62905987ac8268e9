/* store/image_tree - what an image shows, as a tree in memory that overlay takes for its lower layer
 *
 * Each image that is in use has a small file system in memory (tmpfs) with all its names and attributes; files in it are
 * stubs that redirect to objects/. It is made from the layers' indexes when the first container of the image starts
 * after boot, and mounted at <runtime directory>/trees/<top chain ID>, in the mount namespace that the rootless
 * namespace's holder keeps. Nothing of it is ever half-made: it is filled while it is mounted nowhere, so a killed maker
 * leaves nothing, and a second one waits for the first. One tree serves every id map, by mounts that show other ids (store/image_tree_view).
 *
 * Containers hold the file system itself, not its place: a tree can be unmounted at any time, and its memory is free
 * when the last container that stands on it has ended. Trees that no running container needs are unmounted, the longest
 * unused first, as soon as they are more than a budget. */
#ifndef BRYO_STORE_IMAGE_TREE_H
#define BRYO_STORE_IMAGE_TREE_H

#include "store/store.h"
#include "sys/idmap.h"

/* A descriptor of the tree, made first where it is missing, as overlay takes it. maps (container ids to ids of the
 * rootless namespace): a view of it that shows owners so; NULL or empty: as they are. The caller knows that the layers
 * have their indexes, and holds what keeps them (the store's lock, a container). */
int image_tree_open(struct store *s, const struct strings *layers, const struct id_maps *maps, struct error *err);
/* The image's tree is not needed any more. */
void image_tree_drop(const struct store *s, const char *chain_id);
/* In an empty directory: the whole tree, stubs over what overlay knows as /c/... of its data-only layer. */
int image_tree_fill(struct arena *arena, const struct store *s, const struct strings *layers, int root,
		    struct error *err);

#endif

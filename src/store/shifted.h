/* store/shifted - an image's tree with other owners, for containers with an id map of their own
 *
 * layers/<top chain-id>/maps/<name>/ is the flattened image, its owners translated by one map, which maps/<name>.json
 * records. It is made once (by copy, with reflinks where the file system has them), found by a name derived from the map,
 * and goes with its layer. */
#ifndef BRYO_STORE_SHIFTED_H
#define BRYO_STORE_SHIFTED_H

#include "store/store.h"
#include "sys/idmap.h"

/* Makes the tree where it is missing. *ret_path is below the store's root. */
int shifted_need(struct arena *arena, struct store *s, const struct strings *layers, const struct id_maps *maps,
		 char **ret_path, struct error *err);

/* Names of the trees that stand for the image up to this layer. */
struct strings shifted_list(struct arena *arena, const struct store *s, const char *chain_id);
/* The maps of one of them, as recorded. */
int shifted_maps(struct arena *arena, const struct store *s, const char *chain_id, const char *name, struct id_maps *ret,
		 struct error *err);
char *shifted_path(struct arena *arena, const char *chain_id, const char *name);
/* Such a tree's files into an empty directory. */
int shifted_copy(const struct store *s, const struct strings *layers, const struct id_maps *maps, int target,
		 struct error *err);

#endif

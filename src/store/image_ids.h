/* store/image_ids - do id maps have every owner of an image's files? */
#ifndef BRYO_STORE_IMAGE_IDS_H
#define BRYO_STORE_IMAGE_IDS_H

#include "store/store.h"
#include "sys/idmap.h"

/* 0, or an error that names the first file whose owner is not mapped, where the layers have indexes. */
int image_ids_check(struct arena *arena, const struct store *s, const struct strings *layers,
		    const struct id_maps *maps, struct error *err);

/* The largest ids in the layers, from their records. */
int image_ids_largest(struct arena *arena, const struct store *s, const struct strings *layers, uint64_t *ret_uid,
		      uint64_t *ret_gid, struct error *err);
/* Adds to such an error how many ids the image needs. */
int image_ids_hint(struct arena *arena, const struct store *s, const struct strings *layers, struct error *err);

#endif

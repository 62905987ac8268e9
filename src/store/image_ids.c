#include "store/image_ids.h"

#include "spec/layer_merge.h"
#include "store/layer.h"
#include "store/layer_indexes.h"

/* Does the map have all ids from 0 to max? */
static bool has_all(const struct id_map *map, uint64_t max)
{
	uint64_t at = 0;

	for (size_t i = 0; i < map->n && at <= max; i++) {
		const struct id_extent *e = &map->v[i];

		if (e->inside <= at && at - e->inside < e->count) {
			at = (uint64_t)e->inside + e->count;
			i = SIZE_MAX;	/* extents come in any order */
		}
	}
	return at > max;
}

static int check_entry(const struct layer_entry *e, const struct id_maps *maps, struct error *err)
{
	if (e->type == LAYER_DEVICE || e->type == LAYER_HARDLINK)
		return 0;
	if (idmap_to_outside(&maps->uid, e->uid) != ID_NONE && idmap_to_outside(&maps->gid, e->gid) != ID_NONE)
		return 0;
	return error_set(err, ERROR_DENIED, "/%s belongs to %u:%u, which the id map does not have", e->path, e->uid, e->gid);
}

/* The slow way, for maps with holes: only files that are there count. */
static int check_all(struct arena *arena, const struct store *s, const struct strings *layers,
		     const struct id_maps *maps, struct error *err)
{
	struct layer_indexes x;
	struct layer_merge *merge;
	const struct layer_entry *e;
	int more;

	if (layer_indexes_open(arena, s, layers, &x, err) < 0)
		return -1;
	merge = layer_merge_open(arena, x.v, x.n);
	while ((more = layer_merge_next(merge, &e, NULL, err)) > 0 && (more = check_entry(e, maps, err)) == 0)
		;
	layer_indexes_close(&x);
	return more;
}

int image_ids_check(struct arena *arena, const struct store *s, const struct strings *layers,
		    const struct id_maps *maps, struct error *err)
{
	struct layer layer;

	for (size_t i = 0; !s->single_id && i < layers->n; i++) {
		if (layer_read(arena, s, layers->v[i], &layer, err) < 0)
			return -1;
		if (!has_all(&maps->uid, layer.max_uid) || !has_all(&maps->gid, layer.max_gid))
			return check_all(arena, s, layers, maps, err);
	}
	return 0;
}

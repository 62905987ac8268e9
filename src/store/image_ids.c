#include "store/image_ids.h"

#include "spec/layer_merge.h"
#include "store/layer.h"
#include "store/layer_indexes.h"

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

int image_ids_largest(struct arena *arena, const struct store *s, const struct strings *layers, uint64_t *ret_uid,
		      uint64_t *ret_gid, struct error *err)
{
	struct layer layer;

	*ret_uid = *ret_gid = 0;
	for (size_t i = 0; i < layers->n; i++) {
		if (layer_read(arena, s, layers->v[i], &layer, err) < 0)
			return -1;
		*ret_uid = layer.max_uid > *ret_uid ? layer.max_uid : *ret_uid;
		*ret_gid = layer.max_gid > *ret_gid ? layer.max_gid : *ret_gid;
	}
	return 0;
}

int image_ids_hint(struct arena *arena, const struct store *s, const struct strings *layers, struct error *err)
{
	uint64_t uid, gid;

	if (!error_is(err, ERROR_DENIED) || image_ids_largest(arena, s, layers, &uid, &gid, NULL) < 0)
		return -1;
	return error_hint(err, "files of this image belong to users up to %llu and groups up to %llu: have these ids mapped, too (a size= of "
			  "%llu or more)", (unsigned long long)uid, (unsigned long long)gid, (unsigned long long)(uid > gid ? uid : gid) + 1);
}

int image_ids_check(struct arena *arena, const struct store *s, const struct strings *layers,
		    const struct id_maps *maps, struct error *err)
{
	uint64_t uid, gid;

	if (s->single_id)
		return 0;
	if (image_ids_largest(arena, s, layers, &uid, &gid, err) < 0)
		return -1;
	if (idmap_has(&maps->uid, 0, uid + 1) && idmap_has(&maps->gid, 0, gid + 1))
		return 0;
	for (size_t i = 0; i < layers->n; i++)
		if (!layer_has(s, layers->v[i], LAYER_INDEX))
			return error_set(err, ERROR_DENIED, "files of the image belong to users up to %llu and groups up to %llu, which the id "
					 "map does not have", (unsigned long long)uid, (unsigned long long)gid);
	return check_all(arena, s, layers, maps, err);
}

#include "engine/take.h"

#include <errno.h>
#include <sys/stat.h>

#include "engine/events.h"
#include "spec/chunked.h"
#include "store/blob.h"
#include "store/layer.h"
#include "sys/fd.h"

struct missing {
	struct strings stages;			/* "<stage>/<number>", one for each missing layer */
	struct { size_t *v; size_t n; } layers;	/* their places in the image */
	struct transfer_request request;
};

static void add_ranges(struct arena *arena, void *ranges, const struct id_map *map)
{
	ARRAY(int64_t) *list = ranges;

	for (size_t i = 0; i < map->n; i++) {
		*ARRAY_ADD(arena, list) = map->v[i].inside;
		*ARRAY_ADD(arena, list) = map->v[i].count;
	}
}

void take_ranges(struct engine *e, struct transfer_request *r)
{
	r->squash_owner = e->identity.single_id;
	add_ranges(e->arena, &r->uid_ranges, &e->identity.maps.uid);
	add_ranges(e->arena, &r->gid_ranges, &e->identity.maps.gid);
	if (e->identity.uid != 0) {
		r->user = e->identity.user;
		r->free_id = userns_free_id(e->arena);
	}
}

static void note_existing(struct engine *e, const struct image_descriptor *layer)
{
	char *id = arena_printf(e->arena, "%.12s", digest_hex(layer->digest));
	struct transfer_event event = { .event = "progress", .id = id, .status = "Already exists",
					.current = layer->size, .total = layer->size };

	if (e->face.progress)
		e->face.progress(e->face.context, &event);
}

/* What a registry has, or what is the tar itself, need not stay once the layer has its recipe. What came compressed from a
 * file nobody else may have. */
static bool may_spare_blob(struct engine *e, const struct take *take, const struct image_descriptor *blob)
{
	enum layer_compression packing;

	if (e->store.driver != DRIVER_OBJECTS || take->keep_blobs)
		return false;
	return take->source || (image_layer_compression(blob->media_type, &packing) == 0 && packing == LAYER_PLAIN);
}

static void add_layer(struct engine *e, struct missing *m, const struct take *take, const struct transfer_image *found,
		      size_t i, const char *stage)
{
	const struct image_descriptor *d = &found->layers.v[i];
	char *place = arena_printf(e->arena, "%s/%zu", stage, i);

	strings_add(e->arena, &m->stages, place);
	*ARRAY_ADD(e->arena, &m->layers) = i;
	*ARRAY_ADD(e->arena, &m->request.layers) = (struct transfer_layer){
		.digest = d->digest, .media_type = d->media_type, .size = d->size, .diff_id = found->diff_ids.v[i],
		.stage = place, .recipe = may_spare_blob(e, take, d),
		.toc_position = (char *)(uintptr_t)chunked_annotation(&d->annotations, "manifest-position"),
		.toc_digest = (char *)(uintptr_t)chunked_annotation(&d->annotations, "manifest-checksum"),
		.split_position = (char *)(uintptr_t)chunked_annotation(&d->annotations, "tarsplit-position"),
	};
}

/* A layer whose blob was found damaged and removed, or its recipe, is brought again, for those who push or verify it. */
static bool is_whole(struct engine *e, const struct take *take, const struct transfer_image *found, size_t i)
{
	const char *chain_id = found->chain_ids.v[i];

	return layer_exists(&e->store, chain_id) && (!take->source || blob_exists(&e->store, found->layers.v[i].digest) ||
						     (layer_has_recipe(&e->store, chain_id) && !take->keep_blobs));
}

/* The same chain ID twice cannot be: each has its parent in it. */
static int find_missing(struct engine *e, const struct take *take, const struct transfer_image *found,
			const char *stage, struct missing *m, struct error *err)
{
	for (size_t i = 0; i < found->layers.n; i++) {
		if (is_whole(e, take, found, i)) {
			note_existing(e, &found->layers.v[i]);
			continue;
		}
		add_layer(e, m, take, found, i, stage);
		if (mkdirat(e->store.tmp_fd, m->stages.v[m->stages.n - 1], 0700) < 0)
			return error_errno(err, "make a stage for layer %zu", i + 1);
	}
	m->request.op = "layers";
	m->request.source = (struct transfer_source *)(uintptr_t)take->source;
	m->request.retries = take->retries;
	take_ranges(e, &m->request);
	m->request.objects = e->store.driver == DRIVER_OBJECTS;
	return 0;
}

/* Of those, too, that were here before. */
static int keep_blobs(struct engine *e, const struct transfer_image *found, struct error *err)
{
	for (size_t i = 0; i < found->chain_ids.n; i++)
		if (layer_keep_blob(e->arena, &e->store, found->chain_ids.v[i], err) < 0)
			return -1;
	return 0;
}

static int commit_layers(struct engine *e, const struct transfer_image *found, const struct missing *m,
			 const struct transfer_event *result, struct error *err)
{
	struct layer *layers = arena_new_array(e->arena, struct layer, m->layers.n);

	if (result->unpacked.n != m->layers.n)
		return error_set(err, ERROR_FAILED, "bryo-transfer unpacked %zu of %zu layers", result->unpacked.n, m->layers.n);
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct image_descriptor *d = &found->layers.v[m->layers.v[i]];
		const struct transfer_unpacked *u = &result->unpacked.v[i];

		layers[i] = (struct layer){
			.chain_id = found->chain_ids.v[m->layers.v[i]], .diff_id = found->diff_ids.v[m->layers.v[i]],
			.blob_digest = d->digest, .blob_media_type = d->media_type, .blob_size = d->size,
			.size = u->size, .max_uid = (uint64_t)u->max_uid, .max_gid = (uint64_t)u->max_gid,
			.elsewhere = u->recipe,
		};
	}
	return layer_commit_all(e->arena, &e->store, (const char *const *)m->stages.v, layers, m->layers.n, err);
}

static int bring_layers(struct engine *e, struct transfer *t, const struct take *take,
			const struct transfer_image *found, const char *stage, struct error *err)
{
	struct missing m = { 0 };
	struct transfer_event result;

	if (find_missing(e, take, found, stage, &m, err) < 0)
		return -1;
	if (m.layers.n == 0)
		return 0;
	if (transfer_call(e, t, &m.request, NULL, 0, &result, err) < 0)
		return -1;
	return commit_layers(e, found, &m, &result, err);
}

static int describe(struct engine *e, const struct take *take, const struct transfer_image *found, struct image *ret,
		    struct error *err)
{
	struct image_config config = { 0 };
	struct layer layer;
	size_t size;
	char *text = blob_read(e->arena, &e->store, found->config_digest, IMAGE_CONFIG_MAX, &size, err);

	if (!text || image_config_decode(e->arena, text, size, &config, err) < 0)
		return -1;
	*ret = (struct image){
		.id = found->id, .config_digest = found->config_digest, .manifest_digest = found->manifest_digest,
		.manifest_media_type = found->manifest_media_type, .layers = found->chain_ids, .digests = take->digests,
		.created = config.created, .architecture = config.architecture, .os = config.os, .variant = config.variant,
	};
	for (size_t i = 0; i < found->chain_ids.n; i++) {
		if (layer_read(e->arena, &e->store, found->chain_ids.v[i], &layer, err) < 0)
			return -1;
		ret->size += layer.size;
	}
	return 0;
}

/* What was recorded under the id before keeps its digests: the same image may come from several places. */
static void keep_digests(struct engine *e, struct image *image)
{
	struct strings more = image->digests;
	struct image before;

	if (image_read(e->arena, &e->store, image->id, &before, NULL) < 0)
		return;
	image->digests = before.digests;
	for (size_t i = 0; i < more.n; i++)
		if (!strings_has(&image->digests, more.v[i]))
			strings_add(e->arena, &image->digests, more.v[i]);
}

static int name_image(struct engine *e, const struct take *take, struct image *image, struct error *err)
{
	char *old;

	keep_digests(e, image);
	if (image_commit(e->arena, &e->store, image, take->names.n ? take->names.v[0] : NULL, &old, err) < 0)
		return -1;
	for (size_t i = 1; i < take->names.n; i++)
		if (image_tag(e->arena, &e->store, image, take->names.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < take->names.n; i++)
		strings_add(e->arena, &image->names, take->names.v[i]);
	if (take->event)
		event_add(e, "image", take->event, image->id, take->names.n ? take->names.v[0] : "", NULL, NULL);
	return 0;
}

int image_take(struct engine *e, struct transfer *t, const struct take *take, const struct transfer_image *found,
	       struct image *ret, struct error *err)
{
	char *stage;
	int lock = store_stage(e->arena, &e->store, &stage, err), result;

	if (lock < 0)
		return -1;
	result = bring_layers(e, t, take, found, stage, err);
	if (result == 0 && take->keep_blobs)
		result = keep_blobs(e, found, err);
	if (result == 0)
		result = describe(e, take, found, ret, err);
	if (result == 0)
		result = name_image(e, take, ret, err);
	store_stage_done(&e->store, stage, &lock);
	return result;
}

void image_take_done(struct engine *e, const struct image *image)
{
	store_spare_blobs(e->arena, &e->store, &image->layers);
}

void image_take_failed(struct engine *e, const struct error *err)
{
	if (!transfer_may_pass(err))
		store_sweep(e->arena, &e->store, NULL, NULL);
}

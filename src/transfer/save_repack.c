/* Layers that cannot be written as they are stored: zstd in a manifest of Docker's, plain ones where they are to be
 * compressed, and compressed ones whose blob cannot be had, by their recipes. As many processes as there are processors make
 * new blobs of them, unnamed files in tmp/. */
#include "transfer/save.h"

#include "spec/media_type.h"
#include "transfer/jobs.h"
#include "transfer/remake.h"
#include "transfer/repack.h"

#define PARALLEL_MAX 16

/* One stored blob, and what becomes of it; images may share it. */
struct task {
	const char *digest, *chain_id, *diff_id;
	struct progress progress;
	bool started, done;
	struct repack repack;
};

struct tasks { struct save *save; struct task *v; size_t n, running, running_max; };

/* --- what is here */

static bool is_here(const struct save *s, const char *digest)
{
	for (size_t i = 0; i < s->repacked.n; i++)
		if (str_eq(s->repacked.v[i].digest, digest))
			return true;
	return sink_has(&s->work->places, digest, -1);
}

/* The same blob may be a layer of several chains. */
const char *save_recipe_of(const struct save *s, const struct image_descriptor *d)
{
	if (is_here(s, d->digest))
		return NULL;
	for (size_t i = 0; i < s->images.n; i++)
		for (size_t k = 0; k < s->images.v[i].m.layers.n; k++)
			if (str_eq(s->images.v[i].m.layers.v[k].digest, d->digest) &&
			    remake_can(&s->work->places, s->images.v[i].chain_ids.v[k]))
				return s->images.v[i].chain_ids.v[k];
	return NULL;
}

static bool must_change(const struct save *s, const struct image_descriptor *layer, bool docker)
{
	enum layer_compression packing;

	if (image_layer_compression(layer->media_type, &packing) < 0)
		return false;
	if (packing != LAYER_PLAIN && s->request->remake && save_recipe_of(s, layer))
		return true;
	return packing == LAYER_PLAIN ? str_eq(s->request->compression, "gzip") : packing == LAYER_ZSTD && docker;
}

/* Where nothing is to be compressed, the tar will do. */
static bool make_plain(struct save *s, struct save_image *image, size_t layer)
{
	struct image_descriptor *d = &image->m.layers.v[layer];
	const char *chain_id = save_recipe_of(s, d);
	struct inflate *in;

	if (!str_eq(s->request->format, "oci") || s->request->compression || !chain_id)
		return false;
	in = remake_open(&s->work->places, chain_id, &d->size, NULL);
	if (!in)
		return false;
	inflate_close(in);
	d->digest = image->c.rootfs.diff_ids.v[layer];
	d->media_type = (char *)(uintptr_t)media_type_layer(LAYER_PLAIN, false);
	d->annotations = (struct string_map){ 0 };
	return image->changed = true;
}

static bool is_missing(struct save *s, struct save_image *image, size_t layer)
{
	const struct image_descriptor *d = &image->m.layers.v[layer];
	enum layer_compression packing;

	if (is_here(s, d->digest) || image_layer_compression(d->media_type, &packing) < 0)
		return false;
	if (save_recipe_of(s, d) && (packing == LAYER_PLAIN || must_change(s, d, str_eq(s->request->format, "docker-dir"))))
		return false;
	return !make_plain(s, image, layer);
}

void save_find_missing(struct save *s, struct transfer_event *ret)
{
	if (str_eq(s->request->format, "docker-archive"))
		return;
	for (size_t i = 0; i < s->images.n && !ret->missing.n; i++) {
		for (size_t k = 0; k < s->images.v[i].m.layers.n; k++)
			if (is_missing(s, &s->images.v[i], k))
				*ARRAY_ADD(s->work->arena, &ret->missing) = s->images.v[i].m.layers.v[k];
		if (ret->missing.n)
			*ARRAY_ADD(s->work->arena, &ret->images) = (struct transfer_image){ .id = s->images.v[i].asked->id };
	}
}

/* --- what is made anew */

static struct task *task_of(struct task *v, size_t n, const char *digest)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].digest, digest))
			return &v[i];
	return NULL;
}

static void find_tasks(struct save *s, bool docker, struct tasks *ret)
{
	ARRAY(struct task) found = { 0 };

	for (size_t i = 0; i < s->images.n; i++) {
		const struct save_image *image = &s->images.v[i];

		for (size_t k = 0; k < image->m.layers.n; k++) {
			const struct image_descriptor *d = &image->m.layers.v[k];
			struct task *t;

			if (!must_change(s, d, docker) || task_of(found.v, found.n, d->digest))
				continue;
			t = ARRAY_ADD(s->work->arena, &found);
			*t = (struct task){ .digest = d->digest, .chain_id = save_recipe_of(s, d), .diff_id = image->c.rootfs.diff_ids.v[k],
					    .repack = { .pipe = -1, .fd = -1 } };
			progress_init(&t->progress, s->work->channel, d->digest, d->size);
		}
	}
	*ret = (struct tasks){ s, found.v, found.n, 0, jobs_processors(PARALLEL_MAX) };
}

static int start(void *context, size_t i, struct error *err)
{
	struct tasks *all = context;
	struct task *t = &all->v[i];
	const struct repack_request r = { t->digest, t->chain_id, t->diff_id, LAYER_GZIP, NULL };

	if (t->started || all->running == all->running_max)
		return 0;
	if (repack_start(&t->repack, all->save->work, &r, err) < 0)
		return error_frame(err, "layer %.19s", t->digest);
	t->started = true;
	all->running++;
	progress_note(&t->progress, "Compressing", 0);
	return 0;
}

static int hear(void *context, size_t i, struct error *err)
{
	struct tasks *all = context;
	struct task *t = &all->v[i];
	int64_t consumed = 0;
	int state = t->started && !t->done ? repack_read(&t->repack, &consumed, err) : 0;

	if (state < 0)
		return error_frame(err, "layer %.19s", t->digest);
	if (state > 0) {
		t->done = true;
		all->running--;
	} else if (consumed) {
		progress_note(&t->progress, "Compressing", consumed);
	}
	return 0;
}

static int pipe_of(const void *all, size_t i)
{
	const struct task *t = &((const struct tasks *)all)->v[i];

	return t->started && !t->done ? t->repack.pipe : -1;
}

static bool is_done(const void *all, size_t i)
{
	return ((const struct tasks *)all)->v[i].done;
}

static const struct jobs_kind packing = { start, pipe_of, hear, is_done };

static void put_in_place(struct save *s, const struct tasks *all, bool docker)
{
	for (size_t i = 0; i < s->images.n; i++) {
		struct save_image *image = &s->images.v[i];

		for (size_t k = 0; k < image->m.layers.n; k++) {
			struct image_descriptor *d = &image->m.layers.v[k];
			const struct task *t = task_of(all->v, all->n, d->digest);

			if (!t || !(t->chain_id || must_change(s, d, docker)))
				continue;
			*d = (struct image_descriptor){
				.media_type = arena_strdup(s->work->arena, "application/vnd.oci.image.layer.v1.tar+gzip"),
				.digest = arena_strdup(s->work->arena, t->repack.digest), .size = t->repack.size,
			};
			image->changed = true;
		}
	}
}

int save_repack(struct save *s, bool docker, struct error *err)
{
	struct tasks all;
	int result;

	find_tasks(s, docker, &all);
	result = jobs_work_off(&packing, &all, all.n, NULL, err);
	if (result == 0)
		put_in_place(s, &all, docker);
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].started)
			*ARRAY_ADD(s->work->arena, &s->repacked) = all.v[i].repack;
	return result;
}

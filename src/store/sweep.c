/* Which layers and blobs does nobody need? The part of store/store.h that frees them
 *
 * Under the store's exclusive lock: everything that an image record or a container names is marked, the rest goes. A
 * damaged record may name anything, so as long as there is one, nothing is swept. Blobs of layers that spare them go,
 * too, whoever names them. Objects are many: they are left to the next collection in the background. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "store/blob.h"
#include "store/container_rootfs.h"
#include "store/image.h"
#include "store/layer.h"
#include "store/object.h"
#include "store/stage.h"
#include "sys/fd.h"

#define LOCK_TRIES 20
#define LOCK_PAUSE_NS 5000000

struct needed {
	struct strings layers, blobs;	/* digests, sorted once marking is over */
	struct strings diffs;		/* layers whose diff/ a container needs */
	struct strings listed;		/* blobs that lists of images name: their images may be gone */
	struct strings spared;		/* blobs that needed layers with recipes spare; others insist on theirs */
	struct strings insisted;
	struct strings standing;	/* layers that stand for listed blobs */
};

/* --- marking */

static bool is_damage(const struct error *why)
{
	return error_is(why, ERROR_INVALID) || error_is(why, ERROR_NOT_FOUND);
}

static int mark_images(struct arena *arena, const struct store *s, struct needed *needed, struct error *err)
{
	struct images images;
	struct error why = { 0 };

	if (image_list(arena, s, &images, err) < 0)
		return -1;
	if (images.broken.n > 0)
		return error_set(err, ERROR_INVALID, "the record of image %.12s is damaged", images.broken.v[0]);
	for (size_t i = 0; i < images.n; i++) {
		error_clear(&why);
		strings_add_all(arena, &needed->layers, &images.v[i].layers);
		/* A damaged manifest costs the image its blobs for push, no more: its layers are marked. One that cannot be read
		 * now is another matter. */
		if (image_blobs(arena, s, &images.v[i], images.v[i].list ? &needed->listed : &needed->blobs, &why) < 0 &&
		    !is_damage(&why))
			return error_set(err, why.kind, "%s", why.text);
	}
	return 0;
}

static int mark_containers(struct arena *arena, const struct store *s, struct needed *needed, struct error *err)
{
	struct strings ids, layers;
	enum layer_form form;

	if (container_store_list(arena, s, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		if (container_rootfs_needs(arena, s, ids.v[i], &layers, &form, err) < 0) {
			if (error_is(err, ERROR_NOT_FOUND))	/* removed meanwhile */
				continue;
			return -1;
		}
		strings_add_all(arena, &needed->layers, &layers);
		if (form == LAYER_DIFF)
			strings_add_all(arena, &needed->diffs, &layers);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_needed(const struct strings *sorted, const char *s)
{
	return sorted->n > 0 && bsearch(&s, sorted->v, sorted->n, sizeof(*sorted->v), compare);
}

static void sort(struct strings *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), compare);
}

static struct strings entries(struct arena *arena, int dirfd, const char *name)
{
	_cleanup_dir_ DIR *dir = fd_opendir(dirfd, name);
	struct strings list = { 0 };
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name))
			strings_add(arena, &list, entry->d_name);
	return list;
}

static bool spares_blob(const struct store *s, const struct layer *layer)
{
	return layer->elsewhere && layer_has_recipe(s, layer->chain_id);
}

/* A needed layer's blob is needed too, for a push of a container's base, unless the layer spares it. Then it stands for the
 * blob, and is needed itself when a list of images names that. */
static int mark_layer(struct arena *arena, const struct store *s, char *chain_id, struct needed *needed, struct error *err)
{
	struct error why = { 0 };
	struct layer layer;
	bool spares;

	if (layer_read(arena, s, chain_id, &layer, &why) < 0)
		return is_damage(&why) ? 0 : error_set(err, why.kind, "%s", why.text);
	if (!layer.blob_digest)
		return 0;
	spares = spares_blob(s, &layer);
	if (is_needed(&needed->layers, chain_id))
		strings_add(arena, spares ? &needed->spared : &needed->insisted, layer.blob_digest);
	else if (spares && is_needed(&needed->listed, layer.blob_digest)) {
		strings_add(arena, &needed->standing, chain_id);
		strings_add(arena, &needed->spared, layer.blob_digest);
	}
	return 0;
}

static int mark_blobs_of_layers(struct arena *arena, const struct store *s, struct needed *needed, struct error *err)
{
	struct strings there = entries(arena, s->root_fd, "layers");

	sort(&needed->layers);
	sort(&needed->listed);
	for (size_t i = 0; i < there.n; i++)
		if (mark_layer(arena, s, layer_chain_id(arena, there.v[i]), needed, err) < 0)
			return -1;
	strings_add_all(arena, &needed->layers, &needed->standing);
	return 0;
}

static bool is_needed_blob(const struct needed *needed, const char *digest)
{
	if (is_needed(&needed->insisted, digest))
		return true;
	return (is_needed(&needed->blobs, digest) || is_needed(&needed->listed, digest)) &&
	       !is_needed(&needed->spared, digest);
}

/* --- sweeping */

/* A tree on disk beside the index that took its place: an earlier driver's. */
static int sweep_diff(struct arena *arena, struct store *s, const char *chain_id, const struct needed *needed,
		      struct error *err)
{
	static const char *const parts[] = { "diff", "maps" };

	if (s->driver != DRIVER_OBJECTS || is_needed(&needed->diffs, chain_id) || !layer_has(s, chain_id, LAYER_INDEX) ||
	    !layer_has(s, chain_id, LAYER_DIFF))
		return 0;
	for (size_t i = 0; i < ELEMENTS(parts); i++)
		if (store_discard(s, arena_printf(arena, "layers/%s/%s", digest_hex(chain_id), parts[i]), false, err) < 0)
			return -1;
	return 0;
}

static int sweep_layers(struct arena *arena, struct store *s, const struct needed *needed,
			struct strings *ret_removed, struct error *err)
{
	struct strings there = entries(arena, s->root_fd, "layers");

	for (size_t i = 0; i < there.n; i++) {
		const char *chain_id = layer_chain_id(arena, there.v[i]);
		char path[300];

		if (is_needed(&needed->layers, chain_id)) {
			if (sweep_diff(arena, s, chain_id, needed, err) < 0)
				return -1;
			continue;
		}
		if (layer_has(s, chain_id, LAYER_INDEX))
			stage_request_object_sweep(s);
		snprintf(path, sizeof(path), "layers/%s", there.v[i]);
		if (store_discard(s, path, false, err) < 0)
			return -1;
		if (ret_removed)
			strings_add(arena, ret_removed, chain_id);
	}
	return 0;
}

static int sweep_blobs(struct arena *arena, struct store *s, const struct needed *needed, struct error *err)
{
	struct strings there = entries(arena, s->blobs_fd, ".");

	for (size_t i = 0; i < there.n; i++) {
		if (is_needed_blob(needed, arena_printf(arena, "sha256:%s", there.v[i])))
			continue;
		if (unlinkat(s->blobs_fd, there.v[i], 0) < 0 && errno != ENOENT)
			return error_errno(err, "remove blob %s", there.v[i]);
	}
	return 0;
}

/* Users of the shared lock other than pulls and loads hold it for moments. */
static int lock_for_sweep(const struct store *s)
{
	static const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int tries = 0;; tries++) {
		int fd = lock_open(s->root_fd, "lock", LOCK_EXCLUSIVE, false);

		if (fd >= 0 || errno != EWOULDBLOCK || tries == LOCK_TRIES)
			return fd;
		nanosleep(&pause, NULL);
	}
}

static int mark(struct arena *arena, const struct store *s, struct needed *ret, struct error *err)
{
	*ret = (struct needed){ 0 };
	if (mark_images(arena, s, ret, err) < 0 || mark_containers(arena, s, ret, err) < 0 ||
	    mark_blobs_of_layers(arena, s, ret, err) < 0)
		return -1;
	sort(&ret->layers);
	sort(&ret->blobs);
	sort(&ret->diffs);
	sort(&ret->spared);
	sort(&ret->insisted);
	return 0;
}

int store_unneeded(struct arena *arena, struct store *s, struct strings *ret_layers, struct strings *ret_blobs,
		   struct error *err)
{
	struct strings layers = entries(arena, s->root_fd, "layers"), blobs = entries(arena, s->blobs_fd, ".");
	_cleanup_fd_ int lock = lock_for_sweep(s);
	struct needed needed;

	*ret_layers = *ret_blobs = (struct strings){ 0 };
	if (lock < 0)
		return 1;
	if (mark(arena, s, &needed, err) < 0)
		return -1;
	for (size_t i = 0; i < layers.n; i++)
		if (!is_needed(&needed.layers, layer_chain_id(arena, layers.v[i])))
			strings_add(arena, ret_layers, layers.v[i]);
	for (size_t i = 0; i < blobs.n; i++)
		if (!is_needed_blob(&needed, arena_printf(arena, "sha256:%s", blobs.v[i])))
			strings_add(arena, ret_blobs, blobs.v[i]);
	return 0;
}

int store_unneeded_objects(struct arena *arena, struct store *s, int64_t max_age_ns, struct store_waste *ret,
			   struct error *err)
{
	_cleanup_fd_ int lock = lock_for_sweep(s);

	*ret = (struct store_waste){ 0 };
	return lock < 0 ? 1 : object_unneeded(arena, s, max_age_ns, ret, err);
}

/* --- blobs of layers that have just come */

static struct strings spared_blobs(struct arena *arena, const struct store *s, const struct strings *layers)
{
	struct strings list = { 0 };
	struct layer layer;

	for (size_t i = 0; i < layers->n; i++)
		if (layer_read(arena, s, layers->v[i], &layer, NULL) == 0 && blob_exists(s, layer.blob_digest) &&
		    spares_blob(s, &layer))
			strings_add(arena, &list, layer.blob_digest);
	return list;
}

static bool another_insists(struct arena *arena, const struct store *s, const struct strings *layers, const char *blob)
{
	struct layer layer;

	for (size_t i = 0; i < layers->n; i++)
		if (layer_read(arena, s, layer_chain_id(arena, layers->v[i]), &layer, NULL) == 0 &&
		    str_eq(layer.blob_digest, blob) && !spares_blob(s, &layer))
			return true;
	return false;
}

void store_spare_blobs(struct arena *arena, struct store *s, const struct strings *layers)
{
	struct strings blobs = spared_blobs(arena, s, layers), there;
	_cleanup_fd_ int lock = blobs.n ? lock_open(s->root_fd, "lock", LOCK_EXCLUSIVE, false) : -1;

	if (!blobs.n)
		return;
	if (lock < 0) {
		stage_request_sweep(s);
		return;
	}
	there = entries(arena, s->root_fd, "layers");
	for (size_t i = 0; i < blobs.n; i++)
		if (!another_insists(arena, s, &there, blobs.v[i]))
			blob_remove(s, blobs.v[i], NULL);
}

/* The request goes with the lock held: whoever asks anew has removed layers under it, after this. */
int store_sweep_objects(struct arena *arena, struct store *s, struct error *err)
{
	_cleanup_fd_ int lock = lock_for_sweep(s);

	if (lock < 0) {
		stage_request_object_sweep(s);
		return 0;
	}
	if (object_sweep(arena, s, err) < 0)
		return -1;
	unlinkat(s->root_fd, STAGE_SWEEP_OBJECTS, 0);
	return 0;
}

/* With a damaged record it waits until that is mended or removed, and both sweep. */
int store_sweep(struct arena *arena, struct store *s, struct strings *ret_removed, struct error *err)
{
	_cleanup_fd_ int lock = lock_for_sweep(s);
	struct needed needed;
	struct error why = { 0 };

	if (lock < 0 || mark(arena, s, &needed, &why) < 0) {
		if (!error_is(&why, ERROR_INVALID))
			stage_request_sweep(s);
		return 0;
	}
	if (sweep_layers(arena, s, &needed, ret_removed, err) == 0 && sweep_blobs(arena, s, &needed, err) == 0)
		return 0;
	stage_request_sweep(s);
	return -1;
}

/* Images of the store as commands see them: tag, untag, remove, prune (pull and load are elsewhere) */
#include "engine/image.h"

#include <errno.h>

#include "base/units.h"
#include "engine/container.h"
#include "engine/events.h"
#include "engine/image_family.h"
#include "engine/image_filter.h"
#include "spec/reference.h"
#include "store/blob.h"
#include "store/image_files.h"

int image_read_config(struct engine *e, const struct image *image, struct image_config *ret, struct error *err)
{
	size_t n;
	char *text;

	if (image->list)
		return error_set(err, ERROR_STATE, "%.12s is a manifest list, no image", image->id);
	text = blob_read(e->arena, &e->store, image->config_digest, IMAGE_CONFIG_MAX, &n, err);
	if (!text || image_config_decode(e->arena, text, n, ret, err) < 0)
		return error_frame(err, "the configuration of image %.12s", image->id);
	return 0;
}

static void event(struct engine *e, const char *status, const struct image *image, const char *name)
{
	event_add(e, "image", status, image->id, name ? name : image->id, NULL, NULL);
}

/* --- tag and untag */

/* "foo" becomes "localhost/foo:latest": a name that a user gives means this machine unless it says otherwise. */
static char *full_name(struct engine *e, const char *text, struct error *err)
{
	struct reference r;

	if (reference_parse(e->arena, text, &r, err) < 0)
		return NULL;
	if (r.digest) {
		error_set(err, ERROR_USAGE, "%s: a tag cannot name a digest", text);
		return NULL;
	}
	if (!r.registry)
		r.registry = "localhost";
	return reference_print(e->arena, &r);
}

int image_tag_names(struct engine *e, const char *source, const struct strings *names, struct error *err)
{
	struct image image;

	if (image_find(e->arena, &e->store, source, &image, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < names->n; i++) {
		char *name = full_name(e, names->v[i], err);

		if (!name || image_tag(e->arena, &e->store, &image, name, err) < 0)
			return error_frame(err, "tag %s", source);
		event(e, "tag", &image, name);
	}
	return 0;
}

/* The name that the user means must be one of this image. */
static int untag_one(struct engine *e, const struct image *image, const char *text, struct error *err)
{
	struct image other;
	char *name;

	if (image_find(e->arena, &e->store, text, &other, &name, err) < 0)
		return -1;
	if (!name || strcmp(other.id, image->id) != 0)
		return error_set(err, ERROR_NOT_FOUND, "%s: tag not known", text);
	if (image_untag(&e->store, name, err) < 0)
		return -1;
	event(e, "untag", image, name);
	return 0;
}

int image_untag_names(struct engine *e, const char *source, const struct strings *names, struct error *err)
{
	struct image image;

	if (image_find(e->arena, &e->store, source, &image, NULL, err) < 0)
		return -1;
	if (names->n == 0)
		names = &image.names;
	for (size_t i = 0; i < names->n; i++)
		if (untag_one(e, &image, names->v[i], err) < 0)
			return error_frame(err, "untag %s", source);
	return 0;
}

/* --- remove */

static bool is_used_by(const struct container *c, const char *image_id)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].type, "image") == 0 && str_eq(c->mounts.v[i].source, image_id))
			return true;
	return str_eq(c->image_id, image_id);
}

int image_users(struct engine *e, const char *image_id, struct containers *ret, struct error *err)
{
	struct containers all;

	*ret = (struct containers){ 0 };
	if (container_load_all(e, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (is_used_by(&all.v[i], image_id))
			*ARRAY_ADD(e->arena, ret) = all.v[i];
	return 0;
}

static int free_of_containers(struct engine *e, const char *image_id, bool force, struct error *err)
{
	struct rm_options how = { .force = true, .ignore = true, .timeout_s = -1 };
	struct containers users;

	if (image_users(e, image_id, &users, err) < 0)
		return -1;
	if (users.n > 0 && !force)
		return error_set(err, ERROR_IN_USE, "image used by %s: image is in use by a container: consider listing "
				 "external containers and force-removing image", users.v[0].id);
	for (size_t i = 0; i < users.n; i++)
		if (container_rm(e, &users.v[i], &how, err) < 0)
			return error_frame(err, "remove container %.12s, which uses the image", users.v[i].id);
	return 0;
}

static int remove_whole(struct engine *e, const struct image *image, bool force, struct strings *ret_untagged,
			struct strings *ret_deleted, struct error *err)
{
	struct strings layers = { 0 };

	if (!force && image_files_mounted(e->arena, &e->store, image->id))
		return error_set(err, ERROR_IN_USE, "image %s is mounted: image is in use: consider bryo image unmount", image->id);
	if (free_of_containers(e, image->id, force, err) < 0 ||
	    image_files_unmount(e->arena, &e->store, image->id, err) < 0 ||
	    image_remove(e->arena, &e->store, image, &layers, err) < 0)
		return -1;
	for (size_t i = 0; i < image->names.n; i++) {
		event(e, "untag", image, image->names.v[i]);
		strings_add(e->arena, ret_untagged, image->names.v[i]);
	}
	event(e, "remove", image, image->names.n ? image->names.v[0] : NULL);
	strings_add(e->arena, ret_deleted, image->id);
	store_collect_in_background(&e->store);
	return 0;
}

static bool is_free(struct engine *e, const struct image *image)
{
	struct containers users;

	return image_users(e, image->id, &users, NULL) == 0 && users.n == 0 &&
	       !image_files_mounted(e->arena, &e->store, image->id);
}

/* The nearest first; what cannot go stays without a word. */
static void remove_parents(struct engine *e, const struct image *gone, struct strings *ret_deleted)
{
	struct strings ignored = { 0 };
	struct images all;

	for (size_t n = gone->layers.n; n > 0 && image_list(e->arena, &e->store, &all, NULL) == 0; n--)
		for (size_t i = 0; i < all.n; i++) {
			const struct image *image = &all.v[i];

			if (image->layers.n == n - 1 && image->names.n == 0 && image_family_stands_on(gone, image) &&
			    !image_family_has_children(&all, image) && is_free(e, image))
				remove_whole(e, image, false, &ignored, ret_deleted, NULL);
		}
}

static int remove_with_parents(struct engine *e, const struct image *image, const struct rmi_options *o, bool force,
			       struct strings *ret_untagged, struct strings *ret_deleted, struct error *err)
{
	if (remove_whole(e, image, force, ret_untagged, ret_deleted, err) < 0)
		return -1;
	if (!o->no_prune)
		remove_parents(e, image, ret_deleted);
	return 0;
}

/* A damaged record has no names to go by: its id, or the names that point to it, must do. */
static int remove_damaged(struct engine *e, const char *name, bool force, struct strings *ret_deleted,
			  struct error *err)
{
	struct strings layers = { 0 };
	struct images images;

	if (image_list(e->arena, &e->store, &images, NULL) < 0)
		return -1;
	for (size_t i = 0; i < images.broken.n; i++) {
		const char *id = images.broken.v[i], *named = image_name_lookup(e->arena, &e->store, name);

		if (!str_starts(id, name) && !str_eq(named, id))
			continue;
		error_clear(err);
		if (free_of_containers(e, id, force, err) < 0 ||
		    image_remove_broken(e->arena, &e->store, id, &layers, err) < 0)
			return -1;
		strings_add(e->arena, ret_deleted, id);
		return 0;
	}
	return -1;
}

int image_rmi(struct engine *e, const char *name, const struct rmi_options *o, struct strings *ret_untagged,
	      struct strings *ret_deleted, struct error *err)
{
	struct image image;
	char *full;

	if (image_find(e->arena, &e->store, name, &image, &full, err) < 0) {
		if (error_is(err, ERROR_INVALID))
			return remove_damaged(e, name, o->force, ret_deleted, err);
		if (!error_is(err, ERROR_NOT_FOUND) || !(o->ignore || o->force))
			return -1;
		error_clear(err);
		return 0;
	}
	if (image.names.n <= 1)
		return remove_with_parents(e, &image, o, o->force, ret_untagged, ret_deleted, err);
	if (!full && !o->force)
		return error_set(err, ERROR_FAILED, "unable to delete image \"%s\" by ID with more than one tag ([%s]): "
				 "please force removal", image.id, strings_join(e->arena, &image.names, " "));
	if (!full)
		return remove_with_parents(e, &image, o, true, ret_untagged, ret_deleted, err);
	if (image_untag(&e->store, full, err) < 0)
		return -1;
	event(e, "untag", &image, full);
	strings_add(e->arena, ret_untagged, full);
	return 0;
}

/* 1 when something went: then what it stood on may go in the next round. */
static int prune_round(struct engine *e, bool all, const struct strings *filters, struct strings *ret_deleted,
		       struct error *err)
{
	struct strings untagged = { 0 };
	struct image_match match;
	int removed = 0;

	if (image_match_init(&match, e, filters, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < match.all.n; i++) {
		const struct image *image = &match.all.v[i];
		int matches;

		if ((image->names.n > 0 || image_family_has_children(&match.all, image)) && !all)
			continue;
		matches = image_match(&match, image, err);
		if (matches < 0)
			return -1;
		if (!matches || !is_free(e, image))
			continue;
		if (remove_whole(e, image, false, &untagged, ret_deleted, err) < 0)
			return -1;
		removed = 1;
	}
	return removed;
}

int image_prune(struct engine *e, bool all, const struct strings *filters, struct strings *ret_deleted,
		struct error *err)
{
	int removed;

	do
		removed = prune_round(e, all, filters, ret_deleted, err);
	while (removed > 0);
	/* What a pull that failed brought is kept for the next try until now. */
	if (removed < 0 || store_sweep(e->arena, &e->store, NULL, err) < 0)
		return -1;
	store_sweep_objects(e->arena, &e->store, NULL);
	return 0;
}

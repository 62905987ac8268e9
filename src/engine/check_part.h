/* engine/check_part - what the parts of `system check` share
 *
 * The parts run in this order: blobs, objects, recipes, layers, images (and their names), containers, volumes, leftovers. A later one relies on
 * what an earlier one found: an image is damaged when one of its blobs or layers is and could not be mended. */
#ifndef BRYO_ENGINE_CHECK_PART_H
#define BRYO_ENGINE_CHECK_PART_H

#include "engine/check.h"
#include "engine/container.h"
#include "engine/transfer.h"
#include "store/image.h"

struct check {
	struct engine *e;
	const struct check_options *o;
	struct check_report *report;
	struct transfer transfer;
	ARRAY(struct transfer_image) recalled;	/* images as their blobs describe them, whatever the records say */
	struct images images;
	struct string_map names;	/* of images */
	struct containers containers;	/* those whose record can be read */
	struct strings blobs;		/* that are there and whole */
	struct strings bad_objects;	/* names of damaged ones */
	struct string_map bad_recipes;	/* chain IDs, and what is wrong */
	struct strings bad_layers;	/* chain IDs: missing or damaged, and not mended */
	struct strings unsound_layers;	/* with a finding that was not mended */
	struct strings used_layers;	/* of containers that run */
};

int check_blobs(struct check *c, struct error *err);
int check_objects(struct check *c, struct error *err);
int check_recipes(struct check *c, struct error *err);
void check_layers(struct check *c);
/* The copies of an image up to this layer, which was looked at, with shifted owners; place: a stage, or NULL. */
void check_copies(struct check *c, const char *chain_id, const char *place);
void check_images(struct check *c);
void check_containers(struct check *c);
void check_volumes(struct check *c);
void check_leftovers(struct check *c);

/* A finding; the answer is valid until the next one is added. */
struct check_finding *check_add(struct check *c, const char *kind, const char *id, const char *name, const char *fmt, ...)
	ERROR_PRINTF(5, 6);
/* What --repair would do to it. */
void check_cure(struct check *c, struct check_finding *f, const char *fmt, ...) ERROR_PRINTF(3, 4);
/* It was mended (result 0): `done` says how. Otherwise err says why not. */
void check_mended(struct check *c, struct check_finding *f, int result, const char *done, const struct error *err);

const struct transfer_image *check_recalled(const struct check *c, const char *image_id);
bool check_has_blob(const struct check *c, const char *digest);
/* All layers that something needs, there or not. */
struct strings check_needed_layers(struct check *c);
/* Is there a recipe that makes the layer's tar? */
bool check_has_recipe(const struct check *c, const char *chain_id);
/* Which registry has the layer: fills ret and answers its repository; NULL when none is known. */
char *check_source(struct check *c, const char *chain_id, struct transfer_source *ret);
/* "localhost/box:latest", or the short id of an image without names. */
char *check_image_name(struct check *c, const char *image_id);

#endif

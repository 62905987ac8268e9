/* engine/image_family - which images stand on which
 *
 * An image stands on another when its layers begin with all of the other's, and its history with the other's. An image
 * without names is intermediate when others stand on it, and dangling when none do. */
#ifndef BRYO_ENGINE_IMAGE_FAMILY_H
#define BRYO_ENGINE_IMAGE_FAMILY_H

#include "engine/image.h"

/* By layers alone: does `image` lie on all of `base`, with at least one more? */
bool image_family_stands_on(const struct image *image, const struct image *base);
bool image_family_has_children(const struct images *all, const struct image *image);
/* The nearest image that this one, of this configuration, was made from; or NULL. */
const struct image *image_family_parent(struct engine *e, const struct images *all, const struct image *image,
					const struct image_config *config);

/* The image's layers, lowest first; with children: its topmost layer, and the layers of all images that stand on it. */
struct image_tree_layer { char *chain_id; int64_t size; struct strings tops; };	/* tops: names of images that end here */
struct image_tree { struct image image; ARRAY(struct image_tree_layer) layers; };
int image_family_tree(struct engine *e, const char *name, bool children, struct image_tree *ret, struct error *err);

#endif

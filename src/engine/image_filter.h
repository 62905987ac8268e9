/* engine/image_filter - which images `images` and `image prune` mean: filters KEY=VALUE and a reference pattern
 *
 * The same key twice means or (labels: and), different keys mean and. */
#ifndef BRYO_ENGINE_IMAGE_FILTER_H
#define BRYO_ENGINE_IMAGE_FILTER_H

#include "engine/container.h"
#include "engine/image.h"

struct image_match {
	struct engine *e;
	const struct strings *filters;
	const char *reference;		/* the positional pattern; NULL */
	int64_t now;
	struct string_map times;	/* before and since: the image's creation, ns in decimal */
	struct images all;		/* for those who ask what stands on an image */
};

/* Checks the filters and finds the images they name. */
int image_match_init(struct image_match *m, struct engine *e, const struct strings *filters, const char *reference,
		     struct error *err);
int image_match(struct image_match *m, const struct image *image, struct error *err);	/* 1, 0, -1 */
/* Does a pattern (busybox, busy*, *:latest) mean this full name? */
bool image_name_matches(struct arena *arena, const char *pattern, const char *name);
int64_t image_created_ns(const struct image *image);

/* The containers that were made from an image. */
int image_users(struct engine *e, const char *image_id, struct containers *ret, struct error *err);

#endif

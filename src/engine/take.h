/* engine/take - an image that bryo-transfer found becomes an image of the store: layers unpacked, committed, named
 *
 * pull, load and import end here. Layers that the store has are not touched; the others are unpacked into one stage,
 * committed together (one syncfs) and then named by the image's record: a killed command leaves nothing that has a name. */
#ifndef BRYO_ENGINE_TAKE_H
#define BRYO_ENGINE_TAKE_H

#include "engine/image.h"
#include "engine/transfer.h"

struct take {
	const struct transfer_source *source;	/* where missing blobs come from; NULL: all are there */
	int64_t retries;
	struct strings names;			/* full names with tags */
	struct strings digests;			/* "repository@sha256:..." */
	bool keep_blobs;			/* layers' blobs stay, even if they can be had again */
	const char *event;			/* "pull", "loadfromarchive", "import"; NULL: none */
};

/* The caller holds the store's lock shared since before the image was looked for. */
int image_take(struct engine *e, struct transfer *t, const struct take *take, const struct transfer_image *found,
	       struct image *ret, struct error *err);

/* When it is here and the claim is given up: blobs that its layers spare go. */
void image_take_done(struct engine *e, const struct image *image);
/* The ids that there are, for requests that make files: `layers`, `unpack`. */
void take_ranges(struct engine *e, struct transfer_request *r);
/* After a failure: what was brought and belongs to no image goes at once, unless another try would go on with it. The
 * caller has given up his claim. */
void image_take_failed(struct engine *e, const struct error *err);

#endif

/* transfer/found - an image as it is answered to the engine, once its manifest and configuration are known */
#ifndef BRYO_TRANSFER_FOUND_H
#define BRYO_TRANSFER_FOUND_H

#include "transfer/work.h"

/* Checks that manifest and configuration belong together (as many layers as diff IDs, all known types, digests that are
 * stored here) and computes the chain IDs. */
int found_image(struct work *w, const struct image_manifest *manifest, const char *manifest_digest,
		const char *media_type, const char *config, size_t config_size, struct transfer_image *ret,
		struct error *err);
/* Do these bytes have the descriptor's digest and size? */
int found_check(const struct image_descriptor *d, const void *p, size_t n, struct error *err);
/* Is it a digest under which blobs are stored? */
int found_is_stored(const char *digest, struct error *err);

#endif

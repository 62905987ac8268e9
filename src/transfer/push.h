/* transfer/push - the inside of the operation `push`: the manifest, apart from the blobs that it names */
#ifndef BRYO_TRANSFER_PUSH_H
#define BRYO_TRANSFER_PUSH_H

#include "transfer/registry.h"

/* A manifest of the store, and its configuration. */
struct push_image {
	char *text;
	size_t size;
	const char *media_type;
	struct image_manifest manifest;
	struct image_config config;
	struct strings chain_ids;
};
int push_read_image(struct work *w, const char *digest, struct push_image *ret, struct error *err);

/* PUT, tried again as retries go. reference NULL: by its own digest. A registry that claims to have got something else
 * is an error; one that does not want this kind of manifest is ERROR_UNSUPPORTED. ret: what was pushed. */
int push_manifest(struct work *w, struct registry *r, const char *text, size_t size, const char *media_type,
		  const char *reference, struct image_descriptor *ret, struct error *err);

#endif

/* transfer/load - the two forms of image archives; see load.c */
#ifndef BRYO_TRANSFER_LOAD_H
#define BRYO_TRANSFER_LOAD_H

#include "transfer/bundle.h"

/* Both add what they find to the event's images. */
int load_docker(struct work *w, struct bundle *b, struct transfer_event *ret, struct error *err);
int load_oci(struct work *w, struct bundle *b, const char *platform, struct transfer_event *ret, struct error *err);

/* {"mediaType":...,"digest":...,"size":...} */
struct json *load_descriptor(struct arena *arena, const char *media_type, const char *digest, int64_t size);
/* The layer media type of a packing, Docker's or OCI's; NULL for one that layers must not have. */
const char *load_layer_type(enum inflate_kind kind, bool docker);
/* Keeps configuration and a manifest made for it, and describes the image. layers: as JSON descriptors. */
int load_made(struct work *w, const char *config, size_t config_size, struct json *layers, bool docker,
	      struct transfer_image *ret, struct error *err);

#endif

/* transfer/load - the forms of image archives; see load.c */
#ifndef BRYO_TRANSFER_LOAD_H
#define BRYO_TRANSFER_LOAD_H

#include "transfer/bundle.h"

/* They add what they find, of what the request wants, to the event's images. */
int load_docker(struct work *w, struct bundle *b, const struct transfer_request *r, struct json *list,
		struct transfer_event *ret, struct error *err);
int load_oci(struct work *w, struct bundle *b, const struct transfer_request *r, struct transfer_event *ret,
	     struct error *err);
int load_dir(struct work *w, struct bundle *b, const struct transfer_request *r, struct transfer_event *ret,
	     struct error *err);

/* Is the image at this place, with these names, wanted? Of its names those stay that were asked for. */
bool load_is_wanted(struct arena *arena, const struct transfer_request *r, size_t place, struct strings *names);
/* The error for an archive of n images, with these names, that has not the wanted one. */
int load_not_there(struct arena *arena, const struct transfer_request *r, size_t n, const struct strings *names,
		   struct error *err);

/* {"mediaType":...,"digest":...,"size":...} */
struct json *load_descriptor(struct arena *arena, const char *media_type, const char *digest, int64_t size);
/* The layer media type of a packing, Docker's or OCI's; NULL for one that layers must not have. */
const char *load_layer_type(enum inflate_kind kind, bool docker);
/* Keeps configuration and a manifest made for it, and describes the image. layers: as JSON descriptors. */
int load_made(struct work *w, const char *config, size_t config_size, struct json *layers, bool docker,
	      struct transfer_image *ret, struct error *err);

#endif

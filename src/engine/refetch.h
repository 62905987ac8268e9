/* engine/refetch - compressed layers that the store did not keep, brought again from where their image came from
 *
 * A push or save that wants them as they were asks the registries of the image's own digests, one after the other. They lie
 * in blobs/ afterwards; who holds the store's lock lets them go again with image_take_done. */
#ifndef BRYO_ENGINE_REFETCH_H
#define BRYO_ENGINE_REFETCH_H

#include "engine/source.h"
#include "engine/transfer.h"
#include "store/image.h"

struct refetch {
	struct source_options access;	/* what the user gave */
	const char *registry;		/* ... for this one; NULL: for none */
	int64_t retries;
};

/* missing: what bryo-transfer lacks. ERROR_NOT_FOUND when it is not known where the image came from. */
int image_refetch(struct engine *e, struct transfer *t, const struct refetch *how, const struct image *image,
		  const struct transfer_event *missing, struct error *err);
/* From one repository. */
int refetch_from(struct engine *e, struct transfer *t, const struct transfer_source *source, int64_t retries,
		 const struct transfer_event *missing, struct error *err);
/* They could not be brought, for this reason: may they be compressed anew by the layers' recipes? Then says so. */
bool refetch_may_remake(struct engine *e, const struct image *image, const struct error *why);

#endif

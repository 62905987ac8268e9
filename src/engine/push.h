/* engine/push - images and manifest lists to a registry */
#ifndef BRYO_ENGINE_PUSH_H
#define BRYO_ENGINE_PUSH_H

#include "engine/sign.h"
#include "engine/target.h"
#include "engine/transfer.h"
#include "store/image.h"

struct push_request {
	char *image, *destination;	/* destination NULL: the image's own name */
	char *format;			/* "oci", "v2s2", "docker"; NULL: as it is */
	char *compression;		/* "gzip", "zstd", "zstd:chunked"; NULL: as it is */
	struct source_options access;
	struct sign_request sign;
	char *digestfile;
	char *retry_delay;		/* "5s"; NULL: longer each time */
	int64_t retry;			/* 0: the usual number, -1: not at all */
	int64_t level;
	bool level_given;
	bool recompress;		/* layers that are compressed already, too */
	bool quiet, all_tags;
	bool no_images, remove;		/* of a list: without the images that it names; remove it when it was pushed */
};

/* The request to bryo-transfer for a manifest that names these blobs: what the user asks for, and where at the registry
 * they may be already. */
int push_fill(struct engine *e, const struct push_request *r, const struct target *target, const struct strings *blobs,
	      struct transfer_request *ret, struct error *err);

/* All names of a repository, "REGISTRY/PATH"; what cannot be pushed ends it. */
int image_push_all_tags(struct engine *e, const struct push_request *r, struct error *err);
/* Of an image, or of a list with its images. ret_digest: of the manifest as it was pushed. */
int image_push(struct engine *e, const struct push_request *r, char **ret_digest, struct error *err);

#endif

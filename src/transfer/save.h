/* transfer/save - what the forms of image archives share; see save.c */
#ifndef BRYO_TRANSFER_SAVE_H
#define BRYO_TRANSFER_SAVE_H

#include "transfer/bundle_writer.h"

struct save_image {
	const struct transfer_image *asked;	/* digests, and the names to write */
	char *manifest, *config;
	size_t manifest_size, config_size;
	struct image_manifest m;
	struct image_config c;
	struct strings chain_ids;
	bool changed;			/* the layers of m are no longer those of `manifest` */
};

struct save {
	struct work *work;
	const struct transfer_request *request;
	struct bundle_writer out;
	ARRAY(struct save_image) images;
	ARRAY(struct repack) repacked;	/* layers that are not written as they are stored */
	ARRAY(struct image_descriptor) manifests;	/* as they were written */
};

int save_docker(struct save *s, struct error *err);
int save_oci(struct save *s, struct error *err);
/* docker: which manifest it must be; NULL: it stays as it is. */
int save_dir(struct save *s, const bool *docker, struct error *err);

/* Layers whose blobs are needed as they came and are not here go to ret->missing: those of the first image that lacks any,
 * which is named in ret->images. */
void save_find_missing(struct save *s, struct transfer_event *ret);
/* The chain ID of a layer whose blob is not here and whose recipe makes the tar; NULL: there is a blob, or nothing. */
const char *save_recipe_of(const struct save *s, const struct image_descriptor *d);
/* Compresses layers anew where the form needs or the request wants it, and puts the new ones into the manifests. */
int save_repack(struct save *s, bool docker, struct error *err);
/* Writes the manifest, under the name or (NULL) that of its blob in a layout: its own bytes as long as nothing was changed.
 * NULL with err, or its descriptor, which is noted for the answer. */
const struct image_descriptor *save_manifest(struct save *s, struct save_image *image, bool docker, const char *name,
					     struct error *err);
bool save_is_docker(const struct save_image *image);
/* "blobs/sha256/<hex>" */
char *save_blob_name(struct arena *arena, const char *digest);

/* A layer as it is stored, under a name; it must have its digest. */
int save_blob(struct save *s, const char *name, const struct image_descriptor *d, struct error *err);
/* A layer unpacked to its tar, which must have the diff ID. */
int save_plain(struct save *s, const char *name, const struct image_descriptor *d, const char *diff_id,
	       struct error *err);
/* A small file of JSON. */
int save_json(struct save *s, const char *name, const struct json *value, struct error *err);

#endif

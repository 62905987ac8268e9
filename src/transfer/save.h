/* transfer/save - what the forms of image archives share; see save.c */
#ifndef BRYO_TRANSFER_SAVE_H
#define BRYO_TRANSFER_SAVE_H

#include "spec/image_form.h"
#include "transfer/bundle_writer.h"

struct save_image {
	const struct transfer_image *asked;	/* digests, and the names to write */
	char *manifest, *config;
	size_t manifest_size, config_size;
	struct image_manifest m;
	struct image_config c;
};

struct save {
	struct work *work;
	const struct transfer_request *request;
	struct bundle_writer out;
	ARRAY(struct save_image) images;
};

int save_docker(struct save *s, struct error *err);
int save_oci(struct save *s, struct error *err);
/* form: what the manifest must be; NULL: as it is. */
int save_dir(struct save *s, const enum image_form *form, struct error *err);

/* A layer as it is stored, under a name; it must have its digest. */
int save_blob(struct save *s, const char *name, const struct image_descriptor *d, struct error *err);
/* A layer unpacked to its tar, which must have the diff ID. */
int save_plain(struct save *s, const char *name, const struct image_descriptor *d, const char *diff_id,
	       struct error *err);
/* A small file of JSON. */
int save_json(struct save *s, const char *name, const struct json *value, struct error *err);

#endif

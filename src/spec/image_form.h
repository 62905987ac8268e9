/* spec/image_form - one image, told in the words of OCI or of Docker
 *
 * Both families have the same manifest with other media types. Changing the family changes the manifest's digest, never
 * the configuration and so never the image's id. */
#ifndef BRYO_SPEC_IMAGE_FORM_H
#define BRYO_SPEC_IMAGE_FORM_H

#include "base/json.h"

enum image_form { IMAGE_FORM_OCI, IMAGE_FORM_DOCKER };

/* The type of a manifest or configuration in a family. */
const char *image_form_manifest_type(enum image_form form);
const char *image_form_config_type(enum image_form form);
/* A layer's media type in a family. */
const char *image_form_layer_type(const char *media_type, enum image_form form);
/* Is it a manifest of the family already? type: as stored. */
bool image_form_is(const char *manifest_type, enum image_form form);
/* The manifest (a checked one) retold; members that neither family needs a translation for stay. Docker's has no
 * annotations and no subject. layers: descriptors that take the place of the manifest's; NULL keeps them. */
struct json *image_form_convert(struct arena *arena, const char *text, size_t size, enum image_form form,
				struct json *layers, struct error *err);

#endif

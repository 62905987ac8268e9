/* spec/media_type - what the media types of images mean */
#ifndef BRYO_SPEC_MEDIA_TYPE_H
#define BRYO_SPEC_MEDIA_TYPE_H

#include <stdbool.h>

#include "spec/oci_image.h"

bool media_type_is_manifest(const char *type);	/* a manifest or an index of either family, schema 1 too */
bool media_type_is_schema1(const char *type);
bool media_type_is_config(const char *type);	/* of a container image, not of an artifact */
/* An ordinary layer's type in OCI's or Docker's words. */
const char *media_type_layer(enum layer_compression compression, bool docker);

#endif

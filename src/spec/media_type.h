/* spec/media_type - what the media types of images mean */
#ifndef BRYO_SPEC_MEDIA_TYPE_H
#define BRYO_SPEC_MEDIA_TYPE_H

#include <stdbool.h>

bool media_type_is_manifest(const char *type);	/* a manifest or an index of either family, schema 1 too */
bool media_type_is_schema1(const char *type);
bool media_type_is_config(const char *type);	/* of a container image, not of an artifact */

#endif

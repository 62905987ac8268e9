#include "spec/media_type.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

enum role { MANIFEST, INDEX, SCHEMA1, CONFIG, LAYER };

/* One line a meaning. Layers that a registry must not pass on (foreign, nondistributable) unpack as all others. */
static const struct {
	enum role role;
	const char *oci, *docker;
	enum layer_compression compression;
} types[] = {
	{ MANIFEST, OCI "manifest.v1+json", DOCKER "distribution.manifest.v2+json" },
	{ INDEX, OCI "index.v1+json", DOCKER "distribution.manifest.list.v2+json" },
	{ SCHEMA1, NULL, DOCKER "distribution.manifest.v1+json" },
	{ SCHEMA1, NULL, DOCKER "distribution.manifest.v1+prettyjws" },
	{ CONFIG, OCI "config.v1+json", DOCKER "container.image.v1+json" },
	{ CONFIG, NULL, "application/octet-stream" },	/* of the first clients of schema 2 */
	{ LAYER, OCI "layer.v1.tar", DOCKER "image.rootfs.diff.tar", LAYER_PLAIN },
	{ LAYER, OCI "layer.v1.tar+gzip", DOCKER "image.rootfs.diff.tar.gzip", LAYER_GZIP },
	{ LAYER, OCI "layer.v1.tar+zstd", DOCKER "image.rootfs.diff.tar.zstd", LAYER_ZSTD },
	{ LAYER, OCI "layer.nondistributable.v1.tar", DOCKER "image.rootfs.foreign.diff.tar", LAYER_PLAIN },
	{ LAYER, OCI "layer.nondistributable.v1.tar+gzip", DOCKER "image.rootfs.foreign.diff.tar.gzip", LAYER_GZIP },
	{ LAYER, OCI "layer.nondistributable.v1.tar+zstd", DOCKER "image.rootfs.foreign.diff.tar.zstd", LAYER_ZSTD },
};

static bool has_role(const char *type, enum role role)
{
	for (size_t i = 0; type && i < ELEMENTS(types); i++)
		if (types[i].role == role && ((types[i].oci && strcmp(type, types[i].oci) == 0) ||
					      strcmp(type, types[i].docker) == 0))
			return true;
	return false;
}

bool media_type_is_manifest(const char *type)
{
	return has_role(type, MANIFEST) || has_role(type, INDEX) || has_role(type, SCHEMA1);
}

bool media_type_is_schema1(const char *type)
{
	return has_role(type, SCHEMA1);
}

bool media_type_is_config(const char *type)
{
	return has_role(type, CONFIG);
}

bool image_media_type_is_index(const char *media_type)
{
	return has_role(media_type, INDEX);
}

const char *image_media_type_oci(const char *media_type)
{
	for (size_t i = 0; media_type && i < ELEMENTS(types); i++)
		if (types[i].oci && strcmp(media_type, types[i].docker) == 0)
			return types[i].oci;
	return media_type;
}

const char *image_media_type_docker(const char *media_type)
{
	for (size_t i = 0; media_type && i < ELEMENTS(types); i++)
		if (types[i].oci && strcmp(media_type, types[i].oci) == 0)
			return types[i].docker;
	return media_type;
}

int image_layer_compression(const char *media_type, enum layer_compression *ret)
{
	for (size_t i = 0; media_type && i < ELEMENTS(types); i++)
		if (types[i].role == LAYER &&
		    (strcmp(media_type, types[i].oci) == 0 || strcmp(media_type, types[i].docker) == 0)) {
			*ret = types[i].compression;
			return 0;
		}
	return -1;
}

const char *media_type_layer(enum layer_compression compression, bool docker)
{
	for (size_t i = 0; i < ELEMENTS(types); i++)
		if (types[i].role == LAYER && types[i].compression == compression)
			return docker ? types[i].docker : types[i].oci;
	return NULL;
}

/* spec/oci_image - manifests, indexes and image configurations: OCI image-spec 1.1 and Docker schema 2
 *
 * One set of structures for both families. Decoders refuse what is ambiguous (a body with both `manifests` and
 * `layers`, a mediaType other than the transport's), unsafe (digests that are no sha256:<64 hex> or sha512:<128 hex>,
 * negative or absurd sizes) or old (schema 1), in words that name the cause. */
#ifndef BRYO_SPEC_OCI_IMAGE_H
#define BRYO_SPEC_OCI_IMAGE_H

#include "base/json.h"

#define IMAGE_MANIFEST_MAX ((size_t)4 << 20)	/* bytes, as registries limit it */
#define IMAGE_CONFIG_MAX ((size_t)4 << 20)
#define DIGEST_TEXT_MAX 136			/* "sha512:" + 128 + NUL */

struct image_platform { char *os, *architecture, *variant, *os_version; struct strings os_features, features; };

struct image_descriptor {
	char *media_type, *digest;
	int64_t size;
	struct strings urls;
	struct string_map annotations;
	struct image_platform *platform;
	char *artifact_type;
};

enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };

struct image_manifest {
	int64_t schema_version;
	char *media_type;
	struct image_descriptor config;
	ARRAY(struct image_descriptor) layers;
	struct string_map annotations;
};

struct image_index {
	int64_t schema_version;
	char *media_type;
	ARRAY(struct image_descriptor) manifests;
	struct string_map annotations;
};

struct image_healthcheck { struct strings test; int64_t interval, timeout, start_period, start_interval, retries; };

/* The part that starts containers. */
struct image_container_config {
	char *user;
	struct strings exposed_ports;	/* "80/tcp" */
	struct strings env;		/* only KEY=VALUE is kept */
	struct strings entrypoint, cmd;
	struct strings volumes;
	char *working_dir;
	struct string_map labels;
	char *stop_signal;
	struct image_healthcheck *healthcheck;
	struct strings shell, on_build;
	bool args_escaped;
};

struct image_history { char *created, *created_by, *author, *comment; bool empty_layer; };
struct image_rootfs { char *type; struct strings diff_ids; };

struct image_config {
	char *created, *author, *architecture, *variant, *os, *os_version;
	struct image_container_config config;
	struct image_rootfs rootfs;
	ARRAY(struct image_history) history;
	struct json *rest;
};

extern const struct json_shape image_config_shape, image_container_config_shape, image_manifest_shape,
	image_index_shape, image_descriptor_shape;

/* What a manifest body is: decides between an index (ret_index filled) and a manifest (ret_manifest filled).
 * content_type is the transport's, NULL when there is none. */
enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };
int image_manifest_decode(struct arena *arena, const char *text, size_t len, const char *content_type,
			  enum manifest_kind *ret_kind, struct image_manifest *ret_manifest,
			  struct image_index *ret_index, struct error *err);
int image_config_decode(struct arena *arena, const char *text, size_t len, struct image_config *ret,
			struct error *err);
/* The entry for a platform ("linux/arm64/v8"; NULL: this machine), or NULL with an error that lists what there is. The
 * exact variant comes first, then the nearest lower one (arm v7 -> v6, amd64 v3 -> v2 -> none). The entry may be
 * an index again. */
const struct image_descriptor *image_index_choose(struct arena *arena, const struct image_index *index,
						  const char *platform, struct error *err);
char *image_host_platform(struct arena *arena);
/* "arm64" and "linux/aarch64" as "linux/arm64"; NULL with an error for what is no platform. */
char *image_platform_check(struct arena *arena, const char *text, struct error *err);
/* Is something of these three for the platform (NULL: this machine)? A variant that one side does not name fits. */
bool image_platform_is(struct arena *arena, const char *platform, const char *os, const char *architecture,
		       const char *variant);
/* How a layer's media type says it is packed; -1 for types that are no tar layer. */
int image_layer_compression(const char *media_type, enum layer_compression *ret);
/* The OCI twin of a Docker media type, and the reverse; the argument itself when there is none. */
const char *image_media_type_oci(const char *media_type);
const char *image_media_type_docker(const char *media_type);
bool image_media_type_is_index(const char *media_type);

bool digest_is_valid(const char *digest);
/* The hex part of a valid digest. */
const char *digest_hex(const char *digest);

#endif

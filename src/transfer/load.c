/* The operation `load`: images out of a docker-archive, an oci-archive or an OCI directory, every digest and size
 * checked, nothing fetched: what is not in the archive is an error, whatever urls a descriptor names. */
#include "transfer/load.h"

#include "transfer/found.h"

int op_load(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct bundle *b = bundle_open(w, w->channel->fds[0], err);
	int result;

	if (!b)
		return -1;
	if (bundle_has(b, "manifest.json"))
		result = load_docker(w, b, ret, err);
	else if (bundle_has(b, "index.json"))
		result = load_oci(w, b, r->platform, ret, err);
	else {
		error_set(err, ERROR_INVALID, "neither a docker-archive (manifest.json) nor an OCI layout (index.json)");
		result = error_hint(err, "a root file system becomes an image with: bryo import FILE NAME");
	}
	bundle_close(b);
	if (result == 0 && ret->images.n == 0)
		return error_set(err, ERROR_INVALID, "there is no image in the archive");
	return result;
}

struct json *load_descriptor(struct arena *arena, const char *media_type, const char *digest, int64_t size)
{
	struct json *d = json_new_object(arena);

	json_set(arena, d, "mediaType", json_new_string(arena, media_type));
	json_set(arena, d, "size", json_new_int(arena, size));
	json_set(arena, d, "digest", json_new_string(arena, digest));
	return d;
}

const char *load_layer_type(enum inflate_kind kind, bool docker)
{
	static const char *const types[][2] = {
		[INFLATE_PLAIN] = { "application/vnd.oci.image.layer.v1.tar",
				    "application/vnd.docker.image.rootfs.diff.tar" },
		[INFLATE_GZIP] = { "application/vnd.oci.image.layer.v1.tar+gzip",
				   "application/vnd.docker.image.rootfs.diff.tar.gzip" },
		[INFLATE_ZSTD] = { "application/vnd.oci.image.layer.v1.tar+zstd",
				   "application/vnd.docker.image.rootfs.diff.tar.zstd" },
	};

	return kind < ELEMENTS(types) ? types[kind][docker] : NULL;
}

int load_made(struct work *w, const char *config, size_t config_size, struct json *layers, bool docker,
	      struct transfer_image *ret, struct error *err)
{
	const char *type = docker ? "application/vnd.docker.distribution.manifest.v2+json" :
				    "application/vnd.oci.image.manifest.v1+json";
	const char *config_type = docker ? "application/vnd.docker.container.image.v1+json" :
					   "application/vnd.oci.image.config.v1+json";
	char digest[DIGEST_TEXT_MAX];
	struct json *m = json_new_object(w->arena);
	struct image_manifest manifest = { 0 };
	struct image_index index;
	enum manifest_kind kind;
	char *text;

	if (sink_bytes(&w->places, config, config_size, digest, err) < 0)
		return -1;
	json_set(w->arena, m, "schemaVersion", json_new_int(w->arena, 2));
	json_set(w->arena, m, "mediaType", json_new_string(w->arena, type));
	json_set(w->arena, m, "config", load_descriptor(w->arena, config_type, digest, (int64_t)config_size));
	json_set(w->arena, m, "layers", layers);
	text = json_print(w->arena, m, 0);
	if (image_manifest_decode(w->arena, text, strlen(text), type, &kind, &manifest, &index, err) < 0 ||
	    sink_bytes(&w->places, text, strlen(text), digest, err) < 0)
		return -1;
	return found_image(w, &manifest, digest, type, config, config_size, ret, err);
}

/* The operation `load`: images out of a docker-archive, an oci-archive, an OCI directory or a plain directory of blobs,
 * every digest and size checked, nothing fetched: what is not in the archive is an error, whatever urls a descriptor
 * names. */
#include "transfer/load.h"

#include "spec/reference.h"
#include "transfer/found.h"

#define MANIFEST_JSON_MAX ((size_t)16 << 20)

/* manifest.json is a list of images in a docker-archive, and the manifest itself in a directory of blobs. */
static int load_manifest_json(struct work *w, struct bundle *b, const struct transfer_request *r,
			      struct transfer_event *ret, struct error *err)
{
	size_t size;
	char *text = bundle_read(b, "manifest.json", MANIFEST_JSON_MAX, &size, err);
	struct json *body = text ? json_parse(w->arena, text, size, "manifest.json", err) : NULL;

	if (!body)
		return -1;
	if (body->kind == JSON_LIST)
		return load_docker(w, b, r, body, ret, err);
	if (body->kind == JSON_OBJECT && json_get(body, "schemaVersion"))
		return load_dir(w, b, r, ret, err);
	return error_set(err, ERROR_INVALID, "manifest.json: expected a list of images");
}

int op_load(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct bundle *b = bundle_open(w, w->channel->fds[0], err);
	int result;

	if (!b)
		return -1;
	if (bundle_has(b, "manifest.json"))
		result = load_manifest_json(w, b, r, ret, err);
	else if (bundle_has(b, "index.json"))
		result = load_oci(w, b, r, ret, err);
	else {
		error_set(err, ERROR_INVALID, "neither a docker-archive (manifest.json) nor an OCI layout (index.json)");
		result = error_hint(err, "a root file system becomes an image with: bryo import FILE NAME");
	}
	bundle_close(b);
	if (result == 0 && ret->images.n == 0)
		return error_set(err, ERROR_INVALID, "there is no image in the archive");
	return result;
}

/* --- the one that is wanted */

/* "box", "box:latest" and "docker.io/library/box" are one name. */
static char *whole_name(struct arena *arena, const char *text)
{
	struct reference r;

	if (reference_parse(arena, text, &r, NULL) < 0)
		return NULL;
	if (!r.registry && reference_parse(arena, arena_printf(arena, "docker.io/%s", text), &r, NULL) < 0)
		return NULL;
	return reference_print(arena, &r);
}

bool load_is_wanted(struct arena *arena, const struct transfer_request *r, size_t place, struct strings *names)
{
	const struct strings all = *names;
	const char *whole;

	if (r->place)
		return *r->place >= 0 && (uint64_t)*r->place == place;
	if (!r->reference)
		return true;
	*names = (struct strings){ 0 };
	whole = whole_name(arena, r->reference);
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i], r->reference) || (whole && str_eq(whole_name(arena, all.v[i]), whole)))
			strings_add(arena, names, all.v[i]);
	return names->n > 0;
}

int load_not_there(struct arena *arena, const struct transfer_request *r, size_t n, const struct strings *names,
		   struct error *err)
{
	if (r->place)
		return error_set(err, ERROR_NOT_FOUND, "the archive has %zu images: none at place @%lld", n, (long long)*r->place);
	error_set(err, ERROR_NOT_FOUND, "the archive has no image %s", str_printable(arena, r->reference, 300));
	if (!names->n)
		return error_hint(err, "its images have no names: leave the name out, or write @0 for the first");
	return error_hint(err, "it has: %s", str_printable(arena, strings_join(arena, names, ", "), 800));
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

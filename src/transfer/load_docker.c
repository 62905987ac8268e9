/* docker-archive: manifest.json names a configuration, tags and plain tars of layers. */
#include "transfer/load.h"

struct docker_image { char *config; struct strings repo_tags, layers; };

static const struct json_field docker_image_fields[] = {
	JSON_FIELD(docker_image, config, "Config", T_STRING, .required = true),
	JSON_FIELD(docker_image, repo_tags, "RepoTags", T_STRINGS),
	JSON_FIELD(docker_image, layers, "Layers", T_STRINGS),
};
static const struct json_shape docker_image_shape = { "manifest.json", sizeof(struct docker_image), docker_image_fields,
						      ELEMENTS(docker_image_fields) };

#define LAYERS_MAX 1024

/* The digest that a file's name promises ("<hex>.json", "blobs/sha256/<hex>"), or NULL. */
static char *promised(struct arena *arena, const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	char *digest;

	if (strlen(base) < 64)
		return NULL;
	digest = arena_printf(arena, "sha256:%.*s", 64, base);
	if (!digest_is_valid(digest))
		return NULL;
	return base[64] == '\0' || strcmp(base + 64, ".json") == 0 ? digest : NULL;
}

static int check_config(struct work *w, const char *name, const char *text, size_t size, struct error *err)
{
	char digest[DIGEST_TEXT_MAX], *expected = promised(w->arena, name);

	if (hash_bytes(text, size, NULL, digest, err) < 0)
		return -1;
	if (expected && !str_eq(expected, digest))
		return error_set(err, ERROR_INVALID, "%s: digest does not match: the content is %s", name, digest);
	return 0;
}

/* One layer becomes a blob. A plain one must already be what its diff ID says. */
static int keep_layer(struct work *w, struct bundle *b, const char *name, const char *diff_id, struct json *layers,
		      struct error *err)
{
	const char *expected = str_starts(name, "blobs/sha256/") ? promised(w->arena, name) : NULL, *type;
	struct bundle_blob blob;

	if (bundle_keep(b, name, expected, -1, &blob, err) < 0)
		return -1;
	type = load_layer_type(blob.kind, true);
	if (!type)
		return error_set(err, ERROR_UNSUPPORTED, "%s: layers packed with %s are not supported", name,
				 inflate_kind_name(blob.kind));
	if (blob.kind == INFLATE_PLAIN && !str_eq(blob.digest, diff_id))
		return error_set(err, ERROR_INVALID, "%s: digest does not match: the content is %s, the configuration says %s",
				 name, blob.digest, diff_id);
	json_append(w->arena, layers, load_descriptor(w->arena, type, blob.digest, blob.size));
	return 0;
}

static int load_one(struct work *w, struct bundle *b, const struct docker_image *d, struct transfer_image *ret,
		    struct error *err)
{
	struct json *layers = json_new_list(w->arena);
	struct image_config config = { 0 };
	size_t size;
	char *text = bundle_read(b, d->config, IMAGE_CONFIG_MAX, &size, err);

	if (!text || check_config(w, d->config, text, size, err) < 0 ||
	    image_config_decode(w->arena, text, size, &config, err) < 0)
		return -1;
	if (config.rootfs.diff_ids.n != d->layers.n || d->layers.n > LAYERS_MAX)
		return error_set(err, ERROR_INVALID, "manifest.json has %zu layers, %s has %zu diff IDs", d->layers.n, d->config,
				 config.rootfs.diff_ids.n);
	for (size_t i = 0; i < d->layers.n; i++)
		if (keep_layer(w, b, d->layers.v[i], config.rootfs.diff_ids.v[i], layers, err) < 0)
			return -1;
	if (load_made(w, text, size, layers, true, ret, err) < 0)
		return -1;
	ret->names = d->repo_tags;
	return 0;
}

int load_docker(struct work *w, struct bundle *b, const struct transfer_request *r, struct json *list,
		struct transfer_event *ret, struct error *err)
{
	struct strings all = { 0 };

	for (size_t i = 0; i < list->list.n; i++) {
		struct docker_image d = { 0 };
		struct transfer_image image = { 0 };

		if (json_decode_value(w->arena, &docker_image_shape, &d, list->list.v[i], "manifest.json", err) < 0)
			return -1;
		strings_add_all(w->arena, &all, &d.repo_tags);
		if (!load_is_wanted(w->arena, r, i, &d.repo_tags))
			continue;
		if (load_one(w, b, &d, &image, err) < 0)
			return -1;
		*ARRAY_ADD(w->arena, &ret->images) = image;
	}
	if (!ret->images.n && (r->place || r->reference))
		return load_not_there(w->arena, r, list->list.n, &all, err);
	return 0;
}

/* OCI image layout: index.json leads to manifests by digest. */
#include "transfer/found.h"
#include "transfer/load.h"

#define DEPTH_MAX 8

struct loader {
	struct work *work;
	struct bundle *bundle;
	const char *platform;
	struct transfer_event *ret;
};

static char *blob_name(struct arena *arena, const char *digest)
{
	return arena_printf(arena, "blobs/sha256/%s", digest_hex(digest));
}

/* A small blob, checked against its descriptor, and kept. */
static char *take(struct loader *l, const struct image_descriptor *d, size_t limit, size_t *ret_size,
		  struct error *err)
{
	char *text;

	if (found_is_stored(d->digest, err) < 0)
		return NULL;
	text = bundle_read(l->bundle, blob_name(l->work->arena, d->digest), limit, ret_size, err);
	if (!text || found_check(d, text, *ret_size, err) < 0 ||
	    sink_bytes(&l->work->places, text, *ret_size, NULL, err) < 0)
		return NULL;
	return text;
}

static int keep_layers(struct loader *l, const struct image_manifest *m, struct error *err)
{
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct image_descriptor *d = &m->layers.v[i];

		if (bundle_keep(l->bundle, blob_name(l->work->arena, d->digest), d->digest, d->size, NULL, err) == 0)
			continue;
		if (error_is(err, ERROR_NOT_FOUND) && d->urls.n)
			error_hint(err, "this layer is kept elsewhere (%s), and loading never fetches anything: pull the image",
				   d->urls.v[0]);
		return error_frame(err, "layer %zu", i + 1);
	}
	return 0;
}

static const char *name_of(const struct image_descriptor *d)
{
	const char *name = map_get(&d->annotations, "io.containerd.image.name");

	return name ? name : map_get(&d->annotations, "org.opencontainers.image.ref.name");
}

static int load_manifest(struct loader *l, const struct image_descriptor *d, const char *name,
			 const struct image_manifest *m, const char *index_digest, struct error *err)
{
	struct transfer_image image = { 0 };
	const char *type = str_is_empty(m->media_type) ? d->media_type : m->media_type;
	size_t size;
	char *config = take(l, &m->config, IMAGE_CONFIG_MAX, &size, err);

	if (!config)
		return error_frame(err, "configuration");
	if (found_image(l->work, m, d->digest, type, config, size, &image, err) < 0 || keep_layers(l, m, err) < 0)
		return -1;
	if (!str_is_empty(name))
		strings_add(l->work->arena, &image.names, name);
	image.index_digest = arena_strdup(l->work->arena, index_digest);
	*ARRAY_ADD(l->work->arena, &l->ret->images) = image;
	return 0;
}

static int load_entry(struct loader *l, const struct image_descriptor *d, const char *name, const char *index_digest,
		      int depth, struct error *err)
{
	const char *type = str_is_empty(d->media_type) ? NULL : d->media_type;
	struct image_manifest m = { 0 };
	struct image_index index = { 0 };
	const struct image_descriptor *chosen;
	enum manifest_kind kind;
	size_t size;
	char *text = take(l, d, IMAGE_MANIFEST_MAX, &size, err);

	if (!text)
		return error_frame(err, "manifest");
	if (image_manifest_decode(l->work->arena, text, size, type, &kind, &m, &index, err) < 0)
		return -1;
	if (kind == MANIFEST_IMAGE)
		return load_manifest(l, d, name, &m, index_digest, err);
	if (depth >= DEPTH_MAX)
		return error_set(err, ERROR_INVALID, "indexes are nested more than %d deep", DEPTH_MAX);
	chosen = image_index_choose(l->work->arena, &index, l->platform, err);
	return chosen ? load_entry(l, chosen, name, depth ? index_digest : d->digest, depth + 1, err) : -1;
}

static bool is_attestation(const struct image_descriptor *d)
{
	return d->platform && str_eq(d->platform->os, "unknown") && str_eq(d->platform->architecture, "unknown");
}

/* Unnamed manifests side by side are one image for several platforms; named ones are several images. */
static int load_index(struct loader *l, const struct image_index *index, struct error *err)
{
	const struct image_descriptor *chosen;
	bool named = false;

	for (size_t i = 0; i < index->manifests.n; i++)
		named |= name_of(&index->manifests.v[i]) != NULL;
	if (!named && index->manifests.n > 1) {
		chosen = image_index_choose(l->work->arena, index, l->platform, err);
		return chosen ? load_entry(l, chosen, NULL, NULL, 0, err) : -1;
	}
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.v[i];

		if (!is_attestation(d) && load_entry(l, d, name_of(d), NULL, 0, err) < 0)
			return -1;
	}
	return 0;
}

int load_oci(struct work *w, struct bundle *b, const char *platform, struct transfer_event *ret, struct error *err)
{
	struct loader l = { w, b, platform, ret };
	struct image_manifest m = { 0 };
	struct image_index index = { 0 };
	enum manifest_kind kind;
	size_t size;
	char *text = bundle_read(b, "index.json", IMAGE_MANIFEST_MAX, &size, err);

	if (!text)
		return -1;
	if (image_manifest_decode(w->arena, text, size, NULL, &kind, &m, &index, err) < 0)
		return error_frame(err, "index.json");
	if (kind != MANIFEST_INDEX)
		return error_set(err, ERROR_INVALID, "index.json is a manifest, not an index");
	return load_index(&l, &index, err);
}

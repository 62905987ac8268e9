/* OCI image layout: index.json leads to manifests by digest. And skopeo's dir: manifest.json is the manifest, and blobs
 * have nothing but their digits for a name. */
#include "transfer/found.h"
#include "transfer/load.h"

#define DEPTH_MAX 8

struct loader {
	struct work *work;
	struct bundle *bundle;
	const struct transfer_request *request;
	struct transfer_event *ret;
	bool flat;			/* dir */
};

static char *blob_name(const struct loader *l, const char *digest)
{
	return arena_printf(l->work->arena, "%s%s", l->flat ? "" : "blobs/sha256/", digest_hex(digest));
}

static char *manifest_name(const struct loader *l, const char *digest)
{
	return arena_printf(l->work->arena, "%s%s", blob_name(l, digest), l->flat ? ".manifest.json" : "");
}

/* A small blob, checked against its descriptor, and kept. */
static char *take(struct loader *l, const struct image_descriptor *d, const char *name, size_t limit, size_t *ret_size,
		  struct error *err)
{
	char *text = bundle_read(l->bundle, name, limit, ret_size, err);

	if (!text || found_check(d, text, *ret_size, err) < 0 ||
	    sink_bytes(&l->work->places, text, *ret_size, NULL, err) < 0)
		return NULL;
	return text;
}

static int keep_layers(struct loader *l, const struct image_manifest *m, struct error *err)
{
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct image_descriptor *d = &m->layers.v[i];

		if (bundle_keep(l->bundle, blob_name(l, d->digest), d->digest, d->size, NULL, err) == 0)
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
	char *config;

	if (str_is_empty(type))
		type = "application/vnd.oci.image.manifest.v1+json";
	if (found_is_stored(m->config.digest, err) < 0 ||
	    !(config = take(l, &m->config, blob_name(l, m->config.digest), IMAGE_CONFIG_MAX, &size, err)))
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
	char *text = found_is_stored(d->digest, err) < 0 ? NULL :
		     take(l, d, manifest_name(l, d->digest), IMAGE_MANIFEST_MAX, &size, err);

	if (!text)
		return error_frame(err, "manifest");
	if (image_manifest_decode(l->work->arena, text, size, type, &kind, &m, &index, err) < 0)
		return -1;
	if (kind == MANIFEST_IMAGE)
		return load_manifest(l, d, name, &m, index_digest, err);
	if (depth >= DEPTH_MAX)
		return error_set(err, ERROR_INVALID, "indexes are nested more than %d deep", DEPTH_MAX);
	chosen = image_index_choose(l->work->arena, &index, l->request->platform, err);
	return chosen ? load_entry(l, chosen, name, depth ? index_digest : d->digest, depth + 1, err) : -1;
}

static bool is_attestation(const struct image_descriptor *d)
{
	return d->platform && str_eq(d->platform->os, "unknown") && str_eq(d->platform->architecture, "unknown");
}

static bool same_platform(const struct image_platform *a, const struct image_platform *b)
{
	return a && b && str_eq(a->os, b->os) && str_eq(a->architecture, b->architecture) && str_eq(a->variant, b->variant);
}

/* Unnamed manifests side by side are one image for several platforms. Named ones are several images, and so are those of
 * one platform. */
static bool is_one_image(const struct loader *l, const struct image_index *index)
{
	if (index->manifests.n < 2 || l->request->place || l->request->reference)
		return false;
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.v[i];

		if (name_of(d))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!is_attestation(d) && same_platform(d->platform, index->manifests.v[k].platform))
				return false;
	}
	return true;
}

static int load_index(struct loader *l, const struct image_index *index, struct error *err)
{
	const struct image_descriptor *chosen;
	struct strings all = { 0 };

	if (is_one_image(l, index)) {
		chosen = image_index_choose(l->work->arena, index, l->request->platform, err);
		return chosen ? load_entry(l, chosen, NULL, NULL, 0, err) : -1;
	}
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.v[i];
		const char *name = name_of(d);
		struct strings names = { 0 };

		if (is_attestation(d))
			continue;
		if (name)
			strings_add(l->work->arena, &names, name);
		strings_add_all(l->work->arena, &all, &names);
		if (load_is_wanted(l->work->arena, l->request, i, &names) &&
		    load_entry(l, d, name, NULL, 0, err) < 0)
			return -1;
	}
	if (!l->ret->images.n && (l->request->place || l->request->reference))
		return load_not_there(l->work->arena, l->request, index->manifests.n, &all, err);
	return 0;
}

int load_oci(struct work *w, struct bundle *b, const struct transfer_request *r, struct transfer_event *ret,
	     struct error *err)
{
	struct loader l = { w, b, r, ret, false };
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

/* The digest of what stands in manifest.json is whatever it is: nothing names it. */
int load_dir(struct work *w, struct bundle *b, const struct transfer_request *r, struct transfer_event *ret,
	     struct error *err)
{
	struct loader l = { w, b, r, ret, true };
	struct image_descriptor d = { 0 };
	struct image_manifest m = { 0 };
	struct image_index index = { 0 };
	char digest[DIGEST_TEXT_MAX];
	const struct image_descriptor *chosen;
	enum manifest_kind kind;
	size_t size;
	char *text = bundle_read(b, "manifest.json", IMAGE_MANIFEST_MAX, &size, err);

	if (!text || image_manifest_decode(w->arena, text, size, NULL, &kind, &m, &index, err) < 0 ||
	    sink_bytes(&w->places, text, size, digest, err) < 0)
		return error_frame(err, "manifest.json");
	d.digest = digest;
	if (kind == MANIFEST_IMAGE)
		return load_manifest(&l, &d, NULL, &m, NULL, err);
	chosen = image_index_choose(w->arena, &index, r->platform, err);
	return chosen ? load_entry(&l, chosen, NULL, arena_strdup(w->arena, digest), 1, err) : -1;
}

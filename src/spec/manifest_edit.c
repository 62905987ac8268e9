#include "spec/manifest_edit.h"

#include "spec/media_type.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"

int manifest_family(const char *word, bool *ret_docker, struct error *err)
{
	if (!word)
		return 0;
	if (strcmp(word, "oci") != 0 && strcmp(word, "docker") != 0 && strcmp(word, "v2s2") != 0) {
		if (strcmp(word, "v2s1") == 0)
			return error_set(err, ERROR_UNSUPPORTED, "manifests of schema 1 are not written any more: use oci or v2s2");
		return error_set(err, ERROR_USAGE, "unknown format \"%s\": choose one of oci, v2s2, docker", word);
	}
	*ret_docker = strcmp(word, "oci") != 0;
	return 0;
}

bool manifest_is_docker(const char *media_type)
{
	return media_type && str_starts(media_type, "application/vnd.docker.");
}

static char *in_family(struct arena *arena, const char *type, bool docker)
{
	return arena_strdup(arena, docker ? image_media_type_docker(type) : image_media_type_oci(type));
}

int manifest_convert(struct arena *arena, struct image_manifest *m, bool docker, struct error *err)
{
	enum layer_compression packing;

	for (size_t i = 0; i < m->layers.n; i++) {
		struct image_descriptor *layer = &m->layers.v[i];

		if (docker && image_layer_compression(layer->media_type, &packing) == 0 && packing == LAYER_ZSTD) {
			error_set(err, ERROR_UNSUPPORTED, "Docker's manifests have no layers compressed with zstd");
			return error_hint(err, "push with --format oci, or with --compression-format gzip");
		}
		layer->media_type = in_family(arena, layer->media_type, docker);
		if (docker)
			layer->annotations = (struct string_map){ 0 };
	}
	m->media_type = in_family(arena, OCI_MANIFEST, docker);
	m->config.media_type = in_family(arena, OCI_CONFIG, docker);
	if (docker)
		m->annotations = (struct string_map){ 0 };
	return 0;
}

char *manifest_print(struct arena *arena, const struct image_manifest *m)
{
	return json_print(arena, json_encode(arena, &image_manifest_shape, m), 0);
}

int index_convert(struct arena *arena, struct image_index *index, bool docker, struct error *err)
{
	for (size_t i = 0; docker && i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.v[i];

		if (!manifest_is_docker(d->media_type)) {
			error_set(err, ERROR_UNSUPPORTED, "Docker's manifest lists name Docker's manifests only, and %.19s is %s", d->digest,
				  str_printable(arena, d->media_type, 100));
			return error_hint(err, "push the images as well (--all), so that they are converted");
		}
		index->manifests.v[i].annotations = (struct string_map){ 0 };
	}
	index->media_type = in_family(arena, OCI_INDEX, docker);
	if (docker)
		index->annotations = (struct string_map){ 0 };
	return 0;
}

char *index_print(struct arena *arena, const struct image_index *index)
{
	return json_print(arena, json_encode(arena, &image_index_shape, index), 0);
}

struct image_descriptor *index_find(const struct image_index *index, const char *digest)
{
	for (size_t i = 0; i < index->manifests.n; i++)
		if (strcmp(index->manifests.v[i].digest, digest) == 0)
			return &index->manifests.v[i];
	return NULL;
}

struct image_descriptor *index_entry(struct arena *arena, struct image_index *index, const char *digest)
{
	struct image_descriptor *d = index_find(index, digest);

	if (d)
		return d;
	d = ARRAY_ADD(arena, &index->manifests);
	d->digest = arena_strdup(arena, digest);
	return d;
}

bool index_remove(struct image_index *index, const char *digest)
{
	struct image_descriptor *d = index_find(index, digest);

	if (!d)
		return false;
	index->manifests.n--;
	memmove(d, d + 1, (size_t)(index->manifests.v + index->manifests.n - d) * sizeof(*d));
	return true;
}

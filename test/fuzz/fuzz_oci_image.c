/* Manifests, indexes and configurations as a registry might send them. */
#include "spec/manifest_edit.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct image_descriptor *d)
{
	if (!digest_is_valid(d->digest) || d->size < 0)
		abort();
}

/* What is written is read again, in both families. */
static void check_written(struct arena *arena, struct image_manifest *m)
{
	struct image_manifest again;
	struct image_index index;
	enum manifest_kind kind;

	for (int docker = 0; docker < 2; docker++) {
		char *text;

		if (manifest_convert(arena, m, docker, NULL) < 0)
			continue;
		text = manifest_print(arena, m);
		if (image_manifest_decode(arena, text, strlen(text), m->media_type, &kind, &again, &index, NULL) < 0 ||
		    again.layers.n != m->layers.n)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const platforms[] = { NULL, "linux/arm/v7", "linux/amd64/v3", "linux/s390x" };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct image_manifest manifest;
	struct image_index index;
	struct image_config config;
	enum manifest_kind kind;
	struct error err = { 0 };

	image_config_decode(arena, (const char *)data, size, &config, &err);
	if (image_manifest_decode(arena, (const char *)data, size, NULL, &kind, &manifest, &index, &err) < 0)
		return 0;
	if (kind == MANIFEST_IMAGE) {
		check(&manifest.config);
		for (size_t i = 0; i < manifest.layers.n; i++)
			check(&manifest.layers.v[i]);
		check_written(arena, &manifest);
		return 0;
	}
	for (size_t i = 0; i < ELEMENTS(platforms); i++) {
		const struct image_descriptor *d = image_index_choose(arena, &index, platforms[i], &err);

		if (d)
			check(d);
	}
	return 0;
}

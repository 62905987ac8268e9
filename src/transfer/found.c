#include "transfer/found.h"

int found_is_stored(const char *digest, struct error *err)
{
	if (!digest || !digest_is_valid(digest))
		return error_set(err, ERROR_INVALID, "the descriptor's digest %s is not valid", digest ? digest : "(none)");
	if (!str_starts(digest, "sha256:"))
		return error_set(err, ERROR_UNSUPPORTED, "%.30s...: only sha256 digests are stored", digest);
	return 0;
}

int found_check(const struct image_descriptor *d, const void *p, size_t n, struct error *err)
{
	char digest[DIGEST_TEXT_MAX];

	if (d->size >= 0 && (uint64_t)d->size != n)
		return error_set(err, ERROR_INVALID, "%s: size does not match: %zu bytes, the descriptor says %lld", d->digest,
				 n, (long long)d->size);
	if (hash_bytes(p, n, d->digest, digest, err) < 0)
		return -1;
	if (!str_eq(digest, d->digest))
		return error_set(err, ERROR_INVALID, "digest does not match: the content is %s, expected %s", digest, d->digest);
	return 0;
}

static int check_layers(const struct image_manifest *m, const struct image_config *c, struct error *err)
{
	enum layer_compression packing;

	if (m->layers.n != c->rootfs.diff_ids.n)
		return error_set(err, ERROR_INVALID, "the manifest has %zu layers, the configuration %zu diff IDs", m->layers.n,
				 c->rootfs.diff_ids.n);
	for (size_t i = 0; i < m->layers.n; i++) {
		if (found_is_stored(m->layers.v[i].digest, err) < 0)
			return -1;
		if (image_layer_compression(m->layers.v[i].media_type, &packing) < 0)
			return error_set(err, ERROR_UNSUPPORTED, "layer %zu has the media type %s, which is no image layer", i + 1,
					 m->layers.v[i].media_type ? m->layers.v[i].media_type : "(none)");
		if (!digest_is_valid(c->rootfs.diff_ids.v[i]) || !str_starts(c->rootfs.diff_ids.v[i], "sha256:"))
			return error_set(err, ERROR_INVALID, "diff ID %zu of the configuration is not valid", i + 1);
	}
	return 0;
}

int found_image(struct work *w, const struct image_manifest *manifest, const char *manifest_digest,
		const char *media_type, const char *config, size_t config_size, struct transfer_image *ret,
		struct error *err)
{
	struct image_config c = { 0 };

	if (image_config_decode(w->arena, config, config_size, &c, err) < 0 || check_layers(manifest, &c, err) < 0)
		return -1;
	ret->config_digest = arena_strdup(w->arena, manifest->config.digest);
	ret->id = arena_strdup(w->arena, digest_hex(ret->config_digest));
	ret->manifest_digest = arena_strdup(w->arena, manifest_digest);
	ret->manifest_media_type = arena_strdup(w->arena, media_type);
	for (size_t i = 0; i < manifest->layers.n; i++) {
		*ARRAY_ADD(w->arena, &ret->layers) = manifest->layers.v[i];
		strings_add(w->arena, &ret->diff_ids, c.rootfs.diff_ids.v[i]);
	}
	return hash_chain_ids(w->arena, &ret->diff_ids, &ret->chain_ids, err);
}

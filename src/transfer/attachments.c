/* The operation `attachments`: cosign's signatures, which lie beside the image in its repository.
 *
 * The signatures of a manifest sha256:<hex> are the layers of the artifact tagged sha256-<hex>.sig: each layer is a
 * payload, its signature an annotation. A payload counts as signed only by keys that the engine gave, and what does not
 * count is answered without its payload, so that nobody reads it by mistake. */
#include "spec/base64.h"
#include "spec/signature.h"
#include "transfer/cosign.h"
#include "transfer/document.h"
#include "transfer/found.h"
#include "transfer/public_key.h"
#include "transfer/signatures.h"

#define SIGNATURES_MAX 128
#define PAYLOAD_MAX ((int64_t)1 << 20)

struct keys { struct evp_pkey_st **v; size_t n; };

static void free_keys(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		public_key_free(keys->v[i]);
}

static int read_keys(struct arena *arena, const struct strings *texts, struct keys *ret, struct error *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct evp_pkey_st *key = public_key_read(texts->v[i], err);

		if (!key)
			return -1;
		*ARRAY_ADD(arena, ret) = key;
	}
	return 0;
}

static int get_payload(struct work *w, struct registry *r, const struct image_descriptor *d, struct document *ret,
		       struct error *err)
{
	char *what = arena_printf(w->arena, "signature %.19s of %s/%s", d->digest, r->shown_host, r->path);

	if (d->size < 0 || d->size > PAYLOAD_MAX)
		return error_set(err, ERROR_INVALID, "%s: a size of %lld bytes is refused", what, (long long)d->size);
	if (document_get(w, r, arena_printf(w->arena, "/v2/%s/blobs/%s", r->path, d->digest), NULL, (size_t)d->size,
			 what, ret, err) < 0)
		return -1;
	return found_check(d, ret->data, ret->size, err) < 0 ? error_frame(err, "%s", what) : 0;
}

static int check_layer(struct work *w, struct registry *r, const struct image_descriptor *d, const struct keys *keys,
		       struct transfer_signature *ret, struct error *err)
{
	const char *text = map_get(&d->annotations, COSIGN_ANNOTATION);
	struct document payload;
	char *signature;
	size_t n;

	signature = text ? base64_decode(w->arena, text, &n) : NULL;
	if (!signature)
		return 0;		/* signed by nobody */
	if (get_payload(w, r, d, &payload, err) < 0)
		return -1;
	for (size_t i = 0; i < keys->n; i++)
		if (public_key_verifies(keys->v[i], payload.data, payload.size, signature, n))
			*ARRAY_ADD(w->arena, &ret->keys) = (int64_t)i;
	if (ret->keys.n)
		ret->payload = base64_encode(w->arena, payload.data, payload.size);
	return 0;
}

static int check_layers(struct work *w, struct registry *r, const struct image_manifest *m, const struct keys *keys,
			struct transfer_event *ret, struct error *err)
{
	size_t looked_at = 0;

	for (size_t i = 0; i < m->layers.n; i++) {
		const struct image_descriptor *d = &m->layers.v[i];

		if (!str_eq(d->media_type, COSIGN_PAYLOAD_TYPE))
			continue;
		if (++looked_at > SIGNATURES_MAX)
			return error_set(err, ERROR_INVALID, "%s/%s: more than %d signatures of one image",
					 r->shown_host, r->path, SIGNATURES_MAX);
		if (found_is_stored(d->digest, err) < 0 ||
		    check_layer(w, r, d, keys, ARRAY_ADD(w->arena, &ret->signatures), err) < 0)
			return -1;
	}
	return 0;
}

static int check_artifact(struct work *w, struct registry *r, const char *digest, const struct keys *keys,
			  struct transfer_event *ret, struct error *err)
{
	struct image_manifest m;
	int found = cosign_artifact(w, r, digest, &m, err);

	return found > 0 ? check_layers(w, r, &m, keys, ret, err) : found;
}

int op_attachments(struct work *w, const struct transfer_request *request, struct transfer_event *ret,
		   struct error *err)
{
	struct registry *r = registry_open(w, request, err);
	struct keys keys = { 0 };
	int result;

	if (!r || found_is_stored(request->reference, err) < 0)
		return -1;
	result = read_keys(w->arena, &request->keys, &keys, err);
	if (result == 0)
		result = check_artifact(w, r, request->reference, &keys, ret, err);
	free_keys(&keys);
	return result;
}

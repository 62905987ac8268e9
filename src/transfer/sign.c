/* The operation `sign`: a signature in cosign's format beside an image in its repository.
 *
 * The payload becomes one more layer of the manifest's artifact; what others signed stays. When this key has signed the
 * same payload before, there is nothing to do. */
#include "spec/base64.h"
#include "spec/manifest_edit.h"
#include "sys/fd.h"
#include "transfer/cosign.h"
#include "transfer/found.h"
#include "transfer/private_key.h"
#include "transfer/public_key.h"
#include "transfer/push.h"
#include "transfer/signatures.h"
#include "transfer/upload.h"

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"

struct signing {
	struct work *work;
	const struct transfer_request *request;
	struct registry *registry;
	struct evp_pkey_st *key;
	struct image_manifest artifact;
};

static int describe(struct arena *arena, const char *text, const char *media_type, struct image_descriptor *ret,
		    struct error *err)
{
	char digest[DIGEST_TEXT_MAX];

	if (hash_bytes(text, strlen(text), NULL, digest, err) < 0)
		return -1;
	*ret = (struct image_descriptor){ .media_type = arena_strdup(arena, media_type),
					  .digest = arena_strdup(arena, digest), .size = (int64_t)strlen(text) };
	return 0;
}

static bool is_signed(const struct signing *s, const char *payload, const char *digest)
{
	for (size_t i = 0; i < s->artifact.layers.n; i++) {
		const struct image_descriptor *d = &s->artifact.layers.v[i];
		const char *text = map_get(&d->annotations, COSIGN_ANNOTATION);
		size_t n;
		char *signature = text && str_eq(d->digest, digest) ? base64_decode(s->work->arena, text, &n) : NULL;

		if (signature && public_key_verifies(s->key, payload, strlen(payload), signature, n))
			return true;
	}
	return false;
}

/* cosign looks into it for nothing; it has the form of an image's configuration. */
static char *config_text(const struct signing *s)
{
	struct arena *arena = s->work->arena;
	struct json *config = json_new_object(arena), *rootfs = json_new_object(arena), *ids = json_new_list(arena);

	for (size_t i = 0; i < s->artifact.layers.n; i++)
		json_append(arena, ids, json_new_string(arena, s->artifact.layers.v[i].digest));
	json_set(arena, rootfs, "type", json_new_string(arena, "layers"));
	json_set(arena, rootfs, "diff_ids", ids);
	json_set(arena, config, "architecture", json_new_string(arena, ""));
	json_set(arena, config, "os", json_new_string(arena, ""));
	json_set(arena, config, "config", json_new_object(arena));
	json_set(arena, config, "rootfs", rootfs);
	return json_print(arena, config, 0);
}

static int send_blob(struct signing *s, const struct image_descriptor *d, const char *text, struct error *err)
{
	_cleanup_fd_ int fd = sink_scratch(&s->work->places);
	struct progress quiet = { 0 };
	const struct upload_request request = { .digest = d->digest, .size = d->size, .fd = fd, .progress = &quiet };
	enum upload_result result = UPLOAD_UNDER_WAY;
	struct upload_blob *blob;
	struct upload *u;

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		return error_errno(err, "keep a signature");
	u = upload_open(s->work, s->request, err);
	if (!u)
		return -1;
	blob = upload_add(u, &request);
	while ((result = upload_result(blob, err)) == UPLOAD_UNDER_WAY)
		if (errand_wait(upload_errands(u), NULL, 0, err) < 0)
			break;
	upload_close(u);
	return result == UPLOAD_DONE ? 0 : -1;
}

static int send_artifact(struct signing *s, struct error *err)
{
	char *config = config_text(s), *text;
	struct image_descriptor pushed;

	s->artifact.schema_version = 2;
	s->artifact.media_type = arena_strdup(s->work->arena, OCI_MANIFEST);
	if (describe(s->work->arena, config, OCI_CONFIG, &s->artifact.config, err) < 0 ||
	    send_blob(s, &s->artifact.config, config, err) < 0)
		return -1;
	text = manifest_print(s->work->arena, &s->artifact);
	return push_manifest(s->work, s->registry, text, strlen(text), OCI_MANIFEST,
			     cosign_tag(s->work->arena, s->request->reference), &pushed, err);
}

static int sign(struct signing *s, struct error *err)
{
	const char *payload = s->request->document;
	struct image_descriptor layer;
	char *signature;

	if (cosign_artifact(s->work, s->registry, s->request->reference, &s->artifact, err) < 0 ||
	    describe(s->work->arena, payload, COSIGN_PAYLOAD_TYPE, &layer, err) < 0)
		return -1;
	if (is_signed(s, payload, layer.digest))
		return 0;
	signature = private_key_sign(s->work->arena, s->key, payload, strlen(payload), err);
	if (!signature)
		return -1;
	map_set(s->work->arena, &layer.annotations, COSIGN_ANNOTATION, signature);
	*ARRAY_ADD(s->work->arena, &s->artifact.layers) = layer;
	return send_blob(s, &layer, payload, err) < 0 ? -1 : send_artifact(s, err);
}

int op_sign(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct signing s = { .work = w, .request = request };
	const struct strings *keys = &request->keys;
	int result;

	if (keys->n == 0 || !request->document || found_is_stored(request->reference, err) < 0)
		return error_set(err, ERROR_USAGE,
				 "the request to sign lacks a key, a manifest or what is to be signed");
	s.registry = registry_open(w, request, err);
	if (!s.registry)
		return -1;
	registry_will_push(s.registry, &(struct strings){ 0 });
	s.key = private_key_read(keys->v[0], keys->n > 1 ? keys->v[1] : NULL, err);
	if (!s.key)
		return -1;
	result = sign(&s, err);
	public_key_free(s.key);
	return result;
}

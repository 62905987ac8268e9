/* The operation `manifest`: a tag or digest becomes a manifest and a configuration in blobs/, both checked. */
#include "spec/media_type.h"
#include "sys/fd.h"
#include "transfer/document.h"
#include "transfer/found.h"

#define DEPTH_MAX 8
#define ACCEPT "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " \
	       "application/vnd.docker.distribution.manifest.v2+json, " \
	       "application/vnd.docker.distribution.manifest.list.v2+json, application/json;q=0.5, */*;q=0.1"

/* "application/json; charset=utf-8" without the parameters. Types that say nothing are no type. */
static const char *media_type_of(struct arena *arena, const char *content_type)
{
	char *type = content_type ? arena_strndup(arena, content_type, strcspn(content_type, "; \t")) : NULL;

	if (!type || !*type || strcmp(type, "application/json") == 0 || strcmp(type, "application/octet-stream") == 0 ||
	    str_starts(type, "text/"))
		return NULL;
	return type;
}

static int get_manifest(struct work *w, struct registry *r, const char *reference, struct document *ret, char *digest,
			struct error *err)
{
	bool by_digest = digest_is_valid(reference);
	char *what = arena_printf(w->arena, "manifest %s of %s/%s", reference, r->shown_host, r->path);

	if (document_get(w, r, arena_printf(w->arena, "/v2/%s/manifests/%s", r->path, reference), ACCEPT,
			 IMAGE_MANIFEST_MAX, what, ret, err) < 0 ||
	    hash_bytes(ret->data, ret->size, by_digest ? reference : NULL, digest, err) < 0)
		return -1;
	if (by_digest && !str_eq(digest, reference))
		return error_set(err, ERROR_INVALID, "%s: digest does not match: the registry sent %s", what, digest);
	return 0;
}

/* A packed answer, which nobody asked for, is the true cause of what its bytes are not. */
static int not_a_manifest(struct work *w, const struct registry *r, const char *reference, const struct document *text,
			  struct error *err)
{
	if (!str_is_empty(text->content_encoding) && !str_eq(text->content_encoding, "identity"))
		error_set(err, ERROR_INVALID, "it was sent with Content-Encoding %s, which was not asked for",
			  str_printable(w->arena, text->content_encoding, 40));
	return error_frame(err, "manifest %s of %s/%s", reference, r->shown_host, r->path);
}

/* Another name of the same image brought it before. NULL when it is not there or not what it should be. */
static char *stored_config(struct work *w, const struct image_descriptor *d, size_t *ret_size)
{
	_cleanup_fd_ int fd = sink_has(&w->places, d->digest, d->size) ? sink_open_blob(&w->places, d->digest) : -1;
	char *text;

	if (fd < 0)
		return NULL;
	text = arena_alloc(w->arena, (size_t)d->size + 1);
	*ret_size = (size_t)d->size;
	if (fd_read_all(fd, text, *ret_size) != (ssize_t)*ret_size || found_check(d, text, *ret_size, NULL) < 0)
		return NULL;
	return text;
}

static char *get_config(struct work *w, struct registry *r, const struct image_descriptor *d, size_t *ret_size,
			struct error *err)
{
	char *what = arena_printf(w->arena, "configuration %.19s of %s/%s", d->digest, r->shown_host, r->path);
	struct document text;
	char *stored;

	if (found_is_stored(d->digest, err) < 0)
		return NULL;
	if (d->size < 0 || d->size > (int64_t)IMAGE_CONFIG_MAX) {
		error_set(err, ERROR_INVALID, "%s: a size of %lld bytes is refused", what, (long long)d->size);
		return NULL;
	}
	stored = stored_config(w, d, ret_size);
	if (stored)
		return stored;
	if (document_get(w, r, arena_printf(w->arena, "/v2/%s/blobs/%s", r->path, d->digest), NULL, (size_t)d->size, what,
			 &text, err) < 0)
		return NULL;
	if (found_check(d, text.data, text.size, err) < 0 ||
	    sink_bytes(&w->places, text.data, text.size, NULL, err) < 0) {
		error_frame(err, "%s", what);
		return NULL;
	}
	*ret_size = text.size;
	return text.data;
}

static int take_image(struct work *w, struct registry *r, const struct document *text, const struct image_manifest *m,
		      const char *digest, const char *type, struct transfer_image *ret, struct error *err)
{
	char stored[DIGEST_TEXT_MAX], *config;
	size_t size;

	if (!media_type_is_config(m->config.media_type))
		return error_set(err, ERROR_UNSUPPORTED, "%s/%s is no container image: its configuration is of type %s",
				 r->shown_host, r->path, m->config.media_type ? m->config.media_type : "(none)");
	config = get_config(w, r, &m->config, &size, err);
	if (!config || sink_bytes(&w->places, text->data, text->size, stored, err) < 0)
		return -1;
	return found_image(w, m, str_starts(digest, "sha256:") ? digest : stored, type, config, size, ret, err);
}

/* size: what the index says about the manifest; -1: nobody said. */
static int follow(struct work *w, struct registry *r, const char *reference, int64_t size, const char *platform, int depth,
		  const char *index_digest, struct transfer_image *ret, struct error *err)
{
	char digest[DIGEST_TEXT_MAX];
	struct image_manifest m = { 0 };
	struct image_index index = { 0 };
	const struct image_descriptor *chosen;
	enum manifest_kind kind;
	const char *type;
	struct document text;

	if (get_manifest(w, r, reference, &text, digest, err) < 0)
		return -1;
	if (size >= 0 && (uint64_t)size != text.size)
		return error_set(err, ERROR_INVALID, "manifest %s: size does not match: %zu bytes, the index says %lld", reference,
				 text.size, (long long)size);
	type = media_type_of(w->arena, text.content_type);
	if (image_manifest_decode(w->arena, text.data, text.size, type, &kind, &m, &index, err) < 0)
		return not_a_manifest(w, r, reference, &text, err);
	if (kind == MANIFEST_IMAGE) {
		ret->index_digest = arena_strdup(w->arena, index_digest);
		return take_image(w, r, &text, &m, digest, !str_is_empty(m.media_type) ? m.media_type : type ? type :
				  "application/vnd.oci.image.manifest.v1+json", ret, err);
	}
	if (depth >= DEPTH_MAX)
		return error_set(err, ERROR_INVALID, "indexes are nested more than %d deep", DEPTH_MAX);
	chosen = image_index_choose(w->arena, &index, platform, err);
	if (!chosen)
		return error_frame(err, "%s/%s", r->shown_host, r->path);
	if (!digest_is_valid(chosen->digest))
		return error_set(err, ERROR_INVALID, "the index names a manifest by no valid digest");
	return follow(w, r, chosen->digest, chosen->size, platform, depth + 1,
		      depth ? index_digest : arena_strdup(w->arena, digest), ret, err);
}

int op_manifest(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct transfer_image image = { 0 };
	struct registry *r = registry_open(w, request, err);

	if (!r)
		return -1;
	if (str_is_empty(r->path) || str_is_empty(request->reference))
		return error_set(err, ERROR_USAGE, "the request for a manifest names none");
	if (follow(w, r, request->reference, -1, request->platform, 0, NULL, &image, err) < 0)
		return -1;
	*ARRAY_ADD(w->arena, &ret->images) = image;
	return 0;
}

/* --- the operation `look`: a manifest or an index as it is */

static const char *type_of_found(const struct image_manifest *m, const struct image_index *index, enum manifest_kind kind,
				 const char *transport)
{
	const char *own = kind == MANIFEST_IMAGE ? m->media_type : index->media_type;

	if (!str_is_empty(own) || transport)
		return str_is_empty(own) ? transport : own;
	return kind == MANIFEST_IMAGE ? "application/vnd.oci.image.manifest.v1+json" :
	       "application/vnd.oci.image.index.v1+json";
}

int op_look(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct registry *r = registry_open(w, request, err);
	char digest[DIGEST_TEXT_MAX];
	struct image_manifest m = { 0 };
	struct image_index index = { 0 };
	enum manifest_kind kind;
	struct document text;
	const char *type;

	if (!r)
		return -1;
	if (str_is_empty(r->path) || str_is_empty(request->reference))
		return error_set(err, ERROR_USAGE, "the request for a manifest names none");
	if (get_manifest(w, r, request->reference, &text, digest, err) < 0)
		return -1;
	type = media_type_of(w->arena, text.content_type);
	if (image_manifest_decode(w->arena, text.data, text.size, type, &kind, &m, &index, err) < 0)
		return not_a_manifest(w, r, request->reference, &text, err);
	*ARRAY_ADD(w->arena, &ret->manifests) = (struct image_descriptor){
		.media_type = arena_strdup(w->arena, type_of_found(&m, &index, kind, type)),
		.digest = arena_strdup(w->arena, digest), .size = (int64_t)text.size,
	};
	ret->document = text.data;
	return 0;
}

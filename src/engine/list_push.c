/* The part of engine/list.h that pushes: the images that a list names, each by its digest, then the list. */
#include "engine/list.h"

#include "engine/refetch.h"
#include "spec/manifest_edit.h"
#include "store/blob.h"
#include "sys/fd.h"

struct sending {
	struct engine *e;
	struct transfer *t;
	const struct push_request *r;
	const struct target *target;
	const struct image *list;
};

/* Where an entry's image is, besides here: as the list says, else as its image does. */
static const char *repository_of(struct sending *s, const char *digest)
{
	const char *said = map_get(&s->list->sources, digest);
	struct images images = { 0 };

	if (said || image_list(s->e->arena, &s->e->store, &images, NULL) < 0)
		return said;
	for (size_t i = 0; i < images.n; i++)
		if (str_eq(images.v[i].manifest_digest, digest) && image_repository(s->e->arena, &images.v[i]))
			return image_repository(s->e->arena, &images.v[i]);
	return NULL;
}

/* "REGISTRY/PATH" at the registry that is pushed to: PATH; NULL when it is elsewhere. */
static const char *path_there(const struct sending *s, const char *repository)
{
	const char *rest = repository ? str_after(repository, s->target->name.registry) : NULL;

	return rest && *rest == '/' ? rest + 1 : NULL;
}

/* The repository that has an entry's image: 1; 0: none is known. What the user gave for one registry is not shown to
 * another. */
static int source_of(struct sending *s, const char *digest, struct target *ret, struct error *err)
{
	const char *repository = repository_of(s, digest);
	struct source_options access = s->r->access;

	if (!repository)
		return 0;
	if (!path_there(s, repository))
		access.creds = access.cert_dir = NULL;
	return target_find(s->e, &access, arena_printf(s->e->arena, "%s@%s", repository, digest), ret, err) < 0 ? -1 : 1;
}

/* Manifest and configuration of an image that was never pulled. */
static int bring_manifest(struct sending *s, const char *digest, struct error *err)
{
	struct transfer_request request = { .op = "manifest", .retries = s->r->retry };
	struct transfer_event result;
	struct target from;
	int known;

	if (blob_exists(&s->e->store, digest))
		return 0;
	known = source_of(s, digest, &from, err);
	if (known == 0) {
		error_set(err, ERROR_NOT_FOUND, "the image is not in the store");
		error_hint(err, "push the list alone with --all=false when the registry has its images");
	}
	if (known <= 0)
		return -1;
	request.source = &from.source;
	request.reference = from.name.digest;
	return transfer_call(s->e, s->t, &request, NULL, 0, &result, err);
}

/* The list names the image by its digest, so its layers cannot be compressed anew. */
static int bring_blobs(struct sending *s, const char *digest, const struct transfer_event *missing, struct error *err)
{
	struct target from;
	int known = source_of(s, digest, &from, err);

	if (known == 0)
		return error_set(err, ERROR_NOT_FOUND, "the layer %.19s is neither in the store nor at the registry",
				 missing->missing.v[0].digest);
	if (known < 0)
		return -1;
	if (refetch_from(s->e, s->t, &from.source, s->r->retry, missing, err) == 0)
		return 0;
	error_frame(err, "fetch its layers again from %s/%s", from.name.registry, from.name.path);
	return error_hint(err, "the list names the image by its digest, so its layers must be as they were; bryo pull "
			  "--keep-compressed keeps them here");
}

static int fill(struct sending *s, const char *digest, struct transfer_request *ret, struct error *err)
{
	struct image as_image = { .manifest_digest = arena_strdup(s->e->arena, digest) };
	const char *path = path_there(s, map_get(&s->list->sources, digest));
	struct strings blobs = { 0 };

	if (image_blobs(s->e->arena, &s->e->store, &as_image, &blobs, err) < 0 ||
	    push_fill(s->e, s->r, s->target, &blobs, ret, err) < 0)
		return -1;
	for (size_t i = 0; path && !str_eq(path, s->target->name.path) && i < blobs.n; i++)
		*ARRAY_ADD(s->e->arena, &ret->mounts) = (struct transfer_mount){ blobs.v[i], (char *)(uintptr_t)path };
	ret->manifest = as_image.manifest_digest;
	return 0;
}

/* Layers that are neither here nor there are fetched from where the image came from, once. */
static int send_image(struct sending *s, struct image_descriptor *d, struct error *err)
{
	struct transfer_request request;
	struct transfer_event result;

	if (image_media_type_is_index(d->media_type))
		return error_set(err, ERROR_UNSUPPORTED, "lists within lists are not pushed: push it first, then this one with "
				 "--all=false");
	if (bring_manifest(s, d->digest, err) < 0 || fill(s, d->digest, &request, err) < 0 ||
	    transfer_call(s->e, s->t, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.missing.n > 0 && (bring_blobs(s, d->digest, &result, err) < 0 ||
				     transfer_call(s->e, s->t, &request, NULL, 0, &result, err) < 0))
		return -1;
	if (result.manifests.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer pushed %zu manifests", result.manifests.n);
	d->digest = result.manifests.v[0].digest;
	d->size = result.manifests.v[0].size;
	d->media_type = result.manifests.v[0].media_type;
	return sign_pushed(s->e, s->t, &s->r->sign, s->target, d->digest, err);
}

static bool is_same(const struct image_index *a, const struct image_index *b)
{
	for (size_t i = 0; i < a->manifests.n; i++)
		if (!str_eq(a->manifests.v[i].digest, b->manifests.v[i].digest))
			return false;
	return str_eq(a->media_type, b->media_type);
}

/* The bytes that the store has, when they still say what was pushed. */
static int send_index(struct sending *s, struct image_index *index, char **ret_digest, struct error *err)
{
	struct transfer_request request = { .op = "push", .retries = s->r->retry };
	struct transfer_event result;
	struct image_index stored;
	bool docker = manifest_is_docker(index->media_type);
	size_t n;

	if (list_read_index(s->e, s->list, &stored, err) < 0 || manifest_family(s->r->format, &docker, err) < 0 ||
	    (s->r->format && index_convert(s->e->arena, index, docker, err) < 0))
		return -1;
	request.source = (struct transfer_source *)(uintptr_t)&s->target->source;
	request.reference = s->target->name.tag;
	request.document = is_same(index, &stored) ? blob_read(s->e->arena, &s->e->store, s->list->manifest_digest,
							       IMAGE_MANIFEST_MAX, &n, err) :
			   index_print(s->e->arena, index);
	request.media_type = index->media_type ? index->media_type : s->list->manifest_media_type;
	if (!request.document || transfer_call(s->e, s->t, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.manifests.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer pushed %zu manifests", result.manifests.n);
	*ret_digest = result.manifests.v[0].digest;
	return sign_pushed(s->e, s->t, &s->r->sign, s->target, *ret_digest, err);
}

static int send(struct sending *s, char **ret_digest, struct error *err)
{
	struct image_index index;

	if (list_read_index(s->e, s->list, &index, err) < 0)
		return -1;
	for (size_t i = 0; !s->r->no_images && i < index.manifests.n; i++) {
		const char *digest = index.manifests.v[i].digest;

		engine_note(s->e, "Copying image %s (%zu/%zu)", digest, i + 1, index.manifests.n);
		if (send_image(s, &index.manifests.v[i], err) < 0)
			return error_frame(err, "image %.19s", digest);
	}
	return send_index(s, &index, ret_digest, err);
}

int list_push(struct engine *e, const struct push_request *r, const struct target *target, const struct image *list,
	      char **ret_digest, struct error *err)
{
	struct store_claim claim;
	struct transfer t;
	struct sending s = { e, &t, r, target, list };
	int result;

	if (store_claim(&e->store, &claim, err) < 0)
		return -1;
	result = transfer_open(e, &t, err);
	if (result == 0) {
		result = send(&s, ret_digest, err);
		transfer_close(&t);
	}
	store_claim_done(&e->store, &claim);
	return result;
}

#include "engine/push.h"

#include "base/units.h"
#include "engine/events.h"
#include "engine/idfile.h"
#include "engine/image.h"
#include "engine/list.h"
#include "engine/refetch.h"
#include "engine/save.h"
#include "engine/take.h"
#include "spec/manifest_edit.h"
#include "sys/fd.h"

#define STORAGE "containers-storage:"	/* may stand before the image, which is always the store's */

/* --- where its blobs may be already */

/* "registry/PATH@digest" of this registry: PATH. */
static char *repository_at(struct engine *e, const char *pulled, const char *registry)
{
	const char *rest = str_after(pulled, registry), *at = rest ? strrchr(rest, '@') : NULL;

	return at && *rest == '/' ? arena_strndup(e->arena, rest + 1, (size_t)(at - rest - 1)) : NULL;
}

static void add_mounts(struct engine *e, const struct target *target, const struct image *image,
		       const struct strings *blobs, struct transfer_request *ret)
{
	struct strings own = { 0 };

	for (size_t i = 0; i < image->digests.n; i++) {
		char *repository = repository_at(e, image->digests.v[i], target->name.registry);

		if (!repository || str_eq(repository, target->name.path))
			continue;
		if (!own.n && image_blobs(e->arena, &e->store, image, &own, NULL) < 0)
			return;
		for (size_t k = 0; k < blobs->n; k++)
			if (strings_has(&own, blobs->v[k]))
				*ARRAY_ADD(e->arena, &ret->mounts) = (struct transfer_mount){ blobs->v[k], repository };
	}
}

/* zstd:chunked is zstd with more in it, which is not written. */
static int take_compression(const struct push_request *r, struct transfer_request *ret, struct error *err)
{
	static const struct { const char *word, *compression; } words[] = {
		{ "gzip", "gzip" }, { "zstd", "zstd" }, { "zstd:chunked", "zstd" },
	};

	for (size_t i = 0; r->compression && i < ELEMENTS(words); i++)
		if (str_eq(r->compression, words[i].word))
			ret->compression = (char *)(uintptr_t)words[i].compression;
	if (r->compression && !ret->compression)
		return error_set(err, ERROR_USAGE, "unknown compression format \"%s\": choose one of gzip, zstd, zstd:chunked",
				 r->compression);
	return 0;
}

static int take_words(struct engine *e, const struct push_request *r, struct transfer_request *ret, struct error *err)
{
	bool docker = false;
	int64_t ns = 0;

	if (manifest_family(r->format, &docker, err) < 0 || take_compression(r, ret, err) < 0)
		return -1;
	ret->format = !r->format ? NULL : arena_strdup(e->arena, docker ? "docker" : "oci");
	if (r->retry_delay && (units_parse_duration(r->retry_delay, &ns) < 0 || ns < 0))
		return error_set(err, ERROR_USAGE, "invalid duration \"%s\" for --retry-delay: for example 5s", r->retry_delay);
	ret->retry_delay_ms = ns / 1000000;
	return 0;
}

int push_fill(struct engine *e, const struct push_request *r, const struct target *target,
	      const struct strings *blobs, struct transfer_request *ret, struct error *err)
{
	struct images images;

	*ret = (struct transfer_request){ .op = "push", .retries = r->retry, .recompress = r->recompress };
	ret->source = (struct transfer_source *)(uintptr_t)&target->source;
	if (r->level_given)
		ret->level = (int64_t *)(uintptr_t)&r->level;
	if (take_words(e, r, ret, err) < 0 || image_list(e->arena, &e->store, &images, err) < 0)
		return -1;
	for (size_t i = 0; i < images.n; i++)
		if (!images.v[i].list)
			add_mounts(e, target, &images.v[i], blobs, ret);
	return 0;
}

/* --- an image */

/* What is there under a name is a place to take blobs from the next time. */
static void remember(struct engine *e, const struct target *target, const struct image *image, const char *digest)
{
	struct image now;

	if (!str_eq(digest, image->manifest_digest) || image_read(e->arena, &e->store, image->id, &now, NULL) < 0)
		return;
	now.digests = (struct strings){ 0 };
	strings_addf(e->arena, &now.digests, "%s@%s", reference_repository(e->arena, &target->name), digest);
	image_commit(e->arena, &e->store, &now, NULL, NULL, NULL);
}

/* Layers that are neither here nor there: as they were from where they came, else anew. */
static int push_missing(struct engine *e, struct transfer *t, const struct push_request *r, const struct target *target,
			const struct image *image, struct transfer_request *request, struct transfer_event *result,
			struct error *err)
{
	const struct refetch how = { r->access, target->name.registry, r->retry };
	struct error why = { 0 };

	request->remake = image_refetch(e, t, &how, image, result, &why) < 0 && refetch_may_remake(e, image, &why);
	if (!why.kind || request->remake)
		return transfer_call(e, t, request, NULL, 0, result, err);
	error_set(err, why.kind, "the layer %.19s is neither in the store nor at the registry: %s",
		  result->missing.v[0].digest, why.text);
	return error_hint(err, "pull or load the image again");
}

static int push_to(struct engine *e, struct transfer *t, const struct push_request *r, const struct target *target,
		   const struct image *image, char **ret_digest, struct error *err)
{
	struct strings blobs = { 0 };
	struct transfer_request request;
	struct transfer_event result;

	if (!image->manifest_digest)
		return error_set(err, ERROR_INVALID, "image %.12s has no manifest", image->id);
	if (image_blobs(e->arena, &e->store, image, &blobs, err) < 0 ||
	    push_fill(e, r, target, &blobs, &request, err) < 0)
		return -1;
	request.manifest = image->manifest_digest;
	request.reference = target->name.tag;
	if (transfer_call(e, t, &request, NULL, 0, &result, err) < 0 ||
	    (result.missing.n > 0 && push_missing(e, t, r, target, image, &request, &result, err) < 0))
		return -1;
	if (result.missing.n > 0) {
		error_set(err, ERROR_NOT_FOUND, "the layer %.19s is neither in the store nor at the registry",
			  result.missing.v[0].digest);
		return error_hint(err, "pull or load the image again");
	}
	if (result.manifests.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer pushed %zu manifests", result.manifests.n);
	*ret_digest = result.manifests.v[0].digest;
	remember(e, target, image, *ret_digest);
	return sign_pushed(e, t, &r->sign, target, *ret_digest, err);
}

static int push_image(struct engine *e, const struct push_request *r, const struct target *target,
		      const struct image *image, char **ret_digest, struct error *err)
{
	struct transfer t;
	int result;

	if (transfer_open(e, &t, err) < 0)
		return -1;
	result = push_to(e, &t, r, target, image, ret_digest, err);
	transfer_close(&t);
	return result;
}

static const char *own_name(const struct image *image, const char *found_by, struct error *err)
{
	if (found_by || image->names.n == 1)
		return found_by ? found_by : image->names.v[0];
	error_set(err, ERROR_USAGE, "image %.12s has %s name: the destination must be given", image->id,
		  image->names.n ? "more than one" : "no");
	return NULL;
}

/* A file or directory instead of a registry, or a further name in the store. */
static int push_aside(struct engine *e, const struct push_request *r, const struct transport *to, char **ret_digest,
		      struct error *err)
{
	struct strings names = { 0 };
	struct image image;
	bool docker = false;

	if (manifest_family(r->format, &docker, err) < 0)
		return -1;
	if (r->compression || r->level_given)
		return error_set(err, ERROR_UNSUPPORTED, "known but not supported here: another compression for %s: layers go "
				 "there as they are stored", r->destination);
	if (transport_is_path(to))
		return image_save_to(e, r->image, to, !r->format ? NULL : docker ? "docker" : "oci", ret_digest, err);
	strings_add(e->arena, &names, to->name);
	if (image_tag_names(e, r->image, &names, err) < 0 ||
	    image_find(e->arena, &e->store, r->image, &image, NULL, err) < 0)
		return -1;
	*ret_digest = image.manifest_digest;
	return 0;
}

static int find_target(struct engine *e, const struct push_request *r, const char *destination, struct target *ret,
		       struct error *err)
{
	if (target_find(e, &r->access, destination, ret, err) < 0)
		return -1;
	if (ret->name.digest)
		return error_set(err, ERROR_USAGE, "%s: a digest cannot be pushed to, it follows from the content", destination);
	if (str_eq(r->compression, "zstd:chunked"))
		engine_warn(e, "zstd:chunked is written as zstd: without a table of contents");
	return 0;
}

/* From the first look on nobody deletes what is pushed, even when its image is removed meanwhile. */
static int find_and_push(struct engine *e, const struct push_request *r, struct image *image, struct target *target,
			 char **ret_digest, struct error *err)
{
	_cleanup_fd_ int lock = store_lock(&e->store, LOCK_SHARED, true, err);
	const char *destination = r->destination;
	const char *wanted = str_starts(r->image, STORAGE) ? r->image + strlen(STORAGE) : r->image;
	char *name = NULL;

	if (lock < 0 || image_find(e->arena, &e->store, wanted, image, &name, err) < 0)
		return -1;
	if (!destination && !(destination = own_name(image, name, err)))
		return -1;
	if (find_target(e, r, destination, target, err) < 0 || sign_check(e, &r->sign, err) < 0)
		return -1;
	return image->list ? list_push(e, r, target, image, ret_digest, err) :
	       push_image(e, r, target, image, ret_digest, err);
}

static int push_to_registry(struct engine *e, const struct push_request *r, char **ret_digest, struct error *err)
{
	struct target target = { 0 };
	struct image image;

	if (find_and_push(e, r, &image, &target, ret_digest, err) < 0) {
		if (str_eq(target.name.registry, "localhost") && error_is(err, ERROR_NETWORK))
			error_hint(err, "names below localhost/ are of this machine: name a registry, as in: "
				   "bryo push %s REGISTRY/NAME", r->image);
		return -1;
	}
	image_take_done(e, &image);
	event_add(e, "image", "push", image.id, reference_print(e->arena, &target.name), NULL, NULL);
	return image.list && r->remove ? image_remove(e->arena, &e->store, &image, NULL, err) : 0;
}

int image_push(struct engine *e, const struct push_request *r, char **ret_digest, struct error *err)
{
	struct transport to = { .kind = TRANSPORT_NONE };
	int result;

	if (engine_open(e, err) < 0 || (r->destination && transport_parse(e->arena, r->destination, &to, err) < 0))
		return -1;
	result = to.kind > TRANSPORT_REGISTRY ? push_aside(e, r, &to, ret_digest, err) :
						push_to_registry(e, r, ret_digest, err);
	if (result < 0)
		return -1;
	return r->digestfile ? idfile_write(r->digestfile, *ret_digest, false, err) : 0;
}

int image_push_all_tags(struct engine *e, const struct push_request *r, struct error *err)
{
	struct push_request one = *r;
	struct string_map names;
	struct reference wanted, name;
	size_t pushed = 0;
	char *digest;

	if (reference_parse(e->arena, r->image, &wanted, err) < 0)
		return -1;
	if (wanted.tag || wanted.digest || r->destination)
		return error_set(err, ERROR_USAGE, "--all-tags takes the name of a repository, without a tag");
	if (engine_open(e, err) < 0 || image_names(e->arena, &e->store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (reference_parse(e->arena, names.v[i].key, &name, NULL) < 0 || !str_eq(name.path, wanted.path) ||
		    !str_eq(name.registry, wanted.registry ? wanted.registry : "docker.io"))
			continue;
		one.image = names.v[i].key;
		if (image_push(e, &one, &digest, err) < 0)
			return error_frame(err, "%s", one.image);
		pushed++;
	}
	return pushed ? 0 : error_set(err, ERROR_NOT_FOUND, "%s: there is no image of this repository here", r->image);
}

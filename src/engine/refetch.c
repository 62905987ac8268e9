#include "engine/refetch.h"

#include "engine/target.h"
#include "store/layer.h"
#include "store/stage.h"

int refetch_from(struct engine *e, struct transfer *t, const struct transfer_source *source, int64_t retries,
		 const struct transfer_event *missing, struct error *err)
{
	struct transfer_request request = { .op = "blobs", .source = (struct transfer_source *)(uintptr_t)source,
					    .retries = retries };
	struct transfer_event result;

	stage_request_sweep(&e->store);		/* whatever becomes of this command, they do not stay */
	for (size_t i = 0; i < missing->missing.n; i++) {
		const struct image_descriptor *d = &missing->missing.v[i];

		*ARRAY_ADD(e->arena, &request.layers) = (struct transfer_layer){ .digest = d->digest, .size = d->size,
										 .media_type = d->media_type };
	}
	return transfer_call(e, t, &request, NULL, 0, &result, err);
}

/* What the user gave for one registry is not shown to another. */
static int refetch_by(struct engine *e, struct transfer *t, const struct refetch *how, const char *pulled,
		      const struct transfer_event *missing, struct error *err)
{
	struct source_options access = how->access;
	const char *rest = how->registry ? str_after(pulled, how->registry) : NULL;
	struct target from;

	if (!rest || *rest != '/')
		access.creds = access.cert_dir = access.tls_verify = NULL;
	if (target_find(e, &access, pulled, &from, err) < 0)
		return -1;
	return refetch_from(e, t, &from.source, how->retries, missing, err);
}

static bool is_final(const struct error *err)
{
	return error_is(err, ERROR_NO_SPACE) || error_is(err, ERROR_INTERRUPTED);
}

int image_refetch(struct engine *e, struct transfer *t, const struct refetch *how, const struct image *image,
		  const struct transfer_event *missing, struct error *err)
{
	struct strings tried = { 0 };
	int result = error_set(err, ERROR_NOT_FOUND, "it is not known which registry has its layers");

	for (size_t i = 0; result < 0 && i < image->digests.n && !is_final(err); i++) {
		const char *pulled = image->digests.v[i], *at = strrchr(pulled, '@');
		const char *repository = at ? arena_strndup(e->arena, pulled, (size_t)(at - pulled)) : pulled;

		if (strings_has(&tried, repository))
			continue;
		strings_add(e->arena, &tried, repository);
		error_clear(err);
		result = refetch_by(e, t, how, pulled, missing, err);
		if (result < 0)
			error_frame(err, "fetch its layers again from %s", repository);
	}
	return result;
}

bool refetch_may_remake(struct engine *e, const struct image *image, const struct error *why)
{
	bool has_recipes = false;

	for (size_t i = 0; i < image->layers.n; i++)
		has_recipes |= layer_has_recipe(&e->store, image->layers.v[i]);
	if (!has_recipes || is_final(why))
		return false;
	engine_warn(e, "%s: they are compressed anew, so the image's manifest there has another digest", why->text);
	return true;
}

/* `pull`, and the image that `run` and `create` need: names, registries in order, credentials, then bryo-transfer. */
#include "engine/pull.h"

#include "engine/list.h"
#include "engine/registry_config.h"
#include "engine/short_name.h"
#include "engine/source.h"
#include "engine/take.h"
#include "engine/trust.h"
#include "spec/reference.h"
#include "store/near.h"
#include "sys/fd.h"

/* --- one name from one place */

static int take_pulled(struct engine *e, struct transfer *t, const struct transfer_source *source,
		       const struct pull_request *r, const struct reference *name,
		       const struct transfer_image *found, struct image *ret, struct error *err)
{
	struct take take = { .source = source, .retries = r->retry, .keep_blobs = r->keep_blobs,
			     .event = "pull" };
	char *repository = reference_repository(e->arena, name);

	if (!name->digest)
		strings_add(e->arena, &take.names, reference_print(e->arena, name));
	strings_addf(e->arena, &take.digests, "%s@%s", repository, found->manifest_digest);
	if (found->index_digest)
		strings_addf(e->arena, &take.digests, "%s@%s", repository, found->index_digest);
	return image_take(e, t, &take, found, ret, err);
}

static int pull_with(struct engine *e, struct transfer *t, const struct transfer_source *source,
		     const struct registry_source *from, const struct pull_request *r, const struct trust *trust,
		     struct image *ret, struct error *err)
{
	struct transfer_request request = { .op = "manifest", .source = (struct transfer_source *)(uintptr_t)source,
					    .reference = from->reference, .retries = r->retry };
	struct transfer_event result;

	if (pull_platform(e, r, &request.platform, err) < 0 ||
	    transfer_call(e, t, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.images.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer found %zu images", result.images.n);
	if (trust_check(e, t, trust, from, source, &result.images.v[0], err) < 0)
		return -1;
	return take_pulled(e, t, source, r, &trust->image, &result.images.v[0], ret, err);
}

static int pull_from(struct engine *e, const struct registry_source *from, const struct pull_request *r,
		     const struct trust *trust, struct image *ret, struct error *err)
{
	const struct source_options options = { r->authfile, r->creds, r->cert_dir, r->tls_verify };
	struct transfer_source source;
	struct transfer t;
	int code;

	if (source_make(e, from, &options, &source, err) < 0 || transfer_open(e, &t, err) < 0)
		return -1;
	code = pull_with(e, &t, &source, from, r, trust, ret, err);
	transfer_close(&t);
	return code;
}

/* Mirrors first, as registries.conf says; the last failure is the one of the place itself. */
static int pull_name(struct engine *e, const struct registries *registries, const struct pull_request *r,
		     const char *text, struct image *ret, struct error *err)
{
	struct registry_sources sources;
	struct reference name;
	struct trust trust;
	int code = -1;

	if (reference_parse(e->arena, text, &name, err) < 0 ||
	    registries_sources(e->arena, registries, &name, &sources, err) < 0 || trust_begin(e, &name, &trust, err) < 0)
		return -1;
	engine_note(e, "Trying to pull %s...", reference_print(e->arena, &name));
	for (size_t i = 0; i < sources.n && code < 0; i++) {
		if (i)
			engine_note(e, "%s", err->text);
		error_clear(err);
		code = pull_from(e, &sources.v[i], r, &trust, ret, err);
		if (code < 0 && (error_is(err, ERROR_NO_SPACE) || error_is(err, ERROR_INTERRUPTED)))
			break;
	}
	if (code < 0 && str_eq(name.registry, "localhost"))
		error_hint(err, "names below localhost/ are usually images of this machine: see bryo images");
	return code;
}

/* --- one name from anywhere */

static int pull_any(struct engine *e, const struct pull_request *r, struct image *ret, struct error *err)
{
	const struct registries *registries = registry_config(e, err);
	struct strings names = { 0 };
	struct reference name;
	bool chosen;

	if (!registries || reference_parse(e->arena, r->name, &name, err) < 0 ||
	    short_name_resolve(e, registries, &name, &names, &chosen, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (i)
			engine_note(e, "%s", err->text);
		error_clear(err);
		if (pull_name(e, registries, r, names.v[i], ret, err) < 0)
			continue;
		if (chosen)
			short_name_remember(e, &name, names.v[i]);
		return 0;
	}
	return -1;
}

int pull_by_name(struct engine *e, const struct pull_request *r, struct image *ret, struct error *err)
{
	struct store_claim claim;
	struct error own = { 0 };
	int result;

	if (engine_open(e, err) < 0 || store_claim(&e->store, &claim, err) < 0)
		return -1;
	result = pull_any(e, r, ret, &own);
	store_claim_done(&e->store, &claim);
	if (result == 0) {
		image_take_done(e, ret);
		return 0;
	}
	image_take_failed(e, &own);
	/* What a registry does not have is a failed pull, not a missing object of this machine. */
	if (own.kind == ERROR_NOT_FOUND)
		own.kind = ERROR_FAILED;
	if (err)
		*err = own;
	return -1;
}

/* --- by policy */

static bool fits(struct engine *e, const struct image *image, const struct pull_request *how)
{
	char *platform = NULL;

	if (!how || pull_platform(e, how, &platform, NULL) < 0 || !platform || image->list)
		return true;
	return image_platform_is(e->arena, platform, image->os, image->architecture, image->variant);
}

static int pull_named(struct engine *e, const char *name, const struct pull_request *how, struct image *ret,
		      char **ret_name, struct error *err)
{
	struct pull_request r = how ? *how : (struct pull_request){ 0 };

	r.name = (char *)(uintptr_t)name;
	r.policy = NULL;
	if (image_pull(e, &r, ret, err) < 0)
		return near_hint(&e->store, NEAR_IMAGE, name, err);
	if (ret_name)
		*ret_name = ret->names.n ? ret->names.v[0] : arena_strdup(e->arena, name);
	return 0;
}

/* Nobody asked for the object: the command fails, as it does when a pull fails. */
static int not_here(struct engine *e, const char *name, struct error *err)
{
	error_set(err, ERROR_FAILED, "%s: image not known", name);
	error_code(err, "no-such-image");
	return near_hint(&e->store, NEAR_IMAGE, name, err);
}

int image_need(struct engine *e, const char *name, const char *policy, const struct pull_request *how,
	       struct image *ret, char **ret_name, struct error *err)
{
	struct error local = { 0 };
	bool found;

	if (str_is_empty(policy))
		policy = "missing";
	if (engine_open(e, err) < 0)
		return -1;
	found = image_find(e->arena, &e->store, name, ret, ret_name, &local) == 0 && fits(e, ret, how);
	if (!found && local.kind && local.kind != ERROR_NOT_FOUND) {
		if (err)
			*err = local;
		return -1;
	}
	if (found && ret->list) {
		struct image list = *ret;
		char *platform = NULL;

		return how && pull_platform(e, how, &platform, err) < 0 ? -1 : list_choose(e, &list, platform, ret, err);
	}
	if (strcmp(policy, "never") == 0)
		return found ? 0 : not_here(e, name, err);
	if (strcmp(policy, "missing") == 0 || strcmp(policy, "ifnotpresent") == 0)
		return found ? 0 : pull_named(e, name, how, ret, ret_name, err);
	if (strcmp(policy, "always") == 0 || strcmp(policy, "true") == 0)
		return pull_named(e, name, how, ret, ret_name, err);
	if (strcmp(policy, "newer") != 0)
		return error_set(err, ERROR_USAGE, "unknown pull policy \"%s\": always, missing, never or newer", policy);
	if (pull_named(e, name, how, ret, ret_name, err) == 0)
		return 0;
	if (!found)
		return -1;
	error_clear(err);
	return image_find(e->arena, &e->store, name, ret, ret_name, err);
}

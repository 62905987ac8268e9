/* `pull --all-tags`: the registry is asked for the tags, then each is pulled by its name. */
#include "engine/pull.h"

#include "engine/registry_config.h"
#include "engine/short_name.h"
#include "engine/source.h"
#include "engine/transfer.h"
#include "sys/fd.h"

static int ask(struct engine *e, const struct registry_source *from, const struct pull_request *r, struct strings *ret,
	       struct error *err)
{
	const struct source_options options = { r->authfile, r->creds, r->cert_dir, r->tls_verify };
	struct transfer_source source;
	struct transfer_request request = { .op = "tags", .source = &source, .retries = r->retry };
	struct transfer_event result;
	int code;

	if (source_make(e, from, &options, &source, err) < 0)
		return -1;
	code = transfer_ask(e, &request, NULL, 0, &result, err);
	if (code == 0)
		*ret = result.tags;
	return code;
}

/* Mirrors may lack tags: the place itself is asked. */
static int tags_of(struct engine *e, const struct registries *registries, const struct pull_request *r,
		   const char *full_name, struct reference *ret_name, struct strings *ret, struct error *err)
{
	struct registry_sources sources;

	if (reference_parse(e->arena, full_name, ret_name, err) < 0 ||
	    registries_sources(e->arena, registries, ret_name, &sources, err) < 0)
		return -1;
	engine_note(e, "Asking for the tags of %s...", reference_repository(e->arena, ret_name));
	return ask(e, &sources.v[sources.n - 1], r, ret, err);
}

static int find_tags(struct engine *e, const struct pull_request *r, struct reference *ret_name, struct strings *ret,
		     struct error *err)
{
	const struct registries *registries = registry_config(e, err);
	struct strings names = { 0 };
	struct reference name;
	bool chosen;

	if (!registries || reference_parse(e->arena, r->name, &name, err) < 0)
		return -1;
	if (name.tag || name.digest)
		return error_set(err, ERROR_USAGE, "%s: a tag or digest cannot be given together with --all-tags", r->name);
	if (short_name_resolve(e, registries, &name, &names, &chosen, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (i)
			engine_note(e, "%s", err->text);
		error_clear(err);
		if (tags_of(e, registries, r, names.v[i], ret_name, ret, err) < 0)
			continue;
		if (chosen)
			short_name_remember(e, &name, names.v[i]);
		return 0;
	}
	return -1;
}

int pull_tags(struct engine *e, const struct pull_request *r, struct images *ret, struct error *err)
{
	struct error own = { 0 };
	struct strings tags = { 0 };
	struct reference name;

	if (find_tags(e, r, &name, &tags, &own) < 0) {
		if (own.kind == ERROR_NOT_FOUND)
			own.kind = ERROR_FAILED;
		if (err)
			*err = own;
		return -1;
	}
	if (!tags.n)
		return error_set(err, ERROR_FAILED, "%s has no tags", r->name);
	for (size_t i = 0; i < tags.n; i++) {
		struct pull_request one = *r;
		struct image image;

		name.tag = tags.v[i];
		one.name = reference_print(e->arena, &name);
		if (pull_by_name(e, &one, &image, err) < 0)
			return error_frame(err, "%s", one.name);
		*ARRAY_ADD(e->arena, ret) = image;
	}
	return 0;
}

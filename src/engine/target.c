#include "engine/target.h"

#include "engine/registry_config.h"
#include "spec/transport.h"

static int parse(struct engine *e, const char *text, struct reference *ret, struct error *err)
{
	struct transport t;

	if (transport_parse(e->arena, text, &t, err) < 0)
		return -1;
	if (t.kind > TRANSPORT_REGISTRY)
		return error_set(err, ERROR_UNSUPPORTED, "known but not supported here: %s: name a registry's repository", text);
	if (reference_parse(e->arena, t.name, ret, err) < 0)
		return -1;
	if (!ret->registry && reference_parse(e->arena, arena_printf(e->arena, "docker.io/%s", t.name), ret, err) < 0)
		return -1;
	if (!ret->tag && !ret->digest)
		ret->tag = arena_strdup(e->arena, "latest");
	return 0;
}

int target_find(struct engine *e, const struct source_options *access, const char *text, struct target *ret,
		struct error *err)
{
	const struct registries *registries = registry_config(e, err);
	struct registry_sources sources;

	if (!registries || parse(e, text, &ret->name, err) < 0 ||
	    registries_sources(e->arena, registries, &ret->name, &sources, err) < 0)
		return -1;
	return source_make(e, &sources.v[sources.n - 1], access, &ret->source, err);
}

char *target_reference(const struct target *t)
{
	return t->name.digest ? t->name.digest : t->name.tag;
}

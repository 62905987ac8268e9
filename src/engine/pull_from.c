/* From where `pull` takes an image: a name means registries, a transport in front of it a file, a directory or the store. */
#include <errno.h>
#include <fcntl.h>

#include "engine/pull.h"
#include "spec/transport.h"
#include "sys/fd.h"

int pull_platform(struct engine *e, const struct pull_request *r, char **ret, struct error *err)
{
	bool parts_given = !str_is_empty(r->os) || !str_is_empty(r->arch) || !str_is_empty(r->variant);
	struct strings parts;
	char *text;

	*ret = NULL;
	if (!str_is_empty(r->platform) && parts_given)
		return error_set(err, ERROR_USAGE, "--platform option can not be specified with --arch, --os or --variant");
	if (str_is_empty(r->platform) && !parts_given)
		return 0;
	parts = strings_split(e->arena, image_host_platform(e->arena), "/");
	text = !str_is_empty(r->platform) ? r->platform :
	       arena_printf(e->arena, "%s/%s%s%s", str_is_empty(r->os) ? parts.v[0] : r->os,
			    str_is_empty(r->arch) ? parts.v[1] : r->arch, str_is_empty(r->variant) ? "" : "/",
			    str_is_empty(r->variant) ? "" : r->variant);
	*ret = image_platform_check(e->arena, text, err);
	return *ret ? 0 : -1;
}

/* What has only one platform is taken as it is: it may be for another machine. */
static void warn_of_platform(struct engine *e, const struct image *image, const char *platform)
{
	if (image_platform_is(e->arena, platform, image->os, image->architecture, image->variant))
		return;
	engine_warn(e, "image platform (%s/%s) does not match the expected platform (%s)", image->os ? image->os : "unknown",
		    image->architecture ? image->architecture : "unknown",
		    platform ? platform : image_host_platform(e->arena));
}

/* --- files */

static int from_file(struct engine *e, const struct transport *t, char *platform, struct images *ret, struct error *err)
{
	const struct load_choice choice = { t->name, t->index, platform, "pull" };
	const char *path = *t->path == '/' ? t->path : arena_printf(e->arena, "%s/%s", e->identity.cwd, t->path);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_errno(err, "open %s", path);
	engine_note(e, "Reading %s%s...", transport_word(t->kind), t->path);
	r = image_load_chosen(e, fd, &choice, ret, err);
	/* A name that the archive lacks is no missing object of this machine. */
	if (r < 0 && error_is(err, ERROR_NOT_FOUND))
		err->kind = ERROR_FAILED;
	return r;
}

/* The store's own images need no pull; they must be there. */
static int from_store(struct engine *e, const struct transport *t, struct images *ret, struct error *err)
{
	struct image image;
	char *name;

	if (engine_open(e, err) < 0 || image_find(e->arena, &e->store, t->name, &image, &name, err) < 0)
		return -1;
	*ARRAY_ADD(e->arena, ret) = image;
	return 0;
}

static int from_registry(struct engine *e, const struct pull_request *r, struct images *ret, struct error *err)
{
	struct image image;

	if (r->all_tags)
		return pull_tags(e, r, ret, err);
	if ((r->policy ? image_need(e, r->name, r->policy, r, &image, NULL, err) : pull_by_name(e, r, &image, err)) < 0)
		return -1;
	*ARRAY_ADD(e->arena, ret) = image;
	return 0;
}

int image_pull_all(struct engine *e, const struct pull_request *r, struct images *ret, struct error *err)
{
	struct transport t;
	char *platform;
	int result;

	*ret = (struct images){ 0 };
	if (!str_is_empty(r->signature_policy))
		e->options.signature_policy = r->signature_policy;
	if (pull_platform(e, r, &platform, err) < 0 || transport_parse(e->arena, r->name, &t, err) < 0 ||
	    engine_open(e, err) < 0)
		return -1;
	if (r->all_tags && t.kind > TRANSPORT_REGISTRY)
		return error_set(err, ERROR_USAGE, "--all-tags means a registry's tags: %s has none", r->name);
	if (r->all_tags && r->policy && !str_eq(r->policy, "always"))
		return error_set(err, ERROR_USAGE, "--all-tags asks the registry: --policy must be always");
	result = t.kind == TRANSPORT_STORAGE ? from_store(e, &t, ret, err) :
		 transport_is_path(&t) ? from_file(e, &t, platform, ret, err) : from_registry(e, r, ret, err);
	for (size_t i = 0; result == 0 && i < ret->n; i++)
		warn_of_platform(e, &ret->v[i], platform);
	return result;
}

int image_pull(struct engine *e, const struct pull_request *r, struct image *ret, struct error *err)
{
	struct images all;

	if (image_pull_all(e, r, &all, err) < 0)
		return -1;
	if (all.n != 1) {
		error_set(err, ERROR_USAGE, "%s has %zu images: name one of them", r->name, all.n);
		return error_hint(err, "write %s:NAME, or %s:@0 for the first", r->name, r->name);
	}
	*ret = all.v[0];
	return 0;
}

#include "engine/list_entry.h"

#include <sys/stat.h>

#include "engine/image.h"
#include "store/blob.h"
#include "sys/fd.h"

/* --- what the user says */

int list_annotations_add(struct engine *e, struct string_map *map, const struct strings *annotations,
			 struct error *err)
{
	for (size_t i = 0; i < annotations->n; i++) {
		const char *text = annotations->v[i], *equals = strchr(text, '=');

		if (!equals || equals == text)
			return error_set(err, ERROR_USAGE, "invalid annotation \"%s\": KEY=VALUE is needed", text);
		map_set(e->arena, map, arena_strndup(e->arena, text, (size_t)(equals - text)), equals + 1);
	}
	return 0;
}

int list_entry_set(struct engine *e, struct image_descriptor *d, const struct list_request *r, struct error *err)
{
	struct image_platform *p = d->platform;
	const struct { char *given, **place; } texts[] = {
		{ r->os, &p->os }, { r->arch, &p->architecture }, { r->variant, &p->variant }, { r->os_version, &p->os_version },
	};

	if (!p) {
		d->platform = arena_new_one(e->arena, struct image_platform);
		return list_entry_set(e, d, r, err);
	}
	for (size_t i = 0; i < ELEMENTS(texts); i++)
		if (texts[i].given)
			*texts[i].place = texts[i].given;
	if (r->features.n)
		p->features = r->features;
	if (r->os_features.n)
		p->os_features = r->os_features;
	return list_annotations_add(e, &d->annotations, &r->annotations, err);
}

/* --- entries of an index */

static char *platform_asked(struct engine *e, const struct list_request *r)
{
	struct strings parts;

	if (!r->os && !r->arch && !r->variant)
		return NULL;
	parts = strings_split(e->arena, image_host_platform(e->arena), "/");
	return arena_printf(e->arena, "%s/%s%s%s", r->os ? r->os : parts.v[0], r->arch ? r->arch : parts.v[1],
			    r->variant ? "/" : "", r->variant ? r->variant : "");
}

static int add_of_index(struct engine *e, const struct image_index *index, const char *source,
			const struct list_request *r, struct list_entries *ret, struct error *err)
{
	const struct image_descriptor *chosen;

	for (size_t i = 0; r->all && i < index->manifests.n; i++)
		*ARRAY_ADD(e->arena, ret) = (struct list_entry){ index->manifests.v[i], arena_strdup(e->arena, source) };
	if (r->all)
		return 0;
	chosen = image_index_choose(e->arena, index, platform_asked(e, r), err);
	if (!chosen)
		return -1;
	*ARRAY_ADD(e->arena, ret) = (struct list_entry){ *chosen, arena_strdup(e->arena, source) };
	return 0;
}

/* --- images */

static int size_of(struct engine *e, const char *digest, int64_t *ret, struct error *err)
{
	_cleanup_fd_ int fd = blob_open(&e->store, digest, err);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	*ret = st.st_size;
	return 0;
}

/* manifest and configuration are in the store */
static int add_image(struct engine *e, const struct image *image, const char *source, struct list_entries *ret,
		     struct error *err)
{
	struct image_descriptor d = { .media_type = image->manifest_media_type, .digest = image->manifest_digest };
	struct image_config config;

	if (!d.digest)
		return error_set(err, ERROR_INVALID, "image %.12s has no manifest", image->id);
	if (size_of(e, d.digest, &d.size, err) < 0 || image_read_config(e, image, &config, err) < 0)
		return -1;
	d.platform = arena_new_one(e->arena, struct image_platform);
	*d.platform = (struct image_platform){ .os = config.os, .architecture = config.architecture,
					       .variant = config.variant, .os_version = config.os_version };
	*ARRAY_ADD(e->arena, ret) = (struct list_entry){ d, arena_strdup(e->arena, source) };
	return 0;
}

/* 1 added, 0 there is no such image here. */
static int add_local(struct engine *e, const char *text, const struct list_request *r, struct list_entries *ret,
		     struct error *err)
{
	struct error local = { 0 };
	struct image_index index;
	struct image image;
	int result;

	if (image_find(e->arena, &e->store, text, &image, NULL, &local) < 0) {
		if (error_is(&local, ERROR_NOT_FOUND))
			return 0;
		*err = local;
		return -1;
	}
	if (!image.list)
		return add_image(e, &image, image_repository(e->arena, &image), ret, err) < 0 ? -1 : 1;
	if (list_read_index(e, &image, &index, err) < 0)
		return -1;
	result = add_of_index(e, &index, NULL, r, ret, err);
	for (size_t i = 0; i < ret->n; i++)
		if (map_get(&image.sources, ret->v[i].descriptor.digest))
			ret->v[i].source = arena_strdup(e->arena, map_get(&image.sources, ret->v[i].descriptor.digest));
	return result < 0 ? -1 : 1;
}

/* A registry's image: manifest and configuration come into the store, the list will keep them. */
static int add_fetched(struct engine *e, struct transfer *t, struct target *target, const char *source,
		       struct list_entries *ret, struct error *err)
{
	struct transfer_request request = { .op = "manifest", .source = &target->source };
	struct transfer_event result;
	struct image image;

	request.reference = target_reference(target);
	if (transfer_call(e, t, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.images.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer found %zu images", result.images.n);
	image = (struct image){ .id = result.images.v[0].id, .config_digest = result.images.v[0].config_digest,
				.manifest_digest = result.images.v[0].manifest_digest,
				.manifest_media_type = result.images.v[0].manifest_media_type };
	return add_image(e, &image, source, ret, err);
}

static int add_remote(struct engine *e, struct transfer *t, const char *text, const struct list_request *r,
		      struct list_entries *ret, struct error *err)
{
	struct transfer_request request = { .op = "look" };
	struct image_manifest manifest = { 0 };
	struct image_index index = { 0 };
	struct transfer_event result;
	enum manifest_kind kind;
	struct target target;
	char *source;

	if (target_find(e, &r->access, text, &target, err) < 0)
		return -1;
	request.source = &target.source;
	request.reference = target_reference(&target);
	if (transfer_call(e, t, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.manifests.n != 1 || !result.document)
		return error_set(err, ERROR_FAILED, "bryo-transfer found %zu manifests", result.manifests.n);
	if (image_manifest_decode(e->arena, result.document, strlen(result.document), result.manifests.v[0].media_type, &kind,
				  &manifest, &index, err) < 0)
		return -1;
	source = reference_repository(e->arena, &target.name);
	return kind == MANIFEST_INDEX ? add_of_index(e, &index, source, r, ret, err) :
	       add_fetched(e, t, &target, source, ret, err);
}

int list_entries_find(struct engine *e, struct transfer *t, const char *text, const struct list_request *r,
		      struct list_entries *ret, struct error *err)
{
	const char *here = str_after(text, "containers-storage:");
	int found = str_starts(text, "docker://") ? 0 : add_local(e, here ? here : text, r, ret, err);

	if (found)
		return found < 0 ? -1 : 0;
	if (here)
		return image_unknown(here, err);
	return add_remote(e, t, text, r, ret, err);
}

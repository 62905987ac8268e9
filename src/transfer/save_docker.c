/* docker-archive: configurations, layers as plain tars named by their diff IDs, manifest.json, and `repositories` for
 * readers that know nothing newer. */
#include "transfer/save.h"

static struct json *strings_or_null(struct arena *arena, const struct strings *list)
{
	return list->n ? json_new_strings(arena, list) : json_new_null(arena);
}

static int save_one(struct save *s, const struct save_image *image, struct json *manifest, struct error *err)
{
	struct arena *arena = s->work->arena;
	char *config = arena_printf(arena, "%s.json", digest_hex(image->m.config.digest));
	struct json *entry = json_new_object(arena);
	struct strings layers = { 0 };

	for (size_t i = 0; i < image->m.layers.n; i++) {
		const char *diff_id = image->c.rootfs.diff_ids.v[i];

		strings_addf(arena, &layers, "%s.tar", digest_hex(diff_id));
		if (save_plain(s, layers.v[i], &image->m.layers.v[i], diff_id, err) < 0)
			return -1;
	}
	json_set(arena, entry, "Config", json_new_string(arena, config));
	json_set(arena, entry, "RepoTags", strings_or_null(arena, &image->asked->names));
	json_set(arena, entry, "Layers", strings_or_null(arena, &layers));
	json_append(arena, manifest, entry);
	return bundle_writer_add(&s->out, config, image->config, image->config_size, err);
}

/* {"repository":{"tag":"<top layer>"}} */
static void add_repositories(struct arena *arena, const struct save_image *image, struct json *ret)
{
	size_t n = image->c.rootfs.diff_ids.n;

	for (size_t i = 0; n && i < image->asked->names.n; i++) {
		const char *name = image->asked->names.v[i], *slash = strrchr(name, '/');
		const char *colon = strrchr(slash ? slash : name, ':');
		char *repository = colon ? arena_strndup(arena, name, (size_t)(colon - name)) : arena_strdup(arena, name);
		struct json *tags = (struct json *)(uintptr_t)json_get(ret, repository);

		if (!tags) {
			tags = json_new_object(arena);
			json_set(arena, ret, repository, tags);
		}
		json_set(arena, tags, colon ? colon + 1 : "latest",
			 json_new_string(arena, digest_hex(image->c.rootfs.diff_ids.v[n - 1])));
	}
}

int save_docker(struct save *s, struct error *err)
{
	struct json *manifest = json_new_list(s->work->arena), *repositories = json_new_object(s->work->arena);

	for (size_t i = 0; i < s->images.n; i++) {
		if (save_one(s, &s->images.v[i], manifest, err) < 0)
			return -1;
		add_repositories(s->work->arena, &s->images.v[i], repositories);
	}
	if (save_json(s, "repositories", repositories, err) < 0)
		return -1;
	return save_json(s, "manifest.json", manifest, err);
}

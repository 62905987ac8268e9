#include "engine/image_filter.h"

#include "base/glob.h"
#include "base/units.h"
#include "engine/image_family.h"

int64_t image_created_ns(const struct image *image)
{
	int64_t ns = 0;

	if (!image->created || units_parse_time(image->created, 0, &ns) < 0)
		return 0;
	return ns;
}

/* A pattern is held against the whole name and against every tail of it, with the tag and without. */
bool image_name_matches(struct arena *arena, const char *pattern, const char *name)
{
	char *bare = arena_strdup(arena, name), *colon = strrchr(bare, ':');

	if (colon && !strchr(colon, '/'))
		*colon = '\0';
	for (size_t at = 0;; at++) {
		const char *slash;

		if (glob_match_path(pattern, name + at) || glob_match_path(pattern, bare + at))
			return true;
		slash = strchr(bare + at, '/');
		if (!slash)
			return false;
		at = (size_t)(slash - bare);
	}
}

static bool any_name_matches(struct arena *arena, const char *pattern, const struct image *image)
{
	for (size_t i = 0; i < image->names.n; i++)
		if (image_name_matches(arena, pattern, image->names.v[i]))
			return true;
	return false;
}

static int match_label(struct image_match *m, const struct image *image, const char *value, struct error *err)
{
	struct image_config config;

	if (image_read_config(m->e, image, &config, err) < 0)
		return -1;
	return map_has_pair(&config.config.labels, value);
}

static int match_bool(const char *key, const char *value, bool is, struct error *err)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		return is;
	if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		return !is;
	return error_set(err, ERROR_USAGE, "invalid value \"%s\" for the filter %s: true or false is needed", value, key);
}

static int match_containers(struct image_match *m, const struct image *image, const char *value, struct error *err)
{
	struct containers users;

	if (image_users(m->e, image->id, &users, err) < 0)
		return -1;
	return match_bool("containers", value, users.n > 0, err);
}

static int match_time(struct image_match *m, const struct image *image, const char *key, const char *filter)
{
	long long bound = 0;

	str_to_i64(map_get(&m->times, filter), &bound);
	if (strcmp(key, "since") == 0 || strcmp(key, "after") == 0)
		return image_created_ns(image) > bound;
	return image_created_ns(image) < bound;
}

static int match_one(struct image_match *m, const struct image *image, const char *key, const char *value,
		     const char *filter, struct error *err)
{
	int result;

	if (strcmp(key, "label") == 0)
		return match_label(m, image, value, err);
	if (strcmp(key, "label!") == 0) {
		result = match_label(m, image, value, err);
		return result < 0 ? -1 : !result;
	}
	if (strcmp(key, "dangling") == 0)
		return match_bool(key, value, image->names.n == 0 && !image_family_has_children(&m->all, image), err);
	if (strcmp(key, "intermediate") == 0)
		return match_bool(key, value, image->names.n == 0 && image_family_has_children(&m->all, image), err);
	if (strcmp(key, "digest") == 0)
		return image->manifest_digest && str_starts(image->manifest_digest, value);
	if (strcmp(key, "reference") == 0)
		return any_name_matches(m->e->arena, value, image);
	if (strcmp(key, "id") == 0)
		return str_starts(image->id, str_starts(value, "sha256:") ? value + strlen("sha256:") : value);
	if (strcmp(key, "containers") == 0)
		return match_containers(m, image, value, err);
	if (strcmp(key, "manifest") == 0)
		return match_bool(key, value, image->list, err);
	if (strcmp(key, "readonly") == 0)
		return match_bool(key, value, false, err);
	return match_time(m, image, key, filter);
}

/* --- checking */

static const char *const keys[] = {
	"after", "before", "containers", "dangling", "digest", "id", "intermediate", "label", "label!", "manifest", "readonly",
	"reference", "since", "until", NULL,
};

/* Splits "KEY=VALUE" and "label!=VALUE". */
static int split(struct arena *arena, const char *filter, char **ret_key, const char **ret_value, struct error *err)
{
	const char *equals = strchr(filter, '='), *near;

	if (!equals)
		return error_set(err, ERROR_USAGE, "invalid filter \"%s\": KEY=VALUE is needed", filter);
	*ret_key = arena_strndup(arena, filter, (size_t)(equals - filter));
	*ret_value = equals + 1;
	for (size_t i = 0; keys[i]; i++)
		if (strcmp(keys[i], *ret_key) == 0)
			return 0;
	error_set(err, ERROR_USAGE, "invalid image filter \"%s\"", *ret_key);
	near = glob_closest(*ret_key, keys);
	return near ? error_hint(err, "did you mean %s?", near) : -1;
}

static int find_time(struct image_match *m, const char *key, const char *value, const char *filter, struct error *err)
{
	struct image image;
	int64_t ns;

	if (strcmp(key, "until") == 0) {
		if (units_parse_time(value, m->now, &ns) < 0)
			return error_set(err, ERROR_USAGE, "invalid time \"%s\" in the filter until", value);
	} else if (strcmp(key, "before") == 0 || strcmp(key, "since") == 0 || strcmp(key, "after") == 0) {
		if (image_find(m->e->arena, &m->e->store, value, &image, NULL, err) < 0)
			return error_frame(err, "filter %s", key);
		ns = image_created_ns(&image);
	} else {
		return 0;
	}
	map_set(m->e->arena, &m->times, filter, arena_printf(m->e->arena, "%lld", (long long)ns));
	return 0;
}

int image_match_init(struct image_match *m, struct engine *e, const struct strings *filters, const char *reference,
		     struct error *err)
{
	*m = (struct image_match){ .e = e, .filters = filters, .reference = reference, .now = units_now() };
	if (image_list(e->arena, &e->store, &m->all, err) < 0)
		return -1;
	for (size_t i = 0; filters && i < filters->n; i++) {
		const char *value;
		char *key;

		if (split(e->arena, filters->v[i], &key, &value, err) < 0 ||
		    find_time(m, key, value, filters->v[i], err) < 0)
			return -1;
	}
	return 0;
}

static bool is_conjunctive(const char *key)
{
	return str_starts(key, "label");
}

int image_match(struct image_match *m, const struct image *image, struct error *err)
{
	struct arena *a = m->e->arena;
	struct string_map results = { 0 };	/* key: "1" or "0" */

	if (m->reference && !any_name_matches(a, m->reference, image))
		return 0;
	for (size_t i = 0; m->filters && i < m->filters->n; i++) {
		const char *value, *before;
		char *key;
		int result;

		if (split(a, m->filters->v[i], &key, &value, err) < 0)
			return -1;
		result = match_one(m, image, key, value, m->filters->v[i], err);
		if (result < 0)
			return -1;
		if (result == 0 && is_conjunctive(key))
			return 0;
		before = map_get(&results, key);
		if (!before || result)
			map_set(a, &results, key, result ? "1" : "0");
	}
	for (size_t i = 0; i < results.n; i++)
		if (*results.v[i].value == '0')
			return 0;
	return 1;
}

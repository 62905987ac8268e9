#include "engine/search.h"

#include "engine/registry_config.h"
#include "engine/source.h"
#include "engine/transfer.h"

#define LIMIT_DEFAULT 25

struct filter { int64_t stars; int official, automated; };	/* -1: whatever it is */

/* --- filters */

static int parse_bool(const char *filter, const char *value, int *ret, struct error *err)
{
	if (!value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = 1;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = 0;
	else
		return error_set(err, ERROR_USAGE, "incorrect value type for %s filter: true or false is needed", filter);
	return 0;
}

static int parse_filters(struct engine *e, const struct strings *texts, struct filter *ret, struct error *err)
{
	*ret = (struct filter){ -1, -1, -1 };
	for (size_t i = 0; i < texts->n; i++) {
		const char *equals = strchr(texts->v[i], '=');
		char *key = equals ? arena_strndup(e->arena, texts->v[i], (size_t)(equals - texts->v[i])) : texts->v[i];
		const char *value = equals ? equals + 1 : NULL;
		long long stars;
		int result = 0;

		if (strcmp(key, "stars") == 0) {
			if (!value || str_to_i64(value, &stars) < 0 || stars < 0)
				return error_set(err, ERROR_USAGE, "incorrect value type for stars filter: a number is needed");
			ret->stars = stars;
		} else if (strcmp(key, "is-official") == 0) {
			result = parse_bool(key, value, &ret->official, err);
		} else if (strcmp(key, "is-automated") == 0) {
			result = parse_bool(key, value, &ret->automated, err);
		} else {
			return error_set(err, ERROR_USAGE, "invalid filter type \"%s\": stars, is-official or is-automated", texts->v[i]);
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

static bool is_wanted(const struct filter *f, const struct transfer_repository *r)
{
	return r->stars >= f->stars && (f->official < 0 || f->official == r->official) &&
	       (f->automated < 0 || f->automated == r->automated);
}

/* --- one registry */

static int ask(struct engine *e, const struct search_request *r, const char *host, const char *path,
	       struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	const struct registry_source from = { arena_strdup(e->arena, host), arena_strdup(e->arena, path), false };
	const struct source_options options = { r->authfile, r->creds, r->cert_dir, r->tls_verify };
	struct transfer_source source;

	if (source_make(e, &from, &options, &source, err) < 0)
		return -1;
	request->source = &source;
	return transfer_ask(e, request, NULL, 0, ret, err);
}

static struct json *repository_row(struct engine *e, const char *registry, const struct transfer_repository *r)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);
	bool short_name = strcmp(registry, "docker.io") == 0 && !strchr(r->name, '/');
	char *name = arena_printf(a, "%s/%s%s", registry, short_name ? "library/" : "", r->name);

	json_set(a, j, "Index", json_new_string(a, registry));
	json_set(a, j, "Name", json_new_string(a, name));
	json_set(a, j, "Description", json_new_string(a, r->description ? r->description : ""));
	json_set(a, j, "Stars", json_new_int(a, r->stars));
	json_set(a, j, "Official", json_new_string(a, r->official ? "[OK]" : ""));
	json_set(a, j, "Automated", json_new_string(a, r->automated ? "[OK]" : ""));
	json_set(a, j, "Tag", json_new_string(a, ""));
	return j;
}

static int search_one(struct engine *e, const struct search_request *r, const struct filter *filter, const char *registry,
		      const char *word, struct json *rows, struct error *err)
{
	struct transfer_request request = { .op = "search", .reference = arena_strdup(e->arena, word),
					    .limit = r->limit > 0 ? r->limit : LIMIT_DEFAULT };
	struct transfer_event result;

	if (ask(e, r, registry, "", &request, &result, err) < 0)
		return error_frame(err, "couldn't search registry \"%s\"", registry);
	for (size_t i = 0; i < result.found.n; i++)
		if (is_wanted(filter, &result.found.v[i]))
			json_append(e->arena, rows, repository_row(e, registry, &result.found.v[i]));
	return 0;
}

/* --- terms */

/* The part before the first slash is a registry when it looks like a host. */
static const char *split_registry(struct engine *e, const char *term, const char **ret_word)
{
	const char *slash = strchr(term, '/');
	char *first = slash ? arena_strndup(e->arena, term, (size_t)(slash - term)) : NULL;

	*ret_word = term;
	if (!first || !(strpbrk(first, ".:") || strcmp(first, "localhost") == 0))
		return NULL;
	*ret_word = slash + 1;
	return first;
}

static int search_all(struct engine *e, const struct search_request *r, const struct filter *filter,
		      const struct strings *registries, const char *word, struct json *rows, struct error *err)
{
	struct error first = { 0 };
	size_t failed = 0;

	for (size_t i = 0; i < registries->n; i++) {
		struct error why = { 0 };

		if (search_one(e, r, filter, registries->v[i], word, rows, &why) == 0)
			continue;
		if (failed++ == 0)
			first = why;
		if (registries->n > 1)
			engine_warn(e, "%s", why.text);
	}
	if (failed < registries->n || failed == 0)
		return 0;
	if (err)
		*err = first;
	return -1;
}

static int search_word(struct engine *e, const struct search_request *r, struct json *rows, struct error *err)
{
	const struct registries *config = registry_config(e, err);
	struct strings registries = { 0 };
	struct filter filter;
	const char *word, *registry = split_registry(e, r->term, &word);

	if (!config || parse_filters(e, &r->filters, &filter, err) < 0)
		return -1;
	if (registry)
		strings_add(e->arena, &registries, registry);
	else
		strings_add_all(e->arena, &registries, &config->unqualified_search);
	if (registries.n == 0) {
		error_set(err, ERROR_FAILED, "no registry is named, and registries.conf has no unqualified-search-registries");
		return error_fix(err, "bryo search docker.io/%s", word);
	}
	return search_all(e, r, &filter, &registries, word, rows, err);
}

/* --- tags */

static int list_tags(struct engine *e, const struct search_request *r, struct json *rows, struct error *err)
{
	struct transfer_request request = { .op = "tags" };
	struct transfer_event result;
	struct json *row = json_new_object(e->arena);
	struct reference name;

	if (r->filters.n)
		return error_set(err, ERROR_USAGE, "filters are not applicable to list tags result");
	if (reference_parse(e->arena, r->term, &name, err) < 0)
		return -1;
	if (!name.registry) {
		error_set(err, ERROR_USAGE, "cannot use --list-tags with the short name \"%s\": a registry is needed", r->term);
		return error_fix(err, "bryo search --list-tags docker.io/library/%s", name.path);
	}
	if (ask(e, r, name.registry, name.path, &request, &result, err) < 0)
		return -1;
	if (r->limit > 0 && (int64_t)result.tags.n > r->limit)
		result.tags.n = (size_t)r->limit;
	json_set(e->arena, row, "Name", json_new_string(e->arena, reference_repository(e->arena, &name)));
	json_set(e->arena, row, "Tags", json_new_strings(e->arena, &result.tags));
	json_append(e->arena, rows, row);
	return 0;
}

int search_registries(struct engine *e, const struct search_request *r, struct json **ret, struct error *err)
{
	*ret = json_new_list(e->arena);
	if (r->limit < 0)
		return error_set(err, ERROR_USAGE, "limit %lld is out of range", (long long)r->limit);
	return r->list_tags ? list_tags(e, r, *ret, err) : search_word(e, r, *ret, err);
}

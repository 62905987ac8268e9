#include "engine/network_list.h"

#include <regex.h>

#include "base/glob.h"
#include "base/units.h"

/* --- who is on it */

static bool is_default(const struct network *n)
{
	return strcmp(n->name, NETWORK_DEFAULT) == 0;
}

/* NAME, ID or NAME:OPTIONS of --network. */
bool network_is_named(const struct network *n, const char *text)
{
	size_t length = strcspn(text, ":");

	if (length == 0)
		return false;
	if (is_default(n) && (strcmp(text, "default") == 0 || (length == strlen("podman") && strncmp(text, "podman", length) == 0)))
		return true;
	return (strncmp(n->name, text, length) == 0 && !n->name[length]) ||
	       (length >= 12 && length <= strlen(n->id) && strncmp(n->id, text, length) == 0);
}

bool network_is_used_by(const struct network *n, const struct container *c)
{
	if (!c->request.network.n)
		return is_default(n);
	for (size_t i = 0; i < c->request.network.n; i++)
		if (network_is_named(n, c->request.network.v[i]))
			return true;
	return false;
}

struct strings network_users(struct engine *e, const struct network *n, const struct containers *all)
{
	struct strings ids = { 0 };

	for (size_t i = 0; i < all->n; i++)
		if (network_is_used_by(n, &all->v[i]))
			strings_add(e->arena, &ids, all->v[i].id);
	return ids;
}

/* --- filters */

struct network_filter {
	struct engine *e;
	const struct containers *containers;
	int64_t now;
};

/* As in Podman a regular expression that may match anywhere. */
static int matches(const char *key, const char *value, const char *text, struct error *err)
{
	regex_t pattern;
	int r;

	if (regcomp(&pattern, value, REG_EXTENDED | REG_NOSUB) != 0)
		return error_set(err, ERROR_USAGE, "invalid filter \"%s=%s\": not a regular expression", key, value);
	r = regexec(&pattern, text, 0, NULL, 0);
	regfree(&pattern);
	return r == 0;
}

static int match_until(const struct network_filter *f, const struct network *n, const char *value, struct error *err)
{
	int64_t bound, created;

	if (units_parse_time(value, f->now, &bound) < 0)
		return error_set(err, ERROR_USAGE, "invalid filter \"until=%s\": a time or duration is needed", value);
	return n->created && units_parse_time(n->created, f->now, &created) == 0 && created < bound;
}

static int match_truth(const char *key, const char *value, bool is, struct error *err)
{
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return error_set(err, ERROR_USAGE, "invalid filter \"%s=%s\": true or false is needed", key, value);
	return is == yes;
}

static const char *const filter_keys[] = { "name", "id", "driver", "label", "label!", "until", "dangling", "type", NULL };

static int unknown_filter(const char *key, struct error *err)
{
	const char *near = glob_closest(key, filter_keys);

	error_set(err, ERROR_USAGE, "invalid filter \"%s\"", key);
	return near ? error_hint(err, "did you mean %s?", near) : error_hint(err, "known are name, id, driver, label, label!, until, "
										"dangling and type");
}

/* 1, 0, -1. */
static int match_one(const struct network_filter *f, const struct network *n, const char *key, const char *value,
		     struct error *err)
{
	if (strcmp(key, "name") == 0)
		return matches(key, value, n->name, err);
	if (strcmp(key, "id") == 0)
		return matches(key, value, n->id, err);
	if (strcmp(key, "driver") == 0)
		return strcmp(n->driver, value) == 0;
	if (strcmp(key, "label") == 0)
		return map_has_pair(&n->labels, value);
	if (strcmp(key, "label!") == 0)
		return !map_has_pair(&n->labels, value);
	if (strcmp(key, "until") == 0)
		return match_until(f, n, value, err);
	if (strcmp(key, "dangling") == 0)
		return match_truth(key, value, !is_default(n) && !network_users(f->e, n, f->containers).n, err);
	if (strcmp(key, "type") == 0)
		return strcmp(value, is_default(n) ? "builtin" : "custom") == 0;
	return unknown_filter(key, err);
}

/* Values of one key are alternatives, but for labels; all keys must agree. */
static bool is_alternative(const char *key)
{
	return !str_starts(key, "label");
}

static int match_key(const struct network_filter *f, const struct network *n, const struct string_map *filters, const char *key,
		     struct error *err)
{
	bool any = false, all = true;

	for (size_t i = 0; i < filters->n; i++) {
		int one;

		if (strcmp(filters->v[i].key, key) != 0)
			continue;
		one = match_one(f, n, key, filters->v[i].value, err);
		if (one < 0)
			return -1;
		any |= one;
		all &= one;
	}
	return is_alternative(key) ? any : all;
}

static int match(const struct network_filter *f, const struct network *n, const struct string_map *filters, struct error *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		int agrees = match_key(f, n, filters, filters->v[i].key, err);

		if (agrees <= 0)
			return agrees;
	}
	return 1;
}

/* One key may appear more than once: this is a list of pairs. */
static int parse_filters(struct arena *arena, const struct strings *texts, struct string_map *ret, struct error *err)
{
	*ret = (struct string_map){ 0 };
	for (size_t i = 0; texts && i < texts->n; i++) {
		char *copy = arena_strdup(arena, texts->v[i]), *equals = strchr(copy, '=');

		if (!equals)
			return error_set(err, ERROR_USAGE, "filter input must be in the form of filter=value: %s is invalid", copy);
		if (equals > copy && equals[1] == '=' && equals[-1] == '!')
			return unknown_filter(copy, err);
		*equals = '\0';
		*ARRAY_ADD(arena, ret) = (struct pair){ copy, equals + 1 };
	}
	return 0;
}

int network_select(struct engine *e, const struct strings *texts, struct networks *ret, struct containers *ret_containers,
		   struct error *err)
{
	struct network_filter f = { .e = e, .containers = ret_containers, .now = units_now() };
	struct string_map filters;
	struct networks all;

	*ret = (struct networks){ 0 };
	if (parse_filters(e->arena, texts, &filters, err) < 0 || network_list(e->arena, &e->store, &all, err) < 0 ||
	    container_load_all(e, ret_containers, err) < 0)
		return -1;
	for (size_t i = 0; i < all.broken.n; i++)
		engine_warn(e, "the record of network %s is damaged; mend it, or remove it: bryo network rm %s", all.broken.v[i],
			    all.broken.v[i]);
	ret->broken = all.broken;
	for (size_t i = 0; i < all.n; i++) {
		int agrees = match(&f, &all.v[i], &filters, err);

		if (agrees < 0)
			return -1;
		if (agrees)
			*ARRAY_ADD(e->arena, ret) = all.v[i];
	}
	return 0;
}

/* --- as JSON */

int network_rows(struct engine *e, const struct strings *filters, struct json **ret, struct error *err)
{
	struct json *rows = json_new_list(e->arena);
	struct containers containers;
	struct networks networks;

	if (network_select(e, filters, &networks, &containers, err) < 0)
		return -1;
	for (size_t i = 0; i < networks.n; i++)
		json_append(e->arena, rows, json_encode(e->arena, &network_shape, &networks.v[i]));
	*ret = rows;
	return 0;
}

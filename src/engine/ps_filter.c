#include "engine/ps_filter.h"

#include <regex.h>
#include <stdlib.h>

#include "base/units.h"
#include "engine/network_default.h"
#include "engine/network_list.h"
#include "engine/state.h"

static bool matches_image(const struct container *c, const char *value)
{
	size_t n = strlen(value);
	const char *at;

	if (!c->image_name)
		return false;
	if (strcmp(c->image_name, value) == 0 || (c->image_id && n >= 4 && strncmp(c->image_id, value, n) == 0))
		return true;
	at = strstr(c->image_name, value);	/* a whole last part: "busybox" in "docker.io/library/busybox:latest" */
	return at && (at == c->image_name || at[-1] == '/') && (!at[n] || at[n] == ':' || at[n] == '@');
}

static bool matches_mount(const struct container *c, const char *value)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (str_eq(c->mounts.v[i].name, value) || str_eq(c->mounts.v[i].destination, value) ||
		    str_eq(c->mounts.v[i].source, value))
			return true;
	return false;
}

static int created_of(const struct ps_filter *in, const char *name, int64_t *ret, struct error *err)
{
	struct container c;

	if (container_load(in->e, name, &c, err) < 0)
		return -1;
	*ret = c.created_ns;
	return 0;
}

/* A network by name or id, or the word of another mode. */
static bool matches_network(struct engine *e, const struct container *c, const char *value)
{
	struct strings words = network_words(e->arena, c);
	struct network n;

	if (network_find(e->arena, &e->store, value, &n, NULL) == 0 && network_is_used_by(&n, c))
		return true;
	for (size_t i = 0; i < words.n; i++)
		if (str_starts(words.v[i], value))
			return true;
	return false;
}

/* As in Podman and Docker a regular expression that may match anywhere in the name. */
static int matches_name(const char *name, const char *value, struct error *err)
{
	regex_t pattern;
	int r;

	if (regcomp(&pattern, value, REG_EXTENDED | REG_NOSUB) != 0)
		return error_set(err, ERROR_USAGE, "invalid filter \"name=%s\": not a regular expression", value);
	r = regexec(&pattern, name, 0, NULL, 0);
	regfree(&pattern);
	return r == 0;
}

static int matches_status(const struct container_state *s, const char *value, struct error *err)
{
	const char *wanted = strcmp(value, "stopped") == 0 ? "exited" : value;

	for (int i = CONTAINER_CREATED; i <= CONTAINER_RESTARTING; i++)
		if (strcmp(wanted, container_status_name(i)) == 0)
			return i == (int)s->status;
	return error_set(err, ERROR_USAGE, "invalid filter \"status=%s\": known are created, initialized, running, stopping, exited, "
			 "paused, restarting", value);
}

/* 1 matches, 0 does not, -1 the filter is wrong. */
static int matches(const struct ps_filter *in, const struct ps_row *r, const char *key, const char *value, struct error *err)
{
	const struct container *c = r->c;
	int64_t when;

	if (strcmp(key, "id") == 0)
		return str_starts(c->id, value);
	if (strcmp(key, "name") == 0)
		return matches_name(c->name, value, err);
	if (strcmp(key, "label") == 0)
		return map_has_pair(&c->labels, value);
	if (strcmp(key, "label!") == 0)
		return !map_has_pair(&c->labels, value);
	if (strcmp(key, "status") == 0)
		return matches_status(&r->s, value, err);
	if (strcmp(key, "exited") == 0)
		return r->s.status == CONTAINER_EXITED && r->s.exit_code == strtoll(value, NULL, 10);
	if (strcmp(key, "ancestor") == 0)
		return matches_image(c, value);
	if (strcmp(key, "volume") == 0)
		return matches_mount(c, value);
	if (strcmp(key, "network") == 0)
		return matches_network(in->e, c, value);
	if (strcmp(key, "command") == 0)
		return c->args.n && strstr(c->args.v[0], value) != NULL;
	if (strcmp(key, "restart-policy") == 0)
		return str_eq(c->request.restart ? c->request.restart : "no", value);
	if (strcmp(key, "before") == 0)
		return created_of(in, value, &when, err) < 0 ? -1 : c->created_ns < when;
	if (strcmp(key, "since") == 0)
		return created_of(in, value, &when, err) < 0 ? -1 : c->created_ns > when;
	if (strcmp(key, "until") == 0) {
		if (units_parse_time(value, in->now, &when) < 0)
			return error_set(err, ERROR_USAGE, "invalid filter \"until=%s\"", value);
		return c->created_ns < when;
	}
	return error_set(err, ERROR_USAGE, "invalid filter \"%s\": known are ancestor before command exited id label label! name "
			 "network restart-policy since status until volume", key);
}

static bool split_filter(struct arena *arena, const char *text, char **ret_key, const char **ret_value)
{
	const char *at = strchr(text, '=');

	if (!at)
		return false;
	if (at > text && at[-1] == '!') {	/* label!=x */
		*ret_key = arena_printf(arena, "%.*s!", (int)(at - text - 1), text);
	} else {
		*ret_key = arena_strndup(arena, text, (size_t)(at - text));
	}
	*ret_value = at + 1;
	return true;
}

int ps_filter_passes(const struct ps_filter *in, const struct ps_row *r, const struct strings *filters, struct error *err)
{
	struct arena *a = in->e->arena;

	for (size_t i = 0; i < filters->n; i++) {
		bool any = false, later = false;
		const char *value;
		char *key;

		if (!split_filter(a, filters->v[i], &key, &value))
			return error_set(err, ERROR_USAGE, "invalid filter \"%s\": it must be KEY=VALUE", filters->v[i]);
		for (size_t k = 0; k < filters->n; k++) {
			const char *other_value;
			char *other;
			int m;

			if (!split_filter(a, filters->v[k], &other, &other_value) || strcmp(other, key) != 0)
				continue;
			later |= k < i;		/* judged with its first twin */
			m = later ? 1 : matches(in, r, key, other_value, err);
			if (m < 0)
				return -1;
			any |= m == 1;
			if (strcmp(key, "label") == 0 && m == 0)
				return 0;	/* labels are all wanted */
		}
		if (!any)
			return 0;
	}
	return 1;
}

int ps_filter_check(const struct ps_filter *in, const struct strings *filters, struct error *err)
{
	const struct container nobody = { .id = "", .name = "" };
	const struct ps_row row = { .c = &nobody };

	for (size_t i = 0; i < filters->n; i++)
		if (ps_filter_passes(in, &row, &(struct strings){ &filters->v[i], 1 }, err) < 0)
			return -1;
	return 0;
}

bool ps_filter_names_status(const struct strings *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (str_starts(filters->v[i], "status=") || str_starts(filters->v[i], "exited="))
			return true;
	return false;
}

/* container_rows: what `ps` lists, filtered and sorted, with Podman's field names */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

#include "base/units.h"
#include "engine/inspect.h"
#include "engine/network.h"
#include "engine/state.h"
#include "engine/usage.h"

struct row {
	const struct container *c;
	struct container_state s;
};

static char *status_text(struct arena *arena, const struct row *r, int64_t now)
{
	const struct container_state *s = &r->s;

	switch (s->status) {
	case CONTAINER_RUNNING:
		return arena_printf(arena, "Up %s", units_human_duration(arena, now - s->started_ns));
	case CONTAINER_PAUSED:
		return arena_printf(arena, "Up %s (Paused)", units_human_duration(arena, now - s->started_ns));
	case CONTAINER_EXITED:
		return arena_printf(arena, "Exited (%lld) %s ago", (long long)s->exit_code,
				    units_human_duration(arena, now - s->finished_ns));
	case CONTAINER_RESTARTING:
		return arena_printf(arena, "Restarting (%lld) %s ago", (long long)s->exit_code,
				    units_human_duration(arena, now - s->finished_ns));
	case CONTAINER_STOPPING:
		return "Stopping";
	case CONTAINER_CREATED:
	case CONTAINER_INITIALIZED:
		break;
	}
	return s->status == CONTAINER_CREATED ? "Created" : "Initialized";
}

static struct json *port_json(struct arena *arena, const struct port_text *p)
{
	struct json *j = json_new_object(arena);

	json_set(arena, j, "host_ip", json_new_string(arena, p->host_ip));
	json_set(arena, j, "container_port", json_new_int(arena, p->container_port));
	json_set(arena, j, "host_port", json_new_int(arena, p->host_port));
	json_set(arena, j, "range", json_new_int(arena, 1));
	json_set(arena, j, "protocol", json_new_string(arena, p->protocol));
	return j;
}

/* A list of published ports, null when there are none: what programs read. */
static struct json *ports_json(struct arena *arena, const struct row *r)
{
	struct json *list = json_new_list(arena);

	for (size_t i = 0; i < r->s.ports.n && state_is_live(&r->s); i++) {
		struct port_text p;

		if (network_port_parse(arena, r->s.ports.v[i], &p) == 0)
			json_append(arena, list, port_json(arena, &p));
	}
	return list->list.n ? list : json_new_null(arena);
}

/* The published and the merely exposed ones: what people read. */
static char *ports_text(struct arena *arena, const struct row *r)
{
	struct strings texts = { 0 };

	for (size_t i = 0; i < r->s.ports.n && state_is_live(&r->s); i++) {
		struct port_text p;

		if (network_port_parse(arena, r->s.ports.v[i], &p) == 0)
			strings_addf(arena, &texts, "%s:%u->%u/%s", p.host_ip, p.host_port, p.container_port, p.protocol);
	}
	for (size_t i = 0; i < r->c->image.exposed_ports.n; i++) {
		const char *port = r->c->image.exposed_ports.v[i];
		bool published = false;

		for (size_t k = 0; k < texts.n; k++)
			published |= str_ends(texts.v[k], arena_printf(arena, "->%s", port));
		if (!published)
			strings_add(arena, &texts, strchr(port, '/') ? port : arena_printf(arena, "%s/tcp", port));
	}
	return strings_join(arena, &texts, ", ");
}

static struct json *strings_json(struct arena *arena, const struct strings *list)
{
	struct json *j = json_new_list(arena);

	for (size_t i = 0; i < list->n; i++)
		json_append(arena, j, json_new_string(arena, list->v[i]));
	return j;
}

static struct json *map_json(struct arena *arena, const struct string_map *map)
{
	struct json *j = json_new_object(arena);

	for (size_t i = 0; i < map->n; i++)
		json_set(arena, j, map->v[i].key, json_new_string(arena, map->v[i].value));
	return j;
}

static char *labels_text(struct arena *arena, const struct string_map *map)
{
	struct strings texts = { 0 };

	for (size_t i = 0; i < map->n; i++)
		strings_addf(arena, &texts, "%s=%s", map->v[i].key, map->v[i].value);
	return strings_join(arena, &texts, ",");
}

static struct json *mounts_json(struct arena *arena, const struct container *c)
{
	struct json *j = json_new_list(arena);

	for (size_t i = 0; i < c->mounts.n; i++)
		json_append(arena, j, json_new_string(arena, c->mounts.v[i].destination));
	return j;
}

#define SET(name, value) json_add(a, j, name, value)
#define TEXT(s) json_new_string(a, (s))

static struct json *row_json(struct engine *e, const struct row *r, int64_t now)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a), *names = json_new_list(a);
	const struct container *c = r->c;
	char *age = arena_printf(a, "%s ago", units_human_duration(a, now - c->created_ns));

	json_append(a, names, TEXT(c->name));
	SET("Id", TEXT(c->id));
	SET("ID", TEXT(arena_strndup(a, c->id, 12)));
	SET("Names", names);
	SET("Name", TEXT(c->name));
	SET("Image", TEXT(c->image_name ? c->image_name : c->rootfs));
	SET("ImageID", TEXT(c->image_id ? c->image_id : ""));
	SET("Command", strings_json(a, &c->args));
	SET("CommandText", TEXT(strings_join(a, &c->args, " ")));
	SET("Created", json_new_int(a, c->created_ns / 1000000000));
	SET("CreatedAt", TEXT(units_format_time_local(a, c->created_ns)));
	SET("CreatedHuman", TEXT(age));
	SET("RunningFor", TEXT(age));
	SET("State", TEXT(container_status_name(r->s.status)));
	SET("Status", TEXT(status_text(a, r, now)));
	SET("ExitCode", json_new_int(a, r->s.exit_code));
	SET("Exited", json_new_bool(a, r->s.status == CONTAINER_EXITED));
	SET("ExitedAt", json_new_int(a, r->s.finished_ns / 1000000000));
	SET("StartedAt", json_new_int(a, r->s.started_ns / 1000000000));
	SET("Pid", json_new_int(a, state_is_live(&r->s) ? r->s.pid : 0));
	SET("Ports", ports_json(a, r));
	SET("PortsText", TEXT(ports_text(a, r)));
	SET("Labels", map_json(a, &c->labels));
	SET("LabelsText", TEXT(labels_text(a, &c->labels)));
	SET("Mounts", mounts_json(a, c));
	SET("Networks", json_new_list(a));
	SET("Restarts", json_new_int(a, r->s.restart_count));
	SET("AutoRemove", json_new_bool(a, c->request.rm));
	return j;
}

/* --- filters: KEY=VALUE; the same key twice means or, different keys mean and */
static bool matches_map(const struct string_map *map, const char *value)
{
	const char *at = strchr(value, '=');

	for (size_t i = 0; i < map->n; i++)
		if (at ? strncmp(map->v[i].key, value, (size_t)(at - value)) == 0 && !map->v[i].key[at - value] &&
			 strcmp(map->v[i].value, at + 1) == 0 : strcmp(map->v[i].key, value) == 0)
			return true;
	return false;
}

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

struct filter_input {
	struct engine *e;
	const struct containers *all;
	int64_t now;
};

static int created_of(const struct filter_input *in, const char *name, int64_t *ret, struct error *err)
{
	struct container c;

	if (container_load(in->e, name, &c, err) < 0)
		return -1;
	*ret = c.created_ns;
	return 0;
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
static int matches(const struct filter_input *in, const struct row *r, const char *key, const char *value, struct error *err)
{
	const struct container *c = r->c;
	int64_t when;

	if (strcmp(key, "id") == 0)
		return str_starts(c->id, value);
	if (strcmp(key, "name") == 0)
		return matches_name(c->name, value, err);
	if (strcmp(key, "label") == 0)
		return matches_map(&c->labels, value);
	if (strcmp(key, "label!") == 0)
		return !matches_map(&c->labels, value);
	if (strcmp(key, "status") == 0)
		return matches_status(&r->s, value, err);
	if (strcmp(key, "exited") == 0)
		return r->s.status == CONTAINER_EXITED && r->s.exit_code == strtoll(value, NULL, 10);
	if (strcmp(key, "ancestor") == 0)
		return matches_image(c, value);
	if (strcmp(key, "volume") == 0)
		return matches_mount(c, value);
	if (strcmp(key, "network") == 0)
		return c->request.network.n && str_starts(c->request.network.v[0], value);
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

static int passes(const struct filter_input *in, const struct row *r, const struct strings *filters, struct error *err)
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

/* Wrong filters are refused even when there is nothing that they could match. */
static int check_filters(const struct filter_input *in, const struct strings *filters, struct error *err)
{
	const struct container nobody = { .id = "", .name = "" };
	const struct row row = { .c = &nobody };

	for (size_t i = 0; i < filters->n; i++)
		if (passes(in, &row, &(struct strings){ &filters->v[i], 1 }, err) < 0)
			return -1;
	return 0;
}

static bool filters_by_status(const struct strings *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (str_starts(filters->v[i], "status=") || str_starts(filters->v[i], "exited="))
			return true;
	return false;
}

static int newest_first(const void *a, const void *b)
{
	const struct container *x = a, *y = b;

	return x->created_ns < y->created_ns ? 1 : x->created_ns > y->created_ns ? -1 : 0;
}

static int by_member(struct engine *e, struct json *rows, const char *member, struct error *err)
{
	static const struct { const char *sort, *member; } keys[] = {
		{ "command", "CommandText" }, { "created", "Created" }, { "id", "Id" }, { "image", "Image" }, { "names", "Name" },
		{ "runningfor", "StartedAt" }, { "size", "Created" }, { "status", "Status" },
	};
	const char *key = NULL;

	(void)e;
	for (size_t i = 0; i < ELEMENTS(keys); i++)
		if (strcmp(member, keys[i].sort) == 0)
			key = keys[i].member;
	if (!key)
		return error_set(err, ERROR_USAGE, "invalid --sort \"%s\": command, created, id, image, names, runningfor, status", member);
	for (size_t i = 1; i < rows->list.n; i++)	/* few and nearly sorted */
		for (size_t k = i; k > 0; k--) {
			const struct json *x = json_get(rows->list.v[k - 1], key), *y = json_get(rows->list.v[k], key);
			bool greater = x->kind == JSON_STRING ? strcmp(x->string, y->string) > 0 : x->integer > y->integer;
			struct json *swap = rows->list.v[k];

			if (!greater)
				break;
			rows->list.v[k] = rows->list.v[k - 1];
			rows->list.v[k - 1] = swap;
		}
	return 0;
}

/* With what costs more and has to be asked for. */
static struct json *full_row(struct engine *e, const struct row *row, const struct ps_request *r, int64_t now)
{
	struct json *j = row_json(e, row, now), *size;
	int64_t rw, root;

	if (r->ns)
		json_set(e->arena, j, "Namespaces", usage_namespaces(e->arena, state_is_live(&row->s) ? row->s.pid : 0));
	if (r->size) {
		usage_size(e, row->c, &rw, &root);
		size = json_new_object(e->arena);
		json_set(e->arena, size, "rootFsSize", json_new_int(e->arena, root));
		json_set(e->arena, size, "rwSize", json_new_int(e->arena, rw));
		json_set(e->arena, j, "Size", size);
	}
	return j;
}

int container_rows(struct engine *e, const struct ps_request *r, struct json **ret, struct error *err)
{
	struct filter_input in = { .e = e, .now = units_now() };
	int64_t most = r->latest ? 1 : r->last;
	struct containers all;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	in.all = &all;
	if (check_filters(&in, &r->filters, err) < 0)
		return -1;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), newest_first);
	*ret = json_new_list(e->arena);
	for (size_t i = 0; i < all.n; i++) {
		struct row row = { .c = &all.v[i] };
		struct error gone = { 0 };
		int pass;

		if (container_load_state(e, row.c, &row.s, &gone) < 0)
			continue;	/* removed meanwhile */
		if (!r->all && !most && !state_is_live(&row.s) && row.s.status != CONTAINER_RESTARTING &&
		    !filters_by_status(&r->filters))
			continue;
		pass = passes(&in, &row, &r->filters, err);
		if (pass < 0)
			return -1;
		if (pass)
			json_append(e->arena, *ret, full_row(e, &row, r, in.now));
		if (most > 0 && (*ret)->list.n == (size_t)most)
			break;
	}
	return r->sort ? by_member(e, *ret, r->sort, err) : 0;
}

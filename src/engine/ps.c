/* container_rows: what `ps` lists, filtered and sorted, with Podman's field names */
#include <stdlib.h>

#include "base/units.h"
#include "engine/inspect.h"
#include "engine/network.h"
#include "engine/network_default.h"
#include "engine/ps_filter.h"
#include "engine/state.h"
#include "engine/usage.h"

static char *status_text(struct arena *arena, const struct ps_row *r, int64_t now)
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
static struct json *ports_json(struct arena *arena, const struct ps_row *r)
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
static char *ports_text(struct arena *arena, const struct ps_row *r)
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

static struct json *networks_json(struct engine *e, const struct ps_row *row)
{
	struct arena *arena = e->arena;
	struct strings words = network_words(arena, row->c);
	struct json *j = json_new_list(arena);
	struct net_request r = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (net_parse_mode(arena, words.v[i], &r, NULL) < 0)
			break;
	network_default_choose(e, &row->s, &r);
	for (size_t i = 0; i < r.networks.n; i++)
		json_append(arena, j, json_new_string(arena, r.networks.v[i].network));
	return j;
}

#define SET(name, value) json_add(a, j, name, value)
#define TEXT(s) json_new_string(a, (s))

static struct json *row_json(struct engine *e, const struct ps_row *r, int64_t now)
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
	SET("Command", json_new_strings(a, &c->args));
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
	SET("Labels", json_new_map(a, &c->labels));
	SET("LabelsText", TEXT(labels_text(a, &c->labels)));
	SET("Mounts", mounts_json(a, c));
	SET("Networks", networks_json(e, r));
	SET("Restarts", json_new_int(a, r->s.restart_count));
	SET("AutoRemove", json_new_bool(a, c->request.rm));
	return j;
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
static struct json *full_row(struct engine *e, const struct ps_row *row, const struct ps_request *r, int64_t now)
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
	struct ps_filter in = { .e = e, .now = units_now() };
	int64_t most = r->latest ? 1 : r->last;
	struct containers all;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	if (ps_filter_check(&in, &r->filters, err) < 0)
		return -1;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), newest_first);
	*ret = json_new_list(e->arena);
	for (size_t i = 0; i < all.n; i++) {
		struct ps_row row = { .c = &all.v[i] };
		int pass;

		state_load_present(e, row.c, &row.s, NULL);
		if (!r->all && !most && !state_is_live(&row.s) && row.s.status != CONTAINER_RESTARTING &&
		    !ps_filter_names_status(&r->filters))
			continue;
		pass = ps_filter_passes(&in, &row, &r->filters, err);
		if (pass < 0)
			return -1;
		if (pass)
			json_append(e->arena, *ret, full_row(e, &row, r, in.now));
		if (most > 0 && (*ret)->list.n == (size_t)most)
			break;
	}
	return r->sort ? by_member(e, *ret, r->sort, err) : 0;
}

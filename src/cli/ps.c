#include "cli/ps.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/inspect.h"
#include "sys/tty.h"

struct ps_command_request {
	struct ps_request ps;
	bool quiet, no_trunc, no_heading;
	char *format;
	int64_t watch;
};

static const struct option ps_options[] = {
	OPT_FLAG('a', "all", ps_command_request, ps.all, "Those too that do not run"),
	OPT_STRINGS('f', "filter", ps_command_request, ps.filters, "KEY=VALUE", "Only those that match; several keys must all match",
		    .words = "id=|name=|label=|status=|exited=|ancestor=|before=|since=|volume=|network=|health=|until=|"
			     "command=|restart-policy="),
	OPT_STRING(0, "format", ps_command_request, format, "FORMAT", "json, table TEMPLATE, or a Go template",
		   .words = "json|table|{{.ID}}|{{.Names}}"),
	OPT_INT('n', "last", ps_command_request, ps.last, "N", "The N made last, running or not"),
	OPT_FLAG('l', "latest", ps_command_request, ps.latest, "The one made last, running or not"),
	OPT_FLAG(0, "no-trunc", ps_command_request, no_trunc, "Whole IDs and commands"),
	OPT_FLAG(0, "noheading", ps_command_request, no_heading, "No headings"),
	OPT_FLAG(0, "ns", ps_command_request, ps.ns, "The namespaces of each"),
	OPT_FLAG('q', "quiet", ps_command_request, quiet, "IDs only"),
	OPT_FLAG('s', "size", ps_command_request, ps.size, "How much each has written"),
	OPT_STRING(0, "sort", ps_command_request, ps.sort, "KEY", "Order of the rows",
		   .words = "command|created|id|image|names|runningfor|size|status"),
	OPT_INT('w', "watch", ps_command_request, watch, "SECONDS", "Again and again"),
	OPT_IGNORED(0, "sync", NULL),
	OPT_IGNORED(0, "external", NULL),
	OPT_UNSUPPORTED("pod", "there are no pods"),
	OPT_END
};

/* Go's bytes of the command, cut as Podman cuts. */
static const char *command_text(struct arena *arena, const struct json *row, bool full)
{
	const char *text = view_text(arena, row, "Command", " ");

	return full || strlen(text) <= 17 ? text : arena_printf(arena, "%.17s...", text);
}

const char *ps_port_text(struct arena *arena, const struct json *port)
{
	const char *ip = json_get_string(port, "host_ip"), *protocol = json_get_string(port, "protocol");
	long long host = view_int(port, "host_port"), container = view_int(port, "container_port");
	long long range = view_int(port, "range");

	if (str_is_empty(ip))
		ip = "0.0.0.0";
	if (str_is_empty(protocol))
		protocol = "tcp";
	if (host == 0)
		return arena_printf(arena, "%lld/%s", container, protocol);
	if (range > 1)
		return arena_printf(arena, "%s:%lld-%lld->%lld-%lld/%s", ip, host, host + range - 1, container,
				    container + range - 1, protocol);
	return arena_printf(arena, "%s:%lld->%lld/%s", ip, host, container, protocol);
}

static const char *ports_text(struct arena *arena, const struct json *row)
{
	const struct json *ports = json_get(row, "Ports");
	struct strings parts = { 0 };

	if (json_get_string(row, "PortsText"))
		return json_get_string(row, "PortsText");
	if (!ports || ports->kind != JSON_LIST)
		return view_text(arena, row, "Ports", ", ");
	for (size_t i = 0; i < ports->list.n; i++) {
		const struct json *p = ports->list.v[i];

		strings_add(arena, &parts, p->kind == JSON_STRING ? p->string : ps_port_text(arena, p));
	}
	return strings_join(arena, &parts, ", ");
}

static const char *capitalized(struct arena *arena, const char *s)
{
	char *copy = arena_strdup(arena, s);

	if (*copy >= 'a' && *copy <= 'z')
		*copy -= 'a' - 'A';
	return copy;
}

const char *ps_status_text(struct arena *arena, const char *state, int64_t started_ns, int64_t ended_ns, long long exit_code)
{
	int64_t up = units_now() - started_ns;

	if (strcmp(state, "running") == 0 || strcmp(state, "paused") == 0)
		return arena_printf(arena, "Up %s%s", units_human_duration(arena, up > 0 ? up : 0),
				    strcmp(state, "paused") == 0 ? " (Paused)" : "");
	if (strcmp(state, "exited") == 0 || strcmp(state, "stopped") == 0)
		return ended_ns > 0 ? arena_printf(arena, "Exited (%lld) %s", exit_code, view_ago(arena, ended_ns))
				    : arena_printf(arena, "Exited (%lld)", exit_code);
	return capitalized(arena, state);
}

static const char *status_text(struct arena *arena, const struct json *row)
{
	const char *status = json_get_string(row, "Status"), *state = json_get_string(row, "State");

	if (!str_is_empty(status))
		return status;
	return ps_status_text(arena, state ? state : "", view_time(row, "StartedAt"), view_time(row, "ExitedAt"),
			      view_int(row, "ExitCode"));
}

static const char *size_text(struct arena *arena, const struct json *row)
{
	const struct json *size = json_get(row, "Size");

	if (!size || size->kind != JSON_OBJECT)
		return "";
	return arena_printf(arena, "%s (virtual %s)", units_format_size(arena, (uint64_t)view_int(size, "rwSize")),
			    units_format_size(arena, (uint64_t)view_int(size, "rootFsSize")));
}

static void set(struct arena *arena, struct json *row, const char *name, const char *text)
{
	json_set(arena, row, name, json_new_string(arena, text));
}

static void set_namespaces(struct arena *arena, struct json *view, const struct json *row)
{
	static const char *const names[] = { "Cgroup", "CGROUPNS", "IPC", "IPC", "MNT", "MNT", "NET", "NET", "PIDNS", "PIDNS",
					     "User", "USERNS", "UTS", "UTS" };
	const struct json *ns = json_get(row, "Namespaces");

	for (size_t i = 0; i < ELEMENTS(names); i += 2) {
		const struct json *v = NULL;

		for (size_t k = 0; ns && ns->kind == JSON_OBJECT && k < ns->object.n; k++)
			if (strcasecmp(ns->object.v[k].name, names[i]) == 0)
				v = ns->object.v[k].value;
		set(arena, view, names[i + 1], v && v->kind == JSON_STRING ? v->string : "");
	}
}

static const char *created_at(struct arena *arena, const struct json *row)
{
	int64_t created = view_time(row, "Created");

	return created ? units_format_time_local(arena, created) : view_text(arena, row, "CreatedAt", " ");
}

struct json *ps_view(struct arena *arena, const struct json *row, bool full)
{
	struct json *view = view_of(arena, row);
	const char *id = json_get_string(row, "Id"), *image_id = json_get_string(row, "ImageID");
	const char *ago = view_ago(arena, view_time(row, "Created"));

	set(arena, view, "ID", view_short_id(arena, id ? id : "", full));
	set(arena, view, "ImageID", view_short_id(arena, image_id ? image_id : "", full));
	set(arena, view, "Command", command_text(arena, row, full));
	set(arena, view, "Created", ago);
	set(arena, view, "CreatedHuman", ago);
	set(arena, view, "RunningFor", ago);
	set(arena, view, "CreatedAt", created_at(arena, row));
	set(arena, view, "Status", status_text(arena, row));
	set(arena, view, "Ports", ports_text(arena, row));
	set(arena, view, "Names", view_text(arena, row, "Names", ","));
	set(arena, view, "Mounts", view_text(arena, row, "Mounts", ","));
	set(arena, view, "Networks", view_text(arena, row, "Networks", ","));
	set(arena, view, "Size", size_text(arena, row));
	set_namespaces(arena, view, row);
	return view;
}

static const char *const ps_headers[] = {
	"ID", "CONTAINER ID", "ImageID", "IMAGE ID", "CreatedHuman", "CREATED", "CreatedAt", "CREATED AT", "RunningFor", "CREATED",
	NULL
};

static const char *ps_table(const struct ps_command_request *r)
{
	if (r->quiet)
		return "{{.ID}}";
	if (r->ps.ns)
		return "{{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.CGROUPNS}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t{{.USERNS}}\t{{.UTS}}";
	if (r->ps.size)
		return "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Created}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}";
	return "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Created}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
}

static int print_ps(struct cli *cli, struct ps_command_request *r, struct error *err)
{
	struct listing listing = { .format = r->quiet && !r->format ? "{{.ID}}" : r->format, .table = ps_table(r),
				   .headers = ps_headers, .no_heading = r->no_heading };
	struct json *rows, *views = json_new_list(cli->arena);
	struct engine *e = cli_engine(cli, err);

	if (!e || container_rows(e, &r->ps, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++)
		json_append(cli->arena, views, ps_view(cli->arena, rows->list.v[i], r->no_trunc));
	return output_listing(cli, &listing, rows, views, err);
}

static int run_ps(struct cli *cli, const struct args *args, struct error *err)
{
	struct ps_command_request *r = args->request;

	for (;;) {
		if (print_ps(cli, r, err) < 0)
			return -1;
		if (r->watch <= 0)
			return 0;
		fflush(stdout);
		sleep((unsigned)r->watch);
		if (tty_is(STDOUT_FILENO))
			fputs("\033[2J\033[H", stdout);
	}
}

static const struct command_example ps_examples[] = {
	{ "bryo ps -a", "all of them" },
	{ "bryo ps --filter label=app=web -q", "IDs by label" },
	{ "bryo ps --format '{{.Names}} {{.Ports}}'", "what a script needs" },
	{ "bryo ps -a --format json", "everything, for programs" },
	{ NULL, NULL }
};

const struct command ps_command = {
	.names = "ps|container ls|container list|container ps",
	.synopsis = "[options]",
	.summary = "List containers",
	.description = "Lists the containers that run, the newest first.",
	.examples = ps_examples,
	.options = { ps_options },
	.request_size = sizeof(struct ps_command_request),
	.topic = TOPIC_CONTAINERS,
	.run = run_ps,
};

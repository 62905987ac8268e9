/* cli/events - what happened, and what happens */
#include <stdio.h>
#include <string.h>

#include "base/template.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/events.h"

struct events_command_request { struct events_request events; char *format; bool no_trunc; };

static const struct option events_options[] = {
	OPT_STRINGS('f', "filter", events_command_request, events.filters, "KEY=VALUE", "Only those that match",
		    .words = "container=|event=|image=|label=|type=|volume="),
	OPT_STRING(0, "format", events_command_request, format, "FORMAT", "json or a Go template", .words = "json"),
	OPT_STRING(0, "since", events_command_request, events.since, "TIME", "From this time on: RFC 3339, unix seconds, or 10m"),
	OPT_STRING(0, "until", events_command_request, events.until, "TIME", "Up to this time"),
	OPT_FLAG_OFF(0, "stream", events_command_request, events.no_stream, "End after what has happened so far"),
	OPT_FLAG(0, "no-trunc", events_command_request, no_trunc, "Whole IDs"),
	OPT_END
};

struct printer {
	struct cli *cli;
	const struct events_command_request *request;
	const struct template *template;
	struct error *err;
};

static const char *member(const struct json *event, const char *name)
{
	const char *s = json_get_string(event, name);

	return s ? s : "";
}

/* 2026-11-22 05:05:15.37 +0000 UTC container start 0123456789ab (image=..., name=..., label=value) */
static void print_line(struct arena *arena, const struct json *event, bool full)
{
	const struct json *attributes = json_get(event, "Attributes");
	struct strings details = { 0 };
	const char *id = member(event, "ID");

	if (*member(event, "Image"))
		strings_addf(arena, &details, "image=%s", member(event, "Image"));
	if (*member(event, "Name"))
		strings_addf(arena, &details, "name=%s", member(event, "Name"));
	for (size_t i = 0; attributes && attributes->kind == JSON_OBJECT && i < attributes->object.n; i++)
		if (attributes->object.v[i].value->kind == JSON_STRING)
			strings_addf(arena, &details, "%s=%s", attributes->object.v[i].name,
				     attributes->object.v[i].value->string);
	printf("%s\n", output_clean(arena, arena_printf(arena, "%s %s %s %s (%s)", units_format_time_local(arena, view_int(event, "timeNano")),
			member(event, "Type"), member(event, "Status"), view_short_id(arena, id, full),
			strings_join(arena, &details, ", "))));
}

static int print_event(void *context, struct json *event)
{
	struct printer *p = context;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);

	if (p->template) {
		if (template_run(arena, p->template, event, &out, p->err) < 0)
			return -1;
		fwrite(out.data, 1, out.size, stdout);
		putchar('\n');
	} else if (p->request->format) {
		puts(json_print(arena, event, 0));
	} else {
		print_line(arena, event, p->request->no_trunc);
	}
	return fflush(stdout) == EOF ? -1 : 0;
}

static int run_events(struct cli *cli, const struct args *args, struct error *err)
{
	struct events_command_request *r = args->request;
	struct printer p = { .cli = cli, .request = r, .err = err };
	struct engine *e;

	if (r->format && strcmp(r->format, "json") != 0) {
		p.template = template_parse(cli->arena, r->format, err);
		if (!p.template)
			return -1;
	}
	e = cli_engine(cli, err);
	return e ? events_read(e, &r->events, print_event, &p, err) : -1;
}

static const struct command_example events_examples[] = {
	{ "bryo events", "as they happen" },
	{ "bryo events --since 1h --stream=false", "of the last hour" },
	{ "bryo events --filter event=died --format '{{.Name}}'", NULL },
	{ NULL, NULL }
};

const struct command events_command = {
	.names = "events|system events",
	.synopsis = "[options]",
	.summary = "Show what happens to containers, images, volumes and networks",
	.examples = events_examples,
	.options = { events_options },
	.request_size = sizeof(struct events_command_request),
	.topic = TOPIC_SYSTEM,
	.run = run_events,
};

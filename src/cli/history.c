/* cli/history - how an image was made */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/image.h"

static void set(struct arena *arena, struct json *row, const char *name, const char *text)
{
	json_set(arena, row, name, json_new_string(arena, text));
}

struct history_request { bool quiet, no_trunc, plain; char *format; };

static const struct option history_options[] = {
	OPT_STRING(0, "format", history_request, format, "FORMAT", "json, table TEMPLATE, or a Go template", .words = "json|table"),
	OPT_FLAG_OFF('H', "human", history_request, plain, "Sizes in bytes and times in full"),
	OPT_FLAG(0, "no-trunc", history_request, no_trunc, "Whole IDs and commands"),
	OPT_FLAG('q', "quiet", history_request, quiet, "IDs only"),
	OPT_END
};

static const char *member_text(struct arena *arena, const struct json *row, const char *small, const char *big)
{
	return json_get(row, small) ? view_text(arena, row, small, " ") : view_text(arena, row, big, " ");
}

static struct json *history_view(struct arena *arena, const struct json *row, const struct history_request *r)
{
	struct json *view = view_of(arena, row);
	const char *id = member_text(arena, row, "id", "Id"), *by = member_text(arena, row, "createdBy", "CreatedBy");
	int64_t created = view_time(row, json_get(row, "created") ? "created" : "Created");
	int64_t size = view_int(row, json_get(row, "size") ? "size" : "Size");

	set(arena, view, "ID", *id ? view_short_id(arena, id, r->no_trunc) : "<missing>");
	set(arena, view, "Created", r->plain ? units_format_time(arena, created) : view_ago(arena, created));
	set(arena, view, "CreatedSince", view_ago(arena, created));
	set(arena, view, "CreatedAt", units_format_time(arena, created));
	set(arena, view, "CreatedBy", r->no_trunc || strlen(by) <= 45 ? by : arena_printf(arena, "%.42s...", by));
	set(arena, view, "Size", r->plain ? arena_printf(arena, "%lld", (long long)size) : units_format_size(arena, (uint64_t)size));
	set(arena, view, "Comment", member_text(arena, row, "comment", "Comment"));
	return view;
}

static int run_history(struct cli *cli, const struct args *args, struct error *err)
{
	static const char *const headers[] = { "CreatedBy", "CREATED BY", "CreatedSince", "CREATED", "CreatedAt", "CREATED AT", NULL };
	struct history_request *r = args->request;
	struct listing listing = { .format = r->quiet && !r->format ? "{{.ID}}" : r->format, .headers = headers,
				   .table = "{{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}" };
	struct json *rows, *views = json_new_list(cli->arena);
	struct engine *e = cli_engine(cli, err);

	if (!e || image_history(e, args->operands.v[0], &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++)
		json_append(cli->arena, views, history_view(cli->arena, rows->list.v[i], r));
	return output_listing(cli, &listing, rows, views, err);
}

const struct command history_command = {
	.names = "history|image history",
	.synopsis = "[options] IMAGE",
	.summary = "Show how an image was made",
	.options = { history_options },
	.request_size = sizeof(struct history_request),
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_history,
};

/* cli/df - system df */
#include <stdio.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/df.h"

struct df_request { char *format; bool verbose; };

static const struct option system_df_options[] = {
	OPT_STRING(0, "format", df_request, format, "FORMAT", "json or a Go template", .words = "json|{{.Type}} {{.Size}}"),
	OPT_FLAG('v', "verbose", df_request, verbose, "Each object"),
	OPT_END
};

static void set(struct cli *cli, struct json *view, const char *name, const char *text)
{
	json_set(cli->arena, view, name, json_new_string(cli->arena, text));
}

static void set_size(struct cli *cli, struct json *view, const char *name)
{
	if (json_get(view, name))
		set(cli, view, name, units_format_size_tight(cli->arena, (uint64_t)view_int(view, name)));
}

static struct json *detail_view(struct cli *cli, const struct json *row)
{
	static const char *const ids[] = { "ImageID", "ContainerID", "Image" };
	struct json *view = view_of(cli->arena, row);
	int64_t created = view_int(row, "Created");

	for (size_t i = 0; i < ELEMENTS(ids); i++)
		if (json_get_string(row, ids[i]))
			set(cli, view, ids[i], view_short_id(cli->arena, json_get_string(row, ids[i]), false));
	set_size(cli, view, "Size");
	set_size(cli, view, "SharedSize");
	set_size(cli, view, "UniqueSize");
	set(cli, view, "Command", view_text(cli->arena, row, "Command", " "));
	if (created)
		set(cli, view, "Created", units_human_duration(cli->arena, units_now() - created));
	return view;
}

static int print_details(struct cli *cli, const char *title, const struct json *rows, const char *table, struct error *err)
{
	static const char *const headers[] = {
		"ImageID", "IMAGE ID", "SharedSize", "SHARED SIZE", "UniqueSize", "UNIQUE SIZE", "ContainerID", "CONTAINER ID",
		"LocalVolumes", "LOCAL VOLUMES", "VolumeName", "VOLUME NAME", NULL
	};
	const struct listing listing = { .table = table, .headers = headers };
	struct json *views = json_new_list(cli->arena);

	for (size_t i = 0; i < rows->list.n; i++)
		json_append(cli->arena, views, detail_view(cli, rows->list.v[i]));
	printf("%s space usage:\n\n", title);
	return output_listing(cli, &listing, rows, views, err);
}

static int run_details(struct cli *cli, struct error *err)
{
	struct df_details d;

	if (df_details(&cli->engine, &d, err) < 0 ||
	    print_details(cli, "Images", d.images, "{{.Repository}}\t{{.Tag}}\t{{.ImageID}}\t{{.Created}}\t{{.Size}}\t{{.SharedSize}}\t"
			  "{{.UniqueSize}}\t{{.Containers}}", err) < 0)
		return -1;
	putchar('\n');
	if (print_details(cli, "Containers", d.containers, "{{.ContainerID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t"
			  "{{.Created}}\t{{.Status}}\t{{.Names}}", err) < 0)
		return -1;
	putchar('\n');
	return print_details(cli, "Local Volumes", d.volumes, "{{.VolumeName}}\t{{.Links}}\t{{.Size}}", err);
}

static int run_system_df(struct cli *cli, const struct args *args, struct error *err)
{
	const struct df_request *r = args->request;
	const struct listing listing = { .format = r->format,
					 .table = "{{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}" };
	struct json *rows;
	struct engine *e;

	if (r->verbose && r->format)
		return error_set(err, ERROR_USAGE, "cannot combine --format and --verbose flags");
	e = cli_engine(cli, err);
	if (!e)
		return -1;
	if (r->verbose)
		return run_details(cli, err);
	return df_summary(e, &rows, err) < 0 ? -1 : output_listing(cli, &listing, rows, rows, err);
}

const struct command system_df_command = {
	.names = "system df",
	.synopsis = "[options]",
	.summary = "Show what takes room on disk",
	.description = "Layers that several images share count once. Reclaimable is what no container uses.",
	.options = { system_df_options },
	.request_size = sizeof(struct df_request),
	.run = run_system_df,
};

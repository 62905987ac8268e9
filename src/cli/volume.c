/* cli/volume - volumes */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "engine/volume.h"

static const struct option volume_create_options[] = {
	OPT_STRING('d', "driver", volume_request, driver, "DRIVER", "Only local", .words = "local"),
	OPT_STRINGS('l', "label", volume_request, labels, "NAME=VALUE", "Attach a label"),
	OPT_STRINGS('o', "opt", volume_request, options, "NAME=VALUE", "type=tmpfs, device=DIRECTORY, o=size=,uid=,gid=,mode=,ro,noexec,..., nocopy",
		     .words = "type=tmpfs|type=bind|device=|o=|nocopy"),
	OPT_FLAG(0, "ignore", volume_request, ignore, "An existing volume is no error"),
	OPT_STRING(0, "name", volume_request, name, "NAME", "Its name, as docker spells it", .flags = OPTION_HIDDEN),
	OPT_END
};

static int run_volume_create(struct cli *cli, const struct args *args, struct error *err)
{
	struct volume_request *r = args->request;
	struct volume v = { 0 };
	struct engine *e;

	if (args->operands.n)
		r->name = args->operands.v[0];
	e = cli_engine(cli, err);
	if (!e || volume_new(e, r, &v, err) < 0)
		return -1;
	puts(v.name);
	return 0;
}

static const struct command_example volume_create_examples[] = {
	{ "bryo volume create data", NULL },
	{ "bryo volume create -o type=none -o o=bind -o device=/srv/data data", "a directory of yours under a name" },
	{ "bryo volume create -o type=tmpfs -o o=size=64m,uid=1000 scratch", "in memory, while a container has it" },
	{ "bryo volume create -o o=uid=1000,gid=1000 data", "for the user 1000 of containers" },
	{ NULL, NULL }
};

const struct command volume_create_command = {
	.names = "volume create",
	.synopsis = "[options] [NAME]",
	.summary = "Create a volume",
	.examples = volume_create_examples,
	.options = { volume_create_options },
	.request_size = sizeof(struct volume_request),
	.operands_max = 1,
	.run = run_volume_create,
};

/* --- ls */

struct volume_ls_request { struct strings filters; char *format; bool quiet, no_heading; };

static const struct option volume_ls_options[] = {
	OPT_STRINGS('f', "filter", volume_ls_request, filters, "KEY=VALUE", "Only those that match",
		    .words = "dangling=true|driver=|label=|name=|opt=|scope=|until="),
	OPT_STRING(0, "format", volume_ls_request, format, "FORMAT", "json, table TEMPLATE, or a Go template", .words = "json|table"),
	OPT_FLAG('n', "noheading", volume_ls_request, no_heading, "No headings"),
	OPT_FLAG('q', "quiet", volume_ls_request, quiet, "Names only"),
	OPT_END
};

static int run_volume_ls(struct cli *cli, const struct args *args, struct error *err)
{
	static const char *const headers[] = { "Name", "VOLUME NAME", NULL };
	struct volume_ls_request *r = args->request;
	struct listing listing = { .format = r->quiet && !r->format ? "{{.Name}}" : r->format,
				   .table = "{{.Driver}}\t{{.Name}}", .headers = headers, .no_heading = r->no_heading };
	struct json *rows;
	struct engine *e = cli_engine(cli, err);

	if (!e || volume_rows(e, &r->filters, &rows, err) < 0)
		return -1;
	return output_listing(cli, &listing, rows, rows, err);
}

const struct command volume_ls_command = {
	.names = "volume ls|volume list",
	.synopsis = "[options]",
	.summary = "List volumes",
	.options = { volume_ls_options },
	.request_size = sizeof(struct volume_ls_request),
	.run = run_volume_ls,
};

/* --- rm */

struct volume_rm_request { bool all, force; };

static const struct option volume_rm_options[] = {
	OPT_FLAG('a', "all", volume_rm_request, all, "All volumes"),
	OPT_FLAG('f', "force", volume_rm_request, force, "Remove the containers that use it, too"),
	OPT_IGNORED('t', "time", "SECONDS"),
	OPT_END
};

static int run_volume_rm(struct cli *cli, const struct args *args, struct error *err)
{
	struct volume_rm_request *r = args->request;
	struct strings names = args->operands, no_filters = { 0 };
	struct json *rows;
	int code = 0;

	if (!names.n == !r->all)
		return error_set(err, ERROR_USAGE, "choose either one or more volumes or all");
	if (!cli_engine(cli, err) || (r->all && volume_rows(&cli->engine, &no_filters, &rows, err) < 0))
		return -1;
	for (size_t i = 0; r->all && i < rows->list.n; i++)
		strings_add(cli->arena, &names, json_get_string(rows->list.v[i], "Name"));
	for (size_t i = 0; i < names.n; i++) {
		struct error failure = { 0 };

		if (volume_rm(&cli->engine, names.v[i], r->force, &failure) < 0) {
			if (!(r->force && error_is(&failure, ERROR_NOT_FOUND)))
				cli_failed(cli, &code, &failure);
		} else {
			puts(names.v[i]);
		}
	}
	return code;
}

const struct command volume_rm_command = {
	.names = "volume rm|volume remove",
	.synopsis = "[options] VOLUME [VOLUME...]",
	.summary = "Remove one or more volumes",
	.options = { volume_rm_options },
	.request_size = sizeof(struct volume_rm_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_VOLUMES, .complete_rest = COMPLETE_VOLUMES,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_volume_rm,
};

/* --- prune, exists */

struct volume_prune_request { bool force; struct strings filters; };

static const struct option volume_prune_options[] = {
	OPT_FLAG('f', "force", volume_prune_request, force, "Do not ask"),
	OPT_STRINGS(0, "filter", volume_prune_request, filters, "KEY=VALUE", "Only those that match: label=, until="),
	OPT_IGNORED('a', "all", NULL),
	OPT_END
};

static int run_volume_prune(struct cli *cli, const struct args *args, struct error *err)
{
	struct volume_prune_request *r = args->request;
	struct strings names = { 0 };
	struct engine *e;

	if (!r->force && !cli_confirm("WARNING! This will remove all volumes not used by at least one container.\n"
				      "Are you sure you want to continue?"))
		return 0;
	e = cli_engine(cli, err);
	if (!e || volume_prune(e, &r->filters, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		puts(names.v[i]);
	return 0;
}

const struct command volume_prune_command = {
	.names = "volume prune",
	.synopsis = "[options]",
	.summary = "Remove all volumes that no container uses",
	.options = { volume_prune_options },
	.request_size = sizeof(struct volume_prune_request),
	.run = run_volume_prune,
};

static int run_volume_exists(struct cli *cli, const struct args *args, struct error *err)
{
	struct volume v = { 0 };
	struct engine *e = cli_engine(cli, err);

	if (!e)
		return -1;
	if (volume_read(e->arena, &e->store, args->operands.v[0], &v, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? 1 : -1;
	return 0;
}

const struct command volume_exists_command = {
	.names = "volume exists",
	.synopsis = "VOLUME",
	.summary = "Exit 0 when the volume exists, 1 when it does not",
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_VOLUMES,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_volume_exists,
};

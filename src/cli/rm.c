#include "cli/rm.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/selection.h"
#include "engine/inspect.h"

struct rm_request { struct selection select; bool force, volumes; int64_t time; };

static const struct option rm_options[] = {
	OPT_FLAG('f', "force", rm_request, force, "Kill it when it runs; a missing container is no error"),
	OPT_FLAG('v', "volumes", rm_request, volumes, "Remove its anonymous volumes too"),
	OPT_FLAG('a', "all", rm_request, select.all, "All containers"),
	OPT_STRINGS(0, "filter", rm_request, select.filters, "KEY=VALUE", "Containers that match"),
	OPT_FLAG('i', "ignore", rm_request, select.ignore, "A missing container is no error"),
	OPT_STRINGS(0, "cidfile", rm_request, select.cidfiles, "FILE", "The container whose ID the file holds",
		    .complete = COMPLETE_FILES),
	OPT_INT('t', "time", rm_request, time, "SECONDS", "With --force, how long to wait before SIGKILL"),
	OPT_ALIAS(0, "timeout", "time"),
	OPT_LATEST(rm_request, select.latest),
	OPT_IGNORED(0, "depend", NULL),
	OPT_END
};

static int rm_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_rm(&cli->engine, c, context, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_rm(struct cli *cli, const struct args *args, struct error *err)
{
	struct rm_request *r = args->request;
	struct rm_options o = { .force = r->force, .volumes = r->volumes, .ignore = r->select.ignore };

	o.timeout_s = args_was_given(args, "time") ? r->time : -1;
	r->select.ignore = r->select.ignore || r->force;
	r->select.damaged = r->force;
	return selection_run(cli, &r->select, 0, rm_one, &o, err);
}

static const struct command_example rm_examples[] = {
	{ "bryo rm web", NULL },
	{ "bryo rm -fv web", "even while it runs, with its anonymous volumes" },
	{ "bryo rm --all --force", "every container" },
	{ NULL, NULL }
};

const struct command rm_command = {
	.names = "rm|container rm",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Remove one or more containers",
	.description = "A running container is only removed with --force.",
	.examples = rm_examples,
	.options = { rm_options },
	.request_size = sizeof(struct rm_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.flags = COMMAND_OBJECT_CODES,
	.topic = TOPIC_CONTAINERS,
	.run = run_rm,
};

/* --- container prune */

struct container_prune_request { bool force; struct strings filters; };

static const struct option prune_options[] = {
	OPT_FLAG('f', "force", container_prune_request, force, "Do not ask"),
	OPT_STRINGS(0, "filter", container_prune_request, filters, "KEY=VALUE", "Only those that match: until=, label="),
	OPT_END
};

int rm_stopped(struct cli *cli, const struct strings *filters, struct strings *ret_ids, int *code, struct error *err)
{
	struct ps_request request = { .all = true, .filters = *filters };
	struct rm_options o = { .timeout_s = -1 };
	struct json *rows;

	strings_add(cli->arena, &request.filters, "status=created");
	strings_add(cli->arena, &request.filters, "status=exited");
	if (!cli_engine(cli, err) || container_rows(&cli->engine, &request, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++) {
		const char *id = json_get_string(rows->list.v[i], "Id");
		struct container c = { 0 };
		struct error failure = { 0 };

		if (!id || container_load(&cli->engine, id, &c, &failure) < 0)
			continue;
		if (container_rm(&cli->engine, &c, &o, &failure) < 0)
			cli_failed(cli, code, &failure);
		else
			strings_add(cli->arena, ret_ids, id);
	}
	return 0;
}

void rm_print_names(const char *heading, const struct strings *names)
{
	if (heading && names->n)
		puts(heading);
	for (size_t i = 0; i < names->n; i++)
		puts(names->v[i]);
}

static int run_container_prune(struct cli *cli, const struct args *args, struct error *err)
{
	struct container_prune_request *r = args->request;
	struct strings ids = { 0 };
	int code = 0;

	if (!r->force && !cli_confirm("WARNING! This will remove all non running containers.\nAre you sure you want to continue?"))
		return 0;
	if (rm_stopped(cli, &r->filters, &ids, &code, err) < 0)
		return -1;
	rm_print_names(NULL, &ids);
	return code;
}

const struct command container_prune_command = {
	.names = "container prune",
	.synopsis = "[options]",
	.summary = "Remove all containers that do not run",
	.options = { prune_options },
	.request_size = sizeof(struct container_prune_request),
	.run = run_container_prune,
};

/* --- container exists */

static int run_container_exists(struct cli *cli, const struct args *args, struct error *err)
{
	struct container c = { 0 };
	struct engine *e = cli_engine(cli, err);

	if (!e)
		return -1;
	if (container_load(e, args->operands.v[0], &c, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? 1 : -1;
	return 0;
}

static const struct option exists_options[] = { OPT_IGNORED(0, "external", NULL), OPT_END };

const struct command container_exists_command = {
	.names = "container exists",
	.synopsis = "CONTAINER",
	.summary = "Exit 0 when the container exists, 1 when it does not",
	.options = { exists_options },
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_CONTAINERS,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_container_exists,
};

/* --- internal: called by bryo-monitor when a container ended */

static int run_container_cleanup(struct cli *cli, const struct args *args, struct error *err)
{
	struct engine *e = cli_engine(cli, err);

	return e ? container_cleanup(e, args->operands.v[0], err) : -1;
}

static int run_container_restart_now(struct cli *cli, const struct args *args, struct error *err)
{
	struct engine *e = cli_engine(cli, err);

	return e ? container_restart_now(e, args->operands.v[0], args->operands.n > 1 ? args->operands.v[1] : NULL, err) : -1;
}

const struct command container_cleanup_command = {
	.names = "container cleanup",
	.synopsis = "CONTAINER",
	.summary = "Release what an ended container held",
	.operands_min = 1, .operands_max = 1,
	.flags = COMMAND_HIDDEN,
	.run = run_container_cleanup,
};

const struct command container_restart_now_command = {
	.names = "container restart-now",
	.synopsis = "CONTAINER [FIRST-LAST]",		/* descriptors: the sockets of its ports */
	.summary = "Start an ended container again, as its restart policy says",
	.operands_min = 1, .operands_max = 2,
	.flags = COMMAND_HIDDEN | COMMAND_ENTERS,
	.run = run_container_restart_now,
};

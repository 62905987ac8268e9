/* cli/reset - system reset */
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "engine/reset.h"
#include "sys/tty.h"

struct reset_request { bool force; };

static const struct option system_reset_options[] = {
	OPT_FLAG('f', "force", reset_request, force, "Do not ask"),
	OPT_END
};

static bool confirm(struct cli *cli)
{
	char *store, *runtime;

	reset_paths(&cli->engine, &store, &runtime);
	return cli_confirm(arena_printf(cli->arena, "WARNING! This will remove:\n\t- all containers\n\t- all images\n\t- all volumes\n"
					"\t- the graphRoot directory: \"%s\"\n\t- the runRoot directory: \"%s\"\n"
					"Are you sure you want to continue?", store, runtime));
}

static int run_system_reset(struct cli *cli, const struct args *args, struct error *err)
{
	const struct reset_request *r = args->request;
	struct engine *e = cli_engine_identity(cli, err);
	struct strings left = { 0 };
	int there = e ? reset_check(e, err) : -1;

	if (there < 0)
		return -1;
	if (!r->force && !tty_is(STDIN_FILENO)) {
		error_set(err, ERROR_USAGE, "everything would be removed, and nobody is there to be asked");
		return error_fix(err, "bryo system reset --force");
	}
	if (!r->force && !confirm(cli))
		return 0;
	if (!cli_engine(cli, err) || reset_everything(e, &left, err) < 0)
		return -1;
	for (size_t i = 0; i < left.n; i++)
		cli_warn("%s/%s is not the store's and stays", engine_store_path(e), left.v[i]);
	return 0;
}

const struct command system_reset_command = {
	.names = "system reset",
	.synopsis = "[options]",
	.summary = "Remove all containers, images, volumes and the store itself",
	.description = "Running containers are killed. What is not bryo's in the store's directory stays, and a directory that is no store is "
		       "refused. Configuration files and credentials stay.",
	.options = { system_reset_options },
	.request_size = sizeof(struct reset_request),
	.run = run_system_reset,
};

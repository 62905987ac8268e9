/* cli/cp - files into and out of containers */
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/copy.h"

struct cp_command_request { struct copy_request copy; bool no_archive; };

static const struct option cp_options[] = {
	OPT_FLAG_OFF('a', "archive", cp_command_request, no_archive, "Do not keep owners"),
	OPT_FLAG(0, "overwrite", cp_command_request, copy.overwrite, "A directory may replace a file, and the other way round"),
	OPT_IGNORED('L', "follow-link", NULL),
	OPT_IGNORED('q', "quiet", NULL),
	OPT_END
};

static int run_cp(struct cli *cli, const struct args *args, struct error *err)
{
	struct cp_command_request *r = args->request;
	struct engine *e = cli_engine(cli, err);

	r->copy.source = args->operands.v[0];
	r->copy.destination = args->operands.v[1];
	r->copy.archive = !r->no_archive;
	return e ? container_copy(e, &r->copy, err) : -1;
}

static const struct command_example cp_examples[] = {
	{ "bryo cp web:/etc/nginx/nginx.conf .", "out of a container" },
	{ "bryo cp index.html web:/usr/share/nginx/html/", "into it" },
	{ "bryo cp web:/var/log - | tar t", "as a tar stream" },
	{ NULL, NULL }
};

const struct command cp_command = {
	.names = "cp|container cp",
	.synopsis = "[options] [CONTAINER:]SOURCE [CONTAINER:]DESTINATION",
	.summary = "Copy files between a container and the host, or between containers",
	.description = "A path `-` is a tar archive on standard input or output. The container need not run.",
	.examples = cp_examples,
	.options = { cp_options },
	.request_size = sizeof(struct cp_command_request),
	.operands_min = 2, .operands_max = 2,
	.complete = COMPLETE_CONTAINER_PATHS, .complete_rest = COMPLETE_CONTAINER_PATHS,
	.topic = TOPIC_CONTAINERS,
	.run = run_cp,
};

/* cli/commit - a container becomes an image */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/commit.h"

static const struct option commit_options[] = {
	OPT_STRING('a', "author", commit_request, author, "TEXT", "Author of the image"),
	OPT_STRINGS('c', "change", commit_request, changes, "INSTRUCTION", "Set the configuration, as in a Containerfile: "
		    "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR"),
	OPT_STRING('f', "format", commit_request, format, "FORMAT", "oci (default) or docker", .words = "oci|docker"),
	OPT_STRING(0, "iidfile", commit_request, iidfile, "FILE", "Write the image's ID to a file", .complete = COMPLETE_FILES),
	OPT_FLAG(0, "include-volumes", commit_request, include_volumes, "The container's volumes become volumes of the image"),
	OPT_STRING('m', "message", commit_request, message, "TEXT", "Comment in the history (docker format only)"),
	OPT_FLAG('p', "pause", commit_request, pause, "Pause the container meanwhile"),
	OPT_FLAG('q', "quiet", commit_request, quiet, "No progress"),
	OPT_FLAG('s', "squash", commit_request, squash, "One layer with everything"),
	OPT_END
};

static int run_commit(struct cli *cli, const struct args *args, struct error *err)
{
	struct commit_request *r = args->request;
	struct engine *e = cli_engine(cli, err);
	struct container c = { 0 };
	char *id = NULL;
	int result;

	cli->quiet = r->quiet;
	if (args->operands.n > 1)
		r->name = args->operands.v[1];
	if (!e || container_load(e, args->operands.v[0], &c, err) < 0)
		return -1;
	result = container_commit(e, &c, r, &id, err);
	progress_clear(cli->progress);
	if (result == 0)
		puts(id);
	return result;
}

static const struct command_example commit_examples[] = {
	{ "bryo commit web web:changed", NULL },
	{ "bryo commit -c 'CMD [\"nginx\"]' -c 'ENV DEBUG=1' web web:2", "with another configuration" },
	{ "bryo commit --pause db", "while nothing changes in it; without a name" },
	{ NULL, NULL }
};

const struct command commit_command = {
	.names = "commit|container commit",
	.synopsis = "[options] CONTAINER [IMAGE]",
	.summary = "Make an image from what a container changed",
	.description = "The changes become one layer over the container's image, in proportion to their size. Volumes and other mounts "
		       "are not part of it. Prints the ID.",
	.examples = commit_examples,
	.options = { commit_options },
	.request_size = sizeof(struct commit_request),
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_IMAGES,
	.topic = TOPIC_CONTAINERS,
	.run = run_commit,
};

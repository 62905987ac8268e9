/* cli/export - archives go out: export, volume export */
#include "cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/export.h"
#include "sys/fd.h"
#include "sys/tty.h"

int export_output(const char *path, struct error *err)
{
	int fd;

	if (!path || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0) {
		if (tty_is(STDOUT_FILENO))
			return error_set(err, ERROR_USAGE, "refusing to export to terminal. Use -o flag or redirect");
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? error_errno(err, "create %s", path) : fd;
}

struct export_request { char *output; };

static const struct option export_options[] = {
	OPT_STRING('o', "output", export_request, output, "FILE", "Instead of standard output", .complete = COMPLETE_FILES),
	OPT_END
};

static int run_export(struct cli *cli, const struct args *args, struct error *err)
{
	const struct export_request *r = args->request;
	_cleanup_fd_ int output = -1;
	struct container c = { 0 };
	struct engine *e = cli_engine(cli, err);

	if (!e || container_load(e, args->operands.v[0], &c, err) < 0)
		return -1;
	output = export_output(r->output, err);
	return output < 0 ? -1 : container_export(e, &c, output, err);
}

static const struct command_example export_examples[] = {
	{ "bryo export -o web.tar web", NULL },
	{ "bryo export web | tar x -C rootfs", "into a directory" },
	{ NULL, NULL }
};

const struct command export_command = {
	.names = "export|container export",
	.synopsis = "[options] CONTAINER",
	.summary = "Write a container's file tree as a tar archive",
	.description = "The container may run. Volumes and other mounts are not part of it; the image's history and configuration are not "
		       "either: for those see save and commit.",
	.examples = export_examples,
	.options = { export_options },
	.request_size = sizeof(struct export_request),
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_export,
};

/* cli/export - archives go out: export, volume export */
#include "cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/pull.h"
#include "engine/export.h"
#include "engine/volume_archive.h"
#include "store/volume.h"
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

/* --- volumes */

static int run_volume_export(struct cli *cli, const struct args *args, struct error *err)
{
	const struct export_request *r = args->request;
	_cleanup_fd_ int output = -1;
	struct engine *e = cli_engine(cli, err);
	struct volume v;

	/* A missing volume leaves no empty file. */
	if (!e || (volume_read(cli->arena, &e->store, args->operands.v[0], &v, NULL) == 0 &&
		   (output = export_output(r->output, err)) < 0))
		return -1;
	return volume_export(e, args->operands.v[0], output, err);
}

static const struct command_example volume_export_examples[] = {
	{ "bryo volume export -o data.tar data", NULL },
	{ "bryo volume export data | ssh host podman volume import data -", "to another machine" },
	{ NULL, NULL }
};

const struct command volume_export_command = {
	.names = "volume export",
	.synopsis = "[options] VOLUME",
	.summary = "Write a volume's files as a tar archive",
	.examples = volume_export_examples,
	.options = { export_options },
	.request_size = sizeof(struct export_request),
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_VOLUMES,
	.run = run_volume_export,
};

static int run_volume_import(struct cli *cli, const struct args *args, struct error *err)
{
	_cleanup_fd_ int input = pull_open_input(args->operands.n > 1 ? args->operands.v[1] : NULL, err);
	struct engine *e = input < 0 ? NULL : cli_engine(cli, err);

	return e ? volume_import(e, args->operands.v[0], input, err) : -1;
}

static const struct command_example volume_import_examples[] = {
	{ "bryo volume import data data.tar", NULL },
	{ "tar c -C dir . | bryo volume import data -", NULL },
	{ NULL, NULL }
};

const struct command volume_import_command = {
	.names = "volume import",
	.synopsis = "VOLUME [SOURCE]",
	.summary = "Put the files of a tar archive into a volume",
	.description = "The volume must exist; what is in it stays where the archive does not replace it. The archive may be compressed. "
		       "Without SOURCE or with `-` it is read from standard input.",
	.examples = volume_import_examples,
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_VOLUMES, .complete_rest = COMPLETE_FILES,
	.run = run_volume_import,
};

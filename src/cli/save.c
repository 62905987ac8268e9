/* cli/save - images go out to archives and directories */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/save.h"

struct save_command_request { struct save_request save; bool quiet; };

static const struct option save_options[] = {
	OPT_STRING(0, "format", save_command_request, save.format, "FORMAT", "What is written (default docker-archive)",
		   .words = "docker-archive|oci-archive|oci-dir|docker-dir"),
	OPT_STRING('o', "output", save_command_request, save.output, "PATH", "File or directory instead of standard output",
		   .complete = COMPLETE_FILES),
	OPT_FLAG('q', "quiet", save_command_request, quiet, "No progress"),
	OPT_FLAG('m', "multi-image-archive", save_command_request, save.several, "Every operand is an image, none a further name"),
	OPT_FLAG(0, "compress", save_command_request, save.compress, "Pack plain layers with gzip (docker-dir)"),
	OPT_FLAG(0, "uncompressed", save_command_request, save.uncompressed, "Leave plain layers of OCI images plain"),
	OPT_END
};

static int run_save(struct cli *cli, const struct args *args, struct error *err)
{
	struct save_command_request *r = args->request;
	struct save_target target;
	struct engine *e;
	int result = -1;

	r->save.names = args->operands;
	if (image_save_check(&r->save, err) < 0 || image_save_open(cli->arena, &r->save, &target, err) < 0)
		return -1;
	cli->quiet = r->quiet;
	e = cli_engine(cli, err);
	if (e)
		result = image_save(e, &r->save, &target, err);
	save_target_done(&target);
	progress_clear(cli->progress);
	return result;
}

static const struct command_example save_examples[] = {
	{ "bryo save -o app.tar app", NULL },
	{ "bryo save app | ssh host docker load", "to another engine" },
	{ "bryo save -m -o all.tar app db:16", "several images in one archive" },
	{ "bryo save --format oci-dir -o ./layout app", "an OCI directory" },
	{ NULL, NULL }
};

const struct command save_command = {
	.names = "save|image save",
	.synopsis = "[options] IMAGE [IMAGE...]",
	.summary = "Save images to an archive or directory",
	.description = "The same images give the same bytes. An output file has its name only when it is whole. In a docker-archive, an "
		       "operand after the first that is no image becomes a further name of the first one, as in Podman.\n\n"
		       "A docker-archive, and OCI's forms with --uncompressed, need no network. The other forms want layers as they were "
		       "pulled: those that were not kept are fetched again from the image's registry, and from nowhere else. When it cannot be "
		       "reached they are compressed anew: then a warning says so, and the manifest has another digest.",
	.examples = save_examples,
	.options = { save_options },
	.request_size = sizeof(struct save_command_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_save,
};

/* cli/push - push: images go out to registries */
#include "cli/push.h"

#include "cli/commands.h"
#include "cli/progress.h"

static const struct option push_command_options[] = {
	OPT_FLAG('q', "quiet", push_request, quiet, "No progress"),
	OPT_STRING('f', "format", push_request, format, "FORMAT", "Kind of manifest: oci, v2s2 or docker (default as it is)",
		   .words = "oci|v2s2|docker"),
	OPT_STRING(0, "compression-format", push_request, compression, "FORMAT", "Compress the layers with gzip or zstd",
		   .words = "gzip|zstd|zstd:chunked"),
	OPT_INT(0, "compression-level", push_request, level, "N", "How hard: gzip 0 to 9, zstd 1 to 22"),
	OPT_FLAG(0, "force-compression", push_request, recompress,
		 "Compressed layers too (default when --compression-format is given)"),
	OPT_FLAG('a', "all-tags", push_request, all_tags, "All tags of the repository IMAGE"),
	OPT_FLAG_OFF(0, "all", push_request, no_images, "Of a list: itself alone, without the images that it names"),
	OPT_PUSH(push_request),
	OPT_UNSUPPORTED("compress", "layers for registries are always compressed"),
	OPT_END
};

void push_prepare(struct cli *cli, const struct args *args, struct push_request *r)
{
	cli->quiet = r->quiet;
	if (args_was_given(args, "retry") && r->retry == 0)
		r->retry = -1;
	r->level_given = args_was_given(args, "compression-level");
	if (!args_was_given(args, "force-compression"))
		r->recompress = r->compression != NULL;
}

static int run_push(struct cli *cli, const struct args *args, struct error *err)
{
	struct push_request *r = args->request;
	struct engine *e;
	char *digest;
	int result;

	push_prepare(cli, args, r);
	r->image = args->operands.v[0];
	r->destination = args->operands.n > 1 ? args->operands.v[1] : NULL;
	e = cli_engine(cli, err);
	result = !e ? -1 : r->all_tags ? image_push_all_tags(e, r, err) : image_push(e, r, &digest, err);
	progress_clear(cli->progress);
	return result;
}

static const struct command_example push_examples[] = {
	{ "bryo push quay.io/me/app:1", NULL },
	{ "bryo push app quay.io/me/app:1", "under another name" },
	{ "bryo push --compression-format zstd app quay.io/me/app", "with smaller layers" },
	{ "bryo push --digestfile digest app quay.io/me/app", "and its digest in a file" },
	{ NULL, NULL }
};

const struct command push_command = {
	.names = "push|image push",
	.synopsis = "[options] IMAGE [DESTINATION]",
	.summary = "Push an image to a registry, an archive or a directory",
	.description = "DESTINATION is a name at a registry, without one the image's own; or docker-archive:FILE[:NAME], "
		       "oci-archive:FILE[:NAME], oci:DIR[:NAME] or dir:DIR. Layers go as they were pulled unless another "
		       "compression is asked for; those that the registry has already are not sent, and a broken transfer goes on where it "
		       "stopped where the registry allows it. A manifest list is pushed with its images.\n\nA layer that the registry does not "
		       "have and that was not kept is fetched again from where its image was pulled. When that cannot be reached it is "
		       "compressed anew: a warning says so, and the pushed manifest has another digest (--digestfile tells it); the image's ID "
		       "stays. Images of a manifest list, which names them by their digests, are refused then.",
	.examples = push_examples,
	.options = { push_command_options },
	.request_size = sizeof(struct push_request),
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_push,
};

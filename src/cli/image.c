/* cli/image - tag untag rmi, image prune and exists */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/cli.h"
#include "engine/image.h"

static struct strings names_after_first(struct cli *cli, const struct args *args)
{
	struct strings names = { 0 };

	for (size_t i = 1; i < args->operands.n; i++)
		strings_add(cli->arena, &names, args->operands.v[i]);
	return names;
}

static int run_tag(struct cli *cli, const struct args *args, struct error *err)
{
	struct strings names = names_after_first(cli, args);
	struct engine *e = cli_engine(cli, err);

	return e ? image_tag_names(e, args->operands.v[0], &names, err) : -1;
}

static int run_untag(struct cli *cli, const struct args *args, struct error *err)
{
	struct strings names = names_after_first(cli, args);
	struct engine *e = cli_engine(cli, err);

	return e ? image_untag_names(e, args->operands.v[0], &names, err) : -1;
}

const struct command tag_command = {
	.names = "tag|image tag",
	.synopsis = "IMAGE NAME [NAME...]",
	.summary = "Give an image further names",
	.operands_min = 2, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_tag,
};

const struct command untag_command = {
	.names = "untag|image untag",
	.synopsis = "IMAGE [NAME...]",
	.summary = "Take names from an image",
	.description = "Without NAME all names are taken. The image itself stays.",
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_untag,
};

/* --- rmi */

struct rmi_request { struct rmi_options options; bool all; };

static const struct option rmi_command_options[] = {
	OPT_FLAG('a', "all", rmi_request, all, "All images"),
	OPT_FLAG('f', "force", rmi_request, options.force, "Remove the containers that use it, too"),
	OPT_FLAG('i', "ignore", rmi_request, options.ignore, "A missing image is no error"),
	OPT_FLAG(0, "no-prune", rmi_request, options.no_prune, "Keep its unnamed parents"),
	OPT_END
};

static int add_all_images(struct cli *cli, struct strings *names, struct error *err)
{
	struct image_filter filter = { .all = true };
	struct json *rows;

	if (image_rows(&cli->engine, &filter, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++)
		strings_add(cli->arena, names, json_get_string(rows->list.v[i], "Id"));
	return 0;
}

static void print_removed(const struct strings *untagged, const struct strings *deleted)
{
	for (size_t i = 0; i < untagged->n; i++)
		printf("%s%s\n", str_starts(untagged->v[i], "Untagged: ") ? "" : "Untagged: ", untagged->v[i]);
	for (size_t i = 0; i < deleted->n; i++)
		printf("%s%s\n", str_starts(deleted->v[i], "Deleted: ") ? "" : "Deleted: ", deleted->v[i]);
}

static int run_rmi(struct cli *cli, const struct args *args, struct error *err)
{
	struct rmi_request *r = args->request;
	struct strings names = args->operands, untagged = { 0 }, deleted = { 0 };
	int code = 0;

	if (!names.n && !r->all)
		return error_set(err, ERROR_USAGE, "image name or ID must be specified");
	if (names.n && r->all)
		return error_set(err, ERROR_USAGE, "when using the --all switch, you may not pass any images names or IDs");
	if (!cli_engine(cli, err) || (r->all && add_all_images(cli, &names, err) < 0))
		return -1;
	r->options.ignore |= r->all;	/* some go as the parents of others */
	for (size_t i = 0; i < names.n; i++) {
		struct error failure = { 0 };

		if (image_rmi(&cli->engine, names.v[i], &r->options, &untagged, &deleted, &failure) < 0)
			cli_failed(cli, &code, &failure);
	}
	print_removed(&untagged, &deleted);
	return code;
}

const struct command rmi_command = {
	.names = "rmi|image rm|image remove",
	.synopsis = "[options] IMAGE [IMAGE...]",
	.summary = "Remove one or more images",
	.description = "Takes the name away; the image goes when that was its last one. With an ID all its names and the image go.",
	.options = { rmi_command_options },
	.request_size = sizeof(struct rmi_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.flags = COMMAND_OBJECT_CODES,
	.topic = TOPIC_IMAGES,
	.run = run_rmi,
};

/* --- image prune, image exists */

struct image_prune_request { bool all, force; struct strings filters; };

static const struct option image_prune_options[] = {
	OPT_FLAG('a', "all", image_prune_request, all, "All that no container uses, named or not"),
	OPT_FLAG('f', "force", image_prune_request, force, "Do not ask"),
	OPT_STRINGS(0, "filter", image_prune_request, filters, "KEY=VALUE", "Only those that match: until=, label="),
	OPT_IGNORED(0, "external", NULL),
	OPT_IGNORED(0, "build-cache", NULL),
	OPT_END
};

static int run_image_prune(struct cli *cli, const struct args *args, struct error *err)
{
	struct image_prune_request *r = args->request;
	struct strings deleted = { 0 };
	struct engine *e;

	if (!r->force && !cli_confirm(r->all ? "WARNING! This command removes all images without at least one container associated "
					       "with them.\nAre you sure you want to continue?"
					     : "WARNING! This command removes all dangling images.\nAre you sure you want to continue?"))
		return 0;
	e = cli_engine(cli, err);
	if (!e || image_prune(e, r->all, &r->filters, &deleted, err) < 0)
		return -1;
	for (size_t i = 0; i < deleted.n; i++)
		puts(deleted.v[i]);
	return 0;
}

const struct command image_prune_command = {
	.names = "image prune",
	.synopsis = "[options]",
	.summary = "Remove images that nobody needs",
	.options = { image_prune_options },
	.request_size = sizeof(struct image_prune_request),
	.run = run_image_prune,
};

static int run_image_exists(struct cli *cli, const struct args *args, struct error *err)
{
	struct image image = { 0 };
	struct engine *e = cli_engine(cli, err);

	if (!e)
		return -1;
	if (image_find(e->arena, &e->store, args->operands.v[0], &image, NULL, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? 1 : -1;
	return 0;
}

const struct command image_exists_command = {
	.names = "image exists",
	.synopsis = "IMAGE",
	.summary = "Exit 0 when the image exists, 1 when it does not",
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_IMAGES,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_image_exists,
};

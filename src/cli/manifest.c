/* cli/manifest - manifest lists: create add annotate inspect push rm remove exists */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/push.h"
#include "engine/image.h"
#include "engine/list.h"

#define OPT_ENTRY_ALL \
	OPT_FLAG('a', "all", list_request, all, "Of an image that is a list itself: every entry, not the one for this machine")

#define OPT_ENTRY                                                                                            \
	OPT_STRING(0, "os", list_request, os, "OS", "Operating system of the entry"),                        \
	OPT_STRING(0, "arch", list_request, arch, "ARCH", "Architecture of the entry"),                      \
	OPT_STRING(0, "variant", list_request, variant, "VARIANT", "The architecture's variant"),            \
	OPT_STRING(0, "os-version", list_request, os_version, "VERSION", "Version of the operating system"), \
	OPT_LIST(0, "features", list_request, features, "LIST", "Features that the image needs"),            \
	OPT_LIST(0, "os-features", list_request, os_features, "LIST", "Features of the operating system that the image needs")

#define OPT_ARTIFACTS                                                              \
	OPT_UNSUPPORTED("artifact", "lists of artifacts are not made"),            \
	OPT_UNSUPPORTED("artifact-type", "lists of artifacts are not made"),       \
	OPT_UNSUPPORTED("artifact-config", "lists of artifacts are not made"),     \
	OPT_UNSUPPORTED("subject", "lists of artifacts are not made")

static struct strings operands_after(struct cli *cli, const struct args *args, size_t first)
{
	struct strings list = { 0 };

	for (size_t i = first; i < args->operands.n; i++)
		strings_add(cli->arena, &list, args->operands.v[i]);
	return list;
}

static int print_id(struct cli *cli, int result, char *const *id)
{
	progress_clear(cli->progress);
	if (result == 0)
		puts(*id);
	return result;
}

/* --- create */

static const struct option create_options_of_list[] = {
	OPT_ENTRY_ALL,
	OPT_FLAG(0, "amend", list_request, amend, "Add to a list that is there"),
	OPT_STRINGS(0, "annotation", list_request, annotations, "KEY=VALUE", "Annotation of the list"),
	OPT_REGISTRY_ACCESS(list_request, access),
	OPT_IGNORED(0, "insecure", NULL),
	OPT_ARTIFACTS,
	OPT_END
};

static int run_create(struct cli *cli, const struct args *args, struct error *err)
{
	struct strings images = operands_after(cli, args, 1);
	struct engine *e = cli_engine(cli, err);
	char *id = NULL;

	return e ? print_id(cli, list_create(e, args->operands.v[0], &images, args->request, &id, err), &id) : -1;
}

static const struct command_example create_examples[] = {
	{ "bryo manifest create app:1", "an empty list" },
	{ "bryo manifest create app:1 app:amd64 app:arm64", "of two images" },
	{ NULL, NULL }
};

const struct command manifest_create_command = {
	.names = "manifest create",
	.synopsis = "[options] LIST [IMAGE...]",
	.summary = "Create a manifest list",
	.description = "Prints its ID. Images are those of the store, else of a registry; `docker://` in front means a "
		       "registry's.",
	.examples = create_examples,
	.options = { create_options_of_list },
	.request_size = sizeof(struct list_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete_rest = COMPLETE_IMAGES,
	.run = run_create,
};

/* --- add */

static const struct option add_options[] = {
	OPT_ENTRY_ALL,
	OPT_STRINGS(0, "annotation", list_request, annotations, "KEY=VALUE", "Annotation of the entry"),
	OPT_ENTRY,
	OPT_REGISTRY_ACCESS(list_request, access),
	OPT_ARTIFACTS,
	OPT_END
};

static int run_add(struct cli *cli, const struct args *args, struct error *err)
{
	struct strings images = operands_after(cli, args, 1);
	struct engine *e = cli_engine(cli, err);
	char *id = NULL;

	return e ? print_id(cli, list_add(e, args->operands.v[0], &images, args->request, &id, err), &id) : -1;
}

static const struct command_example add_examples[] = {
	{ "bryo manifest add app:1 app:arm64", NULL },
	{ "bryo manifest add --all app:1 docker://alpine", "all that another list has" },
	{ NULL, NULL }
};

const struct command manifest_add_command = {
	.names = "manifest add",
	.synopsis = "[options] LIST IMAGE [IMAGE...]",
	.summary = "Add images to a manifest list",
	.description = "Prints the list's ID. The platform is the image's own unless options say otherwise.",
	.examples = add_examples,
	.options = { add_options },
	.request_size = sizeof(struct list_request),
	.operands_min = 2, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_add,
};

/* --- annotate */

static const struct option annotate_options[] = {
	OPT_STRINGS(0, "annotation", list_request, annotations, "KEY=VALUE", "Annotation of the entry"),
	OPT_ENTRY,
	OPT_FLAG(0, "index", list_request, index, "Annotate the list itself"),
	OPT_UNSUPPORTED("subject", "lists of artifacts are not made"),
	OPT_END
};

static int run_annotate(struct cli *cli, const struct args *args, struct error *err)
{
	const struct list_request *r = args->request;
	const char *entry = args->operands.n > 1 ? args->operands.v[1] : NULL;
	struct engine *e;
	char *id = NULL;

	if (!entry && !r->index)
		return error_set(err, ERROR_USAGE, "name the image in the list, or annotate the list with --index");
	e = cli_engine(cli, err);
	return e ? print_id(cli, list_annotate(e, args->operands.v[0], entry, r, &id, err), &id) : -1;
}

const struct command manifest_annotate_command = {
	.names = "manifest annotate",
	.synopsis = "[options] LIST [IMAGE|DIGEST]",
	.summary = "Say more of an image in a manifest list",
	.options = { annotate_options },
	.request_size = sizeof(struct list_request),
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_annotate,
};

/* --- remove */

static int run_remove(struct cli *cli, const struct args *args, struct error *err)
{
	struct engine *e = cli_engine(cli, err);
	char *id = NULL;

	return e ? print_id(cli, list_remove(e, args->operands.v[0], args->operands.v[1], &id, err), &id) : -1;
}

const struct command manifest_remove_command = {
	.names = "manifest remove",
	.synopsis = "LIST IMAGE|DIGEST",
	.summary = "Take an image out of a manifest list",
	.operands_min = 2, .operands_max = 2,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_remove,
};

/* --- inspect */

struct manifest_inspect_request { struct source_options access; bool verbose; };

static const struct option inspect_options[] = {
	OPT_REGISTRY_ACCESS(manifest_inspect_request, access),
	OPT_IGNORED('v', "verbose", NULL),
	OPT_IGNORED(0, "insecure", NULL),
	OPT_END
};

static int run_inspect(struct cli *cli, const struct args *args, struct error *err)
{
	const struct manifest_inspect_request *r = args->request;
	struct engine *e = cli_engine(cli, err);
	struct json *document;

	if (!e || list_inspect(e, args->operands.v[0], &r->access, &document, err) < 0)
		return -1;
	output_json(cli, document);
	return 0;
}

const struct command manifest_inspect_command = {
	.names = "manifest inspect",
	.synopsis = "[options] LIST",
	.summary = "Show a manifest list, of the store or of a registry",
	.description = "What is no list of the store is looked for at a registry; a single image's manifest is shown, too.",
	.options = { inspect_options },
	.request_size = sizeof(struct manifest_inspect_request),
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_IMAGES,
	.run = run_inspect,
};

/* --- push */

static const struct option push_options[] = {
	OPT_FLAG_OFF(0, "all", push_request, no_images, "The list alone, without the images that it names"),
	OPT_FLAG(0, "rm", push_request, remove, "Remove the list from the store when it was pushed"),
	OPT_ALIAS('p', "purge", "rm"),
	OPT_FLAG('q', "quiet", push_request, quiet, "No progress"),
	OPT_STRING('f', "format", push_request, format, "FORMAT",
		   "Kind of list and manifests: oci, v2s2 or docker (default as they are)", .words = "oci|v2s2|docker"),
	OPT_STRING(0, "compression-format", push_request, compression, "FORMAT", "Compress the layers with gzip or zstd",
		   .words = "gzip|zstd|zstd:chunked"),
	OPT_INT(0, "compression-level", push_request, level, "N", "How hard: gzip 0 to 9, zstd 1 to 22"),
	OPT_FLAG(0, "force-compression", push_request, recompress,
		 "Compressed layers too (default when --compression-format is given)"),
	OPT_PUSH(push_request),
	OPT_IGNORED(0, "insecure", NULL),
	OPT_UNSUPPORTED("add-compression", "push the list twice, under two names"),
	OPT_END
};

static int push_list(struct engine *e, const struct push_request *r, char **ret_digest, struct error *err)
{
	struct image list;

	return list_find(e, r->image, &list, err) < 0 ? -1 : image_push(e, r, ret_digest, err);
}

static int run_push(struct cli *cli, const struct args *args, struct error *err)
{
	struct push_request *r = args->request;
	char *digest = NULL;
	struct engine *e;
	int result;

	push_prepare(cli, args, r);
	r->image = args->operands.v[0];
	r->destination = args->operands.n > 1 ? args->operands.v[1] : NULL;
	e = cli_engine(cli, err);
	result = e ? push_list(e, r, &digest, err) : -1;
	progress_clear(cli->progress);
	return result;
}

static const struct command_example push_examples[] = {
	{ "bryo manifest push app:1 quay.io/me/app:1", "with its images" },
	{ "bryo manifest push --all=false app:1 quay.io/me/app:1", "the registry has the images" },
	{ NULL, NULL }
};

const struct command manifest_push_command = {
	.names = "manifest push",
	.synopsis = "[options] LIST [DESTINATION]",
	.summary = "Push a manifest list to a registry",
	.description = "Images that are not in the store are copied from the registry that they were added from; within one "
		       "registry nothing is downloaded for that where it can pass blobs from one repository to the other.",
	.examples = push_examples,
	.options = { push_options },
	.request_size = sizeof(struct push_request),
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_push,
};

/* --- rm, exists */

struct manifest_rm_request { struct rmi_options options; };

static const struct option rm_options[] = {
	OPT_FLAG('i', "ignore", manifest_rm_request, options.ignore, "A missing list is no error"),
	OPT_END
};

static int remove_list(struct engine *e, const char *name, const struct rmi_options *o, struct strings *untagged,
		       struct strings *deleted, struct error *err)
{
	struct image list;

	if (list_find(e, name, &list, err) < 0) {
		if (!o->ignore || !error_is(err, ERROR_NOT_FOUND))
			return -1;
		error_clear(err);
		return 0;
	}
	return image_rmi(e, name, o, untagged, deleted, err);
}

static int run_rm(struct cli *cli, const struct args *args, struct error *err)
{
	const struct manifest_rm_request *r = args->request;
	struct strings untagged = { 0 }, deleted = { 0 };
	struct engine *e = cli_engine(cli, err);
	int code = 0;

	if (!e)
		return -1;
	for (size_t i = 0; i < args->operands.n; i++) {
		struct error failure = { 0 };

		if (remove_list(e, args->operands.v[i], &r->options, &untagged, &deleted, &failure) < 0)
			cli_failed(cli, &code, &failure);
	}
	for (size_t i = 0; i < untagged.n; i++)
		printf("Untagged: %s\n", untagged.v[i]);
	for (size_t i = 0; i < deleted.n; i++)
		printf("Deleted: %s\n", deleted.v[i]);
	return code;
}

const struct command manifest_rm_command = {
	.names = "manifest rm",
	.synopsis = "[options] LIST [LIST...]",
	.summary = "Remove manifest lists",
	.description = "The images that they name stay, when these have names of their own.",
	.options = { rm_options },
	.request_size = sizeof(struct manifest_rm_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_rm,
};

static int run_exists(struct cli *cli, const struct args *args, struct error *err)
{
	struct engine *e = cli_engine(cli, err);
	struct image list;

	if (!e)
		return -1;
	if (list_find(e, args->operands.v[0], &list, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? 1 : -1;
	return 0;
}

const struct command manifest_exists_command = {
	.names = "manifest exists",
	.synopsis = "LIST",
	.summary = "Exit 0 when the manifest list exists, 1 when it does not",
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_IMAGES,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_exists,
};

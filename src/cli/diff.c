/* cli/diff - changed, added and deleted files of containers and images */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/diff.h"

struct diff_request { char *format; bool latest; };

static void print_lines(struct cli *cli, const struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		printf("%c %s\n", changes->v[i].kind, output_clean(cli->arena, changes->v[i].path));
}

/* {"changed": [...], "added": [...], "deleted": [...]}, without what is empty. */
static void print_json(struct cli *cli, const struct changes *changes)
{
	static const struct { enum change_kind kind; const char *name; } lists[] = {
		{ CHANGE_MODIFIED, "changed" }, { CHANGE_ADDED, "added" }, { CHANGE_DELETED, "deleted" },
	};
	struct json *object = json_new_object(cli->arena);

	for (size_t l = 0; l < ELEMENTS(lists); l++) {
		struct json *list = json_new_list(cli->arena);

		for (size_t i = 0; i < changes->n; i++)
			if (changes->v[i].kind == lists[l].kind)
				json_append(cli->arena, list, json_new_string(cli->arena, changes->v[i].path));
		if (list->list.n)
			json_set(cli->arena, object, lists[l].name, list);
	}
	output_json(cli, object);
}

static int run(struct cli *cli, const struct args *args, enum diff_kind kind, struct error *err)
{
	struct diff_request *r = args->request;
	const struct strings *names = &args->operands;
	struct changes changes;
	struct container c = { 0 };
	struct engine *e;

	if (r->format && strcmp(r->format, "json") != 0)
		return error_set(err, ERROR_USAGE, "only supported value for '--format' is 'json'");
	if (r->latest && names->n)
		return error_set(err, ERROR_USAGE, "--latest and containers cannot be used together");
	if (!r->latest && !names->n)
		return error_set(err, ERROR_USAGE, "\"bryo diff\" requires a name, id, or the \"--latest\" flag");
	e = cli_engine(cli, err);
	if (!e || (r->latest && selection_one(cli, true, NULL, &c, err) < 0) ||
	    diff_objects(e, kind, r->latest ? c.id : names->v[0], names->n > 1 ? names->v[1] : NULL, &changes, err) < 0)
		return -1;
	if (r->format)
		print_json(cli, &changes);
	else
		print_lines(cli, &changes);
	return 0;
}

static int run_diff(struct cli *cli, const struct args *args, struct error *err)
{
	return run(cli, args, DIFF_ANY, err);
}

static int run_container_diff(struct cli *cli, const struct args *args, struct error *err)
{
	return run(cli, args, DIFF_CONTAINER, err);
}

static int run_image_diff(struct cli *cli, const struct args *args, struct error *err)
{
	return run(cli, args, DIFF_IMAGE, err);
}

#define FORMAT_OPTION OPT_STRING(0, "format", diff_request, format, "FORMAT", "json instead of lines", .words = "json")

static const struct option diff_options[] = { FORMAT_OPTION, OPT_LATEST(diff_request, latest), OPT_END };
static const struct option image_diff_options[] = { FORMAT_OPTION, OPT_END };

static const struct command_example diff_examples[] = {
	{ "bryo diff web", "what the container changed in its image" },
	{ "bryo diff app:2 app:1", "what the first image has that the second has not" },
	{ NULL, NULL }
};

const struct command diff_command = {
	.names = "diff",
	.synopsis = "[options] CONTAINER|IMAGE [CONTAINER|IMAGE]",
	.summary = "Show changed, added and deleted files",
	.description = "Of a container against its image, of an image against the layers below its topmost one, or of the first name "
		       "against the second. Lines begin with C (changed), A (added) or D (deleted).",
	.examples = diff_examples,
	.options = { diff_options },
	.request_size = sizeof(struct diff_request),
	.operands_max = 2,
	.complete = COMPLETE_OBJECTS, .complete_rest = COMPLETE_OBJECTS,
	.topic = TOPIC_CONTAINERS,
	.run = run_diff,
};

const struct command container_diff_command = {
	.names = "container diff",
	.synopsis = "[options] CONTAINER [CONTAINER]",
	.summary = "Show what a container changed",
	.options = { diff_options },
	.request_size = sizeof(struct diff_request),
	.operands_max = 2,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.run = run_container_diff,
};

const struct command image_diff_command = {
	.names = "image diff",
	.synopsis = "[options] IMAGE [IMAGE]",
	.summary = "Show what an image's topmost layer changed",
	.options = { image_diff_options },
	.request_size = sizeof(struct diff_request),
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_image_diff,
};

/* cli/inspect - inspect, and its forms for one kind of object */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/image.h"
#include "engine/inspect.h"
#include "engine/network_list.h"
#include "engine/volume.h"

struct inspect_request { char *format, *type; bool size, latest, all; };

typedef int (*inspector)(struct cli *cli, const char *name, const struct inspect_request *r, struct json **ret,
			 struct error *err);

static bool is_json(const char *format)
{
	return !format || strcmp(format, "json") == 0;
}

static int inspect_container(struct cli *cli, const char *name, const struct inspect_request *r, struct json **ret,
			     struct error *err)
{
	struct container c = { 0 };

	if (container_load(&cli->engine, name, &c, err) < 0)
		return -1;
	return container_inspect(&cli->engine, &c, r->size, ret, err);
}

static int inspect_image(struct cli *cli, const char *name, const struct inspect_request *r, struct json **ret,
			     struct error *err)
{
	return image_inspect(&cli->engine, name, ret, err);
}

static int inspect_volume(struct cli *cli, const char *name, const struct inspect_request *r, struct json **ret,
			     struct error *err)
{
	return volume_inspect(&cli->engine, name, ret, err);
}

static int inspect_network(struct cli *cli, const char *name, const struct inspect_request *r, struct json **ret,
			     struct error *err)
{
	if (network_inspect(&cli->engine, name, ret, err) < 0)
		return -1;
	if (!is_json(r->format))
		*ret = network_view(cli->arena, *ret);
	return 0;
}

/* Podman's order. */
static int inspect_any(struct cli *cli, const char *name, const struct inspect_request *r, struct json **ret,
			struct error *err)
{
	static const inspector all[] = { inspect_container, inspect_image, inspect_volume, inspect_network };

	for (size_t i = 0; i < ELEMENTS(all); i++) {
		error_clear(err);
		if (all[i](cli, name, r, ret, err) == 0)
			return 0;
		if (!error_is(err, ERROR_NOT_FOUND))
			return -1;
	}
	error_set(err, ERROR_NOT_FOUND, "no such object: \"%s\"", name);
	return error_code(err, "no-such-object");
}

/* With a format each object is printed by itself; without one a list is, even when it is empty. */
static int print_objects(struct cli *cli, const char *format, const struct json *list, struct error *err)
{
	if (is_json(format)) {
		output_json(cli, list);
		return 0;
	}
	for (size_t i = 0; i < list->list.n; i++)
		if (output_object(cli, format, list->list.v[i], err) < 0)
			return -1;
	return 0;
}

static int inspect_names(struct cli *cli, const struct strings *names, const struct inspect_request *r, inspector inspect,
			 struct error *err)
{
	struct json *list = json_new_list(cli->arena), *object;
	struct error *failed = arena_new_array(cli->arena, struct error, names->n + 1);
	size_t failed_n = 0;
	int code = 0;

	for (size_t i = 0; i < names->n; i++) {
		if (inspect(cli, names->v[i], r, &object, &failed[failed_n]) < 0)
			failed_n++;
		else
			json_append(cli->arena, list, object);
	}
	if (print_objects(cli, r->format, list, err) < 0)
		return -1;
	for (size_t i = 0; i < failed_n; i++)
		cli_failed(cli, &code, &failed[i]);
	return code;
}

static int choose(const char *type, inspector *ret, struct error *err)
{
	static const struct { const char *name; inspector inspect; } types[] = {
		{ "all", inspect_any }, { "container", inspect_container }, { "image", inspect_image },
		{ "volume", inspect_volume }, { "network", inspect_network },
	};

	for (size_t i = 0; i < ELEMENTS(types); i++)
		if (strcmp(types[i].name, type) == 0) {
			*ret = types[i].inspect;
			return 0;
		}
	return error_set(err, ERROR_USAGE, "invalid type \"%s\": must be one of all, container, image, volume, network", type);
}

static int inspect_operands(struct cli *cli, const struct args *args, inspector inspect, struct error *err)
{
	struct inspect_request *r = args->request;
	struct strings names = args->operands;
	struct container c = { 0 };

	if (!cli_engine(cli, err))
		return -1;
	if (r->latest) {
		names = (struct strings){ 0 };
		if (selection_one(cli, true, NULL, &c, err) < 0)
			return -1;
		strings_add(cli->arena, &names, c.id);
	} else if (!names.n) {
		return error_set(err, ERROR_USAGE, "no names or ids specified");
	}
	return inspect_names(cli, &names, r, inspect, err);
}

static int run_inspect(struct cli *cli, const struct args *args, struct error *err)
{
	const struct inspect_request *r = args->request;
	inspector inspect = inspect_any;

	if (choose(r->type ? r->type : "all", &inspect, err) < 0)
		return -1;
	return inspect_operands(cli, args, inspect, err);
}

static int run_container_inspect(struct cli *cli, const struct args *args, struct error *err)
{
	return inspect_operands(cli, args, inspect_container, err);
}

static int run_image_inspect(struct cli *cli, const struct args *args, struct error *err)
{
	return inspect_operands(cli, args, inspect_image, err);
}

static int run_network_inspect(struct cli *cli, const struct args *args, struct error *err)
{
	return inspect_operands(cli, args, inspect_network, err);
}

static int add_all_volumes(struct cli *cli, struct strings *names, struct error *err)
{
	struct strings no_filters = { 0 };
	struct json *rows;

	if (volume_rows(&cli->engine, &no_filters, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++)
		strings_add(cli->arena, names, json_get_string(rows->list.v[i], "Name"));
	return 0;
}

static int run_volume_inspect(struct cli *cli, const struct args *args, struct error *err)
{
	struct inspect_request *r = args->request;
	struct strings names = args->operands;

	if (!names.n && !r->all)
		return error_set(err, ERROR_USAGE, "provide one or more volume names or use --all");
	if (!cli_engine(cli, err) || (r->all && add_all_volumes(cli, &names, err) < 0))
		return -1;
	return inspect_names(cli, &names, r, inspect_volume, err);
}

#define FORMAT_OPTION OPT_STRING('f', "format", inspect_request, format, "FORMAT", "json or a Go template", .words = "json|{{json .}}")

static const struct option inspect_options[] = {
	FORMAT_OPTION,
	OPT_STRING('t', "type", inspect_request, type, "TYPE", "Kind of object (default all)", .words = "all|container|image|volume|network"),
	OPT_FLAG('s', "size", inspect_request, size, "Sizes of containers too"),
	OPT_LATEST(inspect_request, latest),
	OPT_END
};

static const struct option container_inspect_options[] = {
	FORMAT_OPTION,
	OPT_FLAG('s', "size", inspect_request, size, "Sizes too"),
	OPT_LATEST(inspect_request, latest),
	OPT_END
};

static const struct option image_inspect_options[] = { FORMAT_OPTION, OPT_END };

static const struct option volume_inspect_options[] = {
	FORMAT_OPTION,
	OPT_FLAG('a', "all", inspect_request, all, "All volumes"),
	OPT_END
};

static const struct command_example inspect_examples[] = {
	{ "bryo inspect web", NULL },
	{ "bryo inspect -f '{{.State.Pid}}' web", "one fact" },
	{ "bryo inspect -f '{{range .Mounts}}{{.Source}} {{end}}' web", "a list" },
	{ NULL, NULL }
};

const struct command inspect_command = {
	.names = "inspect",
	.synopsis = "[options] NAME [NAME...]",
	.summary = "Show all about containers, images, volumes and networks",
	.description = "Prints a JSON list with one object for each name: containers are looked for first, then images, volumes "
		       "and networks.",
	.examples = inspect_examples,
	.options = { inspect_options },
	.request_size = sizeof(struct inspect_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_OBJECTS, .complete_rest = COMPLETE_OBJECTS,
	.topic = TOPIC_SYSTEM,
	.run = run_inspect,
};

const struct command container_inspect_command = {
	.names = "container inspect",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Show all about containers",
	.options = { container_inspect_options },
	.request_size = sizeof(struct inspect_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.run = run_container_inspect,
};

const struct command image_inspect_command = {
	.names = "image inspect",
	.synopsis = "[options] IMAGE [IMAGE...]",
	.summary = "Show all about images",
	.options = { image_inspect_options },
	.request_size = sizeof(struct inspect_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_image_inspect,
};

const struct command network_inspect_command = {
	.names = "network inspect",
	.synopsis = "[options] NETWORK [NETWORK...]",
	.summary = "Show all about networks",
	.options = { image_inspect_options },
	.request_size = sizeof(struct inspect_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_NETWORKS, .complete_rest = COMPLETE_NETWORKS,
	.run = run_network_inspect,
};

const struct command volume_inspect_command = {
	.names = "volume inspect",
	.synopsis = "[options] VOLUME [VOLUME...]",
	.summary = "Show all about volumes",
	.options = { volume_inspect_options },
	.request_size = sizeof(struct inspect_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_VOLUMES, .complete_rest = COMPLETE_VOLUMES,
	.run = run_volume_inspect,
};

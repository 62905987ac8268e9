/* cli/host - info, version */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/yaml.h"
#include "engine/inspect.h"

struct host_request { char *format; };

static const struct option host_options[] = {
	OPT_STRING('f', "format", host_request, format, "FORMAT", "json or a Go template", .words = "json|{{json .}}"),
	OPT_IGNORED('D', "debug", NULL),
	OPT_END
};

static int run_info(struct cli *cli, const struct args *args, struct error *err)
{
	struct host_request *r = args->request;
	_cleanup_buffer_ struct buffer out = BUFFER(4 << 20);
	struct json *info;
	struct engine *e = cli_engine(cli, err);

	if (!e || host_info(e, &info, err) < 0)
		return -1;
	if (r->format)
		return output_object(cli, r->format, info, err);
	yaml_print(cli->arena, info, &out);
	fwrite(out.data, 1, out.size, stdout);
	return 0;
}

static const struct command_example info_examples[] = {
	{ "bryo info", NULL },
	{ "bryo info -f '{{.Store.GraphDriverName}}'", "the storage driver" },
	{ "bryo info -f '{{json .Host.IDMappings}}'", "which IDs are mapped" },
	{ NULL, NULL }
};

const struct command info_command = {
	.names = "info|system info",
	.synopsis = "[options]",
	.summary = "Show the host, the store and what was chosen why",
	.examples = info_examples,
	.options = { host_options },
	.request_size = sizeof(struct host_request),
	.topic = TOPIC_SYSTEM,
	.run = run_info,
};

/* --- version */

static const char *label_of(const char *name)
{
	static const char *const labels[] = { "APIVersion", "API Version", "GitCommit", "Git Commit", "OsArch", "OS/Arch",
					      "BuiltTime", "Built" };

	for (size_t i = 0; i < ELEMENTS(labels); i += 2)
		if (strcmp(labels[i], name) == 0)
			return labels[i + 1];
	return name;
}

/* "Built" is BuiltTime in seconds. */
static bool is_numeric_twin(const char *name)
{
	return strcmp(name, "Built") == 0;
}

static const char *value_text(struct arena *arena, const struct json *v)
{
	return v->kind == JSON_STRING ? v->string : json_print(arena, v, 0);
}

static int run_version(struct cli *cli, const struct args *args, struct error *err)
{
	struct host_request *r = args->request;
	const struct json *client;
	struct json *version;
	struct engine *e = cli_engine_identity(cli, err);

	if (!e || host_version(e, &version, err) < 0)
		return -1;
	if (r->format)
		return output_object(cli, r->format, version, err);
	client = json_get(version, "Client");
	if (!client)
		client = version;
	printf("%-13sbryo\n", "Client:");
	for (size_t i = 0; client->kind == JSON_OBJECT && i < client->object.n; i++) {
		const struct json_member *m = &client->object.v[i];

		if (is_numeric_twin(m->name) || (m->value->kind == JSON_STRING && !*m->value->string))
			continue;
		printf("%-13s%s\n", arena_printf(cli->arena, "%s:", label_of(m->name)), value_text(cli->arena, m->value));
	}
	return 0;
}

const struct command version_command = {
	.names = "version",
	.synopsis = "[options]",
	.summary = "Show the version",
	.options = { host_options },
	.request_size = sizeof(struct host_request),
	.topic = TOPIC_SYSTEM,
	.run = run_version,
};

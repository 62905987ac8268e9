/* cli/host - info, version */
#include <stdio.h>

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

static void print_fact(const struct json *client, const char *label, const char *name)
{
	const char *value = json_get_string(client, name);

	if (!str_is_empty(value))
		printf("%-14s%s\n", label, value);
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
	puts("Client:       bryo");
	print_fact(client, "Version:", "Version");
	print_fact(client, "API Version:", "APIVersion");
	print_fact(client, "Git Commit:", "GitCommit");
	print_fact(client, "Built:", "BuiltTime");
	print_fact(client, "OS/Arch:", "OsArch");
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

/* cli/port - published ports, and the name of a container */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"

struct port_request { bool all, latest; };

static const struct option port_options[] = {
	OPT_FLAG('a', "all", port_request, all, "Of all running containers"),
	OPT_LATEST(port_request, latest),
	OPT_END
};

/* Prints "IP HOSTPORT CTRPORT PROTO" for the wanted "80" or "80/tcp" (NULL: all); answers how many. */
static int print_ports(struct cli *cli, const struct container_state *state, const char *wanted, const char *prefix)
{
	int printed = 0;

	for (size_t i = 0; i < state->ports.n; i++) {
		struct strings p = strings_split(cli->arena, state->ports.v[i], " ");
		const char *port;

		if (p.n != 4)
			continue;
		port = arena_printf(cli->arena, "%s/%s", p.v[2], p.v[3]);
		if (wanted && strcmp(wanted, port) != 0 && !(strcmp(wanted, p.v[2]) == 0 && strcmp(p.v[3], "tcp") == 0))
			continue;
		if (wanted)
			printf("%s:%s\n", p.v[0], p.v[1]);
		else
			printf("%s%s -> %s:%s\n", prefix, port, p.v[0], p.v[1]);
		printed++;
	}
	return printed;
}

static int print_all_ports(struct cli *cli, struct error *err)
{
	struct containers all = { 0 };

	if (!cli_engine(cli, err) || container_load_all(&cli->engine, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		struct container_state state = { 0 };
		struct error ignored = { 0 };

		if (container_load_state(&cli->engine, &all.v[i], &state, &ignored) == 0 && state.status == CONTAINER_RUNNING)
			print_ports(cli, &state, NULL,
				    arena_printf(cli->arena, "%s\t", view_short_id(cli->arena, all.v[i].id, false)));
	}
	return 0;
}

static int run_port(struct cli *cli, const struct args *args, struct error *err)
{
	struct port_request *r = args->request;
	struct container_state state = { 0 };
	struct container c = { 0 };
	const char *wanted;

	if (r->all)
		return print_all_ports(cli, err);
	if (selection_one(cli, r->latest, "you must supply a running container name or id", &c, err) < 0 ||
	    container_load_state(&cli->engine, &c, &state, err) < 0)
		return -1;
	wanted = r->latest ? args->operands.v ? args->operands.v[0] : NULL : args->operands.n > 1 ? args->operands.v[1] : NULL;
	if (!print_ports(cli, &state, wanted, "") && wanted)
		return error_set(err, ERROR_FAILED, "failed to find published port \"%s\"", wanted);
	return 0;
}

const struct command port_command = {
	.names = "port|container port",
	.synopsis = "[options] CONTAINER [PORT[/PROTOCOL]]",
	.summary = "List the published ports of a container",
	.options = { port_options },
	.request_size = sizeof(struct port_request),
	.operands_max = 2,
	.complete = COMPLETE_CONTAINERS_RUNNING,
	.topic = TOPIC_CONTAINERS,
	.run = run_port,
};

/* --- rename */

static int run_rename(struct cli *cli, const struct args *args, struct error *err)
{
	struct container c = { 0 };

	if (selection_one(cli, false, NULL, &c, err) < 0)
		return -1;
	return container_rename(&cli->engine, &c, args->operands.v[1], err);
}

const struct command rename_command = {
	.names = "rename|container rename",
	.synopsis = "CONTAINER NAME",
	.summary = "Give a container another name",
	.operands_min = 2, .operands_max = 2,
	.complete = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_rename,
};

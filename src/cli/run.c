/* cli/run - run and create: a new container */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/hints.h"
#include "cli/run_explain.h"
#include "engine/container.h"
#include "engine/mounts.h"
#include "sys/outside.h"
#include "sys/tty.h"

static const char *working_directory(struct arena *arena)
{
	char path[PATH_MAX];

	return getcwd(path, sizeof(path)) ? arena_strdup(arena, path) : ".";
}

static void take_operands(struct cli *cli, const struct args *args, struct create_request *r)
{
	r->image = args->operands.v[0];
	for (size_t i = 1; i < args->operands.n; i++)
		strings_add(cli->arena, &r->command, args->operands.v[i]);
	cli->quiet = r->quiet;
	r->rm = r->rm || r->rmi;
	if (r->pidfile && *r->pidfile != '/')	/* written again at each restart, from wherever that happens */
		r->pidfile = arena_printf(cli->arena, "%s/%s", working_directory(cli->arena), r->pidfile);
	if (r->tty && r->interactive && !r->detach && !tty_is(STDIN_FILENO))
		cli_warn("The input device is not a TTY. The --tty and --interactive flags might not work properly");
}

static int print_plan(struct cli *cli, const struct create_request *r, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(16 << 20);
	struct engine *e = cli_engine(cli, err);

	if (!e || container_plan(e, r, &out, err) < 0)
		return -1;
	fwrite(out.data, 1, out.size, stdout);
	return 0;
}

/* Whose a file is that cannot be given away is seen from outside only. */
static struct engine *open_for(struct cli *cli, const struct create_request *r, struct error *err)
{
	struct engine *e = cli_engine_identity(cli, err);

	if (e && mounts_may_chown(r)) {
		e->outside = outside_keep();
		if (e->outside < 0)
			e->outside = 0;
	}
	return e ? cli_engine(cli, err) : NULL;
}

static int run_run(struct cli *cli, const struct args *args, struct error *err)
{
	struct create_request *r = args->request;
	struct container c = { 0 };
	struct hints_watch watch;
	bool detached = false;
	int exit_code = 0, result;
	struct engine *e;

	if (r->detach && r->attach.n)
		return error_set(err, ERROR_USAGE, "cannot specify both --attach and --detach");
	take_operands(cli, args, r);
	if (r->plan)
		return print_plan(cli, r, err);
	if (r->explain)
		return run_explained(cli, r, err);
	if (hints_begin(cli, args, r, &watch, err) < 0)
		return -1;
	e = open_for(cli, r, err);
	if (e)
		hints_before(cli, &watch);
	result = e ? container_run(e, r, &c, &exit_code, &detached, err) : -1;
	if (result < 0)
		exit_code = cli_exit_code(args->command, err);
	if (!r->detach && !detached)
		hints_after(cli, &watch, exit_code, result == 0);
	hints_end(&watch);
	if (result < 0)
		return -1;
	if (r->detach)
		puts(c.id);
	return exit_code;
}

static int run_create(struct cli *cli, const struct args *args, struct error *err)
{
	struct create_request *r = args->request;
	struct container c = { 0 };
	struct engine *e;

	take_operands(cli, args, r);
	if (r->plan)
		return print_plan(cli, r, err);
	e = cli_engine(cli, err);
	if (!e || container_create(e, r, &c, err) < 0)
		return -1;
	puts(c.id);
	return 0;
}

static const struct command_example run_examples[] = {
	{ "bryo run --rm -it alpine sh", "a shell, gone afterwards" },
	{ "bryo run -d --name web -p 8080:80 nginx", "a server in the background" },
	{ "bryo run --rm -v .:/src -w /src golang go test ./...", "your directory inside" },
	{ "bryo run --rm --userns keep-id -v ~:/home alpine id", "your own user ID inside" },
	{ "bryo run --rm --network none --read-only alpine true", "no network, nothing to write" },
	{ NULL, NULL }
};

const struct command run_command = {
	.names = "run|container run",
	.synopsis = "[options] IMAGE [COMMAND [ARG...]]",
	.summary = "Run a command in a new container",
	.description = "Makes a container from an image, pulling the image when it is absent, and runs the command in it. Without "
		       "COMMAND the image's own is run.",
	.examples = run_examples,
	.options = { run_only_options, create_options },
	.request_size = sizeof(struct create_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES,
	.flags = COMMAND_STOP_AT_OPERAND | COMMAND_ENTERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_run,
};

static const struct command_example create_examples[] = {
	{ "bryo create --name db -v data:/var/lib/db postgres", "make it now" },
	{ "bryo start db", "and start it later" },
	{ NULL, NULL }
};

const struct command create_command = {
	.names = "create|container create",
	.synopsis = "[options] IMAGE [COMMAND [ARG...]]",
	.summary = "Create a container without starting it",
	.description = "Does everything that run does before the command starts, and prints the container's ID.",
	.examples = create_examples,
	.options = { create_options },
	.request_size = sizeof(struct create_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES,
	.flags = COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC_CONTAINERS,
	.run = run_create,
};

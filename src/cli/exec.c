/* cli/exec - exec and top: processes in a running container */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/exec.h"
#include "engine/top.h"

struct exec_command_request { struct exec_request exec; bool latest; };

static const struct option exec_options[] = {
	OPT_FLAG('i', "interactive", exec_command_request, exec.interactive, "Keep standard input open"),
	OPT_FLAG('t', "tty", exec_command_request, exec.tty, "Give the command a terminal"),
	OPT_FLAG('d', "detach", exec_command_request, exec.detach, "Run it in the background"),
	OPT_STRINGS('e', "env", exec_command_request, exec.env, "NAME[=VALUE]", "Set a variable", .complete = COMPLETE_ENVIRONMENT),
	OPT_STRINGS(0, "env-file", exec_command_request, exec.env_file, "FILE", "Variables from a file", .complete = COMPLETE_FILES),
	OPT_STRING('u', "user", exec_command_request, exec.user, "USER[:GROUP]", "Who runs the command"),
	OPT_STRING('w', "workdir", exec_command_request, exec.workdir, "DIR", "Working directory"),
	OPT_FLAG(0, "privileged", exec_command_request, exec.privileged, "With all capabilities"),
	OPT_STRING(0, "detach-keys", exec_command_request, exec.detach_keys, "KEYS", "Keys that leave it running (default ctrl-p,ctrl-q)"),
	OPT_STRING(0, "preserve-fds", exec_command_request, exec.preserve_fds, "N", "Pass N open descriptors, from 3 on"),
	OPT_LATEST(exec_command_request, latest),
	OPT_END
};

static int run_exec(struct cli *cli, const struct args *args, struct error *err)
{
	struct exec_command_request *r = args->request;
	struct container c = { 0 };
	char *id = NULL;
	int exit_code = 0;

	for (size_t i = r->latest ? 0 : 1; i < args->operands.n; i++)
		strings_add(cli->arena, &r->exec.command, args->operands.v[i]);
	if (args->operands.n && !r->exec.command.n)
		return error_set(err, ERROR_USAGE, "must provide a non-empty command to start an exec session: invalid argument");
	if (selection_one(cli, r->latest, "exec requires the name or ID of a container or the --latest flag", &c, err) < 0)
		return -1;
	if (exec_run(&cli->engine, &c, &r->exec, &exit_code, &id, err) < 0)
		return -1;
	if (r->exec.detach && id)
		puts(id);
	return exit_code;
}

static const struct command_example exec_examples[] = {
	{ "bryo exec -it web sh", "a shell in a running container" },
	{ "bryo exec -u root -w /tmp web id", NULL },
	{ "bryo exec -e DEBUG=1 web env", NULL },
	{ NULL, NULL }
};

const struct command exec_command = {
	.names = "exec|container exec",
	.synopsis = "[options] CONTAINER COMMAND [ARG...]",
	.summary = "Run a command in a running container",
	.examples = exec_examples,
	.options = { exec_options },
	.request_size = sizeof(struct exec_command_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING,
	.flags = COMMAND_STOP_AT_OPERAND | COMMAND_ENTERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_exec,
};

/* --- top */

struct top_request { bool latest; };

static const struct option top_options[] = { OPT_LATEST(top_request, latest), OPT_END };

static int run_top(struct cli *cli, const struct args *args, struct error *err)
{
	struct top_request *r = args->request;
	struct strings descriptors = { 0 };
	struct container c = { 0 };
	struct top_rows rows = { 0 };

	if (selection_one(cli, r->latest, "you must provide the name or id of a running container", &c, err) < 0)
		return -1;
	for (size_t i = r->latest ? 0 : 1; i < args->operands.n; i++)
		strings_add(cli->arena, &descriptors, args->operands.v[i]);
	if (container_top(&cli->engine, &c, &descriptors, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows.n; i++)
		for (size_t k = 0; k < rows.v[i].n; k++)
			rows.v[i].v[k] = output_clean(cli->arena, rows.v[i].v[k]);
	output_columns(cli, rows.v, rows.n);
	return 0;
}

static const struct command_example top_examples[] = {
	{ "bryo top web", NULL },
	{ "bryo top web user,huser,pid,hpid,args", "who runs what, inside and on the host" },
	{ NULL, NULL }
};

const struct command top_command = {
	.names = "top|container top",
	.synopsis = "[options] CONTAINER [DESCRIPTOR...]",
	.summary = "Show the processes of a container",
	.description = "Descriptors: args capamb capbnd capeff capinh capprm comm etime group groups hgroup hgroups hpid huser label "
		       "nice pcpu pgid pid ppid rgroup rss ruser seccomp state stime time tty user vsz.",
	.examples = top_examples,
	.options = { top_options },
	.request_size = sizeof(struct top_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING,
	.flags = COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC_CONTAINERS,
	.run = run_top,
};

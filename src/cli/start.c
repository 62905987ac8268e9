/* cli/start - start, attach, wait */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/selection.h"
#include "engine/attach.h"
#include "sys/pidfd.h"

struct start_request {
	struct selection select;
	bool attach, interactive, no_sig_proxy;
	char *detach_keys;
};

static const struct option start_options[] = {
	OPT_FLAG('a', "attach", start_request, attach, "Stay and pass on its output and exit code"),
	OPT_FLAG('i', "interactive", start_request, interactive, "Pass standard input on as well"),
	OPT_STRING(0, "detach-keys", start_request, detach_keys, "KEYS", "Keys that leave it running (default ctrl-p,ctrl-q)"),
	OPT_FLAG_OFF(0, "sig-proxy", start_request, no_sig_proxy, "Do not pass received signals on"),
	OPT_FLAG(0, "all", start_request, select.all, "All containers"),
	OPT_STRINGS('f', "filter", start_request, select.filters, "KEY=VALUE", "Containers that match"),
	OPT_LATEST(start_request, select.latest),
	OPT_END
};

struct start_context { struct start_options options; int exit_code; };

static int start_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	struct start_context *s = context;
	bool detached = false;

	if (container_start(&cli->engine, c, &s->options, &s->exit_code, &detached, err) < 0)
		return -1;
	if (!s->options.attach)
		puts(given);
	return 0;
}

static int run_start(struct cli *cli, const struct args *args, struct error *err)
{
	struct start_request *r = args->request;
	struct start_context context = { 0 };
	int code;

	if (!args->operands.n && !r->select.all && !r->select.latest && !r->select.filters.n)
		return error_set(err, ERROR_USAGE, "start requires at least one argument");
	context.options = (struct start_options){ .attach = r->attach || r->interactive, .interactive = r->interactive,
						  .sig_proxy = !r->no_sig_proxy, .detach_keys = r->detach_keys };
	if (context.options.attach && (args->operands.n > 1 || r->select.all))
		return error_set(err, ERROR_USAGE, "you cannot start and attach multiple containers at once");
	code = selection_run(cli, &r->select, STATUS(CONTAINER_CREATED) | STATUS(CONTAINER_EXITED) | STATUS(CONTAINER_INITIALIZED),
			     start_one, &context, err);
	return code == 0 && context.options.attach ? context.exit_code : code;
}

static const struct command_example start_examples[] = {
	{ "bryo start db", NULL },
	{ "bryo start -ai shell", "and talk to it" },
	{ "bryo start --all --filter restart-policy=always", "what should run after a boot" },
	{ NULL, NULL }
};

const struct command start_command = {
	.names = "start|container start",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Start one or more containers",
	.examples = start_examples,
	.options = { start_options },
	.request_size = sizeof(struct start_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_STOPPED, .complete_rest = COMPLETE_CONTAINERS_STOPPED,
	.topic = TOPIC_CONTAINERS,
	.flags = COMMAND_ENTERS,
	.run = run_start,
};

/* --- attach */

struct attach_request { bool latest, no_stdin, no_sig_proxy; char *detach_keys; };

static const struct option attach_request_options[] = {
	OPT_STRING(0, "detach-keys", attach_request, detach_keys, "KEYS", "Keys that leave it running (default ctrl-p,ctrl-q)"),
	OPT_FLAG(0, "no-stdin", attach_request, no_stdin, "Do not pass standard input on"),
	OPT_FLAG_OFF(0, "sig-proxy", attach_request, no_sig_proxy, "Do not pass received signals on"),
	OPT_LATEST(attach_request, latest),
	OPT_END
};

/* The process that gets our signals; -1 when it has none now (attach then says why). */
static int signal_target(struct cli *cli, const struct container *c)
{
	struct container_state state = { 0 };
	struct error ignored = { 0 };

	if (container_load_state(&cli->engine, c, &state, &ignored) < 0 || state.pid <= 0)
		return -1;
	return pidfd_open_same((pid_t)state.pid, state.pid_start);
}

static int run_attach(struct cli *cli, const struct args *args, struct error *err)
{
	struct attach_request *r = args->request;
	struct attach_options o = { .in = r->no_stdin ? -1 : 0, .out = 1, .err_ = 2, .detach_keys = r->detach_keys,
				    .signal_pidfd = -1, .reader_pidfd = -1 };
	struct container c = { 0 };
	bool detached = false;
	int exit_code = 0;

	if (selection_one(cli, r->latest, "\"bryo attach\" requires a name, id, or the \"--latest\" flag", &c, err) < 0)
		return -1;
	o.terminal = c.request.tty;
	if (!r->no_sig_proxy)
		o.signal_pidfd = signal_target(cli, &c);
	if (container_attach(&cli->engine, &c, &o, !r->no_stdin, &exit_code, &detached, err) < 0)
		return -1;
	return detached ? 0 : exit_code;
}

const struct command attach_command = {
	.names = "attach|container attach",
	.synopsis = "[options] CONTAINER",
	.summary = "Join your terminal to a running container",
	.description = "The exit code is that of the container, when it ends meanwhile. ctrl-p ctrl-q leaves it running.",
	.options = { attach_request_options },
	.request_size = sizeof(struct attach_request),
	.operands_max = 1,
	.complete = COMPLETE_CONTAINERS_RUNNING,
	.topic = TOPIC_CONTAINERS,
	.run = run_attach,
};

/* --- wait */

struct wait_request { struct selection select; struct strings conditions; };

static const struct option wait_options[] = {
	OPT_LIST(0, "condition", wait_request, conditions, "CONDITION", "What to wait for (default stopped)",
		 .words = "configured|created|exited|initialized|paused|removing|running|stopped|stopping"),
	OPT_FLAG(0, "ignore", wait_request, select.ignore, "A missing container counts as exited with -1"),
	OPT_IGNORED('i', "interval", "DURATION"),
	OPT_LATEST(wait_request, select.latest),
	OPT_END
};

static int wait_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	const struct strings *conditions = context;
	int exit_code = 0;

	if (container_wait(&cli->engine, c, conditions->n ? strings_join(cli->arena, conditions, ",") : "stopped", &exit_code,
			   err) < 0)
		return -1;
	printf("%d\n", exit_code);
	fflush(stdout);
	return 0;
}

static int run_wait(struct cli *cli, const struct args *args, struct error *err)
{
	struct wait_request *r = args->request;

	if (!args->operands.n && !r->select.latest)
		return error_set(err, ERROR_USAGE, "\"bryo wait\" requires a name, id, or the \"--latest\" flag");
	if (r->select.ignore) {
		struct container c = { 0 };
		struct error ignored = { 0 };

		for (size_t i = 0; i < args->operands.n; i++)
			if (cli_engine(cli, err) && container_load(&cli->engine, args->operands.v[i], &c, &ignored) < 0)
				puts("-1");
	}
	return selection_run(cli, &r->select, 0, wait_one, &r->conditions, err);
}

const struct command wait_command = {
	.names = "wait|container wait",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Wait for one or more containers and print their exit codes",
	.options = { wait_options },
	.request_size = sizeof(struct wait_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_wait,
};

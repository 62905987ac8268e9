/* cli/life - stop restart kill pause unpause rm init: one verb for several containers */
#include <stdio.h>

#include "base/signal.h"
#include "cli/commands.h"
#include "cli/selection.h"

#define SELECTION_OPTIONS(structure)                                                                             \
	OPT_FLAG('a', "all", structure, select.all, "All containers that it applies to"),                        \
	OPT_STRINGS(0, "cidfile", structure, select.cidfiles, "FILE", "The container whose ID the file holds",   \
		    .complete = COMPLETE_FILES),                                                                 \
	OPT_LATEST(structure, select.latest)

#define RUNNING (STATUS(CONTAINER_RUNNING) | STATUS(CONTAINER_PAUSED) | STATUS(CONTAINER_RESTARTING))

struct stop_request { struct selection select; int64_t time; };

static const struct option stop_options[] = {
	SELECTION_OPTIONS(stop_request),
	OPT_STRINGS('f', "filter", stop_request, select.filters, "KEY=VALUE", "Containers that match"),
	OPT_FLAG('i', "ignore", stop_request, select.ignore, "A missing container is no error"),
	OPT_INT('t', "time", stop_request, time, "SECONDS", "How long to wait before SIGKILL"),
	OPT_ALIAS(0, "timeout", "time"),
	OPT_END
};


/* 0 means at once; without the option the container's own time counts. */
static int64_t given_time(const struct cli *cli, int64_t value)
{
	return args_was_given(cli->args, "time") ? value : -1;
}

static int stop_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_stop(&cli->engine, c, *(int64_t *)context, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_stop(struct cli *cli, const struct args *args, struct error *err)
{
	struct stop_request *r = args->request;
	int64_t time = given_time(cli, r->time);

	return selection_run(cli, &r->select, RUNNING, stop_one, &time, err);
}

static const struct command_example stop_examples[] = {
	{ "bryo stop web", "SIGTERM, then SIGKILL after 10 seconds" },
	{ "bryo stop -t 0 web db", NULL },
	{ "bryo stop --all", NULL },
	{ NULL, NULL }
};

const struct command stop_command = {
	.names = "stop|container stop",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Stop one or more containers",
	.description = "Sends the container's stop signal, waits, and sends SIGKILL to what still runs. Prints each name when it "
		       "has stopped.",
	.examples = stop_examples,
	.options = { stop_options },
	.request_size = sizeof(struct stop_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING, .complete_rest = COMPLETE_CONTAINERS_RUNNING,
	.topic = TOPIC_CONTAINERS,
	.run = run_stop,
};

struct restart_request { struct selection select; bool running; int64_t time; };

static const struct option restart_options[] = {
	SELECTION_OPTIONS(restart_request),
	OPT_STRINGS('f', "filter", restart_request, select.filters, "KEY=VALUE", "Containers that match"),
	OPT_FLAG(0, "running", restart_request, running, "All containers that run"),
	OPT_INT('t', "time", restart_request, time, "SECONDS", "How long to wait before SIGKILL"),
	OPT_ALIAS(0, "timeout", "time"),
	OPT_END
};

static int restart_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_restart(&cli->engine, c, *(int64_t *)context, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_restart(struct cli *cli, const struct args *args, struct error *err)
{
	struct restart_request *r = args->request;
	int64_t time = given_time(cli, r->time);
	unsigned mask = r->running ? RUNNING : 0;

	r->select.all = r->select.all || r->running;
	return selection_run(cli, &r->select, mask, restart_one, &time, err);
}

const struct command restart_command = {
	.names = "restart|container restart",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Stop and start one or more containers",
	.options = { restart_options },
	.request_size = sizeof(struct restart_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.flags = COMMAND_ENTERS,
	.run = run_restart,
};

/* --- kill */

struct kill_request { struct selection select; char *signal; };

static const struct option kill_options[] = {
	SELECTION_OPTIONS(kill_request),
	OPT_STRING('s', "signal", kill_request, signal, "SIGNAL", "Which signal, by name or number (default KILL)",
		   .complete = COMPLETE_SIGNALS),
	OPT_END
};

static int kill_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_kill(&cli->engine, c, context, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_kill(struct cli *cli, const struct args *args, struct error *err)
{
	struct kill_request *r = args->request;
	char *signal = r->signal ? r->signal : arena_strdup(cli->arena, "KILL");

	if (signal_parse(signal) < 0)
		return error_set(err, ERROR_USAGE, "invalid signal: %s", signal);
	return selection_run(cli, &r->select, RUNNING, kill_one, signal, err);
}

const struct command kill_command = {
	.names = "kill|container kill",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Send a signal to one or more containers",
	.description = "The signal goes to the first process of each container.",
	.options = { kill_options },
	.request_size = sizeof(struct kill_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING, .complete_rest = COMPLETE_CONTAINERS_RUNNING,
	.topic = TOPIC_CONTAINERS,
	.run = run_kill,
};

/* --- pause, unpause */

struct pause_request { struct selection select; };

static const struct option pause_options[] = {
	SELECTION_OPTIONS(pause_request),
	OPT_STRINGS('f', "filter", pause_request, select.filters, "KEY=VALUE", "Containers that match"),
	OPT_END
};

static int pause_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_pause(&cli->engine, c, *(bool *)context, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_pause(struct cli *cli, const struct args *args, struct error *err)
{
	struct pause_request *r = args->request;
	bool pause = true;

	return selection_run(cli, &r->select, STATUS(CONTAINER_RUNNING), pause_one, &pause, err);
}

static int run_unpause(struct cli *cli, const struct args *args, struct error *err)
{
	struct pause_request *r = args->request;
	bool pause = false;

	return selection_run(cli, &r->select, STATUS(CONTAINER_PAUSED), pause_one, &pause, err);
}

const struct command pause_command = {
	.names = "pause|container pause",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Freeze all processes of one or more containers",
	.options = { pause_options },
	.request_size = sizeof(struct pause_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING, .complete_rest = COMPLETE_CONTAINERS_RUNNING,
	.topic = TOPIC_CONTAINERS,
	.run = run_pause,
};

const struct command unpause_command = {
	.names = "unpause|container unpause",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Thaw one or more paused containers",
	.options = { pause_options },
	.request_size = sizeof(struct pause_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_PAUSED, .complete_rest = COMPLETE_CONTAINERS_PAUSED,
	.topic = TOPIC_CONTAINERS,
	.run = run_unpause,
};

/* --- init */

struct init_request { struct selection select; };

static const struct option init_options[] = { SELECTION_OPTIONS(init_request), OPT_END };

static int init_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_init(&cli->engine, c, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_init(struct cli *cli, const struct args *args, struct error *err)
{
	struct init_request *r = args->request;

	return selection_run(cli, &r->select, STATUS(CONTAINER_CREATED), init_one, NULL, err);
}

const struct command init_command = {
	.names = "init|container init",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Set up one or more containers without running their commands",
	.description = "Does all that start does (mounts, namespaces, network) except running the command: to look at it, or to start faster.",
	.options = { init_options },
	.request_size = sizeof(struct init_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_STOPPED, .complete_rest = COMPLETE_CONTAINERS_STOPPED,
	.topic = TOPIC_CONTAINERS,
	.flags = COMMAND_ENTERS,
	.run = run_init,
};

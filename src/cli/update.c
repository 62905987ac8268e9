/* cli/update - update: other limits for containers that exist */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/resource_options.h"
#include "cli/selection.h"
#include "engine/update.h"

#define NO_HEALTH "health checks are not run"
#define CGROUP_V1 "cgroup v2 has no such limit"

struct update_request { struct selection select; struct create_request limits; };

static const struct option update_options[] = {
	RESOURCE_OPTIONS(update_request, limits.),
	OPT_STRING(0, "restart", update_request, limits.restart, "POLICY",
		   "What happens when it ends: no, on-failure[:N], always, unless-stopped",
		   .words = "no|on-failure|always|unless-stopped"),
	OPT_LATEST(update_request, select.latest),
	OPT_UNSUPPORTED("cpu-rt-period", CGROUP_V1),
	OPT_UNSUPPORTED("cpu-rt-runtime", CGROUP_V1),
	OPT_UNSUPPORTED("memory-swappiness", CGROUP_V1),
	OPT_UNSUPPORTED("env", "the command has its environment already; make a new container"),
	OPT_UNSUPPORTED("unsetenv", "the command has its environment already; make a new container"),
	OPT_UNSUPPORTED("health-cmd", NO_HEALTH),
	OPT_UNSUPPORTED("health-interval", NO_HEALTH),
	OPT_UNSUPPORTED("health-retries", NO_HEALTH),
	OPT_UNSUPPORTED("health-timeout", NO_HEALTH),
	OPT_UNSUPPORTED("health-start-period", NO_HEALTH),
	OPT_UNSUPPORTED("health-on-failure", NO_HEALTH),
	OPT_UNSUPPORTED("health-log-destination", NO_HEALTH),
	OPT_UNSUPPORTED("health-max-log-count", NO_HEALTH),
	OPT_UNSUPPORTED("health-max-log-size", NO_HEALTH),
	OPT_UNSUPPORTED("health-startup-cmd", NO_HEALTH),
	OPT_UNSUPPORTED("health-startup-interval", NO_HEALTH),
	OPT_UNSUPPORTED("health-startup-retries", NO_HEALTH),
	OPT_UNSUPPORTED("health-startup-success", NO_HEALTH),
	OPT_UNSUPPORTED("health-startup-timeout", NO_HEALTH),
	OPT_UNSUPPORTED("no-healthcheck", NO_HEALTH),
	OPT_END
};

static int update_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (container_update(&cli->engine, c, context, err) < 0)
		return -1;
	puts(given);
	return 0;
}

static int run_update(struct cli *cli, const struct args *args, struct error *err)
{
	struct update_request *r = args->request;

	if (!args->given.n || (r->select.latest && args->given.n == 1))
		return error_set(err, ERROR_USAGE, "nothing to change: name a limit, as --memory 512m");
	return selection_run(cli, &r->select, 0, update_one, &r->limits, err);
}

static const struct command_example update_examples[] = {
	{ "bryo update --memory 512m --cpus 1.5 web", NULL },
	{ "bryo update --pids-limit -1 web", "no limit of processes any more" },
	{ NULL, NULL }
};

const struct command update_command = {
	.names = "update|container update",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Change the limits of one or more containers",
	.description = "Limits of a running container change at once, and stay for its next starts. Where the cgroup has no controller for "
		       "one, it is an error and nothing changes.",
	.examples = update_examples,
	.options = { update_options },
	.request_size = sizeof(struct update_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_update,
};

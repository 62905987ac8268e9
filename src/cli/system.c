/* cli/system - unshare, system migrate, system prune, and the groups' own entries */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/rm.h"
#include "engine/container.h"
#include "engine/df.h"
#include "engine/image.h"
#include "engine/network_bridge.h"
#include "engine/network_remove.h"
#include "engine/volume.h"

/* --- unshare */

struct unshare_request { bool rootless_netns; };

static const struct option unshare_options[] = {
	OPT_FLAG(0, "rootless-netns", unshare_request, rootless_netns, "In the network namespace of the bridges, while a container is on one"),
	OPT_END
};

static int set_environment(const struct identity *id, uid_t uid, gid_t gid, struct error *err)
{
	char number[2][24];

	snprintf(number[0], sizeof(number[0]), "%u", uid);
	snprintf(number[1], sizeof(number[1]), "%u", gid);
	if (setenv("BRYO_USERNS", "1", 1) < 0 || setenv("CONTAINERS_GRAPHROOT", id->data_dir, 1) < 0 ||
	    setenv("CONTAINERS_RUNROOT", id->runtime_dir, 1) < 0 || setenv("BRYO_ROOTLESS_UID", number[0], 1) < 0 ||
	    setenv("BRYO_ROOTLESS_GID", number[1], 1) < 0)
		return error_errno(err, "set the environment");
	return 0;
}

static int enter_bridges(struct cli *cli, struct error *err)
{
	struct engine *e = cli_engine(cli, err);

	if (!e)
		return -1;
	if (network_bridge_enter(e, err) == 0)
		return 0;
	if (!error_is(err, ERROR_NONE))
		return -1;
	error_set(err, ERROR_STATE, "no container is on a network: its namespace is there only while one is");
	return error_hint(err, "start one: bryo run -d IMAGE");
}

static int run_unshare(struct cli *cli, const struct args *args, struct error *err)
{
	const struct unshare_request *r = args->request;
	struct engine *e = cli_engine_identity(cli, err);
	char *shell = getenv("SHELL"), *fallback[] = { str_is_empty(shell) ? arena_strdup(cli->arena, "/bin/sh") : shell, NULL };
	char **argv = args->operands.n ? args->operands.v : fallback;

	if (!e || (r->rootless_netns ? enter_bridges(cli, err) : userns_join(cli->arena, &e->identity, err)) < 0 ||
	    set_environment(&e->identity, e->identity.uid, e->identity.gid, err) < 0)
		return -1;
	fflush(stdout);
	execvp(argv[0], argv);
	error_errno(err, "exec %s", argv[0]);
	if (err)
		err->kind = errno == ENOENT ? ERROR_NO_COMMAND : ERROR_NOT_EXECUTABLE;
	return -1;
}

static const struct command_example unshare_examples[] = {
	{ "bryo unshare cat /proc/self/uid_map", "which IDs are mapped" },
	{ "bryo unshare rm -rf data", "remove files that containers made under other IDs than yours" },
	{ "bryo unshare chown -R 0:0 data", "or make them your own" },
	{ "bryo unshare chown 1000:1000 data", "give a directory to the user 1000 of containers" },
	{ "bryo unshare setfacl -m u:1000:rwX data", "or let him in, and keep it" },
	{ NULL, NULL }
};

const struct command unshare_command = {
	.names = "unshare",
	.synopsis = "[COMMAND [ARG...]]",
	.summary = "Run a command in the user namespace of the containers",
	.description = "There you are uid 0, and the files that containers wrote under subordinate IDs are yours. Without COMMAND your "
		       "shell is run. CONTAINERS_GRAPHROOT and CONTAINERS_RUNROOT say where things are.",
	.examples = unshare_examples,
	.options = { unshare_options },
	.request_size = sizeof(struct unshare_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_PROGRAMS, .complete_rest = COMPLETE_FILES,
	.flags = COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC_SYSTEM,
	.run = run_unshare,
};

/* --- system migrate */

static int stop_running(struct cli *cli, int *code, struct error *err)
{
	struct containers all = { 0 };

	if (container_load_all(&cli->engine, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		struct container_state state = { 0 };
		struct error failure = { 0 };

		if (container_load_state(&cli->engine, &all.v[i], &state, &failure) < 0)
			continue;
		if (state.status != CONTAINER_RUNNING && state.status != CONTAINER_PAUSED && state.status != CONTAINER_RESTARTING)
			continue;
		if (container_stop(&cli->engine, &all.v[i], -1, &failure) < 0)
			cli_failed(cli, code, &failure);
		else
			printf("stopped %s\n", all.v[i].id);
		fflush(stdout);
	}
	return 0;
}

static int run_system_migrate(struct cli *cli, const struct args *args, struct error *err)
{
	int code = 0;

	if (!cli_engine(cli, err) || stop_running(cli, &code, err) < 0)
		return -1;
	if (code)
		return code;
	network_bridge_end(&cli->engine);
	return userns_migrate(&cli->engine.identity, err);
}

static const struct option migrate_options[] = { OPT_IGNORED(0, "new-runtime", "NAME"), OPT_IGNORED(0, "migrate-db", NULL), OPT_END };

const struct command system_migrate_command = {
	.names = "system migrate",
	.synopsis = "",
	.summary = "Stop all containers and make the user namespace anew",
	.description = "Needed after a change of /etc/subuid or /etc/subgid while containers run; otherwise it is noticed and done by itself.",
	.options = { migrate_options },
	.run = run_system_migrate,
};

/* --- system prune */

struct system_prune_request { bool all, force, volumes; struct strings filters; };

static const struct option system_prune_options[] = {
	OPT_FLAG('a', "all", system_prune_request, all, "All images that no container uses, named or not"),
	OPT_FLAG('f', "force", system_prune_request, force, "Do not ask"),
	OPT_FLAG(0, "volumes", system_prune_request, volumes, "Volumes that no container uses, too"),
	OPT_STRINGS(0, "filter", system_prune_request, filters, "KEY=VALUE", "Only those that match: until=, label="),
	OPT_IGNORED(0, "build", NULL),
	OPT_IGNORED(0, "external", NULL),
	OPT_END
};

static bool confirm_prune(struct cli *cli, const struct system_prune_request *r)
{
	return cli_confirm(arena_printf(cli->arena, "WARNING! This command removes:\n\t- all stopped containers\n\t- all networks not used by at least one container\n%s\t- all %s\n\n"
					"Are you sure you want to continue?",
					r->volumes ? "\t- all volumes not used by at least one container\n" : "",
					r->all ? "images without at least one container associated with them" : "dangling images"));
}

/* What the store's parts take, as system df sums it up. */
static int64_t taken(struct cli *cli)
{
	struct json *rows;
	int64_t sum = 0;

	if (df_summary(&cli->engine, &rows, NULL) < 0)
		return 0;
	for (size_t i = 0; i < rows->list.n; i++)
		sum += view_int(rows->list.v[i], "RawSize");
	return sum;
}

static void print_reclaimed(struct cli *cli, int64_t before)
{
	int64_t after = taken(cli);

	printf("Total reclaimed space: %s\n", units_format_size_tight(cli->arena, before > after ? (uint64_t)(before - after) : 0));
}

static int run_system_prune(struct cli *cli, const struct args *args, struct error *err)
{
	struct system_prune_request *r = args->request;
	struct strings containers = { 0 }, images = { 0 }, volumes = { 0 }, networks = { 0 };
	struct engine *e;
	int64_t before;
	int code = 0;

	if (!r->force && !confirm_prune(cli, r))
		return 0;
	e = cli_engine(cli, err);
	if (!e)
		return -1;
	before = taken(cli);
	if (rm_stopped(cli, &r->filters, &containers, &code, err) < 0)
		return -1;
	rm_print_names("Deleted Containers", &containers);
	if (network_prune(e, &r->filters, &networks, err) < 0)
		return -1;
	rm_print_names("Deleted Networks", &networks);
	if (r->volumes) {
		if (volume_prune(e, &r->filters, &volumes, err) < 0)
			return -1;
		rm_print_names("Deleted Volumes", &volumes);
	}
	if (image_prune(e, r->all, &r->filters, &images, err) < 0)
		return -1;
	rm_print_names("Deleted Images", &images);
	print_reclaimed(cli, before);
	return code;
}

const struct command system_prune_command = {
	.names = "system prune",
	.synopsis = "[options]",
	.summary = "Remove all that is not in use",
	.options = { system_prune_options },
	.request_size = sizeof(struct system_prune_request),
	.run = run_system_prune,
};

/* --- groups */

#define GROUP(variable, group_name, what)                                                                    \
	const struct command variable##_command = {                                                          \
		.names = group_name, .synopsis = "COMMAND", .summary = what, .flags = COMMAND_GROUP,         \
		.operands_max = COMMAND_ANY_NUMBER, .topic = "Groups",                                       \
	}

GROUP(container, "container", "Manage containers");
GROUP(image, "image", "Manage images");
GROUP(manifest, "manifest", "Manage manifest lists: the images of several platforms under one name");
GROUP(volume, "volume", "Manage volumes");
GROUP(network, "network", "Manage networks");
GROUP(system, "system", "Manage bryo itself");

/* cli/network_connect - networks of containers that are there: connect, disconnect, reload; and update */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/network_change.h"
#include "engine/network_live.h"
#include "engine/network_update.h"
#include "engine/state.h"

struct network_connect_request { char *ip, *ip6, *mac; struct strings aliases; };

static const struct option network_connect_options[] = {
	OPT_LIST(0, "alias", network_connect_request, aliases, "NAME", "Further name of the container on this network"),
	OPT_STRING(0, "ip", network_connect_request, ip, "IP", "Its IPv4 address (default: a free one)"),
	OPT_STRING(0, "ip6", network_connect_request, ip6, "IP", "Its IPv6 address (default: a free one)"),
	OPT_STRING(0, "mac-address", network_connect_request, mac, "MAC", "Address of its interface (default: made from the IP address)"),
	OPT_UNSUPPORTED("link", "containers on a network know each other by name"),
	OPT_UNSUPPORTED("link-local-ip", "link-local addresses are the kernel's to choose"),
	OPT_UNSUPPORTED("driver-opt", "connections have no options of the driver"),
	OPT_END
};

/* As after --network: "NAME:ip=...,alias=...". */
static char *connection_text(struct arena *arena, const char *network, const struct network_connect_request *r)
{
	struct strings options = { 0 };

	if (r->ip)
		strings_addf(arena, &options, "ip=%s", r->ip);
	if (r->ip6)
		strings_addf(arena, &options, "ip6=%s", r->ip6);
	if (r->mac)
		strings_addf(arena, &options, "mac=%s", r->mac);
	for (size_t i = 0; i < r->aliases.n; i++)
		strings_addf(arena, &options, "alias=%s", r->aliases.v[i]);
	return arena_printf(arena, "%s%s%s", network, options.n ? ":" : "", strings_join(arena, &options, ","));
}

static int run_network_connect(struct cli *cli, const struct args *args, struct error *err)
{
	char *text = connection_text(cli->arena, args->operands.v[0], args->request);
	struct engine *e = cli_engine(cli, err);

	return e ? network_connect(e, args->operands.v[1], text, err) : -1;
}

static const struct command_example network_connect_examples[] = {
	{ "bryo network connect backend web", NULL },
	{ "bryo network connect --alias cache --ip 10.89.1.9 backend redis", NULL },
	{ NULL, NULL }
};

const struct command network_connect_command = {
	.names = "network connect",
	.synopsis = "[options] NETWORK CONTAINER",
	.summary = "Put a container on a network",
	.description = "A running container has the new interface at once; the network is kept for its next start.",
	.examples = network_connect_examples,
	.options = { network_connect_options },
	.request_size = sizeof(struct network_connect_request),
	.operands_min = 2, .operands_max = 2,
	.complete = COMPLETE_NETWORKS, .complete_rest = COMPLETE_CONTAINERS,
	.run = run_network_connect,
};

struct network_disconnect_request { bool force; };

static const struct option network_disconnect_options[] = {
	OPT_FLAG('f', "force", network_disconnect_request, force, "Go on when the running container cannot be disconnected"),
	OPT_END
};

static int run_network_disconnect(struct cli *cli, const struct args *args, struct error *err)
{
	const struct network_disconnect_request *r = args->request;
	struct engine *e = cli_engine(cli, err);

	return e ? network_disconnect(e, args->operands.v[1], args->operands.v[0], r->force, err) : -1;
}

const struct command network_disconnect_command = {
	.names = "network disconnect",
	.synopsis = "[options] NETWORK CONTAINER",
	.summary = "Take a container off a network",
	.options = { network_disconnect_options },
	.request_size = sizeof(struct network_disconnect_request),
	.operands_min = 2, .operands_max = 2,
	.complete = COMPLETE_NETWORKS, .complete_rest = COMPLETE_CONTAINERS,
	.run = run_network_disconnect,
};

/* --- reload */

struct network_reload_request { bool all, latest; };

static const struct option network_reload_options[] = {
	OPT_FLAG('a', "all", network_reload_request, all, "All running containers"),
	OPT_LATEST(network_reload_request, latest),
	OPT_END
};

static int reload_one(struct cli *cli, const struct container *c, bool all, struct error *err)
{
	struct container_state s;

	if (container_load_state(&cli->engine, c, &s, err) < 0)
		return -1;
	if (!state_is_live(&s) && all)
		return 0;
	if (state_need_running(c, &s, "reload the networks of", err) < 0 || network_live_reload(&cli->engine, c, &s, err) < 0)
		return -1;
	puts(c->id);
	return 0;
}

static int run_network_reload(struct cli *cli, const struct args *args, struct error *err)
{
	struct network_reload_request *r = args->request;
	struct containers chosen = { 0 };
	int code = 0;

	if (!cli_engine(cli, err))
		return -1;
	if (r->all && container_load_all(&cli->engine, &chosen, err) < 0)
		return -1;
	if (r->latest && selection_one(cli, true, NULL, ARRAY_ADD(cli->arena, &chosen), err) < 0)
		return -1;
	if (!r->all && !r->latest && !args->operands.n)
		return error_set(err, ERROR_USAGE, "requires a container, --all or --latest");
	for (size_t i = 0; i < args->operands.n; i++) {
		struct error failure = { 0 };
		struct container c;

		if (container_load(&cli->engine, args->operands.v[i], &c, &failure) < 0)
			cli_failed(cli, &code, &failure);
		else
			*ARRAY_ADD(cli->arena, &chosen) = c;
	}
	for (size_t i = 0; i < chosen.n; i++) {
		struct error failure = { 0 };

		if (reload_one(cli, &chosen.v[i], r->all, &failure) < 0)
			cli_failed(cli, &code, &failure);
	}
	return code;
}

const struct command network_reload_command = {
	.names = "network reload",
	.synopsis = "[options] [CONTAINER...]",
	.summary = "Set up the networks of running containers again",
	.description = "The firewall's rules are loaded anew, and what provides the way out and the names is started when it is gone. "
		       "A container whose interfaces were lost gets new ones. Connections stay.",
	.options = { network_reload_options },
	.request_size = sizeof(struct network_reload_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING, .complete_rest = COMPLETE_CONTAINERS_RUNNING,
	.run = run_network_reload,
};

/* --- update */

static const struct option network_update_options[] = {
	OPT_LIST(0, "dns-add", network_update_request, dns_add, "IP", "Ask this server, too, for names outside"),
	OPT_LIST(0, "dns-drop", network_update_request, dns_drop, "IP", "Do not ask this server any more"),
	OPT_END
};

static int run_network_update(struct cli *cli, const struct args *args, struct error *err)
{
	struct engine *e = cli_engine(cli, err);

	if (!e || network_update(e, args->operands.v[0], args->request, err) < 0)
		return -1;
	puts(args->operands.v[0]);
	return 0;
}

const struct command network_update_command = {
	.names = "network update",
	.synopsis = "[options] NETWORK",
	.summary = "Change the name servers of a network",
	.description = "Running containers on the network are served by the new ones at once.",
	.options = { network_update_options },
	.request_size = sizeof(struct network_update_request),
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_NETWORKS,
	.run = run_network_update,
};

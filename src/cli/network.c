/* cli/network - networks: create, ls, rm, prune, exists */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/network_create.h"
#include "engine/network_list.h"
#include "engine/network_remove.h"

static const struct option network_create_options[] = {
	OPT_STRING('d', "driver", network_create_request, driver, "DRIVER", "Kind of network (default bridge)",
		   .words = "bridge|macvlan|ipvlan"),
	OPT_STRINGS(0, "subnet", network_create_request, subnets, "CIDR", "Addresses of the network; several are possible (default: a free one)"),
	OPT_STRINGS(0, "gateway", network_create_request, gateways, "IP", "The bridge's own address in a subnet (default: its first)"),
	OPT_STRINGS(0, "ip-range", network_create_request, ip_ranges, "RANGE", "Give containers only these addresses of a subnet: CIDR or FIRST-LAST"),
	OPT_FLAG(0, "ipv6", network_create_request, ipv6, "IPv6 too, with a subnet of unique local addresses where none is given"),
	OPT_FLAG(0, "internal", network_create_request, internal, "No way out of the network"),
	OPT_FLAG(0, "disable-dns", network_create_request, disable_dns, "Names of containers are not resolved"),
	OPT_LIST(0, "dns", network_create_request, dns, "IP", "Ask these servers for names outside, not the host's"),
	OPT_STRINGS(0, "route", network_create_request, routes, "DEST,GATEWAY[,METRIC]", "Route in the containers"),
	OPT_STRING(0, "interface-name", network_create_request, interface, "NAME", "Name of the bridge; of macvlan and ipvlan the parent"),
	OPT_STRINGS('o', "opt", network_create_request, options, "NAME=VALUE", "Option of the driver: mtu, vlan, isolate, metric, no_default_route, mode, parent",
		    .words = "mtu=|vlan=|isolate=true|isolate=strict|metric=|no_default_route=true|mode=|parent="),
	OPT_STRINGS(0, "label", network_create_request, labels, "NAME=VALUE", "Attach a label"),
	OPT_STRING(0, "ipam-driver", network_create_request, ipam_driver, "DRIVER", "Who gives addresses: host-local, or none",
		   .words = "host-local|none", .flags = OPTION_RARE),
	OPT_FLAG(0, "ignore", network_create_request, ignore, "An existing network is no error"),
	OPT_IGNORED(0, "attachable", NULL),
	OPT_IGNORED(0, "scope", "SCOPE"),
	OPT_IGNORED(0, "ipv4", NULL),
	OPT_UNSUPPORTED("aux-address", "addresses are set aside by --ip-range"),
	OPT_UNSUPPORTED("config-from", "a network does not take its settings from another"),
	OPT_UNSUPPORTED("config-only", "a network does not take its settings from another"),
	OPT_UNSUPPORTED("ingress", "there is no swarm"),
	OPT_UNSUPPORTED("ipam-opt", "the drivers of addresses have no options"),
	OPT_END
};

static int run_network_create(struct cli *cli, const struct args *args, struct error *err)
{
	struct network_create_request *r = args->request;
	struct engine *e = cli_engine(cli, err);
	struct network n;

	if (args->operands.n)
		r->name = args->operands.v[0];
	if (!e || network_create(e, r, &n, err) < 0)
		return -1;
	puts(n.name);
	return 0;
}

static const struct command_example network_create_examples[] = {
	{ "bryo network create shop", NULL },
	{ "bryo network create --subnet 10.50.0.0/24 --ip-range 10.50.0.128/25 shop", "the lower half stays free for --ip" },
	{ "bryo network create --internal --ipv6 backend", "containers reach each other only" },
	{ NULL, NULL }
};

const struct command network_create_command = {
	.names = "network create",
	.synopsis = "[options] [NAME]",
	.summary = "Create a network",
	.description = "Containers on a network reach each other by address and by name. Without --subnet the first free /24 of "
		       "10.89.0.0/16 and the private networks after it is taken; what the host is connected to or has routes to is left out.",
	.examples = network_create_examples,
	.options = { network_create_options },
	.request_size = sizeof(struct network_create_request),
	.operands_max = 1,
	.run = run_network_create,
};

/* --- ls */

struct network_ls_request { struct strings filters; char *format; bool quiet, no_trunc, no_heading; };

static const struct option network_ls_options[] = {
	OPT_STRINGS('f', "filter", network_ls_request, filters, "KEY=VALUE", "Only those that match",
		    .words = "dangling=true|driver=|id=|label=|name=|type=builtin|type=custom|until="),
	OPT_STRING(0, "format", network_ls_request, format, "FORMAT", "json, table TEMPLATE, or a Go template", .words = "json|table"),
	OPT_FLAG(0, "no-trunc", network_ls_request, no_trunc, "Whole IDs"),
	OPT_FLAG('n', "noheading", network_ls_request, no_heading, "No headings"),
	OPT_FLAG('q', "quiet", network_ls_request, quiet, "Names only"),
	OPT_END
};

static const char *labels_text(struct arena *arena, const struct json *labels)
{
	struct strings pairs = { 0 };

	for (size_t i = 0; labels && i < labels->object.n; i++)
		strings_addf(arena, &pairs, "%s=%s", labels->object.v[i].name, labels->object.v[i].value->string);
	return strings_join(arena, &pairs, ",");
}

static struct json *row_view(struct arena *arena, const struct json *row, bool full)
{
	struct json *view = network_view(arena, row);
	const char *id = view_short_id(arena, json_get_string(row, "id"), full);
	int64_t created = view_time(row, "created");

	json_set(arena, view, "ID", json_new_string(arena, id));
	json_set(arena, view, "Labels", json_new_string(arena, labels_text(arena, json_get(row, "labels"))));
	json_set(arena, view, "Created", json_new_string(arena, units_format_time_local(arena, created)));
	json_set(arena, view, "CreatedAt", json_new_string(arena, units_format_time_local(arena, created)));
	return view;
}

static int run_network_ls(struct cli *cli, const struct args *args, struct error *err)
{
	static const char *const headers[] = { "ID", "NETWORK ID", NULL };
	struct network_ls_request *r = args->request;
	struct listing listing = { .format = r->quiet && !r->format ? "{{.Name}}" : r->format,
				   .table = "{{.ID}}\t{{.Name}}\t{{.Driver}}", .headers = headers, .no_heading = r->no_heading };
	struct json *rows, *views = json_new_list(cli->arena);
	struct engine *e = cli_engine(cli, err);

	if (!e || network_rows(e, &r->filters, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++)
		json_append(cli->arena, views, row_view(cli->arena, rows->list.v[i], r->no_trunc));
	return output_listing(cli, &listing, rows, views, err);
}

const struct command network_ls_command = {
	.names = "network ls|network list",
	.synopsis = "[options]",
	.summary = "List networks",
	.options = { network_ls_options },
	.request_size = sizeof(struct network_ls_request),
	.run = run_network_ls,
};

/* --- rm */

struct network_rm_request { bool force; int64_t time; };

static const struct option network_rm_options[] = {
	OPT_FLAG('f', "force", network_rm_request, force, "Remove the containers on it, too; a missing network is no error"),
	OPT_INT('t', "time", network_rm_request, time, "SECONDS", "Time for running containers to stop (default: their own)"),
	OPT_ALIAS(0, "timeout", "time"),
	OPT_END
};

static int run_network_rm(struct cli *cli, const struct args *args, struct error *err)
{
	struct network_rm_request *r = args->request;
	int64_t time = args_was_given(args, "time") ? r->time : -1;
	int code = 0;

	if (!cli_engine(cli, err))
		return -1;
	for (size_t i = 0; i < args->operands.n; i++) {
		struct error failure = { 0 };

		if (network_rm(&cli->engine, args->operands.v[i], r->force, time, &failure) == 0)
			puts(args->operands.v[i]);
		else if (!(r->force && error_is(&failure, ERROR_NOT_FOUND)))
			cli_failed(cli, &code, &failure);
	}
	return code;
}

const struct command network_rm_command = {
	.names = "network rm|network remove",
	.synopsis = "[options] NETWORK [NETWORK...]",
	.summary = "Remove networks",
	.options = { network_rm_options },
	.request_size = sizeof(struct network_rm_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_NETWORKS, .complete_rest = COMPLETE_NETWORKS,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_network_rm,
};

/* --- prune, exists */

struct network_prune_request { bool force; struct strings filters; };

static const struct option network_prune_options[] = {
	OPT_FLAG('f', "force", network_prune_request, force, "Do not ask"),
	OPT_STRINGS(0, "filter", network_prune_request, filters, "KEY=VALUE", "Only those that match: label=, until="),
	OPT_END
};

static int run_network_prune(struct cli *cli, const struct args *args, struct error *err)
{
	struct network_prune_request *r = args->request;
	struct strings names = { 0 };
	struct engine *e;
	int result;

	if (!r->force && !cli_confirm("WARNING! This will remove all networks not used by at least one container.\n"
				      "Are you sure you want to continue?"))
		return 0;
	e = cli_engine(cli, err);
	result = e ? network_prune(e, &r->filters, &names, err) : -1;
	for (size_t i = 0; i < names.n; i++)
		puts(names.v[i]);
	return result;
}

const struct command network_prune_command = {
	.names = "network prune",
	.synopsis = "[options]",
	.summary = "Remove all networks that no container uses",
	.options = { network_prune_options },
	.request_size = sizeof(struct network_prune_request),
	.run = run_network_prune,
};

static int run_network_exists(struct cli *cli, const struct args *args, struct error *err)
{
	struct engine *e = cli_engine(cli, err);
	struct network n;

	if (!e)
		return -1;
	if (network_find(e->arena, &e->store, args->operands.v[0], &n, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? 1 : -1;
	return 0;
}

const struct command network_exists_command = {
	.names = "network exists",
	.synopsis = "NETWORK",
	.summary = "Exit 0 when the network exists, 1 when it does not",
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_NETWORKS,
	.flags = COMMAND_OBJECT_CODES,
	.run = run_network_exists,
};

/* cli/oci_show - state, list, ps, events and features of the OCI runtime */
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/oci.h"
#include "sys/spawn.h"

#define TOPIC "Containers"

static int check_format(const char *format, struct error *err)
{
	if (!format || strcmp(format, "table") == 0 || strcmp(format, "json") == 0)
		return 0;
	return error_set(err, ERROR_USAGE, "unknown format \"%s\": known are table and json", format);
}

/* --- state */

static int state(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);

	return o ? oci_print(cli, oci_state(o, args->operands.v[0], err), err) : -1;
}

const struct command oci_state_command = {
	.names = "state",
	.synopsis = "ID",
	.summary = "Show the state of a container in JSON",
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = state,
};

/* --- list */

struct list_request { char *format; bool quiet; };

static const struct option list_options[] = {
	OPT_STRING('f', "format", list_request, format, "FORMAT", "table (default) or json", .words = "table|json"),
	OPT_FLAG('q', "quiet", list_request, quiet, "IDs only"),
	OPT_END
};

static const char *text_of(const struct json *state, const char *member)
{
	const char *text = json_get_string(state, member);

	return text ? text : "";
}

static void print_table(const struct json *list)
{
	static const char row[] = "%-32s %-8s %-8s %-40s %-32s %s\n";

	printf(row, "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
	for (size_t i = 0; i < list->list.n; i++) {
		const struct json *s = list->list.v[i], *pid = json_get(s, "pid");
		char number[24];

		snprintf(number, sizeof(number), "%lld", pid ? (long long)pid->integer : 0);
		printf(row, text_of(s, "id"), number, text_of(s, "status"), text_of(s, "bundle"), text_of(s, "created"),
		       text_of(s, "owner"));
	}
}

static int list(struct cli *cli, const struct args *args, struct error *err)
{
	const struct list_request *r = args->request;
	struct oci *o = cli_oci(cli, err);
	const struct json *all;

	if (!o || check_format(r->format, err) < 0)
		return -1;
	all = oci_list(o, err);
	if (!all)
		return -1;
	if (r->quiet) {
		for (size_t i = 0; i < all->list.n; i++)
			puts(text_of(all->list.v[i], "id"));
		return 0;
	}
	if (r->format && strcmp(r->format, "json") == 0) {
		puts(json_print(cli->arena, all, 0));
		return 0;
	}
	print_table(all);
	return 0;
}

const struct command oci_list_command = {
	.names = "list",
	.synopsis = "[options]",
	.summary = "List the containers of the state directory",
	.options = { list_options },
	.request_size = sizeof(struct list_request),
	.topic = TOPIC,
	.run = list,
};

/* --- ps */

struct ps_request { char *format; };

static const struct option ps_options[] = {
	OPT_STRING('f', "format", ps_request, format, "FORMAT", "table (default) or json", .words = "table|json"),
	OPT_END
};

static bool has_pid(const int *pids, size_t n, long pid)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* The words of a line that is about to be printed; which of them is the pid, by the head. */
static size_t column_of(struct arena *arena, const char *head, const char *name)
{
	struct strings words = strings_split(arena, head, " ");
	size_t column = 0;

	for (size_t i = 0; i < words.n; i++) {
		if (!*words.v[i])
			continue;
		if (strcmp(words.v[i], name) == 0)
			return column;
		column++;
	}
	return SIZE_MAX;
}

static long number_at(const char *line, size_t column)
{
	for (line += strspn(line, " "); column > 0; column--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return strtol(line, NULL, 10);
}

/* What ps(1) says of all processes, without those of others. */
static int print_ps(struct cli *cli, const struct strings *options, const int *pids, size_t n, struct error *err)
{
	struct strings argv = { 0 }, lines;
	struct spawn s = { .program = "ps" };
	char *out = NULL;
	size_t column;

	strings_add(cli->arena, &argv, "ps");
	for (size_t i = 1; i < options->n; i++)
		strings_add(cli->arena, &argv, options->v[i]);
	if (argv.n == 1)
		strings_add(cli->arena, &argv, "-ef");
	s.argv = argv.v;
	if (spawn_run(cli->arena, &s, &out, NULL, err) != 0)
		return error_is(err, ERROR_NONE) ? error_set(err, ERROR_FAILED, "ps failed") : -1;
	lines = strings_split(cli->arena, out, "\n");
	column = column_of(cli->arena, lines.v[0], "PID");
	if (column == SIZE_MAX)
		return error_set(err, ERROR_USAGE, "ps prints no column PID with these options");
	puts(lines.v[0]);
	for (size_t i = 1; i < lines.n; i++)
		if (*lines.v[i] && has_pid(pids, n, number_at(lines.v[i], column)))
			puts(lines.v[i]);
	return 0;
}

static int ps(struct cli *cli, const struct args *args, struct error *err)
{
	const struct ps_request *r = args->request;
	struct oci *o = cli_oci(cli, err);
	struct json *numbers = json_new_list(cli->arena);
	int *pids = NULL;
	size_t n = 0;

	if (!o || check_format(r->format, err) < 0 || oci_ps(o, args->operands.v[0], &pids, &n, err) < 0)
		return -1;
	if (!r->format || strcmp(r->format, "json") != 0)
		return print_ps(cli, &args->operands, pids, n, err);
	for (size_t i = 0; i < n; i++)
		json_append(cli->arena, numbers, json_new_int(cli->arena, pids[i]));
	puts(json_print(cli->arena, numbers, 0));
	return 0;
}

const struct command oci_ps_command = {
	.names = "ps",
	.synopsis = "[options] ID [PS-OPTION...]",
	.summary = "List the processes of a container",
	.description = "Prints what ps(1) says of them, with the given options (default -ef), or their numbers with --format json.",
	.options = { ps_options },
	.request_size = sizeof(struct ps_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.operands_missing = "a container ID is needed",
	.flags = COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC,
	.run = ps,
};

/* --- events */

struct events_request { bool stats; char *interval; };

static const struct option events_options[] = {
	OPT_FLAG(0, "stats", events_request, stats, "Statistics once"),
	OPT_STRING(0, "interval", events_request, interval, "DURATION", "Time between statistics (default 5s)"),
	OPT_END
};

static int print_event(void *context, const struct json *event)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	return puts(json_print(arena, event, 0)) == EOF || fflush(stdout) == EOF ? -1 : 0;
}

static int events(struct cli *cli, const struct args *args, struct error *err)
{
	const struct events_request *r = args->request;
	struct oci *o = cli_oci(cli, err);
	int64_t interval = 5000000000;

	if (!o)
		return -1;
	if (r->interval && (units_parse_duration(r->interval, &interval) < 0 || interval < 1000000))
		return error_set(err, ERROR_USAGE, "--interval \"%s\": not a duration such as 5s", r->interval);
	return oci_events(o, args->operands.v[0], r->stats, interval / 1000000, print_event, NULL, err);
}

const struct command oci_events_command = {
	.names = "events",
	.synopsis = "[options] ID",
	.summary = "Show what a container uses, and when it runs out of memory",
	.options = { events_options },
	.request_size = sizeof(struct events_request),
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = events,
};

/* --- features */

static int features(struct cli *cli, const struct args *args, struct error *err)
{
	return oci_print(cli, oci_features(cli->arena), err);
}

const struct command oci_features_command = {
	.names = "features",
	.synopsis = "",
	.summary = "Show what this runtime can do, in JSON",
	.topic = TOPIC,
	.run = features,
};

/* cli/stats - stats: what containers use, once or again and again */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/container_stats.h"
#include "engine/state.h"
#include "sys/tty.h"

struct stats_request {
	bool all, latest, no_reset, no_stream, no_trunc;
	char *format;
	int64_t interval;
};

static const struct option stats_options[] = {
	OPT_FLAG('a', "all", stats_request, all, "Those too that do not run"),
	OPT_STRING(0, "format", stats_request, format, "FORMAT", "json, table TEMPLATE, or a Go template",
		   .words = "json|table|{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}"),
	OPT_INT('i', "interval", stats_request, interval, "SECONDS", "Time between two reports (default 5)"),
	OPT_LATEST(stats_request, latest),
	OPT_FLAG(0, "no-reset", stats_request, no_reset, "Do not clear the terminal between reports"),
	OPT_FLAG(0, "no-stream", stats_request, no_stream, "One report only"),
	OPT_FLAG(0, "no-trunc", stats_request, no_trunc, "Whole IDs"),
	OPT_END
};

/* --- texts as Podman and Docker write them */

/* "3.092MB" (go-units' HumanSize), and with 1024 "2.949MiB" (BytesSize). */
static char *size_text(struct arena *arena, uint64_t bytes, double base)
{
	static const char *const decimal[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	static const char *const binary[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double size = (double)bytes;
	size_t unit = 0;

	for (; size >= base && unit + 1 < ELEMENTS(decimal); unit++)
		size /= base;
	return arena_printf(arena, "%.4g%s", size, base > 1000 ? binary[unit] : decimal[unit]);
}

static uint64_t number(const struct json *row, const char *name)
{
	const struct json *value = json_get(row, name);

	return !value ? 0 : value->kind == JSON_UINT ? value->uinteger : value->kind == JSON_INT ? (uint64_t)value->integer : 0;
}

static char *pair_text(struct arena *arena, const struct json *row, const char *first, const char *second, double base)
{
	return arena_printf(arena, "%s / %s", size_text(arena, number(row, first), base),
			    size_text(arena, number(row, second), base));
}

static char *percent_text(struct arena *arena, const struct json *row, const char *name)
{
	const struct json *value = json_get(row, name);

	return arena_printf(arena, "%.2f%%", value && value->kind == JSON_DOUBLE ? value->number : 0.0);
}

static void set(struct arena *arena, struct json *row, const char *name, const char *text)
{
	json_set(arena, row, name, json_new_string(arena, text));
}

static void set_figures(struct arena *arena, struct json *view, const struct json *row)
{
	const char *time = units_format_duration(arena, (int64_t)number(row, "CPUNano"));

	set(arena, view, "CPUPerc", percent_text(arena, row, "CPU"));
	set(arena, view, "AVGCPU", percent_text(arena, row, "AvgCPU"));
	set(arena, view, "MemPerc", percent_text(arena, row, "MemPerc"));
	set(arena, view, "MemUsage", pair_text(arena, row, "MemUsage", "MemLimit", 1000));
	set(arena, view, "MemUsageBytes", pair_text(arena, row, "MemUsage", "MemLimit", 1024));
	set(arena, view, "NetIO", pair_text(arena, row, "NetInput", "NetOutput", 1000));
	set(arena, view, "BlockIO", pair_text(arena, row, "BlockInput", "BlockOutput", 1000));
	set(arena, view, "PIDS", arena_printf(arena, "%llu", (unsigned long long)number(row, "PIDs")));
	set(arena, view, "UpTime", time);
	set(arena, view, "Up", time);
}

static void set_nothing(struct arena *arena, struct json *view)
{
	static const char *const single[] = { "CPUPerc", "AVGCPU", "MemPerc", "PIDS", "UpTime", "Up", "CPU", "AvgCPU", "CPUNano",
					      "CPUSystemNano", "SystemNano", "MemLimit", "NetInput", "NetOutput", "BlockInput",
					      "BlockOutput", "PIDs", "Duration", "PerCPU" };
	static const char *const pairs[] = { "MemUsage", "MemUsageBytes", "NetIO", "BlockIO" };

	for (size_t i = 0; i < ELEMENTS(single); i++)
		set(arena, view, single[i], "--");
	for (size_t i = 0; i < ELEMENTS(pairs); i++)
		set(arena, view, pairs[i], "-- / --");
}

static struct json *stats_view(struct arena *arena, const struct json *row, bool full)
{
	struct json *view = view_of(arena, row);

	set(arena, view, "ID", view_short_id(arena, json_get_string(row, "ContainerID"), full));
	if (json_get(row, "CPU"))
		set_figures(arena, view, row);
	else
		set_nothing(arena, view);
	return view;
}

/* The members of Podman's `--format json`, which are texts. */
static struct json *stats_json(struct arena *arena, const struct json *view)
{
	static const char *const members[] = {
		"id", "ID", "name", "Name", "cpu_time", "UpTime", "cpu_percent", "CPUPerc", "avg_cpu", "AVGCPU", "mem_usage",
		"MemUsage", "mem_percent", "MemPerc", "net_io", "NetIO", "block_io", "BlockIO", "pids", "PIDS",
	};
	struct json *object = json_new_object(arena);

	for (size_t i = 0; i < ELEMENTS(members); i += 2)
		json_add(arena, object, members[i], json_new_string(arena, json_get_string(view, members[i + 1])));
	return object;
}

/* --- which, and how often */
struct watched { struct container c; struct container_sample last; };
struct watch { struct watched *v; size_t n; };

static int add_named(struct cli *cli, const struct stats_request *r, struct watch *list, struct error *err)
{
	const struct strings *names = &cli->args->operands;

	if (r->latest)
		return selection_one(cli, true, NULL, &ARRAY_ADD(cli->arena, list)->c, err);
	for (size_t i = 0; i < names->n; i++)
		if (container_load(&cli->engine, names->v[i], &ARRAY_ADD(cli->arena, list)->c, err) < 0)
			return -1;
	return 0;
}

static const struct container_sample *last_of(const struct watch *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].c.id, id))
			return &list->v[i].last;
	return NULL;
}

/* Without names the list changes while it is looked at. */
static int list_again(struct cli *cli, const struct stats_request *r, struct watch *list, struct error *err)
{
	struct watch old = *list;
	struct containers all;

	if (r->latest || cli->args->operands.n)
		return 0;
	*list = (struct watch){ 0 };
	if (container_load_all(&cli->engine, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		const struct container_sample *last = last_of(&old, all.v[i].id);
		struct container_state s;
		struct watched *w;

		state_load_present(&cli->engine, &all.v[i], &s, NULL);
		if (!r->all && !state_is_live(&s))
			continue;
		w = ARRAY_ADD(cli->arena, list);
		*w = (struct watched){ .c = all.v[i] };
		if (last)
			w->last = *last;
	}
	return 0;
}

static const char *const stats_headers[] = {
	"CPUPerc", "CPU %", "MemUsage", "MEM USAGE / LIMIT", "MemUsageBytes", "MEM USAGE / LIMIT", "MemPerc", "MEM %",
	"NetIO", "NET IO", "BlockIO", "BLOCK IO", "PIDS", "PIDS", "UpTime", "CPU TIME", "AVGCPU", "AVG CPU %", NULL
};

static int report(struct cli *cli, const struct stats_request *r, struct watch *list, struct error *err)
{
	struct json *rows = json_new_list(cli->arena), *views = json_new_list(cli->arena);
	struct listing listing = { .format = r->format, .headers = stats_headers,
				   .table = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t"
					    "{{.PIDS}}\t{{.UpTime}}\t{{.AVGCPU}}" };

	for (size_t i = 0; i < list->n; i++) {
		struct watched *w = &list->v[i];
		struct container_sample now;
		struct json *view;

		container_stats_sample(&cli->engine, &w->c, &now);
		view = stats_view(cli->arena, container_stats_row(&cli->engine, &w->c, &w->last, &now), r->no_trunc);
		w->last = now;
		json_append(cli->arena, views, view);
		json_append(cli->arena, rows, stats_json(cli->arena, view));
	}
	return output_listing(cli, &listing, rows, views, err);
}

static bool any_is_live(const struct watch *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].last.live)
			return true;
	return false;
}

/* A report needs what the one before has found out, and nothing older: `stats` may run for days. Answers the arena in use
 * until now, or NULL for the first, which is the command's own. */
static struct arena *next_arena(struct cli *cli, struct arena *before)
{
	static bool began;
	struct arena *now = began ? cli->arena : NULL;

	if (began)
		arena_free(before);
	began = true;
	cli->arena = cli->engine.arena = arena_new();
	return now;
}

static int run_stats(struct cli *cli, const struct args *args, struct error *err)
{
	const struct stats_request *r = args->request;
	bool named = r->latest || args->operands.n;
	struct watch list = { 0 };

	if (r->all && named)
		return error_set(err, ERROR_USAGE, "--all and names of containers cannot be used together");
	if (args_was_given(args, "interval") && r->interval < 1)
		return error_set(err, ERROR_USAGE, "invalid value \"%lld\" for --interval: at least 1 second is needed",
				 (long long)r->interval);
	if (!cli_engine(cli, err) || add_named(cli, r, &list, err) < 0)
		return -1;
	for (struct arena *before = NULL;;) {
		before = next_arena(cli, before);
		if (list_again(cli, r, &list, err) < 0)
			return -1;
		if (!r->no_stream && !r->no_reset && tty_is(STDOUT_FILENO))
			fputs("\033[2J\033[H", stdout);
		if (report(cli, r, &list, err) < 0)
			return -1;
		if (r->no_stream || (named && !any_is_live(&list)))
			return 0;
		fflush(stdout);
		sleep(r->interval ? (unsigned)r->interval : 5);
	}
}

static const struct command_example stats_examples[] = {
	{ "bryo stats", "all that run, every 5 seconds" },
	{ "bryo stats --no-stream web db", "two of them, once" },
	{ "bryo stats --no-stream --format '{{.Name}} {{.MemUsage}}'", "what a script needs" },
	{ NULL, NULL }
};

const struct command stats_command = {
	.names = "stats|container stats",
	.synopsis = "[options] [CONTAINER...]",
	.summary = "Show what containers use: processor, memory, network, disk, processes",
	.description = "Figures come from the containers' cgroups. Memory and input and output that no controller counts there are added up "
		       "over the processes that live now.",
	.examples = stats_examples,
	.options = { stats_options },
	.request_size = sizeof(struct stats_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS_RUNNING, .complete_rest = COMPLETE_CONTAINERS_RUNNING,
	.topic = TOPIC_CONTAINERS,
	.run = run_stats,
};

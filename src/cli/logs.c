/* cli/logs - what containers wrote */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/logs.h"

struct logs_command_request { struct logs_request logs; bool latest; };

static const struct option logs_options[] = {
	OPT_FLAG('f', "follow", logs_command_request, logs.follow, "Go on until the container ends"),
	OPT_FLAG('t', "timestamps", logs_command_request, logs.timestamps, "Begin each line with its time"),
	OPT_INT(0, "tail", logs_command_request, logs.tail, "N", "Only the last N lines"),
	OPT_STRING(0, "since", logs_command_request, logs.since, "TIME", "From this time on: RFC 3339, unix seconds, or 10m"),
	OPT_STRING(0, "until", logs_command_request, logs.until, "TIME", "Up to this time"),
	OPT_FLAG('n', "names", logs_command_request, logs.names, "Begin each line with the container's name"),
	OPT_FLAG(0, "color", logs_command_request, logs.color, "Another colour for each container"),
	OPT_LATEST(logs_command_request, latest),
	OPT_END
};

struct printer {
	struct logs_request *request;
	const struct container *const *list;
	size_t n;
	const struct container *in_line[2];	/* whose last record of stdout, stderr was a part: no prefix before the next */
};

static void print_prefix(const struct printer *p, const struct container *c, const struct log_record *record, FILE *out)
{
	static const int colors[] = { 37, 31, 33, 34, 35, 36, 32 };
	bool several = p->n > 1 || p->request->names;
	_cleanup_arena_ struct arena *arena = NULL;
	size_t index = 0;

	if (!several && !p->request->timestamps)
		return;
	arena = arena_new();
	while (index < p->n && strcmp(p->list[index]->id, c->id) != 0)
		index++;
	if (several && p->request->color)
		fprintf(out, "\033[%dm", colors[index % ELEMENTS(colors)]);
	if (several)
		fprintf(out, "%s ", p->request->names ? c->name : view_short_id(arena, c->id, false));
	if (several && p->request->color)
		fputs("\033[0m", out);
	if (p->request->timestamps)
		fprintf(out, "%s ", units_format_time(arena, record->time_ns));
}

static int print_record(void *context, const struct container *c, const struct log_record *record)
{
	struct printer *p = context;
	bool is_error = record->stream == LOG_STDERR;
	FILE *out = is_error ? stderr : stdout;

	if (is_error)		/* in the order in which it was written, where both go to one place */
		fflush(stdout);
	if (p->in_line[is_error] && p->in_line[is_error] != c)
		fputc('\n', out);	/* another one's line begins */
	if (p->in_line[is_error] != c)
		print_prefix(p, c, record, out);
	fwrite(record->text, 1, record->size, out);
	if (!record->partial)
		fputc('\n', out);
	p->in_line[is_error] = record->partial ? c : NULL;
	if (p->request->follow)
		fflush(out);
	return ferror(out) ? -1 : 0;
}

static int load_list(struct cli *cli, const struct args *args, bool latest, const struct container ***ret, size_t *ret_n,
		     struct error *err)
{
	struct container *c;

	*ret_n = latest ? 1 : args->operands.n;
	*ret = arena_new_array(cli->arena, const struct container *, *ret_n + 1);
	c = arena_new_array(cli->arena, struct container, *ret_n + 1);
	if (selection_one(cli, latest, "specify at least one container name or ID to log", &c[0], err) < 0)
		return -1;
	for (size_t i = 0; i < *ret_n; i++) {
		if (i > 0 && container_load(&cli->engine, args->operands.v[i], &c[i], err) < 0)
			return -1;
		(*ret)[i] = &c[i];
	}
	return 0;
}

static int run_logs(struct cli *cli, const struct args *args, struct error *err)
{
	struct logs_command_request *r = args->request;
	struct printer p = { .request = &r->logs };
	const struct container **list;

	if (!args_was_given(args, "tail"))
		r->logs.tail = -1;
	if (load_list(cli, args, r->latest, &list, &p.n, err) < 0)
		return -1;
	p.list = list;
	return container_logs(&cli->engine, list, p.n, &r->logs, print_record, &p, err);
}

static const struct command_example logs_examples[] = {
	{ "bryo logs -f --tail 20 web", "the end, and what comes" },
	{ "bryo logs --since 10m -t web", "the last ten minutes with times" },
	{ "bryo logs -f -n web db", "of two at once" },
	{ NULL, NULL }
};

const struct command logs_command = {
	.names = "logs|container logs",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Show what one or more containers wrote",
	.description = "What the container wrote to standard output goes to standard output, its errors to standard error.",
	.examples = logs_examples,
	.options = { logs_options },
	.request_size = sizeof(struct logs_command_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_logs,
};

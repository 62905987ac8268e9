/* cli/explain - why an access is refused, and what would change it */
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/explain_text.h"
#include "cli/hints.h"
#include "cli/output.h"
#include "engine/last.h"
#include "explain/batch.h"
#include "sys/fd.h"

struct explain_request { char *access, *path, *arg, *side, *host, *format, *batch; bool try, system, last; };

static const struct option explain_options[] = {
	OPT_STRING('a', "access", explain_request, access, "OPERATION",
		   "stat, read, write, append, truncate, exec, list, search, connect, create, mkdir, symlink, mknod, link, unlink, rmdir, rename, "
		   "chmod, chown, utimes or touch (default write)",
		   .words = "stat|read|write|append|truncate|exec|list|search|connect|create|mkdir|symlink|mknod|link|unlink|rmdir|rename|chmod|"
			    "chown|utimes|touch"),
	OPT_STRING('p', "path", explain_request, path, "PATH", "The path, in the container; with --side host on the host"),
	OPT_STRING(0, "arg", explain_request, arg, "ARG",
		   "The new name of rename and link, UID[:GID] of chown, c, b or p of mknod"),
	OPT_STRING(0, "host", explain_request, host, "PATH", "Explain what you may do with a path of the host yourself",
		   .complete = COMPLETE_FILES),
	OPT_STRING(0, "side", explain_request, side, "container|host", "Who does it (default container)",
		   .words = "container|host"),
	OPT_FLAG(0, "system", explain_request, system, "Examine every part of the host's set-up"),
	OPT_FLAG(0, "last", explain_request, last, "Explain the run that failed last"),
	OPT_FLAG(0, "try", explain_request, try, "Also do it, in a process that is thrown away, and compare"),
	OPT_STRING(0, "format", explain_request, format, "FORMAT", "json: the answer as JSON", .words = "json"),
	OPT_STRING(0, "batch", explain_request, batch, "FILE", "Try the situations of a file", .complete = COMPLETE_FILES,
		   .flags = OPTION_HIDDEN),
	OPT_END
};

/* --- printing */

static struct explain_style style_of(const struct engine *e)
{
	return (struct explain_style){ .utf8 = explain_has_utf8(), .colored = cli_use_color(STDOUT_FILENO), .user = e->identity.user };
}

static int answer(struct cli *cli, const struct explain_request *r, const struct verdict *v)
{
	struct explain_style style = style_of(&cli->engine);

	if (str_eq(r->format, "json"))
		puts(json_print(cli->arena, verdict_json(cli->arena, v), 0));
	else
		fputs(explain_text(cli->arena, v, &style), stdout);
	if (v->disagrees)
		cli_warn("the kernel says otherwise (errno %d, not %d): please report this as a bug of bryo", v->tried_sys, v->sys);
	return (int)v->kind;
}

/* --- the command line: options may also stand at the end, behind the path or the run line */

static bool parse_tail(struct cli *cli, const struct strings *words, size_t from, struct args *ret)
{
	struct strings line = { 0 };

	strings_add(cli->arena, &line, "bryo");
	strings_add(cli->arena, &line, "explain");
	for (size_t i = from; i < words->n; i++)
		strings_add(cli->arena, &line, words->v[i]);
	return args_parse(cli->arena, &cli_program, (int)line.n, line.v, ret, NULL) == 0 && !ret->operands.n && !ret->help;
}

/* What was given at the end counts where nothing was given in front. */
static void merge(struct explain_request *r, const struct explain_request *tail)
{
	char **into[] = { &r->access, &r->path, &r->arg, &r->side, &r->host, &r->format };
	char *const from[] = { tail->access, tail->path, tail->arg, tail->side, tail->host, tail->format };

	for (size_t i = 0; i < ELEMENTS(into); i++)
		*into[i] = *into[i] ? *into[i] : from[i];
	r->try = r->try || tail->try;
}

/* The longest end of the words that is nothing but our own options: none of it can be a run line's. */
static void take_tail(struct cli *cli, struct explain_request *r, struct strings *words)
{
	struct args args;

	for (size_t i = 1; i < words->n; i++)
		if (words->v[i][0] == '-' && parse_tail(cli, words, i, &args)) {
			merge(r, args.request);
			words->n = i;
			words->v = arena_memdup(cli->arena, words->v, (i + 1) * sizeof(*words->v));
			words->v[i] = NULL;
			return;
		}
}

/* --- many at once, for the tests */

static int run_batch(struct cli *cli, struct explain *x, const char *file, struct error *err)
{
	struct batch_result r;
	size_t size;
	char *text = fd_read_given(cli->arena, file, 64 << 20, &size);

	if (!text)
		return error_errno(err, "read %s", file);
	if (explain_batch(x, text, &r, err) < 0)
		return -1;
	for (size_t i = 0; i < r.disagreements.n; i++)
		puts(r.disagreements.v[i]);
	for (enum reason i = 0; i < REASON_COUNT; i++)
		if (r.reasons[i].n)
			printf("%s %zu\n", r.reasons[i].code, r.reasons[i].n);
	printf("%zu situations: %zu allowed, %zu denied, %zu left open, %zu with several blocks; %zu disagreements\n", r.situations,
	       r.allowed, r.denied, r.unknown, r.blocked_twice, r.disagreements.n);
	return r.disagreements.n > 0;
}

/* --- asking */
static bool is_about_host(const struct explain_request *r)
{
	return r->host || str_eq(r->side, "host");
}

static int ask_run(struct cli *cli, struct explain *x, const struct strings *words, const struct facts_question *q,
		   struct verdict *ret, struct error *err)
{
	struct run_line line;
	struct create_request *r = hints_parse_run(cli, words, &line, err);

	return r ? explain_run(x, r, &line, q, ret, err) : -1;
}

static int ask(struct cli *cli, struct explain *x, const struct explain_request *r, const struct strings *operands,
	       struct verdict *ret, struct error *err)
{
	struct strings words = *operands;
	bool is_run = words.n && (r->path || strcmp(words.v[0], "run") == 0);
	const char *path = r->host ? r->host : r->path ? r->path : !is_run && words.n == 2 ? words.v[1] : NULL;
	struct facts_question q;
	struct container c;

	if (facts_question_parse(cli->arena, r->access ? r->access : "write", path, r->arg,
				 is_about_host(r) ? x->e->identity.cwd : "", &q, err) < 0)
		return -1;
	if (is_about_host(r))
		return explain_host(x, &q, ret, err);
	if (is_run && strcmp(words.v[0], "run") == 0)
		words = (struct strings){ words.v + 1, words.n - 1 };
	if (is_run)
		return ask_run(cli, x, &words, &q, ret, err);
	if (container_load(x->e, words.v[0], &c, err) < 0)
		return -1;
	return explain_container(x, &c, &q, ret, err);
}

/* Every mount and device of the run that failed last, until something is found that would have been refused. */
static int explain_last(struct cli *cli, struct explain *x, const struct explain_request *asked, struct error *err)
{
	struct hints found = { 0 };
	struct last_run last;

	if (last_read(x->e, &last, err) < 0)
		return -1;
	if (asked->path) {
		struct facts_question q;
		struct verdict v = { 0 };

		if (facts_question_parse(cli->arena, asked->access ? asked->access : "write", asked->path, asked->arg, "", &q, err) < 0)
			return -1;
		return ask_run(cli, x, &last.words, &q, &v, err) < 0 ? -1 : answer(cli, asked, &v);
	}
	if (hints_collect(cli, x, &last.words, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < found.denied.n; i++)
		answer(cli, asked, &found.denied.v[i]);
	if (found.denied.n)
		return VERDICT_DENIED;
	printf("The last run that failed ended with %lld. None of its mounts and devices refuses its user.\n"
	       "When you know the path: bryo explain --last --path PATH --access OPERATION\n", (long long)last.exit_code);
	return VERDICT_ALLOWED;
}

static int explain_open(struct cli *cli, const struct explain_request *r, const struct strings *words, struct error *err)
{
	struct explain x = { .try = r->try };
	struct verdict v = { 0 };
	int result = -1;

	if (outside_start(&x.outside, err) < 0)
		return -1;
	x.e = cli_engine(cli, err);
	if (x.e && r->batch)
		result = run_batch(cli, &x, r->batch, err);
	else if (x.e && r->last)
		result = explain_last(cli, &x, r, err);
	else if (x.e && ask(cli, &x, r, words, &v, err) == 0)
		result = answer(cli, r, &v);
	outside_done(&x.outside);
	return result;
}

static int run_explain(struct cli *cli, const struct args *args, struct error *err)
{
	struct explain_request *r = args->request;
	struct strings words = args->operands;

	take_tail(cli, r, &words);
	if (r->format && strcmp(r->format, "json") != 0) {
		error_set(err, ERROR_USAGE, "unknown --format argument: \"%s\": json is known", r->format);
		return error_code(err, "bad-value");
	}
	if (r->system)
		return doctor_run(cli, r->format, err);
	if (!words.n && !is_about_host(r) && !r->last && !r->batch) {
		error_set(err, ERROR_USAGE, "requires a container and a path, a run line, --host PATH, --last or --system");
		return error_code(err, "missing-argument");
	}
	return explain_open(cli, r, &words, err);
}

static const struct command_example explain_examples[] = {
	{ "bryo explain web /data", "why can't it write there?" },
	{ "bryo explain --access create --path /data/x run -v ~/data:/data --user 1000 alpine", "before it runs" },
	{ "bryo explain --access unlink --host ~/data/x", "why can't I delete this?" },
	{ "bryo explain --last", "why did the last run fail?" },
	{ "bryo explain --system", "is this host set up well?" },
	{ NULL, NULL }
};

const struct command explain_command = {
	.names = "explain",
	.synopsis = "[options] CONTAINER PATH | run RUN-LINE | --host PATH | --last | --system",
	.summary = "Say why an access is refused, and what would change it",
	.description = "Computes what the kernel will decide about an access: id maps, modes, ACLs, groups, capabilities, mounts. Names "
		       "everything that is in the way and the fixes that are proved to work. Exits 0 when it is allowed, 1 when it is "
		       "denied, 2 when that cannot be told. Options may also stand at the end, behind the run line.\n\n"
		       "With --last it looks at the mounts and devices of the last run that failed, or at one --path of it; --system examines user "
		       "namespaces, subordinate IDs, storage, cgroups and networks, and exits 1 when something will not work.",
	.examples = explain_examples,
	.options = { explain_options },
	.request_size = sizeof(struct explain_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS,
	.flags = COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC_SYSTEM,
	.run = run_explain,
};

/* cli/explain - why an access is refused, and what would change it */
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "explain/batch.h"
#include "sys/fd.h"

struct explain_request { char *access, *path, *arg, *side, *host, *format, *batch; bool try; };

static const struct option explain_options[] = {
	OPT_STRING('a', "access", explain_request, access, "OPERATION",
		   "read, write, append, exec, list, search, connect, create, mkdir, symlink, mknod, link, unlink, rmdir, rename, "
		   "chmod, chown, utimes or touch (default write)",
		   .words = "read|write|append|exec|list|search|connect|create|mkdir|symlink|mknod|link|unlink|rmdir|rename|chmod|"
			    "chown|utimes|touch"),
	OPT_STRING('p', "path", explain_request, path, "PATH", "The path, in the container; with --side host on the host"),
	OPT_STRING(0, "arg", explain_request, arg, "ARG",
		   "The new name of rename and link, UID[:GID] of chown, c, b or p of mknod"),
	OPT_STRING(0, "host", explain_request, host, "PATH", "Explain what you may do with a path of the host yourself",
		   .complete = COMPLETE_FILES),
	OPT_STRING(0, "side", explain_request, side, "container|host", "Who does it (default container)",
		   .words = "container|host"),
	OPT_FLAG(0, "try", explain_request, try, "Also do it, in a process that is thrown away, and compare"),
	OPT_STRING(0, "format", explain_request, format, "FORMAT", "json: the answer as JSON", .words = "json"),
	OPT_STRING(0, "batch", explain_request, batch, "FILE", "Try the situations of a file", .complete = COMPLETE_FILES,
		   .flags = OPTION_HIDDEN),
	OPT_END
};

/* --- printing */
static void print_block(const struct verdict_block *b, bool first)
{
	printf("%s[%s]: %s\n", first ? "error" : "and", reason_code(b->reason), reason_text(b->reason)->line);
	if (b->container)
		printf("  container  %s\n", b->container);
	if (b->host)
		printf("  host       %s\n", b->host);
	if (b->detail)
		printf("  %s\n", b->detail);
}

static void print_text(const struct verdict *v)
{
	if (v->kind == VERDICT_ALLOWED)
		printf("allowed: user %u:%u may %s %s\n", v->subject.uid, v->subject.gid, v->access, v->path);
	for (size_t i = 0; i < v->blocks.n; i++)
		print_block(&v->blocks.v[i], i == 0);
	for (size_t i = 0; i < v->fixes.n; i++) {
		const struct verdict_fix *f = &v->fixes.v[i];
		const char *const lines[] = { f->run, f->host, f->admin };

		for (size_t k = 0; k < ELEMENTS(lines); k++)
			if (lines[k])
				printf("fix %zu%s  %s\n", i + 1, k == 2 ? " (administrator)" : "", lines[k]);
	}
}

static int answer(struct cli *cli, const struct explain_request *r, const struct verdict *v)
{
	if (str_eq(r->format, "json"))
		puts(json_print(cli->arena, verdict_json(cli->arena, v), 0));
	else
		print_text(v);
	if (v->disagrees)
		cli_warn("the kernel says otherwise (errno %d, not %d): please report this as a bug of bryo", v->tried_sys, v->sys);
	return (int)v->kind;
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
	struct strings line = { 0 };
	struct run_line run = { 0 };
	struct args args;
	struct create_request *r;

	strings_add(cli->arena, &line, "bryo");
	strings_add(cli->arena, &line, "run");
	strings_add_all(cli->arena, &line, words);
	if (args_parse(cli->arena, &cli_program, (int)line.n, line.v, &args, err) < 0)
		return -1;
	r = args.request;
	r->image = args.operands.v[0];
	for (size_t i = 1; i < args.operands.n; i++)
		strings_add(cli->arena, &r->command, args.operands.v[i]);
	run.words = *words;
	run.image_at = words->n - args.operands.n;
	return explain_run(x, r, &run, q, ret, err);
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

static int run_explain(struct cli *cli, const struct args *args, struct error *err)
{
	const struct explain_request *r = args->request;
	struct explain x = { .try = r->try };
	struct verdict v = { 0 };
	int result = -1;

	if (!args->operands.n && !is_about_host(r) && !r->batch)
		return error_set(err, ERROR_USAGE, "requires a container and a path, a run line, or --host PATH");
	if (outside_start(&x.outside, err) < 0)
		return -1;
	x.e = cli_engine(cli, err);
	if (x.e && r->batch) {
		result = run_batch(cli, &x, r->batch, err);
		outside_done(&x.outside);
		return result;
	}
	if (x.e)
		result = ask(cli, &x, r, &args->operands, &v, err);
	outside_done(&x.outside);
	return result < 0 ? -1 : answer(cli, r, &v);
}

static const struct command_example explain_examples[] = {
	{ "bryo explain web /data", "why can't it write there?" },
	{ "bryo explain --access create --path /data/x run -v ~/data:/data --user 1000 alpine", "before it runs" },
	{ "bryo explain --access unlink --host ~/data/x", "why can't I delete this?" },
	{ NULL, NULL }
};

const struct command explain_command = {
	.names = "explain",
	.synopsis = "[options] CONTAINER PATH | run RUN-LINE",
	.summary = "Say why an access is refused, and what would change it",
	.description = "Computes what the kernel will decide about an access: id maps, modes, ACLs, groups, capabilities, mounts. Names "
		       "everything that is in the way and the fixes that are proved to work. Exits 0 when it is allowed, 1 when it is "
		       "denied, 2 when that cannot be told.",
	.examples = explain_examples,
	.options = { explain_options },
	.request_size = sizeof(struct explain_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS,
	.flags = COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC_SYSTEM,
	.run = run_explain,
};

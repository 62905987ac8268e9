/* cli/help - help, and the internal command that prints the manual's sources */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/codes.h"
#include "cli/commands.h"
#include "cli/oci.h"
#include "cli/output.h"
#include "explain/reasons.h"

static int unknown(struct error *err, const char *words)
{
	error_set(err, ERROR_USAGE, "unrecognized command `bryo %s`", words);
	error_code(err, "unknown-command");
	return error_hint(err, "see 'bryo --help'");
}

static void print_code(struct arena *arena, const char *code, const char *line, const char *text, const char *no_cure)
{
	int width = cli_width(STDOUT_FILENO);

	printf("%s: %s\n\n", code, line);
	output_wrapped(text, width);
	if (no_cure) {
		putchar('\n');
		output_wrapped(arena_printf(arena, "Not a cure: %s", no_cure), width);
	}
}

static void list_codes(void)
{
	for (const struct code *c = codes; c->name; c++)
		printf("%-24s %s\n", c->name, c->summary);
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		printf("%-24s %s\n", reason_text(r)->code, reason_text(r)->line);
}

/* No command: the code of an error, perhaps, or of what explain finds. */
static int help_word(struct arena *arena, const char *word, struct error *err)
{
	const struct code *c = code_find(word);
	enum reason r = reason_find(word);

	if (strcmp(word, "codes") == 0)
		list_codes();
	else if (c)
		print_code(arena, c->name, c->summary, c->text, NULL);
	else if (r != REASON_COUNT)
		print_code(arena, reason_text(r)->code, reason_text(r)->line, reason_text(r)->paragraph, reason_text(r)->no_cure);
	else
		return unknown(err, word);
	return 0;
}

static int run_help(struct cli *cli, const struct args *args, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);
	struct args about = { .path = "" };
	size_t skip, n = args->operands.n;
	int used = 0;

	about.program = oci_program_of(n, args->operands.v, &skip);
	about.command = args_find_command(cli->arena, about.program, (int)(n - skip), args->operands.v + skip, &used, &about.path);
	if (used == 0 && n == 1)
		return help_word(cli->arena, args->operands.v[0], err);
	if (used < (int)(n - skip))
		return unknown(err, strings_join(cli->arena, &args->operands, " "));
	args_help(cli->arena, &about, cli_width(STDOUT_FILENO), &out);
	fwrite(out.data, 1, out.size, stdout);
	return 0;
}

static const struct command_example help_examples[] = {
	{ "bryo help run", "the options of run" },
	{ "bryo help port-taken", "what is behind error[port-taken]" },
	{ NULL, NULL }
};

const struct command help_command = {
	.names = "help",
	.synopsis = "[COMMAND|CODE|codes]",
	.summary = "Show what a command does, or what an error's code means",
	.description = "CODE is the word in brackets of an error, as in error[port-taken]; \"codes\" lists all.",
	.examples = help_examples,
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_COMMANDS, .complete_rest = COMPLETE_COMMANDS,
	.topic = TOPIC_SYSTEM,
	.run = run_help,
};

/* --- __man [--prose FILE] [COMMAND...] | --list | --words PAGE */

static char *read_prose(struct cli *cli, const char *path, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER(1 << 20);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && buffer_reserve(&text, 4096) == 0) {
		n = read(fd, text.data + text.size, 4096);
		if (n > 0)
			text.size += (size_t)n;
	}
	if (n < 0)
		error_errno(err, "read %s", path);
	if (fd >= 0)
		close(fd);
	return n < 0 ? NULL : arena_strndup(cli->arena, text.data ? text.data : "", text.size);
}

/* The names of all pages, or the words of the command that one page is about. */
static void list_page(struct cli *cli, const struct args_program *program, const struct command *c, const char *only)
{
	const char *page = args_page_name(cli->arena, program, c ? command_name(cli->arena, c) : ""), *group = program == &oci_program ? "oci " : "";

	if (c && (c->flags & COMMAND_HIDDEN))
		return;
	if (!only)
		puts(page);
	else if (strcmp(only, page) == 0)
		printf("%s%s\n", group, c ? command_name(cli->arena, c) : "");
}

static int list_pages(struct cli *cli, const char *only)
{
	static const struct args_program *const programs[] = { &cli_program, &oci_program };

	for (size_t i = 0; i < ELEMENTS(programs); i++) {
		list_page(cli, programs[i], NULL, only);
		/* The runtime has a page of its own in place of one about the word. */
		for (const struct command *const *c = programs[i]->commands; *c; c++)
			if (*c != &oci_command)
				list_page(cli, programs[i], *c, only);
	}
	return 0;
}

static int run_man(struct cli *cli, const struct args *args, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(4 << 20);
	char *const *words = args->operands.v, *prose = NULL;
	int n = (int)args->operands.n, used = 0;
	const struct args_program *program;
	const struct command *c;
	const char *path;
	size_t skip;

	if (n == 1 && strcmp(words[0], "--list") == 0)
		return list_pages(cli, NULL);
	if (n == 2 && strcmp(words[0], "--words") == 0)
		return list_pages(cli, words[1]);
	if (n >= 2 && strcmp(words[0], "--prose") == 0) {
		prose = read_prose(cli, words[1], err);
		if (!prose)
			return -1;
		words += 2;
		n -= 2;
	}
	program = oci_program_of((size_t)n, words, &skip);
	c = args_find_command(cli->arena, program, n - (int)skip, words + skip, &used, &path);
	if (used < n - (int)skip)
		return error_set(err, ERROR_USAGE, "unrecognized command `bryo %s`", words[skip + (size_t)used]);
	args_man(cli->arena, program, c, prose, &out);
	fwrite(out.data, 1, out.size, stdout);
	return 0;
}

const struct command man_command = {
	.names = "__man",
	.synopsis = "[--prose FILE] [COMMAND...] | --list | --words PAGE",
	.summary = "Print the source of a manual page",
	.operands_max = COMMAND_ANY_NUMBER,
	.flags = COMMAND_HIDDEN | COMMAND_RAW,
	.run = run_man,
};

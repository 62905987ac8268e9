/* cli/help - help, and the internal command that prints the manual's sources */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/oci.h"

static int run_help(struct cli *cli, const struct args *args, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);
	struct args about = { .path = "" };
	size_t skip, n = args->operands.n;
	int used = 0;

	about.program = oci_program_of(n, args->operands.v, &skip);
	about.command = args_find_command(cli->arena, about.program, (int)(n - skip), args->operands.v + skip, &used, &about.path);
	if (used < (int)(n - skip))
		return error_set(err, ERROR_USAGE, "unrecognized command `bryo %s`\nTry 'bryo --help' for more information",
				 strings_join(cli->arena, &args->operands, " "));
	args_help(cli->arena, &about, cli_width(STDOUT_FILENO), &out);
	fwrite(out.data, 1, out.size, stdout);
	return 0;
}

const struct command help_command = {
	.names = "help",
	.synopsis = "[COMMAND]",
	.summary = "Show what a command does",
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

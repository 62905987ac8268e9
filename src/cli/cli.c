#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "sys/tty.h"

bool cli_use_color(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return str_is_empty(no_color) && tty_is(fd) && !str_is_empty(term) && strcmp(term, "dumb") != 0;
}

int cli_width(int fd)
{
	struct tty_size size;

	return tty_is(fd) && tty_get_size(fd, &size) == 0 && size.columns ? size.columns : 100;
}

void cli_print_error(const struct error *err)
{
	say_error(err);
}

void cli_warn(const char *fmt, ...)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	va_list ap;

	va_start(ap, fmt);
	say_warning(arena_vprintf(arena, fmt, ap));
	va_end(ap);
}

int cli_exit_code(const struct command *c, const struct error *err)
{
	int code = error_exit_code(err);

	if ((code == 1 || code == 2) && !(c && c->flags & COMMAND_OBJECT_CODES))
		return 125;
	return code ? code : 125;
}

void cli_failed(struct cli *cli, int *code, const struct error *err)
{
	int this_code = cli_exit_code(cli->args->command, err);

	cli_print_error(err);
	if (this_code > *code)
		*code = this_code;
}

bool cli_confirm(const char *question)
{
	char answer[16] = "";

	printf("%s [y/N] ", question);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* --- the engine's words */

static void face_warn(void *context, const char *text)
{
	struct cli *cli = context;

	progress_clear(cli->progress);
	cli_warn("%s", text);
}

static void face_note(void *context, const char *text)
{
	struct cli *cli = context;

	if (cli->quiet)
		return;
	progress_clear(cli->progress);
	say_note(text);
}

static void face_progress(void *context, const struct transfer_event *event)
{
	struct cli *cli = context;

	if (cli->quiet)
		return;
	if (!cli->progress)
		cli->progress = progress_new(cli->arena, STDERR_FILENO);
	progress_event(cli->progress, event);
}

/* A numbered list, until one of its numbers is typed; an empty line or the end of input takes none. */
static int face_choose(void *context, const char *question, const struct strings *choices)
{
	struct cli *cli = context;
	char answer[32];
	unsigned number;

	if (!tty_is(STDIN_FILENO) || !tty_is(STDOUT_FILENO))
		return -2;
	progress_clear(cli->progress);
	say_note(question);
	for (size_t i = 0; i < choices->n; i++)
		fprintf(stderr, "  %zu) %s\n", i + 1, output_clean(cli->arena, choices->v[i]));
	for (;;) {
		fprintf(stderr, "Number: ");
		if (!fgets(answer, sizeof(answer), stdin))
			return -1;
		answer[strcspn(answer, "\r\n")] = '\0';
		if (!*answer)
			return -1;
		if (str_to_u32(answer, &number) == 0 && number >= 1 && number <= choices->n)
			return (int)number - 1;
	}
}

struct engine *cli_engine_identity(struct cli *cli, struct error *err)
{
	struct engine_face face = { cli, face_warn, face_progress, face_note, face_choose };

	if (cli->engine_is_known)
		return &cli->engine;
	if (engine_init(&cli->engine, cli->arena, &cli->globals->engine, &face, err) < 0)
		return NULL;
	cli->engine_is_known = true;
	return &cli->engine;
}

struct engine *cli_engine(struct cli *cli, struct error *err)
{
	if (!cli_engine_identity(cli, err))
		return NULL;
	if (!cli->engine_is_open && engine_open(&cli->engine, err) < 0)
		return NULL;
	cli->engine_is_open = true;
	return &cli->engine;
}

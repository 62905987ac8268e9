/* bryo - a complete rootless container engine
 *
 * Reads the command line, runs one command, prints what went wrong. No work is done before the command is known. */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/oci.h"
#include "cli/say.h"
#include "sys/fd.h"
#include "sys/self.h"
#include "sys/trace.h"

#ifdef __SANITIZE_ADDRESS__
/* The command's arena goes with its process: that is no leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int print_help(struct cli *cli, const struct args *args)
{
	struct buffer out = BUFFER(1 << 20);

	args_help(cli->arena, args, cli_width(STDOUT_FILENO), &out);
	fwrite(out.data, 1, out.size, stdout);
	buffer_done(&out);
	return 0;
}

static int missing_command(struct error *err)
{
	error_set(err, ERROR_USAGE, "missing command 'bryo COMMAND'");
	error_code(err, "unknown-command");
	return error_fix(err, "bryo --help");
}

static int run(struct cli *cli, const struct args *args, char *const *argv, struct error *err)
{
	cli->args = args;
	cli->globals = args->globals;
	if (args->help)
		return print_help(cli, args);
	if (cli->globals->version) {
		printf("bryo version %s\n", BRYO_VERSION);
		return 0;
	}
	if (!args->command)
		return missing_command(err);
	if (args->command->flags & COMMAND_ENTERS)
		self_seal(argv);
	return args->command->run(cli, args, err);
}

/* A trace that cannot be written is no reason not to work. */
static void start_trace(void)
{
	struct error err = { 0 };

	if (trace_open("bryo", &err) < 0)
		cli_warn("%s", err.text);
}

static int bryo_main(int argc, char **argv)
{
	struct cli cli = { .arena = arena_new(), .program = &cli_program };
	struct error err = { 0 };
	struct args args;
	int code;

	say_command_line(argc, argv);
	start_trace();
	code = args_parse(cli.arena, &cli_program, argc, argv, &args, &err);
	if (say_set_format(((struct cli_globals *)args.globals)->error_format, code == 0 ? &err : NULL) < 0)
		code = -1;
	if (code == 0)
		code = run(&cli, &args, argv, &err);
	if (code < 0) {
		cli_print_error(&err);
		code = cli_exit_code(args.command, &err);
	}
	if (fflush(stdout) == EOF && code == 0) {
		error_errno(&err, "write to standard output");
		cli_print_error(&err);
		code = 125;
	}
	trace_close();
	return code;
}

int main(int argc, char **argv)
{
	int skip;

	fd_fill_standard();
	return oci_is_called(argc, argv, &skip) ? oci_main(argc, argv, skip) : bryo_main(argc, argv);
}

#include "cli/oci.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "sys/self.h"
#include "sys/trace.h"

static const struct option global_options[] = {
	OPT_GROUP("Global options"),
	OPT_STRING(0, "root", oci_globals, oci.root, "DIR", "Where the state of containers is kept", .complete = COMPLETE_DIRECTORIES),
	OPT_STRING(0, "log", oci_globals, log.destination, "FILE", "Where messages are written to, besides standard error",
		   .complete = COMPLETE_FILES),
	OPT_STRING(0, "log-format", oci_globals, log.format, "FORMAT", "text (default) or json", .words = "text|json"),
	OPT_STRING(0, "log-level", oci_globals, log.level, "LEVEL", "error, warning (default) or debug", .words = "error|warning|debug"),
	OPT_FLAG(0, "debug", oci_globals, log.debug, "The same as --log-level debug"),
	OPT_FLAG(0, "systemd-cgroup", oci_globals, systemd_cgroup, "The same as --cgroup-manager systemd"),
	OPT_STRING(0, "cgroup-manager", oci_globals, oci.cgroup_manager, "MANAGER", "cgroupfs (default), systemd or disabled",
		   .words = "cgroupfs|systemd|disabled"),
	OPT_FLAG('V', "version", oci_globals, version, "Print the version"),
	OPT_ALIAS('v', NULL, "version"),
	OPT_IGNORED(0, "rootless", "BOOL"),
	OPT_IGNORED(0, "criu", "PATH"),
	OPT_END
};

#define LIST_COMMAND(name) &oci_##name##_command,
static const struct command *const commands[] = { OCI_COMMANDS(LIST_COMMAND) NULL };

static const struct command_example examples[] = {
	{ "bryo oci spec", "a configuration to begin with, for a root file system in ./rootfs" },
	{ "bryo oci run box", "run the bundle in this directory" },
	{ "bryo oci create box && bryo oci start box", "the same in two steps, in the background" },
	{ "podman --runtime $(command -v bryo-oci) run ...", "below another engine" },
	{ NULL, NULL }
};

const struct args_program oci_program = {
	.name = "bryo oci",
	.summary = "Run containers from OCI bundles, with the command line of runc and crun",
	.commands = commands,
	.options = global_options,
	.request_size = sizeof(struct oci_globals),
	.examples = examples,
	.exit_status = "0 on success, 1 for any error of the runtime. run and exec answer what the command answers: its own exit "
		       "code, or 128 + N when signal N ended it.",
};

/* --- what commands use */

static void warn(void *context, const char *text)
{
	oci_log(OCI_LOG_WARNING, text);
}

struct oci *cli_oci(struct cli *cli, struct error *err)
{
	const struct oci_globals *g = cli->args->globals;
	struct oci_options options = g->oci;

	if (cli->oci)
		return cli->oci;
	if (g->systemd_cgroup)
		options.cgroup_manager = "systemd";
	cli->oci = arena_new_one(cli->arena, struct oci);
	cli->oci->warn = warn;
	return oci_open(cli->oci, cli->arena, &options, err) < 0 ? NULL : cli->oci;
}

int oci_print(struct cli *cli, const struct json *value, struct error *err)
{
	if (!value)
		return -1;
	puts(json_print(cli->arena, value, 2));
	return 0;
}

/* --- the program */

const struct args_program *oci_program_of(size_t n, char *const *words, size_t *used)
{
	*used = n > 0 && strcmp(words[0], "oci") == 0;
	return *used ? &oci_program : &cli_program;
}

bool oci_is_called(int argc, char *const *argv, int *skip)
{
	static const char *const names[] = { "bryo-oci", "runc", "crun" };
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL, *name = argc > 0 ? slash ? slash + 1 : argv[0] : "";

	*skip = 0;
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	*skip = 1;
	return argc > 1 && strcmp(argv[1], "oci") == 0;
}

/* Engines ask and compare: name, version, and the version of the specification. */
/* The last line is in crun's form: scripts, and its own tests, look there for what a runtime can do. */
static int print_version(void)
{
	printf("bryo-oci version %s\nspec: %s\n+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF +CRIU\n", BRYO_VERSION, OCI_VERSION);
	return 0;
}

static int print_help(struct cli *cli, const struct args *args)
{
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);

	args_help(cli->arena, args, cli_width(STDOUT_FILENO), &out);
	fwrite(out.data, 1, out.size, stdout);
	return 0;
}

static int run(struct cli *cli, const struct args *args, char *const *argv, struct error *err)
{
	const struct oci_globals *g = args->globals;

	cli->args = args;
	if (args->help)
		return print_help(cli, args);
	if (g->version)
		return print_version();
	if (!args->command)
		return error_set(err, ERROR_USAGE, "missing command 'bryo oci COMMAND': see 'bryo oci --help'");
	if (args->command->flags & COMMAND_ENTERS)
		self_seal(argv);
	return args->command->run(cli, args, err);
}

/* Docker's client derives 126 and 127 from the reason why a command cannot be executed, which it knows in Go's spelling. */
static void spell_as_go_does(struct error *err)
{
	char *reason = strrchr(err->text, ':');

	if ((error_is(err, ERROR_NO_COMMAND) || error_is(err, ERROR_NOT_EXECUTABLE)) && reason && reason[1] == ' ')
		reason[2] = (char)tolower((unsigned char)reason[2]);
}

static void print_failure(struct arena *arena, struct error *err)
{
	spell_as_go_does(err);
	oci_log(OCI_LOG_ERROR, err->hint[0] ? arena_printf(arena, "%s\nhint: %s", err->text, err->hint) : err->text);
}

/* What a wrong command line says about the log may stand behind what is wrong. */
static void look_for(int argc, char **argv, const char *option, char **ret)
{
	for (int i = 1; i < argc && !*ret && strcmp(argv[i], "--") != 0; i++) {
		char *rest = strncmp(argv[i], option, strlen(option)) == 0 ? argv[i] + strlen(option) : NULL;

		if (rest && *rest == '=')
			*ret = rest + 1;
		else if (rest && !*rest && i + 1 < argc)
			*ret = argv[i + 1];
	}
}

int oci_main(int argc, char **argv, int skip)
{
	struct cli cli = { .arena = arena_new(), .program = &oci_program };
	struct error err = { 0 }, log_err = { 0 };
	struct oci_globals *g;
	struct args args = { 0 };
	int parsed, code;

	if (trace_open("bryo oci", &log_err) < 0)
		oci_log(OCI_LOG_WARNING, log_err.text);
	parsed = code = args_parse(cli.arena, &oci_program, argc - skip, argv + skip, &args, &err);
	g = args.globals;
	if (parsed < 0) {
		look_for(argc, argv, "--log", &g->log.destination);
		look_for(argc, argv, "--log-format", &g->log.format);
	}
	if (oci_log_open(&g->log, &log_err) < 0 && parsed == 0) {
		err = log_err;
		code = -1;
	}
	if (code == 0)
		code = run(&cli, &args, argv, &err);
	if (code < 0) {
		print_failure(cli.arena, &err);
		code = 1;
	}
	if (fflush(stdout) == EOF && code == 0) {
		fprintf(stderr, "write to standard output: %m\n");
		code = 1;
	}
	trace_close();
	return code;
}

/* Reached when bryo's own global options stand before the word. */
static int run_as_command(struct cli *cli, const struct args *args, struct error *err)
{
	struct strings argv = { 0 };

	strings_add(cli->arena, &argv, "bryo-oci");	/* a sealed copy goes by it */
	strings_add_all(cli->arena, &argv, &args->operands);
	return oci_main((int)argv.n, argv.v, 0);
}

const struct command oci_command = {
	.names = "oci",
	.synopsis = "[options] COMMAND [ARG...]",
	.summary = "Run containers from OCI bundles, as runc and crun do",
	.description = "The OCI runtime by itself, for bundles and for other engines. Its own options and commands are shown by "
		       "bryo oci --help.",
	.operands_max = COMMAND_ANY_NUMBER,
	.flags = COMMAND_RAW,
	.topic = TOPIC_SYSTEM,
	.run = run_as_command,
};

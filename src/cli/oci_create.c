/* cli/oci_create - create, start, run, exec and spec of the OCI runtime */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/oci.h"
#include "sys/fd.h"

#define TOPIC "Containers"

/* Paths are the caller's; the runtime changes to the bundle. */
static void make_absolute(struct arena *arena, char **path)
{
	char here[PATH_MAX];

	if (*path && **path != '/' && getcwd(here, sizeof(here)))
		*path = arena_printf(arena, "%s/%s", here, *path);
}

#define OPT_PRESERVE(structure) \
	OPT_INT(0, "preserve-fds", structure, preserve_fds, "N", "Pass N descriptors, from 3 on")
#define OPT_CONSOLE(structure) \
	OPT_STRING(0, "console-socket", structure, console_socket, "SOCKET", "Send the terminal's master over this socket", \
		   .complete = COMPLETE_FILES)
#define OPT_PID_FILE(structure) \
	OPT_STRING(0, "pid-file", structure, pid_file, "FILE", "Write the process's ID to this file", .complete = COMPLETE_FILES)

/* --- create and run */

static const struct option create_options[] = {
	OPT_STRING('b', "bundle", oci_create_request, bundle, "DIR", "The bundle (default: the working directory)",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_STRING('f', "config", oci_create_request, config, "FILE", "The configuration (default: config.json of the bundle)",
		   .complete = COMPLETE_FILES),
	OPT_CONSOLE(oci_create_request),
	OPT_PID_FILE(oci_create_request),
	OPT_PRESERVE(oci_create_request),
	OPT_FLAG(0, "no-pivot", oci_create_request, no_pivot, "chroot where pivot_root is not possible: for a root in memory (initramfs)"),
	OPT_FLAG(0, "no-new-keyring", oci_create_request, no_new_keyring, "Leave the container the caller's session keyring"),
	OPT_IGNORED(0, "no-subreaper", NULL),
	OPT_END
};

static const struct option run_options[] = {
	OPT_FLAG('d', "detach", oci_create_request, detach, "Do not wait for its end"),
	OPT_FLAG(0, "keep", oci_create_request, keep, "Do not delete the container after its end"),
	OPT_END
};

static struct oci_create_request *create_request(struct cli *cli, const struct args *args)
{
	struct oci_create_request *r = args->request;

	r->id = args->operands.v[0];
	make_absolute(cli->arena, &r->config);
	make_absolute(cli->arena, &r->console_socket);
	make_absolute(cli->arena, &r->pid_file);
	return r;
}

static int create(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);

	return o ? oci_create(o, create_request(cli, args), err) : -1;
}

static int run(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);
	int exit_code = 0;

	return !o || oci_run(o, create_request(cli, args), &exit_code, err) < 0 ? -1 : exit_code;
}

static int start(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);

	return o ? oci_start(o, args->operands.v[0], err) : -1;
}

const struct command oci_create_command = {
	.names = "create",
	.synopsis = "[options] ID",
	.summary = "Create a container from a bundle; its command waits for `start`",
	.options = { create_options },
	.request_size = sizeof(struct oci_create_request),
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.flags = COMMAND_ENTERS,
	.topic = TOPIC,
	.run = create,
};

const struct command oci_start_command = {
	.names = "start",
	.synopsis = "ID",
	.summary = "Execute the command of a created container",
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = start,
};

const struct command oci_run_command = {
	.names = "run",
	.synopsis = "[options] ID",
	.summary = "Create and start a container, wait for its end and delete it",
	.options = { run_options, create_options },
	.request_size = sizeof(struct oci_create_request),
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.flags = COMMAND_ENTERS,
	.topic = TOPIC,
	.run = run,
};

/* --- exec */

static const struct option exec_options[] = {
	OPT_STRING('p', "process", oci_exec_request, process_file, "FILE", "The process in JSON", .complete = COMPLETE_FILES),
	OPT_FLAG('d', "detach", oci_exec_request, detach, "Do not wait for its end"),
	OPT_FLAG('t', "tty", oci_exec_request, tty, "Give it a terminal"),
	OPT_STRING('u', "user", oci_exec_request, user, "UID[:GID]", "Run as this user"),
	OPT_STRINGS('g', "additional-gids", oci_exec_request, additional_gids, "GID[,GID...]", "Further groups"),
	OPT_STRING(0, "cwd", oci_exec_request, cwd, "DIR", "Working directory in the container"),
	OPT_STRINGS('e', "env", oci_exec_request, env, "NAME=VALUE", "Set a variable"),
	OPT_STRINGS('c', "cap", oci_exec_request, caps, "CAPABILITY", "Add a capability"),
	OPT_FLAG(0, "no-new-privs", oci_exec_request, no_new_privileges, "Programs cannot gain privileges"),
	OPT_STRING(0, "apparmor", oci_exec_request, apparmor, "PROFILE", "AppArmor profile of the process"),
	OPT_STRING(0, "process-label", oci_exec_request, process_label, "LABEL", "SELinux label of the process"),
	OPT_STRING(0, "cgroup", oci_exec_request, cgroup, "PATH", "A cgroup below the container's"),
	OPT_FLAG(0, "ignore-paused", oci_exec_request, ignore_paused, "Make the process in a paused container too; it waits"),
	OPT_CONSOLE(oci_exec_request),
	OPT_PID_FILE(oci_exec_request),
	OPT_PRESERVE(oci_exec_request),
	OPT_IGNORED(0, "no-subreaper", NULL),
	OPT_END
};

static int exec(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);
	struct oci_exec_request *r = args->request;
	int exit_code = 0;

	r->id = args->operands.v[0];
	for (size_t i = 1; i < args->operands.n; i++)
		strings_add(cli->arena, &r->args, args->operands.v[i]);
	return !o || oci_exec(o, r, &exit_code, err) < 0 ? -1 : exit_code;
}

const struct command oci_exec_command = {
	.names = "exec",
	.synopsis = "[options] ID COMMAND [ARG...]",
	.summary = "Run a further process in a container",
	.options = { exec_options },
	.request_size = sizeof(struct oci_exec_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.operands_missing = "a container ID is needed",
	.flags = COMMAND_ENTERS | COMMAND_STOP_AT_OPERAND,
	.topic = TOPIC,
	.run = exec,
};

/* --- spec */

struct spec_request { char *bundle; bool rootless; };

static const struct option spec_options[] = {
	OPT_STRING('b', "bundle", spec_request, bundle, "DIR", "Where to write it (default: the working directory)",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_FLAG(0, "rootless", spec_request, rootless, "For the calling user, in a user namespace of his own"),
	OPT_END
};

static int spec(struct cli *cli, const struct args *args, struct error *err)
{
	const struct spec_request *r = args->request;
	const char *path = arena_printf(cli->arena, "%s/config.json", r->bundle ? r->bundle : ".");
	char *text = json_print(cli->arena, oci_spec_new(cli->arena, r->rootless), 4);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fd_write_all(fd, "\n", 1) < 0)
		return error_errno(err, "%s", path);
	return 0;
}

const struct command oci_spec_command = {
	.names = "spec",
	.synopsis = "[options]",
	.summary = "Write a configuration to begin with",
	.options = { spec_options },
	.request_size = sizeof(struct spec_request),
	.topic = TOPIC,
	.run = spec,
};

/* cli/program - the program's own entry: global options and the list of commands */
#include "cli/cli.h"
#include "cli/commands.h"

static const struct option global_options[] = {
	OPT_GROUP("Global options"),
	OPT_STRING(0, "storage-driver", cli_globals, engine.storage_driver, "DRIVER", "objects, overlay, fuse-overlayfs or vfs instead of the best that works",
		   .words = "objects|overlay|fuse-overlayfs|vfs"),
	OPT_STRING(0, "cgroup-manager", cli_globals, engine.cgroup_manager, "MANAGER", "cgroupfs, systemd or disabled",
		   .words = "cgroupfs|systemd|disabled"),
	OPT_STRING(0, "root", cli_globals, engine.root, "DIR", "Where images, containers and volumes are kept",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_STRING(0, "runroot", cli_globals, engine.runroot, "DIR", "Where the state of what runs is kept", .complete = COMPLETE_DIRECTORIES),
	OPT_STRING(0, "log-level", cli_globals, engine.log_level, "LEVEL", "debug, info, warn, error (default warn)",
		   .words = "debug|info|warn|error"),
	OPT_STRING(0, "error-format", cli_globals, error_format, "FORMAT", "Errors and warnings as text or as lines of json",
		   .words = "text|json"),
	OPT_FLAG('v', "version", cli_globals, version, "Print the version"),
	OPT_IGNORED(0, "events-backend", "NAME"),
	OPT_IGNORED(0, "runtime", "NAME"),
	OPT_IGNORED(0, "noout", NULL),
	OPT_UNSUPPORTED("remote", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("connection", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("context", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("url", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("host", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("identity", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("ssh", "bryo runs here; start it over ssh on another machine"),
	OPT_UNSUPPORTED("storage-opt", "the storage drivers have no options; see --storage-driver"),
	OPT_UNSUPPORTED("imagestore", "all is kept in one --root"),
	OPT_UNSUPPORTED("volumepath", "all is kept in one --root"),
	OPT_UNSUPPORTED("tmpdir", "see --runroot"),
	OPT_UNSUPPORTED("conmon", "bryo-monitor is bryo's own"),
	OPT_UNSUPPORTED("network-config-dir", "there are no networks to be configured"),
	OPT_UNSUPPORTED("hooks-dir", "OCI hooks are not run"),
	OPT_UNSUPPORTED("cdi-spec-dir", "name the devices with --device"),
	OPT_UNSUPPORTED("module", "there are no modules of containers.conf"),
	OPT_UNSUPPORTED("transient-store", "all is kept in one --root"),
	OPT_UNSUPPORTED("runtime-flag", "bryo is the runtime"),
	OPT_UNSUPPORTED("syslog", "messages go to standard error"),
	OPT_UNSUPPORTED("out", "redirect standard output"),
	OPT_END
};

#define LIST_COMMAND(name) &name##_command,
static const struct command *const commands[] = { CLI_COMMANDS(LIST_COMMAND) NULL };

static const struct command_example examples[] = {
	{ "bryo run --rm -it alpine sh", "a shell in a new container" },
	{ "bryo run -d --name web -p 8080:80 nginx", "a server in the background" },
	{ "bryo ps", "what runs" },
	{ "bryo logs -f web", "what it says" },
	{ "bryo exec -it web sh", "look around in it" },
	{ NULL, NULL }
};

const struct args_program cli_program = {
	.name = "bryo",
	.summary = "Run containers without root",
	.commands = commands,
	.options = global_options,
	.request_size = sizeof(struct cli_globals),
	.examples = examples,
};

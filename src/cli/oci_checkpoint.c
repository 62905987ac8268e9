/* cli/oci_checkpoint - checkpoint and restore of the OCI runtime */
#include "oci/checkpoint.h"

#include <limits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/oci.h"

#define TOPIC "Checkpoints"

/* Of both commands. */
#define OPT_COMMON(structure)                                                                                            \
	OPT_STRING(0, "image-path", structure, image_path, "DIR", "Where the files of the checkpoint are (default: checkpoint)", \
		   .complete = COMPLETE_DIRECTORIES),                                                                    \
	OPT_STRING(0, "work-path", structure, work_path, "DIR", "Where criu writes its log (default: with the files)",          \
		   .complete = COMPLETE_DIRECTORIES),                                                                    \
	OPT_FLAG(0, "tcp-established", structure, tcp_established, "Open TCP connections are allowed, and kept"),               \
	OPT_FLAG(0, "ext-unix-sk", structure, ext_unix_sk, "Unix sockets to processes outside are allowed"),                    \
	OPT_FLAG(0, "shell-job", structure, shell_job, "The container may belong to a terminal of the host"),                   \
	OPT_FLAG(0, "file-locks", structure, file_locks, "File locks are allowed, and kept"),                                   \
	OPT_STRING(0, "manage-cgroups-mode", structure, manage_cgroups_mode, "MODE", "soft (default), full, strict or ignore",  \
		   .words = "soft|full|strict|ignore"),                                                                  \
	OPT_STRING(0, "network-lock", structure, network_lock, "METHOD", "How traffic is held back: iptables, nftables or skip", \
		   .words = "iptables|nftables|skip"),                                                                   \
	OPT_STRINGS(0, "empty-ns", structure, empty_ns, "NAMESPACE", "The configuration of this namespace (network) is not kept"), \
	OPT_FLAG(0, "lazy-pages", structure, lazy_pages, "Memory is moved when it is used, over a page server"),               \
	OPT_FLAG(0, "auto-dedup", structure, auto_dedup, "Drop from the files what is there twice")

/* --- checkpoint */

static const struct option checkpoint_options[] = {
	OPT_COMMON(oci_checkpoint_request),
	OPT_STRING(0, "parent-path", oci_checkpoint_request, parent_path, "DIR", "Files of a pre-dump, relative to the image path"),
	OPT_FLAG(0, "leave-running", oci_checkpoint_request, leave_running, "The container runs on"),
	OPT_ALIAS('R', NULL, "leave-running"),
	OPT_FLAG(0, "pre-dump", oci_checkpoint_request, pre_dump, "Write its memory only; it runs on"),
	OPT_STRING(0, "page-server", oci_checkpoint_request, page_server, "ADDRESS:PORT", "Send its memory to this page server"),
	OPT_INT(0, "status-fd", oci_checkpoint_request, status_fd, "FD", "Write a zero byte there when lazy pages can be asked for"),
	OPT_END
};

static int checkpoint(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);
	struct oci_checkpoint_request *r = args->request;

	r->id = args->operands.v[0];
	return o ? oci_checkpoint(o, r, err) : -1;
}

const struct command oci_checkpoint_command = {
	.names = "checkpoint",
	.synopsis = "[options] ID",
	.summary = "Write a running container to files, by criu, and delete it",
	.options = { checkpoint_options },
	.request_size = sizeof(struct oci_checkpoint_request),
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = checkpoint,
};

/* --- restore */

static const struct option restore_options[] = {
	OPT_COMMON(oci_restore_request),
	OPT_STRING('b', "bundle", oci_restore_request, bundle, "DIR", "The bundle (default: the working directory)",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_STRING('f', "config", oci_restore_request, config, "FILE", "The configuration (default: config.json of the bundle)",
		   .complete = COMPLETE_FILES),
	OPT_STRING(0, "console-socket", oci_restore_request, console_socket, "SOCKET", "Send the terminal's master over this socket",
		   .complete = COMPLETE_FILES),
	OPT_STRING(0, "pid-file", oci_restore_request, pid_file, "FILE", "Write the process's ID to this file",
		   .complete = COMPLETE_FILES),
	OPT_FLAG('d', "detach", oci_restore_request, detach, "Do not wait for its end"),
	OPT_FLAG(0, "keep", oci_restore_request, keep, "Do not delete the container after its end"),
	OPT_STRING(0, "lsm-profile", oci_restore_request, lsm_profile, "TYPE:NAME", "Another AppArmor profile or SELinux label"),
	OPT_STRING(0, "lsm-mount-context", oci_restore_request, lsm_mount_context, "LABEL", "Another SELinux label of its mounts"),
	OPT_FLAG(0, "no-pivot", oci_restore_request, no_pivot, "Of no effect"),
	OPT_FLAG(0, "no-subreaper", oci_restore_request, no_subreaper, "Of no effect"),
	OPT_END
};

/* Paths are the caller's; the runtime changes to the bundle. */
static void make_absolute(struct arena *arena, char **path)
{
	char here[PATH_MAX];

	if (*path && **path != '/' && getcwd(here, sizeof(here)))
		*path = arena_printf(arena, "%s/%s", here, *path);
}

static int restore(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);
	struct oci_restore_request *r = args->request;
	int exit_code = 0;

	r->id = args->operands.v[0];
	make_absolute(cli->arena, &r->config);
	make_absolute(cli->arena, &r->console_socket);
	make_absolute(cli->arena, &r->pid_file);
	return !o || oci_restore(o, r, &exit_code, err) < 0 ? -1 : exit_code;
}

const struct command oci_restore_command = {
	.names = "restore",
	.synopsis = "[options] ID",
	.summary = "Make a container of a bundle again from the files of a checkpoint",
	.options = { restore_options },
	.request_size = sizeof(struct oci_restore_request),
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.flags = COMMAND_ENTERS,
	.topic = TOPIC,
	.run = restore,
};

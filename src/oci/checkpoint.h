/* oci/checkpoint - a container's processes written to files by criu, and made again from them
 *
 * An image directory has criu's files, descriptors.json (what the container's standard streams were, as other runtimes
 * write it) and external-mounts.json (which of its mounts are the host's). It depends on the container's root file system
 * being the same when it is restored, and on what the bundle mounts. */
#ifndef BRYO_OCI_CHECKPOINT_H
#define BRYO_OCI_CHECKPOINT_H

#include "oci/oci.h"

struct oci_checkpoint_request {
	const char *id;
	char *image_path;		/* NULL: "checkpoint" in the working directory; made when it is not there */
	char *work_path;		/* for criu's log; NULL: the images' */
	char *parent_path;		/* the images of a pre-dump, relative to image_path; NULL: none */
	char *manage_cgroups_mode;	/* "soft" (NULL), "full", "strict", "ignore" */
	char *network_lock;		/* "iptables", "nftables", "skip"; NULL: what this machine has */
	char *page_server;		/* ADDRESS:PORT */
	int64_t status_fd;		/* gets a zero byte when lazy pages can be asked for; 0: none */
	struct strings empty_ns;	/* "network": its configuration is not kept */
	bool leave_running, tcp_established, ext_unix_sk, shell_job, file_locks, pre_dump, lazy_pages, auto_dedup;
};
/* Unless it is to run on (leave_running, pre_dump) the container is deleted afterwards. */
int oci_checkpoint(struct oci *o, const struct oci_checkpoint_request *request, struct error *err);

struct oci_restore_request {
	const char *id;			/* of the new container */
	char *bundle, *config, *console_socket, *pid_file;	/* as in oci_create_request */
	char *image_path, *work_path, *manage_cgroups_mode, *network_lock;
	char *lsm_profile;		/* "apparmor:NAME", "selinux:LABEL" in place of what it had */
	char *lsm_mount_context;
	struct strings empty_ns;
	bool tcp_established, ext_unix_sk, shell_job, file_locks, lazy_pages, auto_dedup;
	bool detach, keep;
	bool no_pivot, no_subreaper;	/* of no effect: criu does it its own way; orphans are adopted in any case */
};
int oci_restore(struct oci *o, const struct oci_restore_request *request, int *ret_exit_code, struct error *err);

#endif

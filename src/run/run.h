/* run/run - the OCI runtime: plan, then execute
 *
 * run_plan takes every decision and writes it down as a flat array of operations; run_spawn clones the child, which is
 * a small interpreter of that array (no allocation, no NSS, no stdio between clone and exec) and stops right before
 * exec; run_release lets it go. The plan can be printed and compared with golden files without privilege. */
#ifndef BRYO_RUN_RUN_H
#define BRYO_RUN_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/oci_runtime.h"
#include "sys/mount.h"

struct run_request {
	const struct oci_spec *spec;
	const char *id, *bundle;	/* for those who are told about the container; NULL: "" */
	const struct rootfs *rootfs;	/* NULL: spec->root->path is a directory */
	int root_mount;			/* >= 0: the root is mounted already, as this detached mount (of mount_overlay, or a
					   clone of a directory): the engine looked into it for users and the working
					   directory. The child only attaches it; rootfs serves --plan's text */
	int stdio[3];			/* for the container; with process.terminal: ignored, a pty is made */
	int cgroup_fd;			/* CLONE_INTO_CGROUP; -1: none */
	const char *cache_dir;		/* for compiled seccomp programs; NULL: none kept */
	bool seccomp_default;		/* without spec.linux.seccomp: the default profile, filtered by the bounding set: the
					   installed containers-common file when there is one, else bryo's own */
	const char *seccomp_profile;	/* the same with this profile file in Docker's format */
	const int *preserve_fds;	/* moved to 3.. in the container */
	size_t preserve_fds_n;
};

struct run_plan;
struct run_plan *run_plan_new(struct arena *arena, const struct run_request *request, struct error *err);
/* One line an operation, for `--plan` and golden files. */
int run_plan_print(const struct run_plan *plan, struct buffer *out);

struct run_process {
	pid_t pid;			/* in the caller's pid namespace; his child */
	int pidfd;
	int console;			/* pty master, -1 without a terminal */
	int release;			/* internal: the channel to the waiting child */
};

/* Clones and sets up; on success the child waits right before exec. On an error nothing is left running. */
int run_spawn(const struct run_plan *plan, struct run_process *ret, struct error *err);
/* Lets the child exec; answers when it did. A command that is missing or cannot be executed gives ERROR_NO_COMMAND
 * (127) or ERROR_NOT_EXECUTABLE (126) in Podman's words. */
int run_release(struct run_process *p, struct error *err);
/* Both in one, for those who need nothing from the waiting child: `born` (may be NULL) is called as soon as its pid is
 * known, while it sets up, and it executes the command only after that has answered 0. Nobody is woken in between. */
int run_start(const struct run_plan *plan, int (*born)(void *context, const struct run_process *p, struct error *err),
	      void *context, struct run_process *ret, struct error *err);
void run_abandon(struct run_process *p);	/* kills and reaps a child that was not released */

/* A further process in a running container: joins the namespaces and cgroup of `target` and applies process. The
 * container's spec gives seccomp, no_new_privileges and the rest that the process does not say itself. Same two steps
 * as above: run_exec_plan + run_spawn + run_release. */
struct run_exec_request {
	pid_t target;			/* the container's first process */
	int target_pidfd;
	const struct oci_spec *spec;	/* of the container */
	const char *id, *bundle;	/* of the container, as in run_request */
	const struct oci_process *process;
	int stdio[3];
	int cgroup_fd;
	const char *cache_dir;
	bool seccomp_default;		/* these two as in run_request */
	const char *seccomp_profile;
	const int *preserve_fds;
	size_t preserve_fds_n;
};
struct run_plan *run_exec_plan_new(struct arena *arena, const struct run_exec_request *request, struct error *err);

/* The names of the default capability set, and lookup: "net_admin", "CAP_NET_ADMIN", "ALL". */
int run_capabilities(struct arena *arena, const struct strings *add, const struct strings *drop, bool privileged,
		     struct strings *ret, struct error *err);
/* Masked and read-only paths of the default profile. */
extern const char *const run_masked_paths[], *const run_readonly_paths[];

#endif

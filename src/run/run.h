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
#include "sys/idmap.h"
#include "sys/mount.h"

/* Where the child waits for its maker. */
enum run_moment {
	RUN_BORN,		/* in its namespaces; nothing is mounted yet */
	RUN_MOUNTED,		/* its tree is complete; before pivot_root: prestart and createRuntime hooks */
};

struct run_process {
	pid_t pid;			/* in the caller's pid namespace; his child */
	int pidfd;
	int console;			/* pty master, -1 without a terminal */
	int release;			/* internal: the channel to the waiting child */
};

/* What the caller does while the child is set up. Each answers -1 with err to give up, and may be NULL. */
struct run_moments {
	void *context;
	/* In place of a direct write to /proc/PID/uid_map and gid_map. */
	int (*map)(void *context, pid_t pid, const struct id_maps *maps, struct error *err);
	int (*born)(void *context, const struct run_process *p, struct error *err);
	int (*mounted)(void *context, const struct run_process *p, struct error *err);
};

/* One hierarchy of cgroup version 1 (or the unified one beside them) as a container sees it. */
struct run_hierarchy {
	const char *name;		/* its directory: "cpu,cpuacct" */
	const char *options;		/* of mount(2); NULL for the unified one */
	const char *path;		/* the container's directory in it on the host */
	struct strings links;		/* other names for the directory: "cpu", "cpuacct" */
};
struct run_hierarchies {
	struct run_hierarchy *v;
	size_t n;
};

struct run_request {
	const struct oci_spec *spec;
	const char *id;
	const char *bundle;		/* absolute: relative paths of the specification begin there; NULL: there are none */
	const struct rootfs *rootfs;	/* NULL: spec->root->path is a directory */
	int root_mount;			/* >= 0: the root is mounted already, as this detached mount (of mount_overlay, or a
					   clone of a directory): the engine looked into it for users and the working
					   directory. The child only attaches it; rootfs serves --plan's text */
	int stdio[3];			/* for the container; with process.terminal: ignored, a pty is made */
	int cgroup_fd;			/* CLONE_INTO_CGROUP; -1: none */
	bool cgroup_later;		/* run_plan_set_cgroup tells, when all else is known to be good */
	const char *cache_dir;		/* for compiled seccomp programs; NULL: none kept */
	bool seccomp_default;		/* without spec.linux.seccomp: the default profile, filtered by the bounding set: the
					   installed containers-common file when there is one, else bryo's own */
	const char *seccomp_profile;	/* the same with this profile file in Docker's format */
	const int *preserve_fds;	/* moved to 3.. in the container; -1: that number is left out */
	size_t preserve_fds_n;

	/* For whoever makes a container from a bundle; all may be left empty. */
	bool no_command;		/* the process has none: it is never started */
	bool no_pivot;			/* chroot where pivot_root is not possible: from a root in memory (initramfs) */
	bool keyring;			/* a session keyring of its own */
	bool make_devices;		/* by mknod where the kernel allows it, rather than as the host's */
	bool terminal_text;		/* what its terminal prints is for a file or a pipe: no carriage returns */
	bool reset_affinity;		/* all processors that the cgroup allows, not the caller's own choice */
	const struct run_hierarchies *cgroup_v1;	/* what a mount of type cgroup shows; NULL: the unified hierarchy */
	const char *state_head, *state_tail;	/* the state for the child's hooks and for seccomp's listener: JSON before
						   and after the number of the pid */
	const int *hook_output;		/* two descriptors for what its hooks print; NULL: where the container prints */
	const int *start_socket;	/* a listening SOCK_SEQPACKET socket: after run_release the child waits for one who
					   connects and says go (run_go), and answers him by executing the command */
	const int *created_lock;	/* held open by the child until it executes the command, by nobody else */
	const int *bypass_socket;	/* connections are notified: to this socket the child sends a seccomp listener, with
					   one byte, unless it is not possible here */
	bool bypass_published;		/* its accept(2) is notified, too */
	const struct run_moments *moments;
	struct strings *warnings;	/* of what is not as it was asked for; NULL: not wanted */
};

struct run_plan;
struct run_plan *run_plan_new(struct arena *arena, const struct run_request *request, struct error *err);
void run_plan_set_cgroup(struct run_plan *plan, int cgroup_fd);
/* One line an operation, for `--plan` and golden files. */
int run_plan_print(const struct run_plan *plan, struct buffer *out);

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
/* To a child that waits at its start socket, over a connection to it: answers when it has executed the command, or
 * with its error. */
int run_go(int connection, struct error *err);

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
	bool terminal_text;		/* as in run_request */
	const int *bypass_socket;	/* these two as in run_request */
	bool bypass_published;
	bool process_is_file;		/* errors name members of a process file, not of ".process" */
	const char *state_head, *state_tail;	/* these three as in run_request */
	const struct run_moments *moments;
	struct strings *warnings;
};
struct run_plan *run_exec_plan_new(struct arena *arena, const struct run_exec_request *request, struct error *err);

/* What can be wrong with a hook in itself; position: ".hooks.prestart[0]". Those that the child runs are checked with the
 * plan. */
int run_check_hook(const struct oci_hook *h, const char *position, struct error *err);

/* The names of the default capability set, and lookup: "net_admin", "CAP_NET_ADMIN", "ALL". */
int run_capabilities(struct arena *arena, const struct strings *add, const struct strings *drop, bool privileged,
		     struct strings *ret, struct error *err);
/* Masked and read-only paths of the default profile. */
extern const char *const run_masked_paths[], *const run_readonly_paths[];

#endif

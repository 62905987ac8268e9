/* run/plan - what the child does between clone and exec, as data
 *
 * The parent writes the plan, run/parent prepares the descriptors that its operations name, run/child executes it,
 * run/plan_print shows it. Internal to run/. Strings and arrays live in the plan's arena; nothing of a plan changes
 * after run_plan_new, so one plan may be spawned more than once. */
#ifndef BRYO_RUN_PLAN_H
#define BRYO_RUN_PLAN_H

#include <linux/filter.h>

#include "run/mount_options.h"
#include "run/run.h"
#include "run/seccomp_listener.h"
#include "sys/caps.h"
#include "sys/idmap.h"

#define PRESERVE_MAX 128		/* --preserve-fds */

enum op_kind {
	OP_JOIN,		/* setns: the namespace at `source`, of the kinds in flags */
	OP_JOIN_TARGET,		/* setns: the kinds in flags of the process that runs in the container */
	OP_OOM_SCORE,		/* value */
	OP_PRIVATE,		/* no mount event leaves or enters this mount namespace */
	OP_CGROUP_NAMESPACE,	/* made after the move into the cgroup, so that this becomes its root */
	OP_LOOPBACK,
	OP_ROOT_OVERLAY,
	OP_ROOT_BIND,		/* source */
	OP_MOUNT,		/* a new file system */
	OP_BIND,		/* source -> target */
	OP_DEVICE,		/* node `source` of the host -> target */
	OP_FIFO,		/* target, mode in flags */
	OP_SYMLINK,		/* link text `source`, directory `target`, name `fstype` */
	OP_CONSOLE,		/* a pty of the container's devpts, its slave at target */
	OP_MASK,		/* target hidden: an empty directory or /dev/null over it */
	OP_READONLY_PATH,
	OP_MKDIR,		/* target, if missing */
	OP_PIVOT,
	OP_ROOT_FLAGS,		/* read-only root, propagation of the root mount */
	OP_HOSTNAME,
	OP_DOMAINNAME,
	OP_SYSCTL,		/* source: path below /proc/sys, fstype: text */
	OP_RLIMIT,		/* flags: resource, value: soft, value2: hard */
	OP_NEW_SID,		/* setsid, and the terminal when there is one */
	OP_STDIO,
	OP_UMASK,
	OP_CHDIR,
	OP_USER,		/* bounding set, groups, gid, uid, capabilities, no_new_privs */
	OP_FIND_COMMAND,
	OP_READY,		/* tells the parent and waits for his leave */
	OP_SECCOMP,
	OP_EXEC,
	OP_KINDS
};

struct op {
	enum op_kind kind;
	const char *source, *target, *fstype;
	struct mount_options mount;
	uint64_t flags;
	uint64_t value, value2;
	int slot;			/* descriptor that the parent prepares for this operation; -1 none */
};

struct plan_process {
	uint32_t uid, gid;
	const gid_t *groups;
	size_t groups_n;
	bool keep_groups;		/* the caller's own supplementary groups stay, as --group-add keep-groups asks */
	struct cap_sets caps;
	bool no_new_privileges;
	bool terminal;
	unsigned short rows, columns;
	mode_t umask;
	char **argv, **envp;
	struct strings candidates;	/* where args[0] may be, in PATH order */
	const struct sock_filter *filter;
	size_t filter_n;
	unsigned filter_flags;
	const struct seccomp_listener *listener;	/* whom the filter notifies; NULL: nobody */
};

struct run_plan {
	struct arena *arena;
	ARRAY(struct op) ops;
	size_t slots_n;
	uint64_t clone_flags;
	int pid_namespace;		/* slot of the pid namespace to be born in; -1: none by path */
	int user_namespace;		/* slot of the user namespace to be born in; -1 */
	int target_pidfd;		/* exec: the process whose namespaces are joined; -1 */
	bool own_user_namespace;	/* maps are written by the parent */
	struct id_maps maps;
	int cgroup_fd;
	const struct rootfs *rootfs;
	int root_mount;			/* the root as a detached mount of the caller's; -1: made from rootfs */
	struct plan_process process;
	int stdio[3];
	const int *preserve_fds;
	size_t preserve_fds_n;
};

struct op *plan_add(struct run_plan *plan, enum op_kind kind);
/* The same with a descriptor to be prepared. */
struct op *plan_add_slot(struct run_plan *plan, enum op_kind kind);
/* One operation in words: "mount /nonexistent at /data". */
int op_describe(const struct op *op, struct buffer *out);

/* Parts of run_plan_new, in their own files. */
int plan_add_mounts(struct run_plan *plan, const struct oci_spec *spec, struct error *err);
int plan_add_devices(struct run_plan *plan, const struct oci_spec *spec, struct error *err);
/* Identity, limits, command: the end of every plan. */
int plan_add_process(struct run_plan *plan, const struct oci_process *process, struct error *err);
int plan_check_process(const struct oci_process *process, struct error *err);

/* Opens the descriptors that the plan's operations name: fds[slot]. */
int slots_open(const struct run_plan *plan, int *fds, struct error *err);
void slots_close(const struct run_plan *plan, int *fds);
/* "container setup, step 5 of 9: mount /nonexistent at /data: No such file or directory", from errno. */
int plan_error(const struct run_plan *plan, size_t step, const char *what, struct error *err);

/* --- child and parent talk over one SOCK_SEQPACKET pair */
enum message_kind {
	MESSAGE_MAPS = 1,	/* child: in a new user namespace, waiting for its maps */
	MESSAGE_CONSOLE,	/* child: with the pty master */
	MESSAGE_BORN,		/* helper: the process it made, with its pidfd */
	MESSAGE_READY,		/* child: set up, waiting for leave to exec */
	MESSAGE_FAILED,
};

struct message {
	int32_t kind;			/* enum message_kind */
	int32_t step;			/* MESSAGE_FAILED: index into plan->ops, -1: outside of them */
	int32_t sys;			/* errno */
	int32_t error;			/* enum error_kind, ERROR_NONE: by errno */
	int32_t pid;			/* MESSAGE_BORN */
	char what[64];			/* the call or object that failed inside the step, "" when the step says it all */
};

struct child {
	const struct run_plan *plan;
	const int *fds;			/* by slot */
	int sync;
	uint64_t joined;		/* CLONE_NEW*: namespaces by path that it was born in */
	int root;			/* the new root */
	int proc, dev, devpts;		/* the container's, as mounted by us: verified by birth */
	int tmpfs;			/* an empty read-only tmpfs that already covers a masked directory */
	int console_slave;
	const char *command;		/* found by OP_FIND_COMMAND */
	pid_t outer_pid;		/* its id as the runtime sees it, for the listener's receiver */
	size_t step;
};

/* Runs the plan; never returns. */
_Noreturn void child_run(const struct run_plan *plan, const int *fds, int sync, uint64_t joined);
/* Reports errno and ends the process. */
_Noreturn void child_fail(const struct child *c, const char *what, enum error_kind kind);

/* Groups of operations, -1 with errno and a word about what failed in *ret_what. */
int child_mount_op(struct child *c, const struct op *op, const char **ret_what);
/* tmpcopyup: fills a mount that is not attached yet with what its target holds. */
int child_copy_up(struct child *c, const struct op *op, int mount, const char **ret_what);
int child_process_op(struct child *c, const struct op *op, const char **ret_what);
int child_terminal_op(struct child *c, const struct op *op, const char **ret_what);
int child_send(int sync, const struct message *m, const int *fds, size_t fds_n);
void child_wait(struct child *c);

#endif

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
	OP_CHROOT_TARGET,	/* its root, where that is not the root of its mount namespace */
	OP_OOM_SCORE,		/* value */
	OP_KEYRING,		/* a session keyring of its own, named `source` */
	OP_MOMENT,		/* flags: enum run_moment; the caller has something to do before it goes on */
	OP_PRIVATE,		/* no mount event leaves or enters this mount namespace */
	OP_CGROUP_NAMESPACE,	/* made after the move into the cgroup, so that this becomes its root */
	OP_LOOPBACK,
	OP_LABEL_OPEN,		/* the file that takes the label, of the old /proc */
	OP_ROOT_OVERLAY,
	OP_ROOT_BIND,		/* source */
	OP_MOUNT,		/* a new file system */
	OP_CGROUP_V1,		/* the hierarchies of version 1 below target */
	OP_BIND,		/* source -> target */
	OP_REMOUNT,		/* other flags for what is mounted at target */
	OP_DEVICE,		/* device: made, or the host's node `source` -> target */
	OP_SYMLINK,		/* link text `source`, directory `target`, name `fstype` */
	OP_CONSOLE,		/* a pty of the container's devpts, its slave at target */
	OP_MASK,		/* target hidden: an empty directory or /dev/null over it */
	OP_READONLY_PATH,
	OP_MKDIR,		/* target, if missing */
	OP_HOOK,		/* hook */
	OP_PIVOT,		/* flags: CHROOT_ONLY, CHROOT_ELSE */
	OP_ROOT_FLAGS,		/* read-only root, propagation of the root mount */
	OP_HOSTNAME,
	OP_DOMAINNAME,
	OP_SYSCTL,		/* source: path below /proc/sys, fstype: text */
	OP_PERSONALITY,		/* value */
	OP_AFFINITY,		/* bits: processors */
	OP_MEMORY_POLICY,	/* value: MPOL_* and its flags, bits: nodes */
	OP_RLIMIT,		/* flags: resource, value: soft, value2: hard */
	OP_SCHEDULER,		/* by the parent, who has the privilege: scheduler */
	OP_IO_PRIORITY,		/* by the parent: value */
	OP_NEW_SID,		/* setsid, and the terminal when there is one */
	OP_STDIO,
	OP_UMASK,
	OP_CHDIR,
	OP_USER,		/* bounding set, groups, gid, uid, capabilities, no_new_privs */
	OP_FIND_COMMAND,
	OP_READY,		/* tells the parent and waits for his leave */
	OP_START,		/* waits for whoever connects to the start socket and says go */
	OP_BYPASS,		/* a filter that notifies of connections, and its listener to whoever made the plan */
	OP_SECCOMP,
	OP_LABEL,
	OP_EXEC,
	OP_KINDS
};

enum { CHROOT_ONLY = 1, CHROOT_ELSE = 2 };

struct plan_hook {		/* one program, run by the child */
	const char *path;
	char **argv, **envp;
	int64_t timeout;		/* seconds; 0 none */
	const char *position;		/* ".hooks.createContainer[0]" */
	const char *called;		/* in errors: its path, with the position where nobody else tells that */
	int state;			/* slot of a file for its standard input, which the child fills */
};

struct plan_device {
	mode_t mode;			/* S_IFCHR, S_IFBLK or S_IFIFO, and permissions */
	dev_t number;
	bool has_number;
	bool make;			/* by mknod where that is allowed; otherwise the host's node is bound */
	bool apart;			/* for a user namespace: by the parent's mknod in a file system of its own */
	uint32_t uid, gid;		/* of a made node; apart: the host's ids */
};

#define PLAN_BITS 1024
struct plan_bits { unsigned long word[PLAN_BITS / 64]; };	/* processors or memory nodes */

struct op {
	enum op_kind kind;
	const char *source, *target, *fstype;
	struct mount_options mount;
	uint64_t flags;
	uint64_t value, value2;
	union {
		const struct plan_hook *hook;
		const struct plan_device *device;
		const struct plan_bits *bits;
		const struct plan_scheduler *scheduler;
		const struct id_maps *maps;	/* OP_BIND: the mount shows ids as these maps say */
		const struct run_hierarchies *hierarchies;	/* OP_CGROUP_V1 */
		const char *label;		/* OP_MOUNT: SELinux' of the root; NULL */
	};
	int slot;			/* descriptor that the parent prepares for this operation; -1 none */
};

struct plan_process {
	uint32_t uid, gid;
	const gid_t *groups;
	size_t groups_n;
	bool reset_affinity;
	bool none;			/* there is no command, nor a start */
	bool keep_groups;		/* the caller's own supplementary groups stay, as --group-add keep-groups asks */
	struct cap_sets caps;
	bool no_new_privileges;
	bool terminal;
	unsigned short rows, columns;
	bool terminal_text;
	mode_t umask;
	const char *selinux_label, *apparmor_profile;	/* NULL: none */
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
	int mount_namespace;		/* slot of the mount namespace that is joined; -1: a new one */
	int target_pidfd;		/* exec: the process whose namespaces are joined; -1 */
	bool cgroup_namespace;		/* a new one */
	bool own_user_namespace;	/* maps are written by the parent */
	struct id_maps maps;
	const char *time_offsets;	/* "monotonic 5 0\nboottime 7 0\n", NULL none */
	const char *state_head, *state_tail;	/* the container's state in JSON, before and after its pid */
	int start_socket, created_lock, bypass_socket;	/* -1; see run_request */
	const struct run_moments *moments;
	struct strings *warnings;	/* NULL: nobody wants to know */
	const char *process_at;		/* where the process stands in its file: ".process" or "" */
	int cgroup_fd;
	const struct rootfs *rootfs;
	int root_mount;			/* the root as a detached mount of the caller's; -1: made from rootfs */
	struct plan_process process;
	int stdio[3];
	int hook_output[2];		/* standard output and error of the child's hooks; -1: the container's */
	const int *preserve_fds;
	size_t preserve_fds_n;
};

struct op *plan_add(struct run_plan *plan, enum op_kind kind);
/* The same with a descriptor to be prepared. */
struct op *plan_add_slot(struct run_plan *plan, enum op_kind kind);
/* What it does, without its details: "mount". */
const char *op_name(enum op_kind kind);
/* One operation in words: "mount /nonexistent at /data". */
int op_describe(const struct op *op, struct buffer *out);

/* Parts of run_plan_new, in their own files. */
int plan_add_namespaces(struct run_plan *plan, const struct oci_linux *l, struct error *err);
bool plan_has_namespace(const struct oci_linux *l, const char *type);
/* Refuses settings that are not those of a namespace of the container's. */
int plan_add_sysctls(struct run_plan *plan, const struct oci_linux *l, struct error *err);
int plan_add_mounts(struct run_plan *plan, const struct run_request *request, struct error *err);
int plan_add_devices(struct run_plan *plan, const struct run_request *request, struct error *err);
int plan_add_hooks(struct run_plan *plan, const struct oci_hook *hooks, size_t n, const char *name, struct error *err);
/* Where the kernel shall run it: personality, processors, memory nodes, scheduler, I/O priority. */
int plan_add_placement(struct run_plan *plan, const struct oci_process *process, const struct oci_linux *l,
		       struct error *err);
/* Identity, limits, command: the end of every plan. */
int plan_add_process(struct run_plan *plan, const struct oci_spec *spec, const struct oci_process *process,
		     struct error *err);
int plan_check_process(const struct run_plan *plan, const struct oci_process *process, struct error *err);
void plan_warn(struct run_plan *plan, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* The name of a device that was made apart. */
#define PLAN_DEVICE_NAME "device"

/* Opens the descriptors that the plan's operations name: fds[slot]. late: without what only the child may open, in its
 * new user and mount namespace, as the caller has no privilege in his own. */
int slots_open(const struct run_plan *plan, int *fds, bool late, struct error *err);
void slots_close(const struct run_plan *plan, int *fds);
/* The rest, by the child. -1 with errno; *ret_step is the operation. Allocates nothing. */
int slots_open_late(const struct run_plan *plan, int *fds, size_t *ret_step, const char **ret_what);
/* "container setup, step 5 of 9: mount /nonexistent at /data: No such file or directory", from errno. */
int plan_error(const struct run_plan *plan, size_t step, const char *what, struct error *err);

/* --- child and parent talk over one SOCK_SEQPACKET pair */
enum message_kind {
	MESSAGE_MAPS = 1,	/* child or helper: in a new user namespace, waiting for its maps */
	MESSAGE_CONSOLE,	/* child: with the pty master */
	MESSAGE_BORN,		/* helper: the process it made, with its pidfd */
	MESSAGE_MOMENT,		/* child: at a moment (the step says which), waiting */
	MESSAGE_READY,		/* child: set up, waiting for leave to exec */
	MESSAGE_FAILED,
};

struct message {
	int32_t kind;			/* enum message_kind */
	int32_t step;			/* MESSAGE_FAILED: index into plan->ops, their number: outside of them */
	int32_t sys;			/* errno */
	int32_t error;			/* enum error_kind, ERROR_NONE: by errno */
	int32_t pid;			/* MESSAGE_BORN */
	char what[128];			/* the call or object that failed inside the step, "" when the step says it all */
};

struct child {
	const struct run_plan *plan;
	int *fds;			/* by slot */
	int sync;
	uint64_t joined;		/* CLONE_NEW*: namespaces by path that it was born in */
	bool late;			/* it opens its sources itself */
	bool maps_at_once;		/* its maps come without being asked for */
	bool has_oom_score;		/* as the plan has it, inherited from a helper */
	int root;			/* the new root */
	int proc, dev, devpts;		/* the container's, as mounted by us: verified by birth */
	int tmpfs;			/* an empty read-only tmpfs that already covers a masked directory */
	int console_slave;
	int label[2];			/* by enum lsm, opened by OP_LABEL_OPEN */
	const char *command;		/* found by OP_FIND_COMMAND */
	pid_t outer_pid;		/* its id as the runtime sees it, for the listener's receiver */
	size_t step;			/* index into plan->ops, their number: outside of them */
	char text[128];			/* for a word about a failure that has two parts */
};

struct child_birth {
	const struct run_plan *plan;
	int *fds, sync;
	uint64_t joined;		/* CLONE_NEW*: namespaces that it was born in though clone_flags do not make them */
	bool late;			/* it opens its sources itself */
	bool maps_at_once;		/* its maps come without being asked for */
	bool has_oom_score;		/* inherited from a helper */
};

/* Runs the plan; never returns. */
_Noreturn void child_run(const struct child_birth *birth);
/* "first: second" in c->text. */
const char *child_say(struct child *c, const char *first, const char *second);
/* Reports errno and ends the process. */
_Noreturn void child_fail(const struct child *c, const char *what, enum error_kind kind);

/* In a new user namespace: waits for its maps. */
void child_wait_for_maps(struct child *c);
/* Opens its sources, in its mount namespace. */
void child_open_late(struct child *c);

/* Groups of operations, -1 with errno and a word about what failed in *ret_what. */
int child_namespace_op(struct child *c, const struct op *op, const char **ret_what);
/* Also by a helper: its child may be born where it cannot reach its own files in /proc. */
int child_set_oom_score(int64_t value);
int child_device_op(struct child *c, const struct op *op, const char **ret_what);
int child_hook_op(struct child *c, const struct op *op, const char **ret_what);
int child_placement_op(struct child *c, const struct op *op, const char **ret_what);
int child_start_op(struct child *c, const struct op *op);
int child_label_keyring(const struct child *c);
int child_label_op(struct child *c, const struct op *op, const char **ret_what);
int child_root_op(struct child *c, const struct op *op, const char **ret_what);
int child_mount_op(struct child *c, const struct op *op, const char **ret_what);
/* tmpcopyup: fills a mount that is not attached yet with what its target holds. */
int child_copy_up(struct child *c, const struct op *op, int mount, const char **ret_what);
/* Attaches a mount at a path in the new root, which is made when it is missing. */
int child_attach(struct child *c, int mount, const char *target, bool directory, const char **ret_what);
/* The directory that the last name of a path lies in, made when it is missing, and that name; to be closed unless it is
 * c->dev. */
int child_open_parent(struct child *c, const char *path, const char **ret_name);
/* The check of everything that is executed inside: through no magic link, itself and its interpreters. */
int child_check_executable(const char *path, enum error_kind *ret_kind, const char **ret_what);
int child_process_op(struct child *c, const struct op *op, const char **ret_what);
int child_terminal_op(struct child *c, const struct op *op, const char **ret_what);
int child_send(int sync, const struct message *m, const int *fds, size_t fds_n);
void child_wait(struct child *c);

#endif

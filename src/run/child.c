#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/seccomp_load.h"
#include "sys/fd.h"
#include "sys/trace.h"

int child_send(int sync, const struct message *m, const int *fds, size_t fds_n)
{
	char control[CMSG_SPACE(sizeof(int) * 2)] = { 0 };
	struct iovec part = { (void *)(unsigned long)m, sizeof(*m) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (fds_n) {
		struct cmsghdr *c;

		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * fds_n);
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fds_n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fds_n);
	}
	do
		n = sendmsg(sync, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*m) ? 0 : -1;
}

_Noreturn void child_fail(const struct child *c, const char *what, enum error_kind kind)
{
	struct message m = { .kind = MESSAGE_FAILED, .step = (int)c->step, .sys = errno, .error = (int)kind };
	size_t n = what ? strnlen(what, sizeof(m.what) - 1) : 0;

	if (n)
		memcpy(m.what, what, n);
	child_send(c->sync, &m, NULL, 0);
	_exit(127);
}

static size_t add_text(struct child *c, size_t used, const char *more)
{
	size_t room = sizeof(c->text) - 1 - used, n = strnlen(more, room);

	memcpy(c->text + used, more, n);
	c->text[used + n] = '\0';
	return used + n;
}

const char *child_say(struct child *c, const char *first, const char *second)
{
	size_t used = add_text(c, 0, first);

	used = add_text(c, used, ": ");
	add_text(c, used, second);
	return c->text;
}

/* Until the parent's byte comes. Without a parent there is nobody to run for. */
void child_wait(struct child *c)
{
	char byte;
	ssize_t n;

	do
		n = recv(c->sync, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127);
}

/* Handlers went with CLONE_CLEAR_SIGHAND; ignored signals and the mask are inherited, even by the command. */
static void reset_signals(void)
{
	static const int usual[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU,
				     SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH };
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < ELEMENTS(usual); i++)
		sigaction(usual[i], &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void child_wait_for_maps(struct child *c)
{
	struct message m = { .kind = MESSAGE_MAPS };

	if (child_send(c->sync, &m, NULL, 0) < 0)
		_exit(127);
	child_wait(c);
}

/* The host's files are opened with the caller's own identity, which the root of the new namespace need not have. */
void child_open_late(struct child *c)
{
	_cleanup_trace_ struct trace_span span = trace_begin("open what it mounts");
	const char *what = NULL;
	size_t step = 0;

	if (slots_open_late(c->plan, c->fds, &step, &what) == 0)
		return;
	c->step = step;
	child_fail(c, what, ERROR_NONE);
}

/* In a new user namespace: waits for the maps, then becomes its root where it has one. */
static void enter_user_namespace(struct child *c)
{
	struct trace_span span = trace_begin("wait for the id maps");

	if (c->maps_at_once)
		child_wait(c);
	else if (!(c->joined & CLONE_NEWUSER))
		child_wait_for_maps(c);
	trace_end(&span);
	if (c->late)
		child_open_late(c);
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
		if (errno != EINVAL && errno != EPERM)
			child_fail(c, "become root of the user namespace", ERROR_NONE);
	}
	/* The change of ids hid our own /proc/self; nobody else is here yet. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int run_op(struct child *c, const struct op *op, const char **ret_what)
{
	_cleanup_trace_ struct trace_span span = trace_begin_about(op_name(op->kind), op->target ? op->target : op->source);

	if (op->kind == OP_EXEC)
		trace_until_exec(op_name(op->kind));
	switch (op->kind) {
	case OP_JOIN: case OP_JOIN_TARGET: case OP_CHROOT_TARGET: case OP_OOM_SCORE: case OP_KEYRING: case OP_MOMENT:
	case OP_CGROUP_NAMESPACE: case OP_LOOPBACK: case OP_HOSTNAME: case OP_DOMAINNAME:
		return child_namespace_op(c, op, ret_what);
	case OP_CONSOLE: case OP_NEW_SID: case OP_STDIO:
		return child_terminal_op(c, op, ret_what);
	case OP_PERSONALITY: case OP_AFFINITY: case OP_MEMORY_POLICY:
		return child_placement_op(c, op, ret_what);
	case OP_SCHEDULER: case OP_IO_PRIORITY:
		return 0;	/* the parent's */
	case OP_DEVICE: case OP_SYMLINK:
		return child_device_op(c, op, ret_what);
	case OP_HOOK:
		return child_hook_op(c, op, ret_what);
	case OP_ROOT_OVERLAY: case OP_ROOT_BIND: case OP_PRIVATE: case OP_PIVOT: case OP_ROOT_FLAGS: case OP_MASK:
	case OP_READONLY_PATH: case OP_MKDIR: case OP_SYSCTL:
		return child_root_op(c, op, ret_what);
	case OP_MOUNT: case OP_CGROUP_V1: case OP_BIND: case OP_REMOUNT:
		return child_mount_op(c, op, ret_what);
	default:
		return child_process_op(c, op, ret_what);
	}
}

_Noreturn void child_run(const struct child_birth *birth)
{
	const struct run_plan *plan = birth->plan;
	struct child c = { .plan = plan, .step = plan->ops.n, .fds = birth->fds, .sync = birth->sync, .joined = birth->joined,
			   .late = birth->late, .maps_at_once = birth->maps_at_once,
			   .has_oom_score = birth->has_oom_score, .root = -1, .proc = -1, .dev = -1,
			   .devpts = -1, .tmpfs = -1, .console_slave = -1, .label = { -1, -1 } };

	if (plan->process.listener)
		c.outer_pid = seccomp_load_own_pid();
	reset_signals();
	umask(0022);		/* what is made in the container's tree is for its users, whatever the caller keeps from others */
	if (plan->own_user_namespace)
		enter_user_namespace(&c);
	else if (c.late && plan->mount_namespace < 0)
		child_open_late(&c);
	for (c.step = 0; c.step < plan->ops.n; c.step++) {
		const char *what = NULL;

		if (run_op(&c, &plan->ops.v[c.step], &what) < 0)
			child_fail(&c, what, ERROR_NONE);
	}
	_exit(127);	/* the last operation is exec */
}

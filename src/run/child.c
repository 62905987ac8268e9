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
#include <unistd.h>

#include "run/seccomp_load.h"
#include "sys/fd.h"
#include "sys/ns.h"

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

/* In a new user namespace: waits for the maps, then becomes its root where it has one. */
static void enter_user_namespace(struct child *c)
{
	struct message m = { .kind = MESSAGE_MAPS };

	if (child_send(c->sync, &m, NULL, 0) < 0)
		_exit(127);
	child_wait(c);
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
		if (errno != EINVAL && errno != EPERM)
			child_fail(c, "become root of the user namespace", ERROR_NONE);
	}
	/* The change of ids hid our own /proc/self; nobody else is here yet. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int set_oom_score(int64_t value)
{
	char text[24], *end = text + sizeof(text), *at = end;
	uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
	int result, fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--at = '-';
	result = fd_write_all(fd, at, (size_t)(end - at));
	/* Only the privileged may go below their own value: then that is the lowest there is. */
	if (result < 0 && (errno == EACCES || errno == EPERM))
		result = 0;
	close(fd);
	return result;
}

static int join(struct child *c, const struct op *op)
{
	if (op->slot == c->plan->pid_namespace || (c->joined & op->flags))
		return 0;	/* born there */
	return setns(c->fds[op->slot], (int)op->flags);
}

/* From here on processes of the container see this one: its memory and program file must stay out of their reach. */
static int join_target(struct child *c, const struct op *op, const char **ret_what)
{
	uint64_t flags = op->flags & ~(uint64_t)CLONE_NEWPID;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	*ret_what = "setns";
	if (setns(c->plan->target_pidfd, (int)flags) < 0)
		return -1;
	if (!(flags & CLONE_NEWUSER))
		return 0;
	*ret_what = "become root of the user namespace";
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return errno == EINVAL || errno == EPERM ? 0 : -1;
	return 0;
}

static int namespace_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_JOIN:			return join(c, op);
	case OP_JOIN_TARGET:		return join_target(c, op, ret_what);
	case OP_OOM_SCORE:		return set_oom_score((int64_t)op->value);
	case OP_CGROUP_NAMESPACE:	return unshare(CLONE_NEWCGROUP);
	case OP_LOOPBACK:		return ns_loopback_up();
	case OP_HOSTNAME:		return sethostname(op->source, strlen(op->source));
	case OP_DOMAINNAME:		return setdomainname(op->source, strlen(op->source));
	default:			errno = ENOSYS; return -1;
	}
}

static int run_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_JOIN: case OP_JOIN_TARGET: case OP_OOM_SCORE: case OP_CGROUP_NAMESPACE: case OP_LOOPBACK:
	case OP_HOSTNAME: case OP_DOMAINNAME:
		return namespace_op(c, op, ret_what);
	case OP_CONSOLE: case OP_NEW_SID: case OP_STDIO:
		return child_terminal_op(c, op, ret_what);
	case OP_RLIMIT: case OP_UMASK: case OP_CHDIR: case OP_USER: case OP_FIND_COMMAND: case OP_READY:
	case OP_SECCOMP: case OP_EXEC:
		return child_process_op(c, op, ret_what);
	default:
		return child_mount_op(c, op, ret_what);
	}
}

_Noreturn void child_run(const struct run_plan *plan, const int *fds, int sync, uint64_t joined)
{
	struct child c = { .plan = plan, .fds = fds, .sync = sync, .joined = joined, .root = -1, .proc = -1, .dev = -1, .devpts = -1, .tmpfs = -1,
			   .console_slave = -1 };

	if (plan->process.listener)
		c.outer_pid = seccomp_load_own_pid();
	reset_signals();
	if (plan->own_user_namespace)
		enter_user_namespace(&c);
	for (c.step = 0; c.step < plan->ops.n; c.step++) {
		const char *what = NULL;

		if (run_op(&c, &plan->ops.v[c.step], &what) < 0)
			child_fail(&c, what, ERROR_NONE);
	}
	_exit(127);	/* the last operation is exec */
}

#include "run/plan.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/ns.h"
#include "sys/pidfd.h"
#include "sys/seccomp.h"

/* The state as the hook reads it: prepared by the parent, but for the pid, which is the container's own number here. */
static int write_state(const struct child *c, int fd)
{
	char text[16], *end = text + sizeof(text), *at = end;
	unsigned pid = (unsigned)getpid();

	do
		*--at = (char)('0' + pid % 10);
	while (pid /= 10);
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    fd_write_all(fd, c->plan->state_head, strlen(c->plan->state_head)) < 0 ||
	    fd_write_all(fd, at, (size_t)(end - at)) < 0 ||
	    fd_write_all(fd, c->plan->state_tail, strlen(c->plan->state_tail)) < 0)
		return -1;
	return lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* The container's own streams, before and after they are in their places. */
static int place_streams(const struct child *c, int state)
{
	for (int i = 1; i < 3; i++) {
		int fd = c->plan->hook_output[i - 1];

		if (fd < 0 && c->root >= 0)
			fd = c->console_slave >= 0 ? c->console_slave : c->plan->stdio[i];
		if (fd >= 0 && fd != i && dup2(fd, i) < 0)
			return -1;
	}
	return dup2(state, 0);
}

/* The container's filter; nobody listens to what a hook's process would notify. */
static int confine(const struct child *c)
{
	const struct plan_process *p = &c->plan->process;
	unsigned flags = p->filter_flags &
			 ~(unsigned)(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return p->filter_n ? seccomp_load_filter(p->filter, p->filter_n, flags) : 0;
}

static _Noreturn void execute_hook(const struct child *c, const struct plan_hook *hook, int state)
{
	enum error_kind kind;
	const char *what;

	/* Its program may be the container's: then nothing may lead back to this one, and it is confined as the container. */
	if (place_streams(c, state) >= 0 && close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
	    child_check_executable(hook->path, &kind, &what) == 0 && (!c->command || confine(c) == 0))
		execve(hook->path, hook->argv, hook->envp);
	_exit(errno == ENOENT ? 127 : 126);
}

static int wait_for_hook(int pidfd, int64_t timeout, const char **ret_what)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	siginfo_t info = { 0 };
	int n;

	do
		n = poll(&p, 1, timeout ? (int)(timeout * 1000) : -1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		pidfd_signal(pidfd, SIGKILL);
	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -1;
	if (n == 0) {
		*ret_what = "it did not end in its time";
		errno = ETIMEDOUT;
		return -1;
	}
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	*ret_what = info.si_code != CLD_EXITED ? "it was killed by a signal" :
		    info.si_status == 127 ? "it ended with 127 (there is no such program, or it says so itself)" :
		    info.si_status == 126 ? "it ended with 126 (it cannot be executed, or it says so itself)" :
		    "it ended with an error";
	errno = ECANCELED;
	return -1;
}

int child_hook_op(struct child *c, const struct op *op, const char **ret_what)
{
	int state = c->fds[op->hook->state], pidfd = -1, result;
	pid_t pid;

	*ret_what = "its state";
	if (write_state(c, state) < 0)
		return -1;
	*ret_what = "fork";
	pid = ns_clone(0, -1, &pidfd);
	if (pid == 0)
		execute_hook(c, op->hook, state);
	if (pid < 0)
		return -1;
	result = wait_for_hook(pidfd, op->hook->timeout, ret_what);
	if (result < 0)
		*ret_what = child_say(c, op->hook->called, *ret_what);
	close(pidfd);
	return result;
}

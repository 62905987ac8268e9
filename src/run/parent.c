#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

/* What run_spawn has in its hands while the child sets up. */
struct spawning {
	const struct run_plan *plan;
	int *fds;
	int sync, childs_sync;
	bool maps_wanted;
	uint64_t joined;		/* namespaces that the child is born in by path */
	struct run_process p;
};

/* --- cloning */

/* The descriptor of the pid namespace that the child shall be born in, -1 for none: setns alone moves only children. */
static int pid_namespace_of(const struct spawning *s)
{
	const struct run_plan *plan = s->plan;

	if (plan->pid_namespace >= 0)
		return s->fds[plan->pid_namespace];
	for (size_t i = 0; i < plan->ops.n; i++)
		if (plan->ops.v[i].kind == OP_JOIN_TARGET && (plan->ops.v[i].flags & CLONE_NEWPID))
			return plan->target_pidfd;
	return -1;
}

/* The caller's children are born there until it goes back. */
static int enter_pid_namespace(const struct spawning *s, int *ret_own)
{
	int from = pid_namespace_of(s);

	*ret_own = -1;
	if (from < 0)
		return 0;
	*ret_own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (*ret_own < 0)
		return -1;
	return setns(from, CLONE_NEWPID);
}

static void leave_pid_namespace(int own)
{
	if (own < 0)
		return;
	setns(own, CLONE_NEWPID);
	close(own);
}

static _Noreturn void start_child(struct spawning *s)
{
	close(s->sync);
	child_run(s->plan, s->fds, s->childs_sync, s->joined);
}

/* A process of another user namespace may not join namespaces that belong to ours, and one that joined a user
 * namespace cannot be born in it with everything else new. Then a helper joins first, and makes the child as its own
 * sibling. */
static bool needs_helper(const struct run_plan *plan)
{
	bool joins = false;

	for (size_t i = 0; i < plan->ops.n; i++)
		joins |= plan->ops.v[i].kind == OP_JOIN;
	return plan->user_namespace >= 0 || (plan->own_user_namespace && joins);
}

/* What is refused now may be allowed to the child, in the user namespace that owns it. */
static void helper_joins(struct spawning *s)
{
	for (size_t i = 0; i < s->plan->ops.n; i++) {
		const struct op *op = &s->plan->ops.v[i];

		if (op->kind == OP_JOIN && op->flags != CLONE_NEWUSER && setns(s->fds[op->slot], (int)op->flags) == 0)
			s->joined |= op->flags;
	}
}

static void helper_joins_user(struct spawning *s, const struct child *c)
{
	if (setns(s->fds[s->plan->user_namespace], CLONE_NEWUSER) < 0)
		child_fail(c, "setns", ERROR_NONE);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		child_fail(c, "become root of the user namespace", ERROR_NONE);
	s->joined |= CLONE_NEWUSER;
}

static _Noreturn void run_helper(struct spawning *s)
{
	struct child c = { .plan = s->plan, .sync = s->childs_sync };
	struct message m = { .kind = MESSAGE_BORN };
	int pidfd = -1;

	helper_joins(s);
	for (size_t i = 0; i < s->plan->ops.n; i++)
		if (s->plan->ops.v[i].kind == OP_JOIN && s->plan->ops.v[i].flags == CLONE_NEWUSER)
			c.step = i;
	if (s->plan->user_namespace >= 0)
		helper_joins_user(s, &c);
	m.pid = ns_clone(s->plan->clone_flags | CLONE_PARENT, s->plan->cgroup_fd, &pidfd);
	if (m.pid == 0)
		start_child(s);
	if (m.pid < 0)
		child_fail(&c, "clone", ERROR_NONE);
	child_send(s->childs_sync, &m, &pidfd, 1);
	_exit(0);
}

static int clone_by_helper(struct spawning *s)
{
	int helper_fd = -1;
	pid_t helper = ns_clone(0, -1, &helper_fd);

	if (helper == 0)
		run_helper(s);
	if (helper < 0)
		return -1;
	close(helper_fd);
	while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

static int clone_directly(struct spawning *s)
{
	int own = -1, number, pid = -1;

	if (enter_pid_namespace(s, &own) == 0)
		pid = ns_clone(s->plan->clone_flags, s->plan->cgroup_fd, &s->p.pidfd);
	if (pid == 0)
		start_child(s);
	number = errno;
	leave_pid_namespace(own);
	errno = number;
	s->p.pid = pid;
	return pid < 0 ? -1 : 0;
}

static int clone_child(struct spawning *s, struct error *err)
{
	int result = needs_helper(s->plan) ? clone_by_helper(s) : clone_directly(s);
	int number = errno;

	if (result == 0)
		return 0;
	error_errno(err, "make the container's namespaces");
	if (number == ENOSPC)
		error_hint(err, "a limit of namespaces is reached: see /proc/sys/user/max_*_namespaces");
	return -1;
}

/* --- the child's messages */

/* 1 a message, 0 the child is gone, -1. A descriptor that came along is in *ret_fd. */
static int receive(int sync, struct message *ret, int *ret_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { ret, sizeof(*ret) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	*ret_fd = -1;
	/* A child that ended with our byte unread leaves ECONNRESET, once, before its last words. */
	do
		n = recvmsg(sync, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return (int)n;
	c = CMSG_FIRSTHDR(&header);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	if (n != (ssize_t)sizeof(*ret)) {
		errno = EBADMSG;
		return -1;
	}
	ret->what[sizeof(ret->what) - 1] = '\0';
	return 1;
}

static int let_go_on(int sync)
{
	ssize_t n;

	do
		n = send(sync, "", 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -1;
}

/* Podman's words, which scripts know. */
static int command_error(enum error_kind kind, int number, const char *name, const char *what, struct error *err)
{
	const char *where = strchr(name, '/') ? "" : " in $PATH";

	if (str_eq(what, "not a regular file"))
		return error_set(err, kind, "the path `%s` is not a regular file: %s", name, strerror(number));
	if (kind == ERROR_NO_COMMAND)
		return error_set(err, kind, "executable file `%s` not found%s: %s", name, where, strerror(number));
	error_set(err, kind, "open executable `%s`: %s", name, strerror(number));
	if (number == ENOEXEC)
		error_hint(err, "the file is not a program of this machine's architecture, or a script without a #! line");
	return -1;
}

static int child_error(const struct run_plan *plan, const struct message *m, struct error *err)
{
	const struct op *op;

	if (m->step < 0 || (size_t)m->step >= plan->ops.n)
		return error_set(err, ERROR_FAILED, "container setup: %s", strerror(m->sys));
	op = &plan->ops.v[m->step];
	if (op->kind == OP_CHDIR && m->error != ERROR_NONE)
		return error_set(err, (enum error_kind)m->error, "chdir to `%s`: %s", op->target, strerror(m->sys));
	if (m->error == ERROR_NO_COMMAND || m->error == ERROR_NOT_EXECUTABLE)
		return command_error((enum error_kind)m->error, m->sys, op->source, m->what, err);
	errno = m->sys;
	return plan_error(plan, (size_t)m->step, m->what, err);
}

/* As soon as the child waits for its maps and its pid is known, which a helper may tell later. */
static int write_maps(struct spawning *s, struct error *err)
{
	if (!s->maps_wanted || s->p.pid < 0)
		return 0;
	s->maps_wanted = false;
	if (idmap_write(s->p.pid, &s->plan->maps, false, err) < 0)
		return error_frame(err, "container setup, user namespace");
	return let_go_on(s->sync) < 0 ? error_errno(err, "wake the container's process") : 0;
}

/* 1: ready, 0: go on listening, -1 */
static int handle(struct spawning *s, const struct message *m, int fd, struct error *err)
{
	switch (m->kind) {
	case MESSAGE_MAPS:
		s->maps_wanted = true;
		return write_maps(s, err);
	case MESSAGE_CONSOLE:
		s->p.console = fd;
		return 0;
	case MESSAGE_BORN:
		s->p.pid = m->pid;
		s->p.pidfd = fd;
		return write_maps(s, err);
	case MESSAGE_READY:
		return 1;
	default:
		return child_error(s->plan, m, err);
	}
}

static int gone_error(const struct run_process *p, struct error *err)
{
	siginfo_t info = { 0 };

	if (p->pidfd >= 0 && waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOWAIT) == 0 &&
	    (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED))
		return error_set(err, ERROR_FAILED, "container setup: the process was killed by signal %d (%s)",
				 info.si_status, strsignal(info.si_status));
	return error_set(err, ERROR_FAILED, "container setup: the process ended without a word");
}

static int listen_until_ready(struct spawning *s, struct error *err)
{
	for (;;) {
		struct message m;
		int fd, result = receive(s->sync, &m, &fd);

		if (result < 0)
			return error_errno(err, "listen to the container's process");
		if (result == 0)
			return gone_error(&s->p, err);
		result = handle(s, &m, fd, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
}

/* --- the interface */

/* Above everything that the child puts to 0, 1, 2 and after them. */
static int make_channel(struct spawning *s, struct error *err)
{
	int ends[2], above = 3 + (int)s->plan->preserve_fds_n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "make a channel to the container's process");
	s->sync = ends[0];
	s->childs_sync = ends[1];
	if (s->childs_sync >= above)
		return 0;
	s->childs_sync = fcntl(ends[1], F_DUPFD_CLOEXEC, above);
	close(ends[1]);
	return s->childs_sync < 0 ? error_errno(err, "make a channel to the container's process") : 0;
}

static int make_child(struct spawning *s, struct error *err)
{
	int result;

	if (make_channel(s, err) < 0 || slots_open(s->plan, s->fds, err) < 0)
		return -1;
	result = clone_child(s, err);
	slots_close(s->plan, s->fds);
	return result;
}

/* Answers as soon as the child lives; it is set up meanwhile. */
static int spawn(struct spawning *s, const struct run_plan *plan, struct error *err)
{
	int result;

	*s = (struct spawning){ .plan = plan, .sync = -1, .childs_sync = -1,
				.p = { .pid = -1, .pidfd = -1, .console = -1, .release = -1 } };
	s->fds = calloc(plan->slots_n + 1, sizeof(*s->fds));
	if (!s->fds)
		return error_errno(err, "container setup");
	result = make_child(s, err);
	free(s->fds);
	fd_close(&s->childs_sync);
	return result;
}

int run_spawn(const struct run_plan *plan, struct run_process *ret, struct error *err)
{
	struct spawning s;
	int result = spawn(&s, plan, err);

	if (result == 0)
		result = listen_until_ready(&s, err);
	s.p.release = s.sync;
	if (result < 0) {
		run_abandon(&s.p);
		return -1;
	}
	*ret = s.p;
	return 0;
}

/* What went wrong after the child was ready. */
static int late_error(const struct message *m, struct error *err)
{
	if (m->error == ERROR_NO_COMMAND || m->error == ERROR_NOT_EXECUTABLE)
		return command_error((enum error_kind)m->error, m->sys, m->what, NULL, err);
	return error_set(err, ERROR_FAILED, "container setup, step %d: %s: %s", m->step + 1, m->what, strerror(m->sys));
}

int run_release(struct run_process *p, struct error *err)
{
	struct message m;
	int fd, result;

	if (let_go_on(p->release) < 0) {
		gone_error(p, err);
		run_abandon(p);
		return -1;
	}
	result = receive(p->release, &m, &fd);
	if (result == 0) {
		fd_close(&p->release);
		return 0;
	}
	if (result < 0)
		error_errno(err, "listen to the container's process");
	else
		late_error(&m, err);
	run_abandon(p);
	return -1;
}

/* Its byte may lie in the channel before the child asks for it, but not where it also asks for its maps. */
static bool may_be_released_early(const struct run_plan *plan)
{
	return !plan->own_user_namespace && !needs_helper(plan);
}

static int listen_until_executed(struct spawning *s, struct error *err)
{
	bool ready = false;

	for (;;) {
		struct message m;
		int fd, result = receive(s->sync, &m, &fd);

		if (result < 0)
			return error_errno(err, "listen to the container's process");
		if (result == 0)
			return ready ? 0 : gone_error(&s->p, err);
		if (ready)
			return late_error(&m, err);
		result = handle(s, &m, fd, err);
		if (result < 0)
			return -1;
		ready = result == 1;
	}
}

int run_start(const struct run_plan *plan, int (*born)(void *context, const struct run_process *p, struct error *err),
	      void *context, struct run_process *ret, struct error *err)
{
	struct spawning s;
	int result;

	if (!may_be_released_early(plan)) {
		if (run_spawn(plan, ret, err) < 0)
			return -1;
		if (!born || born(context, ret, err) == 0)
			return run_release(ret, err);
		run_abandon(ret);
		return -1;
	}
	result = spawn(&s, plan, err);
	if (result == 0 && born)
		result = born(context, &s.p, err);
	if (result == 0 && let_go_on(s.sync) < 0 && errno != EPIPE)
		result = error_errno(err, "wake the container's process");
	if (result == 0)
		result = listen_until_executed(&s, err);
	fd_close(&s.sync);
	*ret = s.p;
	if (result < 0)
		run_abandon(ret);
	return result;
}

void run_abandon(struct run_process *p)
{
	fd_close(&p->release);
	fd_close(&p->console);
	if (p->pidfd >= 0) {
		pidfd_signal(p->pidfd, SIGKILL);
		pidfd_reap(p->pidfd);
	}
	fd_close(&p->pidfd);
	p->pid = -1;
}

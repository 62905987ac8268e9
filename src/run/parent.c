#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/birth.h"
#include "run/placement.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/trace.h"

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
	if (number == ENOEXEC) {
		error_code(err, "exec-format");
		error_hint(err, "the file is not a program of this machine's architecture, or a script without a #! line");
	}
	return -1;
}

static int child_error(const struct run_plan *plan, const struct message *m, struct error *err)
{
	const struct op *op;

	if (m->step < 0 || (size_t)m->step >= plan->ops.n)
		return error_set(err, ERROR_FAILED, "container setup: %s%s%s", m->what, str_is_empty(m->what) ? "" : ": ",
				 strerror(m->sys));
	op = &plan->ops.v[m->step];
	if (op->kind == OP_CHDIR && m->error != ERROR_NONE)
		return error_set(err, (enum error_kind)m->error, "chdir to `%s`: %s", op->target, strerror(m->sys));
	if (m->error == ERROR_NO_COMMAND || m->error == ERROR_NOT_EXECUTABLE)
		return command_error((enum error_kind)m->error, m->sys, op->source, m->what, err);
	errno = m->sys;
	return plan_error(plan, (size_t)m->step, m->what, err);
}

/* --- what the parent does for the child, who is not privileged enough in a user namespace of its own */

/* What the child sets later must be within the hard limits that it inherits: in a user namespace of others or of its own
 * nobody can raise them. */
static void raise_limits(const struct run_plan *plan)
{
	for (size_t i = 0; i < plan->ops.n; i++) {
		const struct op *op = &plan->ops.v[i];
		struct rlimit limit;

		if (op->kind != OP_RLIMIT || getrlimit((__rlimit_resource_t)op->flags, &limit) < 0 || op->value2 <= limit.rlim_max)
			continue;
		limit.rlim_max = op->value2;
		setrlimit((__rlimit_resource_t)op->flags, &limit);	/* the child tells when it was refused */
	}
}

static int set_scheduler(const struct op *op, pid_t pid)
{
	struct plan_scheduler attributes = *op->scheduler;

	attributes.size = sizeof(attributes);
	return syscall(SYS_sched_setattr, pid, &attributes, 0) < 0 ? -1 : 0;
}

static int do_parents_op(const struct op *op, pid_t pid)
{
	if (op->kind == OP_SCHEDULER)
		return set_scheduler(op, pid);
	if (op->kind == OP_IO_PRIORITY)
		return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, (int)op->value) < 0 ? -1 : 0;
	return 0;
}

static bool is_parents_op(const struct op *op)
{
	return op->kind == OP_SCHEDULER || op->kind == OP_IO_PRIORITY;
}

static int do_parents_part(const struct spawning *s, struct error *err)
{
	for (size_t i = 0; i < s->plan->ops.n; i++)
		if (do_parents_op(&s->plan->ops.v[i], s->p.pid) < 0)
			return plan_error(s->plan, i, NULL, err);
	return 0;
}

/* As soon as somebody waits for maps and its pid is known, which a helper may tell later. */
static int write_maps(struct spawning *s, struct error *err)
{
	const struct run_moments *moments = s->plan->moments;
	pid_t pid = s->p.pid < 0 && s->helper.mapped ? s->helper.pid : s->p.pid;
	int result;

	if (!s->maps_wanted || pid < 0)
		return 0;
	_cleanup_trace_ struct trace_span span = trace_begin("write the id maps");
	s->maps_wanted = false;
	if (moments && moments->map)
		result = moments->map(moments->context, pid, &s->plan->maps, err);
	else
		result = idmap_write(pid, &s->plan->maps, false, err);
	if (result < 0)
		return error_frame(err, "container setup, user namespace");
	return let_go_on(s->sync) < 0 ? error_errno(err, "wake the container's process") : 0;
}

/* The caller's work while the child waits. */
static int at_moment(struct spawning *s, const struct message *m, struct error *err)
{
	const struct run_moments *moments = s->plan->moments;
	int (*work)(void *, const struct run_process *, struct error *) = NULL;

	if (m->step >= 0 && (size_t)m->step < s->plan->ops.n && moments)
		work = s->plan->ops.v[m->step].flags == RUN_BORN ? moments->born : moments->mounted;
	if (work && work(moments->context, &s->p, err) < 0)
		return -1;
	return let_go_on(s->sync) < 0 ? error_errno(err, "wake the container's process") : 0;
}

static int handle(struct spawning *s, const struct message *m, int fd, struct error *err);

/* A child may be quicker than the helper that made it: what it asks for waits until it is known who it is. */
static int meet_child(struct spawning *s, const struct message *m, int pidfd, struct error *err)
{
	const struct message early = s->early;

	s->p.pid = m->pid;
	s->p.pidfd = pidfd;
	s->early = (struct message){ 0 };
	birth_end_helper(s, false);
	if (write_maps(s, err) < 0)
		return -1;
	return early.kind ? handle(s, &early, -1, err) : 0;
}

static bool is_early(const struct spawning *s, const struct message *m)
{
	return s->p.pid < 0 && (m->kind == MESSAGE_MOMENT || m->kind == MESSAGE_READY);
}

/* 1: ready, 0: go on listening, -1 */
static int handle(struct spawning *s, const struct message *m, int fd, struct error *err)
{
	if (is_early(s, m)) {
		s->early = *m;
		return 0;
	}
	switch (m->kind) {
	case MESSAGE_MAPS:
		s->maps_wanted = true;
		return write_maps(s, err);
	case MESSAGE_CONSOLE:
		s->p.console = fd;
		return 0;
	case MESSAGE_BORN:
		return meet_child(s, m, fd, err);
	case MESSAGE_MOMENT:
		return at_moment(s, m, err);
	case MESSAGE_READY:
		return do_parents_part(s, err) < 0 ? -1 : 1;
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
	_cleanup_trace_ struct trace_span span = trace_begin("wait until the container is set up");

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
	struct trace_span span = trace_begin("open what it needs");
	int result;

	if (make_channel(s, err) < 0 || slots_open(s->plan, s->fds, s->late, err) < 0)
		return -1;
	trace_end(&span);
	raise_limits(s->plan);
	result = birth_clone(s, err);
	slots_close(s->plan, s->fds);
	return result;
}

/* Answers as soon as the child lives, or its helper does; it is set up meanwhile. */
static int spawn(struct spawning *s, const struct run_plan *plan, struct error *err)
{
	int result;

	birth_init(s, plan);
	s->fds = calloc(plan->slots_n + 1, sizeof(*s->fds));
	if (!s->fds)
		return error_errno(err, "container setup");
	result = make_child(s, err);
	free(s->fds);
	fd_close(&s->childs_sync);
	if (result == 0 && s->maps_at_once) {
		s->maps_wanted = true;
		result = write_maps(s, err);
	}
	return result;
}

int run_spawn(const struct run_plan *plan, struct run_process *ret, struct error *err)
{
	struct spawning s;
	int result = spawn(&s, plan, err);

	if (result == 0)
		result = listen_until_ready(&s, err);
	trace_collect();
	s.p.release = s.sync;
	birth_end_helper(&s, true);
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
	_cleanup_trace_ struct trace_span span = trace_begin("wait until the command is executed");
	struct message m;
	int fd, result;

	if (let_go_on(p->release) < 0) {
		gone_error(p, err);
		run_abandon(p);
		return -1;
	}
	result = receive(p->release, &m, &fd);
	trace_collect();
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

/* Its byte may lie in the channel before the child asks for it, but not where the child asks for something else too. */
static bool may_be_released_early(const struct run_plan *plan)
{
	struct spawning s;

	birth_init(&s, plan);
	for (size_t i = 0; i < plan->ops.n; i++)
		if (plan->ops.v[i].kind == OP_MOMENT || is_parents_op(&plan->ops.v[i]))
			return false;
	return (!plan->own_user_namespace || s.maps_at_once) && !birth_needs_helper(&s);
}

static int listen_until_executed(struct spawning *s, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("wait until the command is executed");
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
	trace_collect();
	fd_close(&s.sync);
	*ret = s.p;
	if (result < 0)
		run_abandon(ret);
	return result;
}

int run_go(int connection, struct error *err)
{
	struct message m;
	int fd, result;

	if (let_go_on(connection) < 0)
		return error_errno(err, "wake the container's process");
	result = receive(connection, &m, &fd);
	if (result < 0)
		return error_errno(err, "listen to the container's process");
	return result == 0 ? 0 : late_error(&m, err);
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

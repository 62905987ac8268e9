#include "run/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/ns.h"
#include "sys/pidfd.h"
#include "sys/trace.h"

static bool is_privileged(void)
{
	uint64_t effective = 0, permitted, inheritable;

	return caps_get(&effective, &permitted, &inheritable) == 0 && (effective & CAPS_BIT(CAP_SYS_ADMIN));
}

void birth_init(struct spawning *s, const struct run_plan *plan)
{
	*s = (struct spawning){ .plan = plan, .sync = -1, .childs_sync = -1, .helper.pidfd = -1,
				.privileged = is_privileged(), .p = { .pid = -1, .pidfd = -1, .console = -1, .release = -1 } };
	s->late = (plan->own_user_namespace || plan->user_namespace >= 0) && !s->privileged;
	s->maps_at_once = plan->own_user_namespace && !birth_needs_helper(s);
}

/* --- by the caller */

static const struct op *target_op(const struct run_plan *plan)
{
	for (size_t i = 0; i < plan->ops.n; i++)
		if (plan->ops.v[i].kind == OP_JOIN_TARGET)
			return &plan->ops.v[i];
	return NULL;
}

/* The descriptor of the pid namespace that the child shall be born in, -1 for none: setns alone moves only children. */
static int pid_namespace_of(const struct spawning *s)
{
	const struct op *target = target_op(s->plan);

	if (s->plan->pid_namespace >= 0)
		return s->fds[s->plan->pid_namespace];
	return target && (target->flags & CLONE_NEWPID) ? s->plan->target_pidfd : -1;
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
	struct child_birth birth = { .plan = s->plan, .fds = s->fds, .sync = s->childs_sync, .joined = s->joined,
				     .late = s->late, .maps_at_once = s->maps_at_once, .has_oom_score = s->has_oom_score };

	trace_child("container");
	close(s->sync);
	child_run(&birth);
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

/* --- by a helper */

static bool joins_any(const struct run_plan *plan)
{
	for (size_t i = 0; i < plan->ops.n; i++)
		if (plan->ops.v[i].kind == OP_JOIN)
			return true;
	return false;
}

/* An unprivileged caller becomes somebody in the target's user namespace only, and then cannot go back. */
static bool enters_target_first(const struct spawning *s)
{
	const struct op *target = target_op(s->plan);

	return target && (target->flags & CLONE_NEWUSER) && !s->privileged;
}

/* A process of another user namespace may not join namespaces that belong to ours, and one that joined a user
 * namespace cannot be born in it with everything else new. Offsets of a time namespace are set before anybody is in it. */
bool birth_needs_helper(const struct spawning *s)
{
	const struct run_plan *plan = s->plan;

	return plan->user_namespace >= 0 || (plan->own_user_namespace && joins_any(plan)) || plan->time_offsets ||
	       enters_target_first(s);
}

/* An unprivileged caller's helper needs the new user namespace before it can make others. */
static bool helper_makes_user_namespace(const struct spawning *s)
{
	return s->plan->own_user_namespace && s->plan->time_offsets && !s->privileged;
}

/* What is refused now may be allowed later, in the user namespace that owns it. */
static void helper_joins(struct spawning *s)
{
	for (size_t i = 0; i < s->plan->ops.n; i++) {
		const struct op *op = &s->plan->ops.v[i];

		/* The mount namespace is the child's last: paths mean something else there. */
		if (op->kind != OP_JOIN || op->flags == CLONE_NEWUSER || op->flags == CLONE_NEWNS || (s->joined & op->flags))
			continue;
		if (setns(s->fds[op->slot], (int)op->flags) == 0)
			s->joined |= op->flags;
	}
}

static void helper_joins_user(struct spawning *s, struct child *c)
{
	for (size_t i = 0; i < s->plan->ops.n; i++)
		if (s->plan->ops.v[i].kind == OP_JOIN && s->plan->ops.v[i].flags == CLONE_NEWUSER)
			c->step = i;
	if (setns(s->fds[s->plan->user_namespace], CLONE_NEWUSER) < 0)
		child_fail(c, "setns", ERROR_NONE);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		child_fail(c, "become root of the user namespace", ERROR_NONE);
	s->joined |= CLONE_NEWUSER;
}

static void helper_joins_target(struct spawning *s, struct child *c)
{
	const struct op *target = target_op(s->plan);

	c->step = (size_t)(target - s->plan->ops.v);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(s->plan->target_pidfd, (int)target->flags) < 0)
		child_fail(c, "setns", ERROR_NONE);
	s->joined |= target->flags;
}

/* While its own files in /proc are within its reach. The child inherits it. */
static void helper_sets_oom_score(struct spawning *s, struct child *c)
{
	for (c->step = 0; c->step < s->plan->ops.n; c->step++) {
		const struct op *op = &s->plan->ops.v[c->step];

		if (op->kind == OP_OOM_SCORE && child_set_oom_score((int64_t)op->value) < 0)
			child_fail(c, NULL, ERROR_NONE);
	}
	s->has_oom_score = true;
}

static void helper_makes_time(struct spawning *s, struct child *c)
{
	const char *text = s->plan->time_offsets;
	int fd, result;

	c->step = s->plan->ops.n;
	if (unshare(CLONE_NEWTIME) < 0)
		child_fail(c, "make the time namespace", ERROR_NONE);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	result = fd < 0 ? -1 : fd_write_all(fd, text, strlen(text));
	if (result < 0)
		child_fail(c, "set the offsets of the time namespace", ERROR_NONE);
	close(fd);
}

static _Noreturn void run_helper(struct spawning *s)
{
	struct child c = { .plan = s->plan, .step = s->plan->ops.n, .fds = s->fds, .sync = s->childs_sync };
	struct message m = { .kind = MESSAGE_BORN };
	uint64_t flags = s->plan->clone_flags;
	int pidfd = -1;

	helper_sets_oom_score(s, &c);
	if (helper_makes_user_namespace(s)) {
		child_wait_for_maps(&c);
		s->joined |= CLONE_NEWUSER;
		flags &= ~(uint64_t)CLONE_NEWUSER;
	}
	helper_joins(s);
	if (s->plan->user_namespace >= 0) {
		helper_joins_user(s, &c);
		helper_joins(s);
	}
	if (enters_target_first(s))
		helper_joins_target(s, &c);
	if (s->plan->time_offsets)
		helper_makes_time(s, &c);
	m.pid = ns_clone(flags | CLONE_PARENT, -1, &pidfd);
	if (m.pid == 0)
		start_child(s);
	if (m.pid < 0)
		child_fail(&c, "clone", ERROR_NONE);
	child_send(s->childs_sync, &m, &pidfd, 1);
	_exit(0);
}

/* It is born in the container's cgroup, and its child with it: from inside of the namespaces that it joins, that cgroup
 * may be out of reach, or somebody else's. */
static int clone_by_helper(struct spawning *s)
{
	bool own = helper_makes_user_namespace(s);
	pid_t pid = ns_clone(own ? CLONE_NEWUSER : 0, s->plan->cgroup_fd, &s->helper.pidfd);

	if (pid == 0)
		run_helper(s);
	if (pid < 0)
		return -1;
	s->helper.pid = pid;
	s->helper.mapped = own;
	return 0;
}

void birth_end_helper(struct spawning *s, bool kill)
{
	if (s->helper.pid <= 0)
		return;
	if (kill)
		pidfd_signal(s->helper.pidfd, SIGKILL);
	pidfd_reap(s->helper.pidfd);
	fd_close(&s->helper.pidfd);
	s->helper.pid = 0;
}

/* clone3 says so of a descriptor whose cgroup is gone: its maker holds it until the container is in. */
static bool lost_its_cgroup(const struct spawning *s, int number)
{
	return s->plan->cgroup_fd >= 0 && (number == ENOENT || number == ENODEV);
}

static int tell_lost_cgroup(const struct spawning *s, struct error *err)
{
	char number[32], path[PATH_MAX];
	ssize_t n = readlink(fd_path(s->plan->cgroup_fd, number), path, sizeof(path) - 1);
	char *end;

	path[n > 0 ? n : 0] = '\0';
	end = strstr(path, " (deleted)");
	if (end)
		*end = '\0';
	error_set(err, ERROR_STATE, "make the container's namespaces: its cgroup %s was removed meanwhile", path);
	return error_hint(err, "an earlier run of the container was still being cleaned up, or somebody removed its cgroup or the "
			  "runtime directory by hand: start it again");
}

int birth_clone(struct spawning *s, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("clone");
	int result = birth_needs_helper(s) ? clone_by_helper(s) : clone_directly(s);
	int number = errno;

	if (result == 0)
		return 0;
	if (lost_its_cgroup(s, number))
		return tell_lost_cgroup(s, err);
	error_errno(err, "make the container's namespaces");
	if (number == ENOSPC)
		error_hint(err, "a limit of namespaces is reached: see /proc/sys/user/max_*_namespaces");
	return -1;
}

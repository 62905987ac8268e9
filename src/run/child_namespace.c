#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/ns.h"

int child_set_oom_score(int64_t value)
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
	if (setns(c->fds[op->slot], (int)op->flags) < 0)
		return -1;
	/* There an ordinary user may clone mounts, not where he came from. */
	if (c->late && (op->flags & CLONE_NEWNS))
		child_open_late(c);
	return 0;
}

/* From here on processes of the container see this one: its memory and program file must stay out of their reach. */
static int join_target(struct child *c, const struct op *op, const char **ret_what)
{
	uint64_t flags = op->flags & ~(uint64_t)CLONE_NEWPID & ~c->joined;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	*ret_what = "setns";
	if (flags && setns(c->plan->target_pidfd, (int)flags) < 0)
		return -1;
	if (!(op->flags & CLONE_NEWUSER))
		return 0;
	*ret_what = "become root of the user namespace";
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return errno == EINVAL || errno == EPERM ? 0 : -1;
	return 0;
}

static int chroot_target(struct child *c, const struct op *op)
{
	if (fchdir(c->fds[op->slot]) < 0 || chroot(".") < 0)
		return -1;
	return chdir("/");
}

/* Kernels without keyrings, filters that refuse them (as in another container) and users that have too many do not
 * keep a container from running: it shares the caller's. */
static int join_keyring(const struct child *c, const char *name)
{
	if (child_label_keyring(c) < 0)
		return -1;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) >= 0)
		return 0;
	return errno == ENOSYS || errno == EPERM || errno == EACCES || errno == EDQUOT ? 0 : -1;
}

static int tell_moment(struct child *c)
{
	struct message m = { .kind = MESSAGE_MOMENT, .step = (int)c->step };

	if (child_send(c->sync, &m, NULL, 0) < 0)
		return -1;
	child_wait(c);
	return 0;
}

int child_namespace_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_JOIN:			return join(c, op);
	case OP_JOIN_TARGET:		return join_target(c, op, ret_what);
	case OP_CHROOT_TARGET:		return chroot_target(c, op);
	case OP_OOM_SCORE:		return c->has_oom_score ? 0 : child_set_oom_score((int64_t)op->value);
	case OP_KEYRING:		return join_keyring(c, op->source);
	case OP_MOMENT:			return tell_moment(c);
	case OP_CGROUP_NAMESPACE:	return unshare(CLONE_NEWCGROUP);
	case OP_LOOPBACK:		return ns_loopback_up();
	case OP_HOSTNAME:		return sethostname(op->source, strlen(op->source));
	case OP_DOMAINNAME:		return setdomainname(op->source, strlen(op->source));
	default:			errno = ENOSYS; return -1;
	}
}

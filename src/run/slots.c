#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/mount.h"

int plan_error(const struct run_plan *plan, size_t step, const char *what, struct error *err)
{
	int number = errno;
	const struct op *op = &plan->ops.v[step];
	_cleanup_buffer_ struct buffer text = BUFFER(ERROR_TEXT_SIZE);

	op_describe(op, &text);
	errno = number;
	error_errno(err, "container setup, step %zu of %zu: %s%s%s", step + 1, plan->ops.n,
		    text.data ? text.data : "", str_is_empty(what) ? "" : ": ", what ? what : "");
	if (number == ENOENT && op->kind == OP_BIND)
		error_hint(err, "the host path %s does not exist; create it first", op->source);
	if (number == EPERM && op->kind == OP_MOUNT && str_eq(op->fstype, "proc"))
		error_hint(err, "parts of /proc are hidden here, as in a container, so a new one may not be mounted: "
			   "start the outer container with --security-opt unmask=ALL, or use --pid host");
	if (number == EPERM && op->kind == OP_RLIMIT)
		error_hint(err, "an ordinary user may not raise the hard limit above his own: see ulimit -H -a");
	return -1;
}

/* A bind mount without its sub-mounts is refused where the host locked these together; then they all come. */
static int clone_source(const struct op *op)
{
	int fd = mount_clone(AT_FDCWD, op->source, op->mount.bind_tree);

	if (fd < 0 && errno == EINVAL && !op->mount.bind_tree)
		fd = mount_clone(AT_FDCWD, op->source, true);
	return fd;
}

/* For kernels that know only the mount(2) string -1 is an answer: the child mounts in its own mount namespace. */
static int open_overlay(const struct run_plan *plan, const char **ret_step)
{
	int fd = mount_overlay(plan->rootfs, ret_step);

	if (fd < 0 && errno == EINVAL && str_eq(*ret_step, "lowerdir+")) {
		errno = 0;
		return -1;
	}
	return fd;
}

static int open_slot(const struct run_plan *plan, const struct op *op, const char **ret_step)
{
	bool is_root = op->kind == OP_ROOT_OVERLAY || op->kind == OP_ROOT_BIND;

	if (is_root && plan->root_mount >= 0)
		return fcntl(plan->root_mount, F_DUPFD_CLOEXEC, 3);
	if (op->kind == OP_ROOT_OVERLAY)
		return open_overlay(plan, ret_step);
	if (op->kind == OP_JOIN)
		return open(op->source, O_RDONLY | O_CLOEXEC);
	return clone_source(op);
}

int slots_open(const struct run_plan *plan, int *fds, struct error *err)
{
	for (size_t i = 0; i < plan->slots_n; i++)
		fds[i] = -1;
	for (size_t i = 0; i < plan->ops.n; i++) {
		const struct op *op = &plan->ops.v[i];
		const char *step = NULL;

		if (op->slot < 0)
			continue;
		errno = 0;
		if (op->kind == OP_SECCOMP)
			fds[op->slot] = seccomp_listener_connect(plan->process.listener, 3 + (int)plan->preserve_fds_n, err);
		else
			fds[op->slot] = open_slot(plan, op, &step);
		if (fds[op->slot] >= 0 || errno == 0)
			continue;
		if (op->kind != OP_SECCOMP)
			plan_error(plan, i, step, err);
		slots_close(plan, fds);
		return -1;
	}
	return 0;
}

void slots_close(const struct run_plan *plan, int *fds)
{
	for (size_t i = 0; i < plan->slots_n; i++)
		fd_close(&fds[i]);
}

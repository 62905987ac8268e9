#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
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
	if (number == ENOENT && op->kind == OP_BIND) {
		error_code(err, "source-missing");
		error_hint(err, "the host path %s does not exist; create it first", op->source);
	}
	if ((number == ENOTDIR || number == EISDIR) && (op->kind == OP_BIND || op->kind == OP_MOUNT))
		error_hint(err, "a directory can be mounted on a directory only, and a file on a file: see what the image has at %s",
			   op->target);
	if (op->kind == OP_BIND && op->maps && (number == EPERM || number == EINVAL))
		error_hint(err, "an ordinary user can map ids of his own file systems only (a tmpfs of the namespace), not of the host's: "
			   "leave idmap out, and use --userns keep-id:uid=N,gid=N, or the volume option U");
	if (number == EPERM && op->kind == OP_MOUNT && str_eq(op->fstype, "proc"))
		error_hint(err, "parts of /proc are hidden here, as in a container, so a new one may not be mounted: "
			   "start the outer container with --security-opt unmask=ALL, or use --pid host");
	if (number == EINVAL && op->kind == OP_JOIN)
		error_hint(err, "%s is not a namespace of that kind", op->source);
	if (number == EPERM && op->kind == OP_RLIMIT)
		error_hint(err, "an ordinary user may not raise the hard limit above his own: see ulimit -H -a");
	return -1;
}

/* --- sources */

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* A bind mount without its sub-mounts is refused where the host locked these together; then they all come. */
static int clone_tree(const struct op *op)
{
	int fd = op->ready > 0 ? fcntl(op->ready, F_DUPFD_CLOEXEC, 3) : mount_clone(AT_FDCWD, op->source, op->mount.bind_tree);

	if (fd < 0 && errno == EINVAL && !op->ready && !op->mount.bind_tree)
		fd = mount_clone(AT_FDCWD, op->source, true);
	return fd;
}

static int close_failed(int fd)
{
	int number = errno;

	close(fd);
	errno = number;
	return -1;
}

static int clone_source(const struct op *op, const char **ret_step)
{
	int result, mount, names;

	if (op->mount.copy_symlink && is_link(op->source))
		return -1;	/* with errno 0: the child makes the link */
	mount = clone_tree(op);
	if (mount < 0 || op->kind != OP_BIND || !op->maps)
		return mount;
	*ret_step = "map its ids";
	names = idmap_namespace(op->maps);
	result = names < 0 ? -1 : mount_set_idmap(mount, names, op->mount.idmap_tree);
	if (names >= 0)
		close(names);
	return result < 0 ? close_failed(mount) : mount;
}

/* In a user namespace no device can be made; what is made by us on a file system of ours is one there too. Its only
 * file is bound by the child, as no kernel before 6.15 copies a part of a detached mount. */
static int make_apart(const struct plan_device *d, const char **ret_step)
{
	const char *const options[] = { "mode=711", "nr_inodes=2", NULL };
	int result, fs = mount_new("tmpfs", "device", options, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID, ret_step);
	mode_t mask;

	if (fs < 0)
		return -1;
	*ret_step = NULL;
	mask = umask(0);
	result = mknodat(fs, PLAN_DEVICE_NAME, d->mode, d->number);
	umask(mask);
	if (result == 0)
		result = fchownat(fs, PLAN_DEVICE_NAME, d->uid, d->gid, AT_SYMLINK_NOFOLLOW);
	return result < 0 ? close_failed(fs) : fs;
}

/* Root without the right to make nodes, as in another container, has the host's. */
static int open_device(const struct op *op, const char **ret_step)
{
	int fd = op->device->apart ? make_apart(op->device, ret_step) : -1;

	return fd >= 0 || (op->device->apart && errno != EPERM) ? fd : clone_source(op, ret_step);
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
	switch (op->kind) {
	case OP_ROOT_OVERLAY:	return open_overlay(plan, ret_step);
	case OP_JOIN:		return open(op->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);	/* it could be any file */
	case OP_CHROOT_TARGET:	return open(op->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	case OP_DEVICE:		return open_device(op, ret_step);
	case OP_STDIO:		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case OP_HOOK:		return memfd_create("state", MFD_CLOEXEC);
	default:		return clone_source(op, ret_step);
	}
}

/* Cloning a mount takes privilege over the mount namespace; the rest everybody may open. */
static bool needs_privilege(const struct op *op)
{
	return op->kind != OP_JOIN && op->kind != OP_CHROOT_TARGET && op->kind != OP_HOOK && op->kind != OP_STDIO;
}

/* The receiver of a seccomp listener has words of his own about what is wrong. */
static int connect_receiver(const struct run_plan *plan, int *fds, struct error *err)
{
	for (size_t i = 0; i < plan->ops.n; i++) {
		const struct op *op = &plan->ops.v[i];

		if (op->kind != OP_SECCOMP || op->slot < 0)
			continue;
		fds[op->slot] = seccomp_listener_connect(plan->process.listener, 3 + (int)plan->preserve_fds_n, err);
		return fds[op->slot] < 0 ? -1 : 0;
	}
	return 0;
}

static int open_needed(const struct run_plan *plan, int *fds, bool privileged, bool late, size_t *ret_step,
		       const char **ret_what)
{
	for (size_t i = 0; i < plan->ops.n; i++) {
		const struct op *op = &plan->ops.v[i];

		if (op->slot < 0 || op->kind == OP_SECCOMP || (late && needs_privilege(op) != privileged))
			continue;
		*ret_what = NULL;
		*ret_step = i;
		errno = 0;
		fds[op->slot] = open_slot(plan, op, ret_what);
		if (fds[op->slot] < 0 && errno != 0)
			return -1;
	}
	return 0;
}

int slots_open(const struct run_plan *plan, int *fds, bool late, struct error *err)
{
	const char *what = NULL;
	size_t step = 0;

	for (size_t i = 0; i < plan->slots_n; i++)
		fds[i] = -1;
	if (connect_receiver(plan, fds, err) == 0) {
		if (open_needed(plan, fds, false, late, &step, &what) == 0)
			return 0;
		plan_error(plan, step, what, err);
	}
	slots_close(plan, fds);
	return -1;
}

int slots_open_late(const struct run_plan *plan, int *fds, size_t *ret_step, const char **ret_what)
{
	return open_needed(plan, fds, true, true, ret_step, ret_what);
}

void slots_close(const struct run_plan *plan, int *fds)
{
	for (size_t i = 0; i < plan->slots_n; i++)
		fd_close(&fds[i]);
}

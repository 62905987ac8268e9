#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/mount.h"
#include "sys/tty.h"

/* The master comes from a devpts that is one: ours by its own descriptor, or (exec) the container's after a look. */
static int open_master(struct child *c, const char **ret_what)
{
	struct statfs fs;
	int fd;

	if (c->devpts >= 0)
		return openat(c->devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	*ret_what = "no devpts at /dev/pts";
	if (c->root >= 0) {
		fd = inroot_open(c->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0);
	} else {
		fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return -1;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC) {
		close(fd);
		errno = ENODEV;
		return -1;
	}
	return fd;
}

/* A bind of the slave's node over the container's /dev/console. */
static int bind_console(struct child *c, const struct op *op, int master)
{
	char name[16], *at = name + sizeof(name) - 1;
	unsigned number;
	int mount, target, result;

	if (c->devpts < 0)
		return 0;
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return -1;
	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	mount = mount_clone(c->devpts, at, false);
	if (mount < 0)
		return -1;
	target = inroot_mountpoint(c->root, op->target, false);
	result = target < 0 ? -1 : mount_attach(mount, target);
	close(mount);
	if (target >= 0)
		close(target);
	return result;
}

static int make_console(struct child *c, const struct op *op, const char **ret_what)
{
	const struct plan_process *p = &c->plan->process;
	struct winsize size = { .ws_row = p->rows, .ws_col = p->columns };
	struct message m = { .kind = MESSAGE_CONSOLE };
	int unlocked = 0, master = open_master(c, ret_what);

	if (master < 0)
		return -1;
	*ret_what = "unlock the pty";
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	*ret_what = "open the pty's other side";
	c->console_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->console_slave < 0)
		return -1;
	if (p->rows && p->columns)
		ioctl(master, TIOCSWINSZ, &size);
	if (p->terminal_text)
		tty_keep_newlines(c->console_slave);
	*ret_what = "give the terminal to the user";
	if (p->uid && fchown(c->console_slave, p->uid, (gid_t)-1) < 0)
		return -1;
	*ret_what = "bind the pty";
	if (bind_console(c, op, master) < 0)
		return -1;
	*ret_what = "send the pty";
	if (child_send(c->sync, &m, &master, 1) < 0)
		return -1;
	return close(master);
}

/* A pipe that a non-root user shall reopen through /dev/stdout must be his. Where it cannot be, it stays usable by
 * its descriptor. */
static void give_to_user(const struct child *c, int fd)
{
	struct stat st;
	uid_t uid = c->plan->process.uid;

	if (uid && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fchown(fd, uid, (gid_t)-1) < 0)
		errno = 0;
}

/* What becomes descriptor `target`. null: the host's, as the container's could be anything. */
static int stdio_source(const struct child *c, int null, int target)
{
	if (target >= 3)
		return c->plan->preserve_fds[target - 3];
	if (c->console_slave >= 0)
		return c->console_slave;
	return c->plan->stdio[target] >= 0 ? c->plan->stdio[target] : null;
}

static bool is_gap(const struct child *c, int target)
{
	return target >= 3 && c->plan->preserve_fds[target - 3] < 0;
}

/* 0, 1, 2, then 3.. for preserved ones, some of which may be left out. All that is still needed lies above these. First
 * copies out of the way of all targets, so that no move overwrites what another still needs. */
static int connect_stdio(struct child *c, const struct op *op)
{
	int lifted[3 + PRESERVE_MAX], n = 3 + (int)c->plan->preserve_fds_n, null = op->slot < 0 ? -1 : c->fds[op->slot];

	for (int target = 0; target < n; target++) {
		lifted[target] = is_gap(c, target) ? -1 : fcntl(stdio_source(c, null, target), F_DUPFD_CLOEXEC, n);
		if (lifted[target] < 0 && !is_gap(c, target))
			return -1;
	}
	for (int target = 0; target < n; target++) {
		if (is_gap(c, target)) {
			close(target);
			continue;
		}
		if (dup2(lifted[target], target) < 0)
			return -1;
		close(lifted[target]);
		if (target < 3 && c->console_slave < 0)
			give_to_user(c, target);
	}
	return 0;
}

int child_terminal_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_CONSOLE:
		return make_console(c, op, ret_what);
	case OP_NEW_SID:
		if (setsid() < 0 && errno != EPERM)
			return -1;
		*ret_what = "TIOCSCTTY";
		return c->console_slave >= 0 ? ioctl(c->console_slave, TIOCSCTTY, 0) : 0;
	default:
		return connect_stdio(c, op);
	}
}

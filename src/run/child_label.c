/* The label of the command: the file that takes it is opened while the host's /proc is in its place, and written last. */
#include "run/plan.h"

#include <fcntl.h>
#include <unistd.h>

#include "sys/lsm.h"
#include "sys/procfs.h"

static enum lsm module_of(const struct plan_process *p)
{
	return p->selinux_label ? LSM_SELINUX : LSM_APPARMOR;
}

/* Above all descriptors that the command gets. */
static int open_label(struct child *c, const char **ret_what)
{
	int fd, proc = procfs_open();

	*ret_what = "/proc";
	if (proc < 0)
		return -1;
	*ret_what = "attr/exec in /proc";
	fd = lsm_open(proc, module_of(&c->plan->process), LSM_EXEC);
	close(proc);
	if (fd < 0)
		return -1;
	c->label = fcntl(fd, F_DUPFD_CLOEXEC, 3 + PRESERVE_MAX);
	close(fd);
	return c->label < 0 ? -1 : 0;
}

int child_label_op(struct child *c, const struct op *op, const char **ret_what)
{
	const struct plan_process *p = &c->plan->process;

	if (op->kind == OP_LABEL_OPEN)
		return open_label(c, ret_what);
	*ret_what = p->selinux_label ? p->selinux_label : p->apparmor_profile;
	return lsm_write(c->label, module_of(p), LSM_EXEC, *ret_what);
}

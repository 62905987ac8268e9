#include "run/plan.h"

#include <errno.h>

#include "sys/fd.h"
#include "sys/lsm.h"
#include "sys/procfs.h"

static const char *label_of(const struct plan_process *p, enum lsm lsm)
{
	return lsm == LSM_SELINUX ? p->selinux_label : p->apparmor_profile;
}

/* The files are opened while the host's /proc is there, and written when nothing of ours runs any more but exec. */
static int open_labels(struct child *c, const char **ret_what)
{
	int proc = procfs_open();

	*ret_what = "/proc";
	if (proc < 0)
		return -1;
	for (enum lsm lsm = LSM_SELINUX; lsm <= LSM_APPARMOR; lsm++) {
		if (!label_of(&c->plan->process, lsm))
			continue;
		*ret_what = lsm == LSM_SELINUX ? "SELinux" : "AppArmor";
		c->label[lsm] = lsm_open(proc, lsm, LSM_EXEC);
		if (c->label[lsm] < 0)
			return -1;
	}
	close(proc);
	return 0;
}

static int set_labels(struct child *c, const char **ret_what)
{
	for (enum lsm lsm = LSM_SELINUX; lsm <= LSM_APPARMOR; lsm++) {
		if (c->label[lsm] < 0)
			continue;
		*ret_what = lsm == LSM_SELINUX ? "SELinux" : "AppArmor";
		if (lsm_write(c->label[lsm], lsm, LSM_EXEC, label_of(&c->plan->process, lsm)) < 0)
			return -1;
		fd_close(&c->label[lsm]);
	}
	return 0;
}

/* A keyring made by the container's process must be its own by its label too. */
int child_label_keyring(const struct child *c)
{
	const char *label = c->plan->process.selinux_label;
	int proc, fd, result;

	if (!label)
		return 0;
	proc = procfs_open();
	fd = proc < 0 ? -1 : lsm_open(proc, LSM_SELINUX, LSM_KEYCREATE);
	result = fd < 0 ? -1 : lsm_write(fd, LSM_SELINUX, LSM_KEYCREATE, label);
	fd_close(&fd);
	fd_close(&proc);
	return result;
}

int child_label_op(struct child *c, const struct op *op, const char **ret_what)
{
	return op->kind == OP_LABEL_OPEN ? open_labels(c, ret_what) : set_labels(c, ret_what);
}

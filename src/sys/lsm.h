/* sys/lsm - labels of security modules: which module is on, and what a process is confined to after its exec
 *
 * A process names the label of its next program itself, by writing to a file of its own in /proc. Which procfs that is
 * decides whether it happens at all, so the file is opened early, below a procfs that was checked (sys/procfs), and
 * written late, right before exec, when the container's own /proc is in the place of the host's:
 *
 *	fd = lsm_open(proc, LSM_SELINUX, LSM_EXEC);	after clone, in the process itself, before it leaves the host's mounts
 *	...
 *	lsm_write(fd, LSM_SELINUX, LSM_EXEC, label);	after the last change of ids, before the seccomp filter
 *
 * The kernel takes the write only from the process that opened the file. The label is checked before anything is made
 * (lsm_check_transition, lsm_check_profile), because the kernel's own answer comes late and says little.
 *
 * libselinux and libapparmor are not needed: formats as in the kernel's security/selinux/hooks.c and
 * security/apparmor/lsm.c. */
#ifndef BRYO_SYS_LSM_H
#define BRYO_SYS_LSM_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

enum lsm { LSM_SELINUX, LSM_APPARMOR };

/* SELinux: a policy is loaded, and selinuxfs is there to talk to it. */
bool lsm_is_on(enum lsm lsm);

/* What the calling process is confined to: an SELinux context; an AppArmor profile without its mode, NULL when it is
 * unconfined. NULL where the module is off. */
char *lsm_own_label(struct arena *arena, enum lsm lsm);

/* The policy knows the context "user:role:type:level". Without SELinux: ERROR_UNSUPPORTED. */
int lsm_check_label(const char *label, struct error *err);
/* It is known, and the policy lets the calling process start programs with it. */
int lsm_check_transition(const char *label, struct error *err);
/* AppArmor is on and the profile is loaded, as far as the caller may know; "unconfined" is one everywhere. */
int lsm_check_profile(const char *profile, struct error *err);

/* --- between clone and exec: no allocation, -1 with errno */

enum lsm_attribute {
	LSM_EXEC,		/* the next program */
	LSM_KEYCREATE,		/* SELinux: keyrings made from now on, until exec */
	LSM_SOCKCREATE,		/* SELinux: sockets made from now on, until exec */
};
/* The calling thread's file for it, for writing. proc: of procfs_open, where the thread is visible. */
int lsm_open(int proc, enum lsm lsm, enum lsm_attribute attribute);
/* EINVAL: unknown to the policy; EACCES, EPERM: the policy does not let this process change to it; ENOENT: no such
 * profile; ENAMETOOLONG: no label has so many bytes. */
int lsm_write(int fd, enum lsm lsm, enum lsm_attribute attribute, const char *label);
/* The label of a file that is open for reading or writing (not O_PATH): pipes, files, directories. */
int lsm_label_fd(int fd, const char *label);
/* The label of the root of a mount that has no option for it (mqueue in a user namespace): 0 also where the file system
 * has no labels. mount_fd may be O_PATH. */
int lsm_label_mount(int mount_fd, const char *label);

/* --- mounts */

/* How a new mount of this type takes the label linux.mountLabel. */
enum lsm_mount {
	LSM_MOUNT_NONE,		/* not at all: proc, sysfs, cgroup, and what a user namespace may not label */
	LSM_MOUNT_OPTION,	/* as lsm_mount_option says */
	LSM_MOUNT_ROOT,		/* by lsm_label_mount, once it is made */
};
/* initial: mounted in the machine's own user namespace (lsm_is_initial). Binds are never asked about. */
enum lsm_mount lsm_mount_way(const char *fstype, bool initial);
bool lsm_is_initial(void);
/* "context=LABEL" for fsconfig(2). type is the word before "=": "context" (NULL is that), "fscontext", "defcontext",
 * "rootcontext", as the annotation run.oci.mount_context_type says; NULL for any other. */
char *lsm_mount_option(struct arena *arena, const char *label, const char *type);

#endif

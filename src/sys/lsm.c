#include "sys/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/procfs.h"

#define SELINUX_FS "/sys/fs/selinux"
#define APPARMOR_FS "/sys/kernel/security/apparmor"
#define LABEL_MAX 4095		/* the kernel takes a page at once */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu	/* PROC_USER_INIT_INO */

/* --- the host */

/* The first byte of a small file; 0 when it cannot be read. */
static char first_byte(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;

	return fd >= 0 && read(fd, &c, 1) == 1 ? c : 0;
}

/* In a container it may be mounted read-only, to say that its labels are no business of the processes there. */
static bool has_selinux(void)
{
	struct statfs fs;

	return statfs(SELINUX_FS, &fs) == 0 && (unsigned)fs.f_type == SELINUX_MAGIC && !(fs.f_flags & ST_RDONLY);
}

static bool has_apparmor(void)
{
	return first_byte("/sys/module/apparmor/parameters/enabled") == 'Y';
}

bool lsm_is_on(enum lsm lsm)
{
	return lsm == LSM_SELINUX ? has_selinux() : has_apparmor();
}

char *lsm_own_label(struct arena *arena, enum lsm lsm)
{
	char *text = NULL;

	if (!lsm_is_on(lsm))
		return NULL;
	if (lsm == LSM_APPARMOR)
		text = fd_read_file(arena, AT_FDCWD, "/proc/self/attr/apparmor/current", LABEL_MAX, NULL);
	if (!text)
		text = fd_read_file(arena, AT_FDCWD, "/proc/self/attr/current", LABEL_MAX, NULL);
	if (!text)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	if (lsm == LSM_SELINUX)
		return text;
	if (str_ends(text, ")") && strrchr(text, ' '))	/* "profile (enforce)" */
		*strrchr(text, ' ') = '\0';
	return strcmp(text, "unconfined") == 0 ? NULL : text;
}

/* --- what the policies know */

int lsm_check_label(const char *label, struct error *err)
{
	_cleanup_fd_ int fd = -1;

	if (!has_selinux()) {
		error_set(err, ERROR_UNSUPPORTED, "SELinux label \"%s\": SELinux is not enabled on this host", label);
		return error_hint(err, "leave the label out, or boot with SELinux");
	}
	/* Where it cannot be asked, the exec tells. */
	fd = open(SELINUX_FS "/context", O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, label, strlen(label) + 1) >= 0 || errno != EINVAL)
		return 0;
	error_set(err, ERROR_INVALID, "SELinux label \"%s\": the loaded policy does not know it", label);
	return error_hint(err, "seinfo -t lists types, seinfo -u -x users with their roles and levels");
}

/* A number in a small file of selinuxfs; 0 without one, which is no class and no permission. */
static unsigned read_number(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	unsigned n;

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && str_to_u32(text, &n) == 0 ? n : 0;
}

/* Asks the policy, as compute_av(3) does: the answer begins with the granted permissions in hexadecimal. */
static bool is_denied(const char *from, const char *to)
{
	unsigned class = read_number(SELINUX_FS "/class/process/index");
	unsigned bit = read_number(SELINUX_FS "/class/process/perms/transition");
	_cleanup_fd_ int fd = open(SELINUX_FS "/access", O_RDWR | O_CLOEXEC);
	char text[2 * LABEL_MAX + 16];
	int n = snprintf(text, sizeof(text), "%s %s %u", from, to, class);
	ssize_t got;

	if (fd < 0 || !class || !bit || bit > 32 || n < 0 || (size_t)n >= sizeof(text) || write(fd, text, (size_t)n) < 0)
		return false;	/* where it cannot be asked, the exec tells */
	got = read(fd, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 && !(strtoul(text, NULL, 16) >> (bit - 1) & 1);
}

int lsm_check_transition(const char *label, struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	char *own = lsm_own_label(scratch, LSM_SELINUX);

	if (lsm_check_label(label, err) < 0)
		return -1;
	if (!own || strcmp(own, label) == 0 || first_byte(SELINUX_FS "/enforce") != '1' ||
	    !is_denied(own, label))
		return 0;
	error_set(err, ERROR_DENIED, "SELinux does not let %s start processes as %s", own, label);
	error_hint(err, "the program has no type that may");
	return error_fix_admin(err, "chcon -t container_runtime_exec_t PROGRAM");
}

/* AppArmor's list of profiles is root's; but everybody may ask what a label allows, and an unknown one is ENOENT. */
static bool is_unknown_profile(const char *profile)
{
	_cleanup_fd_ int fd = open(APPARMOR_FS "/.access", O_RDWR | O_CLOEXEC);
	char question[LABEL_MAX] = "label";
	size_t n = strlen(profile) + 1;

	if (fd < 0 || n + 8 > sizeof(question))
		return fd >= 0;
	memcpy(question + 6, profile, n);	/* "label\0PROFILE\0" and one byte of the class of nothing in particular */
	return write(fd, question, 6 + n + 1) < 0 && errno == ENOENT;
}

int lsm_check_profile(const char *profile, struct error *err)
{
	if (strcmp(profile, "unconfined") == 0)
		return 0;
	if (!has_apparmor()) {
		error_set(err, ERROR_UNSUPPORTED, "AppArmor profile \"%s\": AppArmor is not enabled on this host", profile);
		return error_hint(err, "leave the profile out, or boot with apparmor=1 security=apparmor");
	}
	if (!is_unknown_profile(profile))
		return 0;
	error_set(err, ERROR_INVALID, "AppArmor profile \"%s\" is not loaded", profile);
	error_hint(err, "the administrator loads it, and lists the loaded ones with aa-status");
	return error_fix_admin(err, "apparmor_parser -r /etc/apparmor.d/FILE");
}

/* --- the calling process */

int lsm_open(int proc, enum lsm lsm, enum lsm_attribute attribute)
{
	static const char *const names[] = { [LSM_EXEC] = "attr/exec", [LSM_KEYCREATE] = "attr/keycreate",
					     [LSM_SOCKCREATE] = "attr/sockcreate" };
	int fd;

	if (lsm == LSM_SELINUX)
		return procfs_open_own(proc, names[attribute], O_WRONLY);
	if (attribute != LSM_EXEC) {
		errno = EOPNOTSUPP;
		return -1;
	}
	/* attr/exec belongs to the first module that wants it; since Linux 5.8 each has a directory of its own. */
	fd = procfs_open_own(proc, "attr/apparmor/exec", O_WRONLY);
	return fd < 0 && errno == ENOENT ? procfs_open_own(proc, names[LSM_EXEC], O_WRONLY) : fd;
}

int lsm_write(int fd, enum lsm lsm, enum lsm_attribute attribute, const char *label)
{
	static const char command[] = "exec ";
	char text[LABEL_MAX + 1];
	size_t at = lsm == LSM_APPARMOR ? sizeof(command) - 1 : 0, n = strlen(label);

	if (!n || at + n > LABEL_MAX) {
		errno = n ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	memcpy(text, command, at);
	memcpy(text + at, label, n);
	/* One write: the kernel takes a part for the whole. */
	return write(fd, text, at + n) < 0 ? -1 : 0;
}

int lsm_label_fd(int fd, const char *label)
{
	return fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0);
}

int lsm_label_mount(int mount_fd, const char *label)
{
	int result, number, fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	result = lsm_label_fd(fd, label);
	number = errno;
	close(fd);
	errno = number;
	return result < 0 && errno == ENOTSUP ? 0 : result;
}

/* --- mounts */

/* A user namespace may give a context to these alone (selinux_set_mnt_opts, Linux 5.13 for overlay). */
static const struct { const char *fstype; enum lsm_mount initial, user; } mount_ways[] = {
	{ "tmpfs", LSM_MOUNT_OPTION, LSM_MOUNT_OPTION },	{ "ramfs", LSM_MOUNT_OPTION, LSM_MOUNT_OPTION },
	{ "devpts", LSM_MOUNT_OPTION, LSM_MOUNT_OPTION },	{ "overlay", LSM_MOUNT_OPTION, LSM_MOUNT_OPTION },
	{ "mqueue", LSM_MOUNT_ROOT, LSM_MOUNT_ROOT },
	{ "proc", LSM_MOUNT_NONE, LSM_MOUNT_NONE },		{ "sysfs", LSM_MOUNT_NONE, LSM_MOUNT_NONE },
	{ "cgroup", LSM_MOUNT_NONE, LSM_MOUNT_NONE },		{ "cgroup2", LSM_MOUNT_NONE, LSM_MOUNT_NONE },
};

enum lsm_mount lsm_mount_way(const char *fstype, bool initial)
{
	for (size_t i = 0; i < ELEMENTS(mount_ways); i++)
		if (strcmp(mount_ways[i].fstype, fstype) == 0)
			return initial ? mount_ways[i].initial : mount_ways[i].user;
	return initial ? LSM_MOUNT_OPTION : LSM_MOUNT_NONE;
}

bool lsm_is_initial(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == INITIAL_USER_NAMESPACE;
}

char *lsm_mount_option(struct arena *arena, const char *label, const char *type)
{
	static const char *const types[] = { "context", "fscontext", "defcontext", "rootcontext" };

	for (size_t i = 0; i < ELEMENTS(types); i++)
		if (str_eq(type ? type : types[0], types[i]))
			return arena_printf(arena, "%s=%s", types[i], label);
	return NULL;
}

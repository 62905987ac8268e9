/* The doctor's look at the machine: programs and devices for networks, the kernel */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/doctor.h"
#include "sys/lsm.h"
#include "sys/spawn.h"

/* --- networks */

static void lacks(struct error *cause, const char *what, const char *package)
{
	error_set(cause, ERROR_STATE, "%s", what);
	error_code(cause, "program-missing");
	error_fix_admin(cause, "apt install %s    (Debian, Ubuntu; Fedora: dnf install %s)", package, package);
}

static void examine_helper(struct engine *e, struct doctor_report *r)
{
	char *pasta = spawn_find(e->arena, "pasta"), *slirp = spawn_find(e->arena, "slirp4netns");
	struct error cause = { 0 };

	if (pasta || slirp) {
		doctor_good(e, r, "network", "%s%s%s", pasta ? pasta : slirp, pasta && slirp ? " and " : "", pasta && slirp ? slirp : "");
		return;
	}
	lacks(&cause, "neither pasta nor slirp4netns is installed: a container alone has no network but the host's", "passt");
	doctor_found(e, r, "network", DOCTOR_NOTE, &cause);
}

static void examine_bridges(struct engine *e, struct doctor_report *r)
{
	struct error cause = { 0 };

	if (!spawn_find(e->arena, "nft")) {
		lacks(&cause, "nft is not installed: there are no networks between containers", "nftables");
		doctor_found(e, r, "bridges", DOCTOR_NOTE, &cause);
	} else if (!spawn_find(e->arena, "/usr/lib/podman/aardvark-dns") && !spawn_find(e->arena, "/usr/libexec/podman/aardvark-dns")) {
		lacks(&cause, "aardvark-dns is not installed: containers know each other by /etc/hosts only", "aardvark-dns");
		doctor_found(e, r, "bridges", DOCTOR_NOTE, &cause);
	} else {
		doctor_good(e, r, "bridges", "nft and aardvark-dns are there");
	}
}

struct device { const char *name, *path, *module, *need, *code; };

static void examine_device(struct engine *e, const struct device *d, struct doctor_report *r)
{
	struct error cause = { 0 };
	int fd = open(d->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0) {
		close(fd);
		doctor_good(e, r, d->name, "%s can be opened", d->path);
		return;
	}
	error_errno(&cause, "%s, which %s: open it", d->path, d->need);
	if (d->code)
		error_code(&cause, d->code);
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		error_fix_admin(&cause, "modprobe %s", d->module);
	else
		error_fix_admin(&cause, "chmod 666 %s", d->path);
	doctor_found(e, r, d->name, DOCTOR_NOTE, &cause);
}

/* --- the kernel */

/* The system call is there when it complains about its arguments. */
static bool has_call(long number)
{
	return syscall(number, -1L, 0L, 0L, 0L, 0L, 0L) >= 0 || errno != ENOSYS;
}

static void examine_kernel(struct engine *e, struct doctor_report *r)
{
	static const struct { const char *what; long number; const char *since, *without; } calls[] = {
		{ "openat2", SYS_openat2, "5.6", "bryo does not run" },
		{ "pidfd_getfd", SYS_pidfd_getfd, "5.6", "socket bypass does not work" },
		{ "close_range", SYS_close_range, "5.9", "starting is slower" },
		{ "mount_setattr", SYS_mount_setattr, "5.12", "read-only mounts are not recursive, nothing is id-mapped" },
		{ "landlock", SYS_landlock_create_ruleset, "5.13", "bryo-transfer has a weaker sandbox" },
	};
	struct strings missing = { 0 };
	struct error cause = { 0 };
	struct utsname u = { 0 };

	uname(&u);
	for (size_t i = 0; i < ELEMENTS(calls); i++)
		if (!has_call(calls[i].number))
			strings_addf(e->arena, &missing, "%s (Linux %s: %s)", calls[i].what, calls[i].since, calls[i].without);
	if (!missing.n) {
		doctor_good(e, r, "kernel", "Linux %s", u.release);
		return;
	}
	error_set(&cause, ERROR_UNSUPPORTED, "Linux %s has not, or a filter hides: %s", u.release, strings_join(e->arena, &missing, "; "));
	doctor_found(e, r, "kernel", DOCTOR_NOTE, &cause);
}

static void examine_modules(struct engine *e, struct doctor_report *r)
{
	bool selinux = lsm_is_on(LSM_SELINUX), apparmor = lsm_is_on(LSM_APPARMOR);

	doctor_good(e, r, "security-module", "%s", selinux ? "SELinux: host directories need :z or :Z" : apparmor ? "AppArmor" :
		    "neither SELinux nor AppArmor");
}

void doctor_examine_host(struct engine *e, struct doctor_report *r)
{
	static const struct device tun = { "tun", "/dev/net/tun", "tun", "pasta, slirp4netns and bryo-gateway need", "tun-missing" };
	static const struct device fuse = { "fuse", "/dev/fuse", "fuse", "fuse-overlayfs needs", NULL };

	examine_helper(e, r);
	examine_device(e, &tun, r);
	examine_bridges(e, r);
	examine_device(e, &fuse, r);
	examine_kernel(e, r);
	examine_modules(e, r);
}

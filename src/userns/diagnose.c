#include "userns/diagnose.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/lsm.h"
#include "sys/self.h"
#include "sys/spawn.h"
#include "userns/nsswitch.h"

/* --- facts */

static int64_t read_sysctl(struct arena *arena, const char *path)
{
	char *text = fd_read_file(arena, AT_FDCWD, path, 64, NULL);
	long long n;

	if (!text)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return str_to_i64(text, &n) < 0 ? -1 : n;
}

/* The mount point of the file: field 5 of the mountinfo line with its mount's number. */
static char *mount_point_of(struct arena *arena, const char *path)
{
	char *table = fd_read_file(arena, AT_FDCWD, "/proc/self/mountinfo", 16 << 20, NULL), *line;
	char point[4096];
	struct statx sx;
	int id;

	if (!table || statx(AT_FDCWD, path, 0, STATX_MNT_ID, &sx) < 0 || !(sx.stx_mask & STATX_MNT_ID))
		return arena_strdup(arena, path);
	while ((line = strsep(&table, "\n")))
		if (sscanf(line, "%d %*d %*s %*s %4095s", &id, point) == 2 && (uint64_t)id == sx.stx_mnt_id)
			return arena_strdup(arena, point);
	return arena_strdup(arena, path);
}

/* Seen from the rootless namespace, files of the host's root belong to nobody. */
#define OVERFLOW_ID 65534

static void look_at_helper(struct arena *arena, const struct identity *id, const char *name, struct helper_facts *h)
{
	struct statvfs fs;
	struct stat st;

	h->name = name;
	h->path = spawn_find(arena, name);
	if (!h->path || stat(h->path, &st) < 0)
		return;
	h->setuid_root = (st.st_mode & S_ISUID) && (st.st_uid == 0 || (id->joined && st.st_uid == OVERFLOW_ID));
	h->file_caps = getxattr(h->path, "security.capability", NULL, 0) > 0;
	if (statvfs(h->path, &fs) == 0 && (fs.f_flag & ST_NOSUID))
		h->nosuid_mount = mount_point_of(arena, h->path);
}

/* What a child in a new user namespace may do: exit 0 when a mount works there, as it always does without a policy. */
static void try_clone(struct userns_facts *f)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int status = 0;

	if (pid == 0)
		_exit(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0);
	if (pid < 0) {
		f->clone_errno = errno;
		return;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	f->stripped = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static bool has_seccomp_filter(struct arena *arena)
{
	char *status = fd_read_file(arena, AT_FDCWD, "/proc/self/status", 65536, NULL);
	char *line = status ? strstr(status, "\nSeccomp:\t") : NULL;

	return line && line[10] == '2';
}

static bool is_chrooted(void)
{
	struct stat own, first;

	return stat("/", &own) == 0 && stat("/proc/1/root", &first) == 0 &&
	       (own.st_dev != first.st_dev || own.st_ino != first.st_ino);
}

static int collect_ranges(struct arena *arena, const struct identity *id, struct userns_facts *f, struct error *err)
{
	struct id_map uids = { 0 }, gids = { 0 };

	f->from_nss = nsswitch_has_other_ids(arena);
	if (f->from_nss) {
		if (subid_ranges(arena, id, &uids, &gids, err) < 0)
			return -1;
		f->nss_uids = uids.n;
		f->nss_gids = gids.n;
	}
	if (subid_read(arena, SUBUID_FILE, &f->subuid, err) < 0)
		return -1;
	return subid_read(arena, SUBGID_FILE, &f->subgid, err);
}

int diagnose_collect(struct arena *arena, const struct identity *id, struct userns_facts *ret, struct error *err)
{
	struct userns_facts f = { .uid = id->uid, .user = id->user };

	f.program = self_path(arena);
	f.max_user_namespaces = read_sysctl(arena, "/proc/sys/user/max_user_namespaces");
	f.userns_clone = read_sysctl(arena, "/proc/sys/kernel/unprivileged_userns_clone");
	f.apparmor_restrict = read_sysctl(arena, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
	f.apparmor_profile = lsm_own_label(arena, LSM_APPARMOR);
	f.seccomp_filter = has_seccomp_filter(arena);
	f.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	f.chrooted = is_chrooted();
	try_clone(&f);
	look_at_helper(arena, id, "newuidmap", &f.helpers[0]);
	look_at_helper(arena, id, "newgidmap", &f.helpers[1]);
	if (id->uid != 0 && collect_ranges(arena, id, &f, err) < 0)
		return -1;
	*ret = f;
	return 0;
}

int userns_diagnose(struct arena *arena, const struct identity *id, struct error *err)
{
	struct userns_facts f;

	if (diagnose_collect(arena, id, &f, err) < 0)
		return -1;
	return diagnose_judge(arena, &f, err);
}

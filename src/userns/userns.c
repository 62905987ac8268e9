#include "userns/userns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"
#include "userns/diagnose.h"
#include "userns/holder.h"
#include "userns/maps.h"
#include "userns/subid.h"

#define LOCK_NAME "holder.lock"
#define DYING_MS 2000

/* --- the plan: which ids, written by whom */

static void stamp_file(char *stamp, size_t size, const char *path)
{
	size_t used = strlen(stamp);
	struct stat st;

	if (stat(path, &st) < 0)
		snprintf(stamp + used, size - used, "-;");
	else
		snprintf(stamp + used, size - used, "%lx:%lx:%jx:%jx.%lx:%o;", (unsigned long)st.st_dev,
			 (unsigned long)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_ctim.tv_sec,
			 (unsigned long)st.st_ctim.tv_nsec, st.st_mode);
}

/* What the maps depend on, cheap enough to be looked at by every command: as long as it is the same, so are the maps.
 * With one id the helper programs count too, so that installing or repairing them is noticed. */
static char *make_stamp(struct arena *arena, const struct identity *id, bool single)
{
	static const char *const helpers[] = { "newuidmap", "newgidmap" };
	char stamp[512] = "";

	if (id->uid == 0)
		return arena_strdup(arena, "root");
	stamp_file(stamp, sizeof(stamp), SUBUID_FILE);
	stamp_file(stamp, sizeof(stamp), SUBGID_FILE);
	stamp_file(stamp, sizeof(stamp), "/etc/nsswitch.conf");
	for (size_t i = 0; single && i < ELEMENTS(helpers); i++) {
		char *path = spawn_find(arena, helpers[i]);

		stamp_file(stamp, sizeof(stamp), path ? path : "");
	}
	return arena_strdup(arena, stamp);
}

static struct holder_plan plan_single(struct arena *arena, const struct identity *id, char *why)
{
	return (struct holder_plan){ .deny_setgroups = true, .single_why = why, .maps = maps_single(arena, id) };
}

static struct id_map same_ids(struct arena *arena, const struct id_map *own)
{
	struct id_map map = { 0 };

	for (size_t i = 0; i < own->n; i++)
		idmap_add(arena, &map, own->v[i].inside, own->v[i].inside, own->v[i].count);
	return map;
}

/* "what is wrong; cure: one line", from the error or from what a diagnosis finds. */
static char *why_single(struct arena *arena, const struct identity *id, const struct error *failure)
{
	struct error cause = { 0 };

	if (userns_diagnose(arena, id, &cause) == 0)
		cause = *failure;
	return diagnose_line(arena, &cause);
}

static int make_plan(struct arena *arena, const struct identity *id, struct holder_plan *ret, struct error *err)
{
	struct holder_plan plan = { 0 };
	struct error failure = { 0 };
	struct id_maps own;

	if (id->uid == 0) {
		if (idmap_read(arena, 0, &own, err) < 0)
			return -1;
		plan.maps.uid = same_ids(arena, &own.uid);
		plan.maps.gid = same_ids(arena, &own.gid);
		*ret = plan;
		return 0;
	}
	if (maps_rootless(arena, id, &plan.maps, &failure) < 0) {
		*ret = plan_single(arena, id, why_single(arena, id, &failure));
		return 0;
	}
	plan.uid_helper = spawn_find(arena, "newuidmap");
	plan.gid_helper = spawn_find(arena, "newgidmap");
	*ret = plan;
	return 0;
}

/* --- making */

static int explain_failure(struct arena *arena, const struct identity *id, struct error *err)
{
	struct error cause = { 0 };

	if (err && userns_diagnose(arena, id, &cause) < 0 && cause.text[0])
		*err = cause;
	return -1;
}

/* With the lock held. Where the ranges cannot be mapped, one id is better than nothing. */
static int make(struct arena *arena, int run_fd, const struct identity *id, struct holder_plan plan,
		struct holder *ret, struct error *err)
{
	bool map_failed;
	struct error failure = { 0 };

	if (holder_start(arena, id, &plan, ret, &map_failed, &failure) < 0) {
		if (map_failed && !plan.single_why) {
			plan = plan_single(arena, id, why_single(arena, id, &failure));
			error_clear(&failure);
			if (holder_start(arena, id, &plan, ret, &map_failed, &failure) == 0)
				goto made;
		}
		if (err)
			*err = failure;
		return explain_failure(arena, id, err);
	}
made:
	ret->stamp = make_stamp(arena, id, plan.single_why != NULL);
	return holder_save(arena, run_fd, id->record, ret, err);
}

static bool containers_run(int run_fd)
{
	_cleanup_dir_ DIR *dir = fd_opendir(run_fd, "containers");
	struct dirent *entry;
	char name[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/monitor.lock", entry->d_name);
		if (lock_is_held(dirfd(dir), name))
			return true;
	}
	return false;
}

static void end(int pidfd)
{
	pidfd_signal(pidfd, SIGKILL);
	pidfd_wait_exit(pidfd, 2000);
}

static char *ranges_text(struct arena *arena, const struct id_map *map)
{
	struct strings list = { 0 };

	for (size_t i = 1; i < map->n; i++)
		strings_addf(arena, &list, "%u:%u", map->v[i].outside, map->v[i].count);
	return list.n ? strings_join(arena, &list, ",") : arena_strdup(arena, "none");
}

static char *say_stale(struct arena *arena, const struct identity *id, const struct id_maps *old,
		       const struct id_maps *new)
{
	bool uids = !idmap_equal(&old->uid, &new->uid);
	const struct id_map *before = uids ? &old->uid : &old->gid, *after = uids ? &new->uid : &new->gid;

	return arena_printf(arena,
			    "the subordinate ids of %s in %s changed from %s to %s; running containers keep the old ones, and "
			    "so does every command until they have ended", id->user, uids ? SUBUID_FILE : SUBGID_FILE,
			    ranges_text(arena, before), ranges_text(arena, after));
}

/* With the lock held: the files changed, or it must be made. Answers the holder's pidfd. */
static int renew(struct arena *arena, int run_fd, struct identity *id, struct holder *h, struct error *err)
{
	bool known = holder_load(arena, run_fd, id->record, h) == 0;
	int pidfd = known ? holder_open(h, id->runtime_dir_is_fallback) : -1;
	struct holder_plan plan;

	/* Two namespaces at once would not see each other's containers. */
	if (pidfd < 0 && error_passes(errno))
		return error_errno(err, "look for the rootless namespace in %s", id->runtime_dir);
	if (known && pidfd < 0 && holder_revive(arena, id, h) == 0 && holder_save(arena, run_fd, id->record, h, NULL) == 0)
		pidfd = holder_open(h, id->runtime_dir_is_fallback);
	if (pidfd >= 0 && str_eq(h->stamp, make_stamp(arena, id, h->single_why != NULL)))
		return pidfd;		/* another command was faster */
	if (make_plan(arena, id, &plan, err) < 0) {
		fd_close(&pidfd);
		return -1;
	}
	if (pidfd >= 0 && idmap_equal(&h->maps.uid, &plan.maps.uid) && idmap_equal(&h->maps.gid, &plan.maps.gid)) {
		h->stamp = make_stamp(arena, id, plan.single_why != NULL);
		h->single_why = plan.single_why;
		holder_save(arena, run_fd, id->record, h, NULL);	/* best effort: the next command tries again */
		return pidfd;
	}
	if (pidfd >= 0 && containers_run(run_fd)) {
		id->stale_why = say_stale(arena, id, &h->maps, &plan.maps);
		return pidfd;
	}
	if (pidfd >= 0)
		end(pidfd);
	fd_close(&pidfd);
	if (make(arena, run_fd, id, plan, h, err) < 0)
		return -1;
	id->made = true;
	pidfd = holder_open(h, id->runtime_dir_is_fallback);
	return pidfd < 0 ? error_errno(err, "open the holder of the rootless namespace") : pidfd;
}

/* A pidfd of the living, current holder: the quick way reads one file and looks at two. */
static int find_or_make(struct arena *arena, int run_fd, struct identity *id, struct holder *h, struct error *err)
{
	_cleanup_fd_ int lock = -1;
	int pidfd;

	if (holder_load(arena, run_fd, id->record, h) == 0 && str_eq(h->stamp, make_stamp(arena, id, h->single_why != NULL))) {
		pidfd = holder_open(h, id->runtime_dir_is_fallback);
		if (pidfd >= 0)
			return pidfd;
	}
	lock = lock_open(run_fd, LOCK_NAME, LOCK_EXCLUSIVE, true);
	if (lock < 0)
		return error_errno(err, "lock %s/" LOCK_NAME, id->runtime_dir);
	return renew(arena, run_fd, id, h, err);
}

/* --- joining */

static bool has_same_mounts(const struct holder *h)
{
	struct holder_root own = holder_own_root();

	return own.mount != 0 && own.mount == h->root.mount && own.dev == h->root.dev && own.ino == h->root.ino;
}

/* Back to where the caller stood: by name, which is the same directory seen through the holder's mounts; by
 * descriptor where the name leads elsewhere. */
static void return_to(const char *cwd, int fd)
{
	struct stat named, real;

	if (chdir(cwd) == 0 && stat(".", &named) == 0 &&
	    (fd < 0 || (fstat(fd, &real) == 0 && named.st_dev == real.st_dev && named.st_ino == real.st_ino)))
		return;
	if (fd < 0 || fchdir(fd) < 0)
		(void)!chdir("/");
}

static int enter(struct identity *id, const struct holder *h, int pidfd, struct error *err)
{
	bool same = has_same_mounts(h);
	_cleanup_fd_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (setns(pidfd, CLONE_NEWUSER | (same ? CLONE_NEWNS : 0)) < 0)
		return error_errno(err, "join the rootless namespace");
	id->own_mounts = !same;
	if (same)
		return_to(id->cwd, cwd);
	else if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(err, "make a private copy of the mounts");
	if (getgid() != 0 && setresgid(0, 0, 0) < 0)
		return error_errno(err, "become group 0 of the rootless namespace");
	if (getuid() != 0 && setresuid(0, 0, 0) < 0)
		return error_errno(err, "become user 0 of the rootless namespace");
	/* Supplementary groups stay: they are what --group-add keep-groups keeps. */
	prctl(PR_SET_DUMPABLE, 1);	/* setns cleared it, and /proc/self would belong to nobody */
	return 0;
}

static void fill(struct arena *arena, struct identity *id, const struct holder *h)
{
	id->maps = h->maps;
	id->single_id = h->single_why != NULL;
	if (h->single_why)
		id->single_id_why = arena_printf(arena, "only one id is mapped: %s", h->single_why);
	id->joined = true;
}

/* Started by `unshare` or from a hook, the caller is inside already: he counts as the user that he is outside. */
static bool is_inside(struct arena *arena, struct identity *id, int run_fd)
{
	_cleanup_dir_ DIR *dir = id->uid == 0 ? fd_opendir(run_fd, ".") : NULL;
	struct dirent *entry;
	struct holder h;
	struct stat ns;

	if (!dir || stat("/proc/self/ns/user", &ns) < 0)
		return false;
	while ((entry = readdir(dir))) {
		if (!str_starts(entry->d_name, "holder") || holder_load(arena, run_fd, entry->d_name, &h) < 0 ||
		    h.user_ns != ns.st_ino)
			continue;
		id->record = arena_strdup(arena, entry->d_name);
		id->uid = idmap_to_outside(&h.maps.uid, 0);
		id->gid = idmap_to_outside(&h.maps.gid, 0);
		fill(arena, id, &h);
		id->own_mounts = true;
		return true;
	}
	return false;
}

int userns_join(struct arena *arena, struct identity *id, struct error *err)
{
	_cleanup_fd_ int run_fd = fd_open_dir(AT_FDCWD, id->runtime_dir);
	struct holder h;

	if (run_fd < 0)
		return error_errno(err, "open the runtime directory %s", id->runtime_dir);
	if (id->joined || is_inside(arena, id, run_fd))
		return 0;
	for (int tries = 0; ; tries++) {
		_cleanup_fd_ int pidfd = find_or_make(arena, run_fd, id, &h, err);

		if (pidfd < 0)
			return -1;
		if (enter(id, &h, pidfd, err) == 0)
			break;
		/* Not because it died just now: one that is dying has no namespaces any more, and is soon gone. */
		if (tries == 2 || pidfd_wait_exit(pidfd, errno == ESRCH ? DYING_MS : 0) == 0)
			return -1;
		error_clear(err);
	}
	fill(arena, id, &h);
	return 0;
}

int userns_holder(const struct identity *id)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	_cleanup_fd_ int run_fd = fd_open_dir(AT_FDCWD, id->runtime_dir);
	struct holder h;

	if (run_fd < 0 || holder_load(scratch, run_fd, id->record, &h) < 0)
		return -1;
	return holder_open(&h, id->runtime_dir_is_fallback);
}

int userns_migrate(const struct identity *id, struct error *err)
{
	_cleanup_fd_ int run_fd = fd_open_dir(AT_FDCWD, id->runtime_dir);
	_cleanup_fd_ int lock = run_fd < 0 ? -1 : lock_open(run_fd, LOCK_NAME, LOCK_EXCLUSIVE, true);
	_cleanup_fd_ int pidfd = -1;

	if (lock < 0)
		return error_errno(err, "lock %s/" LOCK_NAME, id->runtime_dir);
	pidfd = userns_holder(id);
	if (pidfd >= 0)
		end(pidfd);
	if (unlinkat(run_fd, id->record, 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove %s/%s", id->runtime_dir, id->record);
	return 0;
}

#include "cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "cgroup/systemd.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define FREEZE_WAIT_MS 10000
#define FREEZE_AGAIN_MS 50	/* v1 can stay in FREEZING while processes fork: thawed and frozen again it ends */
#define REMOVE_TRIES 50		/* of 2 ms: the last process may still be on its way out */
#define SIGNAL_ROUNDS 64

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* A directory that has the processes: the unified hierarchy's where there is one. */
static int open_first(const struct cgroup *c, bool *ret_unified)
{
	if (c->places.n == 0) {
		errno = ENOENT;
		return -1;
	}
	*ret_unified = hierarchy_is_unified(c->places.v[0].controllers);
	return control_open_dir(c->places.v[0].path);
}

/* --- freezing */

/* Where there is a v1 freezer, that is what other programs look at. */
static int open_freezer(const struct cgroup *c, bool *ret_unified)
{
	const struct cgroup_place *unified = NULL;

	for (size_t i = 0; i < c->places.n; i++) {
		const struct cgroup_place *p = &c->places.v[i];

		*ret_unified = false;
		if (hierarchy_has(p->controllers, "freezer"))
			return control_open_dir(p->path);
		if (hierarchy_is_unified(p->controllers))
			unified = p;
	}
	errno = ENOENT;
	*ret_unified = true;
	return unified ? control_open_dir(unified->path) : -1;
}

static bool v1_state_is(int dirfd, const char *wanted)
{
	_cleanup_fd_ int fd = openat(dirfd, "freezer.state", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	return fd >= 0 && fd_read_all(fd, text, sizeof(text) - 1) > 0 && str_starts(text, wanted);
}

/* events: of cgroup.events, read to its end, or poll would go on telling of what is known. */
static bool is_so(int dirfd, int events, bool unified, bool frozen)
{
	char text[1024];
	ssize_t n;

	if (!unified)
		return v1_state_is(dirfd, frozen ? "FROZEN" : "THAWED");
	n = pread(events, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return !strstr(text, "frozen") || !!control_key(text, "frozen") == frozen;	/* kernels before 5.2 do not say */
}

static int write_state(int dirfd, bool unified, bool freeze)
{
	return unified ? control_write(dirfd, "cgroup.freeze", freeze ? "1" : "0") :
			 control_write(dirfd, "freezer.state", freeze ? "FROZEN" : "THAWED");
}

static int set_frozen(int dirfd, bool unified, bool freeze)
{
	_cleanup_fd_ int events = unified ? openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC) : -1;
	int64_t start = clock_now_ms(), again = start + FREEZE_AGAIN_MS;

	if ((unified && events < 0) || write_state(dirfd, unified, freeze) < 0)
		return -1;
	while (clock_now_ms() - start < FREEZE_WAIT_MS) {
		struct pollfd p = { .fd = events, .events = POLLPRI };

		if (is_so(dirfd, events, unified, freeze))
			return 0;
		poll(&p, 1, clock_now_ms() - start < 20 ? 1 : 10);	/* without a descriptor: just sleeps */
		if (!unified && freeze && clock_now_ms() > again) {
			write_state(dirfd, unified, false);
			write_state(dirfd, unified, true);
			again = clock_now_ms() + FREEZE_AGAIN_MS;
		}
	}
	errno = ETIMEDOUT;
	return -1;
}

int cgroup_freeze(const struct cgroup *c, bool freeze, struct error *err)
{
	const char *verb = freeze ? "freeze" : "thaw";
	bool unified;
	_cleanup_fd_ int dirfd = open_freezer(c, &unified);

	if (dirfd < 0 && c->places.n == 0)
		return error_set(err, ERROR_UNSUPPORTED, "the container has no cgroup of its own, so it cannot be paused");
	if (dirfd < 0)
		return error_errno(err, "%s the cgroup %s", verb, c->path);
	if (set_frozen(dirfd, unified, freeze) == 0)
		return 0;
	if (errno == ETIMEDOUT) {
		if (freeze)
			write_state(dirfd, unified, false);
		return error_set(err, ERROR_FAILED, "the cgroup %s did not %s in time", c->path, verb);
	}
	return error_errno(err, "%s the cgroup %s", verb, c->path);
}

bool cgroup_is_frozen(const struct cgroup *c)
{
	bool unified;
	_cleanup_fd_ int dirfd = open_freezer(c, &unified);
	uint64_t frozen = 0;

	if (dirfd < 0)
		return false;
	if (unified)	/* asked for, though perhaps not all are asleep yet; or frozen with a cgroup above */
		return (control_read_number(dirfd, "cgroup.freeze", &frozen) == 0 && frozen) ||
		       (control_read_key(dirfd, "cgroup.events", "frozen", &frozen) == 0 && frozen);
	return v1_state_is(dirfd, "FR");	/* FREEZING, FROZEN */
}

bool cgroup_can_freeze(const struct cgroup *c)
{
	bool unified;
	_cleanup_fd_ int dirfd = open_freezer(c, &unified);

	return dirfd >= 0 && faccessat(dirfd, unified ? "cgroup.freeze" : "freezer.state", W_OK, AT_EACCESS) == 0;
}

/* --- processes */
struct pid_list {
	struct arena *arena;
	ARRAY(int) pids;
};

static int add_pids(int dirfd, void *context)
{
	struct pid_list *list = context;
	char *text = control_read(list->arena, dirfd, "cgroup.procs"), *pid;

	while (text && (pid = strsep(&text, "\n")))
		if (strtol(pid, NULL, 10) > 0)	/* 0: not visible in this pid namespace */
			*ARRAY_ADD(list->arena, &list->pids) = (int)strtol(pid, NULL, 10);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int cgroup_pids(struct arena *arena, const struct cgroup *c, int **ret_pids, size_t *ret_n, struct error *err)
{
	struct pid_list list = { .arena = arena };
	bool unified;
	int dirfd;

	*ret_pids = NULL;
	*ret_n = 0;
	if (c->places.n == 0)
		return 0;
	dirfd = open_first(c, &unified);
	if (dirfd < 0)
		return error_errno(err, "open the cgroup %s", c->path);
	control_walk(dirfd, add_pids, &list);
	if (list.pids.n > 1)
		qsort(list.pids.v, list.pids.n, sizeof(int), compare);
	*ret_pids = list.pids.v;
	*ret_n = list.pids.n;
	return 0;
}

/* 1 when there was somebody; -1 when somebody could not be reached, after all others were. */
static int signal_pids(const struct cgroup *c, int signal)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	bool unified;
	int dirfd = open_first(c, &unified), result = 0, number = 0;
	struct pid_list list = { .arena = scratch };

	if (dirfd < 0)
		return errno == ENOENT ? 0 : -1;
	control_walk(dirfd, add_pids, &list);
	for (size_t i = 0; i < list.pids.n; i++)
		if (kill(list.pids.v[i], signal) == 0)
			result = 1;
		else if (errno != ESRCH)
			number = errno;
	errno = number;
	return number ? -1 : result;
}

/* Without cgroup.kill (before 5.14, and v1): frozen, nobody forks out of the list; else round after round. */
static int kill_by_list(const struct cgroup *c)
{
	bool can = cgroup_can_freeze(c), frozen = can && cgroup_freeze(c, true, NULL) == 0;
	int result = signal_pids(c, SIGKILL);

	if (can)	/* also what somebody else has frozen: it is to die */
		cgroup_freeze(c, false, NULL);
	for (int i = 0; !frozen && result > 0 && i < SIGNAL_ROUNDS; i++) {
		result = signal_pids(c, SIGKILL);
		sleep_ms(1);
	}
	return result < 0 ? -1 : 0;
}

int cgroup_kill(const struct cgroup *c)
{
	bool unified;
	_cleanup_fd_ int dirfd = -1;

	if (c->places.n == 0)
		return 0;
	dirfd = open_first(c, &unified);
	if (dirfd < 0)
		return errno == ENOENT ? 0 : -1;
	/* Processes of a hybrid host's container are in both, so that this finds them all; but v1's freezer holds them. */
	if (unified && control_write(dirfd, "cgroup.kill", "1") == 0)
		return c->places.n > 1 && cgroup_is_frozen(c) ? cgroup_freeze(c, false, NULL) : 0;
	return kill_by_list(c);
}

/* A frozen container's processes get it when they are thawed. */
static int signal_frozen(const struct cgroup *c, int signal)
{
	bool freeze = !cgroup_is_frozen(c) && cgroup_can_freeze(c) && cgroup_freeze(c, true, NULL) == 0;
	int result = signal_pids(c, signal), number = errno;

	if (freeze)
		cgroup_freeze(c, false, NULL);
	errno = number;
	return result;
}

int cgroup_signal(const struct cgroup *c, int signal, struct error *err)
{
	if ((signal == SIGKILL ? cgroup_kill(c) : signal_frozen(c, signal)) < 0)
		return error_errno(err, "send signal %d to the processes of the cgroup %s", signal, c->path);
	return 0;
}

static int has_processes(int dirfd, void *context)
{
	_cleanup_fd_ int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1;
}

bool cgroup_is_empty(const struct cgroup *c)
{
	uint64_t populated;
	bool unified;
	int dirfd = open_first(c, &unified);

	if (dirfd < 0)
		return true;
	if (unified && control_read_key(dirfd, "cgroup.events", "populated", &populated) == 0) {
		close(dirfd);
		return !populated;
	}
	return control_walk(dirfd, has_processes, NULL) <= 0;
}

/* --- removal */
static int remove_children(int dirfd, void *context)
{
	_cleanup_dir_ DIR *dir = fd_opendir(dirfd, ".");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			unlinkat(dirfd, e->d_name, AT_REMOVEDIR);
	return 0;
}

static int remove_place(const char *path)
{
	for (int i = 0; i < REMOVE_TRIES; i++) {
		int dirfd;

		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -1;
		/* Cgroups inside, made by the container; or a process that has not quite ended. */
		dirfd = control_open_dir(path);
		if (dirfd >= 0)
			control_walk(dirfd, remove_children, NULL);
		if (rmdir(path) == 0)
			return 0;
		sleep_ms(2);
	}
	errno = EBUSY;
	return -1;
}

/* A scope is gone when its last process is; only one that is still there is stopped over the bus. */
static int remove_scope(const struct cgroup *c)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	const char *path = c->places.v[0].path, *end = strstr(path, c->scope);
	struct stat st;

	if (c->shared || !end || stat(arena_strndup(scratch, path, (size_t)(end - path) + strlen(c->scope)), &st) < 0)
		return 0;
	return systemd_stop(scratch, c->user, c->scope, NULL);
}

int cgroup_remove(const struct cgroup *c)
{
	int result = 0;

	for (size_t i = 0; i < c->places.n; i++) {
		const char *path = c->places.v[i].path;

		/* What systemd has made it removes. */
		if (c->scope && str_ends(path, c->scope) && hierarchy_is_unified(c->places.v[i].controllers))
			continue;
		if (strstr(path, "/../") || str_ends(path, "/..") || *path != '/') {
			errno = EINVAL;
			result = -1;
		} else if (remove_place(path) < 0) {
			result = -1;
		}
	}
	if (c->scope && c->places.n && remove_scope(c) < 0)
		result = -1;
	return result;
}

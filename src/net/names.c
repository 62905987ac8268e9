#include "net/names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "net/helper.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define DIR_NAME "names"
#define LOCK DIR_NAME "/lock"
#define ZONES DIR_NAME "/zones"
#define PID_FILE "aardvark.pid"		/* in the same directory */
#define READY_MS 10000
#define ZONE_MAX ((size_t)4 << 20)

/* Not in anybody's PATH. */
static const char *const places[] = { "/usr/libexec/podman/aardvark-dns", "/usr/lib/podman/aardvark-dns",
				      "/usr/local/libexec/podman/aardvark-dns" };

char *names_program(struct arena *arena)
{
	for (size_t i = 0; i < ELEMENTS(places); i++)
		if (access(places[i], X_OK) == 0)
			return arena_strdup(arena, places[i]);
	return spawn_find(arena, "aardvark-dns");
}

bool names_are_served(const struct network *n)
{
	for (size_t i = 0; n->dns_enabled && strcmp(n->name, PID_FILE) != 0 && i < n->subnets.n; i++)
		if (n->subnets.v[i].gateway_ip.family != IP_NONE)
			return true;
	return false;
}

/* --- the process */

static char *path_of(struct arena *arena, const struct rootless_home *home, const char *name)
{
	return arena_printf(arena, "%s/%s", home->run_path, name);
}

/* The recorded one; -1 when it is gone. */
static int open_process(struct arena *arena, const struct rootless_home *home)
{
	const char *text = fd_read_file(arena, home->run_fd, DIR_NAME "/network", 256, NULL);
	char *end;
	long pid = text ? strtol(text, &end, 10) : 0;

	if (pid <= 1 || *end != ' ')
		return -1;
	return pidfd_open_same((pid_t)pid, strtoull(end, NULL, 10));
}

static void stop(struct arena *arena, const struct rootless_home *home)
{
	net_stop(path_of(arena, home, DIR_NAME));
	unlinkat(home->run_fd, ZONES "/" PID_FILE, 0);
}

struct starting {
	const char *program, *zones;
	int ns, log;
};

/* In the process in between. */
static void start_there(void *argument, struct helper_report *ret)
{
	const struct starting *s = argument;
	int stdio[3] = { -1, s->log, s->log }, pidfd;
	char *argv[] = { "aardvark-dns", "--config", (char *)s->zones, "--port", "53", "run", NULL };
	const struct spawn spawn = { .program = s->program, .argv = argv, .stdio = stdio };

	if (setns(s->ns, CLONE_NEWNET) < 0) {
		error_errno(&ret->error, "enter the rootless network namespace");
		return;
	}
	/* It parses what containers send. As uid 0 it would have every capability over them. */
	if (caps_limit_bounding(CAPS_BIT(CAP_NET_BIND_SERVICE)) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		error_errno(&ret->error, "give up capabilities");
		return;
	}
	pidfd = spawn_start(&spawn, &ret->pid, &ret->error);
	if (pidfd < 0)
		return;
	if (pidfd_wait_exit(pidfd, READY_MS) == 0) {
		pidfd_signal(pidfd, SIGKILL);
		error_set(&ret->error, ERROR_FAILED, "it does not get ready");
	}
	ret->exit_code = pidfd_reap(pidfd);	/* it goes into the background once it listens */
}

static int record(struct arena *arena, const struct rootless_home *home, struct error *err)
{
	const char *text = fd_read_file(arena, home->run_fd, ZONES "/" PID_FILE, 64, NULL);
	long pid = text ? strtol(text, NULL, 10) : 0;

	if (pid <= 1)
		return error_set(err, ERROR_FAILED, "aardvark-dns left no pid");
	unlinkat(home->run_fd, DIR_NAME "/network", 0);
	return helper_record(path_of(arena, home, DIR_NAME), (pid_t)pid, err);
}

static int start(struct arena *arena, const struct rootless *r, struct error *err)
{
	const struct rootless_home *home = r->home;
	_cleanup_fd_ int log = memfd_create("aardvark-dns", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct starting s = { .program = names_program(arena), .zones = path_of(arena, home, ZONES), .ns = r->ns, .log = log };
	struct helper_report report;
	int result;

	if (!s.program)
		return error_set(err, ERROR_FAILED, "could not find aardvark-dns");
	if (log < 0)
		return error_errno(err, "start aardvark-dns");
	stop(arena, home);	/* what of it may be left */
	if (helper_between("aardvark-dns", home->run_path, start_there, &s, &report, err) < 0)
		return -1;
	result = report.exit_code == 0 ? record(arena, home, err) :
		error_set(err, ERROR_FAILED, "aardvark-dns failed: %s", helper_words(arena, log));
	helper_seal_log(log);
	return result;
}

static bool is_running(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int process = open_process(arena, home);

	return process >= 0;
}

/* It reads everything anew. */
static int tell(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int process = open_process(arena, home);

	return process < 0 ? -1 : pidfd_signal(process, SIGHUP);
}

/* --- zones */

static int lock(const struct rootless_home *home, struct error *err)
{
	int fd = lock_open(home->run_fd, LOCK, LOCK_EXCLUSIVE, true);

	if (fd < 0 && errno == ENOENT && fd_mkdirs(home->run_fd, ZONES, 0700) == 0)
		fd = lock_open(home->run_fd, LOCK, LOCK_EXCLUSIVE, true);
	return fd < 0 ? error_errno(err, "lock %s/" LOCK, home->run_path) : fd;
}

static char *read_zone(struct arena *arena, const struct rootless_home *home, const char *network)
{
	return fd_read_file(arena, home->run_fd, arena_printf(arena, ZONES "/%s", network), ZONE_MAX, NULL);
}

/* NULL: nobody is on the network. 1: it is another text than before. aardvark-dns reads whatever lies in the directory, so
 * what is being written lies beside it. */
static int write_zone(struct arena *arena, const struct rootless_home *home, const char *network, const char *old, const char *new,
		      struct error *err)
{
	const char *path = arena_printf(arena, ZONES "/%s", network);

	if (str_eq(old, new))
		return 0;
	if (!new)
		return unlinkat(home->run_fd, path, 0) < 0 && errno != ENOENT ? error_errno(err, "forget the names of network %s", network) : 1;
	if (fd_write_file(home->run_fd, DIR_NAME "/zone", new, strlen(new), 0600, false) < 0 ||
	    renameat(home->run_fd, DIR_NAME "/zone", home->run_fd, path) < 0)
		return error_errno(err, "write the names of network %s", network);
	return 1;
}

int names_add(struct arena *arena, const struct rootless *r, const struct network *n, const struct names_entry *e, struct error *err)
{
	const struct rootless_home *home = r->home;
	_cleanup_fd_ int alone = lock(home, err);
	const char *old = alone < 0 ? NULL : read_zone(arena, home, n->name);
	const char *new = names_zone(arena, old ? old : "", names_head(arena, n), e->id, names_line(arena, e), home->lives, home->context);
	int changed = alone < 0 ? -1 : write_zone(arena, home, n->name, old, new, err);

	if (changed < 0)
		return -1;
	if (changed ? tell(arena, home) < 0 : !is_running(arena, home))
		return start(arena, r, err);
	return 0;
}

static int forget(struct arena *arena, const struct rootless_home *home, const char *network, const char *id)
{
	const char *old = read_zone(arena, home, network);

	if (!old || !strstr(old, id))
		return 0;
	return write_zone(arena, home, network, old, names_zone(arena, old, NULL, id, NULL, home->lives, home->context), NULL);
}

static bool has_zones(const struct rootless_home *home)
{
	_cleanup_dir_ DIR *dir = fd_opendir(home->run_fd, ZONES);
	struct dirent *entry;

	while (dir && (entry = fd_next_entry(dir)))
		if (strcmp(entry->d_name, PID_FILE) != 0)
			return true;
	return false;
}

void names_remove(struct arena *arena, const struct rootless_home *home, const char *network, const char *id)
{
	_cleanup_fd_ int alone = faccessat(home->run_fd, ZONES, F_OK, 0) < 0 ? -1 : lock(home, NULL);
	_cleanup_dir_ DIR *dir = alone < 0 ? NULL : fd_opendir(home->run_fd, ZONES);
	struct dirent *entry;
	bool changed = false;

	while (dir && (entry = fd_next_entry(dir)))
		if (strcmp(entry->d_name, PID_FILE) != 0 && (!network || strcmp(entry->d_name, network) == 0))
			changed |= forget(arena, home, entry->d_name, id) > 0;
	/* Without a zone it would end by itself, but who knows when. */
	if (changed && !has_zones(home))
		stop(arena, home);
	else if (changed)
		tell(arena, home);
}

int names_change_servers(struct arena *arena, const struct rootless_home *home, const struct network *n, struct error *err)
{
	_cleanup_fd_ int alone = faccessat(home->run_fd, ZONES, F_OK, 0) < 0 ? -1 : lock(home, err);
	const char *old = alone < 0 ? NULL : read_zone(arena, home, n->name);
	const char *new = old ? names_zone(arena, old, names_head(arena, n), NULL, NULL, home->lives, home->context) : NULL;
	int changed = old ? write_zone(arena, home, n->name, old, new, err) : 0;

	if (changed > 0)
		tell(arena, home);
	return changed < 0 ? -1 : 0;
}

void names_stop(struct arena *arena, const struct rootless_home *home)
{
	if (faccessat(home->run_fd, DIR_NAME, F_OK, 0) < 0)
		return;
	stop(arena, home);
	fd_remove_tree(home->run_fd, ZONES);
	fd_mkdirs(home->run_fd, ZONES, 0700);
}

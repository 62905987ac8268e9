#include "net/names_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/helper.h"
#include "net/pid_record.h"
#include "sys/caps.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define RECORD NAMES_DIR "/network"
#define READY_MS 10000
#define CALM_MS 2000			/* who lived so long was well */
#define DELAY_MIN_MS 20
#define DELAY_MAX_MS 5000

bool names_keeper_has_zones(int run_fd)
{
	_cleanup_dir_ DIR *dir = fd_opendir(run_fd, NAMES_ZONES);
	struct dirent *entry;

	while (dir && (entry = fd_next_entry(dir)))
		if (strcmp(entry->d_name, NAMES_PID_FILE) != 0)
			return true;
	return false;
}

/* --- the keeper */

enum { RUN_FD = 3, REPORT_FD, LOG_FD, OTHERS };

struct keeper {
	const char *program, *zones;
	int run_fd, ns, log;
	int report;			/* where the first start is told; everything but these is forgotten */
};

/* Its first process ends, with what it said in the log, when the working one listens. 0, or -1 with the exit code. */
static int run(const struct keeper *k, struct helper_report *ret)
{
	int stdio[3] = { -1, k->log, k->log };
	char *argv[] = { "aardvark-dns", "--config", (char *)k->zones, "--port", "53", "run", NULL };
	const struct spawn spawn = { .program = k->program, .argv = argv, .stdio = stdio };
	_cleanup_fd_ int pidfd = spawn_start(&spawn, NULL, &ret->error);

	if (pidfd < 0)
		return -1;
	if (pidfd_wait_exit(pidfd, READY_MS) == 0) {
		pidfd_signal(pidfd, SIGKILL);
		error_set(&ret->error, ERROR_FAILED, "it does not get ready");
	}
	ret->exit_code = pidfd_reap(pidfd);
	return ret->exit_code == 0 ? 0 : -1;
}

/* Waits until all processes of aardvark-dns are dead. To everybody in its process namespace but itself: that is kill(-1). */
static void watch(const sigset_t *signals)
{
	pid_t ended;

	while ((ended = waitpid(-1, NULL, WNOHANG)) >= 0)
		if (ended == 0 && sigwaitinfo(signals, NULL) == SIGHUP)
			kill(-1, SIGHUP);
}

/* Somebody who is told of a change does not wait. */
static void pause_for(int64_t ms, const sigset_t *signals)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	int signal;

	do
		signal = sigtimedwait(signals, NULL, &time);
	while (signal == SIGCHLD);
}

_Noreturn static void keep(const struct keeper *k, const sigset_t *signals)
{
	int64_t delay = DELAY_MIN_MS, started = clock_now_ms();

	for (;;) {
		struct helper_report ignored = { 0 };

		watch(signals);
		if (!names_keeper_has_zones(k->run_fd))		/* it ends by itself then */
			_exit(0);
		delay = delay < DELAY_MAX_MS / 2 ? delay * 2 : DELAY_MAX_MS;
		if (clock_now_ms() - started > CALM_MS)
			delay = DELAY_MIN_MS;
		pause_for(delay, signals);
		started = clock_now_ms();
		run(k, &ignored);
	}
}

/* Nothing of the caller's is kept, above all no lock. */
static int let_go(struct keeper *k)
{
	const struct { int *from, to; } kept[] = { { &k->run_fd, RUN_FD }, { &k->report, REPORT_FD }, { &k->log, LOG_FD } };

	for (size_t i = 0; i < ELEMENTS(kept); i++)	/* out of the way first */
		if ((*kept[i].from = fcntl(*kept[i].from, F_DUPFD_CLOEXEC, OTHERS)) < 0)
			return -1;
	for (size_t i = 0; i < ELEMENTS(kept); i++)
		if ((*kept[i].from = dup3(*kept[i].from, kept[i].to, O_CLOEXEC)) < 0)
			return -1;
	return close_range(OTHERS, ~0U, 0);
}

static int forget_streams(void)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			return -1;
	return 0;
}

/* aardvark-dns parses what containers send. As uid 0 it would have every capability over them. */
static int give_up_capabilities(void)
{
	const uint64_t kept = CAPS_BIT(CAP_NET_BIND_SERVICE);

	return caps_limit_bounding(kept) < 0 || caps_set(kept, kept, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : 0;
}

/* In the keeper: pid 1 of its process namespace. */
_Noreturn static void keeper_main(struct keeper *k)
{
	struct helper_report first = { 0 };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	prctl(PR_SET_NAME, "bryo-names");
	if (let_go(k) < 0 || forget_streams() < 0 || give_up_capabilities() < 0 || chdir("/") < 0)
		error_errno(&first.error, "prepare");
	else
		run(k, &first);
	if (fd_write_all(k->report, &first, sizeof(first)) < 0 || first.exit_code != 0 || first.error.kind != ERROR_NONE)
		_exit(1);
	fd_close(&k->report);
	k->log = -1;
	close(LOG_FD);
	keep(k, &signals);
}

/* --- who starts it */

/* In the process in between. */
static void start_there(void *argument, struct helper_report *ret)
{
	struct keeper *k = argument;
	struct helper_report first = { 0 };
	int pipe[2];
	pid_t pid;

	if (setns(k->ns, CLONE_NEWNET) < 0) {
		error_errno(&ret->error, "enter the rootless network namespace");
		return;
	}
	if (unshare(CLONE_NEWPID) < 0 || fd_pipe(pipe) < 0 || (pid = fork()) < 0) {
		error_errno(&ret->error, "make a process namespace");
		return;
	}
	k->report = pipe[1];
	if (pid == 0)
		keeper_main(k);
	close(pipe[1]);
	if (fd_read_all(pipe[0], &first, sizeof(first)) != (ssize_t)sizeof(first))
		error_set(&first.error, ERROR_FAILED, "its keeper ended without a word");
	*ret = first;
	ret->pid = pid;
}

static char *path_of(struct arena *arena, const struct rootless_home *home, const char *name)
{
	return arena_printf(arena, "%s/%s", home->run_path, name);
}

bool names_keeper_is_running(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int process = pid_record_open(home->run_fd, RECORD, NULL);

	return process >= 0;
}

int names_keeper_open_namespace(struct arena *arena, const struct rootless_home *home)
{
	pid_t pid;
	_cleanup_fd_ int process = pid_record_open(home->run_fd, RECORD, &pid), ns = -1;

	if (process >= 0)
		ns = open(arena_printf(arena, "/proc/%d/ns/net", (int)pid), O_RDONLY | O_CLOEXEC);
	return ns < 0 || pidfd_wait_exit(process, 0) != 0 ? -1 : fd_take(&ns);
}

int names_keeper_tell(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int process = pid_record_open(home->run_fd, RECORD, NULL);

	return process < 0 ? -1 : pidfd_signal(process, SIGHUP);
}

void names_keeper_stop(struct arena *arena, const struct rootless_home *home)
{
	net_stop(path_of(arena, home, NAMES_DIR));
	unlinkat(home->run_fd, NAMES_ZONES "/" NAMES_PID_FILE, 0);
}

/* Whole or not at all: it is read without the lock, too. */
static int record(const struct rootless_home *home, pid_t pid, struct error *err)
{
	if (pid_record_write(home->run_fd, RECORD, pid) == 0)
		return 0;
	error_errno(err, "write %s/" RECORD, home->run_path);
	kill(pid, SIGKILL);		/* nobody would find it again */
	return -1;
}

int names_keeper_start(struct arena *arena, const struct rootless *r, const char *program, struct error *err)
{
	const struct rootless_home *home = r->home;
	_cleanup_fd_ int log = memfd_create("aardvark-dns", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct keeper k = { .program = program, .zones = path_of(arena, home, NAMES_ZONES), .run_fd = home->run_fd, .ns = r->ns,
			    .log = log, .report = -1 };
	struct helper_report report;

	if (log < 0)
		return error_errno(err, "start aardvark-dns");
	names_keeper_stop(arena, home);
	if (helper_between("aardvark-dns", home->run_path, start_there, &k, &report, err) < 0)
		return -1;
	helper_seal_log(log);
	if (report.exit_code != 0)
		return error_set(err, ERROR_FAILED, "aardvark-dns failed: %s", helper_words(arena, log));
	return record(home, report.pid, err);
}

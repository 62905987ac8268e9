#include "net/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/pid_record.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define RECORD "network"	/* in the runtime directory: lines of "PID START-TIME" */
#define WORDS_MAX ((size_t)64 << 10)
#define END_TIMEOUT_MS 2000

enum net_mode helper_choose(struct arena *arena)
{
	if (spawn_find(arena, "slirp4netns"))
		return NET_SLIRP4NETNS;
	return NET_PASTA;
}

/* --- what it said */

static bool is_noise(const char *line)
{
	return !*line || str_starts(line, "Failed to send ") || str_starts(line, "seccomp: The following") ||
	       str_starts(line, "WARNING: Support for seccomp");
}

char *helper_last_words(struct arena *arena, const char *text)
{
	struct strings lines = strings_split(arena, text, "\n"), kept = { 0 };
	size_t first, n = 0;

	for (first = lines.n; first > 0 && n < 3; first--)
		n += !is_noise(lines.v[first - 1]);
	for (size_t i = first; i < lines.n; i++)
		if (!is_noise(lines.v[i]))
			strings_add(arena, &kept, lines.v[i]);
	return strings_join(arena, &kept, "; ");
}

char *helper_words(struct arena *arena, int log)
{
	char *text = arena_alloc(arena, WORDS_MAX + 1);
	ssize_t n = pread(log, text, WORDS_MAX, 0);

	return helper_last_words(arena, n > 0 ? text : "");
}

static int no_tun(struct error *err, const char *why, const char *admin)
{
	error_code(err, "tun-missing");
	error_hint(err, "%s; use --network host or --network none, or have it mended", why);
	return error_fix_admin(err, "%s", admin);
}

int helper_failed(struct error *err, enum error_kind kind, const char *what, const char *words)
{
	error_set(err, kind, "%s: %s", what, *words ? words : "it ended without a word");
	if (access("/dev/net/tun", R_OK | W_OK) == 0)
		return -1;
	if (errno == ENOENT)
		return no_tun(err, "there is no /dev/net/tun", "modprobe tun");
	return no_tun(err, "/dev/net/tun cannot be opened by this user", "chmod 666 /dev/net/tun");
}

void helper_seal_log(int log)
{
	fcntl(log, F_ADD_SEALS, F_SEAL_GROW);
}

/* --- starting: caller -> a process in between, which ends at once -> the helper */

_Static_assert(sizeof(struct helper_report) <= 4096, "a report crosses its pipe in one write");

/* pasta gives up CAP_SYS_PTRACE before it opens the namespace, so /proc/PID/ns/net would be refused to it: it gets a
 * bind mount of the namespace that exists in its own mount namespace only, and goes with it. */
static int show_netns(struct arena *arena, const struct helper *h, struct error *err)
{
	const char *source = arena_printf(arena, "/proc/%d/ns/net", (int)h->netns_of);
	const char *target = arena_printf(arena, "%s/netns", h->runtime_dir);
	_cleanup_fd_ int fd = open(target, O_CREAT | O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, "create %s", target);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "make a mount namespace for %s", h->program);
	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		return error_errno(err, "show the network namespace of process %d to %s", (int)h->netns_of, h->program);
	return 0;
}

struct start {
	struct arena *arena;
	const struct helper *helper;
	int log;
};

static void start_helper(void *argument, struct helper_report *ret)
{
	const struct start *start = argument;
	const struct helper *h = start->helper;
	int stdio[3] = { -1, start->log, start->log }, pidfd;
	struct spawn s = {
		.program = h->program,
		.argv = h->argv->v,
		.stdio = stdio,
		.pass = h->pass,
		.pass_n = h->pass_n,
	};

	if (h->netns_of > 0 && show_netns(start->arena, h, &ret->error) < 0)
		return;
	if ((pidfd = spawn_start(&s, &ret->pid, &ret->error)) >= 0 && h->forks)
		ret->exit_code = pidfd_reap(pidfd);
}

static void wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int helper_between(const char *what, const char *runtime_dir, void (*work)(void *argument, struct helper_report *ret),
		   void *argument, struct helper_report *ret, struct error *err)
{
	int pipe[2];
	pid_t pid;

	*ret = (struct helper_report){ 0 };
	if (fd_pipe(pipe) < 0)
		return error_errno(err, "start %s", what);
	if ((pid = fork()) < 0) {
		error_errno(err, "start %s", what);
		close(pipe[0]);
		close(pipe[1]);
		return -1;
	}
	if (pid == 0) {
		if (setsid() < 0 || chdir(runtime_dir) < 0)
			error_errno(&ret->error, "%s", runtime_dir);
		else
			work(argument, ret);
		_exit(fd_write_all(pipe[1], ret, sizeof(*ret)) < 0);
	}
	close(pipe[1]);
	if (fd_read_all(pipe[0], ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
		error_set(&ret->error, ERROR_FAILED, "the process that starts it ended without a word");
	close(pipe[0]);
	wait_for(pid);
	if (ret->error.kind == ERROR_NONE)
		return 0;
	if (err)
		*err = ret->error;
	return error_frame(err, "start %s", what);
}

int helper_start(struct arena *arena, const struct helper *h, struct helper_process *ret, struct error *err)
{
	_cleanup_fd_ int log = memfd_create("network helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct start start = { .arena = arena, .helper = h, .log = log };
	struct helper_report report;

	if (log < 0)
		return error_errno(err, "start %s", h->program);
	if (helper_between(h->program, h->runtime_dir, start_helper, &start, &report, err) < 0)
		return -1;
	*ret = (struct helper_process){ .pid = report.pid, .exit_code = report.exit_code, .log = fd_take(&log) };
	return 0;
}

/* --- the record */

int helper_record(const char *runtime_dir, pid_t pid, struct error *err)
{
	_cleanup_fd_ int dir = fd_open_dir(AT_FDCWD, runtime_dir);

	if (dir < 0 || pid_record_add(dir, RECORD, pid) < 0)
		return error_errno(err, "write %s/%s", runtime_dir, RECORD);
	return 0;
}

/* One line of the record. The port must be free when this returns, so the end is awaited. */
static void end_one(const char *line)
{
	_cleanup_fd_ int pidfd = pid_record_open_line(line, NULL);

	if (pidfd < 0)
		return;
	pidfd_signal(pidfd, SIGKILL);	/* pasta is the first process of a pid namespace: it ignores SIGTERM */
	pidfd_wait_exit(pidfd, END_TIMEOUT_MS);
}

static void end_recorded(int dir)
{
	_cleanup_fd_ int fd = openat(dir, RECORD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[512] = "", *rest = text, *line;

	if (fd < 0 || fd_read_all(fd, text, sizeof(text) - 1) <= 0)
		return;
	while ((line = strsep(&rest, "\n")))
		end_one(line);
}

void net_stop(const char *runtime_dir)
{
	static const char *const files[] = { RECORD, "netns", "pasta.pid", "slirp4netns.sock" };
	_cleanup_fd_ int dir = fd_open_dir(AT_FDCWD, runtime_dir);

	if (dir < 0)
		return;
	end_recorded(dir);
	for (size_t i = 0; i < ELEMENTS(files); i++)
		unlinkat(dir, files[i], 0);
}

#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/string.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/self.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif
#ifndef BRYO_LIBEXECDIR
#define BRYO_LIBEXECDIR "/usr/libexec/bryo"
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define CHILD_STACK 65536
#define COLLECT_MAX ((size_t)64 << 10)

/* --- finding programs */

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

static char *in_directory(struct arena *arena, const char *dir, size_t dir_n, const char *name)
{
	char *path = arena_printf(arena, "%.*s/%s", (int)dir_n, dir, name);

	return is_program(path) ? path : NULL;
}

static char *in_path_list(struct arena *arena, const char *list, const char *name)
{
	while (list && *list) {
		size_t n = strcspn(list, ":");
		char *found = *list == '/' ? in_directory(arena, list, n, name) : NULL;

		if (found)
			return found;
		list += n + (list[n] == ':');
	}
	return NULL;
}

/* The directory of the running program without the last slash; "" when unknown. */
static char *own_directory(struct arena *arena)
{
	char *path = self_path(arena), *slash = strrchr(path, '/');

	return arena_strndup(arena, path, slash ? (size_t)(slash - path) : 0);
}

char *spawn_find(struct arena *arena, const char *program)
{
	char *own, *found;

	if (strchr(program, '/'))
		return is_program(program) ? arena_strdup(arena, program) : NULL;
	own = own_directory(arena);
	found = *own ? in_directory(arena, own, strlen(own), program) : NULL;
	if (!found)
		found = in_path_list(arena, getenv("PATH"), program);
	if (!found)
		found = in_path_list(arena, "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/sbin", program);
	return found;
}

char *spawn_own_program(struct arena *arena, const char *name, struct error *err)
{
	const char *override = getenv("BRYO_LIBEXEC");
	char *own = own_directory(arena);
	struct strings places = { 0 };

	if (!str_is_empty(override))
		strings_add(arena, &places, override);
	strings_add(arena, &places, own);
	strings_addf(arena, &places, "%s/../libexec/bryo", own);
	strings_add(arena, &places, BRYO_LIBEXECDIR);
	for (size_t i = 0; i < places.n; i++) {
		char *found = in_directory(arena, places.v[i], strlen(places.v[i]), name);

		if (found)
			return found;
	}
	error_set(err, ERROR_FAILED, "%s, a part of bryo, is not beside it and not in %s", name, BRYO_LIBEXECDIR);
	error_code(err, "program-missing");
	error_hint(err, "install bryo completely, or set BRYO_LIBEXEC to the directory that has %s", name);
	return NULL;
}

/* --- starting */

/* The child leaves its stack by exec, without unwinding: the address sanitizer would take what it marked there for the
 * next child's. */
#define ON_CHILD_STACK __attribute__((no_sanitize_address))

struct launch {			/* shared with the child, which runs in this memory until it executes */
	const struct spawn *s;
	const char *program;
	int stdio[3];		/* -1: /dev/null; -2: the caller's */
	sigset_t mask;
	int failed;		/* errno of the child's first failure */
};

ON_CHILD_STACK static void reset_signals(const sigset_t *mask)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &by_default, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* All above 2 become close-on-exec, then those to be kept are not. */
ON_CHILD_STACK static int clean_descriptors(const struct spawn *s)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < s->pass_n; i++)
		if (fcntl(s->pass[i], F_SETFD, 0) < 0)
			return -1;
	return 0;
}

/* Sources may be 0, 1 or 2 in any order, so they are first copied out of the way. */
ON_CHILD_STACK static int place_stdio(const int stdio[3])
{
	int copies[3];

	for (int i = 0; i < 3; i++) {
		int source = stdio[i];

		if (source == -1)
			source = open("/dev/null", O_RDWR | O_CLOEXEC);
		copies[i] = source == -2 ? -2 : fcntl(source, F_DUPFD_CLOEXEC, 3);
		if (copies[i] == -1)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (copies[i] >= 0 && dup2(copies[i], i) < 0)
			return -1;
	return 0;
}

ON_CHILD_STACK static int limit_time(const struct spawn *s)
{
	const struct rlimit most = { s->cpu_seconds, s->cpu_seconds };

	return s->cpu_seconds ? setrlimit(RLIMIT_CPU, &most) : 0;
}

ON_CHILD_STACK static int child_main(void *arg)
{
	static const sigset_t none;
	struct launch *l = arg;

	reset_signals(&none);
	if (place_stdio(l->stdio) == 0 && clean_descriptors(l->s) == 0 && limit_time(l->s) == 0)
		execve(l->program, l->s->argv, l->s->env ? l->s->env : environ);
	l->failed = errno;
	_exit(127);
}

/* clone(CLONE_VM | CLONE_VFORK): no copy of page tables, and a failed exec is seen in l->failed. */
static int start_child(struct launch *l, pid_t *ret_pid)
{
	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int pidfd = -1, saved;
	sigset_t all;
	pid_t pid;

	if (stack == MAP_FAILED)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &l->mask);
	pid = clone(child_main, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, l, &pidfd);
	saved = errno;
	sigprocmask(SIG_SETMASK, &l->mask, NULL);
	munmap(stack, CHILD_STACK);
	errno = saved;
	if (pid < 0)
		return -1;
	*ret_pid = pid;
	return pidfd;
}

int spawn_start(const struct spawn *s, pid_t *ret_pid, struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	struct launch l = { .s = s, .stdio = { -2, -2, -2 } };
	pid_t pid = -1;
	int pidfd;

	l.program = spawn_find(scratch, s->program);
	if (!l.program) {
		errno = ENOENT;
		return error_errno(err, "start %s", s->program);
	}
	if (s->stdio)
		memcpy(l.stdio, s->stdio, sizeof(l.stdio));
	pidfd = start_child(&l, &pid);
	if (pidfd < 0)
		return error_errno(err, "start %s", l.program);
	if (l.failed) {
		pidfd_reap(pidfd);
		close(pidfd);
		errno = l.failed;
		return error_errno(err, "execute %s", l.program);
	}
	if (ret_pid)
		*ret_pid = pid;
	return pidfd;
}

/* --- running to the end */

int spawn_input(const char *text)
{
	int fd = memfd_create("bryo-input", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fd_write_all(fd, text, strlen(text)) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Reads both pipes to their ends; what does not fit is read and dropped, so that the helper never blocks. */
static void collect(int pipes[2], struct buffer out[2])
{
	char chunk[4096];

	while (pipes[0] >= 0 || pipes[1] >= 0) {
		struct pollfd p[2] = { { .fd = pipes[0], .events = POLLIN }, { .fd = pipes[1], .events = POLLIN } };

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (pipes[i] < 0 || !p[i].revents)
				continue;
			n = read(pipes[i], chunk, sizeof(chunk));
			if (n > 0) {
				size_t room = COLLECT_MAX - out[i].size;

				buffer_add(&out[i], chunk, (size_t)n < room ? (size_t)n : room);
			} else if (n == 0 || errno != EINTR) {
				fd_close(&pipes[i]);
			}
		}
	}
	fd_close(&pipes[0]);
	fd_close(&pipes[1]);
}

static int run_with_pipes(struct spawn s, int input, struct buffer out[2], struct error *err)
{
	int out_pipe[2], err_pipe[2], stdio[3], pidfd, code;

	if (fd_pipe(out_pipe) < 0)
		return error_errno(err, "make a pipe");
	if (fd_pipe(err_pipe) < 0) {
		close(out_pipe[0]);
		close(out_pipe[1]);
		return error_errno(err, "make a pipe");
	}
	stdio[0] = input;
	stdio[1] = out_pipe[1];
	stdio[2] = err_pipe[1];
	s.stdio = stdio;
	pidfd = spawn_start(&s, NULL, err);
	close(out_pipe[1]);
	close(err_pipe[1]);
	if (pidfd >= 0)
		collect((int[2]){ out_pipe[0], err_pipe[0] }, out);
	else {
		close(out_pipe[0]);
		close(err_pipe[0]);
		return -1;
	}
	code = pidfd_reap(pidfd);
	close(pidfd);
	return code < 0 ? error_errno(err, "wait for %s", s.program) : code;
}

int spawn_run(struct arena *arena, const struct spawn *s, char **ret_out, char **ret_err_text, struct error *err)
{
	struct buffer out[2] = { BUFFER(COLLECT_MAX), BUFFER(COLLECT_MAX) };
	_cleanup_fd_ int input = -1;
	int code;

	if (s->input) {
		input = spawn_input(s->input);
		if (input < 0)
			return error_errno(err, "keep the input of %s", s->program);
	}
	code = run_with_pipes(*s, input, out, err);
	if (code >= 0 && ret_out)
		*ret_out = arena_memdup(arena, out[0].data ? out[0].data : "", out[0].size);
	if (code >= 0 && ret_err_text)
		*ret_err_text = arena_memdup(arena, out[1].data ? out[1].data : "", out[1].size);
	buffer_done(&out[0]);
	buffer_done(&out[1]);
	return code;
}

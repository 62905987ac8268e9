#include "explain/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"

#define REFUSALS_MAX 256

struct record {
	int op, sys;
	uint32_t uid, gid;
	char path[PATH_MAX];
};

/* --- which calls, and what they want */

enum { NO_DIRECTORY = -1 };

struct call { long number; int directory, path, flags; enum access_op op; };

/* Where the arguments stand. Calls with two paths are asked about the one that is made or goes. */
static const struct call calls[] = {
	{ SYS_openat, 0, 1, 2, ACCESS_READ }, { SYS_mkdirat, 0, 1, -1, ACCESS_MKDIR }, { SYS_mknodat, 0, 1, -1, ACCESS_CREATE },
	{ SYS_unlinkat, 0, 1, -1, ACCESS_UNLINK }, { SYS_renameat2, 0, 1, -1, ACCESS_UNLINK }, { SYS_symlinkat, 1, 2, -1, ACCESS_SYMLINK },
	{ SYS_linkat, 2, 3, -1, ACCESS_CREATE }, { SYS_fchmodat, 0, 1, -1, ACCESS_CHMOD }, { SYS_fchownat, 0, 1, -1, ACCESS_CHOWN },
	{ SYS_utimensat, 0, 1, -1, ACCESS_UTIMES }, { SYS_execve, NO_DIRECTORY, 0, -1, ACCESS_EXEC },
	{ SYS_chdir, NO_DIRECTORY, 0, -1, ACCESS_SEARCH }, { SYS_truncate, NO_DIRECTORY, 0, -1, ACCESS_WRITE },
	{ SYS_openat2, 0, 1, 2, ACCESS_READ },
#ifdef SYS_fchmodat2
	{ SYS_fchmodat2, 0, 1, -1, ACCESS_CHMOD },
#endif
#ifdef SYS_renameat
	{ SYS_renameat, 0, 1, -1, ACCESS_UNLINK },
#endif
#ifdef SYS_open
	{ SYS_open, NO_DIRECTORY, 0, 1, ACCESS_READ }, { SYS_creat, NO_DIRECTORY, 0, -1, ACCESS_CREATE },
	{ SYS_mkdir, NO_DIRECTORY, 0, -1, ACCESS_MKDIR }, { SYS_rmdir, NO_DIRECTORY, 0, -1, ACCESS_RMDIR },
	{ SYS_unlink, NO_DIRECTORY, 0, -1, ACCESS_UNLINK }, { SYS_rename, NO_DIRECTORY, 0, -1, ACCESS_UNLINK },
	{ SYS_symlink, NO_DIRECTORY, 1, -1, ACCESS_SYMLINK }, { SYS_link, NO_DIRECTORY, 1, -1, ACCESS_CREATE },
	{ SYS_mknod, NO_DIRECTORY, 0, -1, ACCESS_CREATE }, { SYS_chmod, NO_DIRECTORY, 0, -1, ACCESS_CHMOD },
	{ SYS_chown, NO_DIRECTORY, 0, -1, ACCESS_CHOWN }, { SYS_lchown, NO_DIRECTORY, 0, -1, ACCESS_CHOWN },
#endif
};

static const struct call *find_call(uint64_t number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if ((uint64_t)calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* --- the tracer. Its tracees are threads; each alternates between entering a call and leaving it. */

struct thread {
	pid_t id;
	const struct call *call;	/* that it is in; NULL: none of ours */
	uint64_t arguments[6];
};

struct tracer {
	struct arena *arena;
	int records;
	ARRAY(struct thread) threads;
	size_t written;
	struct record seen[REFUSALS_MAX];
};

static struct thread *thread_of(struct tracer *t, pid_t id)
{
	struct thread *free = NULL;

	for (size_t i = 0; i < t->threads.n; i++) {
		if (t->threads.v[i].id == id)
			return &t->threads.v[i];
		if (!t->threads.v[i].id)
			free = &t->threads.v[i];
	}
	if (!free)
		free = ARRAY_ADD(t->arena, &t->threads);
	*free = (struct thread){ .id = id };
	return free;
}

/* Up to its NUL, page by page: the next page may not be there. */
static bool read_string(pid_t pid, uint64_t address, char *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = 4096 - (address + done) % 4096;
		struct iovec local = { to + done, n < size - done ? n : size - done }, remote = { (void *)(uintptr_t)(address + done), local.iov_len };
		ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

		if (got <= 0)
			return false;
		if (memchr(to + done, '\0', (size_t)got))
			return true;
		done += (size_t)got;
	}
	return false;
}

/* The link shows the way from the root of the process's own mounts. */
static bool start_of(const struct thread *t, char start[PATH_MAX])
{
	int fd = t->call->directory == NO_DIRECTORY ? AT_FDCWD : (int)t->arguments[t->call->directory];
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", t->id);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", t->id, fd);
	n = readlink(link, start, PATH_MAX - 1);
	if (n <= 0 || start[0] != '/')
		return false;
	start[n] = '\0';
	return true;
}

static bool path_of(const struct thread *t, char to[PATH_MAX])
{
	char path[PATH_MAX], start[PATH_MAX];

	if (!read_string(t->id, t->arguments[t->call->path], path, sizeof(path)))
		return false;
	if (path[0] == '/')
		return snprintf(to, PATH_MAX, "%s", path) < PATH_MAX;
	return start_of(t, start) && snprintf(to, PATH_MAX, "%s%s%s", start, start[1] && *path ? "/" : "", path) < PATH_MAX;
}

/* openat2's stand in memory, as the first word of its open_how. */
static uint64_t flags_of(const struct thread *t)
{
	uint64_t argument = t->arguments[t->call->flags], flags = 0;
	struct iovec local = { &flags, sizeof(flags) }, remote = { (void *)(uintptr_t)argument, sizeof(flags) };

	if (t->call->number != SYS_openat2)
		return argument;
	return process_vm_readv(t->id, &local, 1, &remote, 1, 0) == sizeof(flags) ? flags : 0;
}

/* Links in the container, to absolute paths too, lead nowhere on the host. */
static bool is_missing(const struct thread *t, const char *path)
{
	char link[64];
	_cleanup_fd_ int root = -1;
	struct stat st;

	snprintf(link, sizeof(link), "/proc/%d/root", t->id);
	root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root >= 0 && inroot_stat(root, path, &st, false) < 0 && errno == ENOENT;
}

static enum access_op op_of(const struct thread *t, const char *path)
{
	uint64_t flags;

	if (t->call->flags < 0)
		return t->call->op;
	flags = flags_of(t);
	if ((flags & O_CREAT) && is_missing(t, path))
		return ACCESS_CREATE;
	if ((flags & O_ACCMODE) != O_RDONLY)
		return flags & O_APPEND ? ACCESS_APPEND : ACCESS_WRITE;
	return flags & O_DIRECTORY ? ACCESS_LIST : ACCESS_READ;
}

static void ids_of(struct tracer *t, pid_t pid, struct record *r)
{
	char *status = fd_read_file(t->arena, AT_FDCWD, arena_printf(t->arena, "/proc/%d/status", pid), 65536, NULL);
	const char *uid = status ? strstr(status, "\nUid:") : NULL, *gid = status ? strstr(status, "\nGid:") : NULL;
	struct id_maps maps;
	unsigned ids[2];

	r->uid = r->gid = ID_NONE;
	if (!uid || !gid || sscanf(uid, "\nUid: %*u %*u %*u %u", &ids[0]) != 1 || sscanf(gid, "\nGid: %*u %*u %*u %u", &ids[1]) != 1 ||
	    idmap_read(t->arena, pid, &maps, NULL) < 0)
		return;
	r->uid = idmap_to_inside(&maps.uid, ids[0]);
	r->gid = idmap_to_inside(&maps.gid, ids[1]);
}

static void note_refusal(struct tracer *t, const struct thread *thread, int number)
{
	struct record *r = &t->seen[t->written];

	if (t->written == REFUSALS_MAX)
		return;
	memset(r, 0, sizeof(*r));
	if (!path_of(thread, r->path))
		return;
	r->op = (int)op_of(thread, r->path);
	r->sys = number;
	for (size_t i = 0; i < t->written; i++)
		if (t->seen[i].op == r->op && strcmp(t->seen[i].path, r->path) == 0)
			return;
	ids_of(t, thread->id, r);
	t->written += fd_write_all(t->records, r, sizeof(*r)) == 0;
}

static void take_call(struct tracer *t, pid_t id)
{
	struct thread *thread = thread_of(t, id);
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
#ifdef __x86_64__
		thread->call = info.arch == AUDIT_ARCH_X86_64 ? find_call(info.entry.nr) : NULL;
#else
		thread->call = find_call(info.entry.nr);
#endif
		for (size_t i = 0; i < 6; i++)
			thread->arguments[i] = info.entry.args[i];
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread->call) {
		if (info.exit.rval == -EACCES || info.exit.rval == -EPERM || info.exit.rval == -EROFS)
			note_refusal(t, thread, (int)-info.exit.rval);
		thread->call = NULL;
	}
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void go_on(struct tracer *t, pid_t id, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80)) {
		take_call(t, id);
		ptrace(PTRACE_SYSCALL, id, NULL, 0L);
	} else if (event == PTRACE_EVENT_STOP && is_stop_signal(signal)) {
		ptrace(PTRACE_LISTEN, id, NULL, 0L);	/* it stays stopped, as without us */
	} else {
		ptrace(PTRACE_SYSCALL, id, NULL, (long)(event ? 0 : signal));
	}
}

_Noreturn static void trace(pid_t first, int records, int ready)
{
	static const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	struct tracer *t = arena_new_one(arena_new(), struct tracer);
	int status, number = 0;
	pid_t id;

	t->arena = arena_new();
	t->records = records;
	signal(SIGINT, SIG_IGN);	/* of the terminal: the container is told by who started it */
	signal(SIGQUIT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ptrace(PTRACE_SEIZE, first, NULL, options) < 0 ||
	    ptrace(PTRACE_INTERRUPT, first, NULL, 0L) < 0)
		number = errno;
	if (write(ready, &number, sizeof(number)) < 0 || number)
		_exit(1);
	close(ready);
	while ((id = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (id > 0 && WIFSTOPPED(status))
			go_on(t, id, status);
		else if (id > 0)
			thread_of(t, id)->id = 0;
	}
	_exit(0);
}

/* --- around it */

/* 0, or what the tracer failed with. */
static int first_word(int fd)
{
	int number;

	return fd_read_all(fd, &number, sizeof(number)) == sizeof(number) ? number : EIO;
}

static void end_tracer(struct watch *w)
{
	if (w->tracer <= 0)
		return;
	kill(w->tracer, SIGKILL);
	while (waitpid(w->tracer, NULL, 0) < 0 && errno == EINTR)
		;
	w->tracer = 0;
}

int watch_start(struct watch *ret, pid_t first, struct error *err)
{
	int ready[2], number;

	*ret = (struct watch){ .records = memfd_create("bryo-refusals", MFD_CLOEXEC) };
	if (ret->records < 0 || pipe2(ready, O_CLOEXEC) < 0) {
		error_errno(err, "watch the container");
		fd_close(&ret->records);
		return -1;
	}
	ret->tracer = fork();
	number = errno;
	if (ret->tracer == 0) {
		close(ready[0]);
		trace(first, ret->records, ready[1]);
	}
	close(ready[1]);
	if (ret->tracer > 0)
		number = first_word(ready[0]);
	close(ready[0]);
	if (number == 0)
		return 0;
	end_tracer(ret);
	ret->tracer = 0;
	fd_close(&ret->records);
	errno = number;
	error_errno(err, "watch the container");
	return error_hint(err, "kernel.yama.ptrace_scope, or an outer container, may forbid it");
}

int watch_end(struct arena *arena, struct watch *w, struct watch_refusals *ret, struct error *err)
{
	struct record *r = arena_new_one(arena, struct record);
	off_t at = 0;

	*ret = (struct watch_refusals){ 0 };
	if (w->tracer <= 0)
		return 0;
	end_tracer(w);
	for (; pread(w->records, r, sizeof(*r), at) == sizeof(*r); at += (off_t)sizeof(*r))
		*ARRAY_ADD(arena, ret) = (struct watch_refusal){ .op = (enum access_op)r->op, .sys = r->sys, .uid = r->uid, .gid = r->gid,
								 .path = arena_strdup(arena, r->path) };
	fd_close(&w->records);
	return 0;
}

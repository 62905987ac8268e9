#include "store/fuse_overlayfs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define FUSE_MAGIC 0x65735546
#define WAIT_MAX_MS 10000

char *fuse_overlayfs_find(struct arena *arena, struct error *err)
{
	char *program = spawn_find(arena, "fuse-overlayfs");

	if (!program) {
		error_set(err, ERROR_UNSUPPORTED, "the program fuse-overlayfs is not installed");
		error_hint(err, "install the package fuse-overlayfs");
	}
	return program;
}

/* fuse-overlayfs splits lowerdir at ':' and options at ','; a backslash makes them plain. */
static void add_escaped(struct buffer *b, const char *path)
{
	for (; *path; path++) {
		if (strchr(":,\\", *path))
			buffer_adds(b, "\\");
		buffer_add(b, path, 1);
	}
}

static char *mount_options(struct arena *arena, const struct rootfs *rootfs, struct error *err)
{
	_cleanup_buffer_ struct buffer b = BUFFER(1 << 20);

	buffer_adds(&b, "lowerdir=");
	for (size_t i = 0; i < rootfs->lower.n; i++) {
		if (i)
			buffer_adds(&b, ":");
		add_escaped(&b, rootfs->lower.v[i]);
	}
	if (rootfs->upper) {
		buffer_adds(&b, ",upperdir=");
		add_escaped(&b, rootfs->upper);
		buffer_adds(&b, ",workdir=");
		add_escaped(&b, rootfs->work);
	}
	if (rootfs->volatile_upper)
		buffer_adds(&b, ",volatile");
	if (!b.data || b.size >= b.limit) {
		error_set(err, ERROR_FAILED, "the options for fuse-overlayfs do not fit");
		return NULL;
	}
	return arena_strdup(arena, b.data);
}

/* Between fork and exec: nothing but system calls. */
static void run_program(const char *program, char *const *argv, int messages, bool with_caller)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (with_caller)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, 0);
	dup2(messages, 1);
	dup2(messages, 2);
	syscall(SYS_close_range, 3, ~0U, 0);
	execv(program, argv);
	_exit(127);
}

/* A child, or with with_caller false a child of nobody; answers its pid. */
static pid_t start(const char *program, char *const *argv, int messages, bool with_caller)
{
	int ends[2];
	pid_t pid = -1, child;

	if (with_caller) {
		child = fork();
		if (child == 0)
			run_program(program, argv, messages, true);
		return child;
	}
	if (fd_pipe(ends) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		pid = fork();
		if (pid == 0)
			run_program(program, argv, messages, false);
		_exit(write(ends[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
	}
	close(ends[1]);
	if (child > 0) {
		if (fd_read_all(ends[0], &pid, sizeof(pid)) != sizeof(pid))
			pid = -1;
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return pid;
}

static bool is_mounted(const char *target)
{
	struct statfs st;

	return statfs(target, &st) == 0 && st.f_type == FUSE_MAGIC;
}

/* The first line of what the program said. */
static int report(int messages, const char *what, struct error *err)
{
	char text[512];
	ssize_t n = pread(messages, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_set(err, ERROR_FAILED, "fuse-overlayfs %s%s%s", what, *text ? ": " : "", text);
}

static int wait_until_mounted(pid_t pid, const char *target, int messages, struct error *err)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	_cleanup_fd_ int pidfd = pidfd_open_pid(pid);

	if (pidfd < 0)
		return report(messages, "ended at once", err);
	for (int ms = 0; ms < WAIT_MAX_MS; ms++) {
		if (is_mounted(target))
			return 0;
		if (pidfd_wait_exit(pidfd, 0) != 0)
			return report(messages, "failed", err);
		nanosleep(&pause, NULL);
	}
	pidfd_signal(pidfd, SIGKILL);
	return report(messages, "did not mount in time", err);
}

int fuse_overlayfs_mount(struct arena *arena, const char *program, const struct rootfs *rootfs, const char *target,
			 bool with_caller, pid_t *ret_pid, struct error *err)
{
	char *options = mount_options(arena, rootfs, err);
	char *const argv[] = { (char *)"fuse-overlayfs", (char *)"-f", (char *)"-o", options, (char *)target, NULL };
	_cleanup_fd_ int messages = memfd_create("fuse-overlayfs", MFD_CLOEXEC);
	pid_t pid;

	if (!options)
		return -1;
	if (messages < 0)
		return error_errno(err, "memfd_create");
	pid = start(program, argv, messages, with_caller);
	if (pid < 0)
		return error_errno(err, "start %s", program);
	if (wait_until_mounted(pid, target, messages, err) < 0) {
		if (with_caller)
			waitpid(pid, NULL, 0);
		return -1;
	}
	*ret_pid = pid;
	return 0;
}

#include "sys/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/cgroup_dir.h"
#include "sys/fd.h"

#define DEPTH_MAX 32
#define FREEZE_WAIT_MS 10000
#define REMOVE_TRIES 50		/* of 2 ms: the last process may still be on its way out */

static int open_cgroup(const char *path)
{
	_cleanup_fd_ int root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);

	path += strspn(path, "/");
	if (root < 0)
		return -1;
	if (!*path || strstr(path, "..")) {
		errno = EINVAL;
		return -1;
	}
	return openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int write_file(int dirfd, const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* The number after "key " in a flat keyed file; -1 without one. */
static long long read_key(int fd, const char *key)
{
	char text[1024], *line, *rest = text;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -1;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		const char *value = str_after(line, key);

		if (value && *value == ' ')
			return atoll(value + 1);
	}
	return -1;
}

static long long read_key_of(const char *path, const char *file, const char *key)
{
	_cleanup_fd_ int dirfd = open_cgroup(path), fd = -1;

	if (dirfd >= 0)
		fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : read_key(fd, key);
}

bool cgroup_is_empty(const char *path)
{
	return read_key_of(path, "cgroup.events", "populated") != 1;
}

bool cgroup_oom_killed(const char *path)
{
	return read_key_of(path, "memory.events", "oom_kill") > 0;
}

int cgroup_freeze(const char *path, bool freeze, struct error *err)
{
	_cleanup_fd_ int dirfd = open_cgroup(path), events = -1;

	if (dirfd < 0 || write_file(dirfd, "cgroup.freeze", freeze ? "1" : "0") < 0)
		return error_errno(err, "%s the cgroup %s", freeze ? "freeze" : "thaw", path);
	events = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	for (int waited = 0; events >= 0 && waited < FREEZE_WAIT_MS; waited += 10) {
		struct pollfd p = { .fd = events, .events = POLLPRI };
		long long frozen = read_key(events, "frozen");

		if (frozen < 0 || frozen == freeze)
			return 0;
		poll(&p, 1, 10);
	}
	return error_set(err, ERROR_FAILED, "the cgroup %s did not %s in time", path, freeze ? "freeze" : "thaw");
}

/* --- the whole tree */

/* Calls visit on each cgroup below and at last on this one. dirfd is consumed. */
static int each(int dirfd, int depth, int (*visit)(int dirfd))
{
	DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
	struct dirent *e;
	int result;

	if (!dir || depth > DEPTH_MAX) {
		if (dir)
			closedir(dir);
		return -1;
	}
	while ((e = readdir(dir))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		each(openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth + 1, visit);
		unlinkat(dirfd, e->d_name, AT_REMOVEDIR);
	}
	result = visit(dirfd);
	closedir(dir);
	return result;
}

static int kill_processes(int dirfd)
{
	_cleanup_fd_ int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	_cleanup_buffer_ struct buffer text = BUFFER(1 << 20);
	char *rest, *pid;

	if (fd < 0 || fd_read_buffer(fd, &text) < 0)
		return -1;
	for (rest = text.data; rest && (pid = strsep(&rest, "\n"));)
		if (strtol(pid, NULL, 10) > 1)
			kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
	return 0;
}

int cgroup_kill(const char *path)
{
	int dirfd = open_cgroup(path);

	if (dirfd < 0)
		return errno == ENOENT ? 0 : -1;
	if (write_file(dirfd, "cgroup.kill", "1") == 0) {
		close(dirfd);
		return 0;
	}
	return each(dirfd, 0, kill_processes);	/* before Linux 5.14 */
}

static int nothing(int dirfd)
{
	return dirfd < 0 ? -1 : 0;
}

int cgroup_remove(const char *path)
{
	_cleanup_fd_ int root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *relative = path + strspn(path, "/");

	if (root < 0 || !*relative || strstr(relative, ".."))
		return root < 0 && errno == ENOENT ? 0 : -1;
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (unlinkat(root, relative, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -1;
		/* Cgroups inside, made by the container; or a process that has not quite ended. */
		each(openat(root, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, nothing);
		if (unlinkat(root, relative, AT_REMOVEDIR) == 0)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	errno = EBUSY;
	return -1;
}

/* The process whose call waits: what it says may change as one reads, so nothing that protects anybody rests on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "monitor/bypass.h"
#include "sys/fd.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

#define DESCRIPTORS_MAX 1024		/* more are not looked through */
#define ENTRY_MAX 64			/* of a directory of numbers */
#define INFO_MAX 16384			/* of what the kernel says about one: an epoll set of some 150 entries */

bool caller_read(pid_t pid, uint64_t address, void *p, size_t n)
{
	struct iovec here = { p, n }, there = { (void *)(uintptr_t)address, n };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

int caller_memory(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	return open(path, O_RDWR | O_CLOEXEC);
}

bool caller_write(int memory, uint64_t address, const void *p, size_t n)
{
	return address <= INT64_MAX && pwrite(memory, p, n, (off_t)address) == (ssize_t)n;
}

/* --- its descriptor */

bool caller_has_room(pid_t pid)
{
	struct rlimit limit;
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0 || stat(path, &st) < 0 || (rlim_t)st.st_size < limit.rlim_cur;
}

/* The text of /proc/PID/fdinfo/NUMBER. -1, also when it is longer than there is room. */
static ssize_t read_info(pid_t pid, int number, char *text, size_t size)
{
	char path[64];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);	/* all at once, or as much as there is room for */
	if (n < 0 || (size_t)n == size - 1)
		return -1;
	text[n] = '\0';
	return n;
}

/* The numbers after "\nWORD:" in its status: what is asked for is in the first half kilobyte. */
static bool read_status(pid_t pid, const char *word, long *first, long *second)
{
	char path[32], text[1024], *at;
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	at = strstr(text, word);
	if (!at)
		return false;
	*first = strtol(at + strlen(word), &at, 10);
	*second = strtol(at, NULL, 10);
	return true;
}

bool caller_ids(pid_t pid, uid_t *ret_uid, gid_t *ret_gid)
{
	long real, uid, gid;

	if (!read_status(pid, "\nUid:", &real, &uid) || !read_status(pid, "\nGid:", &real, &gid))
		return false;
	*ret_uid = (uid_t)uid;
	*ret_gid = (gid_t)gid;
	return true;
}

/* Of a thread, which kernels before 6.9 have no pidfd for: that of its process. */
static pid_t process_of(pid_t thread)
{
	long process, ignored;

	return read_status(thread, "\nTgid:", &process, &ignored) ? (pid_t)process : -1;
}

static int open_thread(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		fd = (int)syscall(SYS_pidfd_open, pid, PIDFD_THREAD);
	if (fd < 0 && errno == EINVAL && (pid = process_of(pid)) > 0)
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd;
}

/* Most calls are the same process's as the last. One that is gone answers ESRCH, then its number may be another's. */
int caller_take(pid_t pid, int number)
{
	static pid_t last;
	static int process = -1;
	int fd = process >= 0 && last == pid ? (int)syscall(SYS_pidfd_getfd, process, number, 0) : -1;

	if (fd >= 0 || (process >= 0 && last == pid && errno != ESRCH))
		return fd;
	fd_close(&process);
	process = open_thread(pid);
	last = pid;
	return process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, number, 0);
}

int caller_closes_on_exec(pid_t pid, int number)
{
	char text[512], *at;

	if (read_info(pid, number, text, sizeof(text)) < 0 || !(at = strstr(text, "flags:")))
		return -1;
	return (strtoul(at + strlen("flags:"), NULL, 8) & O_CLOEXEC) != 0;
}

/* --- who else knows the socket */

struct entry {
	uint64_t inode, offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

struct search {
	pid_t pid;
	int number;			/* of the socket */
	char link[40];			/* what /proc says that it is */
	struct epoll_place *place;
};

/* "tfd: 5 events: 19 data: 7f00 ..." of an epoll set; each entry has a line. */
static bool look_into_epoll(struct search *s, int epoll)
{
	char text[INFO_MAX], *at = text;

	if (read_info(s->pid, epoll, text, sizeof(text)) < 0)
		return false;
	while ((at = strstr(at, "tfd:"))) {
		int number;
		unsigned events;
		unsigned long long data;

		if (sscanf(at, "tfd: %d events: %x data: %llx", &number, &events, &data) == 3 && number == s->number) {
			if (s->place->epoll >= 0)
				return false;
			*s->place = (struct epoll_place){ epoll, events, data };
		}
		at += strlen("tfd:");
	}
	return true;
}

static bool look_at(struct search *s, int directory, const char *name)
{
	char link[40];
	int number = (int)strtol(name, NULL, 10);
	ssize_t n = number == s->number ? -1 : readlinkat(directory, name, link, sizeof(link) - 1);

	if (n < 0)
		return true;	/* closed meanwhile */
	link[n] = '\0';
	if (strcmp(link, "anon_inode:[eventpoll]") == 0)
		return look_into_epoll(s, number);
	return strcmp(link, s->link) != 0;
}

/* Without the C library's, which allocates. */
static bool look_through(struct search *s, int directory)
{
	_Alignas(struct entry) char buffer[4096];
	unsigned seen = 0;
	long n;

	do {
		n = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)(buffer + at);

			if (e->name[0] != '.' && (seen++ == DESCRIPTORS_MAX || !look_at(s, directory, e->name)))
				return false;
			at += e->length;
		}
	} while (n > (long)sizeof(buffer) - ENTRY_MAX);		/* else there were no more */
	return n >= 0;
}

bool caller_knows_once(pid_t pid, int number, uint64_t inode, struct epoll_place *ret)
{
	struct search s = { .pid = pid, .number = number, .place = ret };
	char path[32];
	_cleanup_fd_ int directory = -1;

	*ret = (struct epoll_place){ .epoll = -1 };
	snprintf(s.link, sizeof(s.link), "socket:[%llu]", (unsigned long long)inode);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory >= 0 && look_through(&s, directory);
}

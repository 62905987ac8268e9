#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int pidfd_open_pid(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);	/* close-on-exec by definition */
}

int pidfd_signal(int pidfd, int signum)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0);
}

int pidfd_wait_exit(int pidfd, int timeout_ms)
{
	int64_t end = clock_now_ms() + timeout_ms;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	for (;;) {
		int n = poll(&p, 1, timeout_ms);

		if (n < 0 && errno == EINTR) {
			if (timeout_ms >= 0) {
				int64_t left = end - clock_now_ms();

				timeout_ms = left > 0 ? (int)left : 0;
			}
			continue;
		}
		if (n > 0 && (p.revents & POLLNVAL)) {
			errno = EBADF;
			return -1;
		}
		return n < 0 ? -1 : n > 0;
	}
}

int pidfd_reap(int pidfd)
{
	siginfo_t info = { 0 };

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -1;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* Reads a small file of /proc whole into buf with a NUL byte after it. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

uint64_t pidfd_start_time(pid_t pid)
{
	char path[32], stat[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_small(path, stat, sizeof(stat)) <= 0)
		return 0;
	at = strrchr(stat, ')');	/* the name may hold anything, the rest is numbers */
	if (!at || at[1] != ' ')
		return 0;
	at += 2;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return 0;
		at++;
	}
	return strtoull(at, NULL, 10);
}

int pidfd_open_same(pid_t pid, uint64_t start_time)
{
	int fd = pidfd_open_pid(pid), number;
	uint64_t found;

	if (fd < 0)
		return -1;
	errno = 0;
	found = pidfd_start_time(pid);
	number = !found && error_passes(errno) ? errno : ESRCH;
	if (found && found == start_time && pidfd_wait_exit(fd, 0) == 0)
		return fd;
	close(fd);
	errno = number;
	return -1;
}

int pidfd_boot_id(char buf[37])
{
	char text[64];

	if (read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text)) < 36)
		return -1;
	memcpy(buf, text, 36);
	buf[36] = '\0';
	return 0;
}

#include "net/pid_record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "sys/fd.h"
#include "sys/pidfd.h"

#define LINE_SIZE 64

static size_t print(char line[LINE_SIZE], pid_t pid)
{
	return (size_t)snprintf(line, LINE_SIZE, "%d %llu\n", (int)pid, (unsigned long long)pidfd_start_time(pid));
}

int pid_record_write(int dir, const char *name, pid_t pid)
{
	char line[LINE_SIZE];

	return fd_write_file(dir, name, line, print(line, pid), 0600, false);
}

int pid_record_add(int dir, const char *name, pid_t pid)
{
	_cleanup_fd_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	char line[LINE_SIZE];

	return fd < 0 ? -1 : fd_write_all(fd, line, print(line, pid));
}

int pid_record_open_line(const char *line, pid_t *ret_pid)
{
	char *end;
	long pid = strtol(line, &end, 10);

	if (pid <= 1 || *end != ' ')
		return -1;
	if (ret_pid)
		*ret_pid = (pid_t)pid;
	return pidfd_open_same((pid_t)pid, strtoull(end, NULL, 10));
}

int pid_record_open(int dir, const char *name, pid_t *ret_pid)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[LINE_SIZE] = "";

	if (fd < 0 || fd_read_all(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return pid_record_open_line(text, ret_pid);
}

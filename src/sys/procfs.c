#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ROOT_INODE 1	/* PROC_ROOT_INO: the same in every procfs */

int procfs_check(int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -1;
	if (fs.f_type == PROC_SUPER_MAGIC && st.st_ino == ROOT_INODE)
		return 0;
	errno = ENODEV;
	return -1;
}

int procfs_open(void)
{
	int number, fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || procfs_check(fd) == 0)
		return fd;
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

int procfs_open_at(int proc, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };

	return (int)syscall(SYS_openat2, proc, path, &how, sizeof(how));
}

/* The text of the link "thread-self" is "PID/task/TID" in the numbers of that procfs, whatever ours are. */
int procfs_open_own(int proc, const char *name, int flags)
{
	char path[128];
	ssize_t n = readlinkat(proc, "thread-self", path, sizeof(path));
	size_t rest = strlen(name) + 1;

	if (n < 0)
		return -1;
	if ((size_t)n + 1 + rest > sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	path[n] = '/';
	memcpy(path + n + 1, name, rest);
	return procfs_open_at(proc, path, flags);
}

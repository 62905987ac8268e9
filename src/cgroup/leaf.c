#include "cgroup/leaf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "sys/fd.h"

#define ROUNDS 16

char *leaf_parent(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || !str_eq(slash + 1, LEAF_NAME))
		return arena_strdup(arena, path);
	return slash == path ? arena_strdup(arena, "/") : arena_strndup(arena, path, (size_t)(slash - path));
}

int leaf_move_all(struct arena *arena, int dirfd)
{
	_cleanup_fd_ int fd = -1;

	if (mkdirat(dirfd, LEAF_NAME, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = openat(dirfd, LEAF_NAME "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (int round = 0; round < ROUNDS; round++) {
		char *pids = control_read(arena, dirfd, "cgroup.procs"), *pid;

		if (!pids || !*pids)
			return pids ? 0 : -1;
		while ((pid = strsep(&pids, "\n")))
			if (*pid && write(fd, pid, strlen(pid)) < 0 && errno != ESRCH)
				return -1;
	}
	errno = EBUSY;
	return -1;
}

#include "engine/pause.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sys/fd.h"

static bool same_namespace(unsigned pid, const struct stat *ns)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
	return stat(path, &st) == 0 && st.st_ino == ns->st_ino && st.st_dev == ns->st_dev;
}

int pause_pids(struct arena *arena, pid_t first, struct pid_list *ret, struct error *err)
{
	_cleanup_dir_ DIR *proc = opendir("/proc");
	struct dirent *entry;
	struct stat ns, mine;
	char path[64];

	*ret = (struct pid_list){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)first);
	if (!proc || stat(path, &ns) < 0 || stat("/proc/self/ns/pid", &mine) < 0)
		return error_errno(err, "find the container's processes");
	if (ns.st_ino == mine.st_ino)
		return error_set(err, ERROR_UNSUPPORTED, "the container shares the host's pid namespace and has no cgroup: its "
				 "processes cannot be told from others");
	while ((entry = readdir(proc))) {
		unsigned pid;

		if (str_to_u32(entry->d_name, &pid) == 0 && same_namespace(pid, &ns))
			*ARRAY_ADD(arena, ret) = (pid_t)pid;
	}
	return 0;
}

int pause_processes(const struct container_state *s, bool pause, struct error *err)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct pid_list pids;

	if (s->cgroup && cgroup_can_freeze(s->cgroup))
		return cgroup_freeze(s->cgroup, pause, err);
	arena = arena_new();
	if (pause_pids(arena, (pid_t)s->pid, &pids, err) < 0)
		return -1;
	for (size_t i = 0; i < pids.n; i++)
		if (kill(pids.v[i], pause ? SIGSTOP : SIGCONT) < 0 && errno != ESRCH)
			return error_errno(err, "signal process %d", (int)pids.v[i]);
	return 0;
}

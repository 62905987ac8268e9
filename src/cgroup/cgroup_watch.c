#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "sys/fd.h"

/* The directory that counts memory: of v1's controller where there is one, else of the unified hierarchy. */
static const struct cgroup_place *memory_place(const struct cgroup *c)
{
	const struct cgroup_place *unified = NULL;

	for (size_t i = 0; i < c->places.n; i++) {
		if (hierarchy_has(c->places.v[i].controllers, "memory"))
			return &c->places.v[i];
		if (hierarchy_is_unified(c->places.v[i].controllers))
			unified = &c->places.v[i];
	}
	return unified;
}

/* cgroup-v1/memory.txt, "9. OOM control": the eventfd is raised when memory is exhausted and when the cgroup goes. */
static int watch_v1(int dirfd)
{
	_cleanup_fd_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	_cleanup_fd_ int oom = openat(dirfd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	char text[32];

	if (event < 0 || oom < 0)
		return -1;
	snprintf(text, sizeof(text), "%d %d", event, oom);
	return control_write(dirfd, "cgroup.event_control", text) < 0 ? -1 : fd_take(&event);
}

/* cgroup-v2.rst: changes of memory.events and cgroup.events are file modified events. */
static int watch_unified(int dirfd)
{
	_cleanup_fd_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char base[32], path[64];

	if (fd < 0)
		return -1;
	fd_path(dirfd, base);
	snprintf(path, sizeof(path), "%s/cgroup.events", base);
	if (inotify_add_watch(fd, path, IN_MODIFY | IN_DELETE_SELF) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/memory.events", base);
	if (inotify_add_watch(fd, path, IN_MODIFY) < 0 && errno != ENOENT)	/* no memory controller */
		return -1;
	return fd_take(&fd);
}

int cgroup_watch(const struct cgroup *c, struct error *err)
{
	const struct cgroup_place *place = memory_place(c);
	_cleanup_fd_ int dirfd = place ? control_open_dir(place->path) : -1;
	int fd;

	if (!place)
		return error_set(err, ERROR_UNSUPPORTED, "the container has no cgroup that could tell of its memory");
	if (dirfd < 0)
		return error_errno(err, "open the cgroup %s", place->path);
	fd = hierarchy_is_unified(place->controllers) ? watch_unified(dirfd) : watch_v1(dirfd);
	return fd < 0 ? error_errno(err, "watch the cgroup %s", place->path) : fd;
}

static uint64_t count(const struct cgroup *c, const char *v1_key, const char *key)
{
	const struct cgroup_place *place = memory_place(c);
	_cleanup_fd_ int dirfd = place ? control_open_dir(place->path) : -1;
	uint64_t n = 0;

	if (dirfd < 0)
		return 0;
	if (hierarchy_is_unified(place->controllers))
		control_read_key(dirfd, "memory.events", key, &n);
	else
		control_read_key(dirfd, "memory.oom_control", v1_key, &n);
	return n;
}

/* v1 counts kills only (since 4.13): with the killer disabled it says under_oom. */
uint64_t cgroup_oom_count(const struct cgroup *c)
{
	uint64_t kills = count(c, "oom_kill", "oom");

	return kills ? kills : count(c, "under_oom", "oom");
}

bool cgroup_oom_killed(const struct cgroup *c)
{
	return count(c, "oom_kill", "oom_kill") > 0;
}

/* How a process gets into a container's cgroup: born there, moved by us, or moved by systemd. */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "cgroup/systemd.h"
#include "sys/fd.h"

/* The directory that both paths are or are below. */
static char *common_ancestor(struct arena *arena, const char *a, const char *b)
{
	size_t n = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if ((a[i + 1] == '/' || !a[i + 1]) && (b[i + 1] == '/' || !b[i + 1]))
			n = i + 1;
	return arena_strndup(arena, a, n);
}

/* The kernel asks for the right to write cgroup.procs where the ways of the two cgroups part: to a user whose login session
 * is root's, nothing that his systemd has made is open from there. */
static bool may_move(struct arena *arena, const struct cgroup_place *place)
{
	struct cgroup_hierarchies list;
	const char *own;

	hierarchy_list(arena, &list);
	if (!list.n || !hierarchy_is_unified(list.v[0].controllers) || !list.v[0].own)
		return true;	/* the kernel will say */
	own = arena_printf(arena, "%s%s", list.v[0].mount, list.v[0].own);
	return faccessat(AT_FDCWD, arena_printf(arena, "%s/cgroup.procs", common_ancestor(arena, own, place->path)), W_OK,
			 AT_EACCESS) == 0;
}

int cgroup_entry(const struct cgroup *c, const char *sub, struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	int fd = cgroup_open(c, sub, err);

	if (fd >= 0 && !may_move(scratch, &c->places.v[0])) {
		fd_close(&fd);
		errno = ENOENT;
	}
	return fd;
}

bool cgroup_needs_join(const struct cgroup *c, int entry_fd)
{
	return c->places.n > 1 || (c->places.n == 1 && entry_fd < 0);
}

/* Below the caller's own cgroup a user may do as he likes. */
bool cgroup_may_need_join(const struct cgroup_host *host, const struct oci_spec *spec)
{
	const char *path = spec->linux_ ? spec->linux_->cgroups_path : NULL;

	if (host->manager == CGROUP_NONE)
		return false;
	return !host->unified || (!host->privileged && (host->manager == CGROUP_SYSTEMD || (path && *path == '/')));
}

/* The unit that the path leads through, and the rest: ".../run-1.scope/bryo-2" is "run-1.scope" and "/bryo-2". */
static char *unit_of(struct arena *arena, const char *path, const char **ret_below)
{
	struct strings parts = strings_split(arena, path, "/");
	const char *end = path + strlen(path);

	for (size_t i = parts.n; i-- > 0;) {
		if (str_ends(parts.v[i], ".scope") || str_ends(parts.v[i], ".service")) {
			*ret_below = end;
			return parts.v[i];
		}
		end -= strlen(parts.v[i]) + 1;
	}
	return NULL;
}

static int refused(const struct cgroup_place *place, pid_t pid, struct error *err)
{
	error_errno(err, "move process %d into the cgroup %s", (int)pid, place->path);
	return errno == EACCES ? error_hint(err, "run the command in the login or batch job that started the container") : -1;
}

/* What a user may not do from his session, his systemd can have done for him by the system's. */
static int join_by_systemd(const struct cgroup_place *place, const char *sub, pid_t pid, struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	const char *below, *unit = unit_of(scratch, place->path, &below);
	struct error own = { 0 };
	struct cgroup_host host;

	errno = EACCES;
	if (!unit || cgroup_probe(scratch, NULL, &host, NULL) < 0 || host.manager != CGROUP_SYSTEMD)
		return refused(place, pid, err);
	if (!str_is_empty(sub))
		below = arena_printf(scratch, "%s/%s", below, sub + strspn(sub, "/"));
	if (systemd_attach(scratch, !host.privileged, unit, below, pid, &own) == 0)
		return 0;
	if (err)
		*err = own;
	return error_frame(err, "move process %d into the cgroup %s", (int)pid, place->path);
}

static int join_place(const struct cgroup_place *place, const char *sub, pid_t pid, struct error *err)
{
	_cleanup_fd_ int dirfd = -1;
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	dirfd = cgroup_open_place(place, sub, err);
	if (dirfd < 0)
		return -1;
	if (control_write(dirfd, "cgroup.procs", text) == 0)
		return 0;
	if (errno == EACCES && hierarchy_is_unified(place->controllers))
		return join_by_systemd(place, sub, pid, err);
	return refused(place, pid, err);
}

int cgroup_join(const struct cgroup *c, const char *sub, pid_t pid, bool entered, struct error *err)
{
	for (size_t i = 0; i < c->places.n; i++) {
		const struct cgroup_place *place = &c->places.v[i];

		if (entered && hierarchy_is_unified(place->controllers))
			continue;
		if (join_place(place, sub, pid, err) == 0)
			continue;
		if (!strchr(place->controllers, '='))
			return -1;
		error_clear(err);	/* a named hierarchy has no controllers: nothing is lost */
	}
	return 0;
}

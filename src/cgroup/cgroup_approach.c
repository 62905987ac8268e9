/* The way of a process that starts another one in a container's cgroup. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include "cgroup/hierarchy.h"
#include "cgroup/systemd.h"

/* The directory that both paths are or are below. */
static char *common_ancestor(struct arena *arena, const char *a, const char *b)
{
	size_t n = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if ((a[i + 1] == '/' || !a[i + 1]) && (b[i + 1] == '/' || !b[i + 1]))
			n = i + 1;
	return arena_strndup(arena, a, n);
}

/* The kernel asks for the right to write cgroup.procs where the ways of the two cgroups part. */
static bool may_move(struct arena *arena, const char *from, const char *to)
{
	const char *procs = arena_printf(arena, "%s/cgroup.procs", common_ancestor(arena, from, to));

	return faccessat(AT_FDCWD, procs, W_OK, AT_EACCESS) == 0;
}

static int enter_own_scope(struct arena *arena, struct error *err)
{
	static const struct properties none;
	struct systemd_scope s = { .user = true, .name = arena_printf(arena, "bryo-exec-%d.scope", (int)getpid()),
				   .slice = "user.slice", .description = "bryo exec", .pid = getpid(), .properties = &none };

	return systemd_start(arena, &s, err);
}

int cgroup_approach(struct arena *arena, const struct cgroup *c, struct error *err)
{
	const char *target = c->places.n ? c->places.v[0].path : NULL, *own;
	struct cgroup_host host;

	if (!target || !hierarchy_is_unified(c->places.v[0].controllers))
		return 0;
	if (cgroup_probe(arena, NULL, &host, err) < 0)
		return -1;
	if (!host.unified || !host.hierarchies.v[0].own)
		return 0;
	own = arena_printf(arena, "%s%s", host.hierarchies.v[0].mount, host.hierarchies.v[0].own);
	if (may_move(arena, own, target))
		return 0;
	if (host.manager == CGROUP_SYSTEMD && str_after(target + strlen(host.hierarchies.v[0].mount), host.parent))
		return enter_own_scope(arena, err);
	error_set(err, ERROR_DENIED, "the container's cgroup %s cannot be entered from this process's cgroup %s", c->path,
		  host.hierarchies.v[0].own);
	return error_hint(err, "run the command in the login or batch job that started the container");
}

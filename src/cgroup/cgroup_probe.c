#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "cgroup/leaf.h"
#include "sys/fd.h"
#include "sys/idmap.h"

const char *const cgroup_manager_names[] = { [CGROUP_NONE] = "none", [CGROUP_CGROUPFS] = "cgroupfs",
					     [CGROUP_SYSTEMD] = "systemd" };

/* Root in the machine's own user namespace, whom nothing but the kernel's configuration keeps from a limit. */
static bool is_privileged(struct arena *arena)
{
	struct id_maps maps;

	return geteuid() == 0 && idmap_read(arena, 0, &maps, NULL) == 0 && maps.uid.n == 1 &&
	       maps.uid.v[0].inside == 0 && maps.uid.v[0].outside == 0 && maps.uid.v[0].count == UINT32_MAX;
}

/* The user's own systemd: a bus on which scopes can be asked for. */
static bool has_user_manager(struct arena *arena)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	return !str_is_empty(runtime) && access(arena_printf(arena, "%s/systemd/private", runtime), F_OK) == 0 &&
	       (getenv("DBUS_SESSION_BUS_ADDRESS") || access(arena_printf(arena, "%s/bus", runtime), F_OK) == 0);
}

/* The id under which systemd knows this user: outside of the rootless namespace. */
static uint32_t outer_uid(struct arena *arena)
{
	struct id_maps maps;
	uint32_t uid;

	if (idmap_read(arena, 0, &maps, NULL) < 0)
		return getuid();
	uid = idmap_to_outside(&maps.uid, getuid());
	return uid == ID_NONE ? getuid() : uid;
}

static void read_controllers(struct arena *arena, const char *mount, const char *path, struct strings *ret)
{
	_cleanup_fd_ int dirfd = control_open_dir(arena_printf(arena, "%s%s", mount, path));

	control_read_words(arena, dirfd, "cgroup.controllers", ret);
}

/* Every v1 hierarchy in which the caller may make cgroups gives its controllers. */
static void add_v1_controllers(struct arena *arena, struct cgroup_host *h)
{
	for (size_t i = 0; i < h->hierarchies.n; i++) {
		const struct cgroup_hierarchy *v1 = &h->hierarchies.v[i];

		if (hierarchy_is_unified(v1->controllers) || strchr(v1->controllers, '='))
			continue;
		h->v1 = true;
		if (!v1->usable)
			continue;
		struct strings names = strings_split(arena, v1->controllers, ",");
		strings_add_all(arena, &h->controllers, &names);
	}
}

/* Containers go below the caller's own cgroup; beside him where he is in a leaf that was made to empty it. */
static int probe_unified(struct arena *arena, struct cgroup_host *h)
{
	struct cgroup_hierarchy *only = &h->hierarchies.v[0];
	char *own = only->own ? leaf_parent(arena, only->own) : NULL;

	if (!own) {
		h->why = "this process's cgroup is not visible here (/proc/self/cgroup)";
		return 0;
	}
	only->own = own;
	only->usable = hierarchy_may_use(arena, only);
	if (!only->usable) {
		h->why = arena_printf(arena, "the cgroup %s is not delegated to this user (log in through systemd, or ask for "
				      "Delegate=yes)", own);
		return 0;
	}
	h->parent = str_eq(own, "/") ? arena_strdup(arena, "") : own;
	read_controllers(arena, only->mount, h->parent, &h->controllers);
	if (h->controllers.n == 0)
		h->why = arena_printf(arena, "no controllers are delegated to the cgroup %s", own);
	h->manager = CGROUP_CGROUPFS;
	return 0;
}

/* v1, with a unified hierarchy beside it or not: usable where the administrator has given it to the caller, or is him. */
static int probe_v1(struct arena *arena, struct cgroup_host *h)
{
	add_v1_controllers(arena, h);
	if (h->controllers.n)
		h->manager = CGROUP_CGROUPFS;
	else
		h->why = "this host has no unified cgroup v2 hierarchy at /sys/fs/cgroup (v1 or hybrid)";
	return 0;
}

/* The manager's own cgroup says what it may hand on. */
static int probe_systemd(struct arena *arena, struct cgroup_host *h)
{
	uint32_t uid = outer_uid(arena);

	h->manager = CGROUP_SYSTEMD;
	if (h->privileged)
		h->parent = arena_strdup(arena, "");
	else
		h->parent = arena_printf(arena, "/user.slice/user-%u.slice/user@%u.service", uid, uid);
	if (h->unified)
		read_controllers(arena, h->hierarchies.v[0].mount, h->parent, &h->controllers);
	else
		add_v1_controllers(arena, h);
	return 0;
}

static bool is_disabled(const char *wanted)
{
	return str_eq(wanted, "disabled") || str_eq(wanted, "none");
}

int cgroup_probe(struct arena *arena, const char *wanted, struct cgroup_host *ret, struct error *err)
{
	struct cgroup_host h = { .manager = CGROUP_NONE, .privileged = is_privileged(arena) };

	if (!str_is_empty(wanted) && !str_eq(wanted, "systemd") && !str_eq(wanted, "cgroupfs") && !is_disabled(wanted))
		return error_set(err, ERROR_USAGE, "unknown cgroup manager \"%s\": known are systemd, cgroupfs and "
				 "disabled", wanted);
	hierarchy_list(arena, &h.hierarchies);
	h.unified = h.hierarchies.n && hierarchy_is_unified(h.hierarchies.v[0].controllers) &&
		    str_eq(h.hierarchies.v[0].mount, HIERARCHY_ROOT);
	if (is_disabled(wanted))
		h.why = "the cgroup manager is disabled";
	else if (str_eq(wanted, "systemd") && (h.unified || h.privileged))
		probe_systemd(arena, &h);
	else if (str_is_empty(wanted) && h.unified && has_user_manager(arena))
		probe_systemd(arena, &h);
	else if (h.unified)
		probe_unified(arena, &h);
	else
		probe_v1(arena, &h);
	h.delegated = h.manager != CGROUP_NONE;
	*ret = h;
	return 0;
}

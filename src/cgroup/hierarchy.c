#include "cgroup/hierarchy.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/fd.h"

bool hierarchy_has(const char *controllers, const char *controller)
{
	size_t length = strlen(controller);

	for (; controllers; controllers = strchr(controllers, ','), controllers = controllers ? controllers + 1 : NULL)
		if (length && strncmp(controllers, controller, length) == 0 && strchr(",", controllers[length]))
			return true;
	return false;
}

/* Lines are "ID:CONTROLLERS:PATH" (cgroups(7)); the unified hierarchy is "0::PATH". */
char *hierarchy_membership(struct arena *arena, const char *membership, const char *controllers)
{
	size_t length = strlen(controllers);

	for (const char *line = membership; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *names = strchr(line, ':');

		if (names && strncmp(names + 1, controllers, length) == 0 && names[1 + length] == ':')
			return arena_strndup(arena, names + length + 2, strcspn(names + length + 2, "\n"));
	}
	return NULL;
}

/* Where only a part of the hierarchy is mounted its paths begin there. A path outside of it, or of the cgroup namespace,
 * has no name here. */
static char *below_mount(struct arena *arena, const char *root, const char *path)
{
	const char *rest = path;

	if (!path || str_starts(path, "/.."))
		return NULL;
	if (!str_eq(root, "/"))
		rest = str_after(path, root);
	if (!rest || (*rest && *rest != '/'))
		return NULL;
	return arena_strdup(arena, *rest ? rest : "/");
}

/* The controllers of a v1 mount are among the options of its superblock: "rw,xattr,name=systemd", "rw,cpu,cpuacct". */
static char *controllers_of(struct arena *arena, const char *super_options)
{
	static const char *const others[] = { "rw", "ro", "xattr", "noprefix", "clone_children", "seclabel" };
	struct strings options = strings_split(arena, super_options, ","), names = { 0 };

	for (size_t i = 0; i < options.n; i++) {
		bool known = str_starts(options.v[i], "release_agent=");

		for (size_t j = 0; j < ELEMENTS(others); j++)
			known = known || str_eq(options.v[i], others[j]);
		if (!known)
			strings_add(arena, &names, options.v[i]);
	}
	return strings_join(arena, &names, ",");
}

static bool is_listed(const struct cgroup_hierarchies *list, const char *controllers)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].controllers, controllers))
			return true;
	return false;
}

static void add(struct arena *arena, struct cgroup_hierarchies *list, const struct mount_info *m, const char *membership)
{
	bool unified = str_eq(m->fstype, "cgroup2");
	struct cgroup_hierarchy h = { .mount = arena_strdup(arena, m->point) };

	h.controllers = unified ? "" : controllers_of(arena, m->super_options);
	if (is_listed(list, h.controllers) || (!unified && !*h.controllers))
		return;
	h.own = below_mount(arena, m->root, hierarchy_membership(arena, membership, h.controllers));
	*ARRAY_ADD(arena, list) = h;
}

void hierarchy_find(struct arena *arena, const struct mount_table *mounts, const char *membership,
		    struct cgroup_hierarchies *ret)
{
	*ret = (struct cgroup_hierarchies){ 0 };
	/* What was mounted last covers what was there before, hence backwards; below /sys/fs/cgroup, for other mounts of a
	 * hierarchy may be anybody's. */
	for (int unified = 1; unified >= 0; unified--)
		for (size_t i = mounts->n; i-- > 0;) {
			const struct mount_info *m = &mounts->v[i];

			if (str_eq(m->fstype, unified ? "cgroup2" : "cgroup") && str_starts(m->point, HIERARCHY_ROOT))
				add(arena, ret, m, membership);
		}
}

void hierarchy_v1_controllers(struct arena *arena, const struct cgroup_hierarchies *list, struct strings *ret)
{
	*ret = (struct strings){ 0 };
	for (size_t i = 0; i < list->n; i++) {
		struct strings names = strings_split(arena, list->v[i].controllers, ",");

		for (size_t j = 0; j < names.n; j++)
			if (*names.v[j] && !strchr(names.v[j], '='))
				strings_add(arena, ret, names.v[j]);
	}
}

static bool is_unified(void)
{
	struct statfs fs;

	return statfs(HIERARCHY_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

bool hierarchy_may_use(struct arena *arena, const struct cgroup_hierarchy *h)
{
	return h->own && faccessat(AT_FDCWD, arena_printf(arena, "%s%s", h->mount, h->own), W_OK, AT_EACCESS) == 0 &&
	       faccessat(AT_FDCWD, arena_printf(arena, "%s%s/cgroup.procs", h->mount, h->own), W_OK, AT_EACCESS) == 0;
}

/* The usual case without the table of mounts, which is long on some hosts. */
static bool list_unified(struct arena *arena, const char *membership, struct cgroup_hierarchies *ret)
{
	char *own = hierarchy_membership(arena, membership, "");

	own = own ? below_mount(arena, "/", own) : NULL;
	if (!is_unified() || (own && access(arena_printf(arena, HIERARCHY_ROOT "%s/cgroup.procs", own), F_OK) < 0))
		return false;
	*ARRAY_ADD(arena, ret) = (struct cgroup_hierarchy){ .controllers = "", .mount = HIERARCHY_ROOT, .own = own };
	return true;
}

void hierarchy_list(struct arena *arena, struct cgroup_hierarchies *ret)
{
	const char *membership = fd_read_file(arena, AT_FDCWD, "/proc/self/cgroup", 65536, NULL);
	struct mount_table mounts;

	*ret = (struct cgroup_hierarchies){ 0 };
	if (!list_unified(arena, membership, ret) &&
	    mount_read_table(arena, "/proc/self/mountinfo", &mounts, NULL) == 0)
		hierarchy_find(arena, &mounts, membership, ret);
	for (size_t i = 0; i < ret->n; i++)
		ret->v[i].usable = hierarchy_may_use(arena, &ret->v[i]);
}

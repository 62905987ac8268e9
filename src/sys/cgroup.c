#include "sys/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/cgroup_dir.h"
#include "sys/fd.h"
#include "sys/idmap.h"

/* A cgroup of ours that took the processes out of the one that they were in, so that this may have controllers. */
#define LEAF_NAME "bryo-leaf"
#define SCOPE_LEAF "supervisor"
#define SCOPE_CONTAINER "container"

/* --- what there is */

/* The caller's own cgroup below /sys/fs/cgroup, "/" for the root; NULL with a reason. */
static char *own_cgroup(struct arena *arena, char **ret_why)
{
	char *text = fd_read_file(arena, AT_FDCWD, "/proc/self/cgroup", 65536, NULL), *line;

	while (text && (line = strsep(&text, "\n"))) {
		const char *path = str_after(line, "0::");

		if (!path)
			continue;
		if (strstr(path, "/.."))
			break;	/* outside of this cgroup namespace: there is no name for it here */
		return arena_strdup(arena, path);
	}
	*ret_why = "this process's cgroup is not visible here (/proc/self/cgroup)";
	return NULL;
}

static bool is_unified(void)
{
	struct statfs fs;

	return statfs(CGROUP_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* May the caller make cgroups in it and move processes there? */
static bool is_delegated(struct arena *arena, const char *path)
{
	return faccessat(AT_FDCWD, arena_printf(arena, CGROUP_ROOT "%s", path), W_OK, AT_EACCESS) == 0 &&
	       faccessat(AT_FDCWD, arena_printf(arena, CGROUP_ROOT "%s/cgroup.procs", path), W_OK, AT_EACCESS) == 0;
}

static void read_controllers(struct arena *arena, const char *path, const char *file, struct strings *ret)
{
	char *text = fd_read_file(arena, AT_FDCWD, arena_printf(arena, CGROUP_ROOT "%s/%s", path, file), 4096, NULL);
	char *word;

	*ret = (struct strings){ 0 };
	while (text && (word = strsep(&text, " \n")))
		if (*word)
			strings_add(arena, ret, word);
}

/* The user's own systemd: a bus on which scopes can be asked for. */
static bool has_user_manager(struct arena *arena)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	return !str_is_empty(runtime) && access(arena_printf(arena, "%s/systemd/private", runtime), F_OK) == 0 &&
	       (getenv("DBUS_SESSION_BUS_ADDRESS") || access(arena_printf(arena, "%s/bus", runtime), F_OK) == 0);
}

/* Below our own leaf nothing more is made; its siblings are where containers go. */
static char *parent_for_containers(struct arena *arena, char *own)
{
	char *slash = strrchr(own, '/');

	if (!slash || !str_eq(slash + 1, LEAF_NAME))
		return own;
	return slash == own ? arena_strdup(arena, "/") : arena_strndup(arena, own, (size_t)(slash - own));
}

static int probe_cgroupfs(struct arena *arena, struct cgroup_host *h)
{
	char *own = own_cgroup(arena, &h->why);

	if (!own)
		return 0;
	own = parent_for_containers(arena, own);
	if (!is_delegated(arena, own)) {
		h->why = arena_printf(arena, "the cgroup %s is not delegated to this user (log in through systemd, or ask for "
				      "Delegate=yes)", own);
		return 0;
	}
	h->delegated = true;
	h->manager = CGROUP_CGROUPFS;
	h->parent = str_eq(own, "/") ? arena_strdup(arena, "") : own;
	read_controllers(arena, h->parent, "cgroup.controllers", &h->controllers);
	if (h->controllers.n == 0)
		h->why = arena_printf(arena, "no controllers are delegated to the cgroup %s", own);
	return 0;
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

/* The user manager's own cgroup says what it may hand on. */
static void probe_systemd(struct arena *arena, struct cgroup_host *h)
{
	uint32_t uid = outer_uid(arena);

	h->manager = CGROUP_SYSTEMD;
	h->delegated = true;
	h->parent = arena_printf(arena, "/user.slice/user-%u.slice/user@%u.service", uid, uid);
	read_controllers(arena, h->parent, "cgroup.controllers", &h->controllers);
}

int cgroup_probe(struct arena *arena, const char *wanted, struct cgroup_host *ret, struct error *err)
{
	struct cgroup_host h = { .manager = CGROUP_NONE };

	if (!str_is_empty(wanted) && !str_eq(wanted, "systemd") && !str_eq(wanted, "cgroupfs") &&
	    !str_eq(wanted, "disabled"))
		return error_set(err, ERROR_USAGE, "unknown cgroup manager \"%s\": known are systemd, cgroupfs and "
				 "disabled", wanted);
	h.unified = is_unified();
	if (str_eq(wanted, "disabled"))
		h.why = "the cgroup manager is disabled";
	else if (!h.unified)
		h.why = "this host has no unified cgroup v2 hierarchy at /sys/fs/cgroup (v1 or hybrid)";
	else if (str_eq(wanted, "systemd") || (str_is_empty(wanted) && has_user_manager(arena)))
		probe_systemd(arena, &h);
	else
		probe_cgroupfs(arena, &h);
	*ret = h;
	return 0;
}

/* --- making one */

static int write_at(int dirfd, const char *file, const char *text)
{
	int number, result, fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	number = errno;
	close(fd);
	errno = number;
	return result;
}

/* The pids of a cgroup, one a line; NULL with errno. */
static char *read_processes(struct arena *arena, const char *path)
{
	return fd_read_file(arena, AT_FDCWD, arena_printf(arena, CGROUP_ROOT "%s/cgroup.procs", path), 1 << 20, NULL);
}

/* Moves all processes of a cgroup into a leaf below it. New ones may appear meanwhile: until there are none. */
static int empty_into_leaf(struct arena *arena, const char *path)
{
	char *leaf = arena_printf(arena, CGROUP_ROOT "%s/" LEAF_NAME, path), *pids = read_processes(arena, path);
	_cleanup_fd_ int fd = -1;

	if (pids && !*pids)
		return 0;
	if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = open(arena_printf(arena, "%s/cgroup.procs", leaf), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (int round = 0; round < 16; round++, pids = read_processes(arena, path)) {
		char *pid;

		if (!pids || !*pids)
			return pids ? 0 : -1;
		while ((pid = strsep(&pids, "\n")))
			if (*pid && write(fd, pid, strlen(pid)) < 0 && errno != ESRCH)
				return -1;
	}
	errno = EBUSY;
	return -1;
}

/* A cgroup with processes in it may not hand controllers to its children ("no internal processes"). Of cpu, cpuset and
 * pids the kernel takes the write all the same, but then makes a threaded domain of it, in whose children nothing can
 * be started. The hierarchy's root, which alone has no cgroup.type, is free of that rule. */
static int enable_controller(struct arena *arena, const char *path, int dirfd, const char *controller)
{
	if (faccessat(dirfd, "cgroup.type", F_OK, 0) == 0 && empty_into_leaf(arena, path) < 0)
		return -1;
	return write_at(dirfd, "cgroup.subtree_control", arena_printf(arena, "+%s", controller));
}

/* Enables what the settings need and the parent can give; the others are listed as missing. */
static void enable_controllers(struct arena *arena, const char *path, int dirfd,
			       const struct cgroup_settings *settings, struct strings *ret_missing)
{
	struct strings available, enabled;

	read_controllers(arena, path, "cgroup.controllers", &available);
	read_controllers(arena, path, "cgroup.subtree_control", &enabled);
	for (size_t i = 0; i < settings->n; i++) {
		const char *controller = settings->v[i].controller;

		if (str_is_empty(controller) || strings_has(&enabled, controller) || strings_has(ret_missing, controller))
			continue;
		if (strings_has(&available, controller) && enable_controller(arena, path, dirfd, controller) == 0)
			strings_add(arena, &enabled, controller);
		else
			strings_add(arena, ret_missing, controller);
	}
}

static int apply_settings(int dirfd, const struct cgroup_settings *settings, const struct strings *missing,
			  struct error *err)
{
	for (size_t i = 0; i < settings->n; i++) {
		const struct cgroup_setting *s = &settings->v[i];

		if (!str_is_empty(s->controller) && strings_has(missing, s->controller))
			continue;
		if (write_at(dirfd, s->file, s->value) < 0)
			return error_errno(err, "set %s of the container's cgroup to %s", s->file, s->value);
	}
	return 0;
}

/* The scope's path when the caller is in its leaf already: a monitor that starts its container again. */
static char *scope_around(struct arena *arena, const char *scope)
{
	char *why, *own = own_cgroup(arena, &why);
	const char *end = arena_printf(arena, "/%s/" SCOPE_LEAF, scope);

	if (!own || !str_ends(own, end))
		return NULL;
	return arena_strndup(arena, own, strlen(own) - strlen("/" SCOPE_LEAF));
}

/* With systemd: a scope for the caller, who steps into a leaf of it and leaves the rest to the container. */
static char *enter_scope(struct arena *arena, const struct cgroup_host *host, const char *name, struct error *err)
{
	static const struct cgroup_settings none;
	char *scope = arena_printf(arena, "%s.scope", name), *why = NULL, *path = scope_around(arena, scope);
	int dirfd;

	if (path)
		return path;
	if (cgroup_start_scope(host, scope, "bryo container", getpid(), &none, err) < 0)
		return NULL;
	path = own_cgroup(arena, &why);
	if (!path) {
		error_set(err, ERROR_FAILED, "%s", why);
		return NULL;
	}
	dirfd = open(arena_printf(arena, CGROUP_ROOT "%s", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || (mkdirat(dirfd, SCOPE_LEAF, 0755) < 0 && errno != EEXIST) ||
	    write_at(dirfd, SCOPE_LEAF "/cgroup.procs", "0") < 0) {
		error_errno(err, "prepare the scope %s", scope);
		path = NULL;
	}
	fd_close(&dirfd);
	return path;
}

/* The directory that both paths are below. */
static char *common_ancestor(struct arena *arena, const char *a, const char *b)
{
	size_t n = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i + 1] == '/' || !a[i + 1])
			if (b[i + 1] == '/' || !b[i + 1])
				n = i + 1;
	return arena_strndup(arena, a, n);
}

/* The kernel asks for the right to write cgroup.procs where the ways of the two cgroups part. */
static bool may_move(struct arena *arena, const char *from, const char *to)
{
	return faccessat(AT_FDCWD, arena_printf(arena, CGROUP_ROOT "%s/cgroup.procs", common_ancestor(arena, from, to)), W_OK,
			 AT_EACCESS) == 0;
}

int cgroup_approach(struct arena *arena, const char *path, struct error *err)
{
	static const struct cgroup_settings none;
	struct cgroup_host h = { 0 };
	char *why, *own = own_cgroup(arena, &why);

	if (!own || may_move(arena, own, path))
		return 0;
	probe_systemd(arena, &h);
	if (has_user_manager(arena) && str_after(path, h.parent))
		return cgroup_start_scope(&h, arena_printf(arena, "bryo-exec-%d.scope", (int)getpid()), "bryo exec", getpid(),
					  &none, err);
	error_set(err, ERROR_DENIED, "the container's cgroup %s cannot be entered from this process's cgroup %s", path, own);
	return error_hint(err, "run the command in the login or batch job that started the container");
}

int cgroup_create(struct arena *arena, const struct cgroup_host *host, const char *name,
		  const struct cgroup_settings *settings, char **ret_path, struct strings *ret_missing,
		  struct error *err)
{
	char *parent = host->parent, *path;
	_cleanup_fd_ int parent_fd = -1, fd = -1;
	struct strings missing = { 0 };

	if (host->manager == CGROUP_NONE)
		return error_set(err, ERROR_UNSUPPORTED, "no cgroups: %s", host->why ? host->why : "no manager");
	if (host->manager == CGROUP_SYSTEMD) {
		parent = enter_scope(arena, host, name, err);
		if (!parent)
			return -1;
		name = SCOPE_CONTAINER;
	}
	path = arena_printf(arena, "%s/%s", parent, name);
	parent_fd = open(arena_printf(arena, CGROUP_ROOT "%s", parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0 || (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST))
		return error_errno(err, "make the cgroup %s", path);
	if (settings->n)
		enable_controllers(arena, parent, parent_fd, settings, &missing);
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open the cgroup %s", path);
	if (apply_settings(fd, settings, &missing, err) < 0) {
		unlinkat(parent_fd, name, AT_REMOVEDIR);
		return -1;
	}
	*ret_path = path;
	*ret_missing = missing;
	return fd_take(&fd);
}

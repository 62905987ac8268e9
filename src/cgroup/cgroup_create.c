#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/device.h"
#include "cgroup/hierarchy.h"
#include "cgroup/owner.h"
#include "cgroup/place.h"
#include "cgroup/resources.h"
#include "cgroup/systemd.h"
#include "cgroup/tree.h"
#include "sys/fd.h"

#define POSITION ".linux.resources"
#define SUPERVISOR "supervisor"

struct making {
	struct arena *arena;
	const struct cgroup_host *host;
	const struct cgroup_request *request;
	struct place place;
	struct settings settings;
	struct device_rules rules;
	struct strings v1, needed;	/* controllers: on v1, and of the unified hierarchy for the settings */
	struct strings *warnings;
	struct cgroup *c;
};

static const struct oci_resources *resources_of(const struct making *m)
{
	return m->request->spec->linux_ ? m->request->spec->linux_->resources : NULL;
}

/* --- without one */

/* What was asked for and cannot be had is an error for root of the machine, and worth a warning for others. */
static int make_none(struct making *m, struct error *err)
{
	const char *why = m->host->why ? m->host->why : "there is no usable cgroup v2";

	m->c->manager = "none";
	if (m->host->privileged && m->place.demanded)
		return error_set(err, ERROR_UNSUPPORTED, ".linux.cgroupsPath: %s", why);
	if (!resources_has_limits(resources_of(m)))
		return 0;
	if (m->host->privileged)
		return error_set(err, ERROR_UNSUPPORTED, POSITION ": %s", why);
	strings_addf(m->arena, m->warnings, "resource limits are ignored: %s", why);
	return 0;
}

/* --- directories */
static bool is_frozen(int dirfd, bool unified)
{
	uint64_t frozen = 0;
	char text[16] = "";
	_cleanup_fd_ int fd = unified ? -1 : openat(dirfd, "freezer.state", O_RDONLY | O_CLOEXEC);

	if (unified)
		return control_read_key(dirfd, "cgroup.events", "frozen", &frozen) == 0 && frozen;
	return fd >= 0 && fd_read_all(fd, text, sizeof(text) - 1) > 0 && !str_starts(text, "THAWED");
}

static int has_processes(int dirfd, void *context)
{
	_cleanup_fd_ int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1;
}

/* A new container gets a cgroup that nobody is in, and in which it can run. */
static int check_unused(struct arena *arena, const struct tree *t, const char *path, bool unified, struct error *err)
{
	struct strings handed;

	if (t->made)
		return 0;
	control_read_words(arena, tree_fd(t), "cgroup.subtree_control", &handed);
	if (handed.n)
		return error_set(err, ERROR_IN_USE, "the cgroup %s hands controllers to those below it, so no process can be in it",
				 path);
	if (control_walk(fcntl(tree_fd(t), F_DUPFD_CLOEXEC, 0), has_processes, NULL) > 0)
		return error_set(err, ERROR_IN_USE, "there are processes in the cgroup %s", path);
	if (is_frozen(tree_fd(t), unified))
		return error_set(err, ERROR_STATE, "the cgroup %s is frozen", path);
	return 0;
}

/* The container's cgroup, and the one below it in which its first process lives, belong to who runs there. */
static int give(struct making *m, const struct tree *t, struct error *err)
{
	_cleanup_fd_ int leaf = -1;
	uid_t owner;

	if (m->place.leaf && fd_mkdirs(tree_fd(t), m->place.leaf, 0755) < 0)
		return error_errno(err, "make the cgroup %s", m->place.leaf);
	if (!m->host->unified || !owner_wanted(m->request->spec, &owner))
		return 0;
	if (m->place.leaf)
		leaf = openat(tree_fd(t), m->place.leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if ((owner_give(m->arena, tree_fd(t), owner) < 0 || (leaf >= 0 && owner_give(m->arena, leaf, owner) < 0)) &&
	    m->host->privileged)
		return error_errno(err, "give the cgroup to user %u", owner);
	return 0;
}

static int finish_unified(struct making *m, const struct cgroup_hierarchy *h, const struct tree *t, const char *start,
			  struct error *err)
{
	int own = -1;

	if (h->own && !m->c->scope && str_eq(start, arena_printf(m->arena, "%s%s", h->mount, str_eq(h->own, "/") ? "" : h->own)))
		own = 0;
	if (m->c->keeper && control_write(tree_fd(t), "cgroup.procs", arena_printf(m->arena, "%d", m->c->keeper)) < 0)
		return error_errno(err, "enter the scope %s", m->c->scope);
	tree_enable_controllers(m->arena, t, &m->needed, own);
	return give(m, t, err);
}

static int finish_v1(struct making *m, const struct cgroup_hierarchy *h, const struct tree *t, const char *path,
		     struct error *err)
{
	if (hierarchy_has(h->controllers, "cpuset") && tree_init_cpuset(m->arena, t) < 0)
		return error_errno(err, "give the cgroup %s its CPUs and memory nodes", path);
	return 0;
}

/* One hierarchy. Where a hierarchy without limits (named, or the unified one beside v1) refuses, it is left out. */
static int make_place(struct making *m, const struct cgroup_hierarchy *h, const char *start, const char *below,
		      struct error *err)
{
	bool unified = hierarchy_is_unified(h->controllers), spare = m->host->v1 && (unified || strchr(h->controllers, '='));
	const char *path = arena_printf(m->arena, "%s%s%s", start, *below && *below != '/' ? "/" : "", below);
	struct cgroup_place *place;
	struct tree t;
	int result;

	if (tree_make(m->arena, start, below, &t) < 0)
		return spare || !m->host->privileged ? 0 : error_errno(err, "make the cgroup %s", path);
	result = m->c->scope ? 0 : check_unused(m->arena, &t, path, unified, err);
	if (result == 0) {
		place = ARRAY_ADD(m->arena, &m->c->places);
		*place = (struct cgroup_place){ .controllers = h->controllers, .path = arena_strdup(m->arena, path) };
		result = unified ? finish_unified(m, h, &t, start, err) : finish_v1(m, h, &t, path, err);
		if (result < 0 && !t.made)	/* not ours to remove */
			m->c->places.n--;
	}
	tree_done(&t);
	return result;
}

static int make_places(struct making *m, struct error *err)
{
	const struct cgroup_hierarchies *list = &m->host->hierarchies;

	for (size_t i = 0; i < list->n; i++) {
		const struct cgroup_hierarchy *h = &list->v[i];
		const char *start = h->mount, *below = m->place.path;

		if (*below != '/') {
			if (!h->usable)
				continue;
			start = arena_printf(m->arena, "%s%s", h->mount, str_eq(h->own, "/") ? "" : h->own);
		}
		if (make_place(m, h, start, below, err) < 0)
			return -1;
	}
	m->c->path = m->c->places.n ? arena_strdup(m->arena, m->c->places.v[0].path + strlen(list->v[0].mount)) : NULL;
	return 0;
}

/* --- systemd */

/* Keeps a scope alive, which ends with its last process, until the container is in it; dies with its parent. */
static int start_keeper(struct cgroup *c, struct error *err)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return error_errno(err, "start a process for the scope");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close_range(0, ~0u, 0);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	c->keeper = pid;
	return 0;
}

/* Where systemd has put a process of ours; NULL when that is not visible. */
static char *membership_of(const struct making *m, pid_t pid)
{
	const char *file = arena_printf(m->arena, "/proc/%d/cgroup", (int)pid);
	const char *membership = fd_read_file(m->arena, AT_FDCWD, file, 65536, NULL);

	return membership ? hierarchy_membership(m->arena, membership, m->host->unified ? "" : "name=systemd") : NULL;
}

/* The path of the scope when the caller is in its leaf already: a monitor that starts its container again. */
static char *scope_around(const struct making *m)
{
	char *path = m->c->shared ? membership_of(m, getpid()) : NULL;

	if (!path || !str_ends(path, arena_printf(m->arena, "/%s/" SUPERVISOR, m->place.scope)))
		return NULL;
	return arena_strndup(m->arena, path, strlen(path) - strlen("/" SUPERVISOR));
}

static int start_scope(struct making *m, struct error *err)
{
	struct properties properties = { 0 };
	struct systemd_scope s = { .user = m->c->user, .name = m->place.scope, .slice = m->place.slice, .pid = getpid(),
				   .description = arena_printf(m->arena, "container %s", m->request->id),
				   .properties = &properties };

	if (!m->c->shared) {
		property_limits(m->arena, &m->settings, &properties);
		if (start_keeper(m->c, err) < 0)
			return -1;
		s.pid = m->c->keeper;
	}
	if (property_annotations(m->arena, &m->request->spec->annotations, &properties, err) < 0 ||
	    systemd_start(m->arena, &s, err) < 0)
		return -1;
	m->c->scope = m->place.scope;
	return 0;
}

/* The caller goes into a leaf of the scope, so that the scope may hand controllers to the container's part. */
static int enter_leaf(struct making *m, const char *scope_path, struct error *err)
{
	_cleanup_fd_ int dirfd = control_open_dir(scope_path);

	if (dirfd < 0 || (mkdirat(dirfd, SUPERVISOR, 0755) < 0 && errno != EEXIST) ||
	    control_write(dirfd, SUPERVISOR "/cgroup.procs", "0") < 0)
		return error_errno(err, "prepare the scope %s", m->c->scope);
	return 0;
}

/* Where the scope is: systemd moved a process there, which says so. v1 hierarchies that systemd leaves alone get the
 * same path as its own. */
static int make_scope_places(struct making *m, char *path, struct error *err)
{
	if (!path)
		path = membership_of(m, m->c->keeper ? m->c->keeper : getpid());
	if (!path || !str_ends(path, m->c->scope))
		return error_set(err, ERROR_FAILED, "the scope %s is not visible in this cgroup namespace", m->c->scope);
	for (size_t i = 0; i < m->host->hierarchies.n; i++) {
		const struct cgroup_hierarchy *h = &m->host->hierarchies.v[i];
		const char *start = arena_printf(m->arena, "%s%s", h->mount, path), *below = m->place.subgroup;

		if (m->host->unified && m->c->shared && enter_leaf(m, start, err) < 0)
			return -1;
		if (!m->host->unified) {
			below = arena_printf(m->arena, "%s/%s", path, below);
			start = h->mount;
		}
		if (make_place(m, h, start, below, err) < 0)
			return -1;
	}
	m->c->path = *m->place.subgroup ? arena_printf(m->arena, "%s/%s", path, m->place.subgroup) : path;
	return 0;
}

/* --- limits */
static int apply_devices(struct making *m, struct error *err)
{
	struct settings lines = { 0 };
	struct strings ignored = { 0 };
	struct device_program program;
	_cleanup_fd_ int fd = -1;

	if (m->rules.n == 0)
		return 0;
	if (strings_has(&m->v1, "devices")) {
		device_settings_v1(m->arena, &m->rules, POSITION, &lines);
		if (m->host->privileged)
			return settings_write(m->arena, m->c, &lines, NULL, err);
		settings_write(m->arena, m->c, &lines, &ignored, NULL);
		return 0;
	}
	fd = cgroup_open(m->c, NULL, err);
	if (fd < 0)
		return m->host->privileged ? error_set(err, ERROR_UNSUPPORTED, POSITION ".devices: there is no cgroup controller "
						       "for devices here") : 0;
	device_program(m->arena, &m->rules, &program);
	/* Users may load no such program, and device nodes are of no use to them anyway. */
	if (device_attach(&program, fd) < 0 && m->host->privileged)
		return error_errno(err, POSITION ".devices: attach the rules as an eBPF program");
	return 0;
}

static int apply_limits(struct making *m, struct error *err)
{
	struct strings missing = { 0 };

	if (settings_write(m->arena, m->c, &m->settings, m->host->privileged ? NULL : &missing, err) < 0)
		return -1;
	if (missing.n)
		strings_addf(m->arena, m->warnings, "resource limits are ignored (%s): the cgroup controllers are not delegated to "
			     "this user", strings_join(m->arena, &missing, ", "));
	return apply_devices(m, err);
}

static int prepare(struct making *m, struct error *err)
{
	if (place_choose(m->arena, m->host, m->request->id, m->request->spec, &m->place, err) < 0)
		return -1;
	hierarchy_v1_controllers(m->arena, &m->host->hierarchies, &m->v1);
	if (resources_settings(m->arena, resources_of(m), &m->v1, POSITION, &m->settings, err) < 0 ||
	    device_rules(m->arena, resources_of(m), POSITION, &m->rules, err) < 0)
		return -1;
	for (size_t i = 0; i < m->settings.n; i++)
		if (!m->settings.v[i].v1 && *m->settings.v[i].controller)
			strings_add(m->arena, &m->needed, m->settings.v[i].controller);
	return 0;
}

static int make(struct making *m, struct error *err)
{
	char *around;

	if (m->host->manager == CGROUP_NONE)
		return make_none(m, err);
	m->c->manager = (char *)cgroup_manager_names[m->host->manager];
	m->c->leaf = m->place.leaf;
	if (m->host->manager == CGROUP_SYSTEMD) {
		m->c->user = !m->host->privileged;
		m->c->shared = m->request->with_caller;
		around = scope_around(m);
		m->c->scope = around ? m->place.scope : NULL;
		if ((!around && start_scope(m, err) < 0) || make_scope_places(m, around, err) < 0)
			return -1;
	} else if (make_places(m, err) < 0) {
		return -1;
	}
	if (m->c->places.n == 0)
		return make_none(m, err);
	return apply_limits(m, err);
}

int cgroup_create(struct arena *arena, const struct cgroup_host *host, const struct cgroup_request *request,
		  struct cgroup *ret, struct strings *ret_warnings, struct error *err)
{
	struct strings warnings = { 0 };
	struct cgroup c = { 0 };
	struct making m = { .arena = arena, .host = host, .request = request, .warnings = &warnings, .c = &c };

	if (prepare(&m, err) < 0)
		return -1;
	if (make(&m, err) < 0) {
		cgroup_settle(&c);
		cgroup_remove(&c);
		return -1;
	}
	*ret = c;
	*ret_warnings = warnings;
	return 0;
}

#include "run/plan.h"

#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>

#include "run/seccomp_program.h"
#include "sys/ns.h"

struct op *plan_add(struct run_plan *plan, enum op_kind kind)
{
	struct op *op = ARRAY_ADD(plan->arena, &plan->ops);

	op->kind = kind;
	op->slot = -1;
	return op;
}

struct op *plan_add_slot(struct run_plan *plan, enum op_kind kind)
{
	struct op *op = plan_add(plan, kind);

	op->slot = (int)plan->slots_n++;
	return op;
}

static struct run_plan *plan_new(struct arena *arena)
{
	struct run_plan *plan = arena_new_one(arena, struct run_plan);

	plan->arena = arena;
	plan->pid_namespace = plan->user_namespace = plan->mount_namespace = plan->target_pidfd = -1;
	plan->cgroup_fd = plan->root_mount = plan->start_socket = plan->created_lock = plan->bypass_socket = -1;
	plan->hook_output[0] = plan->hook_output[1] = -1;
	return plan;
}

void plan_warn(struct run_plan *plan, const char *fmt, ...)
{
	va_list ap;

	if (!plan->warnings)
		return;
	va_start(ap, fmt);
	strings_add(plan->arena, plan->warnings, arena_vprintf(plan->arena, fmt, ap));
	va_end(ap);
}

/* --- around the mounts */

static char *root_path(struct run_plan *plan, const struct run_request *request)
{
	char *path = request->rootfs ? request->rootfs->path : request->spec->root->path;

	if (*path == '/' || !request->bundle)
		return path;
	return arena_printf(plan->arena, "%s/%s", request->bundle, path);
}

/* The root receives the host's later mounts only where that is asked for. */
static uint64_t root_propagation(const struct oci_linux *l)
{
	bool tree;

	return mount_options_propagation(l->rootfs_propagation ? l->rootfs_propagation : "", &tree) == MS_SLAVE ? MS_SLAVE :
	       MS_PRIVATE;
}

static void add_root(struct run_plan *plan, const struct run_request *request)
{
	const struct rootfs *r = request->rootfs;
	struct op *op;

	plan->rootfs = r;
	plan->root_mount = request->root_mount;
	if (r && r->kind == ROOTFS_OVERLAY) {
		plan_add_slot(plan, OP_ROOT_OVERLAY);
		return;
	}
	op = plan_add_slot(plan, OP_ROOT_BIND);
	op->source = root_path(plan, request);
	op->target = plan->mount_namespace >= 0 ? op->source : "/";
	op->mount.bind = op->mount.bind_tree = op->mount.propagation_tree = true;
	op->mount.propagation = root_propagation(request->spec->linux_);
}

bool plan_has_namespace(const struct oci_linux *l, const char *type)
{
	for (size_t i = 0; i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, type))
			return true;
	return false;
}

/* The host's names are not the container's to set. */
static int add_names(struct run_plan *plan, const struct oci_spec *spec, struct error *err)
{
	const struct { const char *name, *value; enum op_kind kind; } names[] = {
		{ "hostname", spec->hostname, OP_HOSTNAME }, { "domainname", spec->domainname, OP_DOMAINNAME },
	};

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		if (str_is_empty(names[i].value))
			continue;
		if (!plan_has_namespace(spec->linux_, "uts"))
			return error_set(err, ERROR_INVALID, ".%s: there is no uts namespace, so it would be the host's",
					 names[i].name);
		plan_add(plan, names[i].kind)->source = names[i].value;
	}
	return plan_add_sysctls(plan, spec->linux_, err);
}

static int add_paths(struct run_plan *plan, const struct strings *paths, enum op_kind kind, const char *name,
		     struct error *err)
{
	for (size_t i = 0; i < paths->n; i++) {
		if (paths->v[i][0] != '/')
			return error_set(err, ERROR_INVALID, ".linux.%s[%zu]: \"%s\" is not an absolute path", name, i,
					 paths->v[i]);
		plan_add(plan, kind)->target = paths->v[i];
	}
	return 0;
}

static int add_root_flags(struct run_plan *plan, const struct oci_spec *spec, struct error *err)
{
	const char *word = spec->linux_->rootfs_propagation;
	struct mount_options o = { 0 };

	if (spec->root->readonly)
		o.set = MOUNT_ATTR_RDONLY;
	if (!str_is_empty(word)) {
		o.propagation = mount_options_propagation(word, &o.propagation_tree);
		if (!o.propagation)
			return error_set(err, ERROR_INVALID, ".linux.rootfsPropagation: \"%s\" is none of shared, slave, "
					 "private, unbindable", word);
	}
	if (o.set || o.propagation)
		plan_add(plan, OP_ROOT_FLAGS)->mount = o;
	return 0;
}

static int add_oom_score(struct run_plan *plan, const struct oci_process *process, struct error *err)
{
	if (!process->oom_score_adj)
		return 0;
	if (*process->oom_score_adj < -1000 || *process->oom_score_adj > 1000)
		return error_set(err, ERROR_INVALID, "%s.oomScoreAdj: %lld is not between -1000 and 1000", plan->process_at,
				 (long long)*process->oom_score_adj);
	plan_add(plan, OP_OOM_SCORE)->value = (uint64_t)*process->oom_score_adj;
	return 0;
}

/* crun's annotation, which Podman writes. */
static bool keeps_groups(const struct oci_spec *spec)
{
	const char *value = map_get(&spec->annotations, "run.oci.keep_original_groups");

	return value && !str_eq(value, "0");
}

static int check_spec(const struct run_plan *plan, const struct run_request *request, struct error *err)
{
	const struct oci_spec *spec = request->spec;

	if (!spec->linux_)
		return error_set(err, ERROR_INVALID, ".linux: missing, and required");
	if (!spec->process)
		return error_set(err, ERROR_INVALID, ".process: missing, and required");
	if (!request->rootfs && (!spec->root || str_is_empty(spec->root->path)))
		return error_set(err, ERROR_INVALID, ".root.path: missing, and required");
	if (!spec->root)
		return error_set(err, ERROR_INVALID, ".root: missing, and required");
	if (request->rootfs && request->rootfs->kind == ROOTFS_OVERLAY && request->rootfs->lower.n == 0 &&
	    !request->rootfs->data)
		return error_set(err, ERROR_INVALID, "a root file system without layers");
	return plan_check_process(plan, spec->process, err);
}

static void add_moment(struct run_plan *plan, enum run_moment moment, bool wanted)
{
	if (wanted)
		plan_add(plan, OP_MOMENT)->flags = moment;
}

/* Before anything of the container is there: what needs the host's /proc, and what the caller does with a new process. */
static int add_birth(struct run_plan *plan, const struct run_request *request, struct error *err)
{
	const struct run_moments *moments = request->moments;
	const struct oci_spec *spec = request->spec;

	if (add_oom_score(plan, spec->process, err) < 0 || plan_add_namespaces(plan, spec->linux_, err) < 0)
		return -1;
	add_moment(plan, RUN_BORN, moments && moments->born);
	/* clone makes the cgroup namespace before it moves the child: then the root would be our own cgroup. */
	if ((plan->clone_flags & CLONE_NEWCGROUP) && (plan->cgroup_fd >= 0 || request->cgroup_later)) {
		plan->clone_flags &= ~(uint64_t)CLONE_NEWCGROUP;
		plan_add(plan, OP_CGROUP_NAMESPACE);
	}
	if (request->keyring)
		plan_add(plan, OP_KEYRING)->source = arena_printf(plan->arena, "_ses.%s", request->id);
	if (!str_is_empty(spec->process->selinux_label) || !str_is_empty(spec->process->apparmor_profile))
		plan_add(plan, OP_LABEL_OPEN);
	return 0;
}

/* A read-only tmpfs in which something has its place is read-only when that is there. */
static bool is_filled_later(const struct oci_spec *spec, const struct op *op)
{
	if (op->kind != OP_MOUNT || !str_eq(op->fstype, "tmpfs") || !(op->mount.set & MOUNT_ATTR_RDONLY))
		return false;
	if (str_eq(op->target, "/dev"))
		return true;
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const char *rest = str_after(spec->mounts.v[i].destination, op->target);

		if (rest && *rest == '/')
			return true;
	}
	return false;
}

static void add_late_flags(struct run_plan *plan, const struct oci_spec *spec)
{
	for (size_t i = 0, n = plan->ops.n; i < n; i++) {
		struct op *late;

		if (!is_filled_later(spec, &plan->ops.v[i]))
			continue;
		plan->ops.v[i].mount.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		late = plan_add(plan, OP_REMOUNT);
		late->target = plan->ops.v[i].target;
		late->mount.remount = true;
		late->mount.set = MOUNT_ATTR_RDONLY;
	}
}

static int add_mounts(struct run_plan *plan, const struct run_request *request, struct error *err)
{
	const struct oci_spec *spec = request->spec;

	if (plan->mount_namespace < 0)
		plan_add(plan, OP_PRIVATE);
	if (plan->clone_flags & CLONE_NEWNET)
		plan_add(plan, OP_LOOPBACK);
	add_root(plan, request);
	if (plan_add_mounts(plan, request, err) < 0 || plan_add_devices(plan, request, err) < 0)
		return -1;
	if (spec->process->terminal)
		plan_add(plan, OP_CONSOLE)->target = "/dev/console";
	add_late_flags(plan, spec);
	return 0;
}

static void add_pivot(struct run_plan *plan, bool no_pivot)
{
	plan_add(plan, OP_PIVOT)->flags = plan->mount_namespace >= 0 ? CHROOT_ONLY : no_pivot ? CHROOT_ELSE : 0;
}

static const struct oci_hooks *hooks_of(const struct oci_spec *spec)
{
	static const struct oci_hooks none;

	return spec->hooks ? spec->hooks : &none;
}

/* Everything up to the process itself, in the order of execution. */
static int add_container(struct run_plan *plan, const struct run_request *request, struct error *err)
{
	const struct oci_hooks *hooks = hooks_of(request->spec);
	const struct oci_linux *l = request->spec->linux_;

	if (add_birth(plan, request, err) < 0 || add_mounts(plan, request, err) < 0)
		return -1;
	add_moment(plan, RUN_MOUNTED, request->moments && request->moments->mounted);
	if (plan_add_hooks(plan, hooks->create_container.v, hooks->create_container.n, "createContainer", err) < 0)
		return -1;
	/* Before /proc/sys becomes read-only, and after the hooks that may have brought interfaces. */
	if (add_names(plan, request->spec, err) < 0 ||
	    add_paths(plan, &l->readonly_paths, OP_READONLY_PATH, "readonlyPaths", err) < 0 ||
	    add_paths(plan, &l->masked_paths, OP_MASK, "maskedPaths", err) < 0)
		return -1;
	if (!str_eq(request->spec->process->cwd, "/"))
		plan_add(plan, OP_MKDIR)->target = request->spec->process->cwd;
	add_pivot(plan, request->no_pivot);
	return add_root_flags(plan, request->spec, err);
}

static void take_request(struct run_plan *plan, const struct run_request *request)
{
	plan->cgroup_fd = request->cgroup_fd;
	memcpy(plan->stdio, request->stdio, sizeof(plan->stdio));
	plan->preserve_fds = request->preserve_fds;
	plan->preserve_fds_n = request->preserve_fds_n;
	plan->process.keep_groups = keeps_groups(request->spec);
	plan->process.terminal_text = request->terminal_text;
	plan->moments = request->moments;
	plan->warnings = request->warnings;
	plan->state_head = request->state_head;
	plan->state_tail = request->state_tail;
	if (request->hook_output)
		memcpy(plan->hook_output, request->hook_output, sizeof(plan->hook_output));
	plan->start_socket = request->start_socket ? *request->start_socket : -1;
	plan->created_lock = request->created_lock ? *request->created_lock : -1;
	plan->bypass_socket = request->bypass_socket ? *request->bypass_socket : -1;
	plan->bypass_published = request->bypass_published;
	plan->process_at = ".process";
	plan->process.none = request->no_command;
}

void run_plan_set_cgroup(struct run_plan *plan, int cgroup_fd)
{
	plan->cgroup_fd = cgroup_fd;
}

struct run_plan *run_plan_new(struct arena *arena, const struct run_request *request, struct error *err)
{
	struct run_plan *plan = plan_new(arena);

	take_request(plan, request);
	if (check_spec(plan, request, err) < 0 || add_container(plan, request, err) < 0 ||
	    seccomp_program_for_container(arena, request, &plan->process, err) < 0)
		return NULL;
	plan->process.reset_affinity = request->reset_affinity;
	if (plan_add_process(plan, request->spec, request->spec->process, err) < 0)
		return NULL;
	return plan;
}

/* --- exec */

/* The kinds that the container has of its own: only those can be joined, the others are ours already. */
static uint64_t target_namespaces(const struct oci_linux *l)
{
	uint64_t flags = 0;

	for (size_t i = 0; l && i < l->namespaces.n; i++)
		flags |= l->namespaces.v[i].type ? ns_flag(l->namespaces.v[i].type) : 0;
	return flags;
}

/* In a mount namespace of others the container's root is not the namespace's. */
static bool has_joined_mounts(const struct oci_linux *l)
{
	for (size_t i = 0; l && i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, "mount") && !str_is_empty(l->namespaces.v[i].path))
			return true;
	return false;
}

static void take_exec_request(struct run_plan *plan, const struct run_exec_request *request)
{
	plan->cgroup_fd = request->cgroup_fd;
	plan->target_pidfd = request->target_pidfd;
	plan->bypass_socket = request->bypass_socket ? *request->bypass_socket : -1;
	plan->bypass_published = request->bypass_published;
	memcpy(plan->stdio, request->stdio, sizeof(plan->stdio));
	plan->preserve_fds = request->preserve_fds;
	plan->preserve_fds_n = request->preserve_fds_n;
	plan->process.keep_groups = keeps_groups(request->spec);
	plan->process.terminal_text = request->terminal_text;
	plan->moments = request->moments;
	plan->warnings = request->warnings;
	plan->state_head = request->state_head;
	plan->state_tail = request->state_tail;
	plan->process_at = request->process_is_file ? "" : ".process";
}

static int add_target(struct run_plan *plan, const struct run_exec_request *request, struct error *err)
{
	const struct oci_process *p = request->process;
	struct op *op;

	if (add_oom_score(plan, p, err) < 0)
		return -1;
	add_moment(plan, RUN_BORN, request->moments && request->moments->born);
	if (!str_is_empty(p->selinux_label) || !str_is_empty(p->apparmor_profile))
		plan_add(plan, OP_LABEL_OPEN);
	op = plan_add(plan, OP_JOIN_TARGET);
	op->flags = target_namespaces(request->spec->linux_);
	if (has_joined_mounts(request->spec->linux_)) {
		op = plan_add_slot(plan, OP_CHROOT_TARGET);
		op->source = arena_printf(plan->arena, "/proc/%d/root", (int)request->target);
	}
	if (p->terminal)
		plan_add(plan, OP_CONSOLE)->target = "/dev/pts/ptmx";
	return 0;
}

struct run_plan *run_exec_plan_new(struct arena *arena, const struct run_exec_request *request, struct error *err)
{
	struct run_plan *plan = plan_new(arena);

	take_exec_request(plan, request);
	if (plan_check_process(plan, request->process, err) < 0 || add_target(plan, request, err) < 0 ||
	    seccomp_program_for_exec(arena, request, &plan->process, err) < 0 ||
	    plan_add_process(plan, request->spec, request->process, err) < 0)
		return NULL;
	return plan;
}

#include "run/plan.h"

#include <sched.h>
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
	plan->pid_namespace = plan->user_namespace = plan->target_pidfd = plan->cgroup_fd = -1;
	plan->root_mount = -1;
	return plan;
}

/* --- namespaces */

static int add_namespace(struct run_plan *plan, const struct oci_namespace *ns, struct error *err)
{
	uint64_t flag = ns->type ? ns_flag(ns->type) : 0;
	struct op *op;

	if (!flag)
		return error_set(err, ERROR_INVALID, "unknown namespace \"%s\"", ns->type ? ns->type : "");
	if (str_is_empty(ns->path)) {
		plan->clone_flags |= flag;
		return 0;
	}
	if (flag == CLONE_NEWNS)
		return error_set(err, ERROR_UNSUPPORTED, "a mount namespace by path");
	op = plan_add_slot(plan, OP_JOIN);
	op->source = ns->path;
	op->flags = flag;
	if (flag == CLONE_NEWPID)
		plan->pid_namespace = op->slot;
	if (flag == CLONE_NEWUSER)
		plan->user_namespace = op->slot;
	return 0;
}

static int add_namespaces(struct run_plan *plan, const struct oci_linux *l, struct error *err)
{
	for (size_t i = 0; i < l->namespaces.n; i++)
		if (add_namespace(plan, &l->namespaces.v[i], err) < 0)
			return -1;
	if (!(plan->clone_flags & CLONE_NEWNS))
		return error_set(err, ERROR_INVALID, "a container needs a mount namespace of its own");
	if ((plan->clone_flags & CLONE_NEWUSER) && plan->user_namespace >= 0)
		return error_set(err, ERROR_INVALID, "a user namespace both new and by path");
	/* clone makes the cgroup namespace before it moves the child: then the root would be our own cgroup. */
	if (plan->cgroup_fd >= 0 && (plan->clone_flags & CLONE_NEWCGROUP)) {
		plan->clone_flags &= ~(uint64_t)CLONE_NEWCGROUP;
		plan_add(plan, OP_CGROUP_NAMESPACE);
	}
	return 0;
}

static int add_map(struct run_plan *plan, struct id_map *map, const struct oci_id_mapping *v, size_t n,
		   struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].container_id > UINT32_MAX || v[i].host_id > UINT32_MAX || v[i].size > UINT32_MAX)
			return error_set(err, ERROR_INVALID, "an id map beyond 32 bits");
		idmap_add(plan->arena, map, (uint32_t)v[i].container_id, (uint32_t)v[i].host_id, (uint32_t)v[i].size);
	}
	return 0;
}

static int add_maps(struct run_plan *plan, const struct oci_linux *l, struct error *err)
{
	if (!(plan->clone_flags & CLONE_NEWUSER))
		return 0;
	if (l->uid_mappings.n == 0 || l->gid_mappings.n == 0)
		return error_set(err, ERROR_INVALID, "a new user namespace needs uidMappings and gidMappings");
	plan->own_user_namespace = true;
	if (add_map(plan, &plan->maps.uid, l->uid_mappings.v, l->uid_mappings.n, err) < 0)
		return -1;
	return add_map(plan, &plan->maps.gid, l->gid_mappings.v, l->gid_mappings.n, err);
}

/* --- around the mounts */

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
	op->source = r ? r->path : request->spec->root->path;
	op->target = "/";
	op->mount.bind = op->mount.bind_tree = true;
}

/* "net.ipv4.ip_forward" and "net/ipv4/ip_forward" both name net/ipv4/ip_forward; an interface's dots are written as
 * slashes in the first form (sysctl(8)). */
static char *sysctl_path(struct arena *arena, const char *key)
{
	char *path = arena_strdup(arena, key), first = path[strcspn(path, "./")];

	for (char *s = path; first == '.' && *s; s++)
		*s = *s == '.' ? '/' : *s == '/' ? '.' : *s;
	return path;
}

static int add_names(struct run_plan *plan, const struct oci_spec *spec, struct error *err)
{
	const struct oci_linux *l = spec->linux_;

	if (!str_is_empty(spec->hostname))
		plan_add(plan, OP_HOSTNAME)->source = spec->hostname;
	if (!str_is_empty(spec->domainname))
		plan_add(plan, OP_DOMAINNAME)->source = spec->domainname;
	for (size_t i = 0; i < l->sysctl.n; i++) {
		char *path = sysctl_path(plan->arena, l->sysctl.v[i].key);
		struct op *op;

		if (*path == '/' || strstr(path, "..") || !*path)
			return error_set(err, ERROR_INVALID, "sysctl \"%s\": not a name below /proc/sys",
					 l->sysctl.v[i].key);
		op = plan_add(plan, OP_SYSCTL);
		op->source = path;
		op->fstype = l->sysctl.v[i].value;
	}
	return 0;
}

static void add_paths(struct run_plan *plan, const struct strings *paths, enum op_kind kind)
{
	for (size_t i = 0; i < paths->n; i++)
		plan_add(plan, kind)->target = paths->v[i];
}

static int add_root_flags(struct run_plan *plan, const struct oci_spec *spec, struct error *err)
{
	const char *propagation = spec->linux_->rootfs_propagation;
	struct op *op;
	bool tree = false;

	if (!spec->root->readonly && str_is_empty(propagation))
		return 0;
	op = plan_add(plan, OP_ROOT_FLAGS);
	if (spec->root->readonly)
		op->mount.set = MOUNT_ATTR_RDONLY;
	if (!str_is_empty(propagation)) {
		op->mount.propagation = mount_options_propagation(propagation, &tree);
		if (!op->mount.propagation)
			return error_set(err, ERROR_INVALID, "rootfsPropagation \"%s\" is no propagation", propagation);
	}
	return 0;
}

static void add_oom_score(struct run_plan *plan, const struct oci_process *process)
{
	if (process->oom_score_adj)
		plan_add(plan, OP_OOM_SCORE)->value = (uint64_t)*process->oom_score_adj;
}

/* crun's annotation, which Podman writes. */
static bool keeps_groups(const struct oci_spec *spec)
{
	const char *value = map_get(&spec->annotations, "run.oci.keep_original_groups");

	return value && !str_eq(value, "0");
}

static int check_spec(const struct run_request *request, struct error *err)
{
	const struct oci_spec *spec = request->spec;

	if (!spec->linux_)
		return error_set(err, ERROR_INVALID, "the container's configuration has no linux section");
	if (!spec->process)
		return error_set(err, ERROR_INVALID, "the container's configuration has no process");
	if (!spec->root || (!request->rootfs && str_is_empty(spec->root->path)))
		return error_set(err, ERROR_INVALID, "the container's configuration has no root file system");
	if (request->rootfs && request->rootfs->kind == ROOTFS_OVERLAY && request->rootfs->lower.n == 0)
		return error_set(err, ERROR_INVALID, "a root file system without layers");
	return plan_check_process(spec->process, err);
}

/* Everything up to the process itself, in the order of execution. */
static int add_container(struct run_plan *plan, const struct run_request *request, struct error *err)
{
	const struct oci_spec *spec = request->spec;

	add_oom_score(plan, spec->process);
	if (add_namespaces(plan, spec->linux_, err) < 0 || add_maps(plan, spec->linux_, err) < 0)
		return -1;
	plan_add(plan, OP_PRIVATE);
	if (plan->clone_flags & CLONE_NEWNET)
		plan_add(plan, OP_LOOPBACK);
	add_root(plan, request);
	if (plan_add_mounts(plan, spec, err) < 0 || plan_add_devices(plan, spec, err) < 0)
		return -1;
	if (spec->process->terminal)
		plan_add(plan, OP_CONSOLE)->target = "/dev/console";
	/* Before /proc/sys becomes read-only. */
	if (add_names(plan, spec, err) < 0)
		return -1;
	add_paths(plan, &spec->linux_->readonly_paths, OP_READONLY_PATH);
	add_paths(plan, &spec->linux_->masked_paths, OP_MASK);
	if (!str_eq(spec->process->cwd, "/"))
		plan_add(plan, OP_MKDIR)->target = spec->process->cwd;
	if (add_root_flags(plan, spec, err) < 0)
		return -1;
	plan_add(plan, OP_PIVOT);
	return 0;
}

struct run_plan *run_plan_new(struct arena *arena, const struct run_request *request, struct error *err)
{
	struct run_plan *plan = plan_new(arena);

	if (check_spec(request, err) < 0)
		return NULL;
	plan->cgroup_fd = request->cgroup_fd;
	memcpy(plan->stdio, request->stdio, sizeof(plan->stdio));
	plan->preserve_fds = request->preserve_fds;
	plan->preserve_fds_n = request->preserve_fds_n;
	plan->process.keep_groups = keeps_groups(request->spec);
	if (add_container(plan, request, err) < 0 ||
	    seccomp_program_for_container(arena, request, &plan->process, err) < 0 ||
	    plan_add_process(plan, request->spec->process, err) < 0)
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

struct run_plan *run_exec_plan_new(struct arena *arena, const struct run_exec_request *request, struct error *err)
{
	struct run_plan *plan = plan_new(arena);
	struct op *op;

	if (plan_check_process(request->process, err) < 0)
		return NULL;
	plan->cgroup_fd = request->cgroup_fd;
	plan->target_pidfd = request->target_pidfd;
	memcpy(plan->stdio, request->stdio, sizeof(plan->stdio));
	plan->preserve_fds = request->preserve_fds;
	plan->preserve_fds_n = request->preserve_fds_n;
	plan->process.keep_groups = keeps_groups(request->spec);
	add_oom_score(plan, request->process);
	op = plan_add(plan, OP_JOIN_TARGET);
	op->flags = target_namespaces(request->spec->linux_);
	if (request->process->terminal)
		plan_add(plan, OP_CONSOLE)->target = "/dev/pts/ptmx";
	if (seccomp_program_for_exec(arena, request, &plan->process, err) < 0 ||
	    plan_add_process(plan, request->process, err) < 0)
		return NULL;
	return plan;
}

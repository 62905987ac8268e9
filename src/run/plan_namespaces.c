#include "run/plan.h"

#include <sched.h>
#include <time.h>

#include "sys/ns.h"

static int join(struct run_plan *plan, uint64_t flag, const char *path, size_t i, struct error *err)
{
	struct op *op;

	if (*path != '/')
		return error_set(err, ERROR_INVALID, ".linux.namespaces[%zu].path: \"%s\" is not an absolute path", i, path);
	op = plan_add_slot(plan, OP_JOIN);
	op->source = path;
	op->flags = flag;
	if (flag == CLONE_NEWPID)
		plan->pid_namespace = op->slot;
	if (flag == CLONE_NEWUSER)
		plan->user_namespace = op->slot;
	if (flag == CLONE_NEWNS)
		plan->mount_namespace = op->slot;
	return 0;
}

/* The kinds seen so far are in *seen. */
static int add_namespace(struct run_plan *plan, const struct oci_namespace *ns, size_t i, uint64_t *seen,
			 struct error *err)
{
	uint64_t flag = ns->type ? ns_flag(ns->type) : 0;

	if (!flag)
		return error_set(err, ERROR_INVALID, ".linux.namespaces[%zu].type: unknown namespace \"%s\"", i,
				 ns->type ? ns->type : "");
	if (*seen & flag)
		return error_set(err, ERROR_INVALID, ".linux.namespaces[%zu].type: a second \"%s\"", i, ns->type);
	*seen |= flag;
	if (!str_is_empty(ns->path))
		return join(plan, flag, ns->path, i, err);
	plan->clone_flags |= flag;
	return 0;
}

/* --- maps of a new user namespace */

static int add_map(struct run_plan *plan, struct id_map *map, const struct oci_id_mapping *v, size_t n, const char *name,
		   struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].size == 0 || v[i].container_id + v[i].size > UINT32_MAX || v[i].host_id + v[i].size > UINT32_MAX ||
		    v[i].size > UINT32_MAX)
			return error_set(err, ERROR_INVALID, ".linux.%s[%zu]: %s", name, i,
					 v[i].size ? "ids beyond 32 bits" : "a size of 0");
		idmap_add(plan->arena, map, (uint32_t)v[i].container_id, (uint32_t)v[i].host_id, (uint32_t)v[i].size);
	}
	return 0;
}

static int add_maps(struct run_plan *plan, const struct oci_linux *l, struct error *err)
{
	if (!(plan->clone_flags & CLONE_NEWUSER)) {
		if ((l->uid_mappings.n || l->gid_mappings.n) && plan->user_namespace < 0)
			return error_set(err, ERROR_INVALID, ".linux.%s: there is no new user namespace to be mapped",
					 l->uid_mappings.n ? "uidMappings" : "gidMappings");
		return 0;
	}
	if (l->uid_mappings.n == 0 || l->gid_mappings.n == 0)
		return error_set(err, ERROR_INVALID, ".linux.%s: missing, and a new user namespace needs it",
				 l->uid_mappings.n ? "gidMappings" : "uidMappings");
	plan->own_user_namespace = true;
	if (add_map(plan, &plan->maps.uid, l->uid_mappings.v, l->uid_mappings.n, "uidMappings", err) < 0)
		return -1;
	return add_map(plan, &plan->maps.gid, l->gid_mappings.v, l->gid_mappings.n, "gidMappings", err);
}

/* --- time */

static int add_time_offset(struct run_plan *plan, const struct oci_time_offset *o, struct error *err)
{
	if (!str_eq(o->clock, "monotonic") && !str_eq(o->clock, "boottime"))
		return error_set(err, ERROR_INVALID, ".linux.timeOffsets: \"%s\" is no clock that can be moved: monotonic and "
				 "boottime are", o->clock);
	if (o->nanosecs >= 1000000000)
		return error_set(err, ERROR_INVALID, ".linux.timeOffsets.%s.nanosecs: a second or more", o->clock);
	plan->time_offsets = arena_printf(plan->arena, "%s%s %lld %llu\n", plan->time_offsets ? plan->time_offsets : "",
					  o->clock, (long long)o->secs, (unsigned long long)o->nanosecs);
	return 0;
}

/* Offsets must be there before the first process: then the namespace is not made by clone, but by a helper. */
static int add_time_offsets(struct run_plan *plan, const struct oci_linux *l, struct error *err)
{
	if (l->time_offsets.n && !(plan->clone_flags & CLONE_NEWTIME))
		return error_set(err, ERROR_INVALID, ".linux.timeOffsets: there is no new time namespace");
	for (size_t i = 0; i < l->time_offsets.n; i++)
		if (add_time_offset(plan, &l->time_offsets.v[i], err) < 0)
			return -1;
	if (plan->time_offsets)
		plan->clone_flags &= ~(uint64_t)CLONE_NEWTIME;
	return 0;
}

int plan_add_namespaces(struct run_plan *plan, const struct oci_linux *l, struct error *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < l->namespaces.n; i++)
		if (add_namespace(plan, &l->namespaces.v[i], i, &seen, err) < 0)
			return -1;
	if (!(seen & CLONE_NEWNS))
		return error_set(err, ERROR_INVALID, ".linux.namespaces: there is none of type \"mount\": the container's "
				 "mounts would be the host's");
	plan->cgroup_namespace = plan->clone_flags & CLONE_NEWCGROUP;
	if (add_maps(plan, l, err) < 0)
		return -1;
	return add_time_offsets(plan, l, err);
}

#include "run/plan.h"

#include <string.h>
#include <sys/mount.h>

#include "sys/lsm.h"

/* What the functions below work on: one mount and where it stands. */
struct mount_entry {
	const struct run_request *request;
	const struct oci_mount *m;
	size_t i;
	struct mount_options options;
};

static int wrong(const struct mount_entry *e, const char *member, const char *what, struct error *err)
{
	return error_set(err, ERROR_INVALID, ".mounts[%zu].%s: %s", e->i, member, what);
}

static bool is_bind(const struct oci_mount *m, const struct mount_options *o)
{
	return o->bind || str_eq(m->type, "bind") || str_eq(m->type, "rbind");
}

/* --- maps of ids: for the mount alone */

static int add_extents(struct run_plan *plan, struct id_map *map, const struct oci_id_mapping *v, size_t n,
		       const struct mount_entry *e, const char *member, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].size == 0 || v[i].size > UINT32_MAX || v[i].container_id + v[i].size > UINT32_MAX ||
		    v[i].host_id + v[i].size > UINT32_MAX)
			return error_set(err, ERROR_INVALID, ".mounts[%zu].%s[%zu]: ids beyond 32 bits, or none", e->i, member, i);
		idmap_add(plan->arena, map, (uint32_t)v[i].container_id, (uint32_t)v[i].host_id, (uint32_t)v[i].size);
	}
	return 0;
}

/* "0-1-10#10-11-10": first id of the file system, first id to be seen, count. "@" in front: the second is an id of the
 * container's user namespace. */
static int parse_triplets(struct run_plan *plan, const char *text, const struct id_map *container, struct id_map *map)
{
	bool relative = *text == '@';
	struct strings parts = strings_split(plan->arena, text + relative, "#");

	for (size_t i = 0; i < parts.n; i++) {
		struct strings numbers = strings_split(plan->arena, parts.v[i], "-");
		unsigned n[3];

		if (numbers.n != 3 || str_to_u32(numbers.v[0], &n[0]) < 0 || str_to_u32(numbers.v[1], &n[1]) < 0 ||
		    str_to_u32(numbers.v[2], &n[2]) < 0 || n[2] == 0)
			return -1;
		if (relative && container->n)
			n[1] = idmap_to_outside(container, n[1]);
		if (n[1] == ID_NONE)
			return -1;
		idmap_add(plan->arena, map, n[0], n[1], n[2]);
	}
	return 0;
}

static int parse_idmap_text(struct run_plan *plan, const char *text, struct id_maps *maps)
{
	struct strings parts = strings_split(plan->arena, text, ";");

	for (size_t i = 0; i < parts.n; i++) {
		const char *uids = str_after(parts.v[i], "uids="), *gids = str_after(parts.v[i], "gids=");

		if (!uids && !gids)
			return -1;
		if (parse_triplets(plan, uids ? uids : gids, uids ? &plan->maps.uid : &plan->maps.gid,
				   uids ? &maps->uid : &maps->gid) < 0)
			return -1;
	}
	return maps->uid.n && maps->gid.n ? 0 : -1;
}

static int own_maps(struct run_plan *plan, const struct mount_entry *e, struct id_maps *maps, struct error *err)
{
	const struct oci_mount *m = e->m;

	if (e->options.idmap_text)
		return parse_idmap_text(plan, e->options.idmap_text, maps) < 0 ?
		       wrong(e, "options", "idmap= needs uids=A-B-COUNT[#...];gids=A-B-COUNT[#...]", err) : 0;
	if (!m->uid_mappings.n || !m->gid_mappings.n)
		return wrong(e, m->uid_mappings.n ? "gidMappings" : "uidMappings", "missing: both are needed or none", err);
	if (add_extents(plan, &maps->uid, m->uid_mappings.v, m->uid_mappings.n, e, "uidMappings", err) < 0)
		return -1;
	return add_extents(plan, &maps->gid, m->gid_mappings.v, m->gid_mappings.n, e, "gidMappings", err);
}

/* The maps that the mount is to show, NULL where it shows ids as they are. */
static int choose_maps(struct run_plan *plan, const struct mount_entry *e, const struct id_maps **ret, struct error *err)
{
	bool own = e->options.idmap_text || e->m->uid_mappings.n || e->m->gid_mappings.n;
	struct id_maps *maps;

	*ret = NULL;
	if (!own && !e->options.idmap)
		return 0;
	if (!is_bind(e->m, &e->options))
		return wrong(e, "options", "only bind mounts can map ids", err);
	if (!own && plan->own_user_namespace) {
		*ret = &plan->maps;
		return 0;
	}
	if (!own)
		return wrong(e, "options", "idmap without a mapping, and the container has no user namespace of its own", err);
	maps = arena_new_one(plan->arena, struct id_maps);
	*ret = maps;
	return own_maps(plan, e, maps, err);
}

/* --- kinds of mounts */

static int add_bind(struct run_plan *plan, struct mount_entry *e, struct error *err)
{
	struct mount_options *o = &e->options;
	const struct oci_mount *m = e->m;
	struct op *op;

	if (str_is_empty(m->source))
		return wrong(e, "source", "missing, and a bind mount needs it", err);
	op = plan_add_slot(plan, OP_BIND);
	o->bind = true;
	o->bind_tree |= str_eq(m->type, "rbind");
	/* Nothing leaves or enters a volume unless that is asked for. */
	if (!o->propagation) {
		o->propagation = MS_PRIVATE;
		o->propagation_tree = true;
	}
	op->source = m->source;
	op->ready = m->ready;
	if (*m->source != '/' && e->request->bundle)
		op->source = arena_printf(plan->arena, "%s/%s", e->request->bundle, m->source);
	return choose_maps(plan, e, &op->maps, err);
}

/* SELinux' label of the tree, for file systems that keep none of their own: as an option, or set on the root later. */
static int add_label(struct run_plan *plan, const struct mount_entry *e, struct mount_options *o, const char **ret_label,
		     struct error *err)
{
	const struct oci_spec *spec = e->request->spec;
	const char *label = spec->linux_->mount_label, *kind = map_get(&spec->annotations, "run.oci.mount_context_type");
	enum lsm_mount way = lsm_mount_way(e->m->type, !plan->own_user_namespace && lsm_is_initial());
	char *option;

	if (way == LSM_MOUNT_ROOT)
		*ret_label = label;
	if (way != LSM_MOUNT_OPTION)
		return 0;
	option = lsm_mount_option(plan->arena, label, kind);
	if (!option)
		return error_set(err, ERROR_INVALID, ".annotations[\"run.oci.mount_context_type\"]: \"%s\" is none of context, "
				 "fscontext, defcontext and rootcontext", kind);
	strings_add(plan->arena, &o->data, option);
	return 0;
}

/* crun's annotation: for systemds in containers that know no cgroup v2. */
static bool is_systemds_v1(const struct oci_spec *spec, const struct oci_mount *m)
{
	return str_eq(map_get(&spec->annotations, "run.oci.systemd.force_cgroup_v1"), m->destination) &&
	       (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2"));
}

static int add_new(struct run_plan *plan, struct mount_entry *e, struct error *err)
{
	const struct run_request *r = e->request;
	const struct oci_mount *m = e->m;
	const char *label = NULL;
	const struct id_maps *maps;
	struct op *op;

	if (str_is_empty(m->type))
		return wrong(e, "type", "missing, and this is no bind mount", err);
	if (choose_maps(plan, e, &maps, err) < 0)
		return -1;
	if (!str_is_empty(r->spec->linux_->mount_label) && add_label(plan, e, &e->options, &label, err) < 0)
		return -1;
	if (str_eq(m->type, "cgroup") && r->cgroup_v1) {
		op = plan_add(plan, OP_CGROUP_V1);
		op->hierarchies = r->cgroup_v1;
		return 0;
	}
	op = plan_add(plan, OP_MOUNT);
	op->source = m->source;
	/* One hierarchy for all: what older configurations call cgroup is cgroup2 here. */
	op->fstype = str_eq(m->type, "cgroup") ? "cgroup2" : m->type;
	op->label = label;
	if (is_systemds_v1(r->spec, m)) {
		op->fstype = "cgroup";
		e->options.data = strings_split(plan->arena, "none,name=systemd,xattr", ",");
	}
	return 0;
}

static int add_mount(struct run_plan *plan, struct mount_entry *e, struct error *err)
{
	const struct oci_mount *m = e->m;
	int result;

	if (str_is_empty(m->destination))
		return wrong(e, "destination", "empty", err);
	mount_options_parse(plan->arena, &m->options, &e->options);
	if (e->options.remount)
		result = plan_add(plan, OP_REMOUNT) ? 0 : -1;
	else if (is_bind(m, &e->options))
		result = add_bind(plan, e, err);
	else
		result = add_new(plan, e, err);
	if (result < 0)
		return -1;
	plan->ops.v[plan->ops.n - 1].target = m->destination;
	plan->ops.v[plan->ops.n - 1].mount = e->options;
	return 0;
}

int plan_add_mounts(struct run_plan *plan, const struct run_request *request, struct error *err)
{
	for (size_t i = 0; i < request->spec->mounts.n; i++) {
		struct mount_entry e = { .request = request, .m = &request->spec->mounts.v[i], .i = i };

		if (add_mount(plan, &e, err) < 0)
			return -1;
	}
	return 0;
}

#include "engine/oci_config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/environment.h"
#include "engine/limits.h"
#include "engine/mounts.h"
#include "engine/oci_mounts.h"
#include "engine/ping_groups.h"
#include "engine/state.h"
#include "run/run.h"

static uint64_t *new_u64(struct engine *e, uint64_t n)
{
	return arena_memdup(e->arena, &n, sizeof(n));
}

/* --- the process */
static void add_environment(struct engine *e, const struct oci_inputs *in, struct oci_process *p)
{
	const struct container *c = in->c;

	strings_add_all(e->arena, &p->env, &c->env);
	if (c->request.tty && !environment_get(&p->env, "TERM"))
		environment_set(e->arena, &p->env, "TERM", "xterm");
	if (!environment_get(&p->env, "HOSTNAME"))
		environment_set(e->arena, &p->env, "HOSTNAME", c->hostname);
	if (!environment_get(&p->env, "HOME"))
		environment_set(e->arena, &p->env, "HOME", in->user->home);
}

/* A user other than root keeps only what was asked for by name, and then as ambient capabilities. */
int oci_config_capabilities(struct arena *arena, const struct create_request *r, uint32_t uid, struct oci_capabilities *ret,
			    struct error *err)
{
	*ret = (struct oci_capabilities){ 0 };
	if (run_capabilities(arena, &r->cap_add, &r->cap_drop, r->privileged, &ret->bounding, err) < 0)
		return -1;
	if (uid == 0) {
		ret->effective = ret->permitted = ret->bounding;
	} else if (r->cap_add.n) {
		struct strings all = { 0 }, granted = { 0 };

		strings_add(arena, &all, "ALL");
		if (run_capabilities(arena, &r->cap_add, &all, false, &granted, err) < 0)
			return -1;
		ret->effective = ret->permitted = ret->inheritable = ret->ambient = granted;
	}
	return 0;
}

static int add_process(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec, struct error *err)
{
	const struct create_request *r = &in->c->request;
	struct oci_process *p = spec->process = arena_new_one(e->arena, struct oci_process);

	p->terminal = r->tty;
	p->args = in->c->args;
	if (r->init) {
		struct strings with_init = { 0 };

		strings_add(e->arena, &with_init, OCI_INIT_PATH);
		strings_add(e->arena, &with_init, "--");
		strings_add_all(e->arena, &with_init, &in->c->args);
		p->args = with_init;
	}
	p->cwd = in->c->workdir;
	p->user.uid = in->user->uid;
	p->user.gid = in->user->gid;
	for (size_t i = 0; i < in->user->groups.n; i++)
		*ARRAY_ADD(e->arena, &p->user.additional_gids) = in->user->groups.v[i];
	p->user.umask = new_u64(e, r->umask ? strtoul(r->umask, NULL, 8) & 0777 : 0022);
	p->no_new_privileges = in->security->no_new_privileges;
	p->apparmor_profile = in->security->apparmor;
	p->selinux_label = in->c->process_label;
	if (r->oom_score_adj) {
		long long n;

		if (str_to_i64(r->oom_score_adj, &n) < 0 || n < -1000 || n > 1000)
			return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --oom-score-adj: -1000 to 1000", r->oom_score_adj);
		p->oom_score_adj = arena_memdup(e->arena, &(int64_t){ n }, sizeof(int64_t));
	}
	add_environment(e, in, p);
	p->capabilities = arena_new_one(e->arena, struct oci_capabilities);
	return limits_ulimits(e->arena, r, p, err) < 0 ? -1 :
	       oci_config_capabilities(e->arena, r, in->user->uid, p->capabilities, err);
}

/* --- namespaces */
static void add_namespace(struct engine *e, struct oci_linux *l, const char *type, char *path)
{
	struct oci_namespace *ns = ARRAY_ADD(e->arena, &l->namespaces);

	ns->type = (char *)type;
	ns->path = path;
}

/* "private" or unset, "host", "container:ID", "ns:PATH". */
static int choose_namespace(struct engine *e, struct oci_linux *l, const char *type, const char *proc_name,
			    const char *mode, struct error *err)
{
	const char *target;

	if (str_is_empty(mode) || strcmp(mode, "private") == 0 || strcmp(mode, "shareable") == 0 ||
	    (strcmp(type, "ipc") == 0 && strcmp(mode, "none") == 0)) {
		add_namespace(e, l, type, NULL);
		return 0;
	}
	if (strcmp(mode, "host") == 0)
		return 0;
	if ((target = str_after(mode, "ns:"))) {
		add_namespace(e, l, type, arena_strdup(e->arena, target));
		return 0;
	}
	if ((target = str_after(mode, "container:"))) {
		struct container other;
		struct container_state state;

		if (container_load(e, target, &other, err) < 0 || container_load_state(e, &other, &state, err) < 0 ||
		    state_need_running(&other, &state, "join a namespace of", err) < 0)
			return error_frame(err, "--%s %s", type, mode);
		add_namespace(e, l, type, arena_printf(e->arena, "/proc/%lld/ns/%s", (long long)state.pid, proc_name));
		return 0;
	}
	return error_set(err, ERROR_USAGE, "--%s %s: it must be private, host, container:NAME or ns:PATH", type, mode);
}

static bool has_own_uts(const struct create_request *r)
{
	return str_is_empty(r->uts) || strcmp(r->uts, "private") == 0;
}

/* The /proc of processes that belong to another user namespace cannot be mounted in a new one. */
static int check_pid_owner(const struct oci_inputs *in, struct error *err)
{
	const char *pid = in->c->request.pid, *name = pid ? str_after(pid, "container:") : NULL;

	if (!in->maps->uid.n || in->userns_path || !pid || (!name && !str_starts(pid, "ns:")))
		return 0;
	error_set(err, ERROR_USAGE, "--pid %s: these processes belong to another user namespace than the container gets, where their /proc "
		  "cannot be mounted", pid);
	return error_hint(err, name ? "join its user namespace too: --userns container:%s" :
			  "join the user namespace too, or leave out --userns: %s", name ? name : "--userns ns:PATH");
}

static int add_namespaces(struct engine *e, const struct oci_inputs *in, struct oci_linux *l, struct error *err)
{
	const struct create_request *r = &in->c->request;

	add_namespace(e, l, "mount", NULL);
	if (check_pid_owner(in, err) < 0)
		return -1;
	if (choose_namespace(e, l, "pid", "pid", r->pid, err) < 0 || choose_namespace(e, l, "ipc", "ipc", r->ipc, err) < 0 ||
	    choose_namespace(e, l, "uts", "uts", r->uts, err) < 0)
		return -1;
	if (e->cgroup.unified && choose_namespace(e, l, "cgroup", "cgroup", r->cgroupns, err) < 0)
		return -1;
	if (in->netns_path)
		add_namespace(e, l, "network", (char *)in->netns_path);
	else if (in->net->mode != NET_HOST)
		add_namespace(e, l, "network", NULL);
	return 0;
}

static void add_id_maps(struct engine *e, const struct oci_inputs *in, struct oci_linux *l)
{
	const struct id_maps *maps = in->maps;

	if (maps->uid.n)
		add_namespace(e, l, "user", (char *)in->userns_path);
	if (in->userns_path)
		return;
	for (size_t i = 0; i < maps->uid.n; i++)
		*ARRAY_ADD(e->arena, &l->uid_mappings) = (struct oci_id_mapping){ maps->uid.v[i].inside, maps->uid.v[i].outside,
										  maps->uid.v[i].count };
	for (size_t i = 0; i < maps->gid.n; i++)
		*ARRAY_ADD(e->arena, &l->gid_mappings) = (struct oci_id_mapping){ maps->gid.v[i].inside, maps->gid.v[i].outside,
										  maps->gid.v[i].count };
}

/* --- security */
static void add_paths(struct engine *e, const char *const *paths, const struct security *security, struct strings *ret)
{
	for (; *paths; paths++)
		if (!strings_has(&security->unmask, *paths) && !(security->label.nested && strcmp(*paths, SELINUX_PATH) == 0))
			strings_add(e->arena, ret, *paths);
}

static int add_sysctls(struct engine *e, const struct oci_inputs *in, struct oci_linux *l, struct error *err)
{
	const struct create_request *r = &in->c->request;

	if (in->net->mode != NET_HOST && !in->netns_path)
		map_set(e->arena, &l->sysctl, "net.ipv4.ping_group_range",
			ping_groups(e->arena, &in->maps->gid, &e->identity.maps.gid));
	/* A bridge and what lies behind it loses nothing. A control that paces, as the host's may do, halves what can be sent. */
	if (in->net->mode == NET_BRIDGE && !in->netns_path)
		map_set(e->arena, &l->sysctl, "net.ipv4.tcp_congestion_control", "reno");
	for (size_t i = 0; i < r->sysctl.n; i++) {
		const char *value = strchr(r->sysctl.v[i], '=');

		if (!value)
			return error_set(err, ERROR_USAGE, "sysctl \"%s\": it must be KEY=VALUE", r->sysctl.v[i]);
		map_set(e->arena, &l->sysctl, arena_strndup(e->arena, r->sysctl.v[i], (size_t)(value - r->sysctl.v[i])), value + 1);
	}
	return 0;
}

/* Beside or below what --cgroup-parent names: a path, for systemd a slice. */
static char *cgroup_path(struct engine *e, const struct container *c)
{
	const char *parent = c->request.cgroup_parent ? c->request.cgroup_parent : "";

	if (e->cgroup.manager == CGROUP_SYSTEMD)
		return arena_printf(e->arena, "%s:bryo:%s", parent, c->id);
	return arena_printf(e->arena, "%s%sbryo-%s", parent, *parent ? "/" : "", c->id);
}

/* Nobody asks for a fork bomb. A cgroup that its processes would have to leave first is not touched for this. */
static void limit_processes(struct engine *e, const struct create_request *r, struct oci_resources *ret)
{
	static int64_t usual = 2048;

	if (r->pids_limit || !strings_has(&e->cgroup.controllers, "pids") ||
	    (e->cgroup.manager != CGROUP_SYSTEMD && !e->cgroup.v1))
		return;
	ret->pids = arena_new_one(e->arena, struct oci_pids);
	ret->pids->limit = &usual;
}

struct oci_spec *oci_config(struct engine *e, const struct oci_inputs *in, struct error *err)
{
	struct oci_spec *spec = arena_new_one(e->arena, struct oci_spec);
	struct oci_linux *l = spec->linux_ = arena_new_one(e->arena, struct oci_linux);
	const struct create_request *r = &in->c->request;

	spec->oci_version = "1.2.0";
	spec->root = arena_new_one(e->arena, struct oci_root);
	spec->root->readonly = r->read_only;
	if (has_own_uts(r)) {		/* else it would be another container's name that changes */
		spec->hostname = in->c->hostname;
		spec->domainname = r->domainname;
	}
	spec->annotations = in->c->annotations;
	map_set(e->arena, &spec->annotations, "org.opencontainers.image.stopSignal", in->c->stop_signal);
	if (r->group_add.n == 1 && strcmp(r->group_add.v[0], "keep-groups") == 0)
		map_set(e->arena, &spec->annotations, "run.oci.keep_original_groups", "1");
	if (add_process(e, in, spec, err) < 0 || add_namespaces(e, in, l, err) < 0 || add_sysctls(e, in, l, err) < 0)
		return NULL;
	add_id_maps(e, in, l);
	l->mount_label = in->c->mount_label;
	l->cgroups_path = cgroup_path(e, in->c);
	l->resources = arena_new_one(e->arena, struct oci_resources);
	if (limits_resources(e->arena, r, l->resources, err) < 0)
		return NULL;
	limit_processes(e, r, l->resources);
	if (!in->security->unmask_all) {
		add_paths(e, run_masked_paths, in->security, &l->masked_paths);
		add_paths(e, run_readonly_paths, in->security, &l->readonly_paths);
	}
	strings_add_all(e->arena, &l->masked_paths, &in->security->mask);
	return oci_mounts(e, in, spec, err) < 0 ? NULL : spec;
}

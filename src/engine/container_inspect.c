/* container_inspect: Podman's `inspect` object of a container, with Docker's fields that clients read */
#include <stdlib.h>

#include "base/units.h"
#include "engine/inspect.h"
#include "engine/inspect_network.h"
#include "engine/security.h"
#include "engine/state.h"
#include "engine/usage.h"
#include "run/run.h"
#include "store/store.h"

#define SET(name, value) json_set(a, j, name, value)
#define TEXT(s) json_new_string(a, (s) ? (s) : "")
#define INT(n) json_new_int(a, (int64_t)(n))
#define BOOL(b) json_new_bool(a, (b))

static struct json *time_of(struct arena *a, int64_t ns)
{
	return json_new_string(a, ns ? units_format_time(a, ns) : "0001-01-01T00:00:00Z");
}

static struct json *state_json(struct arena *a, const struct container_state *s)
{
	struct json *j = json_new_object(a);
	bool live = state_is_live(s);

	SET("OciVersion", TEXT("1.2.0"));
	SET("Status", TEXT(container_status_name(s->status)));
	SET("Running", BOOL(live));
	SET("Paused", BOOL(s->status == CONTAINER_PAUSED));
	SET("Restarting", BOOL(s->status == CONTAINER_RESTARTING));
	SET("OOMKilled", BOOL(s->oom_killed));
	SET("Dead", BOOL(false));
	SET("Pid", INT(live ? s->pid : 0));
	SET("ConmonPid", INT(live ? s->monitor_pid : 0));
	SET("ExitCode", INT(s->exit_code));
	SET("Error", TEXT(s->error));
	SET("Health", json_new_null(a));
	SET("StartedAt", time_of(a, s->started_ns));
	SET("FinishedAt", time_of(a, s->finished_ns));
	SET("CgroupPath", TEXT(s->cgroup ? s->cgroup->path : NULL));
	return j;
}

/* What was put before the command; args is the whole. */
static struct strings entrypoint_of(const struct container *c)
{
	struct strings all = c->args;

	if (!c->request.entrypoint)
		return c->image.entrypoint;
	all.n -= c->request.command.n < all.n ? c->request.command.n : all.n;
	return all;
}

static struct json *config_json(struct arena *a, const struct container *c)
{
	struct json *j = json_new_object(a), *ports = json_new_object(a);
	const struct create_request *r = &c->request;
	struct strings entrypoint = entrypoint_of(c);

	for (size_t i = 0; i < c->image.exposed_ports.n; i++)
		json_set(a, ports, c->image.exposed_ports.v[i], json_new_object(a));
	SET("Hostname", TEXT(c->hostname));
	SET("Domainname", TEXT(r->domainname));
	SET("User", TEXT(r->user ? r->user : c->image.user));
	SET("AttachStdin", BOOL(r->interactive && !r->detach));
	SET("AttachStdout", BOOL(!r->detach));
	SET("AttachStderr", BOOL(!r->detach));
	SET("Tty", BOOL(r->tty));
	SET("OpenStdin", BOOL(r->interactive));
	SET("StdinOnce", BOOL(r->interactive && !r->detach));
	SET("Env", json_new_strings(a, &c->env));
	SET("Cmd", json_new_strings(a, r->command.n || r->entrypoint ? &r->command : &c->image.cmd));
	SET("Image", TEXT(c->image_name ? c->image_name : c->rootfs));
	SET("Volumes", json_new_object(a));
	SET("WorkingDir", TEXT(c->workdir));
	SET("Entrypoint", json_new_strings(a, &entrypoint));
	SET("ExposedPorts", ports);
	SET("Labels", json_new_map(a, &c->labels));
	SET("Annotations", json_new_map(a, &c->annotations));
	SET("StopSignal", TEXT(c->stop_signal));
	SET("StopTimeout", INT(c->stop_timeout_s));
	return j;
}

static struct json *restart_json(struct arena *a, const struct create_request *r)
{
	struct json *j = json_new_object(a);
	enum restart_policy policy;
	uint32_t max = 0;
	const char *colon = r->restart ? strchr(r->restart, ':') : NULL;

	restart_parse(r->restart, &policy, &max);
	SET("Name", TEXT(r->restart ? arena_strndup(a, r->restart, colon ? (size_t)(colon - r->restart) : strlen(r->restart)) : "no"));
	SET("MaximumRetryCount", INT(max));
	return j;
}

/* HOST[:CONTAINER[:rwm]] */
static struct json *devices_json(struct arena *a, const struct create_request *r)
{
	struct json *list = json_new_list(a);

	for (size_t i = 0; i < r->device.n; i++) {
		struct strings parts = strings_split(a, r->device.v[i], ":");
		struct json *j = json_new_object(a);

		SET("PathOnHost", TEXT(parts.v[0]));
		SET("PathInContainer", TEXT(parts.n > 1 && *parts.v[1] == '/' ? parts.v[1] : parts.v[0]));
		SET("CgroupPermissions", TEXT(parts.n > 1 && *parts.v[parts.n - 1] != '/' ? parts.v[parts.n - 1] : "rwm"));
		json_append(a, list, j);
	}
	return list;
}

/* NAME=SOFT[:HARD] */
static struct json *ulimits_json(struct arena *a, const struct create_request *r)
{
	struct json *list = json_new_list(a);

	for (size_t i = 0; i < r->ulimit.n; i++) {
		struct json *j = json_new_object(a);
		const char *value = strchr(r->ulimit.v[i], '='), *hard = value ? strchr(value, ':') : NULL;

		if (!value)
			continue;
		SET("Name", TEXT(arena_strndup(a, r->ulimit.v[i], (size_t)(value - r->ulimit.v[i]))));
		SET("Soft", INT(strtoll(value + 1, NULL, 10)));
		SET("Hard", INT(strtoll(hard ? hard + 1 : value + 1, NULL, 10)));
		json_append(a, list, j);
	}
	return list;
}

static struct json *tmpfs_json(struct arena *a, const struct create_request *r)
{
	struct json *j = json_new_object(a);

	for (size_t i = 0; i < r->tmpfs.n; i++) {
		size_t n = strcspn(r->tmpfs.v[i], ":");

		SET(arena_strndup(a, r->tmpfs.v[i], n), TEXT(r->tmpfs.v[i] + n + (r->tmpfs.v[i][n] == ':')));
	}
	return j;
}

static struct json *host_config_json(struct engine *e, const struct container *c, const struct container_state *s,
				     const char *log_path)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a), *log = json_new_object(a);
	const struct create_request *r = &c->request;
	uint64_t bytes = 0;

	json_set(a, log, "Type", TEXT(c->log_driver));
	json_set(a, log, "Config", json_new_map(a, &c->log_options));
	json_set(a, log, "Path", TEXT(log_path));
	json_set(a, log, "Tag", TEXT(map_get(&c->log_options, "tag")));
	SET("Binds", json_new_strings(a, &r->volumes));
	SET("NetworkMode", TEXT(inspect_network_mode(e, c, s)));
	SET("PortBindings", inspect_network_bindings(e, c, s));
	SET("RestartPolicy", restart_json(a, r));
	SET("AutoRemove", BOOL(r->rm));
	SET("Annotations", json_new_map(a, &c->annotations));
	SET("CapAdd", json_new_strings(a, &r->cap_add));
	SET("CapDrop", json_new_strings(a, &r->cap_drop));
	SET("Dns", json_new_strings(a, &r->dns));
	SET("DnsOptions", json_new_strings(a, &r->dns_option));
	SET("DnsSearch", json_new_strings(a, &r->dns_search));
	SET("ExtraHosts", json_new_strings(a, &r->add_host));
	SET("GroupAdd", json_new_strings(a, &r->group_add));
	SET("IpcMode", TEXT(r->ipc ? r->ipc : "private"));
	SET("PidMode", TEXT(r->pid ? r->pid : "private"));
	SET("UTSMode", TEXT(r->uts ? r->uts : "private"));
	SET("UsernsMode", TEXT(r->userns ? r->userns : ""));
	SET("Privileged", BOOL(r->privileged));
	SET("PublishAllPorts", BOOL(r->publish_all));
	SET("ReadonlyRootfs", BOOL(r->read_only));
	SET("SecurityOpt", json_new_strings(a, &r->security_opt));
	SET("Init", BOOL(r->init));
	SET("ShmSize", INT(r->shm_size && units_parse_size(r->shm_size, &bytes) == 0 ? bytes : (uint64_t)64000 << 10));
	bytes = 0;
	SET("Memory", INT(r->memory && units_parse_size(r->memory, &bytes) == 0 ? bytes : 0));
	SET("NanoCpus", INT(r->cpus ? strtod(r->cpus, NULL) * 1e9 : 0));
	SET("MemorySwap", INT(r->memory_swap && units_parse_size(r->memory_swap, &bytes) == 0 ? bytes : 0));
	SET("PidsLimit", INT(r->pids_limit ? strtoll(r->pids_limit, NULL, 10) : 2048));
	SET("OomScoreAdj", INT(r->oom_score_adj ? strtoll(r->oom_score_adj, NULL, 10) : 0));
	SET("CpuShares", INT(r->cpu_shares ? strtoll(r->cpu_shares, NULL, 10) : 0));
	SET("CpusetCpus", TEXT(r->cpuset_cpus));
	SET("Devices", devices_json(a, r));
	SET("Ulimits", ulimits_json(a, r));
	SET("Tmpfs", tmpfs_json(a, r));
	SET("VolumesFrom", json_new_strings(a, &r->volumes_from));
	SET("ContainerIDFile", TEXT(r->cidfile));
	SET("CgroupMode", TEXT(r->cgroupns ? r->cgroupns : "private"));
	SET("CgroupParent", TEXT(r->cgroup_parent));
	SET("Runtime", TEXT("oci"));
	SET("LogConfig", log);
	return j;
}

static const char *propagation_of(const struct container_mount *m)
{
	static const char *const words[] = { "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable" };

	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (strings_has(&m->options, words[i]))
			return words[i];
	return strcmp(m->type, "bind") == 0 || strcmp(m->type, "volume") == 0 ? "rprivate" : "";
}

static struct json *mount_json(struct arena *a, const struct container_mount *m)
{
	struct json *j = json_new_object(a);

	SET("Type", TEXT(m->type));
	if (m->name)
		SET("Name", TEXT(m->name));
	SET("Source", TEXT(m->source));
	SET("Destination", TEXT(m->destination));
	SET("Driver", TEXT(m->name ? "local" : ""));
	SET("Mode", TEXT(str_eq(m->relabel, "shared") ? "z" : m->relabel ? "Z" : ""));
	SET("Options", json_new_strings(a, &m->options));
	SET("RW", BOOL(!m->read_only));
	SET("Propagation", TEXT(propagation_of(m)));
	SET("SubPath", TEXT(m->subpath));
	return j;
}

/* Where the container's changes are; merged/ exists while fuse-overlayfs serves it, other mounts are the container's own. */
static struct json *driver_json(struct engine *e, const struct container *c)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a), *data = json_new_object(a);
	const char *driver = store_driver_name(e->store.driver);
	char *dir = arena_printf(a, "%s/containers/%s", e->store.path, c->id);

	if (strcmp(driver, "vfs") == 0) {
		json_set(a, data, "MergedDir", TEXT(arena_printf(a, "%s/rootfs", dir)));
	} else {
		json_set(a, data, "UpperDir", TEXT(arena_printf(a, "%s/upper", dir)));
		json_set(a, data, "WorkDir", TEXT(arena_printf(a, "%s/work", dir)));
		json_set(a, data, "MergedDir", TEXT(arena_printf(a, "%s/merged", dir)));
	}
	SET("Name", TEXT(driver));
	SET("Data", data);
	return j;
}

static void set_size(struct engine *e, struct json *j, const struct container *c)
{
	int64_t rw, root;

	usage_size(e, c, &rw, &root);
	json_set(e->arena, j, "SizeRw", json_new_int(e->arena, rw));
	json_set(e->arena, j, "SizeRootFs", json_new_int(e->arena, root));
}

int container_inspect(struct engine *e, const struct container *c, bool size, struct json **ret, struct error *err)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a), *mounts = json_new_list(a), *args = json_new_list(a);
	struct strings caps = { 0 };
	struct container_state s;
	struct security security;
	char *log_path = arena_printf(a, "%s/containers/%s/ctr.log", e->store.path, c->id);
	char *run_path = arena_printf(a, "%s/containers/%s", e->run_path, c->id);

	if (container_load_state(e, c, &s, err) < 0 || security_parse(a, &c->request, &security, err) < 0 ||
	    run_capabilities(a, &c->request.cap_add, &c->request.cap_drop, c->request.privileged, &caps, err) < 0)
		return -1;
	for (size_t i = 1; i < c->args.n; i++)
		json_append(a, args, TEXT(c->args.v[i]));
	for (size_t i = 0; i < c->mounts.n; i++)
		json_append(a, mounts, mount_json(a, &c->mounts.v[i]));
	SET("Id", TEXT(c->id));
	if (size)
		set_size(e, j, c);
	SET("Created", time_of(a, c->created_ns));
	SET("Path", TEXT(c->args.n ? c->args.v[0] : ""));
	SET("Args", args);
	SET("State", state_json(a, &s));
	SET("Image", TEXT(c->image_id));
	SET("ImageDigest", TEXT(c->image_digest));
	SET("ImageName", TEXT(c->image_name));
	SET("Rootfs", TEXT(c->rootfs));
	SET("Name", TEXT(c->name));
	SET("RestartCount", INT(s.restart_count));
	SET("Driver", TEXT(store_driver_name(e->store.driver)));
	SET("BoundingCaps", json_new_strings(a, &caps));
	SET("EffectiveCaps", json_new_strings(a, &caps));
	SET("ResolvConfPath", TEXT(arena_printf(a, "%s/resolv.conf", run_path)));
	SET("HostnamePath", TEXT(arena_printf(a, "%s/hostname", run_path)));
	SET("HostsPath", TEXT(arena_printf(a, "%s/hosts", run_path)));
	SET("StaticDir", TEXT(arena_printf(a, "%s/containers/%s", e->store.path, c->id)));
	SET("LogPath", TEXT(log_path));
	SET("Platform", TEXT("linux"));
	SET("ExecIDs", json_new_list(a));
	SET("Pod", TEXT(""));
	SET("IsInfra", BOOL(false));
	SET("MountLabel", TEXT(c->mount_label));
	SET("ProcessLabel", TEXT(c->process_label));
	SET("AppArmorProfile", TEXT(security.apparmor));
	SET("OCIConfigPath", TEXT(arena_printf(a, "%s/containers/%s/config.json", e->store.path, c->id)));
	SET("GraphDriver", driver_json(e, c));
	SET("OCIRuntime", TEXT("bryo"));
	SET("Mounts", mounts);
	SET("NetworkSettings", inspect_network(e, c, &s));
	SET("Config", config_json(a, c));
	SET("HostConfig", host_config_json(e, c, &s, log_path));
	*ret = j;
	return 0;
}

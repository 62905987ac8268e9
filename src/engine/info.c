#include "engine/info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/container.h"
#include "engine/inspect.h"
#include "store/image.h"
#include "sys/fd.h"
#include "sys/lsm.h"
#include "sys/self.h"
#include "sys/spawn.h"
#include "userns/diagnose.h"

#define LIBPOD_API "5.4.2"		/* whose names and meanings bryo follows */

/* --- versions */

static struct json *version_object(struct engine *e)
{
	struct json *v = json_new_object(e->arena);

	info_text(e, v, "APIVersion", LIBPOD_API);
	info_text(e, v, "Version", BRYO_VERSION);
	info_text(e, v, "GoVersion", "");
	info_text(e, v, "GitCommit", "");
	info_text(e, v, "BuiltTime", "");
	info_number(e, v, "Built", 0);
	info_text(e, v, "OsArch", arena_printf(e->arena, "linux/%s", info_architecture()));
	info_text(e, v, "Os", "linux");
	return v;
}

int host_version(struct engine *e, struct json **ret, struct error *err)
{
	struct json *version = json_new_object(e->arena);

	json_set(e->arena, version, "Client", version_object(e));
	*ret = version;
	return 0;
}

/* --- programs */

static void add_own_programs(struct engine *e, struct json *host)
{
	struct json *monitor = info_object(e, host, "conmon"), *runtime = info_object(e, host, "ociRuntime");

	info_text(e, monitor, "package", "bryo");
	info_text(e, monitor, "path", spawn_own_program(e->arena, "bryo-monitor", NULL));
	info_text(e, monitor, "version", "bryo-monitor " BRYO_VERSION);
	info_text(e, runtime, "name", "bryo");
	info_text(e, runtime, "package", "bryo");
	info_text(e, runtime, "path", self_path(e->arena));
	info_text(e, runtime, "version", "bryo " BRYO_VERSION);
}

/* --- identity, cgroups, security */

static void add_map(struct engine *e, struct json *parent, const char *name, const struct id_map *map)
{
	struct json *list = info_list(e, parent, name, NULL);

	for (size_t i = 0; i < map->n; i++) {
		struct json *extent = json_new_object(e->arena);

		info_number(e, extent, "container_id", map->v[i].inside);
		info_number(e, extent, "host_id", map->v[i].outside);
		info_number(e, extent, "size", map->v[i].count);
		json_append(e->arena, list, extent);
	}
}

/* What there is to say of the mappings: why there is only one, or what is wrong although they work. NULL: nothing. */
static char *mapping_reason(struct engine *e)
{
	struct userns_facts facts;
	struct error cause = { 0 };

	if (e->identity.single_id_why)
		return e->identity.single_id_why;
	if (e->identity.stale_why)
		return e->identity.stale_why;
	if (diagnose_collect(e->arena, &e->identity, &facts, &cause) < 0)
		return NULL;
	if (diagnose_judge(e->arena, &facts, &cause) < 0)
		return diagnose_line(e->arena, &cause);
	return diagnose_note(e->arena, &facts);
}

static void add_identity(struct engine *e, struct json *host)
{
	struct json *maps = info_object(e, host, "idMappings");
	char *reason = mapping_reason(e);

	add_map(e, maps, "gidmap", &e->identity.maps.gid);
	add_map(e, maps, "uidmap", &e->identity.maps.uid);
	if (reason)
		info_text(e, host, "idMappingsReason", reason);
}

static void add_cgroup(struct engine *e, struct json *host)
{
	struct error ignored = { 0 };
	struct strings none = { 0 };
	bool known = engine_cgroup(e, &ignored) == 0;
	struct strings *controllers = known ? &e->cgroup.controllers : &none;

	info_list(e, host, "cgroupControllers", (const char *const *)controllers->v);
	info_text(e, host, "cgroupManager", cgroup_manager_names[known ? e->cgroup.manager : CGROUP_NONE]);
	info_text(e, host, "cgroupVersion", !known || e->cgroup.unified ? "v2" : "v1");
	if (!known || e->cgroup.why)
		info_text(e, host, "cgroupReason", known ? e->cgroup.why : ignored.text);
}

static void add_security(struct engine *e, struct json *host)
{
	struct json *s = info_object(e, host, "security");

	info_flag(e, s, "apparmorEnabled", lsm_is_on(LSM_APPARMOR));
	info_text(e, s, "capabilities",
		  "CAP_CHOWN,CAP_DAC_OVERRIDE,CAP_FOWNER,CAP_FSETID,CAP_KILL,CAP_NET_BIND_SERVICE,CAP_SETFCAP,CAP_SETGID,"
		  "CAP_SETPCAP,CAP_SETUID,CAP_SYS_CHROOT");
	info_flag(e, s, "rootless", e->identity.uid != 0);
	info_flag(e, s, "seccompEnabled", access("/proc/sys/kernel/seccomp/actions_avail", F_OK) == 0);
	info_text(e, s, "seccompProfilePath",
		  access("/usr/share/containers/seccomp.json", R_OK) == 0 ? "/usr/share/containers/seccomp.json" : "");
	info_flag(e, s, "selinuxEnabled", lsm_is_on(LSM_SELINUX));
}

/* --- the store */

static const char *file_system_name(const char *path)
{
	static const struct { long magic; const char *name; } names[] = {
		{ 0xef53, "extfs" }, { 0x58465342, "xfs" }, { 0x9123683e, "btrfs" }, { 0x01021994, "tmpfs" },
		{ 0x794c7630, "overlayfs" }, { 0x2fc12fc1, "zfs" }, { 0x6969, "nfs" }, { 0x65735546, "fuse" },
		{ 0xf2f52010, "f2fs" }, { 0xca451a4e, "bcachefs" }, { 0x0bd00bd0, "lustre" }, { 0x47504653, "gpfs" },
	};
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return "<unknown>";
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if ((unsigned long)names[i].magic == ((unsigned long)fs.f_type & 0xffffffffUL))
			return names[i].name;
	return "<unknown>";
}

static void add_driver(struct engine *e, struct json *store)
{
	const struct store *s = &e->store;
	struct json *status, *options;
	struct statvfs fs = { 0 };

	info_text(e, store, "graphDriverName", store_driver_name(s->driver));
	info_text(e, store, "graphDriverReason", s->driver_why);
	options = info_object(e, store, "graphOptions");
	if (s->driver == DRIVER_FUSE_OVERLAYFS)
		info_text(e, options, "overlay.mount_program", s->fuse_overlayfs);
	info_text(e, store, "graphRoot", s->path);
	statvfs(s->path, &fs);
	info_number(e, store, "graphRootAllocated", (int64_t)(fs.f_blocks * fs.f_frsize));
	info_number(e, store, "graphRootUsed", (int64_t)((fs.f_blocks - fs.f_bfree) * fs.f_frsize));
	status = info_object(e, store, "graphStatus");
	info_text(e, status, "Backing Filesystem", file_system_name(s->path));
	info_text(e, status, "Native Overlay Diff", s->driver <= DRIVER_OVERLAY ? "true" : "false");
	info_text(e, status, "Supports d_type", "true");
	info_text(e, status, "Supports shifting", s->driver == DRIVER_OBJECTS ? "true" : "false");
	info_text(e, status, "Supports volatile", s->driver == DRIVER_VFS ? "false" : "true");
	info_text(e, status, "Using metacopy", s->driver == DRIVER_OBJECTS ? "true" : "false");
}

static int add_containers(struct engine *e, struct json *store, struct error *err)
{
	struct json *o = info_object(e, store, "containerStore");
	int64_t running = 0, paused = 0, stopped = 0;
	struct container_state state;
	struct containers all;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		struct error ignored = { 0 };

		if (container_load_state(e, &all.v[i], &state, &ignored) < 0)
			stopped++;
		else if (state.status == CONTAINER_RUNNING || state.status == CONTAINER_STOPPING)
			running++;
		else if (state.status == CONTAINER_PAUSED)
			paused++;
		else
			stopped++;
	}
	info_number(e, o, "number", (int64_t)all.n);
	info_number(e, o, "paused", paused);
	info_number(e, o, "running", running);
	info_number(e, o, "stopped", stopped);
	return 0;
}

static int add_store(struct engine *e, struct json *info, struct error *err)
{
	struct json *store = info_object(e, info, "store"), *images;
	struct strings ids = { 0 };

	info_text(e, store, "configFile", "");
	if (add_containers(e, store, err) < 0 || image_ids(e->arena, &e->store, &ids, err) < 0)
		return -1;
	add_driver(e, store);
	info_text(e, store, "imageCopyTmpDir", arena_printf(e->arena, "%s/tmp", e->store.path));
	images = info_object(e, store, "imageStore");
	info_number(e, images, "number", (int64_t)ids.n);
	info_text(e, store, "runRoot", e->run_path);
	info_flag(e, store, "transientStore", false);
	info_text(e, store, "volumePath", arena_printf(e->arena, "%s/volumes", e->store.path));
	return 0;
}

/* --- all of it */

static void add_host(struct engine *e, struct json *info)
{
	struct json *host = info_object(e, info, "host");

	info_text(e, host, "buildahVersion", "");
	info_add_machine(e, host);
	add_cgroup(e, host);
	add_own_programs(e, host);
	info_text(e, host, "databaseBackend", "files");
	info_text(e, host, "eventLogger", "file");
	info_number(e, host, "freeLocks", INT32_MAX);	/* locks are files: there is no number to run out of */
	add_identity(e, host);
	info_text(e, host, "linkmode", "dynamic");
	info_text(e, host, "logDriver", "k8s-file");
	info_add_network(e, host);
	add_security(e, host);
	info_flag(e, host, "serviceIsRemote", false);
}

static void add_plugins(struct engine *e, struct json *info)
{
	static const char *const logs[] = { "k8s-file", "none", "passthrough", NULL };
	static const char *const networks[] = { "bridge", "none", "host", "container", "ns", "pasta", "slirp4netns", NULL };
	static const char *const volumes[] = { "local", NULL };
	struct json *plugins = info_object(e, info, "plugins");

	json_set(e->arena, plugins, "authorization", json_new_string(e->arena, NULL));
	info_list(e, plugins, "log", logs);
	info_list(e, plugins, "network", networks);
	info_list(e, plugins, "volume", volumes);
}

int host_info(struct engine *e, struct json **ret, struct error *err)
{
	struct json *info = json_new_object(e->arena);

	if (engine_open(e, err) < 0)
		return -1;
	add_host(e, info);
	add_plugins(e, info);
	info_object(e, info, "registries");
	if (add_store(e, info, err) < 0)
		return error_frame(err, "info");
	json_set(e->arena, info, "version", version_object(e));
	*ret = info;
	return 0;
}

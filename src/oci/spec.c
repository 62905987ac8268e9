/* spec: a configuration to begin with */
#include <unistd.h>

#include "oci/oci.h"
#include "run/run.h"
#include "spec/oci_runtime.h"

static void add_mount(struct arena *arena, struct oci_spec *spec, const char *destination, const char *type,
		      const char *source, const char *options)
{
	struct oci_mount *m = ARRAY_ADD(arena, &spec->mounts);

	*m = (struct oci_mount){ .destination = (char *)destination, .type = (char *)type, .source = (char *)source };
	if (*options)
		m->options = strings_split(arena, options, ",");
}

/* An ordinary user maps no group 5, and sees the host's /sys where he has no network namespace. */
static void add_mounts(struct arena *arena, struct oci_spec *spec, bool rootless)
{
	add_mount(arena, spec, "/proc", "proc", "proc", "");
	add_mount(arena, spec, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
	add_mount(arena, spec, "/dev/pts", "devpts", "devpts", rootless ? "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620" :
		  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	add_mount(arena, spec, "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k");
	add_mount(arena, spec, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
	add_mount(arena, spec, "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro");
	add_mount(arena, spec, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro");
}

static void add_process(struct arena *arena, struct oci_spec *spec)
{
	static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" };
	struct oci_process *p = spec->process = arena_new_one(arena, struct oci_process);
	struct oci_capabilities *c = p->capabilities = arena_new_one(arena, struct oci_capabilities);

	p->terminal = true;
	strings_add(arena, &p->args, "sh");
	strings_add(arena, &p->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strings_add(arena, &p->env, "TERM=xterm");
	p->cwd = "/";
	for (size_t i = 0; i < ELEMENTS(capabilities); i++)
		strings_add(arena, &c->bounding, capabilities[i]);
	c->effective = c->permitted = c->bounding;
	*ARRAY_ADD(arena, &p->rlimits) = (struct oci_rlimit){ .type = "RLIMIT_NOFILE", .hard = 1024, .soft = 1024 };
	p->no_new_privileges = true;
}

static void add_namespaces(struct arena *arena, struct oci_linux *l, bool rootless)
{
	static const char *const types[] = { "pid", "network", "ipc", "uts", "mount", "cgroup" };

	for (size_t i = 0; i < ELEMENTS(types); i++)
		ARRAY_ADD(arena, &l->namespaces)->type = (char *)types[i];
	if (!rootless)
		return;
	ARRAY_ADD(arena, &l->namespaces)->type = "user";
	*ARRAY_ADD(arena, &l->uid_mappings) = (struct oci_id_mapping){ 0, geteuid(), 1 };
	*ARRAY_ADD(arena, &l->gid_mappings) = (struct oci_id_mapping){ 0, getegid(), 1 };
}

struct json *oci_spec_new(struct arena *arena, bool rootless)
{
	struct oci_spec spec = { .oci_version = OCI_VERSION, .hostname = "bryo" };
	struct oci_linux *l = spec.linux_ = arena_new_one(arena, struct oci_linux);

	add_process(arena, &spec);
	spec.root = arena_new_one(arena, struct oci_root);
	*spec.root = (struct oci_root){ .path = "rootfs", .readonly = true };
	add_mounts(arena, &spec, rootless);
	if (!rootless) {
		l->resources = arena_new_one(arena, struct oci_resources);
		*ARRAY_ADD(arena, &l->resources->devices) = (struct oci_device_rule){ .allow = false, .access = "rwm" };
	}
	add_namespaces(arena, l, rootless);
	for (size_t i = 0; run_masked_paths[i]; i++)
		strings_add(arena, &l->masked_paths, run_masked_paths[i]);
	for (size_t i = 0; run_readonly_paths[i]; i++)
		strings_add(arena, &l->readonly_paths, run_readonly_paths[i]);
	return json_encode(arena, &oci_spec_shape, &spec);
}

#include "engine/oci_mounts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/mounts.h"
#include "engine/relabel.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#define INIT_MAX (16 << 20)
#define SHM_SIZE_DEFAULT ((uint64_t)64000 << 10)

static struct oci_mount *add(struct engine *e, struct oci_spec *spec, const char *destination, const char *type,
			     const char *source, const char *options)
{
	struct oci_mount *m = ARRAY_ADD(e->arena, &spec->mounts);

	*m = (struct oci_mount){ .destination = (char *)destination, .type = (char *)type, .source = (char *)source };
	m->options = strings_split(e->arena, options, ",");
	return m;
}

static bool gid_is_mapped(const struct engine *e, const struct id_maps *maps, uint32_t gid)
{
	if (maps->gid.n)
		gid = idmap_to_outside(&maps->gid, gid);
	return gid != ID_NONE && idmap_to_outside(&e->identity.maps.gid, gid) != ID_NONE;
}

static int add_shm(struct engine *e, const struct create_request *r, struct oci_spec *spec, struct error *err)
{
	uint64_t size = SHM_SIZE_DEFAULT;

	if (r->shm_size && units_parse_size(r->shm_size, &size) < 0)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --shm-size: not a size such as 64m", r->shm_size);
	add(e, spec, "/dev/shm", "tmpfs", "shm", arena_printf(e->arena, "nosuid,noexec,nodev,mode=1777,size=%llu",
							      (unsigned long long)size));
	return 0;
}

static int add_system(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec, struct error *err)
{
	const struct create_request *r = &in->c->request;
	bool host_net = in->net->mode == NET_HOST, host_ipc = str_eq(r->ipc, "host");
	const char *ro = r->privileged ? "rw" : "ro";

	if (str_eq(r->pid, "host"))
		add(e, spec, "/proc", "bind", "/proc", "rbind,nosuid,noexec,nodev");
	else
		add(e, spec, "/proc", "proc", "proc", "nosuid,noexec,nodev");
	add(e, spec, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
	if (host_net)
		add(e, spec, "/sys", "bind", "/sys", arena_printf(e->arena, "rbind,nosuid,noexec,nodev,%s", r->privileged ? "rw" : "rro"));
	else
		add(e, spec, "/sys", "sysfs", "sysfs", arena_printf(e->arena, "nosuid,noexec,nodev,%s", ro));
	add(e, spec, "/dev/pts", "devpts", "devpts", gid_is_mapped(e, in->maps, 5) ?
	    "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" : "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620");
	if (host_ipc) {
		add(e, spec, "/dev/mqueue", "bind", "/dev/mqueue", "rbind,nosuid,noexec,nodev");
		add(e, spec, "/dev/shm", "bind", "/dev/shm", "rbind,nosuid,noexec,nodev");
	} else {
		add(e, spec, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
		if (!str_eq(r->ipc, "none") && add_shm(e, r, spec, err) < 0)
			return -1;
	}
	if (in->security->label.nested && in->c->mount_label && !host_net)	/* which brings the host's /sys */
		add(e, spec, SELINUX_PATH, "bind", SELINUX_PATH, "bind,nosuid,noexec,rprivate,rw");
	if (e->cgroup.unified)
		add(e, spec, "/sys/fs/cgroup", "cgroup", "cgroup",
		    arena_printf(e->arena, "nosuid,noexec,nodev,relatime,%s", ro));
	return 0;
}

static bool user_mounts_at(const struct container *c, const char *destination)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].destination, destination) == 0)
			return true;
	return false;
}

static void add_file(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec, const char *destination,
		     const char *name)
{
	if (!user_mounts_at(in->c, destination))
		add(e, spec, destination, "bind", arena_printf(e->arena, "%s/%s", in->run_path, name), "bind,rprivate");
}

/* Not every policy lets a container begin with a program of the host's: a copy with the label of the container's files. */
static char *labelled_copy(struct engine *e, const struct oci_inputs *in, const char *program, struct error *err)
{
	_cleanup_fd_ int dir = open(in->dir_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t size;
	char *text = fd_read_file(e->arena, AT_FDCWD, program, INIT_MAX, &size);

	if (!text || dir < 0 || fd_write_file(dir, "init", text, size, 0755, false) < 0) {
		error_errno(err, "copy %s", program);
		return NULL;
	}
	if (relabel_entry(dir, "init", in->c->mount_label, err) < 0)
		return NULL;
	return arena_printf(e->arena, "%s/init", in->dir_path);
}

static int add_files(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec, struct error *err)
{
	const struct create_request *r = &in->c->request;

	if (!(r->dns.n == 1 && str_eq(r->dns.v[0], "none")))
		add_file(e, in, spec, "/etc/resolv.conf", "resolv.conf");
	if (!r->no_hosts)
		add_file(e, in, spec, "/etc/hosts", "hosts");
	if (!r->no_hostname)
		add_file(e, in, spec, "/etc/hostname", "hostname");
	add_file(e, in, spec, "/run/.containerenv", ".containerenv");
	if (in->files->new_passwd)
		add_file(e, in, spec, "/etc/passwd", "passwd");
	if (in->files->new_group)
		add_file(e, in, spec, "/etc/group", "group");
	if (r->tz) {
		char *zone = strcmp(r->tz, "local") == 0 ? "/etc/localtime" : arena_printf(e->arena, "/usr/share/zoneinfo/%s", r->tz);

		if (strstr(r->tz, "..") || access(zone, R_OK) < 0)
			return error_set(err, ERROR_USAGE, "finding timezone \"%s\": %s is not there", r->tz, zone);
		add(e, spec, "/etc/localtime", "bind", zone, "bind,ro,rprivate");
	}
	if (r->init) {
		char *init = r->init_path ? r->init_path : spawn_own_program(e->arena, "bryo-init", err);

		if (init && in->c->process_label)
			init = labelled_copy(e, in, init, err);
		if (!init)
			return -1;
		add(e, spec, OCI_INIT_PATH, "bind", init, "bind,ro,rprivate");
	}
	return 0;
}

/* --- the user's own */
static bool has_any(const struct strings *options, const char *const *names)
{
	for (; *names; names++)
		if (strings_has(options, *names))
			return true;
	return false;
}

/* A bare idmap means the map of the container's user namespace: where there is none, ids are shown as they are. */
static bool is_for_runtime(const struct oci_inputs *in, const char *option)
{
	if (strcmp(option, "idmap") == 0 || strcmp(option, "ridmap") == 0)
		return in->maps->uid.n > 0;
	return strcmp(option, "copy") != 0 && strcmp(option, "nocopy") != 0;
}

static void add_bind(struct engine *e, const struct oci_inputs *in, const struct container_mount *m, struct oci_spec *spec)
{
	static const char *const propagations[] = { "shared", "rshared", "slave", "rslave", "private", "rprivate",
						    "unbindable", "runbindable", NULL };
	static const char *const binds[] = { "bind", "rbind", NULL };
	struct oci_mount *o = add(e, spec, m->destination, "bind", m->source, m->read_only ? "ro" : "rw");

	o->ready = m->fd;
	for (size_t i = 0; i < m->options.n; i++)
		if (is_for_runtime(in, m->options.v[i]))
			strings_add(e->arena, &o->options, m->options.v[i]);
	if (!has_any(&m->options, binds))
		strings_add(e->arena, &o->options, "rbind");
	if (!has_any(&m->options, propagations))
		strings_add(e->arena, &o->options, "rprivate");
	if (strcmp(m->type, "volume") == 0) {
		if (!strings_has(&m->options, "suid"))
			strings_add(e->arena, &o->options, "nosuid");
		if (!strings_has(&m->options, "dev"))
			strings_add(e->arena, &o->options, "nodev");
	}
}

/* A tmpfs begins with what the image has there, and anybody may write to it, when nothing else is said. U: it belongs to
 * the container's user. */
static void add_tmpfs(struct engine *e, const struct oci_inputs *in, const struct container_mount *m, struct oci_spec *spec)
{
	static const char *const copies[] = { "tmpcopyup", "notmpcopyup", NULL };
	struct oci_mount *o = add(e, spec, m->destination, m->type, m->type, m->read_only ? "ro" : "rw");
	bool ram = strcmp(m->type, "ramfs") == 0, mode = false;

	if (!strings_has(&m->options, "suid"))
		strings_add(e->arena, &o->options, "nosuid");
	if (!strings_has(&m->options, "dev"))
		strings_add(e->arena, &o->options, "nodev");
	if (m->chown && !ram) {
		strings_addf(e->arena, &o->options, "uid=%u", in->user->uid);
		strings_addf(e->arena, &o->options, "gid=%u", in->user->gid);
	}
	for (size_t i = 0; i < m->options.n; i++) {
		mode |= str_starts(m->options.v[i], "mode=");
		if (*m->options.v[i])
			strings_add(e->arena, &o->options, m->options.v[i]);
	}
	if (!mode)
		strings_add(e->arena, &o->options, "mode=1777");
	if (!ram && !has_any(&m->options, copies) && strcmp(m->destination, "/dev/shm") != 0)
		strings_add(e->arena, &o->options, "tmpcopyup");
}

static void add_devpts(struct engine *e, const struct container_mount *m, struct oci_spec *spec)
{
	struct oci_mount *o = add(e, spec, m->destination, "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666");
	bool mode = false;

	for (size_t i = 0; i < m->options.n; i++) {
		mode |= str_starts(m->options.v[i], "mode=");
		strings_add(e->arena, &o->options, m->options.v[i]);
	}
	if (!mode)
		strings_add(e->arena, &o->options, "mode=0620");
	if (m->read_only)
		strings_add(e->arena, &o->options, "ro");
}

static void add_user_mounts(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec)
{
	const struct container *c = in->c;

	if (c->request.read_only && !c->request.no_read_only_tmpfs) {
		static const char *const writable[] = { "/run", "/tmp", "/var/tmp" };

		for (size_t i = 0; i < ELEMENTS(writable); i++)
			if (!user_mounts_at(c, writable[i]))
				add(e, spec, writable[i], "tmpfs", "tmpfs", "nosuid,nodev,mode=1777,rw");
	}
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct container_mount *m = &c->mounts.v[i];

		if (strcmp(m->type, "tmpfs") == 0 || strcmp(m->type, "ramfs") == 0)
			add_tmpfs(e, in, m, spec);
		else if (strcmp(m->type, "devpts") == 0)
			add_devpts(e, m, spec);
		else
			add_bind(e, in, m, spec);
	}
}

/* --- devices: without root a device is a bind mount of the host's node */
static void add_device(struct engine *e, struct oci_spec *spec, const struct device_node *d)
{
	add(e, spec, d->container, "bind", d->host, strchr(d->access, 'w') ? "bind,rprivate,nosuid,noexec" :
	    "bind,rprivate,nosuid,noexec,ro");
}

static int add_device_tree(struct engine *e, struct oci_spec *spec, const struct device_node *d, int depth,
			   struct error *err)
{
	_cleanup_dir_ DIR *dir = opendir(d->host);
	struct dirent *entry;

	if (!dir)
		return error_errno(err, "--device %s", d->host);
	while ((entry = readdir(dir))) {
		struct device_node sub = { arena_printf(e->arena, "%s/%s", d->host, entry->d_name),
					   arena_printf(e->arena, "%s/%s", d->container, entry->d_name), d->access };

		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_type == DT_CHR || entry->d_type == DT_BLK)
			add_device(e, spec, &sub);
		else if (entry->d_type == DT_DIR && depth < 8 && add_device_tree(e, spec, &sub, depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int add_devices(struct engine *e, const struct create_request *r, struct oci_spec *spec, struct error *err)
{
	struct device_list list = { 0 };
	struct stat st;

	for (size_t i = 0; i < r->device.n; i++)
		if (mounts_parse_device(e->arena, r->device.v[i], &list, err) < 0)
			return -1;
	for (size_t i = 0; i < list.n; i++) {
		if (stat(list.v[i].host, &st) < 0)
			return error_errno(err, "stat %s", list.v[i].host);
		if (S_ISDIR(st.st_mode)) {
			if (add_device_tree(e, spec, &list.v[i], 0, err) < 0)
				return -1;
		} else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
			add_device(e, spec, &list.v[i]);
		} else {
			return error_set(err, ERROR_USAGE, "%s is not a device", list.v[i].host);
		}
	}
	return 0;
}

static bool is_console(const char *name)
{
	return str_starts(name, "tty") && (!name[3] || isdigit((unsigned char)name[3]));
}

/* --privileged: the nodes in /dev that the user himself may open. */
static void add_host_devices(struct engine *e, struct oci_spec *spec)
{
	static const char *const made[] = { "null", "zero", "full", "random", "urandom", "console", "ptmx", NULL };
	_cleanup_dir_ DIR *dir = opendir("/dev");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = arena_printf(e->arena, "/dev/%s", entry->d_name);
		const char *const *m = made;

		while (*m && strcmp(*m, entry->d_name) != 0)
			m++;
		if (*m || is_console(entry->d_name) || (entry->d_type != DT_CHR && entry->d_type != DT_BLK))
			continue;
		if (access(path, R_OK) == 0)
			add_device(e, spec, &(struct device_node){ path, path, access(path, W_OK) == 0 ? "rw" : "r" });
	}
}

static int by_destination(const void *a, const void *b)
{
	const struct oci_mount *x = a, *y = b;

	return strcmp(x->destination, y->destination);	/* a parent sorts before what is below it */
}

int oci_mounts(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec, struct error *err)
{
	size_t system_n;

	if (add_system(e, in, spec, err) < 0)
		return -1;
	system_n = spec->mounts.n;
	if (add_files(e, in, spec, err) < 0)
		return -1;
	if (in->c->request.privileged)
		add_host_devices(e, spec);
	if (add_devices(e, &in->c->request, spec, err) < 0)
		return -1;
	add_user_mounts(e, in, spec);
	qsort(spec->mounts.v + system_n, spec->mounts.n - system_n, sizeof(*spec->mounts.v), by_destination);
	return 0;
}

#include "run/plan.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct { const char *path; unsigned minor; unsigned major; } standard[] = {
	{ "/dev/null", 3, 1 }, { "/dev/zero", 5, 1 }, { "/dev/full", 7, 1 }, { "/dev/tty", 0, 5 },
	{ "/dev/random", 8, 1 }, { "/dev/urandom", 9, 1 },
};

static void add_device(struct run_plan *plan, const char *path, const struct plan_device *device)
{
	/* Without the privilege to make nodes, the host's own node is the only one there is. */
	struct op *op = S_ISFIFO(device->mode) || device->make ? plan_add(plan, OP_DEVICE) : plan_add_slot(plan, OP_DEVICE);

	op->source = path;
	op->target = path;
	op->mount.bind = true;
	op->device = arena_memdup(plan->arena, device, sizeof(*device));
}

static int device_type(const char *type, mode_t *ret)
{
	static const struct { const char *name; mode_t mode; } types[] = {
		{ "c", S_IFCHR }, { "u", S_IFCHR }, { "b", S_IFBLK }, { "p", S_IFIFO },
	};

	for (size_t i = 0; i < ELEMENTS(types); i++)
		if (str_eq(types[i].name, type)) {
			*ret = types[i].mode;
			return 0;
		}
	return -1;
}

static int wrong(size_t i, const char *member, const char *what, struct error *err)
{
	return error_set(err, ERROR_INVALID, ".linux.devices[%zu].%s: %s", i, member, what);
}

static int check_ids(const struct run_plan *plan, const struct oci_device *d, size_t i, struct error *err)
{
	const struct { const char *name; const uint64_t *id; const struct id_map *map; } ids[] = {
		{ "uid", d->uid, &plan->maps.uid }, { "gid", d->gid, &plan->maps.gid },
	};

	for (size_t k = 0; k < ELEMENTS(ids); k++) {
		if (!ids[k].id)
			continue;
		if (*ids[k].id >= UINT32_MAX)
			return wrong(i, ids[k].name, "beyond 32 bits", err);
		if (plan->own_user_namespace && idmap_to_outside(ids[k].map, (uint32_t)*ids[k].id) == ID_NONE)
			return wrong(i, ids[k].name, "not among the ids of the user namespace", err);
	}
	return 0;
}

static int add_listed(struct run_plan *plan, const struct oci_device *d, size_t i, bool make, struct error *err)
{
	struct plan_device device = { .make = make, .has_number = d->major > 0 || d->minor > 0 };
	char *path = arena_strdup(plan->arena, d->path ? d->path : "");

	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	if (path[0] != '/' || !path[1])
		return wrong(i, "path", "not the absolute path of a device", err);
	if (str_eq(path, "/dev/ptmx"))		/* a link to that of the container's own devpts; the host's leads to the host's */
		return 0;
	if (device_type(d->type, &device.mode) < 0)
		return wrong(i, "type", "none of c, u, b and p", err);
	if (d->major < 0 || d->major > UINT32_MAX || d->minor < 0 || d->minor > UINT32_MAX)
		return wrong(i, d->major < 0 || d->major > UINT32_MAX ? "major" : "minor", "out of range", err);
	if (check_ids(plan, d, i, err) < 0)
		return -1;
	device.apart = make && plan->own_user_namespace && device.has_number;
	device.make &= device.has_number && !plan->own_user_namespace;
	device.number = makedev((unsigned)d->major, (unsigned)d->minor);
	device.mode |= d->file_mode ? (mode_t)*d->file_mode & 07777 : 0666;
	device.uid = d->uid ? (uint32_t)*d->uid : 0;
	device.gid = d->gid ? (uint32_t)*d->gid : 0;
	if (device.apart) {
		device.uid = idmap_to_outside(&plan->maps.uid, device.uid);
		device.gid = idmap_to_outside(&plan->maps.gid, device.gid);
	}
	add_device(plan, path, &device);
	return 0;
}

static bool is_listed(const struct oci_linux *l, const char *path)
{
	for (size_t i = 0; i < l->devices.n; i++)
		if (str_eq(l->devices.v[i].path, path))
			return true;
	return false;
}

/* A bind of the host's /dev (privileged containers) brings all nodes and links with it. */
static bool dev_is_host(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct oci_mount *m = &spec->mounts.v[i];

		if (str_eq(m->destination, "/dev") && str_eq(m->source, "/dev"))
			return true;
	}
	return false;
}

static void add_standard(struct run_plan *plan, const struct oci_linux *l, bool make)
{
	for (size_t i = 0; i < ELEMENTS(standard); i++)
		if (!is_listed(l, standard[i].path))
			add_device(plan, standard[i].path,
				   &(struct plan_device){ .mode = S_IFCHR | 0666, .has_number = true, .make = make,
							  .number = makedev(standard[i].major, standard[i].minor) });
}

static void add_links(struct run_plan *plan)
{
	static const struct { const char *name, *text; } links[] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" }, { "ptmx", "pts/ptmx" },
	};

	for (size_t i = 0; i < ELEMENTS(links); i++) {
		struct op *op = plan_add(plan, OP_SYMLINK);

		op->source = links[i].text;
		op->target = "/dev";
		op->fstype = links[i].name;
	}
}

int plan_add_devices(struct run_plan *plan, const struct run_request *request, struct error *err)
{
	const struct oci_linux *l = request->spec->linux_;

	for (size_t i = 0; i < l->devices.n; i++)
		if (add_listed(plan, &l->devices.v[i], i, request->make_devices, err) < 0)
			return -1;
	if (dev_is_host(request->spec))
		return 0;
	add_standard(plan, l, request->make_devices && !plan->own_user_namespace);
	add_links(plan);
	return 0;
}

#include "run/plan.h"

#include <string.h>
#include <sys/mount.h>

static bool is_bind(const struct oci_mount *m, const struct mount_options *o)
{
	return o->bind || str_eq(m->type, "bind") || str_eq(m->type, "rbind");
}

static int add_mount(struct run_plan *plan, const struct oci_mount *m, struct error *err)
{
	struct mount_options options;
	struct op *op;

	if (str_is_empty(m->destination))
		return error_set(err, ERROR_INVALID, "a mount without a destination");
	if (m->uid_mappings.n || m->gid_mappings.n)
		return error_set(err, ERROR_UNSUPPORTED, "mount at %s: id-mapped mounts", m->destination);
	mount_options_parse(plan->arena, &m->options, &options);
	if (is_bind(m, &options)) {
		if (str_is_empty(m->source))
			return error_set(err, ERROR_INVALID, "mount at %s: a bind mount without a source", m->destination);
		op = plan_add_slot(plan, OP_BIND);
		options.bind = true;
		options.bind_tree |= str_eq(m->type, "rbind");
		/* Nothing leaves or enters a volume unless that is asked for. */
		if (!options.propagation) {
			options.propagation = MS_PRIVATE;
			options.propagation_tree = true;
		}
	} else {
		if (str_is_empty(m->type))
			return error_set(err, ERROR_INVALID, "mount at %s: no type", m->destination);
		op = plan_add(plan, OP_MOUNT);
		/* One hierarchy for all: what older configurations call cgroup is cgroup2 here. */
		op->fstype = str_eq(m->type, "cgroup") ? "cgroup2" : m->type;
	}
	op->source = m->source;
	op->target = m->destination;
	op->mount = options;
	return 0;
}

int plan_add_mounts(struct run_plan *plan, const struct oci_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (add_mount(plan, &spec->mounts.v[i], err) < 0)
			return -1;
	return 0;
}

/* --- /dev */

static void add_device(struct run_plan *plan, const char *source, const char *target)
{
	struct op *op = plan_add_slot(plan, OP_DEVICE);

	op->source = source;
	op->target = target;
	op->mount.bind = true;
}

static int add_listed_device(struct run_plan *plan, const struct oci_device *d, struct error *err)
{
	if (str_is_empty(d->path) || str_is_empty(d->type))
		return error_set(err, ERROR_INVALID, "a device without path or type");
	if (str_eq(d->type, "p")) {
		struct op *op = plan_add(plan, OP_FIFO);

		op->target = d->path;
		op->flags = d->file_mode ? *d->file_mode & 0777 : 0666;
		return 0;
	}
	/* Without the privilege to make nodes, the host's own node is the only one there is. */
	add_device(plan, d->path, d->path);
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

int plan_add_devices(struct run_plan *plan, const struct oci_spec *spec, struct error *err)
{
	static const char *const nodes[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/random", "/dev/urandom",
	};
	static const struct { const char *name, *text; } links[] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" }, { "ptmx", "pts/ptmx" },
	};

	for (size_t i = 0; i < spec->linux_->devices.n; i++)
		if (add_listed_device(plan, &spec->linux_->devices.v[i], err) < 0)
			return -1;
	if (dev_is_host(spec))
		return 0;
	for (size_t i = 0; i < ELEMENTS(nodes); i++)
		if (!is_listed(spec->linux_, nodes[i]))
			add_device(plan, nodes[i], nodes[i]);
	for (size_t i = 0; i < ELEMENTS(links); i++) {
		struct op *op = plan_add(plan, OP_SYMLINK);

		op->source = links[i].text;
		op->target = "/dev";
		op->fstype = links[i].name;
	}
	return 0;
}

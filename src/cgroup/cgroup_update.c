#include "cgroup/cgroup.h"

#include <errno.h>
#include <string.h>

#include "cgroup/control.h"
#include "cgroup/device.h"
#include "cgroup/hierarchy.h"
#include "cgroup/resources.h"
#include "cgroup/systemd.h"
#include "sys/fd.h"

static void v1_controllers(struct arena *arena, const struct cgroup *c, struct strings *ret)
{
	struct cgroup_hierarchies list = { 0 };

	for (size_t i = 0; i < c->places.n; i++)
		*ARRAY_ADD(arena, &list) = (struct cgroup_hierarchy){ .controllers = c->places.v[i].controllers };
	hierarchy_v1_controllers(arena, &list, ret);
}

/* v1 refuses a limit below the usage, v2 kills: memory.checkBeforeUpdate asks for the former. */
static int check_usage(const struct cgroup *c, const struct oci_memory *m, const char *where, struct error *err)
{
	_cleanup_fd_ int dirfd = -1;
	uint64_t usage;

	if (!m || !m->check_before_update || !*m->check_before_update || !m->limit || *m->limit <= 0)
		return 0;
	dirfd = cgroup_open(c, NULL, err);
	if (dirfd < 0 || control_read_number(dirfd, "memory.current", &usage) < 0 || usage <= (uint64_t)*m->limit)
		return 0;
	return error_set(err, ERROR_IN_USE, "%s.memory.limit: the container uses %llu bytes", where, (unsigned long long)usage);
}

static int update_devices(struct arena *arena, const struct cgroup *c, const struct device_rules *rules, bool v1,
			  const char *where, struct error *err)
{
	struct settings lines = { 0 };
	struct device_program program;
	_cleanup_fd_ int fd = -1;

	if (rules->n == 0)
		return 0;
	if (v1) {
		device_settings_v1(arena, rules, where, &lines);
		return settings_write(arena, c, &lines, NULL, err);
	}
	fd = cgroup_open(c, NULL, err);
	if (fd < 0)
		return -1;
	device_program(arena, rules, &program);
	/* Who may not load one has none to be replaced. */
	if (device_attach(&program, fd) < 0 && errno != EPERM)
		return error_errno(err, "%s.devices: attach the rules as an eBPF program", where);
	return 0;
}

int cgroup_update(struct arena *arena, const struct cgroup *c, const struct oci_resources *resources, const char *where,
		  struct error *err)
{
	struct properties properties = { 0 };
	struct device_rules rules;
	struct settings settings;
	struct strings v1;

	v1_controllers(arena, c, &v1);
	if (resources_settings(arena, resources, &v1, where, &settings, err) < 0 ||
	    device_rules(arena, resources, where, &rules, err) < 0)
		return -1;
	if (c->places.n == 0)
		return !settings.n ? 0 : error_set(err, ERROR_UNSUPPORTED, "the container has no cgroup of its own, so no limits");
	if (check_usage(c, resources->memory, where, err) < 0)
		return -1;
	if (c->scope && !c->shared) {
		property_limits(arena, &settings, &properties);
		if (systemd_set(arena, c->user, c->scope, &properties, err) < 0)
			return -1;
	}
	return settings_write(arena, c, &settings, NULL, err) < 0 ? -1 :
	       update_devices(arena, c, &rules, strings_has(&v1, "devices"), where, err);
}

#include "oci/limits.h"

#include <errno.h>
#include <time.h>

#include "sys/trace.h"

#define REMAINS_TRIES 40		/* of 5 ms: a process whose maker was killed is about to end */

int limits_host(struct oci *o, struct error *err)
{
	if (o->cgroup_is_known)
		return 0;
	_cleanup_trace_ struct trace_span span = trace_begin("look at the cgroups");
	if (cgroup_probe(o->arena, o->cgroup_manager, &o->cgroup_host, err) < 0)
		return -1;
	o->cgroup_is_known = true;
	return 0;
}

static void take_views(struct oci *o, const struct cgroup *c, struct run_hierarchies *ret)
{
	struct cgroup_views views = { 0 };

	if (o->cgroup_host.unified || !o->cgroup_host.v1)
		return;
	cgroup_views(o->arena, &o->cgroup_host, c->places.n ? c : NULL, &views);
	for (size_t i = 0; i < views.n; i++)
		*ARRAY_ADD(o->arena, ret) = (struct run_hierarchy){ .name = views.v[i].name, .options = views.v[i].options,
								    .path = views.v[i].path, .links = views.v[i].links };
}

int limits_make(struct oci *o, const char *id, const struct oci_spec *spec, struct cgroup *ret, int *ret_fd,
		struct run_hierarchies *ret_views, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("make the cgroup");
	struct cgroup_request request = { .id = id, .spec = spec };
	struct strings warnings = { 0 };

	if (limits_host(o, err) < 0 || cgroup_create(o->arena, &o->cgroup_host, &request, ret, &warnings, err) < 0)
		return -1;
	for (size_t i = 0; i < warnings.n; i++)
		oci_warn(o, "%s", warnings.v[i]);
	take_views(o, ret, ret_views);
	*ret_fd = cgroup_entry(ret, NULL, err);
	if (*ret_fd >= 0 || errno == ENOENT)
		return 0;
	cgroup_remove(ret);
	return -1;
}

void limits_remove_remains(struct oci *o, const char *id, const struct oci_spec *spec)
{
	struct cgroup_request request = { .id = id, .spec = spec };
	struct strings warnings = { 0 };
	struct error err = { 0 };
	struct cgroup c = { 0 };

	if (limits_host(o, &err) < 0)
		return;
	for (int i = 0; i < REMAINS_TRIES; i++) {
		/* Made again it is the same, and known. */
		if (cgroup_create(o->arena, &o->cgroup_host, &request, &c, &warnings, &err) == 0)
			break;
		if (!error_is(&err, ERROR_IN_USE))
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	cgroup_settle(&c);
	cgroup_remove(&c);
}

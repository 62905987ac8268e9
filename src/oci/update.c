/* update: other limits for a running container */
#include "oci/record.h"

int oci_update(struct oci *o, const char *id, const struct oci_resources *resources, const char *where,
	       struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;

	if (record_find(o, id, true, &c, err) < 0)
		return -1;
	if (c.status == RECORD_STOPPED)
		error_set(err, ERROR_STATE, "it is not running");
	else if (!c.record.cgroup.places.n)
		error_set(err, ERROR_UNSUPPORTED, "it has no cgroup, so it has no limits that could be changed");
	else if (cgroup_update(o->arena, &c.record.cgroup, resources, where, err) == 0)
		return 0;
	return error_frame(err, "update container `%s`", id);
}

/* cgroup/place - where a container's cgroup goes: linux.cgroupsPath and the annotations about it; pure
 *
 * cgroupfs: an absolute path begins at the root of each hierarchy, a relative one at the caller's own cgroup, for root of
 * the machine at the root too (in root's own cgroup there are processes, and controllers cannot be handed on). Without a
 * path the cgroup is "bryo-ID".
 * systemd: "slice:prefix:name" is the scope prefix-name.scope in that slice; an empty slice is system.slice, for users
 * user.slice; without a path it is ":bryo:ID". In a unified hierarchy the container lives in a sub-cgroup "container"
 * of the scope, which is ours while the scope is systemd's (annotation run.oci.systemd.subgroup, "" for none).
 * Annotation run.oci.delegate-cgroup: one more cgroup below, where the first process goes; unified hierarchy only. */
#ifndef BRYO_CGROUP_PLACE_H
#define BRYO_CGROUP_PLACE_H

#include "cgroup/cgroup.h"

struct place {
	bool demanded;		/* by linux.cgroupsPath */
	char *path;		/* cgroupfs: "/a/b" below each mount, or "a/b" below the caller's own cgroup */
	char *scope, *slice;	/* systemd: "bryo-1.scope", "user.slice" */
	char *subgroup;		/* systemd: below the scope; "" none */
	char *leaf;		/* below all that; NULL */
};

/* Complaints begin with ".linux.cgroupsPath" or ".annotations[...]". */
int place_choose(struct arena *arena, const struct cgroup_host *host, const char *id, const struct oci_spec *spec,
		 struct place *ret, struct error *err);

#endif

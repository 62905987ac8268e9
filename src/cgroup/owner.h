/* cgroup/owner - giving a container's cgroup to the user who runs in it
 *
 * runtime-spec, "Cgroup ownership": with cgroup v2, a new cgroup namespace and the cgroup mount writable, the directory and
 * the files that /sys/kernel/cgroup/delegate names go to the host's id of process.user.uid; the limits' files do not. */
#ifndef BRYO_CGROUP_OWNER_H
#define BRYO_CGROUP_OWNER_H

#include "spec/oci_runtime.h"

/* False when the cgroup is not to be given away, or the id has no counterpart on the host. */
bool owner_wanted(const struct oci_spec *spec, uid_t *ret);
int owner_give(struct arena *arena, int cgroup_fd, uid_t owner);

#endif

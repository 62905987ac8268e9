/* cgroup/hierarchy - which cgroup hierarchies are mounted, and where a process is in them
 *
 * Where /sys/fs/cgroup is cgroup2 there is one hierarchy and nothing else is looked at. Elsewhere /proc/self/mountinfo
 * says which v1 hierarchies (and perhaps a unified one beside them, "hybrid") are mounted. Paths of /proc/PID/cgroup are
 * turned into paths below the mount, which differ where only a part of a hierarchy is mounted. */
#ifndef BRYO_CGROUP_HIERARCHY_H
#define BRYO_CGROUP_HIERARCHY_H

#include "cgroup/cgroup.h"
#include "sys/mount.h"

#define HIERARCHY_ROOT "/sys/fs/cgroup"

/* The unified hierarchy first, then the v1 ones; none when nothing is mounted. */
void hierarchy_list(struct arena *arena, struct cgroup_hierarchies *ret);
/* The pure part: from the mounts and the text of /proc/PID/cgroup. `usable` is left false. */
void hierarchy_find(struct arena *arena, const struct mount_table *mounts, const char *membership,
		    struct cgroup_hierarchies *ret);
/* The path in the text of /proc/PID/cgroup for a hierarchy ("" is the unified one); NULL when it is not listed. */
char *hierarchy_membership(struct arena *arena, const char *membership, const char *controllers);

/* May the caller make cgroups in the hierarchy's `own` and move processes there? */
bool hierarchy_may_use(struct arena *arena, const struct cgroup_hierarchy *h);
/* The controllers that are on v1 hierarchies (not the named ones). */
void hierarchy_v1_controllers(struct arena *arena, const struct cgroup_hierarchies *list, struct strings *ret);
/* Is the controller one of "cpu,cpuacct"? */
bool hierarchy_has(const char *controllers, const char *controller);
static inline bool hierarchy_is_unified(const char *controllers) { return !*controllers; }

#endif

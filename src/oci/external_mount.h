/* oci/external_mount - what in a container's mounts is the host's, for a checkpoint and its restore
 *
 * criu makes a container's own mounts again out of its images. Those that lead to files of the host it must be told: on
 * dump each by its place, which is its name, on restore each name with the source it has now. They are the bind mounts of
 * the configuration with all that is mounted below, masks and device nodes that are bound, and the directories of cgroup
 * version 1. */
#ifndef BRYO_OCI_EXTERNAL_MOUNT_H
#define BRYO_OCI_EXTERNAL_MOUNT_H

#include "oci/oci.h"
#include "sys/mount.h"

struct external_mounts {
	struct arena *arena;
	const struct oci_spec *spec;
	struct strings destinations;	/* of spec->mounts, without links */
};

/* root: the root file system, without the mounts. */
void external_mounts_init(struct external_mounts *e, struct arena *arena, const struct oci_spec *spec, int root);
/* Places of the host's mounts among those of a container. */
void external_mounts_find(const struct external_mounts *e, const struct mount_table *table, struct strings *ret);
/* Places that the configuration speaks of, whether they are mounts or not. */
void external_mounts_list(const struct external_mounts *e, struct strings *ret);
/* What a place shows: a path of the host. hierarchies: of the container's cgroup where it has some of version 1. */
const char *external_mounts_source(const struct external_mounts *e, const char *bundle,
				   const struct cgroup_views *hierarchies, const char *place);
/* Makes the mount points that the root file system, or the source of a bind mount around them, does not have. */
int external_mounts_prepare(const struct external_mounts *e, int root, const char *bundle, struct error *err);

#endif

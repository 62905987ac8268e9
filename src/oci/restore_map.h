/* oci/restore_map - what the things of a checkpoint that were the host's are now: streams, namespaces, mounts, cgroups */
#ifndef BRYO_OCI_RESTORE_MAP_H
#define BRYO_OCI_RESTORE_MAP_H

#include "oci/bundle.h"
#include "oci/checkpoint_options.h"

struct restore_map {
	struct oci *o;
	const struct bundle *bundle;
	const struct cgroup *cgroup;	/* of the new container */
	const struct checkpoint_paths *paths;
	struct criu_options *options;	/* is told of them */
	int pass[8];			/* descriptors that criu gets: the standard streams, files, namespaces */
	size_t pass_n;
};

/* Makes missing mount points too. */
int restore_map_all(struct restore_map *m, struct error *err);
void restore_map_close(struct restore_map *m);
/* Is there an image whose name begins so? */
bool restore_map_has_image(const struct checkpoint_paths *paths, const char *prefix);

#endif

/* engine/volume_use - a volume from its first container to its last
 *
 * The first use of an empty volume copies what the image has there. A volume of type tmpfs is mounted at its _data in the
 * rootless mount namespace while a container has it: all of them see the same files, and the last one takes them along. */
#ifndef BRYO_ENGINE_VOLUME_USE_H
#define BRYO_ENGINE_VOLUME_USE_H

#include "engine/container.h"
#include "store/volume.h"

struct volume_place {		/* where a container has it */
	int root_fd;			/* the container's root; -1: nowhere, it is looked at from outside */
	const char *path;
	bool copy;			/* what the image has there */
	uid_t uid;			/* of the container's user, ids of the rootless namespace: for a place that the image has not */
	gid_t gid;
};

/* Reads it, fills and mounts it where that is to be done. */
int volume_use(struct engine *e, const char *name, const struct volume_place *place, struct volume *ret, struct error *err);
/* Its own options join those of a container's mount, which win. */
int volume_use_options(struct engine *e, const struct volume *v, struct strings *options, bool *read_only,
		       struct error *err);
/* Whether a container has it, running or not. */
bool volume_use_has(const struct container *c, const char *name);
/* A container has ended: unmounts what nobody else uses. */
void volume_use_end(struct engine *e, const struct container *c);
/* The volume's tmpfs goes, with what is in it; refused while a container lives that uses it. */
int volume_use_unmount(struct engine *e, const struct volume *v, struct error *err);
bool volume_use_is_mounted(const struct volume *v);

#endif

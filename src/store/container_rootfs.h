/* store/container_rootfs - a container's root file system on disk: made by the driver, looked at, mended
 *
 * What it was made of is recorded (store/container_record); how it is mounted is told in store/container_mount.c. */
#ifndef BRYO_STORE_CONTAINER_ROOTFS_H
#define BRYO_STORE_CONTAINER_ROOTFS_H

#include "store/container.h"
#include "store/layer.h"

/* In the staged directory dir: rootfs.json and the writable layer over the chain IDs (vfs: the whole tree). */
int container_rootfs_make(struct arena *arena, struct store *s, int dir, const struct strings *layers,
			  const struct id_maps *maps, struct error *err);
/* The directory that a container writes to: the upper directory, with vfs the whole tree. Its driver and its layers' chain
 * IDs are told, too. */
int container_rootfs_writable(struct arena *arena, const struct store *s, const char *id, enum store_driver *ret_driver,
			      struct strings *ret_layers, struct error *err);
/* What is missing of the root file system of container id, made from these layers: NULL, or a text ("its record rootfs.json
 * is missing"). */
char *container_rootfs_problem(struct arena *arena, const struct store *s, const char *id, const struct strings *layers);
/* Makes the record anew from what lies there, and what is missing of the writable layer empty. maps as the container was made
 * with. */
int container_rootfs_mend(struct arena *arena, struct store *s, const char *id, const struct strings *layers,
			  const struct id_maps *maps, struct error *err);
/* The container's writable layer was volatile, and the machine has been started since: its last writes may be missing. */
bool container_rootfs_is_unsynced(const struct store *s, const char *id);

/* The layers it was made from, and in which form it needs them. Errors as of container_store_layers. */
int container_rootfs_needs(struct arena *arena, const struct store *s, const char *id, struct strings *ret_layers,
			   enum layer_form *ret_form, struct error *err);

#endif

/* store/container - a container's place on disk: containers/<id>/, its name, its root file system
 *
 * Owns containers/<id>/{config.json,rootfs.json,upper/,work/,...} (rootfs.json: the driver it was made with and its
 * layers; upper and work for the overlay drivers, rootfs for vfs) and containers/names/<name> (a symbolic link whose
 * text is the id: making it is the atomic claim of the name). What config.json says is the engine's business. */
#ifndef BRYO_STORE_CONTAINER_H
#define BRYO_STORE_CONTAINER_H

#include "base/json.h"
#include "store/store.h"
#include "sys/idmap.h"

/* Claims the name and makes containers/<id> with config.json and the driver's writable layer over the image's chain IDs
 * (none: an empty directory `rootfs` is not made; the caller brings his own root). ERROR_EXISTS when the name is taken:
 * the text says by whom. With maps (container ids to ids of the rootless namespace) owners are shifted so: a copy of
 * the image, made once for each map; NULL or empty maps need none. durable: whatever is found under the id after a power
 * failure is whole (one wait for the disk; a container that is removed at its end can do without). The answer is a descriptor of the directory, with
 * the object's exclusive lock held by it. */
int container_store_create(struct arena *arena, struct store *s, const char *id, const char *name,
			   const char *config_json, const struct strings *layers, const struct id_maps *maps,
			   bool durable, struct error *err);
/* It was not made durable: after a power failure it is nothing that anybody counts on. */
bool container_store_is_volatile(const struct store *s, const char *id);
bool container_store_is_id(const char *s);	/* 64 lower-case hex digits */
/* The directory's descriptor; lock_mode < 0: no lock. */
int container_store_open(const struct store *s, const char *id, int lock_mode, struct error *err);
/* Replaces config.json (rename). */
int container_store_write(struct store *s, const char *id, const char *config_json, bool durable, struct error *err);
char *container_store_read(struct arena *arena, const struct store *s, const char *id, size_t *ret_size,
			   struct error *err);
int container_store_list(struct arena *arena, const struct store *s, struct strings *ret_ids, struct error *err);
/* Full id from an id, a unique prefix or a name. ERROR_NOT_FOUND: `no container with ID or name "x" found: no such
 * container`. */
char *container_store_find(struct arena *arena, const struct store *s, const char *name_or_id, struct error *err);
int container_store_rename(struct store *s, const char *id, const char *old_name, const char *new_name,
			   struct error *err);
/* What to mount as the root. volatile_upper: nobody needs it after a crash. Starts fuse-overlayfs when that is the
 * driver (mounted at containers/<id>/merged in the caller's mount namespace; its pid in *ret_helper, 0 otherwise). */
int container_store_rootfs(struct arena *arena, struct store *s, const char *id, const struct strings *layers,
			   bool volatile_upper, struct rootfs *ret, int *ret_helper, struct error *err);
/* The root of a container that does not run, as a directory descriptor for this process; a helper that it takes ends with
 * the process. May give the process a mount namespace of its own. The caller holds the container's lock. */
int container_store_mount(struct arena *arena, struct store *s, const char *id, struct error *err);
/* Undoes what container_store_rootfs mounted (fuse-overlayfs): ends the helper, unmounts. 0 when there is nothing. */
int container_store_unmount(struct store *s, const char *id);
/* The layers it was made from; with none, an empty list. ERROR_INVALID when the record is damaged. */
int container_store_layers(struct arena *arena, const struct store *s, const char *id, struct strings *ret,
			   struct error *err);
/* Into the trash by one rename, which also says whether its anonymous volumes go (see store_bury); then buried and deleted. */
int container_store_remove(struct store *s, const char *id, bool volumes, struct error *err);
/* Of an entry of trash/ that was a container: its id and whether its volumes go. */
bool container_store_is_removed(const char *entry, char ret_id[65], bool *ret_volumes);

#endif

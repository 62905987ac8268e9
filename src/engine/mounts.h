/* engine/mounts - what the user wants mounted: -v, --mount, --tmpfs, --device, --volumes-from, image volumes
 *
 * Parsing is pure; resolving checks that sources exist and makes volumes that are named but not there yet. */
#ifndef BRYO_ENGINE_MOUNTS_H
#define BRYO_ENGINE_MOUNTS_H

#include "engine/container.h"

struct mount_list { struct container_mount *v; size_t n; };

/* Appends the mount of one -v, --mount or --tmpfs text. cwd is what relative sources start from. The source of type "glob"
 * is a pattern still. */
int mounts_parse_volume(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err);
int mounts_parse_mount(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err);
int mounts_parse_tmpfs(struct arena *arena, const char *text, struct mount_list *ret, struct error *err);
int mounts_set_destination(struct arena *arena, struct container_mount *m, const char *path, struct error *err);

/* Whether a request may have volume option U, at a glance: a wrong yes costs little. */
bool mounts_may_chown(const struct create_request *r);
/* All mounts of a request, resolved and in the order in which they are made. Volumes are created, but for anonymous ones. */
int mounts_resolve(struct engine *e, const struct create_request *r, const struct image_container_config *image,
		   struct mount_list *ret, struct error *err);
/* The container's anonymous volumes, where they are not there yet: after it was recorded, so that a command which is killed
 * leaves none that belongs to nobody. */
int mounts_make_anonymous(struct engine *e, const struct container *c, struct error *err);
/* Devices as (host path, container path, permissions), from --device texts; directories give what is in them. */
struct device_node { char *host, *container; char *access; };
struct device_list { struct device_node *v; size_t n; };
int mounts_parse_device(struct arena *arena, const char *text, struct device_list *ret, struct error *err);

#endif

/* engine/userns_auto - ids of a container's own: --userns auto[:size=N,uidmapping=C:I:N,gidmapping=C:I:N]
 *
 * Every such container gets ids that no other one has. What it got is a link of the store, ids/<container id>, whose text
 * is the ranges; it counts as long as the container is there, so that nothing has to be given back. Whoever chooses
 * holds the lock of the directory until his container is in the store. */
#ifndef BRYO_ENGINE_USERNS_AUTO_H
#define BRYO_ENGINE_USERNS_AUTO_H

#include "engine/container.h"

struct userns_auto {
	uint64_t size;			/* 0: as the image needs it */
	struct id_map uids, gids;	/* forced, container ids to ids of the rootless namespace */
};

/* id: with the maps of the rootless namespace. Options of NULL are none. */
int userns_auto_parse(struct arena *arena, const char *options, const struct identity *id, struct userns_auto *ret,
		      struct error *err);
/* The map of the container ids 0..size-1 to the lowest ids of the rootless namespace, from 1 on, that `used` (its outside
 * ids) has not: in one piece where one is long enough. False when there are not enough: *ret_free is how many. Pure. */
bool userns_auto_build(struct arena *arena, const struct id_map *forced, uint64_t size, const struct id_map *rootless,
		       const struct id_map *used, struct id_map *ret, uint64_t *ret_free);

/* The maps that the container gets when it is created now. */
int userns_auto_maps(struct engine *e, const struct container *c, const char *options, struct id_maps *ret,
		     struct error *err);
int userns_auto_lock(struct engine *e, struct error *err);
int userns_auto_claim(struct engine *e, const struct container *c, const struct id_maps *maps, struct error *err);

#endif

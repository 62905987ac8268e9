/* engine/userns_mode - the id map of a container: --userns, --uidmap, --gidmap, --subuidname, --subgidname
 *
 * The rootless namespace itself is the default; every other mode is a second-level map over it. Maps are chosen once, when
 * the container is created, and recorded in it: the owners of its files depend on them. */
#ifndef BRYO_ENGINE_USERNS_MODE_H
#define BRYO_ENGINE_USERNS_MODE_H

#include "engine/container.h"

struct userns_user { bool set; uint32_t uid, gid; };

/* Maps from container ids to ids of the rootless namespace; empty maps: no namespace of the container's own. As recorded,
 * or for a request that is no container yet as they would be now. With keep-id, *ret_user (may be NULL) is the user to
 * run as unless --user says otherwise. Starts and changes nothing. */
int userns_mode_maps(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
		     struct error *err);
/* Can a container be created so? Cheaper than asking for the maps. */
int userns_mode_check(struct engine *e, const struct container *c, struct error *err);
/* The image may have come when there were more ids: 0, or an error that says so. With maps of its own (not empty) the store
 * looks itself. It reads the record of each layer: where a tree is made that fails soon enough, it is asked afterwards. */
int userns_mode_owners(struct engine *e, const struct container *c, const struct id_maps *own, struct error *err);
/* At creation: chooses the maps and records them in c, which then is stored. *ret_lock (-1: none) keeps others from taking
 * the same ids until it is closed. */
int userns_mode_settle(struct engine *e, struct container *c, struct id_maps *ret, int *ret_lock, struct error *err);

#endif

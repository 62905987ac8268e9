/* engine/userns_mode - the id map of a container: --userns, --uidmap, --gidmap
 *
 * The rootless namespace itself is the default; every other mode is a second-level map over it. */
#ifndef BRYO_ENGINE_USERNS_MODE_H
#define BRYO_ENGINE_USERNS_MODE_H

#include "engine/container.h"

struct userns_user { bool set; uint32_t uid, gid; };

/* Maps from container ids to ids of the rootless namespace; empty maps: no namespace of the container's own. With
 * keep-id, *ret_user (may be NULL) is the user to run as unless --user says otherwise. */
int userns_mode_maps(struct engine *e, const struct container *c, struct id_maps *ret, struct userns_user *ret_user,
		     struct error *err);

#endif

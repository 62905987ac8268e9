/* engine/host_place - directories that are the host's or the user's as a whole, and not for a container to have
 *
 * Compared by inode, so that links and bind mounts do not hide them. */
#ifndef BRYO_ENGINE_HOST_PLACE_H
#define BRYO_ENGINE_HOST_PLACE_H

#include "engine/engine.h"

/* Which of the caller's own directories (home, store, runtime directory) is this one or below it; NULL: none. */
const char *host_place_of_user(struct engine *e, int dir);
/* The directory or file is one that the system itself lives in: "/", "/usr", "/etc/passwd". */
bool host_place_is_system(int dir);

#endif

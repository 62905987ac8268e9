/* engine/own - :U, giving a mounted host directory to the container's user
 *
 * Recursive and lasting, so it looks before it writes: $HOME, / and trees with owners outside the id map are refused
 * before the first change, and what is right already is left alone. */
#ifndef BRYO_ENGINE_OWN_H
#define BRYO_ENGINE_OWN_H

#include "engine/engine.h"

/* uid and gid as ids of the rootless namespace. */
int own_tree(struct engine *e, const char *path, uid_t uid, gid_t gid, struct error *err);

#endif

/* engine/own - volume option U: giving a mounted directory of the host to the container's user
 *
 * Recursive and lasting, so it looks before it writes: $HOME and what is above it, mounted file systems, read-only ones and
 * trees with owners outside the id map are refused before the first change. What is right already is left alone, and a
 * tree in which all is right costs no more than looking at it. Large trees are walked by several processes. */
#ifndef BRYO_ENGINE_OWN_H
#define BRYO_ENGINE_OWN_H

#include "engine/engine.h"

/* top: an open directory or file, called name in errors. uid and gid as ids of the rootless namespace. */
/* Whether all of it may be changed, in whatever way: owners, marks. */
int own_check(struct engine *e, int top, const char *name, struct error *err);
int own_tree(struct engine *e, int top, const char *name, uid_t uid, gid_t gid, struct error *err);

#endif

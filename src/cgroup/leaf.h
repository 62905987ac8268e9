/* cgroup/leaf - a cgroup for processes that stand in the way
 *
 * A cgroup v2 with processes in it may not hand controllers to its children ("no internal processes"). Where this is the
 * caller's own, delegated one, its processes move into a leaf below it that has this name; whoever is started there later
 * makes his containers beside the leaf, never below. */
#ifndef BRYO_CGROUP_LEAF_H
#define BRYO_CGROUP_LEAF_H

#include "base/arena.h"

#define LEAF_NAME "bryo-leaf"

/* The cgroup in which a process at this path makes others: the path, or its parent ("/" at the top) for a leaf's. */
char *leaf_parent(struct arena *arena, const char *path);
/* Moves all processes of the cgroup into its leaf; -1 with errno. New ones may appear meanwhile: until there are none. */
int leaf_move_all(struct arena *arena, int dirfd);

#endif

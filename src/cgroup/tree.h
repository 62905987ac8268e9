/* cgroup/tree - making the directories of a cgroup, and what must be said at each level
 *
 * In the unified hierarchy each level has to hand its controllers to the next (cgroup.subtree_control), which it cannot
 * while it has processes; in v1's cpuset each new level has to be given CPUs and memory nodes before it takes processes. */
#ifndef BRYO_CGROUP_TREE_H
#define BRYO_CGROUP_TREE_H

#include "cgroup/cgroup.h"

#define TREE_DEPTH 32

struct tree {
	int fds[TREE_DEPTH + 1];	/* from where it begins down to the cgroup itself */
	size_t n;
	bool made;			/* the last one was not there before */
};

/* Opens start and, making what is missing, path ("a/b", may be empty) below it. -1 with errno; nothing stays open. */
int tree_make(struct arena *arena, const char *start, const char *path, struct tree *ret);
static inline int tree_fd(const struct tree *t) { return t->fds[t->n - 1]; }
void tree_done(struct tree *t);

/* Hands all controllers down; those of `needed` at the price of moving the processes of the level `own` (an index, -1:
 * none) into a leaf. What cannot be handed down is not there afterwards. */
void tree_enable_controllers(struct arena *arena, const struct tree *t, const struct strings *needed, int own);
int tree_init_cpuset(struct arena *arena, const struct tree *t);

#endif

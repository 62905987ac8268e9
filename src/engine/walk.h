/* engine/walk - visits every file of a directory tree, by several processes when it is large
 *
 * By descriptors, and no link is followed: a container that writes there meanwhile can hide files from the walk, not lead it
 * elsewhere. What is removed under its feet is passed over. */
#ifndef BRYO_ENGINE_WALK_H
#define BRYO_ENGINE_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

struct walk_entry {
	int dir;			/* the directory, open; name in it, "" for the top itself */
	const char *name;
	const char *path;		/* from the top, "" for the top itself */
	struct statx st;		/* with WALK_STAT: type, owner, attributes */
};

struct walk_counts { uint64_t n[4]; };	/* of the visitor's own; summed over the processes */

enum { WALK_STAT = 1, WALK_ALONE = 2 };

/* 0, or -1 with err: then the walk ends, and its error is that of the first such file in the order of the walk, as far as the
 * processes got there. Runs in other processes too: what it changes in memory is lost, but for counts. */
typedef int (*walk_visit)(const void *context, const struct walk_entry *entry, struct walk_counts *counts, struct error *err);

/* top: an open file or directory, maybe by O_PATH. */
int walk_tree(int top, walk_visit visit, const void *context, int flags, struct walk_counts *ret, struct error *err);

#endif

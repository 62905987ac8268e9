/* store/tree_maker - a file tree from the entries of layer indexes
 *
 * Entries come sorted, a directory right before its contents. Everything is made by descriptors below one new directory
 * that nobody else knows yet, with as few system calls as there can be. Files are either stubs for overlay, empty and of
 * the right size, which redirect to their contents below the data-only layer, or real ones with contents copied from
 * the objects. Attributes of directories come when their contents are there. Entries are of a file that may be damaged:
 * one without its directory before it, or a bad name, is an error and never reaches outside. */
#ifndef BRYO_STORE_TREE_MAKER_H
#define BRYO_STORE_TREE_MAKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/layer_index.h"

struct tree_maker {
	struct arena *arena;
	int root;			/* the directory; the caller's */
	int objects;			/* objects/, for files with their contents; -1: stubs */
	bool single_id;			/* owners are not applied */

	/* Of the maker itself. */
	struct error *err;
	struct tree_level *levels;	/* the directories that the last entry lies in, from the root on */
	size_t depth, room;
	char *path;			/* of the last directory */
	size_t path_n;
	mode_t mask;
};

void tree_maker_begin(struct tree_maker *m, struct error *err);
/* A whiteout or an opaque mark is made as overlay knows it, so merged entries have none. */
int tree_maker_add(struct tree_maker *m, const struct layer_entry *e);
/* The rest; to be called after a failure too. 0 only when all went well. */
int tree_maker_end(struct tree_maker *m, bool gave_up);

#endif

/* store/changes - what one file tree has that another has not: `diff`, and what a commit puts into its layer
 *
 * Two ways to the same list: a container's writable directory tells its own changes (whiteouts, opaque directories), in
 * proportion to them; two whole trees are walked side by side. Nothing is resolved by path and no link is followed. */
#ifndef BRYO_STORE_CHANGES_H
#define BRYO_STORE_CHANGES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"
#include "sys/idmap.h"

enum change_kind { CHANGE_MODIFIED = 'C', CHANGE_ADDED = 'A', CHANGE_DELETED = 'D' };

struct change {
	enum change_kind kind;
	char *path;		/* absolute */
};

struct changes {		/* a directory before its contents, entries of a directory by name */
	struct change *v;
	size_t n;
};

struct changes_how {
	const struct id_maps *maps;	/* owners in the newer tree are shifted by them; NULL: they are not */
	bool marks;			/* of a layer, or as fuse-overlayfs makes them: see sys/whiteout */
	bool contents;			/* files of equal size and time that are not the same inode are read */
};

/* Of an overlay's upper directory over the tree `lower`. */
int changes_of_upper(struct arena *arena, int lower, int upper, const struct changes_how *how, struct changes *ret,
		     struct error *err);
int changes_between(struct arena *arena, int older, int newer, const struct changes_how *how, struct changes *ret,
		    struct error *err);

#endif

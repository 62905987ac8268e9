/* store/tree_compare - are two file trees the same?
 *
 * Names, types, permissions, owners, sizes, contents, link texts, devices and extended attributes, by descriptors and
 * without following links. Times are not looked at: they are no part of what a program finds in its files. */
#ifndef BRYO_STORE_TREE_COMPARE_H
#define BRYO_STORE_TREE_COMPARE_H

#include "base/arena.h"

struct tree_difference {
	char *path;		/* "/etc/passwd" */
	const char *what;	/* "its contents differ" */
};

/* Of directory is against directory ought: 0 same, 1 the first difference in ret, -1 (err). */
int tree_compare(struct arena *arena, int is, int ought, struct tree_difference *ret, struct error *err);

#endif

/* sys/whiteout - how the directory of one layer says what it takes away from the layers below
 *
 * As overlay has it: a 0:0 character device of the entry's name, and an attribute of a directory that hides what is below
 * (user.overlay.opaque). Where a file system has no such devices or attributes, as overlay itself, files are the marks:
 * .wh.NAME and .wh..wh..opq, which fuse-overlayfs reads. A directory inside of fuse-overlayfs can have none of these; an
 * empty file of the entry's name, and the directory, get an attribute of ours there, that only copies are made by. Layers
 * cannot bring such names and attributes themselves. */
#ifndef BRYO_SYS_WHITEOUT_H
#define BRYO_SYS_WHITEOUT_H

#include <stdbool.h>
#include <sys/stat.h>

#define WHITEOUT_MARK ".wh."
#define WHITEOUT_MARK_OPAQUE ".wh..wh..opq"

/* 0: a device; 1: something else. -1 with errno, EEXIST when there is an entry of that name. */
int whiteout_make(int dir, const char *name);
int whiteout_set_opaque(int dir);
/* Removes the mark .wh.NAME: was there one? Whoever makes an entry of that name asks. */
bool whiteout_unmark(int dir, const char *name);

/* A device, or a file with the attribute. */
bool whiteout_is(int dir, const char *name, const struct stat *st);
/* The name that a mark of this name takes away, "" for .wh..wh..opq; NULL when it is none. */
const char *whiteout_marked(const char *name, const struct stat *st);
bool whiteout_is_opaque(int dir);	/* a descriptor to read it */

#endif

/* store/stage - the staging protocol: what is under tmp/ and trash/, who may remove it
 *
 * tmp/<name>/ is a stage while tmp/<name>.lock is locked. tmp/record.<random> is a small file being written; it is its
 * own lock. tmp/link.<random> is a symbolic link on its way to its place. Anything else in tmp/ (a partial download) is
 * collected when nobody wrote to it for an hour. Everything in trash/ may go at any time; trash/sweep asks for a sweep
 * of layers and blobs, trash/objects for one of objects, and stays until that is done. The functions of store/store.h that begin with stage, write, link, discard and collect are here. */
#ifndef BRYO_STORE_STAGE_H
#define BRYO_STORE_STAGE_H

#include "store/store.h"

/* "." or ".." */
static inline bool stage_is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Is there anything in tmp/ or trash/ that nobody locks? Cheap: two directory reads. */
bool stage_has_leftovers(const struct store *s);
bool stage_is_live(const struct store *s, const char *name);
/* Asks the next collection for a sweep of layers and blobs, or of objects. */
void stage_request_sweep(const struct store *s);
#define STAGE_SWEEP_OBJECTS "trash/objects"
void stage_request_object_sweep(const struct store *s);

#endif

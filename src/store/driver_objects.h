/* store/driver_objects - does the object store work here? */
#ifndef BRYO_STORE_DRIVER_OBJECTS_H
#define BRYO_STORE_DRIVER_OBJECTS_H

#include "store/store.h"

/* In the empty directory path, by a process with a mount namespace of its own: makes what a container would stand
 * on, reads, writes and gives away a file through it, as it is and with other ids. */
int driver_try_objects(struct arena *arena, const struct store *s, const char *path, struct error *err);

#endif

/* net/rootless_linger - the moment that the rootless network namespace outlives its last container
 *
 * Containers often come one after the other, and to make everything anew costs ten times what the start of a container
 * does. So one process stays behind for ROOTLESS_LINGER_MS after the last address was given back, and takes all away
 * when nobody has come. It holds the lock netns/idle while it waits, so that there is one of it; the file's time says
 * since when nobody is there. Whoever decides, here or in net/rootless, holds the lock of net/rootless alone. */
#ifndef BRYO_NET_ROOTLESS_LINGER_H
#define BRYO_NET_ROOTLESS_LINGER_H

#include <stdbool.h>

#include "net/rootless.h"

#define ROOTLESS_LINGER_MS 1000

/* Does somebody wait already? */
bool rootless_linger_is_pending(const struct rootless_home *home);
/* From now on; end is called by the process that stays, with the lock held. -1: no process could be made. */
int rootless_linger(struct arena *arena, const struct rootless_home *home,
		    void (*end)(struct arena *arena, const struct rootless_home *home));

#endif

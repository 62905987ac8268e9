/* net/ability - whether networks of bridges work on this machine
 *
 * Nothing but the attempt tells: it takes nft, some of the kernel's modules, and a gateway that gets what it needs. The first
 * container makes the attempt anyway (net/rootless). One that fails for good is remembered in the runtime directory, so
 * that those who only want some network do not try at each start; for a minute, because a module may be loaded, and not
 * once there is another nft. Who asks for a network by its name tries every time, and what he finds is remembered, too. */
#ifndef BRYO_NET_ABILITY_H
#define BRYO_NET_ABILITY_H

#include "net/rootless.h"

/* Has an attempt failed a moment ago? */
bool ability_is_denied(struct arena *arena, const struct rootless_home *home);
/* What an attempt came to; NULL: it worked. Of a failure that says something about the machine the kind is
 * ERROR_UNSUPPORTED from now on; a want of memory or of descriptors says nothing. */
void ability_learn(struct arena *arena, const struct rootless_home *home, struct error *failure);
/* Has the kernel the interfaces? The caller stands in a network namespace in which he may make some. */
int ability_check_links(struct error *err);

#endif

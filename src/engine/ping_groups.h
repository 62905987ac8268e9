/* engine/ping_groups - the groups of a container that may send echo requests (net.ipv4.ping_group_range)
 *
 * The kernel has a kind of socket for echoes that takes no capability, but nobody may open one unless a setting of the
 * network namespace names his group. It is written in the container's numbers and compared in the kernel's own, so a
 * range goes from the group that is the lowest there to the highest. */
#ifndef BRYO_ENGINE_PING_GROUPS_H
#define BRYO_ENGINE_PING_GROUPS_H

#include "sys/idmap.h"

/* "FIRST LAST" for all groups. own: of the container's user namespace; empty: it has none. host: of the rootless namespace. */
char *ping_groups(struct arena *arena, const struct id_map *own, const struct id_map *host);

#endif

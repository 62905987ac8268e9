/* engine/userns_given - the id maps that a user writes: --uidmap and --gidmap
 *
 * [+][u][g]CONTAINER_ID:[@]ID[:COUNT]. ID is one of the rootless namespace, with @ one of the host. With + the line is
 * laid over the default map, whose other ids keep their order; u and g restrict it to users or groups. */
#ifndef BRYO_ENGINE_USERNS_GIVEN_H
#define BRYO_ENGINE_USERNS_GIVEN_H

#include "userns/userns.h"

/* kind: 'u' or 'g', for whom; id: with the maps of the rootless namespace (its ids to the host's). */
int userns_given_map(struct arena *arena, char kind, const struct strings *texts, const struct identity *id,
		     struct id_map *ret, struct error *err);

#endif

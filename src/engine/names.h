/* engine/names - a name for a container that was given none */
#ifndef BRYO_ENGINE_NAMES_H
#define BRYO_ENGINE_NAMES_H

#include "base/arena.h"

/* "mossy_sphagnum": the seed chooses. */
char *names_pick(struct arena *arena, unsigned seed);

#endif

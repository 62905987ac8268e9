/* engine/network_describe - a network's record from the words of `network create`
 *
 * What the user left open stays empty. Values are taken as they are: network_check judges them. */
#ifndef BRYO_ENGINE_NETWORK_DESCRIBE_H
#define BRYO_ENGINE_NETWORK_DESCRIBE_H

#include "engine/network_create.h"

int network_describe(struct arena *arena, const struct network_create_request *r, struct network *ret, struct error *err);

#endif

/* engine/request_check - the texts of a request that are used at start, judged at creation
 *
 * So that nothing is created that could never start. */
#ifndef BRYO_ENGINE_REQUEST_CHECK_H
#define BRYO_ENGINE_REQUEST_CHECK_H

#include "engine/container.h"

int request_check(struct engine *e, const struct container *c, struct error *err);

#endif

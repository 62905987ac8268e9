/* engine/sysctl - which kernel settings a container may have */
#ifndef BRYO_ENGINE_SYSCTL_H
#define BRYO_ENGINE_SYSCTL_H

#include "engine/create_request.h"

/* Refuses what belongs to the host: the kernel would do so only at the start. */
int sysctl_check(const struct create_request *r, struct error *err);

#endif

/* engine/export - a container's whole file tree as a tar archive: no volumes, no history */
#ifndef BRYO_ENGINE_EXPORT_H
#define BRYO_ENGINE_EXPORT_H

#include "engine/container.h"

/* Running or not. Owners are told as the container numbers them. */
int container_export(struct engine *e, const struct container *c, int output, struct error *err);

#endif

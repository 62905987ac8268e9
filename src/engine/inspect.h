/* engine/inspect - containers, images, volumes and the host as JSON with Podman's field names */
#ifndef BRYO_ENGINE_INSPECT_H
#define BRYO_ENGINE_INSPECT_H

#include "engine/container.h"

int container_inspect(struct engine *e, const struct container *c, bool size, struct json **ret, struct error *err);
struct ps_request { bool all, latest, size, ns; int64_t last; struct strings filters; char *sort; };
/* Rows with Podman's `ps` fields (ID Image Command CreatedAt Status Ports Names ...), newest first. */
int container_rows(struct engine *e, const struct ps_request *r, struct json **ret, struct error *err);
int host_info(struct engine *e, struct json **ret, struct error *err);
int host_version(struct engine *e, struct json **ret, struct error *err);

#endif

/* engine/logs - reading containers' logs */
#ifndef BRYO_ENGINE_LOGS_H
#define BRYO_ENGINE_LOGS_H

#include "engine/container.h"
#include "sys/log.h"

struct logs_request { bool follow, timestamps, names, color; int64_t tail; char *since, *until; };
typedef int (*logs_emit)(void *context, const struct container *c, const struct log_record *record);
/* Calls emit for each record until the end, or with follow until the container ended and all was read. */
int container_logs(struct engine *e, const struct container *const *list, size_t n, const struct logs_request *r,
		   logs_emit emit, void *context, struct error *err);

#endif

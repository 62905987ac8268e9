/* engine/events - the append-only event log (`events` in the store, one JSON object a line) */
#ifndef BRYO_ENGINE_EVENTS_H
#define BRYO_ENGINE_EVENTS_H

#include "engine/engine.h"

/* type "container" "image" "volume"; status in Podman's words ("create", "start", "died", "remove", "pull"). Best
 * effort: a full disk loses the event, not the command. */
void event_add(struct engine *e, const char *type, const char *status, const char *id, const char *name,
	       const char *image, const struct string_map *attributes);
int event_log_fd(struct engine *e);

struct events_request { struct strings filters; char *since, *until; bool no_stream; };
int events_read(struct engine *e, const struct events_request *r, int (*emit)(void *context, struct json *event),
		void *context, struct error *err);

#endif

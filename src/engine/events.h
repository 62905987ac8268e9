/* engine/events - the append-only event log (`events` in the store, one JSON object a line) */
#ifndef BRYO_ENGINE_EVENTS_H
#define BRYO_ENGINE_EVENTS_H

#include "engine/engine.h"

/* type "container" "image" "volume"; status in Podman's words ("create", "start", "died", "remove", "pull"). Best
 * effort: a full disk loses the event, not the command. */
void event_add(struct engine *e, const char *type, const char *status, const char *id, const char *name,
	       const char *image, const struct string_map *attributes);
/* The log opened for appending; the engine keeps it. -1 when it cannot be. */
int event_log_fd(struct engine *e);
/* The same event as JSON members without the braces and the time, for a writer that adds `"time":NS` and, of a died
 * container, `"exitCode":N` (bryo-monitor). */
char *event_members(struct engine *e, const char *type, const char *status, const char *id, const char *name,
		    const char *image, const struct string_map *attributes);

/* Calls emit (whose event is valid during the call; non-zero ends it) for what the log has and, unless no_stream, for
 * what comes. A stream without since begins now. Filters: container event image label type volume. */
struct events_request { struct strings filters; char *since, *until; bool no_stream; };
int events_read(struct engine *e, const struct events_request *r, int (*emit)(void *context, struct json *event),
		void *context, struct error *err);

#endif

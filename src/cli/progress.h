/* cli/progress - what a transfer does, drawn while it runs
 *
 * On a terminal one line a layer (bar, bytes) and a total with speed and the time that is left, redrawn at most ten
 * times a second; elsewhere one plain line when a layer begins and one when it is done. */
#ifndef BRYO_CLI_PROGRESS_H
#define BRYO_CLI_PROGRESS_H

#include "spec/transfer.h"

struct progress;

struct progress *progress_new(struct arena *arena, int fd);
void progress_event(struct progress *p, const struct transfer_event *event);
/* Ends the drawing (the last state stays visible), so that other text can be printed. NULL is allowed. */
void progress_clear(struct progress *p);

/* One layer's line without a newline, at most width columns (for tests). */
char *progress_line(struct arena *arena, const char *id, const char *status, int64_t current, int64_t total, int width);

#endif

/* engine/last - the run that failed last, for `explain --last`
 *
 * One file in the runtime directory, replaced by each failure: the words of the run line, where it was given, and how it ended. It
 * may hold what the line held, passwords too: nobody but the user can read it, and it goes with the session. */
#ifndef BRYO_ENGINE_LAST_H
#define BRYO_ENGINE_LAST_H

#include "engine/engine.h"

struct last_run {
	struct strings words;		/* behind "run" */
	char *cwd;
	int64_t exit_code;
	int64_t time;			/* seconds since the epoch */
};

/* A failure to write is nobody's trouble. */
void last_write(struct engine *e, const struct last_run *run);
int last_read(struct engine *e, struct last_run *ret, struct error *err);

#endif

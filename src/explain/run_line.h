/* explain/run_line - the words of a `bryo run` line, changed in place and printed so that they can be pasted
 *
 * The words are those that the user typed after "run"; the image stands at image_at. A line that is not known (of a
 * container that was made long ago) has no words. */
#ifndef BRYO_EXPLAIN_RUN_LINE_H
#define BRYO_EXPLAIN_RUN_LINE_H

#include "base/string.h"

struct run_line {
	struct strings words;
	size_t image_at;
};

/* A copy in which the options stand right before the image: there they win over earlier ones. */
struct run_line run_line_with(struct arena *arena, const struct run_line *line, const struct strings *options);
/* Takes out --long=VALUE, --long VALUE, -sVALUE and -s VALUE; what went is added to dropped. */
void run_line_drop(struct arena *arena, struct run_line *line, char short_name, const char *long_name,
		   const char *value, struct strings *dropped);
/* Changes the options of the mount at a path of the container: -v SRC:DST:ro, --mount ...,ro. false: no word says it. */
bool run_line_change_mount(struct arena *arena, struct run_line *line, const char *destination, const char *drop,
			   const char *add, struct strings *dropped, struct strings *added);
/* "bryo run ..." quoted for a shell. NULL without words. */
char *run_line_print(struct arena *arena, const struct run_line *line);

#endif

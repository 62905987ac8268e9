/* base/glob - shell patterns and Docker's ignore patterns, without I/O */
#ifndef BRYO_BASE_GLOB_H
#define BRYO_BASE_GLOB_H

#include <stdbool.h>

/* Go's filepath.Match: * and ? stop at '/', [classes], \escapes. Answers false for a malformed pattern too. */
bool glob_match(const char *pattern, const char *name);
/* The same with ** matching any number of path components. */
bool glob_match_path(const char *pattern, const char *path);
/* Small edit distance for "did you mean": the closest candidate, or NULL when none is close. */
const char *glob_closest(const char *word, const char *const *candidates);

#endif

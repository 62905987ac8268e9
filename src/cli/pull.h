/* cli/pull - where an archive comes from */
#ifndef BRYO_CLI_PULL_H
#define BRYO_CLI_PULL_H

#include "base/error.h"

/* The file, or standard input (NULL, "-") unless that is a terminal: a new descriptor. To be opened before the
 * namespace is joined: the caller's own rights count. */
int pull_open_input(const char *path, struct error *err);

#endif

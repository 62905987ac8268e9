/* cli/export - where an archive goes */
#ifndef BRYO_CLI_EXPORT_H
#define BRYO_CLI_EXPORT_H

#include "base/error.h"

/* The file, or standard output (NULL, "-") unless that is a terminal: a new descriptor. */
int export_output(const char *path, struct error *err);

#endif

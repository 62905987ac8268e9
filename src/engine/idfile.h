/* engine/idfile - --cidfile and --pidfile: a number or an id in a file of the user's */
#ifndef BRYO_ENGINE_IDFILE_H
#define BRYO_ENGINE_IDFILE_H

#include "base/error.h"

/* --cidfile names a new file: refuses one that exists, before anything is made. NULL is allowed. */
int idfile_check(const char *path, struct error *err);
/* Writes the text without a newline. `fresh`: the file must not exist. */
int idfile_write(const char *path, const char *text, bool fresh, struct error *err);

#endif

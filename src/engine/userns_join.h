/* engine/userns_join - the user namespace of another container, or one that a path names: --userns container:NAME, ns:PATH
 *
 * Its map shows the owners of the image's files, so it is looked at when the container is created, and must still be the
 * same when that starts. */
#ifndef BRYO_ENGINE_USERNS_JOIN_H
#define BRYO_ENGINE_USERNS_JOIN_H

#include "engine/container.h"

/* Is it a mode that joins? */
bool userns_join_is(const char *mode);
/* Empty maps: it is the rootless namespace itself. */
int userns_join_maps(struct engine *e, const char *mode, struct id_maps *ret, struct error *err);
/* At start: what to join; NULL: nothing. maps: what the container was created with. */
int userns_join_path(struct engine *e, const char *mode, const struct id_maps *maps, char **ret, struct error *err);

#endif

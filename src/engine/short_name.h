/* engine/short_name - which images a name without a registry may mean, and who decides
 *
 * An alias decides; else the search registries of registries.conf. When several could be meant, short-name-mode says
 * whether the user is asked (his choice is remembered as an alias once the pull succeeded), all are tried in order, or
 * none is. */
#ifndef BRYO_ENGINE_SHORT_NAME_H
#define BRYO_ENGINE_SHORT_NAME_H

#include "engine/engine.h"
#include "spec/registries.h"

/* The full names to try, in order; a full name stands for itself. *ret_chosen: the user chose, see short_name_remember.
 * */
int short_name_resolve(struct engine *e, const struct registries *registries, const struct reference *name,
		       struct strings *ret, bool *ret_chosen, struct error *err);
/* Keeps what the user chose for the name. A failure is a warning: the image is there. */
void short_name_remember(struct engine *e, const struct reference *name, const char *full);

#endif

/* userns/nsswitch - /etc/nsswitch.conf: does anybody but files know accounts and subordinate ids?
 *
 * Files are read here; what else there is knows the library that bryo-hostlib asks. */
#ifndef BRYO_USERNS_NSSWITCH_H
#define BRYO_USERNS_NSSWITCH_H

#include "base/string.h"

/* The sources of a database ("passwd") in a text like that file's, in order, without what is to be done when they fail. */
struct strings nsswitch_sources(struct arena *arena, const char *text, const char *database);
/* The library for subordinate ids takes one source: the first. */
bool nsswitch_has_other_ids(struct arena *arena);
bool nsswitch_has_other_accounts(struct arena *arena);

#endif

/* hostlib/subordinate - subordinate ids from where nsswitch.conf says, by libsubid (shadow's) */
#ifndef BRYO_HOSTLIB_SUBORDINATE_H
#define BRYO_HOSTLIB_SUBORDINATE_H

#include "hostlib/hostlib.h"

/* The call HOSTLIB_SUBORDINATE_IDS. ERROR_UNSUPPORTED without libsubid. */
int subordinate_ids(struct arena *arena, const void *who, void *ret_ranges, struct error *err);

#endif

/* hostlib/unit - units of systemd: the calls of HOSTLIB_*_UNIT
 *
 * A property that this systemd does not know is left out, unless it was demanded. */
#ifndef BRYO_HOSTLIB_UNIT_H
#define BRYO_HOSTLIB_UNIT_H

#include "hostlib/hostlib.h"

/* request: struct hostlib_unit. Of a container that has just ended systemd may still have the scope, until it notices
 * that it is empty: that is waited for (5 s); then ERROR_EXISTS. */
int unit_start(struct arena *arena, const void *request, void *none, struct error *err);
int unit_set(struct arena *arena, const void *request, void *none, struct error *err);
int unit_attach(struct arena *arena, const void *request, void *none, struct error *err);
int unit_stop(struct arena *arena, const void *request, void *none, struct error *err);

#endif

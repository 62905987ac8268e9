/* hostlib/filter - rules to a BPF program, by libseccomp
 *
 * What libseccomp and its other users do is kept: the native architecture is always in, system calls that it does not
 * know are left out, rules with the default action too, and of two unconditional rules for a call the first wins.
 * Conditions of a rule that name an argument twice are alternatives, otherwise all must hold. Complaints begin with the
 * position of what is wrong. */
#ifndef BRYO_HOSTLIB_FILTER_H
#define BRYO_HOSTLIB_FILTER_H

#include "hostlib/hostlib.h"

/* The call HOSTLIB_COMPILE_FILTER, but for the time that it may take. */
int filter_compile(struct arena *arena, const void *rules, void *ret_filter, struct error *err);

#endif

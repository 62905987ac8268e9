/* oci/members - the processes of a container: those of its cgroup, or without one those of its pid namespace */
#ifndef BRYO_OCI_MEMBERS_H
#define BRYO_OCI_MEMBERS_H

#include "oci/record.h"

struct members { int *v; size_t n; };	/* ascending, in the caller's pid namespace */

/* None for a stopped container. ERROR_UNSUPPORTED where they cannot be told from others. */
int members_find(struct oci *o, const struct opened *c, struct members *ret, struct error *err);

#endif

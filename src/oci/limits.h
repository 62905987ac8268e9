/* oci/limits - the cgroup of a container that is being made */
#ifndef BRYO_OCI_LIMITS_H
#define BRYO_OCI_LIMITS_H

#include "oci/oci.h"
#include "run/run.h"

/* What this host offers, asked once. */
int limits_host(struct oci *o, struct error *err);
/* Makes it and sets its limits: *ret_fd is its directory for clone (-1: none), *ret_views what a mount of type cgroup
 * shows where that is not the unified hierarchy alone (n 0 otherwise). */
int limits_make(struct oci *o, const char *id, const struct oci_spec *spec, struct cgroup *ret, int *ret_fd,
		struct run_hierarchies *ret_views, struct error *err);
/* What a creation left that was cut off: there is no record of its cgroup, so it is found as it was chosen. One that
 * processes are in stays. */
void limits_remove_remains(struct oci *o, const char *id, const struct oci_spec *spec);

#endif

/* oci/rdt - cache and memory bandwidth of a container by resctrl (linux.intelRdt)
 *
 * A class of service is a directory of the resctrl file system: closID names one, "/" is the default class, and without
 * a closID the container gets its own, named by its id. A class that a closID names and that exists must be as the
 * configuration says; it stays when the container goes, also when it was made here, because others may use it by then.
 * With enableMonitoring the container gets a monitoring group in its class. Errors begin with ".linux.intelRdt". */
#ifndef BRYO_OCI_RDT_H
#define BRYO_OCI_RDT_H

#include "oci/oci.h"

/* What can be said without looking at the machine. */
int rdt_check(const struct oci_intel_rdt *r, struct error *err);
/* Puts pid, which waits, there. *ret_made: the directory to be removed after the container (rdt_remove); NULL: none. */
int rdt_join(struct oci *o, const struct oci_intel_rdt *r, const char *id, pid_t pid, char **ret_made, struct error *err);
/* A further process of a container that has joined before. */
int rdt_follow(struct oci *o, const struct oci_intel_rdt *r, const char *id, pid_t pid, struct error *err);
void rdt_remove(const char *group);		/* NULL: there is none */

/* The same two in a resctrl file system at root. */
int rdt_join_at(struct arena *arena, const char *root, const struct oci_intel_rdt *r, const char *id, pid_t pid,
		char **ret_made, struct error *err);
int rdt_follow_at(struct arena *arena, const char *root, const struct oci_intel_rdt *r, const char *id, pid_t pid,
		  struct error *err);
/* Does a file of schemata have what the wanted lines say? Then writing them would change nothing. granularity: of memory
 * bandwidth, which the kernel rounds up; 0: not known. *ret_line: the first one that it does not have. */
bool rdt_is_as_wanted(struct arena *arena, const char *file, const char *wanted, uint64_t granularity,
		      const char **ret_line);

#endif

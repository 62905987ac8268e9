#ifndef BRYO_OCI_RDT_H
#define BRYO_OCI_RDT_H
#include "oci/oci.h"
int rdt_join(struct oci *o, const struct oci_intel_rdt *r, const char *id, pid_t pid, char **ret_made, struct error *err);
void rdt_remove(const char *group);
#endif

#include "oci/rdt.h"
int rdt_join(struct oci *o, const struct oci_intel_rdt *r, const char *id, pid_t pid, char **ret_made, struct error *err)
{ return error_set(err, ERROR_UNSUPPORTED, ".linux.intelRdt"); }
void rdt_remove(const char *group) { }

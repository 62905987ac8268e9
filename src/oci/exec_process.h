/* oci/exec_process - what a further process of a container is
 *
 * From a file with the JSON of a process, or from the container's own process and what the command line changes. */
#ifndef BRYO_OCI_EXEC_PROCESS_H
#define BRYO_OCI_EXEC_PROCESS_H

#include "oci/record.h"

int exec_process(struct oci *o, const struct oci_exec_request *request, const struct record *r,
		 const struct oci_spec *spec, struct oci_process *ret, struct error *err);
/* "UID[:GID]": strict decimals, as a wrong user is no user. Pure. */
int exec_process_user(const char *text, struct oci_user *user, struct error *err);

#endif
